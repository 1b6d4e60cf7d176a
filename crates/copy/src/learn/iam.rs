//! Roles, policies, and what the policy simulator says.

use serde_json::{Value, json};

use super::Said;
use crate::facts::{Facts, Kind, read_once};
use crate::read::{items, list, part, text};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    let role = text(said.input, "RoleName");
    let policy = text(said.input, "PolicyArn");
    match (said.action, role, policy) {
        ("GetRole", ..) => said.inner(facts, "Role", Kind::Role, "RoleName"),
        ("ListRoles", ..) => said.each(facts, "Roles", Kind::Role, "RoleName"),
        ("GetRolePolicy", Some(role), _) => {
            if let Some(name) = text(said.answer, "PolicyName").or_else(|| text(said.input, "PolicyName")) {
                facts.note_part(Kind::Inline, role, name, &said.whole());
            }
        }
        ("ListRolePolicies", Some(role), _) => {
            facts.note(Kind::InlineListed, role, &read_once());
            for name in list(said.answer, "PolicyNames").iter().filter_map(Value::as_str) {
                facts.note_part(Kind::Inline, role, name, &json!({}));
            }
        }
        ("ListAttachedRolePolicies", Some(role), _) => {
            facts.note(Kind::AttachedListed, role, &read_once());
            for policy in list(said.answer, "AttachedPolicies") {
                if let Some(arn) = part(policy, "PolicyArn") {
                    facts.note_part(Kind::Attached, role, arn, &json!({}));
                }
            }
        }
        ("GetPolicy", ..) => said.inner(facts, "Policy", Kind::Policy, "Arn"),
        ("ListPolicies", ..) => said.each(facts, "Policies", Kind::Policy, "Arn"),
        ("GetPolicyVersion", _, Some(arn)) => {
            if let Some(version) = said.answer.get("PolicyVersion") {
                note_version(facts, arn, version);
            }
        }
        ("ListPolicyVersions", _, Some(arn)) => {
            for version in list(said.answer, "Versions") {
                note_version(facts, arn, version);
            }
        }
        ("ListEntitiesForPolicy", _, Some(arn)) => {
            for role in list(said.answer, "PolicyRoles").iter().filter_map(|role| part(role, "RoleName")) {
                facts.note_part(Kind::Attached, role, arn, &json!({}));
            }
        }
        ("SimulatePrincipalPolicy", ..) => {
            if let Some(principal) = text(said.input, "PolicySourceArn") {
                for row in list(said.answer, "EvaluationResults") {
                    judged(facts, principal, row);
                }
            }
        }
        _ => {}
    }
}

fn note_version(facts: &mut Facts, arn: &str, version: &Value) {
    if let Some(id) = part(version, "VersionId") {
        facts.note_part(Kind::PolicyVersion, arn, id, version);
    }
}

/// A row has one resource, or each resource's decision inside.
fn judged(facts: &mut Facts, principal: &str, row: &Value) {
    let Some(action) = part(row, "EvalActionName") else { return };
    let specific = items(row, "ResourceSpecificResults");
    let own =
        |row: &Value, member: &str| Some((part(row, "EvalResourceName")?.to_owned(), part(row, member)?.to_owned()));
    let decisions: Vec<Option<(String, String)>> = match specific {
        [] => vec![own(row, "EvalDecision")],
        rows => rows.iter().map(|row| own(row, "EvalResourceDecision")).collect(),
    };
    for (resource, decision) in decisions.into_iter().flatten() {
        // The name of a row without resources is a template, which is no resource.
        if resource.contains("${") {
            continue;
        }
        let known = items(row, "MissingContextValues").is_empty();
        let said = match decision.as_str() {
            "allowed" => json!({ "allowed": true }),
            "explicitDeny" => json!({ "denied": true }),
            "implicitDeny" if known => json!({ "not_allowed": true }),
            _ => continue,
        };
        facts.note_part(Kind::Verdict, principal, &format!("{action}\n{resource}"), &said);
    }
}
