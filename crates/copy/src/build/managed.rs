//! The keys of secrets that RDS manages: the database names them, whether or not the secret itself was read.

use sandbox::Moment;
use sandbox::parts::Key;

use super::Build;
use crate::facts::Kind;
use crate::read::{after_last, inner, text};

/// The key that Secrets Manager has of its own in every account that uses it.
const OWN: &str = "alias/aws/secretsmanager";

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (_, thing) in facts.all(Kind::Instance).chain(facts.all(Kind::Cluster)) {
        let named = inner(thing, "MasterUserSecret");
        let Some(key) = named.and_then(|secret| text(secret, "KmsKeyId")) else { continue };
        let secret = named.and_then(|secret| text(secret, "SecretArn")).unwrap_or_default();
        put(build, secret, key);
    }
}

/// Puts a key there: that of the secret, where it is known to be one of the account's own, or else Secrets Manager's.
fn put(build: &mut Build<'_>, secret: &str, arn: &str) {
    let id = after_last(arn, '/').to_owned();
    let customers = build.world.kms.keys.get(&id).is_some_and(|key| !key.aws_managed);
    let read = build.facts.one(Kind::Secret, secret);
    let said = read.and_then(|secret| text(secret, "KmsKeyId")).is_some_and(|key| after_last(key, '/') == id);
    if customers || said {
        if let Some(found) = build.world.secrets.secrets.values_mut().find(|found| found.arn == secret) {
            found.kms_key = Some(arn.to_owned());
        }
        return;
    }
    if !build.world.kms.keys.contains_key(&id) {
        if read.is_none() {
            build.gap(format!("the key {id}"), "was not read; in the copy it is Secrets Manager's own");
        }
        let key = Key {
            id: id.clone(),
            arn: arn.to_owned(),
            description: String::new(),
            aws_managed: true,
            enabled: true,
            policy: serde_json::Value::Null,
            created: Moment::default(),
        };
        build.world.kms.keys.insert(id.clone(), key);
    }
    build.world.kms.aliases.entry(OWN.to_owned()).or_insert(id);
}
