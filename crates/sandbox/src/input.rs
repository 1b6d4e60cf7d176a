//! Reading a call's input: every member is optional on the wire, and scalars of Query are texts.

use std::collections::BTreeMap;

use serde_json::Value;

use super::account::AwsError;

/// A member's text, if it is given and not empty.
pub(super) fn text<'a>(input: &'a Value, name: &str) -> Option<&'a str> {
    input.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A member's list; an absent one and Query's empty list are both empty.
pub(super) fn list<'a>(input: &'a Value, name: &str) -> &'a [Value] {
    input.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member's list of texts.
pub(super) fn texts(input: &Value, name: &str) -> Vec<String> {
    list(input, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Whether a member is given at all, if only as an empty list.
pub(super) fn given(input: &Value, name: &str) -> bool {
    input.get(name).is_some_and(|value| !value.is_null())
}

/// A member as a switch.
pub(super) fn flag(input: &Value, name: &str) -> Option<bool> {
    match input.get(name)? {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// A member as a whole number.
pub(super) fn number(input: &Value, name: &str) -> Option<i64> {
    match input.get(name)? {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A list of `{Key, Value}` as a map.
pub(super) fn tags(input: &Value, name: &str) -> BTreeMap<String, String> {
    list(input, name)
        .iter()
        .filter_map(|tag| Some((text(tag, "Key")?.to_owned(), text(tag, "Value").unwrap_or_default().to_owned())))
        .collect()
}

/// A member's map of texts.
pub(super) fn map(input: &Value, name: &str) -> BTreeMap<String, String> {
    let members = input.get(name).and_then(Value::as_object).into_iter().flatten();
    members.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

/// A member that must be given, with the answer that RDS has for its absence.
pub(super) fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, AwsError> {
    text(input, name)
        .ok_or_else(|| AwsError::new(400, "MissingParameter", format!("The request must contain the parameter {name}")))
}
