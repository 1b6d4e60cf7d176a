//! A reading as JSON.

use serde_json::{Value, json};

use crate::reading::{Function, Now, Reading, Series, Target};
use crate::rows::share;
use crate::text::moment;

/// A reading; whatever is unknown is `null`, with the reason beside it.
#[must_use]
pub fn document(reading: &Reading) -> Value {
    let newest = reading.newest();
    let value = |series: &Series| match series.now(newest) {
        Now::Known(point) => json!({"value": point.value, "minute": moment(point.at), "unknown": null}),
        Now::Unknown(why) => json!({"value": null, "minute": null, "unknown": why}),
    };
    let metrics = &reading.metrics;
    let target = |target: &Target| {
        json!({"id": target.id, "role": target.role, "state": target.state, "reason": target.reason,
               "available": target.is_available()})
    };
    let function = |function: &Function| {
        json!({"name": function.name, "points_at": function.side.words(), "invocations": value(&function.invocations),
               "errors": value(&function.errors), "errors_last_hour": function.errors.total()})
    };
    json!({
        "proxy": reading.proxy,
        "database": reading.database,
        "region": reading.region,
        "read_at": moment(reading.at),
        "newest_minute": newest.map(moment),
        "age_seconds": newest.map(|newest| reading.at.saturating_sub(newest)),
        "metrics": {
            "client_connections": value(&metrics.clients),
            "database_connections": value(&metrics.connections),
            "database_connections_allowed": value(&metrics.allowed),
            "borrowed": value(&metrics.borrowed),
            "pinned": value(&metrics.pinned),
            "wait_microseconds": value(&metrics.wait),
            "logins_refused": value(&metrics.refused),
            "database_logins_failed": value(&metrics.failed),
            "queries": value(&metrics.queries),
            "availability_percent": value(&metrics.available),
        },
        "allowed_used_percent": share(&metrics.connections, &metrics.allowed, newest),
        "pinned_percent": share(&metrics.pinned, &metrics.connections, newest),
        "targets": reading.targets.as_ref().ok().map(|all| all.iter().map(target).collect::<Vec<_>>()),
        "targets_unknown": reading.targets.as_ref().err(),
        "functions": reading.functions.as_ref().ok().map(|all| all.iter().map(function).collect::<Vec<_>>()),
        "functions_unknown": reading.functions.as_ref().err(),
        "functions_left_out": reading.left_out,
        "functions_hidden": reading.hidden,
    })
}
