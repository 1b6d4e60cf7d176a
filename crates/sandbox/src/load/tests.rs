//! Laws of loads: what follows from a rate, a limit, a driver and a route.

#![expect(clippy::float_cmp, reason = "numbers that are whole, or limits that are met exactly")]

use super::*;
use crate::rds::{Instance, Proxy, Target as Registered};

mod weights;

const FUNCTION: &str = "DBAppFunction";
const DATABASE: &str = "my-instance";

/// The sample account in which one function alone does something.
fn account(load: Load) -> World {
    let mut world = World::newcomer();
    world.loads.functions.clear();
    world.set_load_for_ever(FUNCTION, load);
    world
}

/// A metric of every minute of the hour after the account's time began.
fn hour(world: &World, of: impl Fn(&Traffic<'_>, usize) -> Option<Sample>) -> Vec<Sample> {
    let traffic = Traffic::new(world, Moment::default().unix_signed(), 60);
    (0..60).filter_map(|minute| of(&traffic, minute)).collect()
}

fn function(world: &World, metric: FunctionMetric) -> Sample {
    hour(world, |traffic, minute| traffic.of_function(Some(FUNCTION), None, metric, minute))
        .into_iter()
        .reduce(Sample::and)
        .unwrap()
}

fn connections(world: &World) -> f64 {
    let of = |traffic: &Traffic<'_>, minute| traffic.of_instance(DATABASE, InstanceMetric::DatabaseConnections, minute);
    hour(world, of).into_iter().map(|sample| sample.max).fold(0.0, f64::max)
}

fn close(value: f64, wanted: f64, tolerance: f64) -> bool {
    (value / wanted - 1.0).abs() <= tolerance
}

#[test]
fn the_most_connections_are_what_aws_publishes() {
    // Engine, class, published number, tolerance. Aurora MySQL's are exact
    // (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Managing.Performance.html); the others
    // depend on memory that AWS does not publish.
    let cases = [
        ("aurora-mysql", "db.t3.small", 45.0, 0.0),
        ("aurora-mysql", "db.t3.medium", 90.0, 0.0),
        ("aurora-mysql", "db.t4g.large", 135.0, 0.0),
        ("aurora-mysql", "db.r5.large", 1000.0, 0.0),
        ("aurora-mysql", "db.r6g.xlarge", 2000.0, 0.0),
        ("aurora-mysql", "db.r5.2xlarge", 3000.0, 0.0),
        ("aurora-mysql", "db.r5.8xlarge", 5000.0, 0.0),
        ("aurora-postgresql", "db.t4g.medium", 405.0, 0.05),
        ("aurora-postgresql", "db.r6g.large", 1722.0, 0.05),
        ("aurora-postgresql", "db.r6g.xlarge", 3479.0, 0.05),
        ("aurora-postgresql", "db.r5.4xlarge", 5000.0, 0.0),
        ("mysql", "db.t3.micro", 60.0, 0.03),
        ("mysql", "db.m5.large", 630.0, 0.03),
    ];
    for (engine, class, published, tolerance) in cases {
        let mut world = World::empty();
        let instance = Instance { engine: engine.into(), class: class.into(), ..Instance::default() };
        world.rds.instances.insert("db".into(), instance);
        let found = world.max_connections("db").map_or(0.0, f64::from);
        assert!(close(found, published, tolerance), "{engine} {class}: {found} instead of {published}");
    }
}

#[test]
fn a_parameter_or_a_pending_reboot_says_otherwise() {
    let mut world = World::newcomer();
    world.rds.parameters.get_mut("default.mysql8.0").unwrap().insert("max_connections".into(), "1000".into());
    assert_eq!(world.max_connections(DATABASE), Some(1000));
    world.rds.instances.get_mut(DATABASE).unwrap().max_connections = Some(300);
    assert_eq!(world.max_connections(DATABASE), Some(300));
    assert_eq!(world.max_connections("legacy-oracle"), None);
}

#[test]
fn formulas_of_parameter_groups_are_understood() {
    let variables = formula::Variables { memory: 8_589_934_592.0, vcpus: 2.0 };
    for (text, value) in [
        ("100", Some(100.0)),
        ("{DBInstanceClassMemory/12582880}", Some(8_589_934_592.0 / 12_582_880.0)),
        ("LEAST({DBInstanceClassMemory/9531392},500)", Some(500.0)),
        ("GREATEST({DBInstanceVCPU*2},3, 1)", Some(4.0)),
        ("SUM({DBInstanceClassMemory/8589934592},{log(8)},1)", Some(5.0)),
        ("{DBInstanceClassMemory", None),
        ("LEAST(1", None),
        ("Unknown", None),
        ("1 2", None),
    ] {
        assert_eq!(formula::evaluate(text, variables), value, "{text}");
    }
}

#[test]
fn concurrency_is_rate_times_duration() {
    let world = account(Load { rate: Rate::Constant(20.0), duration: 500.0, ..Load::default() });
    let invocations = function(&world, FunctionMetric::Invocations);
    assert!(close(invocations.sum, 72_000.0, 0.02), "{invocations:?}");
    let concurrent = function(&world, FunctionMetric::ConcurrentExecutions);
    assert!(close(concurrent.average(), 10.0, 0.05), "{concurrent:?}");
    assert!((15.0..=22.0).contains(&concurrent.max), "{concurrent:?}");
    assert_eq!(function(&world, FunctionMetric::Errors).sum, 0.0);
    assert_eq!(function(&world, FunctionMetric::Throttles).sum, 0.0);
    assert_eq!(function(&world, FunctionMetric::Duration).average(), 500.0);
}

#[test]
fn equal_accounts_have_equal_metrics_and_another_seed_gives_others() {
    let load = || Load { rate: Rate::Constant(20.0), ..Load::default() };
    let per_minute = |world: &World| {
        hour(world, |traffic, minute| traffic.of_function(Some(FUNCTION), None, FunctionMetric::Invocations, minute))
    };
    let mut other = account(load());
    assert_eq!(per_minute(&account(load())), per_minute(&other));
    other.loads.seed = 2;
    assert_ne!(per_minute(&account(load())), per_minute(&other));
}

#[test]
fn what_is_more_than_reserved_is_throttled_and_never_runs() {
    let mut world = account(Load { rate: Rate::Constant(20.0), duration: 1000.0, ..Load::default() });
    world.lambda.functions.get_mut(FUNCTION).unwrap().reserved = Some(5);
    world.set_load_for_ever(FUNCTION, Load { rate: Rate::Constant(20.0), duration: 1000.0, ..Load::default() });
    assert_eq!(function(&world, FunctionMetric::ConcurrentExecutions).max, 5.0);
    assert!(close(function(&world, FunctionMetric::Invocations).sum, 18_000.0, 0.01));
    assert!(close(function(&world, FunctionMetric::Throttles).sum, 54_000.0, 0.03));
    assert!(connections(&world) <= 5.0);
}

#[test]
fn an_invocation_that_outlasts_its_timeout_fails_there() {
    let world = account(Load { duration: 60_000.0, ..Load::default() });
    assert_eq!(function(&world, FunctionMetric::Duration).average(), 30_000.0);
    let (errors, all) = (function(&world, FunctionMetric::Errors), function(&world, FunctionMetric::Invocations));
    assert_eq!(errors.sum, all.sum);
}

#[test]
fn a_mailing_takes_a_thousand_of_a_thousand_connections() {
    let mut world = World::newcomer();
    world.loads.functions.clear();
    world.rds.parameters.get_mut("default.mysql8.0").unwrap().insert("max_connections".into(), "1000".into());
    world.now = Moment(70 * 60_000);
    world.set_preset(FUNCTION, Preset::Mailing);
    let mails = function(&world, FunctionMetric::Invocations).sum + function(&world, FunctionMetric::Throttles).sum;
    assert!(close(mails, 500_000.0, 0.01), "{mails}");
    assert_eq!(function(&world, FunctionMetric::ConcurrentExecutions).max, 1000.0);
    assert_eq!(connections(&world), 1000.0);
    // The same mailing against the class's own limit: the database refuses what is more.
    world.rds.instances.get_mut(DATABASE).unwrap().max_connections = Some(400);
    assert_eq!(connections(&world), 400.0);
    let share = function(&world, FunctionMetric::Errors).sum / function(&world, FunctionMetric::Invocations).sum;
    assert!(close(share, 0.6, 0.02), "{share}");
}

#[test]
fn a_queue_with_a_maximum_goes_beyond_it_for_moments() {
    let mut world = account(Load::default());
    world.set_preset(FUNCTION, Preset::Queue);
    let concurrent = function(&world, FunctionMetric::ConcurrentExecutions);
    assert_eq!(concurrent.max, 30.0);
    let busy = hour(&world, |traffic, minute| {
        traffic.of_function(Some(FUNCTION), None, FunctionMetric::ConcurrentExecutions, minute)
    });
    assert!(busy.iter().all(|sample| sample.average() <= 20.0));
    assert_eq!(function(&world, FunctionMetric::Throttles).sum, 0.0, "what is more waits in the queue");
}

#[test]
fn a_busy_day_comes_near_to_the_limit_and_not_over_it() {
    let mut world = account(Load::default());
    world.set_preset(FUNCTION, Preset::Busy);
    let limit = world.max_connections(DATABASE).map(f64::from).unwrap();
    let traffic = Traffic::new(&world, Moment::default().unix_signed(), 1440);
    let of = |minute| traffic.of_instance(DATABASE, InstanceMetric::DatabaseConnections, minute).unwrap().max;
    let most = (0..1440).map(of).fold(0.0, f64::max);
    assert!(most > limit * 0.8 && most <= limit, "{most} of {limit}");
    let night = of(60);
    assert!(night < most * 0.5, "{night} by night");
}

#[test]
fn drivers_that_close_hold_fewer_connections() {
    let load = |closes| Load { rate: Rate::Constant(100.0), duration: 100.0, closes, ..Load::default() };
    let (keeping, closing) = (account(load(false)), account(load(true)));
    let mean = |world: &World| {
        let all =
            hour(world, |traffic, minute| traffic.of_instance(DATABASE, InstanceMetric::DatabaseConnections, minute));
        all.into_iter().reduce(Sample::and).unwrap().average()
    };
    assert!(mean(&closing) < mean(&keeping));
}

/// Puts a proxy before the database, and points the function at it.
fn put_proxy(world: &mut World) {
    let proxy = serde_json::json!({
        "id": "prx-1", "engine_family": "MYSQL", "default_auth_scheme": "NONE", "auth": [], "role_arn": "", "vpc_id": "",
        "subnets": [], "groups": [], "require_tls": true, "idle_client_timeout": 1800, "debug_logging": false,
        "endpoint_network_type": "IPV4", "target_network_type": "IPV4", "endpoint": "p.proxy-x.eu-central-1.rds.amazonaws.com",
        "status": { "settled": "available" }, "created": Moment(0), "ready": Moment(0), "updated": Moment(0), "tags": {},
        "target_group": {
            "id": "prx-tg-1", "max_connections_percent": 50, "max_idle_connections_percent": 25, "borrow_timeout": 120,
            "pinning_filters": [], "init_query": null, "updated": Moment(0), "target": null,
        },
    });
    let mut proxy: Proxy = serde_json::from_value(proxy).unwrap();
    let troubled = BTreeMap::new();
    proxy.target_group.target =
        Some(Registered { cluster: false, id: DATABASE.into(), registered: Moment(0), troubled });
    world.rds.proxies.insert("p".into(), proxy);
    let variables = world.lambda.functions.get_mut(FUNCTION).unwrap().latest.environment.as_mut().unwrap();
    variables.insert("DB_HOST".into(), "p.proxy-x.eu-central-1.rds.amazonaws.com".into());
}

fn of_proxy(world: &World, metric: ProxyMetric) -> Sample {
    let traffic = Traffic::new(world, Moment::default().unix_signed() + 1_200_000, 60);
    let all = (0..60).filter_map(|minute| traffic.of_proxy("p", &ProxyScope::Proxy, metric, minute));
    all.reduce(Sample::and).unwrap()
}

#[test]
fn a_proxy_multiplexes_and_pinned_sessions_keep_it_from_that() {
    let load = |pinned| Load { rate: Rate::Constant(100.0), duration: 1000.0, busy: 0.1, pinned, ..Load::default() };
    let mut world = account(load(0.0));
    put_proxy(&mut world);
    world.set_load_for_ever(FUNCTION, load(0.0));
    let (clients, pool) =
        (of_proxy(&world, ProxyMetric::ClientConnections), of_proxy(&world, ProxyMetric::DatabaseConnections));
    let per_minute = |sample: Sample| sample.sum / 60.0;
    assert!(per_minute(clients) > 100.0, "{clients:?}");
    assert!(per_minute(pool) < 20.0, "{pool:?}");
    assert_eq!(clients.count, 120.0, "each of two nodes, each minute");
    world.set_load_for_ever(FUNCTION, load(1.0));
    let (pinned, pool) = (
        of_proxy(&world, ProxyMetric::DatabaseConnectionsCurrentlySessionPinned),
        of_proxy(&world, ProxyMetric::DatabaseConnections),
    );
    assert!(per_minute(pool) > 100.0, "{pool:?}");
    assert!(close(pinned.sum, pool.sum, 0.05));
    let allowed = per_minute(of_proxy(&world, ProxyMetric::MaxDatabaseConnectionsAllowed));
    let limit = world.max_connections(DATABASE).map(f64::from).unwrap();
    assert_eq!(allowed, (limit / 2.0).floor() - 2.0);
    assert!(per_minute(pool) <= allowed);
}

/// What no configuration shows turns metrics bad once the function is at the proxy, and not before.
#[test]
fn trouble_at_a_proxy_shows_in_its_own_metrics() {
    let at = |at_proxy| {
        let load = Load { rate: Rate::Constant(10.0), duration: 200.0, busy: 0.1, at_proxy, ..Load::default() };
        let mut world = account(load.clone());
        world.set_load_for_ever(FUNCTION, load);
        let errors = function(&world, FunctionMetric::Errors).sum;
        assert_eq!(errors, 0.0, "{at_proxy:?} at the database");
        put_proxy(&mut world);
        world.set_load_for_ever(FUNCTION, world.loads.functions[FUNCTION][0].load.clone());
        world
    };
    let all = |world: &World| {
        let of = |metric| of_proxy(world, metric).sum;
        (
            function(world, FunctionMetric::Errors).sum > 0.0,
            function(world, FunctionMetric::Duration).average() > 500.0,
            of(ProxyMetric::ClientConnectionsSetupFailedAuth) > 0.0,
            of(ProxyMetric::DatabaseConnectionsSetupFailed) > 0.0,
            of(ProxyMetric::DatabaseConnectionsCurrentlySessionPinned) > 0.0,
        )
    };
    assert_eq!(all(&at(AtProxy::Works)), (false, false, false, false, false));
    assert_eq!(all(&at(AtProxy::Refused)), (true, false, true, false, false));
    assert_eq!(all(&at(AtProxy::Failed)), (true, false, false, true, false));
    assert_eq!(all(&at(AtProxy::Slow)), (false, true, false, false, false));
    assert_eq!(all(&at(AtProxy::Pinned)), (false, false, false, false, true));
}

#[test]
fn waits_grow_as_the_pool_fills_and_end_at_the_borrow_timeout() {
    let wait = |rate: f64| {
        let load = Load { rate: Rate::Constant(rate), duration: 1000.0, busy: 1.0, ..Load::default() };
        let mut world = account(load.clone());
        put_proxy(&mut world);
        world.set_load_for_ever(FUNCTION, load);
        of_proxy(&world, ProxyMetric::DatabaseConnectionsBorrowLatency).average()
    };
    let (light, heavy, over) = (wait(10.0), wait(140.0), wait(400.0));
    assert!(light < 1_000.0 && heavy > light * 1.5, "{light} {heavy}");
    assert_eq!(over, 120_000_000.0);
}

#[test]
fn a_function_that_is_pointed_at_a_proxy_leaves_the_database_from_then_on() {
    let mut world = account(Load { rate: Rate::Constant(50.0), duration: 1000.0, busy: 0.1, ..Load::default() });
    world.now = Moment(30 * 60_000);
    put_proxy(&mut world);
    world.tick(Moment(30 * 60_000));
    let traffic = Traffic::new(&world, Moment::default().unix_signed(), 60);
    let at = |minute| traffic.of_instance(DATABASE, InstanceMetric::DatabaseConnections, minute).unwrap().sum;
    assert!(at(20) > 50.0 && at(50) < 30.0, "{} then {}", at(20), at(50));
    assert!(traffic.of_proxy("p", &ProxyScope::Proxy, ProxyMetric::ClientConnections, 20).is_none(), "nobody came yet");
    assert!(traffic.of_proxy("p", &ProxyScope::Proxy, ProxyMetric::ClientConnections, 50).is_some());
}

#[test]
fn a_load_changes_from_now_on_and_the_past_stays() {
    let mut world = account(Load { rate: Rate::Constant(1.0), ..Load::default() });
    world.now = Moment(30 * 60_000);
    world.set_load(FUNCTION, Load { rate: Rate::Constant(100.0), ..Load::default() });
    let traffic = Traffic::new(&world, Moment::default().unix_signed(), 60);
    let at = |minute| traffic.of_function(Some(FUNCTION), None, FunctionMetric::Invocations, minute).unwrap().sum;
    assert!(at(29) < 100.0 && at(30) > 5_000.0);
}

#[test]
fn serverless_grows_with_its_load_between_its_limits() {
    let mut world = World::empty();
    let instance = Instance {
        engine: "aurora-mysql".into(),
        class: "db.serverless".into(),
        status: "available".into(),
        cluster: Some("c".into()),
        endpoint: "c.cluster-x.eu-central-1.rds.amazonaws.com".into(),
        ..Instance::default()
    };
    world.rds.instances.insert("i".into(), instance);
    let cluster = crate::rds::Cluster {
        endpoint: "c.cluster-x.eu-central-1.rds.amazonaws.com".into(),
        members: vec![("i".into(), true)],
        serverless: Some((5, 160)),
        ..crate::rds::Cluster::default()
    };
    world.rds.clusters.insert("c".into(), cluster);
    assert_eq!(world.max_connections("i"), Some(2000));
    let capacity = |world: &World| {
        let of = |traffic: &Traffic<'_>, minute| {
            traffic.of_instance("i", InstanceMetric::ServerlessDatabaseCapacity, minute)
        };
        hour(world, of).into_iter().map(|sample| sample.max).fold(0.0, f64::max)
    };
    assert_eq!(capacity(&world), 0.5);
    let mut function = crate::lambda::Function::settled(&mut world, "f", "");
    function.latest.environment =
        Some(BTreeMap::from([("HOST".into(), "c.cluster-x.eu-central-1.rds.amazonaws.com".into())]));
    world.lambda.functions.insert("f".into(), function);
    world.set_load_for_ever("f", Load { rate: Rate::Constant(100.0), database_time: 10.0, ..Load::default() });
    assert!((5.0..10.0).contains(&capacity(&world)), "{}", capacity(&world));
    world.set_load_for_ever("f", Load { rate: Rate::Constant(1000.0), database_time: 10.0, ..Load::default() });
    assert_eq!(capacity(&world), 16.0);
}
