//! Secrets, without what is secret in them.

use std::time::Duration;

use sandbox::Moment;
use sandbox::parts::{Deletion, Secret, SecretVersion};
use serde_json::json;

use super::Build;
use crate::facts::{Kind, Thing};
use crate::mask::USER;
use crate::read::{each, flag, inner, text};

const CURRENT: &str = "AWSCURRENT";

/// How long a deleted secret can be restored, unless its owner chose less.
const WINDOW: Duration = Duration::from_hours(30 * 24);

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (arn, thing) in facts.all(Kind::Secret) {
        put(build, arn, thing);
    }
}

/// Puts a secret there with what was read of it, which may be nothing but its ARN.
pub(super) fn put(build: &mut Build<'_>, arn: &str, thing: &Thing) {
    let name = text(thing, "Name").map(str::to_owned).or_else(|| name_in(arn));
    let Some(name) = name else { return };
    let tags = build.tags(thing.get("Tags"));
    let user = tags.get(USER).cloned().or_else(|| master_user(build, arn));
    let policy = build.facts.one(Kind::SecretPolicy, arn).and_then(|found| text(found, "ResourcePolicy"));
    let deletion = thing.contains_key("DeletedDate").then(|| {
        let asked = super::others::now();
        Deletion { asked, due: asked + WINDOW }
    });
    if !build.facts.knows(Kind::SecretPolicy, arn) && deletion.is_none() {
        build.gap(format!("the resource policy of the secret {name}"), "was not read; the copy has none");
    }
    if deletion.is_some() {
        build.gap(format!("the end of the secret {name}"), "is thirty days away, whatever window was chosen");
    }
    let secret = Secret {
        arn: arn.to_owned(),
        description: build.described(thing, "Description"),
        kms_key: text(thing, "KmsKeyId").map(str::to_owned),
        tags,
        versions: versions(build, arn, &name, thing, user.as_deref()),
        owner: text(thing, "OwningService").map(str::to_owned),
        rotation: flag(thing, "RotationEnabled") == Some(true),
        rotated_by: text(thing, "RotationLambdaARN").map(str::to_owned),
        policy: policy.and_then(|policy| serde_json::from_str(policy).ok()),
        created: Moment::default(),
        changed: Moment::default(),
        deletion,
        name: name.clone(),
    };
    build.world.secrets.secrets.insert(name, secret);
}

fn versions(build: &mut Build<'_>, arn: &str, name: &str, thing: &Thing, user: Option<&str>) -> Vec<SecretVersion> {
    let facts = build.facts;
    let mut versions: Vec<SecretVersion> = Vec::new();
    let shown = inner(thing, "stages");
    for (id, _) in shown.into_iter().flatten() {
        let stages = shown.map(|shown| crate::read::texts(shown, id)).unwrap_or_default();
        versions.push(SecretVersion { id: id.clone(), stages, ..SecretVersion::default() });
    }
    let read = |id: &str| facts.of(Kind::SecretValue, arn).find(|(version, _)| *version == id).map(|(_, value)| value);
    for (id, _) in facts.of(Kind::SecretValue, arn) {
        if !versions.iter().any(|version| version.id == id) {
            versions.push(SecretVersion { id: id.to_owned(), ..SecretVersion::default() });
        }
    }
    if versions.is_empty() && shown.is_none() {
        let digits = format!("{}{}", build.digits(arn), build.digits(name));
        versions.push(SecretVersion { id: digits, ..SecretVersion::default() });
    }
    // A value that was read without its stages is the one that is handed out.
    let current = |version: &SecretVersion| version.stages.iter().any(|stage| stage == CURRENT);
    if !versions.iter().any(current)
        && let Some(bare) = versions.iter_mut().find(|version| version.stages.is_empty())
    {
        bare.stages.push(CURRENT.to_owned());
    }
    versions.retain(|version| !version.stages.is_empty());
    // Oldest first: what is pending or previous says which way.
    versions.sort_by_key(|version| (order(&version.stages), version.id.clone()));
    let mut assumed = false;
    for version in &mut versions {
        if let Some(value) = read(&version.id) {
            version.text = text(value, "text").map(str::to_owned);
            version.binary = text(value, "binary").map(str::to_owned);
        } else {
            assumed |= current(version);
            let value = json!({ "username": user.unwrap_or("unknown"), "password": "x".repeat(16) });
            version.text = Some(value.to_string());
        }
    }
    if assumed {
        let user = user.map_or_else(|| "an unknown user".to_owned(), |user| format!("the user {user}"));
        build.gap(
            format!("the value of the secret {name}"),
            format!("was not read; the copy assumes a user name and a password, for {user}"),
        );
    }
    versions
}

fn order(stages: &[String]) -> u8 {
    let has = |stage: &str| stages.iter().any(|held| held == stage);
    match () {
        () if has(CURRENT) => 1,
        () if has("AWSPENDING") => 2,
        () => 0,
    }
}

/// The master user of the database whose managed secret it is.
fn master_user(build: &Build<'_>, arn: &str) -> Option<String> {
    let rds = &build.world.rds;
    let instances = rds.instances.values().map(|found| (&found.master_secret, &found.master_user));
    let clusters = rds.clusters.values().map(|found| (&found.master_secret, &found.master_user));
    let own = instances.chain(clusters).find(|(secret, _)| secret.as_deref() == Some(arn));
    own.map(|(_, user)| user.clone()).filter(|user| !user.is_empty())
}

/// The name in an ARN, which ends in a dash and six characters of AWS's choice.
pub(super) fn name_in(arn: &str) -> Option<String> {
    let (_, local) = arn.split_once(":secret:")?;
    let name = match local.rsplit_once('-') {
        Some((name, tail)) if tail.len() == 6 => name,
        _ => local,
    };
    (!name.is_empty()).then(|| name.to_owned())
}

/// The secrets that databases, proxies and functions name by their ARNs.
pub(super) fn named(build: &Build<'_>) -> Vec<String> {
    let rds = &build.world.rds;
    let masters = rds.instances.values().filter_map(|found| found.master_secret.clone());
    let clusters = rds.clusters.values().filter_map(|found| found.master_secret.clone());
    let proxies = build.facts.all(Kind::Proxy).flat_map(|(_, proxy)| each(proxy, "Auth", "SecretArn"));
    masters.chain(clusters).chain(proxies).collect()
}
