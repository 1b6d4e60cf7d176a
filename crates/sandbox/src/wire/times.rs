//! Moments in answers whose form depends on the protocol.

use serde_json::{Value, json};

/// What marks a moment in an output.
const MARK: &str = "~at:";

/// A moment, in milliseconds since 1970, that each protocol writes in its own form.
pub(crate) fn at(milliseconds: i64) -> Value {
    Value::String(format!("{MARK}{milliseconds}"))
}

/// The milliseconds of a marked text.
pub(super) fn read(text: &str) -> Option<i64> {
    text.strip_prefix(MARK)?.parse().ok()
}

/// Seconds with a fraction.
pub(super) fn seconds(milliseconds: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age fit a double exactly")]
    let seconds = milliseconds as f64 / 1000.0;
    seconds
}

/// An output with every moment in another form.
fn written(output: &Value, form: &impl Fn(i64) -> Value) -> Value {
    match output {
        Value::String(text) => read(text).map_or_else(|| output.clone(), form),
        Value::Array(items) => items.iter().map(|item| written(item, form)).collect(),
        Value::Object(members) => members.iter().map(|(name, value)| (name.clone(), written(value, form))).collect(),
        other => other.clone(),
    }
}

/// With moments as numbers, as JSON has them.
pub(super) fn as_numbers(output: &Value) -> Value {
    let form = |milliseconds: i64| {
        if milliseconds % 1000 == 0 { json!(milliseconds / 1000) } else { json!(seconds(milliseconds)) }
    };
    written(output, &form)
}

/// With moments as texts, as XML has them.
pub(super) fn as_texts(output: &Value) -> Value {
    written(output, &|milliseconds| json!(crate::account::iso(milliseconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_the_form_of_its_protocol() {
        let output = json!({ "a": [at(1_767_225_600_500)], "b": at(1_767_225_600_000), "c": "~at" });
        assert_eq!(as_numbers(&output), json!({ "a": [1_767_225_600.5], "b": 1_767_225_600, "c": "~at" }));
        assert_eq!(as_texts(&output)["a"][0], "2026-01-01T00:00:00.500Z");
    }
}
