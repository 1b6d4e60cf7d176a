//! CloudWatch Logs's operations, and which function answers each.

use super::{events, groups, tags};
use crate::account::{AwsError, Call, Outcome, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "DescribeLogGroups" => groups::describe(world, call),
        "CreateLogGroup" => groups::create(world, call),
        "DeleteLogGroup" => groups::delete(world, call),
        "PutRetentionPolicy" => groups::put_retention(world, call),
        "DeleteRetentionPolicy" => groups::delete_retention(world, call),
        "FilterLogEvents" => events::filter(world, call),
        "ListTagsForResource" => tags::list(world, call),
        "TagResource" => tags::tag(world, call),
        "UntagResource" => tags::untag(world, call),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(action: &str) -> bool {
    !["List", "Describe", "Filter"].iter().any(|verb| action.starts_with(verb))
}
