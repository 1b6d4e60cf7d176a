//! Reading answers: every member is optional, and scalars of the XML protocols are texts.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// A member's text, if it is there and not empty.
pub(crate) fn text<'a>(thing: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    thing.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A member's text as it is stored; nothing where it is missing.
pub(crate) fn string(thing: &Map<String, Value>, name: &str) -> String {
    text(thing, name).map(str::to_owned).unwrap_or_default()
}

/// A member of something that may not be a structure.
pub(crate) fn part<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// A member's list; an absent one and the empty list of XML are both empty.
pub(crate) fn list<'a>(thing: &'a Map<String, Value>, name: &str) -> &'a [Value] {
    thing.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A list inside of a value.
pub(crate) fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A member's list of texts.
pub(crate) fn texts(thing: &Map<String, Value>, name: &str) -> Vec<String> {
    list(thing, name).iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The texts that each item of a list has under one name.
pub(crate) fn each(thing: &Map<String, Value>, name: &str, member: &str) -> Vec<String> {
    list(thing, name).iter().filter_map(|item| part(item, member)).map(str::to_owned).collect()
}

/// A member as a switch.
pub(crate) fn flag(thing: &Map<String, Value>, name: &str) -> Option<bool> {
    switch(thing.get(name)?)
}

/// A value as a switch.
pub(crate) fn switch(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::String(text) => text.to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

/// A member as a whole number.
pub(crate) fn number<N: TryFrom<i64>>(thing: &Map<String, Value>, name: &str) -> Option<N> {
    thing.get(name).and_then(whole)
}

/// A value as a whole number.
pub(crate) fn whole<N: TryFrom<i64>>(value: &Value) -> Option<N> {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    N::try_from(number?).ok()
}

/// A value as a real number.
pub(crate) fn real(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    number.filter(|number| number.is_finite())
}

/// A structure inside of a thing.
pub(crate) fn inner<'a>(thing: &'a Map<String, Value>, name: &str) -> Option<&'a Map<String, Value>> {
    thing.get(name).and_then(Value::as_object)
}

/// Tags, as a list of pairs in either spelling or as a map.
pub(crate) fn tags(value: Option<&Value>) -> BTreeMap<String, String> {
    let pair = |tag: &Value| {
        let key = part(tag, "Key").or_else(|| part(tag, "key"))?;
        let value = part(tag, "Value").or_else(|| part(tag, "value"));
        Some((key.to_owned(), value.map(str::to_owned).unwrap_or_default()))
    };
    match value {
        Some(Value::Array(tags)) => tags.iter().filter_map(pair).collect(),
        Some(Value::Object(tags)) => tags
            .iter()
            .map(|(key, value)| (key.clone(), value.as_str().map(str::to_owned).unwrap_or_default()))
            .collect(),
        _ => BTreeMap::new(),
    }
}

/// A policy document as IAM writes it: percent-encoded in XML, plain elsewhere.
pub(crate) fn document(text: &str) -> String {
    if text.trim_start().starts_with('%') {
        return percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    }
    text.to_owned()
}

/// What follows the last of these in an ARN or a name.
pub(crate) fn after_last(text: &str, separator: char) -> &str {
    text.rsplit(separator).next().unwrap_or(text)
}

/// Name and qualifier of a function, out of a name, a partial ARN or a whole one.
pub(crate) fn function(given: &str) -> (&str, Option<&str>) {
    let local = given.split_once(":function:").map_or(given, |(_, local)| local);
    let local = local.strip_prefix("function:").unwrap_or(local);
    match local.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (local, None),
    }
}

/// The path and the name of a role's or policy's ARN, and the account.
pub(crate) fn iam<'a>(arn: &'a str, kind: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let mut parts = arn.splitn(6, ':');
    if parts.next() != Some("arn") || parts.nth(1) != Some("iam") {
        return None;
    }
    let account = parts.nth(1)?;
    let local = parts.next()?.strip_prefix(kind)?;
    let at = local.rfind('/')?;
    Some((account, local.get(..=at)?, local.get(at + 1..).filter(|name| !name.is_empty())?))
}
