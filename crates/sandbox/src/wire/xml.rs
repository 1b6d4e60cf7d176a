//! Writing XML answers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;
use serde_json::Value;

use super::names;
use crate::account::{AwsError, Service};

/// What IAM leaves as it is in a policy document (RFC 3986, unreserved).
const DOCUMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// `<ActionResponse>` with its metadata, and its result where the operation has one.
pub(super) fn query_output(service: Service, action: &str, output: &Value, request_id: &str) -> String {
    let mut body = String::new();
    if let Value::Object(members) = output {
        for (name, value) in members {
            element(&mut body, service, name, value);
        }
    }
    let namespace = names::namespace(service);
    let result = if body.is_empty() && !names::empty_result(service, action) {
        String::new()
    } else {
        format!("<{action}Result>{body}</{action}Result>")
    };
    format!(
        "<{action}Response xmlns=\"{namespace}\">{result}\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    )
}

/// EC2's answer: no result element, `item` around every list's items.
pub(super) fn ec2_output(action: &str, output: &Value, request_id: &str) -> String {
    let mut body = String::new();
    if let Value::Object(members) = output {
        for (name, value) in members {
            element(&mut body, Service::Ec2, name, value);
        }
    }
    let namespace = names::namespace(Service::Ec2);
    format!("<{action}Response xmlns=\"{namespace}\"><requestId>{request_id}</requestId>{body}</{action}Response>")
}

/// `<ErrorResponse>`.
pub(super) fn query_error(service: Service, error: &AwsError, request_id: &str) -> String {
    let kind = if error.status < 500 { "Sender" } else { "Receiver" };
    format!(
        "<ErrorResponse xmlns=\"{}\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>",
        names::namespace(service),
        escape(&error.code),
        escape(&error.message),
    )
}

/// EC2's `<Response><Errors>`.
pub(super) fn ec2_error(error: &AwsError, request_id: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Errors><Error><Code>{}</Code><Message>{}</Message>\
         </Error></Errors><RequestID>{request_id}</RequestID></Response>",
        escape(&error.code),
        escape(&error.message),
    )
}

fn element(out: &mut String, service: Service, name: &str, value: &Value) {
    match value {
        Value::Null => {}
        Value::Array(items) => {
            open(out, name);
            let item = if service == Service::Ec2 { "item" } else { names::item(service, name) };
            for value in items {
                element(out, service, item, value);
            }
            close(out, name);
        }
        // The one map in an answer of the Query protocol.
        Value::Object(members) if name == "ExtendedStatistics" => {
            open(out, name);
            for (key, value) in members {
                open(out, "entry");
                leaf(out, "key", key);
                leaf(out, "value", &value.to_string());
                close(out, "entry");
            }
            close(out, name);
        }
        Value::Object(members) => {
            open(out, name);
            for (name, value) in members {
                element(out, service, name, value);
            }
            close(out, name);
        }
        Value::String(text) if names::encoded_document(service, name) && !text.starts_with('%') => {
            leaf(out, name, &utf8_percent_encode(text, DOCUMENT).to_string());
        }
        Value::String(text) => leaf(out, name, text),
        other => leaf(out, name, &other.to_string()),
    }
}

fn leaf(out: &mut String, name: &str, text: &str) {
    open(out, name);
    out.push_str(&escape(text));
    close(out, name);
}

fn open(out: &mut String, name: &str) {
    out.push('<');
    out.push_str(name);
    out.push('>');
}

fn close(out: &mut String, name: &str) {
    out.push_str("</");
    out.push_str(name);
    out.push('>');
}
