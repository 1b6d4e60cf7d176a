//! Secrets' values and their versions.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::{input, kms};
use super::{Secret, SecretVersion, invalid, named, required};

const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = required(call, "Name")?;
    let allowed = |character: char| character.is_ascii_alphanumeric() || "-/_+=.@!".contains(character);
    if name.len() > 512 || !name.chars().all(allowed) {
        return Err(invalid(
            "Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!",
        ));
    }
    let tags = input::tags(&call.input, "Tags");
    if tags.len() > 50 || tags.keys().any(|key| key.starts_with("aws:")) {
        return Err(invalid("The tags of a secret must be at most 50, and their keys can't start with aws:."));
    }
    check_key(world, call)?;
    let fresh = version(world, name, call)?;
    if let Some(known) = world.secrets.secrets.get(name) {
        return recreate(known, fresh.as_ref(), name);
    }
    let mut secret = Secret {
        name: name.to_owned(),
        arn: super::new_arn(world, name),
        description: input::text(&call.input, "Description").map(str::to_owned),
        kms_key: input::text(&call.input, "KmsKeyId").map(str::to_owned),
        tags,
        created: call.now,
        changed: call.now,
        ..Secret::default()
    };
    let mut answer = json!({"ARN": secret.arn, "Name": name});
    if let Some(fresh) = fresh {
        answer["VersionId"] = json!(fresh.id);
        promote(&mut secret, fresh);
    }
    world.secrets.secrets.insert(name.to_owned(), secret);
    Ok(answer)
}

/// A second creation is no error if it is the first one sent again.
fn recreate(known: &Secret, fresh: Option<&SecretVersion>, name: &str) -> Result<Value, AwsError> {
    if known.deletion.is_some() {
        return Err(AwsError::new(
            400,
            "InvalidRequestException",
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
        ));
    }
    match fresh {
        Some(fresh) if known.versions.iter().any(|version| version.id == fresh.id && same_value(version, fresh)) => {
            Ok(json!({"ARN": known.arn, "Name": name, "VersionId": fresh.id}))
        }
        _ => Err(AwsError::new(
            400,
            "ResourceExistsException",
            format!("The operation failed because the secret {name} already exists."),
        )),
    }
}

pub(super) fn put(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = named(world, call, false)?.name.clone();
    let Some(fresh) = version(world, &name, call)? else {
        return Err(invalid("You must provide either SecretString or SecretBinary."));
    };
    let stages = input::texts(&call.input, "VersionStages");
    let secret = named(world, call, false)?;
    add(secret, fresh.clone(), &stages)?;
    secret.changed = call.now;
    let stages = secret.versions.iter().find(|version| version.id == fresh.id).map(|version| version.stages.clone());
    Ok(
        json!({"ARN": secret.arn, "Name": secret.name, "VersionId": fresh.id, "VersionStages": stages.unwrap_or_default()}),
    )
}

pub(super) fn update(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    check_key(world, call)?;
    let name = named(world, call, false)?.name.clone();
    let fresh = version(world, &name, call)?;
    let secret = named(world, call, false)?;
    let mut answer = json!({"ARN": secret.arn, "Name": secret.name});
    if let Some(fresh) = fresh {
        answer["VersionId"] = json!(fresh.id);
        add(secret, fresh, &[])?;
    }
    if let Some(description) = input::text(&call.input, "Description") {
        secret.description = Some(description.to_owned());
    }
    if let Some(key) = input::text(&call.input, "KmsKeyId") {
        secret.kms_key = Some(key.to_owned());
    }
    secret.changed = call.now;
    Ok(answer)
}

pub(super) fn get(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let secret = named(world, call, false)?;
    let stage = input::text(&call.input, "VersionStage");
    let id = input::text(&call.input, "VersionId");
    let found = match (id, stage) {
        (Some(id), _) => secret.versions.iter().find(|version| {
            version.id == id && stage.is_none_or(|stage| version.stages.iter().any(|label| label == stage))
        }),
        (None, stage) => secret.staged(stage.unwrap_or(CURRENT)),
    };
    let Some(version) = found else {
        let what =
            id.map_or_else(|| format!("staging label: {}", stage.unwrap_or(CURRENT)), |id| format!("VersionId: {id}"));
        return Err(AwsError::new(
            400,
            "ResourceNotFoundException",
            format!("Secrets Manager can't find the specified secret value for {what}"),
        ));
    };
    let mut answer = json!({
        "ARN": secret.arn,
        "Name": secret.name,
        "VersionId": version.id,
        "VersionStages": version.stages,
        "CreatedDate": version.created.unix_seconds(),
    });
    if let Some(text) = &version.text {
        answer["SecretString"] = json!(text);
    }
    if let Some(binary) = &version.binary {
        answer["SecretBinary"] = json!(binary);
    }
    Ok(answer)
}

/// The version that the call brings, if it brings a value.
fn version(world: &mut World, name: &str, call: &Call) -> Result<Option<SecretVersion>, AwsError> {
    let text = call.input.get("SecretString").and_then(Value::as_str).map(str::to_owned);
    let binary = call.input.get("SecretBinary").and_then(Value::as_str).map(str::to_owned);
    if text.is_some() && binary.is_some() {
        return Err(invalid(
            "You can't specify both a binary secret value and a string secret value in the same secret.",
        ));
    }
    if text.as_ref().or(binary.as_ref()).is_none() {
        return Ok(None);
    }
    if text.as_ref().or(binary.as_ref()).is_some_and(|value| value.len() > 65_536) {
        return Err(invalid("The secret value must be at most 65536 bytes."));
    }
    let id = match input::text(&call.input, "ClientRequestToken") {
        Some(token) if (32..=64).contains(&token.len()) => token.to_owned(),
        Some(_) => return Err(invalid("ClientRequestToken must be 32-64 characters long.")),
        None => super::version_id(world, name),
    };
    Ok(Some(SecretVersion { id, text, binary, stages: Vec::new(), created: call.now }))
}

/// Adds a version under its labels; one that is there already with the same value is fine.
fn add(secret: &mut Secret, fresh: SecretVersion, stages: &[String]) -> Result<(), AwsError> {
    if let Some(known) = secret.versions.iter().find(|version| version.id == fresh.id) {
        if same_value(known, &fresh) {
            return Ok(());
        }
        return Err(AwsError::new(
            400,
            "ResourceExistsException",
            format!(
                "You can't use ClientRequestToken {} because that value is already in use for a version of secret {}.",
                fresh.id, secret.arn
            ),
        ));
    }
    if stages.is_empty() || stages.iter().any(|stage| stage == CURRENT) {
        let id = fresh.id.clone();
        promote(secret, fresh);
        label(secret, &id, stages);
    } else {
        let id = fresh.id.clone();
        secret.versions.push(fresh);
        label(secret, &id, stages);
    }
    Ok(())
}

/// Makes the version the current one and the current one the previous one.
fn promote(secret: &mut Secret, fresh: SecretVersion) {
    let current = secret.staged(CURRENT).map(|version| version.id.clone());
    let id = fresh.id.clone();
    secret.versions.push(fresh);
    label(secret, &id, &[CURRENT.to_owned()]);
    if let Some(current) = current {
        label(secret, &current, &[PREVIOUS.to_owned()]);
    }
    // A version without a label is one that AWS forgets.
    secret.versions.retain(|version| !version.stages.is_empty());
}

/// Moves labels to a version; a label stands on one version only.
fn label(secret: &mut Secret, id: &str, stages: &[String]) {
    for version in &mut secret.versions {
        version.stages.retain(|stage| !stages.contains(stage));
        if version.id == id {
            version.stages.extend(stages.iter().cloned());
        }
    }
}

fn same_value(one: &SecretVersion, other: &SecretVersion) -> bool {
    one.text == other.text && one.binary == other.binary
}

fn check_key(world: &World, call: &Call) -> Result<(), AwsError> {
    match input::text(&call.input, "KmsKeyId") {
        Some(key) if kms::find(world, key).is_none_or(|key| !key.enabled) => Err(AwsError::new(
            400,
            "EncryptionFailure",
            "Secrets Manager can't encrypt the protected secret text using the provided KMS key. Check that the KMS key is available, enabled, and not in an invalid state.",
        )),
        _ => Ok(()),
    }
}
