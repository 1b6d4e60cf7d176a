//! KMS's operations, and which function answers each.

use serde_json::Value;

use super::keys;
use crate::account::{AwsError, Call, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    match call.action.as_str() {
        "DescribeKey" => keys::describe(world, call),
        "GetKeyPolicy" => keys::key_policy(world, call),
        "ListAliases" => keys::list_aliases(world, call),
        "CreateKey" => keys::create(world, call),
        "CreateAlias" => keys::create_alias(world, call),
        "PutKeyPolicy" => keys::put_policy(world, call),
        "EnableKey" => keys::change(world, call, |key| key.enabled = true),
        "DisableKey" => keys::change(world, call, |key| key.enabled = false),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(action: &str) -> bool {
    !["Get", "List", "Describe"].iter().any(|verb| action.starts_with(verb))
}
