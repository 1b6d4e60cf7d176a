//! IAM's operations, and which function answers each.

use serde_json::Value;

use super::{attach, managed, roles, simulate};
use crate::account::{AwsError, Call, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    match call.action.as_str() {
        "CreateRole" => roles::create(world, call),
        "CreateServiceLinkedRole" => roles::create_service_linked(world, call),
        "GetRole" => roles::get(world, call),
        "ListRoles" => roles::list(world, call),
        "DeleteRole" => roles::delete(world, call),
        "UpdateAssumeRolePolicy" => roles::update_trust(world, call),
        "PutRolePermissionsBoundary" => roles::put_boundary(world, call),
        "DeleteRolePermissionsBoundary" => roles::delete_boundary(world, call),
        "TagRole" => roles::tag(world, call),
        "UntagRole" => roles::untag(world, call),
        "ListRoleTags" => roles::list_tags(world, call),
        "PutRolePolicy" => roles::put_policy(world, call),
        "GetRolePolicy" => roles::get_policy(world, call),
        "DeleteRolePolicy" => roles::delete_policy(world, call),
        "ListRolePolicies" => roles::list_policies(world, call),
        "CreatePolicy" => managed::create(world, call),
        "GetPolicy" => managed::get(world, call),
        "ListPolicies" => managed::list(world, call),
        "DeletePolicy" => managed::delete(world, call),
        "CreatePolicyVersion" => managed::create_version(world, call),
        "SetDefaultPolicyVersion" => managed::set_default(world, call),
        "GetPolicyVersion" => managed::get_version(world, call),
        "ListPolicyVersions" => managed::list_versions(world, call),
        "DeletePolicyVersion" => managed::delete_version(world, call),
        "TagPolicy" => managed::tag(world, call),
        "UntagPolicy" => managed::untag(world, call),
        "ListPolicyTags" => managed::list_tags(world, call),
        "AttachRolePolicy" => attach::attach(world, call),
        "DetachRolePolicy" => attach::detach(world, call),
        "ListAttachedRolePolicies" => attach::list(world, call),
        "ListEntitiesForPolicy" => attach::entities(world, call),
        "SimulatePrincipalPolicy" => simulate::simulate(world, call),
        action => Err(AwsError::new(
            400,
            "InvalidAction",
            format!("Could not find operation {action} for version 2010-05-08"),
        )),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(action: &str) -> bool {
    !["Get", "List", "Simulate"].iter().any(|verb| action.starts_with(verb))
}
