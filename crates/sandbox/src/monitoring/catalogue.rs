//! Which metrics there are, and what each follows from.

use crate::account::World;
use crate::load::{FunctionMetric, InstanceMetric, ProxyMetric, ProxyScope, Sample, Traffic, members};

/// A metric of the account.
#[derive(Debug, Clone)]
pub(super) struct Metric {
    pub(super) namespace: &'static str,
    pub(super) name: &'static str,
    /// Names and values, in AWS's order.
    pub(super) dimensions: Vec<(&'static str, String)>,
    pub(super) unit: &'static str,
    source: Source,
}

/// What a metric follows from.
#[derive(Debug, Clone)]
enum Source {
    Function(Option<String>, Option<String>, FunctionMetric),
    Instances(Vec<String>, InstanceMetric),
    Proxy(String, ProxyScope, ProxyMetric),
}

impl Metric {
    /// What it was in a minute.
    pub(super) fn sample(&self, traffic: &Traffic<'_>, minute: usize) -> Option<Sample> {
        match &self.source {
            Source::Function(name, version, metric) => {
                traffic.of_function(name.as_deref(), version.as_deref(), *metric, minute)
            }
            Source::Instances(ids, metric) => {
                ids.iter().filter_map(|id| traffic.of_instance(id, *metric, minute)).reduce(Sample::and)
            }
            Source::Proxy(name, scope, metric) => traffic.of_proxy(name, scope, *metric, minute),
        }
    }
}

/// Every metric of the account, whether anything is known of it or not.
pub(super) fn all(world: &World) -> Vec<Metric> {
    let mut all = Vec::new();
    functions(world, &mut all);
    instances(world, &mut all);
    proxies(world, &mut all);
    all
}

/// <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>
const OF_FUNCTIONS: &[(&str, &str, FunctionMetric)] = &[
    ("ConcurrentExecutions", "Count", FunctionMetric::ConcurrentExecutions),
    ("Duration", "Milliseconds", FunctionMetric::Duration),
    ("Errors", "Count", FunctionMetric::Errors),
    ("Invocations", "Count", FunctionMetric::Invocations),
    ("Throttles", "Count", FunctionMetric::Throttles),
    ("ProvisionedConcurrentExecutions", "Count", FunctionMetric::ProvisionedConcurrentExecutions),
    ("UnreservedConcurrentExecutions", "Count", FunctionMetric::UnreservedConcurrentExecutions),
];

fn functions(world: &World, all: &mut Vec<Metric>) {
    let mut add = |name: Option<&String>, dimensions: Vec<(&'static str, String)>, aliased: bool| {
        for (metric, unit, kind) in OF_FUNCTIONS {
            // Provisioned concurrency belongs to an alias or version, and what is unreserved to the account.
            let fits = match kind {
                FunctionMetric::ProvisionedConcurrentExecutions => name.is_some() && (aliased || dimensions.len() == 1),
                FunctionMetric::UnreservedConcurrentExecutions => name.is_none(),
                _ => true,
            };
            if fits {
                all.push(Metric {
                    namespace: "AWS/Lambda",
                    name: metric,
                    dimensions: dimensions.clone(),
                    unit,
                    source: Source::Function(name.cloned(), None, *kind),
                });
            }
        }
    };
    if !world.loads.functions.is_empty() {
        add(None, Vec::new(), false);
    }
    for name in world.loads.functions.keys() {
        let aliases = world.lambda.functions.get(name).map(|function| function.aliases.keys()).into_iter().flatten();
        let alias = aliases.into_iter().next();
        let resource = alias.map_or_else(|| name.clone(), |alias| format!("{name}:{alias}"));
        add(Some(name), vec![("FunctionName", name.clone())], false);
        add(Some(name), vec![("FunctionName", name.clone()), ("Resource", resource)], alias.is_some());
    }
    versions(world, all);
}

/// Adds what `ExecutedVersion` divides, "to compare error rates for two versions of a function that are both targets of
/// a weighted alias" (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-view.html>).
///
/// It comes with the two other dimensions, as in the alarms of AWS's example
/// (<https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/automating-updates-to-serverless-apps.html>).
fn versions(world: &World, all: &mut Vec<Metric>) {
    let unversioned = |kind: FunctionMetric| {
        matches!(kind, FunctionMetric::ProvisionedConcurrentExecutions | FunctionMetric::UnreservedConcurrentExecutions)
    };
    for name in world.loads.functions.keys() {
        let function = world.lambda.functions.get(name);
        let Some(alias) = function.and_then(|function| function.aliases.keys().next()) else { continue };
        for version in world.loads.versions(name) {
            for (metric, unit, kind) in OF_FUNCTIONS.iter().filter(|(.., kind)| !unversioned(*kind)) {
                all.push(Metric {
                    namespace: "AWS/Lambda",
                    name: metric,
                    dimensions: vec![
                        ("FunctionName", name.clone()),
                        ("Resource", format!("{name}:{alias}")),
                        ("ExecutedVersion", version.to_owned()),
                    ],
                    unit,
                    source: Source::Function(Some(name.clone()), Some(version.to_owned()), *kind),
                });
            }
        }
    }
}

/// <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-metrics.html>,
/// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2.setting-capacity.html>
const OF_INSTANCES: &[(&str, &str, InstanceMetric)] = &[
    ("CPUUtilization", "Percent", InstanceMetric::CpuUtilization),
    ("DatabaseConnections", "Count", InstanceMetric::DatabaseConnections),
    ("ServerlessDatabaseCapacity", "Count", InstanceMetric::ServerlessDatabaseCapacity),
    ("ACUUtilization", "Percent", InstanceMetric::AcuUtilization),
];

fn instances(world: &World, all: &mut Vec<Metric>) {
    let mut add = |dimensions: &[(&'static str, String)], ids: Vec<String>| {
        let serverless = |id: &String| world.rds.instances.get(id).is_some_and(|found| found.class == "db.serverless");
        for (metric, unit, kind) in OF_INSTANCES {
            let of_serverless =
                matches!(kind, InstanceMetric::ServerlessDatabaseCapacity | InstanceMetric::AcuUtilization);
            if !of_serverless || ids.iter().any(serverless) {
                all.push(Metric {
                    namespace: "AWS/RDS",
                    name: metric,
                    dimensions: dimensions.to_vec(),
                    unit,
                    source: Source::Instances(ids.clone(), *kind),
                });
            }
        }
    };
    for id in world.rds.instances.keys() {
        add(&[("DBInstanceIdentifier", id.clone())], vec![id.clone()]);
    }
    for (id, cluster) in &world.rds.clusters {
        let own = ("DBClusterIdentifier", id.clone());
        add(std::slice::from_ref(&own), cluster.members.iter().map(|(member, _)| member.clone()).collect());
        for (role, writer) in [("WRITER", true), ("READER", false)] {
            let of = members(world, id, !writer);
            if cluster.members.iter().any(|(_, is)| *is == writer) {
                add(&[own.clone(), ("Role", role.to_owned())], of.into_iter().map(str::to_owned).collect());
            }
        }
    }
}

/// The dimension sets of a proxy's metrics, 1 to 4 in the table of AWS
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
const CLIENTS: &[u8] = &[1, 2];
const POOL: &[u8] = &[1, 3, 4];

const OF_PROXIES: &[(&str, &str, &[u8], ProxyMetric)] = &[
    ("AvailabilityPercentage", "Percent", &[4], ProxyMetric::AvailabilityPercentage),
    ("ClientConnections", "Count", CLIENTS, ProxyMetric::ClientConnections),
    ("ClientConnectionsClosed", "Count", CLIENTS, ProxyMetric::ClientConnectionsClosed),
    ("ClientConnectionsNoTLS", "Count", CLIENTS, ProxyMetric::ClientConnectionsNoTls),
    ("ClientConnectionsReceived", "Count", CLIENTS, ProxyMetric::ClientConnectionsReceived),
    ("ClientConnectionsSetupFailedAuth", "Count", CLIENTS, ProxyMetric::ClientConnectionsSetupFailedAuth),
    ("ClientConnectionsSetupSucceeded", "Count", CLIENTS, ProxyMetric::ClientConnectionsSetupSucceeded),
    ("ClientConnectionsTLS", "Count", CLIENTS, ProxyMetric::ClientConnectionsTls),
    ("DatabaseConnectionRequests", "Count", POOL, ProxyMetric::DatabaseConnectionRequests),
    ("DatabaseConnectionRequestsWithTLS", "Count", POOL, ProxyMetric::DatabaseConnectionRequestsWithTls),
    ("DatabaseConnections", "Count", POOL, ProxyMetric::DatabaseConnections),
    ("DatabaseConnectionsBorrowLatency", "Microseconds", CLIENTS, ProxyMetric::DatabaseConnectionsBorrowLatency),
    ("DatabaseConnectionsCurrentlyBorrowed", "Count", POOL, ProxyMetric::DatabaseConnectionsCurrentlyBorrowed),
    (
        "DatabaseConnectionsCurrentlyInTransaction",
        "Count",
        POOL,
        ProxyMetric::DatabaseConnectionsCurrentlyInTransaction,
    ),
    (
        "DatabaseConnectionsCurrentlySessionPinned",
        "Count",
        POOL,
        ProxyMetric::DatabaseConnectionsCurrentlySessionPinned,
    ),
    ("DatabaseConnectionsSetupFailed", "Count", POOL, ProxyMetric::DatabaseConnectionsSetupFailed),
    ("DatabaseConnectionsSetupSucceeded", "Count", POOL, ProxyMetric::DatabaseConnectionsSetupSucceeded),
    ("DatabaseConnectionsWithTLS", "Count", POOL, ProxyMetric::DatabaseConnections),
    ("MaxDatabaseConnectionsAllowed", "Count", POOL, ProxyMetric::MaxDatabaseConnectionsAllowed),
    ("QueryDatabaseResponseLatency", "Microseconds", &[1, 2, 3, 4], ProxyMetric::QueryDatabaseResponseLatency),
    ("QueryRequests", "Count", CLIENTS, ProxyMetric::QueryRequests),
    ("QueryResponseLatency", "Microseconds", CLIENTS, ProxyMetric::QueryResponseLatency),
];

/// Values of the dimensions as they were seen on an account: `TargetGroup` `default`, `Target` `db:NAME`, and
/// `TargetRole` `READWRITE` and `READ_ONLY`, the latter also where there is no reader
/// (yet-another-cloudwatch-exporter#1501). AWS's pages spell the former `READ_WRITE` in one place, so the account has a
/// switch (`Monitoring::writer_role`).
fn proxies(world: &World, all: &mut Vec<Metric>) {
    let writer = world.monitoring.writer_role.as_deref().unwrap_or("READWRITE");
    for (name, proxy) in &world.rds.proxies {
        let own = ("ProxyName", name.clone());
        let group = ("TargetGroup", "default".to_owned());
        let endpoints =
            world.rds.endpoints.iter().filter(|(_, endpoint)| endpoint.proxy == *name).map(|(name, _)| name);
        let endpoints: Vec<String> = std::iter::once("default".to_owned()).chain(endpoints.cloned()).collect();
        let targets: Vec<String> = match &proxy.target_group.target {
            Some(target) if target.cluster => {
                let cluster = world.rds.clusters.get(&target.id);
                cluster.map(|cluster| cluster.members.iter().map(|(id, _)| id.clone()).collect()).unwrap_or_default()
            }
            Some(target) => vec![target.id.clone()],
            None => Vec::new(),
        };
        for (metric, unit, sets, kind) in OF_PROXIES {
            let mut add = |dimensions: Vec<(&'static str, String)>, scope: ProxyScope| {
                let source = Source::Proxy(name.clone(), scope, *kind);
                all.push(Metric { namespace: "AWS/RDS", name: metric, dimensions, unit, source });
            };
            for set in *sets {
                match set {
                    1 => add(vec![own.clone()], ProxyScope::Proxy),
                    2 => {
                        for endpoint in &endpoints {
                            let dimensions = vec![own.clone(), ("EndpointName", endpoint.clone())];
                            add(dimensions, ProxyScope::Endpoint(endpoint.clone()));
                        }
                    }
                    3 => {
                        for target in &targets {
                            let dimensions = vec![own.clone(), ("Target", format!("db:{target}")), group.clone()];
                            add(dimensions, ProxyScope::Target(target.clone()));
                        }
                    }
                    _ => {
                        for (role, readers) in [(writer, false), ("READ_ONLY", true)] {
                            let dimensions = vec![own.clone(), group.clone(), ("TargetRole", role.to_owned())];
                            add(dimensions, ProxyScope::Role { readers });
                        }
                    }
                }
            }
        }
    }
}
