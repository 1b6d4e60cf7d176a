//! Settings under pseudonyms: parameters of databases, and alarms.

use serde_json::{Map, Value};

use super::product;
use super::text::Renamer;

/// The name of a parameter group.
pub(super) fn parameter_group(names: &mut Renamer, name: &str) -> String {
    // AWS lets nobody else begin a name so.
    if name.starts_with("default.") { name.to_owned() } else { names.name(name) }
}

/// The parameters of each group.
pub(super) fn parameters(names: &mut Renamer, value: &Value) -> Value {
    let Value::Object(groups) = value else { return value.clone() };
    let mut new = Map::new();
    for (group, parameters) in groups {
        let value = |names: &mut Renamer, value: &Value| match value {
            Value::String(text) if !is_formula(text) => Value::String(names.name(text)),
            other => other.clone(),
        };
        let parameters = parameters.as_object().into_iter().flatten();
        let parameters = parameters.map(|(name, text)| (name.clone(), value(names, text))).collect();
        new.insert(parameter_group(names, group), Value::Object(parameters));
    }
    Value::Object(new)
}

/// An alarm's configuration, as CloudWatch takes it.
pub(super) fn alarm(names: &mut Renamer, name: &str, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(match name {
            "Value" | "AlarmActions" | "OKActions" | "InsufficientDataActions" => names.name(text),
            "AlarmDescription" if is_known(text) => text.clone(),
            "AlarmDescription" => product::description(names, text),
            // Functions of metric math are capitals.
            "Expression" if is_known(&text.replace(|c: char| c.is_ascii_uppercase() || c == '_', " ")) => text.clone(),
            _ if is_known(text) => text.clone(),
            _ => names.name(text),
        }),
        Value::Array(items) => items.iter().map(|item| alarm(names, name, item)).collect(),
        Value::Object(members) => {
            Value::Object(members.iter().map(|(name, value)| (name.clone(), alarm(names, name, value))).collect())
        }
        other => other.clone(),
    }
}

/// Whether a text has no word that is not one of AWS's or the product's.
fn is_known(text: &str) -> bool {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.into_iter().all(|word| {
        recording::is_known_word(word) || word.len() <= 3 || word.len() <= 5 && word.chars().all(|c| c.is_ascii_digit())
    })
}

/// Whether the value of a parameter is a number, a word of the engine's or a formula of these.
fn is_formula(text: &str) -> bool {
    const VARIABLES: [&str; 8] = [
        "AllocatedStorage",
        "DBInstanceClassMemory",
        "DBInstanceVCPU",
        "EndPointPort",
        "GREATEST",
        "LEAST",
        "SUM",
        "log",
    ];
    let mut words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.all(|word| {
        VARIABLES.contains(&word) || word.chars().all(|c| c.is_ascii_digit()) || recording::is_known_word(word)
    })
}
