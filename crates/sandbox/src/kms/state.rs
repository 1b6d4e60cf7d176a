//! What KMS remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::account::{AwsError, Moment, Need, World};
use crate::iam;
use crate::policy::{self, Decision};

/// KMS's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Kms {
    /// Keys by key id.
    pub keys: BTreeMap<String, Key>,
    /// Key ids by alias, `alias/aws/secretsmanager`.
    pub aliases: BTreeMap<String, String>,
}

/// A key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Key {
    /// A UUID.
    pub id: String,
    /// Its ARN.
    pub arn: String,
    /// Words for people.
    pub description: String,
    /// Whether AWS manages it (`KeyManager` `AWS`).
    pub aws_managed: bool,
    /// Whether it can be used.
    pub enabled: bool,
    /// The key policy.
    pub policy: Value,
    /// When it was created.
    pub created: Moment,
}

impl Key {
    /// Puts a service's own key there, under `alias/aws/SERVICE`, and answers its ARN.
    pub(crate) fn aws_managed(world: &mut World, service: &str) -> String {
        let via = format!("{service}.{}.amazonaws.com", world.region);
        let policy = json!({"Version": "2012-10-17", "Id": format!("auto-{service}-2"), "Statement": [{
            "Sid": format!("Allow access through {service} for all principals in the account that are authorized to use it"),
            "Effect": "Allow",
            "Principal": {"AWS": "*"},
            "Action": ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:CreateGrant", "kms:DescribeKey"],
            "Resource": "*",
            "Condition": {"StringEquals": {"kms:CallerAccount": world.account, "kms:ViaService": via}},
        }]});
        let description = format!("Default key that protects my {service} data when no other key is defined");
        let alias = format!("alias/aws/{service}");
        let key = Self::put(world, &alias, &description, true, policy);
        world.kms.aliases.insert(alias, key.id);
        key.arn
    }

    /// A key policy that leaves the choice to the account's IAM policies.
    pub(super) fn default_policy(world: &World) -> Value {
        let root = format!("arn:{}:iam::{}:root", world.partition, world.account);
        json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*",
        }]})
    }

    pub(super) fn put(
        world: &mut World,
        natural_key: &str,
        description: &str,
        aws_managed: bool,
        policy: Value,
    ) -> Self {
        let digits =
            format!("{}{}", world.id("", &format!("key/{natural_key}")), world.id("", &format!("key2/{natural_key}")));
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        let id = format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(17, 21), part(21, 33));
        let key = Self {
            id: id.clone(),
            arn: world.arn("kms", &format!("key/{id}")),
            description: description.to_owned(),
            aws_managed,
            enabled: true,
            policy,
            created: Moment::default(),
        };
        world.kms.keys.insert(id, key.clone());
        key
    }

    pub(super) fn shown(&self, world: &World) -> Value {
        json!({
            "AWSAccountId": world.account,
            "KeyId": self.id,
            "Arn": self.arn,
            "CreationDate": self.created.unix_seconds(),
            "Enabled": self.enabled,
            "Description": self.description,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "KeyState": if self.enabled { "Enabled" } else { "Disabled" },
            "Origin": "AWS_KMS",
            "KeyManager": if self.aws_managed { "AWS" } else { "CUSTOMER" },
            "CustomerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "EncryptionAlgorithms": ["SYMMETRIC_DEFAULT"],
            "MultiRegion": false,
        })
    }
}

/// The key of that id, ARN, alias or alias ARN.
pub(crate) fn find<'world>(world: &'world World, name: &str) -> Option<&'world Key> {
    let local = match name.strip_prefix("arn:") {
        Some(_) => {
            let resource = name.splitn(6, ':').nth(5)?;
            let whole = world.arn("kms", resource);
            Some(resource).filter(|_| whole == name)?
        }
        None => name,
    };
    let id = match local.strip_prefix("key/") {
        Some(id) => id,
        None if local.starts_with("alias/") => world.kms.aliases.get(local)?,
        None => local,
    };
    world.kms.keys.get(id)
}

/// What a call through another service needs of a key.
pub(crate) fn need_via(world: &World, action: &str, key_arn: &str, via_service: &str) -> Need {
    let context = BTreeMap::from([
        ("kms:ViaService".to_owned(), vec![format!("{via_service}.{}.amazonaws.com", world.region)]),
        ("kms:CallerAccount".to_owned(), vec![world.account.clone()]),
    ]);
    Need { action: action.to_owned(), resource: key_arn.to_owned(), context }
}

/// Whether a role may decrypt with a key through a service (`secretsmanager`, `lambda`) now.
///
/// The key policy must name the role, or name the account and so leave the choice to the role's policies.
pub(crate) fn may_decrypt(world: &World, key_arn: &str, role_arn: &str, via_service: &str, now: Moment) -> bool {
    let Some(key) = find(world, key_arn).filter(|key| key.enabled) else { return false };
    let need = need_via(world, "kms:Decrypt", &key.arn, via_service);
    let own = policy::evaluate(&iam::documents(world, role_arn, now), &need);
    // A key policy that names the role is limited by these too.
    let ceiling = iam::ceiling(world, role_arn, &need);
    let root = format!("arn:{}:iam::{}:root", world.partition, world.account);
    let named = policy::evaluate_resource_policy(&key.policy, &[role_arn], &need);
    let account = policy::evaluate_resource_policy(&key.policy, &[&root, &world.account], &need);
    if ceiling != Decision::Allowed || [own, named, account].contains(&Decision::ExplicitDeny) {
        return false;
    }
    named == Decision::Allowed || (account == Decision::Allowed && own == Decision::Allowed)
}

pub(super) fn no_key(world: &World, id: &str) -> AwsError {
    let message = match id {
        alias if alias.starts_with("alias/") => format!("Alias {} is not found.", world.arn("kms", alias)),
        arn if arn.starts_with("arn:") => format!("Key '{arn}' does not exist"),
        key => format!("Key '{}' does not exist", world.arn("kms", &format!("key/{key}"))),
    };
    AwsError::new(400, "NotFoundException", message)
}
