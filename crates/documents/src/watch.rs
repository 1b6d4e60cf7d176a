//! What `watch` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// One reading of a proxy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Watch {
    /// The version of this document.
    pub schema: Version,
    /// The reading.
    pub reading: Reading,
    /// The commands that go on from here.
    pub next: Vec<String>,
}

/// One reading of a proxy, on a line of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WatchLine {
    /// The version of this line.
    pub schema: Version,
    /// The reading.
    pub reading: Reading,
}

/// What was read of a proxy at one moment; what is unknown is null.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// The Region.
    pub region: String,
    /// When it was read.
    #[schemars(extend("format" = "date-time"))]
    pub read_at: String,
    /// When the newest minute of all metrics began.
    #[schemars(extend("format" = "date-time"))]
    pub newest_minute: Option<String>,
    /// How many seconds ago that was.
    pub age_seconds: Option<i64>,
    /// The proxy's metrics.
    pub metrics: Metrics,
    /// The connections to the database in percent of those that are allowed.
    pub allowed_used_percent: Option<f64>,
    /// The pinned connections in percent of those to the database.
    pub pinned_percent: Option<f64>,
    /// The databases behind the proxy.
    pub targets: Option<Vec<Target>>,
    /// Why the targets are unknown; else null.
    pub targets_unknown: Option<String>,
    /// The functions that use the proxy or its database.
    pub functions: Option<Vec<Function>>,
    /// Why the functions are unknown; else null.
    pub functions_unknown: Option<String>,
    /// How many functions were left out, since one call reads only so many metrics.
    pub functions_left_out: u64,
    /// Of how many functions AWS does not show the variables, so that it is unknown whether they use the proxy.
    pub functions_hidden: u64,
}

/// The metrics of a proxy in their newest minute.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// Connections of clients.
    pub client_connections: Worth,
    /// Connections to the database.
    pub database_connections: Worth,
    /// How many connections to the database are allowed.
    pub database_connections_allowed: Worth,
    /// Connections to the database that clients hold.
    pub borrowed: Worth,
    /// Connections to the database that a session has pinned.
    pub pinned: Worth,
    /// How long clients waited for a connection, in the mean.
    pub wait_microseconds: Worth,
    /// Log-ins of clients that the proxy refused.
    pub logins_refused: Worth,
    /// Connections to the database that could not be set up.
    pub database_logins_failed: Worth,
    /// Queries.
    pub queries: Worth,
    /// The percentage of health checks of the writer that succeeded.
    pub availability_percent: Worth,
}

/// What a metric is now, or why that is unknown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Worth {
    /// The value.
    pub value: Option<f64>,
    /// The minute that it is of.
    #[schemars(extend("format" = "date-time"))]
    pub minute: Option<String>,
    /// Why it is unknown; else null.
    pub unknown: Option<String>,
}

/// A database behind the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Target {
    /// The instance.
    pub id: String,
    /// What it is used for, as RDS names it.
    pub role: Option<String>,
    /// Its state, as RDS names it.
    pub state: Option<String>,
    /// Why it is not available, as RDS names it.
    pub reason: Option<String>,
    /// Whether it is available.
    pub available: bool,
}

/// A function that uses the proxy or its database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Where its variables point.
    pub points_at: Side,
    /// Its invocations in the newest minute.
    pub invocations: Worth,
    /// Those that ended with an error.
    pub errors: Worth,
    /// Errors of the last hour.
    pub errors_last_hour: Option<f64>,
}

/// Where the variables of a function point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// At the proxy alone.
    Proxy,
    /// At the database alone.
    Database,
    /// At both.
    Both,
    /// At neither: the function was named.
    Neither,
    /// Not known: AWS does not show them, and the function was named.
    Unknown,
}
