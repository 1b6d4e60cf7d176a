//! Parameters of databases, and the list of events.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::paged;
use crate::account::{AwsError, Call, Moment, Outcome, World};
use crate::input;
use crate::load::engine_default;

/// Events are kept for a day, and shown from the last hour unless asked otherwise.
const SHOWN_MINUTES: i64 = 60;

/// `DescribeDBParameters` and `DescribeDBClusterParameters`.
pub(super) fn describe(world: &World, call: &Call, member: &str) -> Outcome {
    let name = input::required(&call.input, member)?;
    let parameters =
        world.rds.parameters.get(name).ok_or_else(|| {
            AwsError::new(404, "DBParameterGroupNotFound", format!("DBParameterGroup not found: {name}"))
        })?;
    // Groups named `default.…` cannot be changed, so all that is in others was set by someone.
    let source = if name.starts_with("default.") { "engine-default" } else { "user" };
    let engine = engine(world, name, member);
    let mut rows: BTreeMap<&str, (&str, &str)> =
        parameters.iter().map(|(name, value)| (name.as_str(), (value.as_str(), source))).collect();
    // A group lists what nobody has set too, with the formula of its family.
    if let Some(formula) = engine.and_then(engine_default).filter(|_| member == "DBParameterGroupName") {
        rows.entry("max_connections").or_insert((formula, "engine-default"));
    }
    let wanted = input::text(&call.input, "Source");
    let found = rows
        .into_iter()
        .filter(|(_, (_, source))| wanted.is_none_or(|wanted| wanted == *source))
        .map(|(name, (value, source))| {
            // PostgreSQL takes another number of connections only when it starts, MySQL at once.
            let is_static = name == "max_connections" && engine.is_some_and(|engine| engine.contains("postgres"));
            json!({
                "ParameterName": name,
                "ParameterValue": value,
                "Source": source,
                "ApplyType": if is_static { "static" } else { "dynamic" },
                "DataType": if name == "max_connections" { "integer" } else { "string" },
                "IsModifiable": true,
                "ApplyMethod": "pending-reboot",
            })
        })
        .collect();
    paged(call, "Parameters", found)
}

/// The engine of what uses a group.
fn engine<'world>(world: &'world World, group: &str, member: &str) -> Option<&'world str> {
    if member == "DBParameterGroupName" {
        let mut instances = world.rds.instances.values();
        return instances.find(|instance| instance.parameter_group == group).map(|instance| instance.engine.as_str());
    }
    let mut clusters = world.rds.clusters.values();
    clusters.find(|cluster| cluster.parameter_group == group).map(|cluster| cluster.engine.as_str())
}

/// `DescribeEvents`.
pub(super) fn describe_events(world: &World, call: &Call) -> Outcome {
    let kind = input::text(&call.input, "SourceType");
    let source = input::text(&call.input, "SourceIdentifier");
    if source.is_some() && kind.is_none() {
        return Err(AwsError::new(
            400,
            "InvalidParameterCombination",
            "Source Type must be specified with Source Identifier",
        ));
    }
    let minutes = input::number(&call.input, "Duration").unwrap_or(SHOWN_MINUTES);
    let span = u64::try_from(minutes).unwrap_or(0).saturating_mul(60_000);
    let since = Moment(call.now.0.saturating_sub(span));
    let found: Vec<Value> = world
        .rds
        .events
        .iter()
        .filter(|event| event.at >= since)
        .filter(|event| kind.is_none_or(|kind| kind == event.source_type))
        .filter(|event| source.is_none_or(|source| source == event.source))
        .map(|event| {
            json!({
                "SourceIdentifier": event.source,
                "SourceType": event.source_type,
                "Message": event.message,
                "EventCategories": [event.category],
                "Date": event.at.iso(),
                "SourceArn": event.arn,
            })
        })
        .collect();
    paged(call, "Events", found)
}
