//! Roles and their inline policies.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::text::{self, check_permissions, check_trust, limit, missing};
use super::{Role, force};

/// Characters of all inline policies of a role together.
const INLINE_SIZE: usize = 10_240;

pub(super) fn find<'world>(world: &'world World, call: &Call) -> Result<&'world Role, AwsError> {
    let name = text::name(&call.input, "RoleName", 64)?;
    world.iam.roles.get(name).ok_or_else(|| missing(format!("The role with name {name} cannot be found.")))
}

pub(super) fn find_mut<'world>(world: &'world mut World, call: &Call) -> Result<&'world mut Role, AwsError> {
    let name = text::name(&call.input, "RoleName", 64)?;
    world.iam.roles.get_mut(name).ok_or_else(|| missing(format!("The role with name {name} cannot be found.")))
}

/// The role, if users may change it.
pub(super) fn find_own<'world>(world: &'world mut World, call: &Call) -> Result<&'world mut Role, AwsError> {
    let role = find_mut(world, call)?;
    if role.path.starts_with("/aws-service-role/") {
        return Err(AwsError::new(
            400,
            "UnmodifiableEntity",
            format!(
                "Cannot perform the operation on the protected role '{}' - this role is only modifiable by AWS",
                role.name
            ),
        ));
    }
    Ok(role)
}

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = text::name(&call.input, "RoleName", 64)?;
    let path = text::path(&call.input)?;
    let trust = text::required(&call.input, "AssumeRolePolicyDocument")?;
    check_trust(trust)?;
    let tags = text::tags(&call.input, "Tags")?;
    let max_session = input::number(&call.input, "MaxSessionDuration").unwrap_or(3600);
    if !(3600..=43_200).contains(&max_session) {
        return Err(text::invalid(format!(
            "1 validation error detected: Value '{max_session}' at 'maxSessionDuration' failed to satisfy constraint: Member must have value between 3600 and 43200"
        )));
    }
    if path.starts_with("/aws-service-role/") {
        return Err(AwsError::new(
            400,
            "InvalidInput",
            "Path /aws-service-role/ is reserved for service-linked roles.",
        ));
    }
    if world.iam.roles.keys().any(|known| known.eq_ignore_ascii_case(name)) {
        return Err(AwsError::new(409, "EntityAlreadyExists", format!("Role with name {name} already exists.")));
    }
    let quota = world.role_quota;
    if world.iam.roles.len() >= quota {
        return Err(limit(format!("Cannot exceed quota for RolesPerAccount: {quota}")));
    }
    let boundary = input::text(&call.input, "PermissionsBoundary");
    if let Some(arn) = boundary {
        check_boundary(world, arn)?;
    }
    let mut role = Role::settled(&world.account, &world.partition, &path, name, trust);
    role.id = world.id("AROA", &format!("role/{name}")).to_ascii_uppercase();
    role.created = call.now;
    role.description = input::text(&call.input, "Description").map(str::to_owned);
    role.max_session = u32::try_from(max_session).unwrap_or(3600);
    role.boundary = boundary.map(str::to_owned);
    role.tags = tags;
    let answer = json!({"Role": shown(&role, true)});
    world.iam.roles.insert(name.to_owned(), role);
    Ok(answer)
}

/// A boundary is a managed policy that exists, in the words that users of other tools saw
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>).
fn check_boundary(world: &World, arn: &str) -> Result<(), AwsError> {
    if world.iam.policies.contains_key(arn) {
        return Ok(());
    }
    Err(missing(format!("Scope ARN: {arn} does not exist or is not attachable.")))
}

pub(super) fn put_boundary(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let arn = text::required(&call.input, "PermissionsBoundary")?.to_owned();
    check_boundary(world, &arn)?;
    find_own(world, call)?.boundary = Some(arn);
    Ok(json!({}))
}

pub(super) fn delete_boundary(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let role = find_own(world, call)?;
    if role.boundary.take().is_none() {
        return Err(missing(format!("The role {} has no permissions boundary.", role.name)));
    }
    Ok(json!({}))
}

pub(super) fn create_service_linked(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let service = text::required(&call.input, "AWSServiceName")?;
    let Some(name) = service_linked_name(service) else {
        return Err(AwsError::new(
            400,
            "InvalidInput",
            format!("Service-linked roles are not supported for {service}"),
        ));
    };
    if world.iam.roles.contains_key(name) {
        return Err(AwsError::new(
            400,
            "InvalidInput",
            format!("Service role name {name} has been taken in this account, please try a different suffix."),
        ));
    }
    let mut role = service_linked_role(world, service, name);
    role.created = call.now;
    role.description = input::text(&call.input, "Description").map(str::to_owned);
    let answer = json!({"Role": shown(&role, true)});
    world.iam.roles.insert(name.to_owned(), role);
    Ok(answer)
}

/// The role that a service makes for itself, as one that has been there for ever.
pub(in super::super) fn service_linked(world: &mut World, service: &str) {
    if let Some(name) = service_linked_name(service) {
        let role = service_linked_role(world, service, name);
        world.iam.roles.insert(name.to_owned(), role);
    }
}

fn service_linked_role(world: &mut World, service: &str, name: &str) -> Role {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]});
    let mut role = Role::settled(
        &world.account,
        &world.partition,
        &format!("/aws-service-role/{service}/"),
        name,
        &trust.to_string(),
    );
    role.id = world.id("AROA", &format!("role/{name}")).to_ascii_uppercase();
    role
}

/// The name of the role that a service makes for itself.
pub(super) fn service_linked_name(service: &str) -> Option<&'static str> {
    match service {
        "rds.amazonaws.com" => Some("AWSServiceRoleForRDS"),
        "lambda.amazonaws.com" => Some("AWSServiceRoleForLambda"),
        _ => None,
    }
}

pub(super) fn get(world: &World, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"Role": shown(find(world, call)?, true)}))
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, AwsError> {
    let prefix = input::text(&call.input, "PathPrefix").unwrap_or("/");
    let roles = world.iam.roles.values().filter(|role| role.path.starts_with(prefix));
    super::paged(roles.map(|role| (role.name.clone(), shown(role, false))).collect(), call, "Roles")
}

pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let role = find_own(world, call)?;
    if !role.attached.is_empty() {
        return Err(AwsError::new(409, "DeleteConflict", "Cannot delete entity, must detach all policies first."));
    }
    if !role.inline.is_empty() {
        return Err(AwsError::new(409, "DeleteConflict", "Cannot delete entity, must delete policies first."));
    }
    let name = role.name.clone();
    world.iam.roles.remove(&name);
    Ok(json!({}))
}

pub(super) fn update_trust(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let role = find_own(world, call)?;
    let document = text::required(&call.input, "PolicyDocument")?;
    check_trust(document)?;
    if role.trust != document {
        role.former_trust = Some((std::mem::replace(&mut role.trust, document.to_owned()), call.now));
    }
    Ok(json!({}))
}

pub(super) fn tag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let tags = text::tags(&call.input, "Tags")?;
    let role = find_own(world, call)?;
    super::add_tags(&mut role.tags, tags)?;
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let role = find_own(world, call)?;
    for key in input::texts(&call.input, "TagKeys") {
        role.tags.remove(&key);
    }
    Ok(json!({}))
}

pub(super) fn list_tags(world: &World, call: &Call) -> Result<Value, AwsError> {
    super::paged(super::tag_rows(&find(world, call)?.tags), call, "Tags")
}

pub(super) fn put_policy(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let role = find_own(world, call)?;
    let name = text::name(&call.input, "PolicyName", 128)?;
    let document = text::required(&call.input, "PolicyDocument")?;
    check_permissions(document)?;
    let others: usize =
        role.inline.iter().filter(|(known, _)| *known != name).map(|(_, document)| text::size(document)).sum();
    if others + text::size(document) > INLINE_SIZE {
        return Err(limit(format!("Maximum policy size of {INLINE_SIZE} bytes exceeded for role {}", role.name)));
    }
    role.inline.insert(name.to_owned(), document.to_owned());
    let role = role.name.clone();
    force::settle(world, &role, call.now);
    Ok(json!({}))
}

pub(super) fn get_policy(world: &World, call: &Call) -> Result<Value, AwsError> {
    let role = find(world, call)?;
    let name = text::name(&call.input, "PolicyName", 128)?;
    let document = role.inline.get(name).ok_or_else(|| no_inline(name))?;
    Ok(json!({"RoleName": role.name, "PolicyName": name, "PolicyDocument": document}))
}

pub(super) fn delete_policy(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let role = find_own(world, call)?;
    let name = text::name(&call.input, "PolicyName", 128)?;
    if role.inline.remove(name).is_none() {
        return Err(no_inline(name));
    }
    let role = role.name.clone();
    force::settle(world, &role, call.now);
    Ok(json!({}))
}

pub(super) fn list_policies(world: &World, call: &Call) -> Result<Value, AwsError> {
    let names = find(world, call)?.inline.keys();
    super::paged(names.map(|name| (name.clone(), json!(name))).collect(), call, "PolicyNames")
}

fn no_inline(name: &str) -> AwsError {
    missing(format!("The role policy with name {name} cannot be found."))
}

/// A role as the API shows it; lists leave out tags, boundary and last use.
fn shown(role: &Role, whole: bool) -> Value {
    let mut shown = json!({
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": role.arn,
        "CreateDate": role.created.iso(),
        "AssumeRolePolicyDocument": &role.trust,
        "MaxSessionDuration": role.max_session,
    });
    if let Some(description) = &role.description {
        shown["Description"] = json!(description);
    }
    if whole {
        if !role.tags.is_empty() {
            shown["Tags"] = super::tag_list(&role.tags);
        }
        if let Some(boundary) = &role.boundary {
            shown["PermissionsBoundary"] =
                json!({"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": boundary});
        }
        shown["RoleLastUsed"] = json!({});
    }
    shown
}
