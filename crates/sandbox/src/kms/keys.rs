//! Keys, their aliases and their policies.

use serde_json::{Value, json};

use super::{Key, find, no_key};
use crate::account::{AwsError, Call, World};
use crate::{input, page, policy};

pub(super) fn describe(world: &World, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"KeyMetadata": named(world, call)?.shown(world)}))
}

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let policy = match input::text(&call.input, "Policy") {
        Some(text) => checked_policy(text)?,
        None => Key::default_policy(world),
    };
    let description = input::text(&call.input, "Description").unwrap_or_default();
    let id = Key::put(world, description, description, false, policy).id;
    let key = world.kms.keys.get_mut(&id).map(|key| {
        key.created = call.now;
        key.clone()
    });
    Ok(json!({"KeyMetadata": key.map(|key| key.shown(world))}))
}

pub(super) fn create_alias(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let alias = input::text(&call.input, "AliasName").unwrap_or_default();
    let allowed = |character: char| character.is_ascii_alphanumeric() || "/_-".contains(character);
    let name = alias.strip_prefix("alias/").filter(|name| !name.is_empty() && name.chars().all(allowed));
    if name.is_none_or(|name| name.starts_with("aws/")) {
        return Err(AwsError::new(400, "InvalidAliasNameException", format!("The alias name {alias} is not allowed.")));
    }
    if world.kms.aliases.contains_key(alias) {
        let message = format!("An alias with the name {} already exists", world.arn("kms", alias));
        return Err(AwsError::new(400, "AlreadyExistsException", message));
    }
    let target = input::text(&call.input, "TargetKeyId").unwrap_or_default();
    let id = find(world, target).ok_or_else(|| no_key(world, target))?.id.clone();
    world.kms.aliases.insert(alias.to_owned(), id);
    Ok(json!({}))
}

pub(super) fn put_policy(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let policy = checked_policy(input::text(&call.input, "Policy").unwrap_or_default())?;
    change(world, call, |key| key.policy = policy)
}

/// Changes a customer's key.
pub(super) fn change(world: &mut World, call: &Call, change: impl FnOnce(&mut Key)) -> Result<Value, AwsError> {
    let key = named(world, call)?;
    if key.aws_managed {
        let message = format!("{} is managed by AWS and cannot be changed.", key.arn);
        return Err(AwsError::new(400, "AccessDeniedException", message));
    }
    let id = key.id.clone();
    if let Some(key) = world.kms.keys.get_mut(&id) {
        change(key);
    }
    Ok(json!({}))
}

pub(super) fn checked_policy(text: &str) -> Result<Value, AwsError> {
    let policy = serde_json::from_str(text).ok().filter(|policy| policy::statements(policy).next().is_some());
    policy.ok_or_else(|| {
        AwsError::new(400, "MalformedPolicyDocumentException", "The new key policy is not a valid policy document.")
    })
}

pub(super) fn key_policy(world: &World, call: &Call) -> Result<Value, AwsError> {
    let id = input::text(&call.input, "KeyId").unwrap_or_default();
    if id.contains("alias/") {
        return Err(AwsError::new(400, "InvalidArnException", format!("Invalid keyId '{id}'")));
    }
    let name = input::text(&call.input, "PolicyName").unwrap_or("default");
    let key = named(world, call)?;
    if name != "default" {
        return Err(AwsError::new(400, "NotFoundException", format!("No such policy exists: {name}")));
    }
    let text = serde_json::to_string_pretty(&key.policy).unwrap_or_default();
    Ok(json!({"Policy": text, "PolicyName": name}))
}

pub(super) fn list_aliases(world: &World, call: &Call) -> Result<Value, AwsError> {
    let limit = input::number(&call.input, "Limit").unwrap_or(50);
    let Some(limit) = usize::try_from(limit).ok().filter(|limit| (1..=100).contains(limit)) else {
        return Err(AwsError::new(400, "ValidationException", "Limit must be between 1 and 100."));
    };
    let wanted = match input::text(&call.input, "KeyId") {
        Some(_) => Some(&named(world, call)?.id),
        None => None,
    };
    let rows =
        world.kms.aliases.iter().filter(|(_, id)| wanted.is_none_or(|wanted| wanted == *id)).map(|(alias, id)| {
            let created = world.kms.keys.get(id).map(|key| key.created).unwrap_or_default().unix_seconds();
            let shown = json!({
                "AliasName": alias,
                "AliasArn": world.arn("kms", alias),
                "TargetKeyId": id,
                "CreationDate": created,
                "LastUpdatedDate": created,
            });
            (alias.clone(), shown)
        });
    let (rows, next) = page::page(rows.collect(), input::text(&call.input, "Marker"), limit);
    let mut answer = json!({"Aliases": rows, "Truncated": next.is_some()});
    if let Some(next) = next {
        answer["NextMarker"] = json!(next);
    }
    Ok(answer)
}

pub(super) fn named<'world>(world: &'world World, call: &Call) -> Result<&'world Key, AwsError> {
    let Some(id) = input::text(&call.input, "KeyId") else {
        return Err(AwsError::new(
            400,
            "ValidationException",
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        ));
    };
    find(world, id).ok_or_else(|| no_key(world, id))
}
