//! What IAM's policy simulator said, as documents that hold.
//!
//! Policies of other people's roles are not read. But the simulator was asked whether they allow what matters, and so
//! that much of them is known. Its answers become documents that hold beside the role's policies, wherever the policies
//! that were read do not say the same.

use sandbox::parts::InForce;
use serde_json::{Value, json};

use super::{Build, proxies, stubs};
use crate::facts::{Kind, Thing};
use crate::read::iam;

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    let mut known: Vec<(String, Value)> = Vec::new();
    for (principal, asked, thing) in facts.parts(Kind::Verdict) {
        let Some((action, resource)) = asked.split_once('\n') else { continue };
        if let Some(effect) = effect(thing) {
            known.push((principal.to_owned(), statement(effect, &[action], &[resource])));
        }
        if iam(principal, "role").is_some() {
            let root = format!("arn:{}:iam::{}:root", build.world.partition, build.world.account);
            stubs::role(build, principal, &json!({ "AWS": root }));
        }
    }
    known.extend(proven(build));
    for (principal, statement) in known {
        let Some((_, _, name)) = iam(&principal, "role") else { continue };
        let Some(role) = build.world.iam.roles.get_mut(name).filter(|role| role.arn == principal) else { continue };
        let document = InForce::unseen(&json!({ "Version": "2012-10-17", "Statement": [statement] }));
        let explained = role.force.iter().any(|held| says(&held.document, &statement));
        if !explained {
            role.force.push(document);
        }
    }
}

/// Denials prove less than permissions: what one context allows and another denies is allowed.
pub(super) fn effect(thing: &Thing) -> Option<&'static str> {
    if thing.contains_key("allowed") {
        return Some("Allow");
    }
    thing.contains_key("denied").then_some("Deny")
}

pub(super) fn statement(effect: &str, actions: &[&str], resources: &[&str]) -> Value {
    json!({ "Effect": effect, "Action": actions, "Resource": resources })
}

/// Whether a document that was read says just that, without conditions.
fn says(document: &str, wanted: &Value) -> bool {
    let Ok(document) = serde_json::from_str::<Value>(document) else { return false };
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let covers = |statement: &Value, member: &str| {
        let held = listed(statement.get(member));
        listed(wanted.get(member)).iter().all(|wanted| held.iter().any(|pattern| fits(pattern, wanted)))
    };
    statements.iter().any(|statement| {
        statement.get("Effect") == wanted.get("Effect")
            && statement.get("Condition").is_none()
            && covers(statement, "Action")
            && covers(statement, "Resource")
    })
}

/// Whether a pattern of a policy fits a text; both are compared without regard to case, as actions are.
fn fits(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let first = pieces.next().unwrap_or_default();
    let (Some(mut rest), true) = (strip(text, first), pattern.contains('*')) else {
        return pattern.eq_ignore_ascii_case(text);
    };
    let pieces: Vec<&str> = pieces.collect();
    let Some((last, middle)) = pieces.split_last() else { return rest.is_empty() };
    for piece in middle {
        let found = (0..=rest.len()).find_map(|at| strip(rest.get(at..)?, piece));
        let Some(after) = found else { return false };
        rest = after;
    }
    rest.len().checked_sub(last.len()).and_then(|at| rest.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(last))
}

fn strip<'text>(text: &'text str, start: &str) -> Option<&'text str> {
    text.get(..start.len()).filter(|head| head.eq_ignore_ascii_case(start))?;
    text.get(start.len()..)
}

fn listed(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(one)) => vec![one],
        _ => Vec::new(),
    }
}

/// A proxy whose targets are available has read its secrets, so its role may.
fn proven(build: &Build<'_>) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    let healthy = build.world.rds.proxies.iter().filter(|(name, _)| proxies::is_healthy(build, name));
    for (_, proxy) in healthy {
        for auth in proxy.auth.iter().filter(|auth| !auth.secret_arn.is_empty()) {
            let read = statement("Allow", &["secretsmanager:GetSecretValue"], &[&auth.secret_arn]);
            found.push((proxy.role_arn.clone(), read));
            let secrets = build.world.secrets.secrets.values();
            let key =
                secrets.filter(|secret| secret.arn == auth.secret_arn).find_map(|secret| secret.kms_key.as_deref());
            if let Some(key) = key.filter(|key| key.starts_with("arn:")) {
                found.push((proxy.role_arn.clone(), statement("Allow", &["kms:Decrypt"], &[key])));
            }
        }
    }
    found
}
