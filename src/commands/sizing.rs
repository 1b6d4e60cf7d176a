//! `up --sizing`: pool settings that nobody gave, from what `advise` works out or from a preset.

use advice::advise;
use advice::verdict::Kind;

use super::advise::now;
use super::session::Session;
use crate::advise::{Question, read};
use crate::cli::Sizing;
use crate::error::Failure;
use crate::report;
use crate::spec::Spec;

/// Days of metrics, as `advise` reads them by default.
const DAYS: u32 = 14;

/// Fills in the settings that were not given.
pub(super) async fn apply(session: &Session, sizing: Sizing, spec: &mut Spec) -> Result<(), Failure> {
    let question = Question {
        database: spec.database.clone(),
        stack: spec.stack.clone(),
        functions: spec.functions.clone(),
        days: DAYS,
        concurrency: std::collections::BTreeMap::new(),
        shards: std::collections::BTreeMap::new(),
        connections: None,
        hold: None,
        pinned: None,
    };
    let facts = Box::pin(read(&session.cloud, &question, now())).await?;
    let advice = advise(&facts);
    let (settings, preset) = (&advice.settings, &advice.settings.preset);
    let [percent, idle, borrow, client] = match sizing {
        Sizing::Advise => {
            if !matches!(advice.verdict.kind, Kind::Helps | Kind::FailoverOnly) {
                report::warn(session.json, &advice.verdict.sentence);
            }
            [
                settings.max_connections_percent.value,
                settings.max_idle_connections_percent.value,
                settings.connection_borrow_timeout_seconds.value,
                settings.idle_client_timeout_seconds.value,
            ]
        }
        Sizing::Lambda => {
            for objection in &preset.objections {
                report::warn(session.json, &format!("The preset does not fit: {objection}."));
            }
            [
                preset.max_connections_percent,
                preset.max_idle_connections_percent,
                preset.connection_borrow_timeout_seconds,
                preset.idle_client_timeout_seconds,
            ]
        }
    };
    // Each is within AWS's range, far below the largest number.
    let number = |value: u64| i32::try_from(value).ok();
    let pool = &mut spec.pool;
    pool.max_connections_percent = pool.max_connections_percent.or(number(percent));
    // Idle connections are a part of all: where only that one was given, the other follows it.
    let most = pool.max_connections_percent;
    let idle = number(idle).map(|idle| most.map_or(idle, |most| idle.min(most)));
    pool.max_idle_connections_percent = pool.max_idle_connections_percent.or(idle);
    pool.connection_borrow_timeout = pool.connection_borrow_timeout.or(number(borrow));
    spec.idle_client_timeout = spec.idle_client_timeout.or(number(client));
    Ok(())
}
