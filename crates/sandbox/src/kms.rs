//! KMS: keys, aliases, and who may decrypt with them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::account::{AwsError, Call, Moment, Need, World};
use super::policy::{self, Decision};
use super::{iam, input, page};

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
    pub(super) fn aws_managed(world: &mut World, service: &str) -> String {
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
    fn default_policy(world: &World) -> Value {
        let root = format!("arn:{}:iam::{}:root", world.partition, world.account);
        json!({"Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
            "Sid": "Enable IAM User Permissions",
            "Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*",
        }]})
    }

    fn put(world: &mut World, natural_key: &str, description: &str, aws_managed: bool, policy: Value) -> Self {
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

    fn shown(&self, world: &World) -> Value {
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
pub(super) fn find<'world>(world: &'world World, name: &str) -> Option<&'world Key> {
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
pub(super) fn need_via(world: &World, action: &str, key_arn: &str, via_service: &str) -> Need {
    let context = BTreeMap::from([
        ("kms:ViaService".to_owned(), vec![format!("{via_service}.{}.amazonaws.com", world.region)]),
        ("kms:CallerAccount".to_owned(), vec![world.account.clone()]),
    ]);
    Need { action: action.to_owned(), resource: key_arn.to_owned(), context }
}

/// Whether a role may decrypt with a key through a service (`secretsmanager`, `lambda`) now.
///
/// The key policy must name the role, or name the account and so leave the choice to the role's policies.
pub(super) fn may_decrypt(world: &World, key_arn: &str, role_arn: &str, via_service: &str, now: Moment) -> bool {
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

/// Acts and answers.
pub(super) fn handle(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    match call.action.as_str() {
        "DescribeKey" => describe(world, call),
        "GetKeyPolicy" => key_policy(world, call),
        "ListAliases" => list_aliases(world, call),
        "CreateKey" => create(world, call),
        "CreateAlias" => create_alias(world, call),
        "PutKeyPolicy" => put_policy(world, call),
        "EnableKey" => change(world, call, |key| key.enabled = true),
        "DisableKey" => change(world, call, |key| key.enabled = false),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(super) fn mutating(action: &str) -> bool {
    !["Get", "List", "Describe"].iter().any(|verb| action.starts_with(verb))
}

/// The permissions that the call needs.
pub(super) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let key = input::text(&call.input, "KeyId").or_else(|| input::text(&call.input, "TargetKeyId"));
    let resource = match key.and_then(|key| find(world, key)) {
        Some(key) if call.action != "ListAliases" => key.arn.clone(),
        _ => "*".to_owned(),
    };
    let need = |resource| Need { action: format!("kms:{}", call.action), resource, context: BTreeMap::new() };
    let alias = input::text(&call.input, "AliasName").map(|alias| need(world.arn("kms", alias)));
    // A new alias is a resource beside the key that it names.
    std::iter::once(need(resource)).chain(alias).collect()
}

fn describe(world: &World, call: &Call) -> Result<Value, AwsError> {
    Ok(json!({"KeyMetadata": named(world, call)?.shown(world)}))
}

fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
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

fn create_alias(world: &mut World, call: &Call) -> Result<Value, AwsError> {
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

fn put_policy(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let policy = checked_policy(input::text(&call.input, "Policy").unwrap_or_default())?;
    change(world, call, |key| key.policy = policy)
}

/// Changes a customer's key.
fn change(world: &mut World, call: &Call, change: impl FnOnce(&mut Key)) -> Result<Value, AwsError> {
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

fn checked_policy(text: &str) -> Result<Value, AwsError> {
    let policy = serde_json::from_str(text).ok().filter(|policy| policy::statements(policy).next().is_some());
    policy.ok_or_else(|| {
        AwsError::new(400, "MalformedPolicyDocumentException", "The new key policy is not a valid policy document.")
    })
}

fn key_policy(world: &World, call: &Call) -> Result<Value, AwsError> {
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

fn list_aliases(world: &World, call: &Call) -> Result<Value, AwsError> {
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

fn named<'world>(world: &'world World, call: &Call) -> Result<&'world Key, AwsError> {
    let Some(id) = input::text(&call.input, "KeyId") else {
        return Err(AwsError::new(
            400,
            "ValidationException",
            "1 validation error detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null",
        ));
    };
    find(world, id).ok_or_else(|| no_key(world, id))
}

fn no_key(world: &World, id: &str) -> AwsError {
    let message = match id {
        alias if alias.starts_with("alias/") => format!("Alias {} is not found.", world.arn("kms", alias)),
        arn if arn.starts_with("arn:") => format!("Key '{arn}' does not exist"),
        key => format!("Key '{}' does not exist", world.arn("kms", &format!("key/{key}"))),
    };
    AwsError::new(400, "NotFoundException", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer_key(world: &mut World, policy: Option<Value>) -> String {
        let policy = policy.unwrap_or_else(|| Key::default_policy(world));
        let key = Key::put(world, "mine", "", false, policy);
        world.kms.aliases.insert("alias/mine".into(), key.id);
        key.arn
    }

    fn world_with_role(inline: &Value) -> (World, String) {
        let mut world = World::empty();
        let role = iam::Role::settled(&world.account, &world.partition, "/", "proxy", "{}")
            .with_inline("p", &inline.to_string());
        let arn = role.arn.clone();
        world.iam.roles.insert("proxy".into(), role);
        (world, arn)
    }

    #[test]
    fn a_key_that_leaves_it_to_iam_needs_a_policy_of_the_role() {
        let allow = json!({"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
            "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}}]});
        let (mut world, role) = world_with_role(&allow);
        let key = customer_key(&mut world, None);
        assert!(may_decrypt(&world, &key, &role, "secretsmanager", Moment(0)));
        assert!(!may_decrypt(&world, &key, &role, "lambda", Moment(0)));
        assert!(find(&world, "alias/mine").is_some_and(|found| found.arn == key));

        let (mut world, role) = world_with_role(&json!({"Statement": []}));
        let key = customer_key(&mut world, None);
        assert!(!may_decrypt(&world, &key, &role, "secretsmanager", Moment(0)));
    }

    #[test]
    fn a_key_that_names_the_role_or_the_service_asks_no_policy_of_it() {
        let (mut world, role) = world_with_role(&json!({"Statement": []}));
        let policy = json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"}});
        let key = customer_key(&mut world, Some(policy));
        assert!(may_decrypt(&world, &key, &role, "secretsmanager", Moment(0)));
        let own = Key::aws_managed(&mut world, "secretsmanager");
        assert!(may_decrypt(&world, &own, &role, "secretsmanager", Moment(0)));
        assert!(!may_decrypt(&world, &own, &role, "lambda", Moment(0)));
    }
}
