//! What holds for all facts: any number, any gap.

use advice::cost::Prices;
use advice::engine::Engine;
use advice::facts::{
    Account, Assumptions, Database, EventSource, Facts, Function, Instance, LargerClass, Parameter, Proxy, Serverless,
    Source,
};
use advice::figure::{Fact, Gap, Origin, Room};
use advice::verdict::{Kind, Need, Place};
use advice::{Advice, advise};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use crate::facts::{self, unknown};

/// Mostly small, sometimes anything.
fn number() -> BoxedStrategy<u64> {
    prop_oneof![Just(0), 1u64..20, 1u64..2000, 1u64..1_000_000, any::<u64>(), Just(u64::MAX)].boxed()
}

fn small() -> BoxedStrategy<u64> {
    prop_oneof![Just(0), 1u64..20, 1u64..2000].boxed()
}

fn fact<T: std::fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Fact<T>> {
    let origins = prop::sample::select(vec![Origin::Measured, Origin::Configured, Origin::Stated]);
    // Nothing is generated twice: either the value, or the gap.
    (value, 0u8..8, origins).prop_map(|(value, gap, origin)| {
        if gap == 0 { Fact::unknown("no right to read it") } else { Fact::known(value, origin, "read") }
    })
}

fn engine() -> impl Strategy<Value = Engine> {
    prop::sample::select(vec![
        Engine::Mysql,
        Engine::Mariadb,
        Engine::Postgresql,
        Engine::AuroraMysql,
        Engine::AuroraPostgresql,
        Engine::SqlServer,
        Engine::Other("oracle-ee".into()),
    ])
}

fn source(n: BoxedStrategy<u64>) -> impl Strategy<Value = Source> {
    prop_oneof![
        option::of(n.clone()).prop_map(|maximum_concurrency| Source::Sqs { maximum_concurrency }),
        (fact(n.clone()), n.clone()).prop_map(|(shards, parallelization)| Source::Stream { shards, parallelization }),
        fact(n).prop_map(|partitions| Source::Kafka { partitions }),
        Just(Source::Other { service: "mq".into() }),
    ]
}

fn function(n: BoxedStrategy<u64>) -> impl Strategy<Value = Function> {
    let sources = vec(source(n.clone()).prop_map(|source| EventSource { uuid: "uuid".into(), source }), 0..3);
    (
        (
            fact(option::of(n.clone())),
            fact(n.clone()),
            fact(sources),
            fact(any::<bool>()),
            option::of(fact(n.clone())),
            option::of(n.clone()),
            fact(n.clone()),
            fact(n.clone()),
            fact(n.clone()),
        ),
        (
            fact(n.clone()),
            n.clone(),
            fact(n.clone()),
            fact(n.clone()),
            fact(n.clone()),
            fact(n.clone()),
            option::of(n.clone()),
            fact(n.clone()),
            any::<bool>(),
        ),
        (fact(n.clone()), fact(n.clone()), fact(n), any::<bool>()),
    )
        .prop_map(|(one, other, last)| Function {
            name: "f".into(),
            reserved: one.0,
            provisioned: one.1,
            sources: one.2,
            other_invokers: one.3,
            stated_concurrency: one.4,
            per_environment: one.5,
            peak_concurrency: one.6,
            peak_invocations_per_minute: one.7,
            sustained_invocations_per_minute: one.8,
            duration_ms: other.0,
            timeout_seconds: other.1,
            throttles_per_minute: other.2,
            errors_per_minute: last.0,
            cold_starts_per_minute: other.3,
            connections_per_environment: other.4,
            borrow_us: other.5,
            borrow_variation_percent: other.6,
            pinned_percent: other.7,
            iam_login: other.8,
            invocations: last.1,
            memory_mib: last.2,
            arm: last.3,
        })
}

fn database(n: BoxedStrategy<u64>) -> impl Strategy<Value = Database> {
    let class = prop::sample::select(vec!["db.t3.medium", "db.r5.large", "db.serverless", "db.m5.4xlarge", "", "x"]);
    let instance = (class, fact(n.clone()), fact(n.clone())).prop_map(|(class, vcpus, memory_bytes)| Instance {
        name: "i".into(),
        class: class.into(),
        vcpus,
        memory_bytes,
    });
    let serverless =
        (n.clone(), n.clone(), option::of(n.clone())).prop_map(|(min_half_acus, max_half_acus, average)| Serverless {
            min_half_acus,
            max_half_acus,
            average_half_acus: average,
        });
    let text = option::of(prop_oneof![
        n.clone().prop_map(|number| number.to_string()),
        Just("{DBInstanceClassMemory/12582880}".to_owned()),
        Just("LEAST({DBInstanceVCPU*100},16000)".to_owned()),
        ".{0,20}".prop_map(String::from),
    ]);
    let parameter = (text, any::<bool>()).prop_map(|(text, pending_reboot)| Parameter {
        text,
        group: "group".into(),
        pending_reboot,
    });
    let larger = (n.clone(), n.clone(), fact(n.clone())).prop_map(|(memory_bytes, vcpus, more_monthly_cents)| {
        LargerClass { class: "db.larger".into(), memory_bytes, vcpus, more_monthly_cents }
    });
    (
        (engine(), "[0-9.]{0,6}", vec(instance, 0..4), option::of(serverless), fact(parameter)),
        (
            fact(option::of(n.clone())),
            fact(option::of(n.clone())),
            fact(n.clone()),
            fact(n.clone()),
            fact(any::<bool>()),
            option::of(n.clone()),
            option::of(n.clone()),
            fact(n),
            fact(vec(larger, 0..3)),
            fact(any::<bool>()),
        ),
    )
        .prop_map(|(one, other)| Database {
            name: "db".into(),
            engine: one.0,
            engine_version: one.1,
            instances: one.2,
            serverless: one.3,
            parameter: one.4,
            superuser_reserved: other.0,
            rds_reserved: other.1,
            measured_connections: other.2,
            other_connections: other.3,
            fails_over: other.4,
            allocated_storage_bytes: other.5,
            port: other.6,
            monthly_cents: other.7,
            larger_classes: other.8,
            data_api: other.9,
        })
}

fn any_facts(n: BoxedStrategy<u64>) -> impl Strategy<Value = Facts> {
    let account =
        (fact(n.clone()), fact(n.clone()), fact(n.clone()), fact(n.clone()), fact(n.clone()), fact(n.clone()))
            .prop_map(|(concurrency, unreserved_concurrency, proxies_quota, proxies, secrets, extra_endpoints)| {
                Account { concurrency, unreserved_concurrency, proxies_quota, proxies, secrets, extra_endpoints }
            });
    let proxy = (fact(n.clone()), fact(n.clone()), fact(n.clone()), fact(n.clone()), fact(n.clone())).prop_map(
        |(max_connections_percent, connections_allowed, peak_borrowed, pinned_percent, borrow_latency_us)| Proxy {
            name: "proxy".into(),
            max_connections_percent,
            connections_allowed,
            peak_borrowed,
            pinned_percent,
            borrow_latency_us,
        },
    );
    let lambda = (fact(n.clone()), fact(n.clone()), fact(n.clone()));
    let prices =
        (fact(n.clone()), fact(n.clone()), fact(n.clone()), fact(n.clone()), fact(n.clone()), n.clone(), lambda)
            .prop_map(|(vcpu_hour, acu_hour, endpoint_zone_hour, log_gigabyte, log_bytes, endpoint_zones, lambda)| {
                Prices {
                    vcpu_hour,
                    acu_hour,
                    endpoint_zone_hour,
                    log_gigabyte,
                    log_bytes,
                    endpoint_zones,
                    million_requests: lambda.0,
                    million_gigabyte_seconds: lambda.1,
                    million_gigabyte_seconds_arm: lambda.2,
                }
            });
    let factors = (n.clone(), n.clone(), n.clone(), n.clone(), n.clone(), n.clone(), 0u8..4).prop_map(
        |(lingering, overshoot, headroom, usable, pooled, wait, ours)| {
            let mut assumptions = Assumptions::default();
            if ours == 0 {
                assumptions.lingering.percent = lingering;
                assumptions.sqs_overshoot.percent = overshoot;
                assumptions.headroom.percent = headroom;
                assumptions.usable.percent = usable;
                assumptions.pooled_per_vcpu.percent = pooled;
                assumptions.wait_target_us = wait;
            }
            assumptions
        },
    );
    (database(n.clone()), vec(function(n.clone()), 0..4), account, option::of(proxy), prices, factors, n).prop_map(
        |(database, functions, account, proxy, prices, assumptions, days)| Facts {
            region: "eu-central-1".into(),
            database,
            functions: functions
                .into_iter()
                .enumerate()
                .map(|(at, function)| Function { name: format!("f{at}"), ..function })
                .collect(),
            account,
            proxy,
            prices,
            days,
            assumptions,
            gaps: vec![Gap::new(Room::Cost, "something", "for some reason")],
        },
    )
}

/// Facts of a likely account, where nothing is missing: here the answer turns on the numbers.
fn likely() -> impl Strategy<Value = Facts> {
    let function = (0u64..300, 0u64..4000, 1u64..2000, 1u64..4, 0u64..20, 0u8..6, 2u64..200).prop_map(
        |(peak, invocations, duration, each, provisioned, invoker, concurrency)| {
            let mut function = match invoker {
                0 => facts::from_queue("f", Some(concurrency)),
                1 | 2 => facts::from_queue("f", None),
                3 => facts::stated("f", concurrency),
                _ => facts::function("f"),
            };
            if invoker == 5 {
                function.reserved = facts::known(Some(concurrency));
            }
            function.peak_concurrency = facts::known(peak);
            function.sustained_invocations_per_minute = facts::known(invocations);
            function.duration_ms = facts::known(duration);
            function.connections_per_environment = facts::known(each);
            function.provisioned = facts::known(provisioned);
            function
        },
    );
    (50u64..5000, 0u64..100, vec(function, 1..5)).prop_map(|(max_connections, others, functions)| {
        let mut database = facts::database(Engine::Mysql, "db.t3.medium", 2, 4);
        let text = Some(max_connections.to_string());
        database.parameter = facts::known(Parameter { text, group: "own".into(), pending_reboot: false });
        database.other_connections = facts::known(others);
        let functions = functions.into_iter().enumerate();
        let functions = functions.map(|(at, function)| Function { name: format!("f{at}"), ..function }).collect();
        facts::facts(database, functions)
    })
}

/// A change that can only mean more connections.
fn more(facts: &mut Facts, which: u8, by: u64) {
    let Some(function) = facts.functions.first_mut() else { return };
    let grow = |fact: &mut Fact<u64>| {
        if let Fact::Known { value, .. } = fact {
            *value = value.saturating_add(by);
        }
    };
    match which {
        0 => grow(&mut function.peak_concurrency),
        1 => grow(&mut function.sustained_invocations_per_minute),
        2 => grow(&mut function.duration_ms),
        3 => grow(&mut function.connections_per_environment),
        4 => grow(&mut function.provisioned),
        5 => grow(&mut facts.database.other_connections),
        6 => {
            let one_more = Function { name: "one-more".into(), ..function.clone() };
            facts.functions.push(one_more);
        }
        _ => {
            if let Fact::Known { value, .. } = &mut function.sources {
                for mapping in value {
                    if let Source::Sqs { maximum_concurrency: Some(most) } = &mut mapping.source {
                        *most = most.saturating_add(by);
                    }
                }
            }
        }
    }
}

/// Every fact that could not be read, one at a time.
fn forget(facts: &mut Facts, which: u8) {
    if let Some(function) = facts.functions.first_mut() {
        match which {
            0 => function.provisioned = unknown(),
            1 => function.connections_per_environment = unknown(),
            2 => function.reserved = unknown(),
            3 => function.sources = unknown(),
            4 => function.other_invokers = unknown(),
            5 => function.peak_concurrency = unknown(),
            _ => {}
        }
    }
    match which {
        6 => facts.database.parameter = unknown(),
        7 => facts.database.other_connections = unknown(),
        8 => facts.database.superuser_reserved = unknown(),
        9 => facts.account.concurrency = unknown(),
        10 => facts.account.unreserved_concurrency = unknown(),
        11 => {
            for instance in &mut facts.database.instances {
                instance.memory_bytes = unknown();
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_facts_have_advice_within_the_ranges_of_aws(facts in any_facts(number())) {
        let advice = advise(&facts);
        let settings = &advice.settings;
        let max = settings.max_connections_percent.value;
        prop_assert!((1..=100).contains(&max));
        prop_assert!(settings.max_idle_connections_percent.value <= max);
        prop_assert!((60..=28_800).contains(&settings.idle_client_timeout_seconds.value));
        prop_assert!((1..=300).contains(&settings.connection_borrow_timeout_seconds.value));
        for limit in &advice.verdict.limits {
            let least = if matches!(limit.place, Place::SqsMaximumConcurrency { .. }) { 2 } else { 1 };
            prop_assert!(limit.value >= least, "{limit:?}");
        }
        prop_assert_eq!(advice.verdict.kind == Kind::NotNeededIfLimited, !advice.verdict.limits.is_empty());
        prop_assert!(!advice.verdict.sentence.is_empty());
        for reason in &advice.verdict.reasons {
            prop_assert!(!reason.to_string().is_empty());
        }
        for change in &advice.verdict.changes {
            prop_assert!(!change.to_string().is_empty());
        }
    }

    #[test]
    fn json_loses_nothing(facts in any_facts(number())) {
        let text = serde_json::to_string(&facts)?;
        prop_assert_eq!(&serde_json::from_str::<Facts>(&text)?, &facts);
        let advice = advise(&facts);
        let text = serde_json::to_string(&advice)?;
        prop_assert_eq!(serde_json::from_str::<Advice>(&text)?, advice);
    }

    /// Connections that no function explains are left out: once one does, limiting that function may be enough.
    #[test]
    fn more_demand_never_needs_less(facts in prop_oneof![likely(), any_facts(small())], which in 0u8..8, by in 1u64..500) {
        let mut before = facts;
        before.database.measured_connections = unknown();
        let mut after = before.clone();
        more(&mut after, which, by);
        let (before, after) = (advise(&before).verdict, advise(&after).verdict);
        prop_assert!(after.need >= before.need, "{:?}\nbecomes\n{:?}", before, after);
    }

    #[test]
    fn what_is_unknown_never_makes_it_unneeded(facts in prop_oneof![likely(), any_facts(small())], which in 0u8..12) {
        let mut without = facts.clone();
        forget(&mut without, which);
        if advise(&without).verdict.need == Need::Nothing {
            prop_assert_eq!(advise(&facts).verdict.need, Need::Nothing);
        }
    }

    /// The peak and the limit of an answer that nothing is needed are known, and the one is within the other.
    #[test]
    fn not_needed_is_proven(facts in any_facts(number())) {
        let verdict = advise(&facts).verdict;
        if verdict.need == Need::Nothing {
            let (peak, limit) = (verdict.peak.amount.high(), verdict.limit.amount.low());
            prop_assert!(peak.is_some() && limit.is_some() && peak <= limit, "{verdict:?}");
        }
    }

    #[test]
    fn cost_grows_with_vcpus(facts in any_facts(small()), by in 1u64..200) {
        let mut larger = facts.clone();
        for instance in &mut larger.database.instances {
            if let Fact::Known { value, .. } = &mut instance.vcpus {
                *value += by;
            }
        }
        let (before, after) = (advise(&facts).cost.monthly_cents.amount, advise(&larger).cost.monthly_cents.amount);
        prop_assert!(after.low() >= before.low());
        prop_assert!(after.high() >= before.high());
    }

    /// Limits that are set as advised are enough: nothing is needed after.
    #[test]
    fn the_limits_are_enough(facts in likely()) {
        let mut limited = facts;
        limited.database.measured_connections = unknown();
        let verdict = advise(&limited).verdict;
        prop_assume!(!verdict.limits.is_empty());
        for limit in &verdict.limits {
            let function = limited.functions.iter_mut().find(|function| function.name == limit.function).unwrap();
            match &limit.place {
                Place::ReservedConcurrency => {
                    function.reserved = Fact::known(Some(limit.value), Origin::Configured, "as advised");
                }
                Place::SqsMaximumConcurrency { .. } => {
                    let Fact::Known { value, .. } = &mut function.sources else { panic!("a queue was read") };
                    value[0].source = Source::Sqs { maximum_concurrency: Some(limit.value) };
                }
            }
        }
        let after = advise(&limited).verdict;
        prop_assert_eq!(after.need, Need::Nothing, "{:?}\nbecomes\n{:?}", verdict, after);
    }
}
