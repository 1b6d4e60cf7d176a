//! Roles that were read.

use sandbox::Moment;
use sandbox::parts::{InForce, Role};

use super::{Build, policies};
use crate::facts::{Kind, Thing};
use crate::read::{document, inner, number, string, text};

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (name, thing) in facts.all(Kind::Role) {
        let role = role(build, name, thing);
        build.world.iam.roles.insert(name.to_owned(), role);
    }
}

fn role(build: &mut Build<'_>, name: &str, thing: &Thing) -> Role {
    let boundary = inner(thing, "PermissionsBoundary").and_then(|found| text(found, "PermissionsBoundaryArn"));
    if let Some(arn) = boundary {
        policies::boundary(build, arn);
    }
    let mut role = Role {
        name: name.to_owned(),
        path: text(thing, "Path").unwrap_or("/").to_owned(),
        arn: string(thing, "Arn"),
        id: string(thing, "RoleId"),
        created: Moment::default(),
        trust: text(thing, "AssumeRolePolicyDocument").map(document).unwrap_or_default(),
        former_trust: None,
        description: build.described(thing, "Description"),
        max_session: number(thing, "MaxSessionDuration").unwrap_or(3600),
        boundary: boundary.map(str::to_owned),
        tags: build.tags(thing.get("Tags")),
        ..Role::default()
    };
    rights(build, &mut role);
    role
}

/// The policies of a role, as far as they were read.
pub(super) fn rights(build: &mut Build<'_>, role: &mut Role) {
    let facts = build.facts;
    let name = role.name.clone();
    for (policy, found) in facts.of(Kind::Inline, &name) {
        match text(found, "PolicyDocument").map(document) {
            Some(document) => {
                role.inline.insert(policy.to_owned(), document.clone());
                role.force.push(in_force(format!("inline:{policy}"), document));
            }
            None => {
                build.gap(format!("the policy {policy} of the role {name}"), "was not read; the copy does not have it");
            }
        }
    }
    for (arn, _) in facts.of(Kind::Attached, &name) {
        let policy = build.world.iam.policies.get(arn);
        let Some(policy) = policy else { continue };
        role.attached.push(arn.to_owned());
        let default = policy.versions.iter().find(|version| version.number == policy.default);
        if let Some(version) = default {
            role.force.push(in_force(arn.to_owned(), version.document.clone()));
        }
    }
    let linked = role.path.starts_with("/aws-service-role/");
    if !(linked || facts.knows(Kind::InlineListed, &name) && facts.knows(Kind::AttachedListed, &name)) {
        build.gap(
            format!("the policies of the role {name}"),
            "were not all read; the copy knows what IAM's simulator answered about them",
        );
    }
}

fn in_force(source: String, document: String) -> InForce {
    InForce { source, document, from: Moment::default(), until: None }
}
