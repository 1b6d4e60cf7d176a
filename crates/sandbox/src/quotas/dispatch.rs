//! Service Quotas's operations, and which function answers each.

use serde_json::json;

use super::read;
use crate::account::{AwsError, Call, Outcome, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "GetServiceQuota" => {
            let row = read::named(call)?;
            Ok(json!({ "Quota": read::shown(world, row, world.quota(row.2).unwrap_or(row.4)) }))
        }
        "GetAWSDefaultServiceQuota" => {
            let row = read::named(call)?;
            Ok(json!({ "Quota": read::shown(world, row, row.4) }))
        }
        "ListServiceQuotas" => read::list(world, call),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(_: &str) -> bool {
    false
}
