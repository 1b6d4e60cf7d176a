//! Secrets Manager's operations, and which function answers each.

use serde_json::Value;

use super::{manage, password, tick, value};
use crate::account::{AwsError, Call, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    tick(world, call.now);
    match call.action.as_str() {
        "DescribeSecret" => manage::describe(world, call),
        "ListSecrets" => manage::list(world, call),
        "DeleteSecret" => manage::delete(world, call),
        "RestoreSecret" => manage::restore(world, call),
        "TagResource" => manage::tag(world, call),
        "UntagResource" => manage::untag(world, call),
        "GetResourcePolicy" => manage::resource_policy(world, call),
        "CreateSecret" => value::create(world, call),
        "PutSecretValue" => value::put(world, call),
        "UpdateSecret" => value::update(world, call),
        "GetSecretValue" => value::get(world, call),
        "GetRandomPassword" => password::random(world, call),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(action: &str) -> bool {
    !["Get", "List", "Describe"].iter().any(|verb| action.starts_with(verb))
}
