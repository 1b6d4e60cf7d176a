//! Functions and what hangs on them.

use serde_json::{Value, json};

use super::Said;
use crate::facts::{Facts, Kind};
use crate::read::{function, list, part, text};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    let named = text(said.input, "FunctionName").map(function);
    match (said.action, named) {
        ("ListFunctions", _) => {
            for found in list(said.answer, "Functions") {
                version(facts, found);
            }
        }
        ("ListVersionsByFunction", _) => {
            for found in list(said.answer, "Versions") {
                version(facts, found);
            }
        }
        ("GetFunctionConfiguration", _) => version(facts, &said.whole()),
        ("GetFunction", _) => get(facts, said),
        ("ListTags", _) => {
            if let Some((name, None)) = text(said.input, "Resource").map(function) {
                facts.note(Kind::FunctionTags, name, &said.whole());
            }
        }
        ("ListAliases", Some((name, _))) => {
            for found in list(said.answer, "Aliases") {
                alias(facts, name, found);
            }
        }
        ("GetAlias", Some((name, _))) => alias(facts, name, &said.whole()),
        ("ListEventSourceMappings", _) => said.each(facts, "EventSourceMappings", Kind::Mapping, "UUID"),
        ("ListProvisionedConcurrencyConfigs", _) => {
            for found in list(said.answer, "ProvisionedConcurrencyConfigs") {
                if let Some((name, Some(qualifier))) = part(found, "FunctionArn").map(function) {
                    facts.note_part(Kind::Provisioned, name, qualifier, found);
                }
            }
        }
        ("GetFunctionConcurrency", Some((name, _))) => facts.note(Kind::Reserved, name, &said.whole()),
        ("GetAccountSettings", _) => facts.note(Kind::Lambda, "", &said.whole()),
        ("GetPolicy", Some((name, None))) => facts.note(Kind::FunctionPolicy, name, &said.whole()),
        _ => {}
    }
}

fn version(facts: &mut Facts, found: &Value) {
    let name = part(found, "FunctionName").or_else(|| part(found, "FunctionArn").map(|arn| function(arn).0));
    if let (Some(name), Some(number)) = (name, part(found, "Version")) {
        facts.note_part(Kind::Version, name, number, found);
    }
}

fn alias(facts: &mut Facts, function: &str, found: &Value) {
    if let Some(name) = part(found, "Name") {
        facts.note_part(Kind::Alias, function, name, found);
    }
}

fn get(facts: &mut Facts, said: Said<'_>) {
    let Some(found) = said.answer.get("Configuration") else { return };
    version(facts, found);
    let arn = part(found, "FunctionArn").unwrap_or_default();
    let (name, qualifier) = function(arn);
    if name.is_empty() {
        return;
    }
    if said.answer.get("TagsError").is_some_and(Value::is_object) {
        let whole = qualifier.and_then(|qualifier| arn.strip_suffix(&format!(":{qualifier}"))).unwrap_or(arn);
        facts.note(Kind::FunctionTagsHidden, whole, &json!({}));
    } else {
        // A function without tags shows none.
        let tags = said.answer.get("Tags").cloned().unwrap_or_else(|| json!({}));
        facts.note(Kind::FunctionTags, name, &json!({ "Tags": tags }));
    }
    if let Some(concurrency) = said.answer.get("Concurrency") {
        facts.note(Kind::Reserved, name, concurrency);
    }
}
