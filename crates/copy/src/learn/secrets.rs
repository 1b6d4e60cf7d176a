//! Secrets; their values are masked before anything keeps them.

use serde_json::{Value, json};

use super::Said;
use crate::facts::{Facts, Kind};
use crate::mask;
use crate::read::{list, part, text};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    let arn = text(said.answer, "ARN");
    match (said.action, arn) {
        ("DescribeSecret", Some(arn)) => secret(facts, arn, said.whole(), "VersionIdsToStages"),
        ("ListSecrets", _) => {
            for found in list(said.answer, "SecretList") {
                if let Some(arn) = part(found, "ARN") {
                    secret(facts, arn, found.clone(), "SecretVersionsToStages");
                }
            }
        }
        ("GetSecretValue", Some(arn)) => value(facts, arn, said),
        ("GetResourcePolicy", Some(arn)) => facts.note(Kind::SecretPolicy, arn, &said.whole()),
        _ => {}
    }
}

/// The two reads name the stages of versions differently.
fn secret(facts: &mut Facts, arn: &str, mut found: Value, stages: &str) {
    if let Some(members) = found.as_object_mut() {
        let held = members.remove(stages).filter(Value::is_object);
        members.insert("stages".to_owned(), held.unwrap_or_else(|| json!({})));
    }
    facts.note(Kind::Secret, arn, &found);
}

fn value(facts: &mut Facts, arn: &str, said: Said<'_>) {
    let shown = match (text(said.answer, "SecretString"), said.answer.contains_key("SecretBinary")) {
        (Some(text), _) => json!({ "text": mask::secret(text) }),
        (None, true) => json!({ "binary": "eA==" }),
        (None, false) => return,
    };
    let version = text(said.answer, "VersionId").unwrap_or_default();
    facts.note_part(Kind::SecretValue, arn, version, &shown);
    if let Some(name) = text(said.answer, "Name") {
        facts.note(Kind::Secret, arn, &json!({ "ARN": arn, "Name": name }));
    }
}
