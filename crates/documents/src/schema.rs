//! The JSON Schema of a document, from its type.

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use crate::{Entry, SCHEMA};

/// Formats of JSON Schema itself; schemars adds its own for Rust's numbers, which no validator knows.
const FORMATS: [&str; 1] = ["date-time"];

/// Returns the schema of what is printed: every key is required, and no other is there.
pub(crate) fn of<T: JsonSchema>(entry: &Entry) -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(RecursiveTransform(strict));
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), json!(format!("urn:rdsproxy-setup:schema:{}:{SCHEMA}", entry.name)));
    schema.insert("title".to_owned(), json!(format!("rdsproxy-setup {}: {}", entry.name, entry.about)));
    schema.to_value()
}

/// Closes an object with known keys, and leaves out what is Rust's alone.
fn strict(schema: &mut Schema) {
    if schema.get("properties").is_some() && schema.get("additionalProperties").is_none() {
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    // A doc comment is wrapped; a description is one line.
    let wrapped = schema.get("description").and_then(Value::as_str).filter(|text| text.contains('\n'));
    if let Some(line) = wrapped.map(|text| text.replace('\n', " ")) {
        schema.insert("description".to_owned(), json!(line));
    }
    if schema.get("format").and_then(Value::as_str).is_some_and(|format| !FORMATS.contains(&format)) {
        schema.remove("format");
    }
}
