//! What is said of each metric, whatever it is drawn with.

use crate::reading::{Now, Reading, Series};
use crate::text::{count, latency, percent};

/// The share of the allowed connections from which on a proxy's pool is nearly used up: AWS advises to keep 30 % in
/// reserve (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connections.html>).
const NEARLY_ALL: f64 = 70.0;

/// One metric.
pub(crate) struct Row<'a> {
    /// What it is called.
    pub(crate) label: &'static str,
    /// What a narrow column calls it, and JSON.
    pub(crate) key: &'static str,
    /// What it is now, or why that is unknown.
    pub(crate) value: Result<String, String>,
    /// What stands beside the value.
    pub(crate) beside: String,
    /// Whether a person should look at it.
    pub(crate) wrong: bool,
    /// Its history.
    pub(crate) series: &'a Series,
    /// What its history is drawn against; its own highest point otherwise.
    pub(crate) ceiling: Option<f64>,
}

/// How a number is written.
type Written = fn(f64) -> String;

/// The proxy's metrics in the order in which they are shown.
pub(crate) fn rows(reading: &Reading) -> Vec<Row<'_>> {
    let (metrics, newest) = (&reading.metrics, reading.newest());
    let row = |label, key, series, written: Written| {
        let value = match Series::now(series, newest) {
            Now::Known(point) => Ok(written(point.value)),
            Now::Unknown(why) => Err(why),
        };
        Row { label, key, value, beside: String::new(), wrong: false, series, ceiling: None }
    };
    let above = |series: &Series, least: f64| matches!(series.now(newest), Now::Known(point) if point.value > least);
    let share = |of: &Series, all: &Series| share(of, all, newest);
    let used = share(&metrics.connections, &metrics.allowed);
    let pinned = share(&metrics.pinned, &metrics.connections);
    let mut database = row("Database connections", "database_connections", &metrics.connections, count);
    database.beside = match (metrics.allowed.now(newest), used) {
        (Now::Known(allowed), Some(used)) => format!("of {} allowed, {}", count(allowed.value), percent(used)),
        (Now::Known(allowed), None) => format!("of {} allowed", count(allowed.value)),
        (Now::Unknown(_), _) => "of an unknown number".to_owned(),
    };
    database.wrong = used.is_some_and(|used| used >= NEARLY_ALL);
    let mut held = row("  pinned", "pinned", &metrics.pinned, count);
    held.beside = pinned.map(|share| format!("{} of them", percent(share))).unwrap_or_default();
    let mut wait = row("Wait for a connection", "wait_microseconds", &metrics.wait, latency);
    wait.beside.push_str("in the mean");
    let mut refused = row("Log-ins refused", "logins_refused", &metrics.refused, count);
    refused.wrong = above(&metrics.refused, 0.0);
    let mut failed = row("Database log-ins failed", "database_logins_failed", &metrics.failed, count);
    failed.wrong = above(&metrics.failed, 0.0);
    let mut available = row("Availability", "availability_percent", &metrics.available, percent);
    available.wrong = matches!(metrics.available.now(newest), Now::Known(point) if point.value < 100.0);
    available.ceiling = Some(100.0);
    vec![
        row("Client connections", "client_connections", &metrics.clients, count),
        database,
        row("  borrowed", "borrowed", &metrics.borrowed, count),
        held,
        wait,
        refused,
        failed,
        row("Queries", "queries", &metrics.queries, count),
        available,
    ]
}

/// The percentage that one metric is of another in the same minute.
pub(crate) fn share(of: &Series, all: &Series, newest: Option<i64>) -> Option<f64> {
    let Now::Known(point) = of.now(newest) else { return None };
    let whole = all.at(point.at).filter(|whole| *whole > 0.0)?;
    Some(point.value / whole * 100.0)
}

/// The sum of what functions did in their newest minute, where any is known, and how many are not.
pub(crate) fn sum<'a>(all: impl Iterator<Item = &'a Series>, newest: Option<i64>) -> (Option<f64>, usize) {
    let (mut sum, mut unknown) = (None, 0);
    for series in all {
        match series.now(newest) {
            Now::Known(point) => sum = Some(sum.unwrap_or(0.0) + point.value),
            Now::Unknown(_) => unknown += 1,
        }
    }
    (sum, unknown)
}
