//! Managed policies.

use sandbox::Moment;
use sandbox::parts::{Policy, Version};

use super::Build;
use crate::facts::{Kind, Thing};
use crate::read::{document, iam, string, text};

/// A document that says nothing.
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":[]}"#;

pub(super) fn build(build: &mut Build<'_>) {
    // AWS's own policies are in every account, under the ARNs of its partition.
    let own = std::mem::take(&mut build.world.iam.policies).into_values();
    let partition = format!("arn:{}:", build.world.partition);
    build.world.iam.policies = own
        .map(|mut policy| {
            policy.arn = policy.arn.replacen("arn:aws:", &partition, 1);
            (policy.arn.clone(), policy)
        })
        .collect();
    let facts = build.facts;
    let mut arns: Vec<&str> = facts.all(Kind::Policy).map(|(arn, _)| arn).collect();
    arns.extend(facts.parts(Kind::PolicyVersion).map(|(arn, ..)| arn));
    arns.extend(facts.parts(Kind::Attached).map(|(_, arn, _)| arn));
    arns.sort_unstable();
    arns.dedup();
    for arn in arns {
        put(build, arn);
    }
}

/// Puts a policy there with what was read of it.
fn put(build: &mut Build<'_>, arn: &str) {
    let facts = build.facts;
    let empty = Thing::new();
    let thing = facts.one(Kind::Policy, arn).unwrap_or(&empty);
    let Some((_, path, name)) = iam(arn, "policy") else { return };
    let versions = facts.of(Kind::PolicyVersion, arn).filter_map(|(id, version)| Some((number(id)?, version)));
    let mut versions: Vec<Version> =
        versions.map(|(number, version)| made(number, text(version, "Document").map(document))).collect();
    versions.sort_by_key(|version| version.number);
    let marked = facts
        .of(Kind::PolicyVersion, arn)
        .find(|(_, version)| crate::read::flag(version, "IsDefaultVersion") == Some(true));
    let default = text(thing, "DefaultVersionId").or(marked.map(|(id, _)| id)).and_then(number).unwrap_or(1);
    let known = versions.iter().any(|version| version.number == default && version.document != NOTHING);
    if !known {
        // The simulated account has the documents of a few of AWS's.
        if build.world.iam.policies.contains_key(arn) {
            return;
        }
        build.gap(format!("the document of the policy {name}"), "was not read; in the copy it allows nothing");
        if !versions.iter().any(|version| version.number == default) {
            versions.push(made(default, None));
        }
    }
    let policy = Policy {
        name: name.to_owned(),
        path: path.to_owned(),
        arn: arn.to_owned(),
        id: string(thing, "PolicyId"),
        created: Moment::default(),
        updated: Moment::default(),
        description: build.described(thing, "Description"),
        tags: build.tags(thing.get("Tags")),
        next: versions.iter().map(|version| version.number).max().unwrap_or(default) + 1,
        versions,
        default,
    };
    build.world.iam.policies.insert(arn.to_owned(), policy);
}

fn made(number: u32, document: Option<String>) -> Version {
    Version { number, document: document.unwrap_or_else(|| NOTHING.to_owned()), created: Moment::default() }
}

fn number(id: &str) -> Option<u32> {
    id.strip_prefix('v')?.parse().ok().filter(|number| *number > 0 && *number < u32::MAX)
}

/// Puts a policy there that is known only as a boundary, and so allows everything.
pub(super) fn boundary(build: &mut Build<'_>, arn: &str) {
    let Some((account, path, name)) = iam(arn, "policy") else { return };
    if build.world.iam.policies.contains_key(arn) {
        return;
    }
    let all = serde_json::json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "*", "Resource": "*" }] });
    let mut policy = Policy::customer_managed(account, &build.world.partition, path, name, &all);
    arn.clone_into(&mut policy.arn);
    build.world.iam.policies.insert(arn.to_owned(), policy);
    build.gap(format!("the permissions boundary {name}"), "was not read; in the copy it allows everything");
}
