//! The metrics that are asked for, and what their series are.

use std::time::Duration;

use screen::{Point, Proxy, Series};

use crate::cloud::metrics::{self, Query};
use crate::cloud::rds::EngineFamily;

const MINUTE: Duration = Duration::from_mins(1);

/// The metrics of a proxy, with both spellings of its role.
pub(super) const OF_PROXY: usize = SUMS.len() + 1 + ROLES.len();

/// The metrics of one function.
pub(super) const OF_FUNCTION: usize = 2;

/// Each node of a proxy sends its own figures, and AWS names the sum as what is useful of these
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
const SUMS: [&str; 8] = [
    "ClientConnections",
    "DatabaseConnections",
    "MaxDatabaseConnectionsAllowed",
    "DatabaseConnectionsCurrentlyBorrowed",
    "DatabaseConnectionsCurrentlySessionPinned",
    "ClientConnectionsSetupFailedAuth",
    "DatabaseConnectionsSetupFailed",
    "QueryRequests",
];

/// How the role of the writer is spelled as a dimension: as on accounts (yet-another-cloudwatch-exporter#1501), and as
/// RDS's own pages have it. Both are asked for until one has data.
const ROLES: [&str; 2] = ["READWRITE", "READ_WRITE"];

/// What is asked for, in the order of [`Read::of`].
pub(super) fn queries(proxy: &str, role: Option<&'static str>, functions: &[&str]) -> Vec<Query> {
    let own = || ("ProxyName", proxy.to_owned());
    let one =
        |metric, statistic, dimensions| Query { namespace: "AWS/RDS", metric, dimensions, statistic, period: MINUTE };
    let mut all: Vec<Query> = SUMS.map(|metric| one(metric, "Sum", vec![own()])).to_vec();
    all.push(one("DatabaseConnectionsBorrowLatency", "Average", vec![own()]));
    for spelling in spellings(role) {
        let of_role = vec![own(), ("TargetGroup", "default".to_owned()), ("TargetRole", spelling.to_owned())];
        all.push(one("AvailabilityPercentage", "Average", of_role));
    }
    let lambda = |metric, name: &str| Query {
        namespace: "AWS/Lambda",
        metric,
        dimensions: vec![("FunctionName", name.to_owned())],
        statistic: "Sum",
        period: MINUTE,
    };
    all.extend(functions.iter().flat_map(|name| [lambda("Invocations", name), lambda("Errors", name)]));
    all
}

fn spellings(role: Option<&'static str>) -> Vec<&'static str> {
    role.map_or_else(|| ROLES.to_vec(), |role| vec![role])
}

/// What was read.
pub(super) struct Read {
    pub(super) proxy: Proxy,
    /// How the role is spelled, where data show it.
    pub(super) role: Option<&'static str>,
    /// Invocations and errors of each function.
    pub(super) functions: Vec<(Series, Series)>,
}

impl Read {
    /// Takes the series of [`queries`].
    pub(super) fn of(all: Vec<metrics::Series>, role: Option<&'static str>, family: EngineFamily) -> Self {
        let mut all = all.into_iter().map(series);
        // As many come back as were asked for.
        let mut next = || all.next().unwrap_or_else(|| Series::Unread("CloudWatch did not answer for it".to_owned()));
        let [clients, connections, allowed, borrowed, pinned, refused, failed, queries] = SUMS.map(|_| next());
        let wait = next();
        let mut available = Series::Read(Vec::new());
        let mut spelled = None;
        for spelling in spellings(role) {
            let found = next();
            if spelled.is_none() && (role.is_some() || !found.points().is_empty()) {
                spelled = Some(spelling);
                available = found;
            }
        }
        // <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>
        let queries = match (&queries, family) {
            (Series::Read(points), EngineFamily::PostgreSql) if points.is_empty() => {
                Series::Unread("RDS Proxy does not count those of PostgreSQL's extended protocol".to_owned())
            }
            _ => queries,
        };
        let proxy =
            Proxy { clients, connections, allowed, borrowed, pinned, wait, refused, failed, queries, available };
        let rest: Vec<Series> = all.collect();
        let functions = rest.chunks(OF_FUNCTION).filter_map(|pair| match pair {
            [invocations, errors] => Some((invocations.clone(), errors.clone())),
            _ => None,
        });
        Self { proxy, role: spelled, functions: functions.collect() }
    }
}

/// The metrics of a function, unread for one reason.
pub(super) fn unread(why: &str) -> (Series, Series) {
    (Series::Unread(why.to_owned()), Series::Unread(why.to_owned()))
}

fn series(read: metrics::Series) -> Series {
    Series::Read(read.0.into_iter().map(|point| Point { at: point.at, value: point.value }).collect())
}
