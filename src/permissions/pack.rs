//! Policy documents, each small enough for a managed policy.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::split::is_made;
use super::{Feature, If, On, PERMISSIONS, Permission, Scope, Verb};

/// The characters of a managed policy that IAM takes, white space not counted
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
pub const LIMIT: usize = 6_144;

/// Returns the minimum policies for some commands with these features.
#[must_use]
pub fn policies(verbs: &[Verb], features: &[Feature], scope: &Scope) -> Vec<Value> {
    let mine = |permission: &&Permission| permission.needed(verbs, features) && !is_made(permission, scope);
    documents(PERMISSIONS.iter().filter(mine), scope)
}

/// Returns policy documents of these permissions: one statement for each kind of resource and condition, and as few
/// documents as a first fit needs.
pub fn documents<'a>(permissions: impl IntoIterator<Item = &'a Permission>, scope: &Scope) -> Vec<Value> {
    let mut groups: BTreeMap<(On, If), Vec<&str>> = BTreeMap::new();
    for needed in permissions {
        groups.entry((needed.on, scope.effective(needed.condition))).or_default().push(needed.action);
    }
    let mut bins: Vec<Vec<Value>> = Vec::new();
    for ((on, condition), mut actions) in groups {
        actions.sort_unstable();
        actions.dedup();
        let parts = scope.parts(on, condition).into_iter();
        for statement in parts.flat_map(|(on, condition)| statements(&actions, &on, condition.as_ref())) {
            let room = |bin: &&mut Vec<Value>| size(&document(bin)) + size(&statement) + 1 < LIMIT;
            match bins.iter_mut().find(room) {
                Some(bin) => bin.push(statement),
                None => bins.push(vec![statement]),
            }
        }
    }
    bins.iter().map(|bin| document(bin)).collect()
}

/// Returns the number of characters that IAM counts.
#[must_use]
pub fn size(document: &Value) -> usize {
    document.to_string().chars().filter(|character| !character.is_whitespace()).count()
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// One statement, or several where many resources make it too long for a document of its own.
fn statements(actions: &[&str], resources: &[String], condition: Option<&Value>) -> Vec<Value> {
    let mut statement = Map::new();
    statement.insert("Effect".to_owned(), json!("Allow"));
    statement.insert("Action".to_owned(), json!(actions));
    statement.insert("Resource".to_owned(), json!(resources));
    if let Some(condition) = condition {
        statement.insert("Condition".to_owned(), condition.clone());
    }
    let statement = Value::Object(statement);
    if size(&document(std::slice::from_ref(&statement))) < LIMIT || resources.len() < 2 {
        return vec![statement];
    }
    let (some, others) = resources.split_at(resources.len() / 2);
    [some, others].into_iter().flat_map(|half| statements(actions, half, condition)).collect()
}
