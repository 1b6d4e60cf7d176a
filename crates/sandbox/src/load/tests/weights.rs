//! Laws of weighted aliases: what each version does, and both together.

use super::*;
use crate::lambda::Alias;

const METRICS: [FunctionMetric; 5] = [
    FunctionMetric::Invocations,
    FunctionMetric::Errors,
    FunctionMetric::Throttles,
    FunctionMetric::Duration,
    FunctionMetric::ConcurrentExecutions,
];

/// The sample account with an alias at version 1, which connects to the database, and a version 2 that connects to a
/// proxy.
fn released(load: &Load) -> World {
    let mut world = account(load.clone());
    let function = world.lambda.functions.remove(FUNCTION).unwrap().with_version();
    world.lambda.functions.insert(FUNCTION.into(), function);
    put_proxy(&mut world);
    let mut function = world.lambda.functions.remove(FUNCTION).unwrap().with_version();
    function.aliases.insert("live".into(), Alias { name: "live".into(), version: "1".into(), ..Alias::default() });
    world.lambda.functions.insert(FUNCTION.into(), function);
    world.set_load_for_ever(FUNCTION, load.clone());
    world
}

/// Points the alias, with weights, from a minute on.
fn shift(world: &mut World, minute: u64, version: &str, weights: &[(&str, f64)]) {
    world.tick(world.now.max(Moment(minute * 60_000)));
    let alias = world.lambda.functions.get_mut(FUNCTION).unwrap().aliases.get_mut("live").unwrap();
    version.clone_into(&mut alias.version);
    alias.weights = weights.iter().map(|(version, weight)| ((*version).to_owned(), *weight)).collect();
    world.tick(world.now);
}

/// A metric of a version, or of the function, minute by minute.
fn minutes(world: &World, version: Option<&str>, metric: FunctionMetric, count: usize) -> Vec<Option<Sample>> {
    let traffic = Traffic::new(world, Moment::default().unix_signed(), count);
    (0..count).map(|minute| traffic.of_function(Some(FUNCTION), version, metric, minute)).collect()
}

fn sum(samples: &[Option<Sample>]) -> f64 {
    samples.iter().flatten().map(|sample| sample.sum).sum()
}

#[test]
fn a_version_gets_about_its_weight_and_both_add_up_to_the_function() {
    let load = Load { duration: 400.0, ..Load::default() };
    let whole = released(&load);
    let mut world = whole.clone();
    shift(&mut world, 0, "1", &[("2", 0.1)]);
    let second = minutes(&world, Some("2"), FunctionMetric::Invocations, 60);
    let share = sum(&second) / sum(&minutes(&world, None, FunctionMetric::Invocations, 60));
    // Within three standard deviations of 3,600 throws.
    assert!((0.085..0.115).contains(&share), "{share}");
    let counts: Vec<f64> = second.iter().flatten().map(|sample| sample.sum).collect();
    assert!(counts.iter().any(|count| *count > 8.0) && counts.iter().any(|count| *count < 4.0), "{counts:?}");
    for metric in METRICS {
        let [first, second, all] = [Some("1"), Some("2"), None].map(|version| minutes(&world, version, metric, 60));
        // One alias or two: as much happens.
        assert_eq!(sum(&all), sum(&minutes(&whole, None, metric, 60)), "{metric:?}");
        for minute in 0..60 {
            if metric == FunctionMetric::ConcurrentExecutions {
                let [first, second, all] =
                    [&first, &second, &all].map(|of| of[minute].map_or(0.0, |sample| sample.max));
                assert!(all >= first.max(second) && all <= first + second, "{minute}: {first} {second} {all}");
                continue;
            }
            assert_eq!(
                first[minute].into_iter().chain(second[minute]).reduce(Sample::and),
                all[minute],
                "{metric:?} {minute}"
            );
        }
    }
}

#[test]
fn a_weight_of_one_or_none_leaves_one_version_without_data() {
    let load = Load { rate: Rate::Constant(5.0), ..Load::default() };
    for (weight, all, nothing) in [(1.0, "2", "1"), (0.0, "1", "2")] {
        let mut world = released(&load);
        shift(&mut world, 0, "1", &[("2", weight)]);
        for metric in METRICS {
            assert_eq!(
                minutes(&world, Some(all), metric, 60),
                minutes(&world, None, metric, 60),
                "{weight} {metric:?}"
            );
            assert_eq!(minutes(&world, Some(nothing), metric, 60), [None; 60], "{weight} {metric:?}");
        }
        let traffic = Traffic::new(&world, Moment::default().unix_signed(), 60);
        let clients = traffic.of_proxy("p", &ProxyScope::Proxy, ProxyMetric::ClientConnections, 50);
        assert_eq!(clients.is_some_and(|clients| clients.sum > 0.0), weight > 0.0, "{weight} {clients:?}");
    }
}

#[test]
fn only_the_version_that_leads_to_the_proxy_meets_its_trouble() {
    let load = Load { rate: Rate::Constant(5.0), at_proxy: AtProxy::Refused, ..Load::default() };
    let mut world = released(&load);
    shift(&mut world, 10, "1", &[("2", 0.2)]);
    let of = |version, metric| sum(&minutes(&world, version, metric, 60));
    let invoked = of(Some("2"), FunctionMetric::Invocations);
    assert!(invoked > 0.0);
    assert_eq!(of(Some("1"), FunctionMetric::Errors), 0.0);
    assert_eq!(of(Some("2"), FunctionMetric::Errors), invoked);
    assert_eq!(of(None, FunctionMetric::Errors), invoked);
    let traffic = Traffic::new(&world, Moment::default().unix_signed(), 60);
    let refused = |minute| {
        let metric = ProxyMetric::ClientConnectionsSetupFailedAuth;
        traffic.of_proxy("p", &ProxyScope::Proxy, metric, minute).map(|sample| sample.sum)
    };
    assert_eq!(refused(9), None, "nobody came yet");
    let second = minutes(&world, Some("2"), FunctionMetric::Invocations, 60);
    for (minute, second) in second.iter().enumerate().skip(11) {
        assert_eq!(refused(minute), Some(second.map_or(0.0, |sample| sample.sum)), "{minute}");
    }
    let slow = Load { at_proxy: AtProxy::Slow, ..load };
    let mut world = released(&slow);
    shift(&mut world, 0, "1", &[("2", 0.2)]);
    let average = |version| {
        let samples = minutes(&world, version, FunctionMetric::Duration, 60);
        samples.into_iter().flatten().reduce(Sample::and).unwrap().average()
    };
    assert!(close(average(Some("1")), 100.0, 1e-9) && close(average(Some("2")), 300.0, 1e-9));
    assert!((130.0..150.0).contains(&average(None)), "{}", average(None));
}

#[test]
fn versions_have_metrics_of_their_own_only_while_the_alias_has_weights() {
    let mut world = released(&Load { rate: Rate::Constant(5.0), ..Load::default() });
    shift(&mut world, 10, "1", &[("2", 0.5)]);
    shift(&mut world, 30, "2", &[]);
    for version in ["1", "2"] {
        let there = minutes(&world, Some(version), FunctionMetric::Invocations, 60);
        let places: Vec<usize> = (0..60).filter(|minute| there[*minute].is_some()).collect();
        assert_eq!(places, (10..30).collect::<Vec<_>>(), "{version}");
    }
    assert!(minutes(&world, None, FunctionMetric::Invocations, 60).iter().all(Option::is_some));
    assert_eq!(minutes(&world, Some("3"), FunctionMetric::Invocations, 60), [None; 60]);
    assert_eq!(world.loads.versions(FUNCTION), ["1", "2"]);
    let direct = Traffic::new(&world, Moment::default().unix_signed(), 60);
    let at = |minute| direct.of_proxy("p", &ProxyScope::Proxy, ProxyMetric::QueryRequests, minute).unwrap().sum;
    assert!(close(at(50), at(20) * 2.0, 0.3), "{} then {}", at(20), at(50));
}

#[test]
fn a_function_that_has_an_alias_connects_where_its_version_leads() {
    let mut world = released(&Load { rate: Rate::Constant(5.0), ..Load::default() });
    assert_eq!(routes::routes(&world, FUNCTION).0.version, "1");
    assert!(connections(&world) > 0.0, "version 1 is at the database, whatever the variables of $LATEST say");
    for (version, proxied) in [("1", false), ("2", true), ("$LATEST", true)] {
        shift(&mut world, 0, version, &[]);
        assert_eq!(routes::routes(&world, FUNCTION).0.by_proxy(), proxied, "{version}");
    }
    let timeout = |world: &mut World, version: u64| {
        world.lambda.functions.get_mut(FUNCTION).unwrap().versions.get_mut(&version).unwrap().timeout = 1;
    };
    let slow = Load { rate: Rate::Constant(5.0), duration: 5_000.0, ..Load::default() };
    let mut world = released(&slow);
    timeout(&mut world, 2);
    shift(&mut world, 0, "1", &[("2", 0.5)]);
    let errors = |version| sum(&minutes(&world, version, FunctionMetric::Errors, 60));
    assert!(errors(Some("1")) == 0.0 && errors(Some("2")) > 0.0);
}

#[test]
fn limits_are_the_functions_and_shared_by_its_versions() {
    let load = Load { rate: Rate::Constant(20.0), duration: 1000.0, ..Load::default() };
    let mut world = released(&load);
    world.lambda.functions.get_mut(FUNCTION).unwrap().reserved = Some(5);
    world.set_load_for_ever(FUNCTION, load);
    let whole = world.clone();
    shift(&mut world, 0, "1", &[("2", 0.1)]);
    let throttled = |world: &World, version| sum(&minutes(world, version, FunctionMetric::Throttles, 60));
    assert_eq!(throttled(&world, None), throttled(&whole, None));
    assert!(close(throttled(&world, Some("2")), throttled(&world, None) * 0.1, 0.15));
    let most = minutes(&world, None, FunctionMetric::ConcurrentExecutions, 60);
    assert_eq!(most.into_iter().flatten().map(|sample| sample.max).fold(0.0, f64::max), 5.0);
    // A few invocations under a limit that they do not meet: a small share is no small limit.
    let quiet = Load { rate: Rate::Constant(0.5), ..Load::default() };
    world.set_load_for_ever(FUNCTION, quiet);
    assert_eq!(throttled(&world, Some("2")), 0.0);
    assert!(sum(&minutes(&world, Some("2"), FunctionMetric::Invocations, 60)) > 0.0);
}

#[test]
fn a_transition_ends_in_the_metrics_when_it_ends_and_not_when_somebody_looks() {
    let mut world = released(&Load { rate: Rate::Constant(5.0), ..Load::default() });
    shift(&mut world, 10, "2", &[("1", 1.0)]);
    let alias = world.lambda.functions.get_mut(FUNCTION).unwrap().aliases.get_mut("live").unwrap();
    alias.until = Some(Moment(20 * 60_000));
    world.tick(Moment(60 * 60_000));
    let former = minutes(&world, Some("1"), FunctionMetric::Invocations, 60);
    assert_eq!(former.iter().filter(|sample| sample.is_some()).count(), 10);
    let traffic = Traffic::new(&world, Moment::default().unix_signed(), 60);
    let at = |minute| {
        let clients = traffic.of_proxy("p", &ProxyScope::Proxy, ProxyMetric::ClientConnections, minute);
        clients.map_or(0.0, |clients| clients.sum)
    };
    assert!(at(15) == 0.0 && at(25) > 0.0, "{} then {}", at(15), at(25));
}

/// In whichever second of a minute a version gets its first call, its connections are new then and their log-ins are
/// counted.
#[test]
fn a_version_logs_in_when_it_gets_its_first_call() {
    for second in 0..60 {
        let mut world = released(&Load { rate: Rate::Constant(0.3), ..Load::default() });
        world.lambda.functions.get_mut(FUNCTION).unwrap().provisioned.insert("live".into(), 2);
        world.tick(Moment((600 + second) * 1000));
        shift(&mut world, 10, "2", &[("1", 1.0)]);
        let alias = world.lambda.functions.get_mut(FUNCTION).unwrap().aliases.get_mut("live").unwrap();
        alias.until = Some(Moment((690 + second) * 1000));
        world.tick(Moment(60 * 60_000));
        let traffic = Traffic::new(&world, Moment::default().unix_signed(), 60);
        let opened = |minute| {
            let metric = ProxyMetric::ClientConnectionsSetupSucceeded;
            traffic.of_proxy("p", &ProxyScope::Proxy, metric, minute).map_or(0.0, |sample| sample.sum)
        };
        assert!((0..60).map(opened).sum::<f64>() > 0.0, "it began in second {second}");
    }
}

#[test]
fn an_account_that_was_stored_before_versions_were_known_is_read() {
    let world = account(Load::default());
    let mut stored = serde_json::to_value(&world).unwrap();
    for seen in stored["loads"]["routes"][FUNCTION].as_array_mut().unwrap() {
        assert!(seen.as_object_mut().unwrap().remove("second").is_some());
        assert!(seen["route"].as_object_mut().unwrap().remove("version").is_some());
    }
    let mut read: World = serde_json::from_value(stored).unwrap();
    read.tick(Moment(0));
    assert_eq!(read.loads.routes, world.loads.routes);
}
