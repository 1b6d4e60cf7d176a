//! What Secrets Manager remembers.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::account::{AwsError, Call, Moment, Need, World};
use crate::policy::{self, Decision};
use crate::{iam, input, kms};

/// Secrets Manager's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Secrets {
    /// Secrets by name.
    pub secrets: BTreeMap<String, Secret>,
}

/// A secret.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its ARN, which ends in six characters of AWS's choice.
    pub arn: String,
    /// Words for people.
    pub description: Option<String>,
    /// The key as it was named; none for `aws/secretsmanager`.
    pub kms_key: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Versions, oldest first.
    pub versions: Vec<SecretVersion>,
    /// The service that manages it, `rds`.
    pub owner: Option<String>,
    /// Whether it rotates.
    pub rotation: bool,
    /// The ARN of the function that rotates it; none where the owning service does.
    #[serde(default)]
    pub rotated_by: Option<String>,
    /// The resource policy.
    pub policy: Option<Value>,
    /// When it was created.
    pub created: Moment,
    /// When its value last changed.
    pub changed: Moment,
    /// When deletion was asked for, and when it happens.
    pub deletion: Option<Deletion>,
}

/// A deletion that has been asked for.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Deletion {
    /// When it was asked for.
    pub asked: Moment,
    /// When it happens.
    pub due: Moment,
}

/// One version of a secret's value.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SecretVersion {
    /// The client's token, or a number of ours.
    #[serde(rename = "*id")]
    pub id: String,
    /// `SecretString`.
    #[serde(rename = "*text")]
    pub text: Option<String>,
    /// `SecretBinary`, as base64.
    #[serde(rename = "*binary")]
    pub binary: Option<String>,
    /// `AWSCURRENT`, `AWSPREVIOUS`, …
    pub stages: Vec<String>,
    /// When it was created.
    pub created: Moment,
}

impl Secret {
    /// A secret with one value that has been there for ever.
    pub(crate) fn settled(world: &mut World, name: &str, text: &str) -> Self {
        let arn = new_arn(world, name);
        let id = version_id(world, name);
        let current = SecretVersion {
            id,
            text: Some(text.to_owned()),
            stages: vec!["AWSCURRENT".to_owned()],
            ..SecretVersion::default()
        };
        Self { name: name.to_owned(), arn, versions: vec![current], ..Self::default() }
    }

    /// The version with that staging label.
    pub(crate) fn staged(&self, stage: &str) -> Option<&SecretVersion> {
        self.versions.iter().find(|version| version.stages.iter().any(|label| label == stage))
    }

    /// The database user whose password it holds, if its value has the form that a proxy understands.
    pub(crate) fn user(&self) -> Option<String> {
        let text = self.staged("AWSCURRENT")?.text.as_deref()?;
        let keys: Value = serde_json::from_str(text).ok()?;
        keys.get("password").and_then(Value::as_str)?;
        keys.get("username").and_then(Value::as_str).map(str::to_owned)
    }

    /// The password in it.
    pub(crate) fn password(&self) -> Option<String> {
        let keys: Value = serde_json::from_str(self.staged("AWSCURRENT")?.text.as_deref()?).ok()?;
        keys.get("password").and_then(Value::as_str).map(str::to_owned)
    }
}

/// The secret of that ARN (with or without the six characters at its end) or name.
pub(crate) fn find<'world>(world: &'world World, arn_or_name: &str) -> Option<&'world Secret> {
    let name = key(world, arn_or_name)?;
    world.secrets.secrets.get(&name)
}

/// The name of the secret that an ARN or a name means.
pub(super) fn key(world: &World, arn_or_name: &str) -> Option<String> {
    let secrets = &world.secrets.secrets;
    if !arn_or_name.starts_with("arn:") {
        return secrets.contains_key(arn_or_name).then(|| arn_or_name.to_owned());
    }
    let whole = secrets.values().find(|secret| secret.arn == arn_or_name);
    let partial =
        || secrets.values().find(|secret| secret.arn.rsplit_once('-').is_some_and(|(arn, _)| arn == arn_or_name));
    whole.or_else(partial).map(|secret| secret.name.clone())
}

/// Whether RDS Proxy can read the secret with that role now.
///
/// The proxy's requests carry no global condition key, so a policy that asks for one keeps it out.
pub(crate) fn may_read(world: &World, secret: &str, role_arn: &str, now: Moment) -> bool {
    let Some(secret) = find(world, secret).filter(|secret| secret.deletion.is_none()) else { return false };
    if !iam::role(world, role_arn).is_some_and(|role| role.trusts_proxy(world, now)) {
        return false;
    }
    let need = Need {
        action: "secretsmanager:GetSecretValue".to_owned(),
        resource: secret.arn.clone(),
        context: BTreeMap::new(),
    };
    let own = policy::evaluate(&iam::documents(world, role_arn, now), &need);
    let root = format!("arn:{}:iam::{}:root", world.partition, world.account);
    let resource = secret.policy.as_ref().map_or(Decision::ImplicitDeny, |document| {
        // The account as principal leaves the choice to the role's own policies, which are asked already.
        match policy::evaluate_resource_policy(document, &[role_arn], &need) {
            Decision::ImplicitDeny
                if policy::evaluate_resource_policy(document, &[&root], &need) == Decision::ExplicitDeny =>
            {
                Decision::ExplicitDeny
            }
            decision => decision,
        }
    });
    let denied = own == Decision::ExplicitDeny || resource == Decision::ExplicitDeny;
    let allowed = own == Decision::Allowed || resource == Decision::Allowed;
    let decrypts = secret.kms_key.as_deref().is_none_or(|key| {
        kms::find(world, key)
            .is_some_and(|key| key.aws_managed || kms::may_decrypt(world, &key.arn, role_arn, "secretsmanager", now))
    });
    allowed && !denied && decrypts && iam::ceiling(world, role_arn, &need) == Decision::Allowed
}

/// Lets time pass: what was to be deleted by now is gone.
pub(crate) fn tick(world: &mut World, now: Moment) {
    world.secrets.secrets.retain(|_, secret| secret.deletion.is_none_or(|deletion| now < deletion.due));
}

/// The secret that the call names, with its name, and only if it is not on its way out unless `deleted` says otherwise.
pub(super) fn named<'world>(
    world: &'world mut World,
    call: &Call,
    deleted: bool,
) -> Result<&'world mut Secret, AwsError> {
    let id = required(call, "SecretId")?;
    let secret = key(world, id).and_then(|name| world.secrets.secrets.get_mut(&name));
    let secret = secret.ok_or_else(not_found)?;
    if secret.deletion.is_some() && !deleted {
        return Err(AwsError::new(
            400,
            "InvalidRequestException",
            "You can't perform this operation on the secret because it was marked for deletion.",
        ));
    }
    Ok(secret)
}

pub(super) fn required<'call>(call: &'call Call, member: &str) -> Result<&'call str, AwsError> {
    input::text(&call.input, member).ok_or_else(|| {
        AwsError::new(
            400,
            "ValidationException",
            format!(
                "1 validation error detected: Value null at '{}{}' failed to satisfy constraint: Member must not be null",
                member.get(..1).unwrap_or_default().to_ascii_lowercase(),
                member.get(1..).unwrap_or_default()
            ),
        )
    })
}

pub(super) fn not_found() -> AwsError {
    AwsError::new(400, "ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterException", message)
}

/// An ARN with six characters of its own at the end.
pub(super) fn new_arn(world: &mut World, name: &str) -> String {
    let hash = world.id("", &format!("secret/{name}"));
    let tail: String = hash.chars().take(6).collect();
    world.arn("secretsmanager", &format!("secret:{name}-{tail}"))
}

/// A version id in the form of the UUIDs that AWS gives.
pub(super) fn version_id(world: &mut World, name: &str) -> String {
    let digits: String =
        format!("{}{}", world.id("", &format!("version/{name}")), world.id("", &format!("version2/{name}")));
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default().to_owned();
    format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(17, 21), part(21, 33))
}

/// So many days.
pub(super) fn days(count: u64) -> Duration {
    Duration::from_secs(count * 86_400)
}
