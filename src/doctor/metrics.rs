//! What CloudWatch has of the proxy: shares, waits, refusals and failures of the last hour, and the target's health of
//! the last day.
//!
//! The metrics are AWS's (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>). Some are sent only
//! when there is something to count, so a series without points is none only where others show that the proxy sends at
//! all.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use observe::alarms::Kind;

use super::facts::{Facts, Known, known};
use super::{Check, CheckResult, Finding, log};
use crate::catalogue::checks::{CheckId, Severity};
use crate::cloud::Cloud;
use crate::cloud::metrics::{Query, Series};

pub(super) const CHECKS: &[(CheckId, Check)] = &[
    (CheckId::Pinning, pinning),
    (CheckId::RefusedLogIns, refused),
    (CheckId::BorrowWaits, waits),
    (CheckId::FailedSetups, failed),
    (CheckId::WasUnhealthy, unhealthy),
];

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
const PERIOD: Duration = Duration::from_mins(5);

/// What CloudWatch has of the proxy.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Measured {
    /// Of the last hour: open connections to the database.
    connections: Series,
    /// Those that sessions pinned.
    pinned: Series,
    /// Microseconds until a connection was lent.
    waits: Series,
    /// Log-ins that succeeded and that were refused.
    admitted: Series,
    refused: Series,
    /// Connections to the database that could not be opened.
    failed: Series,
    /// Of the last day: the share of health checks of the writer that succeeded.
    available: Series,
    /// When all of it was read, in seconds since 1970.
    at: i64,
}

/// Seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Reads it, in one call.
pub(super) async fn read(cloud: &Cloud, proxy: &str) -> Known<Measured> {
    let query = |metric, statistic, role: Option<&str>| {
        let mut dimensions = vec![("ProxyName", proxy.to_owned())];
        if let Some(role) = role {
            dimensions.push(("TargetGroup", "default".to_owned()));
            dimensions.push(("TargetRole", role.to_owned()));
        }
        Query { namespace: "AWS/RDS", metric, dimensions, statistic, period: PERIOD }
    };
    let sum = |metric| query(metric, "Sum", None);
    let queries = [
        sum("DatabaseConnections"),
        sum("DatabaseConnectionsCurrentlySessionPinned"),
        query("DatabaseConnectionsBorrowLatency", "Average", None),
        sum("ClientConnectionsSetupSucceeded"),
        sum("ClientConnectionsSetupFailedAuth"),
        sum("DatabaseConnectionsSetupFailed"),
        // AWS spells the role in two ways; the one that there is has points.
        query("AvailabilityPercentage", "Average", Some("READWRITE")),
        query("AvailabilityPercentage", "Average", Some("READ_WRITE")),
    ];
    let at = now();
    let all = known(cloud.metrics.read(&queries, at - DAY, at).await)?;
    let mut all = all.into_iter();
    let mut next = |since: i64| {
        let series = all.next().unwrap_or_default();
        Series(series.0.into_iter().filter(|point| point.at >= since).collect())
    };
    let (connections, pinned, waits) = (next(at - HOUR), next(at - HOUR), next(at - HOUR));
    let (admitted, refused, failed) = (next(at - HOUR), next(at - HOUR), next(at - HOUR));
    let (one, other) = (next(at - DAY), next(at - DAY));
    let available = if one.0.is_empty() { other } else { one };
    Ok(Measured { connections, pinned, waits, admitted, refused, failed, available, at })
}

/// What is said where there is nothing to judge by.
fn silent(what: &str) -> CheckResult {
    CheckResult::Unchecked(format!("CloudWatch has no {what} of the proxy from the last hour"))
}

fn total(series: &Series) -> f64 {
    series.total().unwrap_or(0.0)
}

/// What makes the log say more.
fn debug_hint() -> String {
    "The log names no reason: turn debug logging on (rdsproxy-setup up --db ID --debug-logging; AWS turns it off after 24 hours), and \
     run doctor --logs again."
        .to_owned()
}

fn pinning(facts: &Facts<'_>) -> CheckResult {
    let told = facts.told.as_ref().ok().and_then(Option::as_ref);
    let reasons = told.map(log::pins).unwrap_or_default();
    let measured = match &facts.measured {
        Ok(measured) => measured,
        Err(why) if reasons.is_empty() => return CheckResult::unread(why),
        Err(_) => return noted(reasons, told),
    };
    let open = total(&measured.connections);
    if open <= 0.0 {
        return match (reasons.is_empty(), measured.connections.0.is_empty()) {
            (false, _) => noted(reasons, told),
            (true, true) => silent("connections"),
            // It sends, and holds none.
            (true, false) => CheckResult::Beside,
        };
    }
    let share = 100.0 * total(&measured.pinned) / open;
    let limit = Kind::Pinned.info().threshold;
    if share < limit {
        if !reasons.is_empty() {
            return noted(reasons, told);
        }
        return match &facts.told {
            // The log was asked for and not shown: that is to be seen.
            Err(super::facts::Unread::Refused(why)) => CheckResult::Unchecked(why.clone()),
            _ => CheckResult::Fine(format!("{share:.0} percent of its connections were pinned in the last hour")),
        };
    }
    let mut evidence =
        vec![format!("In the last hour, {share:.0} percent of the proxy's connections to the database were pinned.")];
    let silent_log = told.is_some() && reasons.is_empty();
    evidence.extend(reasons);
    let mut finding = Finding::of(CheckId::Pinning, evidence);
    finding.fixes.extend(advice(told));
    if silent_log {
        finding.fixes.push(debug_hint());
    } else if told.is_none() {
        finding.fixes.push("See why: run doctor with --logs.".to_owned());
    }
    CheckResult::Found(finding)
}

/// Sessions that were pinned, though few of them, or nobody knows how many.
fn noted(evidence: Vec<String>, told: Option<&log::Told>) -> CheckResult {
    let mut finding = Finding::of(CheckId::Pinning, evidence);
    finding.severity = Severity::Notice;
    finding.fixes.extend(advice(told));
    CheckResult::Found(finding)
}

fn advice(told: Option<&log::Told>) -> Vec<String> {
    let mut all: Vec<String> =
        told.into_iter().flat_map(|told| told.pins.keys()).map(|pin| pin.advice().to_owned()).collect();
    all.dedup();
    all
}

fn refused(facts: &Facts<'_>) -> CheckResult {
    let told = facts.told.as_ref().ok().and_then(Option::as_ref);
    let who = told.map(|told| log::refused(facts.survey, told)).unwrap_or_default();
    let measured = match &facts.measured {
        Ok(measured) => measured,
        Err(why) if who.is_empty() => return CheckResult::unread(why),
        Err(_) => return CheckResult::Found(Finding::of(CheckId::RefusedLogIns, who)),
    };
    if measured.admitted.0.is_empty() && measured.refused.0.is_empty() && who.is_empty() {
        // What counts clients begins with the first one.
        return if measured.connections.0.is_empty() { silent("log-ins") } else { CheckResult::Beside };
    }
    let (refused, admitted) = (total(&measured.refused), total(&measured.admitted));
    if refused <= 0.0 && who.is_empty() {
        return CheckResult::Fine(format!("none of {admitted:.0} log-ins of the last hour was refused"));
    }
    let mut evidence = Vec::new();
    if refused > 0.0 {
        evidence.push(format!("In the last hour, the proxy refused {refused:.0} log-ins and admitted {admitted:.0}."));
    }
    let unnamed = who.is_empty() && told.is_some();
    evidence.extend(who);
    let mut finding = Finding::of(CheckId::RefusedLogIns, evidence);
    if unnamed {
        finding.fixes.push(debug_hint());
    }
    CheckResult::Found(finding)
}

fn waits(facts: &Facts<'_>) -> CheckResult {
    let measured = match &facts.measured {
        Ok(measured) => measured,
        Err(why) => return CheckResult::unread(why),
    };
    let milliseconds = |value: f64| value / 1000.0;
    let (Some(mean), Some(peak)) = (measured.waits.mean(), measured.waits.peak()) else {
        if measured.connections.0.is_empty() {
            return silent("latencies");
        }
        return CheckResult::Fine("nothing was asked in the last hour".to_owned());
    };
    let (mean, peak) = (milliseconds(mean), milliseconds(peak.value));
    let told = facts.told.as_ref().ok().and_then(Option::as_ref);
    let given_up = told.map_or(0, |told| told.borrow_timeouts);
    if mean < Kind::BorrowLatency.info().threshold && given_up == 0 {
        return CheckResult::Fine(format!(
            "clients waited {mean:.1} ms for a connection, on average over the last hour"
        ));
    }
    let mut evidence = vec![format!(
        "In the last hour, clients waited {mean:.0} ms for a connection on average, and {peak:.0} ms in the worst five minutes."
    )];
    if given_up > 0 {
        evidence.push(format!("The log of the last hour has {given_up} that waited in vain."));
    }
    CheckResult::Found(Finding::of(CheckId::BorrowWaits, evidence))
}

fn failed(facts: &Facts<'_>) -> CheckResult {
    // A target that is unhealthy now is a finding of its own.
    if !facts.symptoms().is_empty() {
        return CheckResult::Beside;
    }
    let measured = match &facts.measured {
        Ok(measured) => measured,
        Err(why) => return CheckResult::unread(why),
    };
    if measured.connections.0.is_empty() && measured.failed.0.is_empty() {
        return silent("connections");
    }
    let count = total(&measured.failed);
    if count <= 0.0 {
        return CheckResult::Fine("no connection to the database failed in the last hour".to_owned());
    }
    let mut evidence =
        vec![format!("In the last hour, {count:.0} connections from the proxy to the database could not be opened.")];
    if let Some(told) = facts.told.as_ref().ok().and_then(Option::as_ref) {
        if told.too_many > 0 {
            evidence.push(format!(
                "The log has {} answers of the database that it takes no more connections.",
                told.too_many
            ));
        }
        if told.secrets_unread > 0 {
            evidence.push(format!("The log has {} attempts to read a secret that were refused.", told.secrets_unread));
        }
    }
    CheckResult::Found(Finding::of(CheckId::FailedSetups, evidence))
}

fn unhealthy(facts: &Facts<'_>) -> CheckResult {
    if !facts.symptoms().is_empty() {
        return CheckResult::Beside;
    }
    let measured = match &facts.measured {
        Ok(measured) => measured,
        Err(why) => return CheckResult::unread(why),
    };
    let points = &measured.available.0;
    if points.is_empty() {
        return CheckResult::Unchecked("CloudWatch has no availability of the proxy from the last day".to_owned());
    }
    let bad: Vec<_> = points.iter().filter(|point| point.value < Kind::Availability.info().threshold).collect();
    let Some(last) = bad.last() else {
        return CheckResult::Fine(format!("all health checks of {} spans of five minutes succeeded", points.len()));
    };
    let minutes = (measured.at - last.at).max(0) / 60;
    CheckResult::Found(Finding::of(
        CheckId::WasUnhealthy,
        [format!(
            "In the last 24 hours, health checks failed in {} of {} spans of five minutes, the last {minutes} minutes ago.",
            bad.len(),
            points.len()
        )],
    ))
}
