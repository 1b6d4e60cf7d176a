//! Keys, their policies and aliases.

use sandbox::Moment;
use sandbox::parts::Key;
use serde_json::{Value, json};

use super::Build;
use crate::facts::Kind;
use crate::read::{after_last, flag, string, text};

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (id, thing) in facts.all(Kind::Key) {
        let enabled = text(thing, "KeyState").map_or(flag(thing, "Enabled") == Some(true), |state| state == "Enabled");
        let key = Key {
            id: id.to_owned(),
            arn: string(thing, "Arn"),
            description: build.described(thing, "Description").unwrap_or_default(),
            aws_managed: text(thing, "KeyManager") == Some("AWS"),
            enabled,
            policy: policy(build, id),
            created: Moment::default(),
        };
        build.world.kms.keys.insert(id.to_owned(), key);
    }
    for (alias, thing) in facts.all(Kind::KeyAlias) {
        if let Some(id) = text(thing, "TargetKeyId") {
            build.world.kms.aliases.insert(alias.to_owned(), id.to_owned());
        }
    }
}

/// The policy of a key; where it was not read, the one that leaves the choice to the account's policies.
fn policy(build: &mut Build<'_>, id: &str) -> Value {
    let read = build.facts.one(Kind::KeyPolicy, id).and_then(|found| text(found, "Policy"));
    if let Some(policy) = read.and_then(|policy| serde_json::from_str(policy).ok()) {
        return policy;
    }
    build.gap(
        format!("the policy of the key {id}"),
        "was not read; in the copy it leaves the decision to the account's own policies",
    );
    let root = format!("arn:{}:iam::{}:root", build.world.partition, build.world.account);
    json!({ "Version": "2012-10-17", "Id": "key-default-1", "Statement": [{
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow", "Principal": { "AWS": root }, "Action": "kms:*", "Resource": "*" }] })
}

/// Puts a key there that is known by its id or ARN alone.
pub(super) fn stub(build: &mut Build<'_>, named: &str) {
    if named.contains("alias/") {
        return;
    }
    let id = after_last(named, '/').to_owned();
    if id.is_empty() || build.world.kms.keys.contains_key(&id) {
        return;
    }
    let arn = if named.starts_with("arn:") { named.to_owned() } else { build.arn("kms", &format!("key/{id}")) };
    let policy = policy(build, &id);
    build.gap(format!("the key {id}"), "was not read; the copy has an enabled key of the account's own");
    let key = Key {
        id: id.clone(),
        arn,
        description: String::new(),
        aws_managed: false,
        enabled: true,
        policy,
        created: Moment::default(),
    };
    build.world.kms.keys.insert(id, key);
}
