//! Parameters of databases, and the list of events.

use serde_json::{Value, json};

use super::{input, paged};
use crate::account::{AwsError, Call, Moment, Outcome, World};

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
    let wanted = input::text(&call.input, "Source");
    let found = parameters
        .iter()
        .filter(|_| wanted.is_none_or(|wanted| wanted == source))
        .map(|(name, value)| {
            json!({
                "ParameterName": name,
                "ParameterValue": value,
                "Source": source,
                "ApplyType": "dynamic",
                "DataType": "string",
                "IsModifiable": true,
                "ApplyMethod": "pending-reboot",
            })
        })
        .collect();
    paged(call, "Parameters", found)
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
