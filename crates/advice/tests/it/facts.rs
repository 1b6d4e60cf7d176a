//! Facts to start from.

use advice::cost::Prices;
use advice::engine::Engine;
use advice::facts::{Account, Assumptions, Database, EventSource, Facts, Function, Instance, Parameter, Source};
use advice::figure::{Fact, Origin};

pub(crate) const GIB: u64 = 1 << 30;

pub(crate) fn known<T>(value: T) -> Fact<T> {
    Fact::known(value, Origin::Configured, "the test")
}

pub(crate) fn unknown<T>() -> Fact<T> {
    Fact::unknown("no right to read it")
}

/// An instance with the default parameter group and no other clients.
pub(crate) fn database(engine: Engine, class: &str, vcpus: u64, memory_gib: u64) -> Database {
    Database {
        name: "orders".into(),
        engine,
        engine_version: "8.0.36".into(),
        instances: vec![Instance {
            name: "orders".into(),
            class: class.into(),
            vcpus: known(vcpus),
            memory_bytes: known(memory_gib * GIB),
        }],
        serverless: None,
        parameter: known(Parameter { text: None, group: "default.mysql8.0".into(), pending_reboot: false }),
        superuser_reserved: known(None),
        rds_reserved: known(None),
        measured_connections: unknown(),
        other_connections: known(0),
        fails_over: known(false),
        allocated_storage_bytes: Some(20 * GIB),
        port: Some(3306),
        monthly_cents: unknown(),
        larger_classes: known(Vec::new()),
        data_api: known(false),
    }
}

/// A function that nothing limits, with one connection for each environment and no metrics.
pub(crate) fn function(name: &str) -> Function {
    Function {
        name: name.into(),
        reserved: known(None),
        provisioned: known(0),
        sources: known(Vec::new()),
        other_invokers: known(true),
        stated_concurrency: None,
        per_environment: None,
        peak_concurrency: unknown(),
        peak_invocations_per_minute: unknown(),
        sustained_invocations_per_minute: unknown(),
        duration_ms: unknown(),
        invocations: unknown(),
        memory_mib: known(1024),
        arm: false,
        timeout_seconds: 30,
        throttles_per_minute: unknown(),
        errors_per_minute: unknown(),
        cold_starts_per_minute: unknown(),
        connections_per_environment: known(1),
        borrow_us: unknown(),
        borrow_variation_percent: None,
        pinned_percent: known(0),
        iam_login: false,
    }
}

/// A function that a queue alone invokes.
pub(crate) fn from_queue(name: &str, maximum_concurrency: Option<u64>) -> Function {
    Function {
        sources: known(vec![EventSource {
            uuid: format!("{name}-mapping"),
            source: Source::Sqs { maximum_concurrency },
        }]),
        other_invokers: known(false),
        ..function(name)
    }
}

/// A function whose caller starts so many at once.
pub(crate) fn stated(name: &str, concurrency: u64) -> Function {
    Function { stated_concurrency: Some(known(concurrency)), ..function(name) }
}

pub(crate) fn facts(database: Database, functions: Vec<Function>) -> Facts {
    Facts {
        region: "us-east-1".into(),
        database,
        functions,
        account: Account {
            concurrency: known(1000),
            unreserved_concurrency: known(1000),
            proxies_quota: unknown(),
            proxies: known(0),
            secrets: known(1),
            extra_endpoints: known(0),
        },
        proxy: None,
        prices: Prices {
            vcpu_hour: known(15_000),
            acu_hour: known(15_000),
            endpoint_zone_hour: known(10_000),
            log_gigabyte: known(500_000),
            log_bytes: known(0),
            endpoint_zones: 2,
            million_requests: known(200_000),
            million_gigabyte_seconds: known(16_666_700),
            million_gigabyte_seconds_arm: known(13_333_400),
        },
        days: 14,
        assumptions: Assumptions::default(),
        gaps: Vec::new(),
    }
}
