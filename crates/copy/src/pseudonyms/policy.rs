//! Policies under pseudonyms: who may do what stays, and is said of other names.

use serde_json::{Map, Value};

use super::product;
use super::text::Renamer;

/// A policy as it was written.
pub(super) fn written(names: &mut Renamer, text: &str) -> String {
    match serde_json::from_str::<Value>(text) {
        Ok(document @ Value::Object(_)) => policy(names, &document).to_string(),
        _ => names.name(text),
    }
}

/// A policy.
pub(super) fn policy(names: &mut Renamer, document: &Value) -> Value {
    members(document, |name, value| match name {
        "Version" if is_date(value) => Some((name.to_owned(), value.clone())),
        "Statement" => {
            let value = match value {
                Value::Array(all) => all.iter().map(|one| statement(names, one)).collect(),
                one => statement(names, one),
            };
            Some((name.to_owned(), value))
        }
        _ => Some((word(names, name), all(names, value))),
    })
}

fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 10 && text.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

fn members(value: &Value, mut change: impl FnMut(&str, &Value) -> Option<(String, Value)>) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().filter_map(|(name, value)| change(name, value)).collect::<Map<_, _>>())
        }
        other => change("", other).map_or(Value::Null, |(_, value)| value),
    }
}

/// A name of the policy language, or whatever else stands where one should.
fn word(names: &mut Renamer, text: &str) -> String {
    if recording::is_known_word(text) { text.to_owned() } else { names.name(text) }
}

/// All texts, as names.
fn all(names: &mut Renamer, value: &Value) -> Value {
    each(value, &mut |text| names.name(text))
}

fn each(value: &Value, change: &mut dyn FnMut(&str) -> String) -> Value {
    match value {
        Value::String(text) => Value::String(change(text)),
        Value::Array(items) => items.iter().map(|item| each(item, change)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| (change(name), each(value, change));
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}

fn statement(names: &mut Renamer, value: &Value) -> Value {
    members(value, |name, value| {
        let new = match name {
            "Effect" => each(value, &mut |text| word(names, text)),
            "Sid" => each(value, &mut |text| if product::is_sid(text) { text.to_owned() } else { names.name(text) }),
            "Action" | "NotAction" => {
                each(value, &mut |text| if is_action(text) { text.to_owned() } else { names.name(text) })
            }
            "Principal" | "NotPrincipal" => members(value, |kind, value| Some((word(names, kind), all(names, value)))),
            "Condition" => {
                members(value, |operator, value| Some((operator_of(names, operator), condition(names, value))))
            }
            _ => all(names, value),
        };
        Some((word(names, name), new))
    })
}

/// `ForAnyValue:StringLike`, `StringEqualsIfExists`.
fn operator_of(names: &mut Renamer, text: &str) -> String {
    const COMPARED: [&str; 8] = ["String", "Arn", "Numeric", "Date", "Bool", "Null", "IpAddress", "NotIpAddress"];
    let alone =
        text.trim_start_matches("ForAnyValue:").trim_start_matches("ForAllValues:").trim_start_matches("Binary");
    let known = alone.chars().all(|c| c.is_ascii_alphabetic())
        && (alone.is_empty() || COMPARED.iter().any(|begin| alone.starts_with(begin)));
    if known { text.to_owned() } else { names.name(text) }
}

fn condition(names: &mut Renamer, value: &Value) -> Value {
    members(value, |key, value| {
        let key = match key.split_once('/') {
            // `aws:ResourceTag/KEY`.
            Some((kind, tag)) if is_action(kind) => format!("{kind}/{}", product::tag_key(names, tag)),
            None if is_action(key) => key.to_owned(),
            _ => names.name(key),
        };
        Some((key, all(names, value)))
    })
}

/// `rds-db:connect`, `kms:Decrypt*`, `aws:SourceArn`, `*`.
fn is_action(text: &str) -> bool {
    let Some((service, action)) = text.split_once(':') else { return text == "*" };
    let of_service = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let of_action = |c: char| c.is_ascii_alphanumeric() || c == '*' || c == '?' || c == '-';
    service.chars().all(of_service) && action.chars().all(of_action)
}
