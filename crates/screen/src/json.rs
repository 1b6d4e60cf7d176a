//! A reading as JSON.

use documents::{Metrics, Worth};

use crate::reading::{Function, Now, Reading, Series, Side, Target};
use crate::rows::share;
use crate::text::moment;

/// A reading; whatever is unknown is `null`, with the reason beside it.
#[must_use]
pub fn document(reading: &Reading) -> documents::Reading {
    let newest = reading.newest();
    let worth = |series: &Series| match series.now(newest) {
        Now::Known(point) => Worth { value: Some(point.value), minute: Some(moment(point.at)), unknown: None },
        Now::Unknown(why) => Worth { value: None, minute: None, unknown: Some(why) },
    };
    let metrics = &reading.metrics;
    let function = |function: &Function| documents::Function {
        name: function.name.clone(),
        points_at: side(function.side),
        invocations: worth(&function.invocations),
        errors: worth(&function.errors),
        errors_last_hour: function.errors.total(),
    };
    documents::Reading {
        proxy: reading.proxy.clone(),
        database: reading.database.clone(),
        region: reading.region.clone(),
        read_at: moment(reading.at),
        newest_minute: newest.map(moment),
        age_seconds: newest.map(|newest| reading.at.saturating_sub(newest)),
        metrics: Metrics {
            client_connections: worth(&metrics.clients),
            database_connections: worth(&metrics.connections),
            database_connections_allowed: worth(&metrics.allowed),
            borrowed: worth(&metrics.borrowed),
            pinned: worth(&metrics.pinned),
            wait_microseconds: worth(&metrics.wait),
            logins_refused: worth(&metrics.refused),
            database_logins_failed: worth(&metrics.failed),
            queries: worth(&metrics.queries),
            availability_percent: worth(&metrics.available),
        },
        allowed_used_percent: share(&metrics.connections, &metrics.allowed, newest),
        pinned_percent: share(&metrics.pinned, &metrics.connections, newest),
        targets: reading.targets.as_ref().ok().map(|all| all.iter().map(target).collect()),
        targets_unknown: reading.targets.as_ref().err().cloned(),
        functions: reading.functions.as_ref().ok().map(|all| all.iter().map(function).collect()),
        functions_unknown: reading.functions.as_ref().err().cloned(),
        functions_left_out: reading.left_out as u64,
        functions_hidden: reading.hidden as u64,
    }
}

fn target(target: &Target) -> documents::Target {
    documents::Target {
        id: target.id.clone(),
        role: target.role.clone(),
        state: target.state.clone(),
        reason: target.reason.clone(),
        available: target.is_available(),
    }
}

fn side(side: Side) -> documents::Side {
    match side {
        Side::Proxy => documents::Side::Proxy,
        Side::Database => documents::Side::Database,
        Side::Both => documents::Side::Both,
        Side::Neither => documents::Side::Neither,
        Side::Unknown => documents::Side::Unknown,
    }
}
