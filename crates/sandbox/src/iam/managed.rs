//! Managed policies and their versions.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, Moment, World};
use super::super::input;
use super::text::{self, check_permissions, limit, missing};
use super::{Policy, Version, force};

/// Characters of one managed policy.
const SIZE: usize = 6144;
/// Versions of one managed policy.
const VERSIONS: usize = 5;

pub(super) fn find<'world>(world: &'world World, call: &Call) -> Result<&'world Policy, AwsError> {
    let arn = arn(call)?;
    world.iam.policies.get(arn).ok_or_else(|| missing(format!("Policy {arn} was not found.")))
}

/// The policy, if users may change it.
fn find_own<'world>(world: &'world mut World, call: &Call) -> Result<&'world mut Policy, AwsError> {
    let arn = arn(call)?;
    let policy = world.iam.policies.get_mut(arn).ok_or_else(|| missing(format!("Policy {arn} was not found.")))?;
    if policy.is_aws_managed() {
        return Err(AwsError::new(403, "AccessDenied", format!("Policies of AWS cannot be changed: {arn}")));
    }
    Ok(policy)
}

/// The policy's ARN, checked for its shape.
pub(super) fn arn(call: &Call) -> Result<&str, AwsError> {
    let arn = text::required(&call.input, "PolicyArn")?;
    let mut parts = arn.splitn(6, ':');
    let fits = parts.next() == Some("arn")
        && parts.nth(1) == Some("iam")
        && parts.nth(2).is_some_and(|resource| resource.starts_with("policy/"));
    if fits {
        return Ok(arn);
    }
    Err(AwsError::new(400, "InvalidInput", format!("ARN {arn} is not valid.")))
}

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = text::name(&call.input, "PolicyName", 128)?;
    let path = text::path(&call.input)?;
    let document = checked_document(call)?;
    let tags = text::tags(&call.input, "Tags")?;
    let own = world.iam.policies.values().filter(|policy| !policy.is_aws_managed());
    if own.clone().any(|policy| policy.name.eq_ignore_ascii_case(name)) {
        return Err(AwsError::new(
            409,
            "EntityAlreadyExists",
            format!("A policy called {name} already exists. Duplicate names are not allowed."),
        ));
    }
    if own.count() >= 1500 {
        return Err(limit("Cannot exceed quota for PoliciesPerAccount: 1500"));
    }
    let mut policy = Policy::settled(&world.account, &world.partition, &path, name, document);
    policy.id = world.id("ANPA", &format!("policy/{name}")).to_ascii_uppercase();
    policy.created = call.now;
    policy.updated = call.now;
    policy.description = input::text(&call.input, "Description").map(str::to_owned);
    policy.tags = tags;
    for version in &mut policy.versions {
        version.created = call.now;
    }
    let answer = json!({"Policy": shown(world, &policy, true)});
    world.iam.policies.insert(policy.arn.clone(), policy);
    Ok(answer)
}

fn checked_document(call: &Call) -> Result<&str, AwsError> {
    let document = text::required(&call.input, "PolicyDocument")?;
    check_permissions(document)?;
    if text::size(document) > SIZE {
        return Err(limit(format!("Cannot exceed quota for PolicySize: {SIZE}")));
    }
    Ok(document)
}

pub(super) fn get(world: &World, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"Policy": shown(world, find(world, call)?, true)}))
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, AwsError> {
    let scope = input::text(&call.input, "Scope").unwrap_or("All");
    if !matches!(scope, "All" | "AWS" | "Local") {
        return Err(text::invalid(format!(
            "1 validation error detected: Value '{scope}' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [All, AWS, Local]"
        )));
    }
    let prefix = input::text(&call.input, "PathPrefix").unwrap_or("/");
    let attached_only = input::flag(&call.input, "OnlyAttached").unwrap_or(false);
    let policies = world.iam.policies.values().filter(|policy| {
        (scope == "All" || (scope == "AWS") == policy.is_aws_managed())
            && policy.path.starts_with(prefix)
            && (!attached_only || attachments(world, &policy.arn) > 0)
    });
    super::paged(policies.map(|policy| (policy.arn.clone(), shown(world, policy, false))).collect(), call, "Policies")
}

pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let policy = find_own(world, call)?;
    let (arn, versions) = (policy.arn.clone(), policy.versions.len());
    if attachments(world, &arn) > 0 {
        return Err(conflict("Cannot delete a policy attached to entities."));
    }
    if versions > 1 {
        return Err(conflict(
            "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        ));
    }
    world.iam.policies.remove(&arn);
    Ok(json!({}))
}

pub(super) fn create_version(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let policy = find_own(world, call)?;
    let document = checked_document(call)?;
    if policy.versions.len() >= VERSIONS {
        return Err(limit(
            "A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.",
        ));
    }
    let version = Version { number: policy.next, document: document.to_owned(), created: call.now };
    policy.next += 1;
    policy.updated = call.now;
    if input::flag(&call.input, "SetAsDefault").unwrap_or(false) {
        policy.default = version.number;
    }
    let answer = json!({"PolicyVersion": shown_version(&version, policy.default, false)});
    policy.versions.push(version);
    let arn = policy.arn.clone();
    settle_all(world, &arn, call.now);
    Ok(answer)
}

pub(super) fn set_default(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let number = version_number(call)?;
    let policy = find_own(world, call)?;
    if !policy.versions.iter().any(|version| version.number == number) {
        return Err(no_version(&policy.arn, number));
    }
    policy.default = number;
    policy.updated = call.now;
    let arn = policy.arn.clone();
    settle_all(world, &arn, call.now);
    Ok(json!({}))
}

pub(super) fn get_version(world: &World, call: &Call) -> Result<Value, AwsError> {
    let number = version_number(call)?;
    let policy = find(world, call)?;
    let version = policy
        .versions
        .iter()
        .find(|version| version.number == number)
        .ok_or_else(|| no_version(&policy.arn, number))?;
    Ok(json!({"PolicyVersion": shown_version(version, policy.default, true)}))
}

pub(super) fn list_versions(world: &World, call: &Call) -> Result<Value, AwsError> {
    let policy = find(world, call)?;
    // Newest first, as AWS lists them.
    let versions = policy
        .versions
        .iter()
        .map(|version| (format!("{:010}", u32::MAX - version.number), shown_version(version, policy.default, false)));
    super::paged(versions.collect(), call, "Versions")
}

pub(super) fn delete_version(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let number = version_number(call)?;
    let policy = find_own(world, call)?;
    let index = policy
        .versions
        .iter()
        .position(|version| version.number == number)
        .ok_or_else(|| no_version(&policy.arn, number))?;
    if policy.default == number {
        return Err(conflict("Cannot delete the default version of a policy."));
    }
    policy.versions.remove(index);
    policy.updated = call.now;
    Ok(json!({}))
}

pub(super) fn tag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let tags = text::tags(&call.input, "Tags")?;
    let policy = find_own(world, call)?;
    super::add_tags(&mut policy.tags, tags)?;
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let policy = find_own(world, call)?;
    for key in input::texts(&call.input, "TagKeys") {
        policy.tags.remove(&key);
    }
    Ok(json!({}))
}

pub(super) fn list_tags(world: &World, call: &Call) -> Result<Value, AwsError> {
    super::paged(super::tag_rows(&find(world, call)?.tags), call, "Tags")
}

/// How many roles have the policy.
pub(super) fn attachments(world: &World, arn: &str) -> usize {
    world.iam.roles.values().filter(|role| role.attached.iter().any(|attached| attached == arn)).count()
}

/// A change of the default version concerns every role that has the policy.
fn settle_all(world: &mut World, arn: &str, now: Moment) {
    let holders = world.iam.roles.values().filter(|role| role.attached.iter().any(|attached| attached == arn));
    for role in holders.map(|role| role.name.clone()).collect::<Vec<_>>() {
        force::settle(world, &role, now);
    }
}

fn version_number(call: &Call) -> Result<u32, AwsError> {
    let id = text::required(&call.input, "VersionId")?;
    id.strip_prefix('v').and_then(|number| number.parse().ok()).filter(|number| *number > 0).ok_or_else(|| {
        text::invalid(format!(
            "1 validation error detected: Value '{id}' at 'versionId' failed to satisfy constraint: Member must satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?"
        ))
    })
}

fn no_version(arn: &str, number: u32) -> AwsError {
    missing(format!("Policy {arn} version v{number} does not exist or is not attachable."))
}

fn conflict(message: &str) -> AwsError {
    AwsError::new(409, "DeleteConflict", message)
}

fn shown_version(version: &Version, default: u32, whole: bool) -> Value {
    let mut shown = json!({
        "VersionId": format!("v{}", version.number),
        "IsDefaultVersion": version.number == default,
        "CreateDate": version.created.iso(),
    });
    if whole {
        shown["Document"] = json!(&version.document);
    }
    shown
}

/// A policy as the API shows it; lists leave out tags and description.
fn shown(world: &World, policy: &Policy, whole: bool) -> Value {
    let mut shown = json!({
        "PolicyName": policy.name,
        "PolicyId": policy.id,
        "Arn": policy.arn,
        "Path": policy.path,
        "DefaultVersionId": format!("v{}", policy.default),
        "AttachmentCount": attachments(world, &policy.arn),
        "PermissionsBoundaryUsageCount": 0,
        "IsAttachable": true,
        "CreateDate": policy.created.iso(),
        "UpdateDate": policy.updated.iso(),
    });
    if whole {
        if !policy.tags.is_empty() {
            shown["Tags"] = super::tag_list(&policy.tags);
        }
        if let Some(description) = &policy.description {
            shown["Description"] = json!(description);
        }
    }
    shown
}
