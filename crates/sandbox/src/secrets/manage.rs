//! Everything about secrets but their values.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::{input, page};
use super::{Deletion, Secret, days, invalid, named};

pub(super) fn describe(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let secret = named(world, call, true)?;
    let mut shown = shown(secret);
    let stages = secret.versions.iter().filter(|version| !version.stages.is_empty());
    shown["VersionIdsToStages"] = stages.map(|version| (version.id.clone(), json!(version.stages))).collect();
    Ok(shown)
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, AwsError> {
    let size = input::number(&call.input, "MaxResults").unwrap_or(100);
    let Some(size) = usize::try_from(size).ok().filter(|size| (1..=100).contains(size)) else {
        return Err(invalid("MaxResults must be between 1 and 100."));
    };
    let deleted = input::flag(&call.input, "IncludePlannedDeletion").unwrap_or(false);
    let filters = input::list(&call.input, "Filters");
    let secrets =
        world.secrets.secrets.values().filter(|secret| {
            (deleted || secret.deletion.is_none()) && filters.iter().all(|filter| passes(secret, filter))
        });
    let rows = secrets.map(|secret| {
        let mut shown = shown(secret);
        let stages = secret.versions.iter().filter(|version| !version.stages.is_empty());
        shown["SecretVersionsToStages"] = stages.map(|version| (version.id.clone(), json!(version.stages))).collect();
        (secret.name.clone(), shown)
    });
    let (rows, next) = page::page(rows.collect(), input::text(&call.input, "NextToken"), size);
    let mut answer = json!({"SecretList": rows});
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// Whether one filter lets the secret through: one of its values must be the beginning of a value of the secret.
fn passes(secret: &Secret, filter: &Value) -> bool {
    let found: Vec<&str> = match input::text(filter, "Key") {
        Some("name") => vec![&secret.name],
        Some("description") => secret.description.iter().map(String::as_str).collect(),
        Some("tag-key") => secret.tags.keys().map(String::as_str).collect(),
        Some("tag-value") => secret.tags.values().map(String::as_str).collect(),
        Some("owning-service") => secret.owner.iter().map(String::as_str).collect(),
        _ => {
            let tags = secret.tags.iter().flat_map(|(key, value)| [key.as_str(), value.as_str()]);
            tags.chain([secret.name.as_str()]).chain(secret.description.as_deref()).collect()
        }
    };
    input::texts(filter, "Values").iter().any(|wanted| match wanted.strip_prefix('!') {
        Some(unwanted) => !found.iter().any(|value| value.starts_with(unwanted)),
        None => found.iter().any(|value| value.starts_with(wanted.as_str())),
    })
}

pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let window = input::number(&call.input, "RecoveryWindowInDays");
    let force = input::flag(&call.input, "ForceDeleteWithoutRecovery").unwrap_or(false);
    if force && window.is_some() {
        return Err(invalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."));
    }
    let window = u64::try_from(window.unwrap_or(30)).unwrap_or(0);
    if !(7..=30).contains(&window) {
        return Err(invalid("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
    }
    let secret = named(world, call, force)?;
    if let Some(owner) = &secret.owner {
        return Err(AwsError::new(
            400,
            "InvalidRequestException",
            format!("You can't delete a secret that is managed by another service: {owner}."),
        ));
    }
    let due = if force { call.now } else { call.now + days(window) };
    secret.deletion = Some(Deletion { asked: call.now, due });
    let answer = json!({"ARN": secret.arn, "Name": secret.name, "DeletionDate": due.unix_seconds()});
    super::tick(world, call.now);
    Ok(answer)
}

pub(super) fn restore(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let secret = named(world, call, true)?;
    secret.deletion = None;
    Ok(json!({"ARN": secret.arn, "Name": secret.name}))
}

pub(super) fn tag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let tags = input::tags(&call.input, "Tags");
    let secret = named(world, call, false)?;
    let fresh = tags.keys().filter(|key| !secret.tags.contains_key(*key)).count();
    if secret.tags.len() + fresh > 50 {
        return Err(invalid("You can't have more than 50 tags on a secret."));
    }
    if let Some(key) = tags.keys().find(|key| key.starts_with("aws:")) {
        return Err(invalid(format!("Tag keys can't start with aws: ({key}).")));
    }
    secret.tags.extend(tags);
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let secret = named(world, call, false)?;
    for key in input::texts(&call.input, "TagKeys") {
        secret.tags.remove(&key);
    }
    Ok(json!({}))
}

pub(super) fn resource_policy(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let secret = named(world, call, false)?;
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let Some(policy) = &secret.policy {
        answer["ResourcePolicy"] = json!(policy.to_string());
    }
    Ok(answer)
}

/// What descriptions and lists have in common.
fn shown(secret: &Secret) -> Value {
    let tags: Value = secret.tags.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    let mut shown = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "CreatedDate": secret.created.unix_seconds(),
        "LastChangedDate": secret.changed.unix_seconds(),
        "Tags": tags,
    });
    if let Some(description) = &secret.description {
        shown["Description"] = json!(description);
    }
    if let Some(key) = &secret.kms_key {
        shown["KmsKeyId"] = json!(key);
    }
    if let Some(owner) = &secret.owner {
        shown["OwningService"] = json!(owner);
    }
    if secret.rotation {
        shown["RotationEnabled"] = json!(true);
        shown["RotationLambdaARN"] = json!(secret.rotated_by);
        shown["RotationRules"] = json!({"AutomaticallyAfterDays": 7});
    }
    if let Some(deletion) = &secret.deletion {
        shown["DeletedDate"] = json!(deletion.asked.unix_seconds());
    }
    shown
}
