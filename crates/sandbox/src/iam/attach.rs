//! Managed policies on roles.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::text::{limit, missing};
use super::{force, managed, roles};

/// Managed policies of one role.
const ATTACHED: usize = 10;

pub(super) fn attach(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let arn = managed::arn(call)?;
    roles::find(world, call)?;
    if !world.iam.policies.contains_key(arn) {
        return Err(missing(format!("Policy {arn} does not exist or is not attachable.")));
    }
    let role = roles::find_own(world, call)?;
    // Attaching twice is no error and changes nothing.
    if !role.attached.iter().any(|attached| attached == arn) {
        if role.attached.len() >= ATTACHED {
            return Err(limit(format!("Cannot exceed quota for PoliciesPerRole: {ATTACHED}")));
        }
        role.attached.push(arn.to_owned());
        let role = role.name.clone();
        force::settle(world, &role, call.now);
    }
    Ok(json!({}))
}

pub(super) fn detach(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let arn = managed::arn(call)?;
    let role = roles::find_own(world, call)?;
    let Some(index) = role.attached.iter().position(|attached| attached == arn) else {
        return Err(missing(format!("Policy {arn} was not found.")));
    };
    role.attached.remove(index);
    let role = role.name.clone();
    force::settle(world, &role, call.now);
    Ok(json!({}))
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, AwsError> {
    let role = roles::find(world, call)?;
    let prefix = input::text(&call.input, "PathPrefix").unwrap_or("/");
    let attached = role.attached.iter().filter_map(|arn| world.iam.policies.get(arn));
    let rows = attached
        .filter(|policy| policy.path.starts_with(prefix))
        .map(|policy| (policy.name.clone(), json!({"PolicyName": policy.name, "PolicyArn": policy.arn})));
    super::paged(rows.collect(), call, "AttachedPolicies")
}

pub(super) fn entities(world: &World, call: &Call) -> Result<Value, AwsError> {
    let policy = managed::find(world, call)?;
    let prefix = input::text(&call.input, "PathPrefix").unwrap_or("/");
    let wanted = input::text(&call.input, "EntityFilter").is_none_or(|filter| filter == "Role");
    let holders = world
        .iam
        .roles
        .values()
        .filter(|role| wanted && role.path.starts_with(prefix) && role.attached.contains(&policy.arn));
    let rows = holders.map(|role| (role.name.clone(), json!({"RoleName": role.name, "RoleId": role.id})));
    let mut answer = super::paged(rows.collect(), call, "PolicyRoles")?;
    answer["PolicyGroups"] = json!([]);
    answer["PolicyUsers"] = json!([]);
    Ok(answer)
}
