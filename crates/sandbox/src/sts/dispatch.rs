//! STS's operations, and which function answers each.

use serde_json::json;

use crate::account::{AwsError, Call, Outcome, World};

/// Acts on a call.
pub(crate) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "GetCallerIdentity" => Ok(json!({
            "Account": world.account,
            "Arn": call.principal.arn,
            "UserId": user_id(world, &call.principal.arn),
        })),
        other => {
            Err(AwsError::new(400, "InvalidAction", format!("Could not find operation {other} for version 2011-06-15")))
        }
    }
}

/// Nothing in STS changes the account.
pub(crate) fn mutating(_: &str) -> bool {
    false
}

/// A user's own id, or a role's id with the name of its session.
pub(super) fn user_id(world: &World, arn: &str) -> String {
    let digits = world.hash(arn);
    match arn.rsplit_once('/') {
        Some((role, session)) if role.contains(":assumed-role/") => {
            format!("AROA{}:{session}", digits.to_ascii_uppercase())
        }
        _ => format!("AIDA{}", digits.to_ascii_uppercase()),
    }
}
