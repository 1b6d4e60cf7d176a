//! Lambda's operations, and which function answers each.

use serde_json::Value;

use super::{aliases, concurrency, configure, create, extras, invoke, read, versions};
use crate::account::{AwsError, Call, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    super::tick(world, call.now);
    match call.action.as_str() {
        "GetFunction" => read::get(world, call),
        "GetFunctionConfiguration" => read::get_configuration(world, call),
        "ListFunctions" => read::list(world, call),
        "ListVersionsByFunction" => read::list_versions(world, call),
        "CreateFunction" => create::create(world, call),
        "DeleteFunction" => create::delete(world, call),
        "Invoke" => invoke::invoke(world, call),
        "UpdateFunctionConfiguration" => configure::configuration(world, call),
        "UpdateFunctionCode" => configure::code(world, call),
        "PublishVersion" => versions::publish(world, call),
        "CreateAlias" => aliases::create(world, call),
        "GetAlias" => aliases::get(world, call),
        "ListAliases" => aliases::list(world, call),
        "UpdateAlias" => aliases::update(world, call),
        "DeleteAlias" => aliases::delete(world, call),
        "ListTags" => extras::list_tags(world, call),
        "TagResource" => extras::tag(world, call),
        "UntagResource" => extras::untag(world, call),
        "ListEventSourceMappings" => extras::list_mappings(world, call),
        "CreateEventSourceMapping" => extras::create_mapping(world, call),
        "GetEventSourceMapping" => extras::get_mapping(world, call),
        "ListProvisionedConcurrencyConfigs" => extras::list_provisioned(world, call),
        "GetProvisionedConcurrencyConfig" => extras::get_provisioned(world, call),
        "PutProvisionedConcurrencyConfig" => extras::put_provisioned(world, call),
        "DeleteProvisionedConcurrencyConfig" => extras::delete_provisioned(world, call),
        "GetAccountSettings" => Ok(concurrency::account(world)),
        "GetFunctionConcurrency" => concurrency::get(world, call),
        "PutFunctionConcurrency" => concurrency::put(world, call),
        "DeleteFunctionConcurrency" => concurrency::delete(world, call),
        "GetPolicy" => extras::policy(world, call),
        action => Err(AwsError::new(404, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(action: &str) -> bool {
    !["Get", "List"].iter().any(|verb| action.starts_with(verb))
}
