//! Requests and responses as JSON, whichever of AWS's protocols they came in, and responses back on the wire.

mod cbor;
mod form;
mod xml;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

pub use cbor::encode as cbor;
pub use xml::{error as xml_error, write as xml};

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Nothing is in it.
    Empty,
    /// A form of the Query protocols.
    Form,
    /// XML.
    Xml,
    /// JSON.
    Json,
    /// CBOR.
    Cbor,
    /// Something else, which is not kept.
    Other,
}

/// Reads a request's body and the query of its URL.
pub(crate) fn request(service: &str, kind: &str, query: &str, body: &[u8]) -> (Form, Value) {
    let (form, mut members) = match (body, kind) {
        ([], _) => (Form::Empty, Value::Object(Map::new())),
        (_, kind) if kind.contains("x-www-form-urlencoded") => {
            (Form::Form, form::read(&String::from_utf8_lossy(body), service))
        }
        (_, kind) => document(service, kind, body),
    };
    if let Value::Object(members) = &mut members {
        for (name, value) in form::pairs(query) {
            members.insert(name, Value::String(value));
        }
    }
    (form, members)
}

/// Reads a response's body; `service` is the name that the SDK has for the service.
#[must_use]
pub fn response(service: &str, kind: &str, body: &[u8]) -> (Form, Value) {
    if body.is_empty() { (Form::Empty, Value::Object(Map::new())) } else { document(service, kind, body) }
}

fn document(service: &str, kind: &str, body: &[u8]) -> (Form, Value) {
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let read = if kind.contains("cbor") {
        cbor::decode(body).map(|value| (Form::Cbor, value))
    } else if start == Some(&b'<') {
        xml::read(service, body).map(|value| (Form::Xml, value))
    } else {
        serde_json::from_slice(body).ok().map(|value| (Form::Json, value))
    };
    read.filter(|(_, value)| value.is_object()).unwrap_or((Form::Other, Value::Null))
}

/// The code and the sentence of a refusal.
#[must_use]
pub fn refusal(members: &Value, header: Option<&str>) -> (Option<String>, Option<String>) {
    let part = |value: &Value, names: &[&str]| {
        names.iter().find_map(|name| value.get(name)).and_then(Value::as_str).map(str::to_owned)
    };
    let inner = ["Error", "error"].iter().find_map(|name| members.get(name));
    let inner = inner.or_else(|| {
        let errors = members.get("Errors")?;
        errors.get("Error").or_else(|| errors.get(0))
    });
    let place = inner.unwrap_or(members);
    let code = header.map(str::to_owned).or_else(|| part(place, &["Code", "code", "__type"]));
    let code = code.map(|code| {
        let code = code.split([':', ';', ',']).next().unwrap_or_default();
        code.rsplit('#').next().unwrap_or_default().to_owned()
    });
    (code, part(place, &["Message", "message", "errorMessage"]))
}

/// A piece of a path or a form without its percent signs.
pub(crate) fn unescaped(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
