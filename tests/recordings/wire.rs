//! What is asked, as it is on the wire: for tests that ask the simulated account without an SDK.

use std::collections::BTreeMap;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use recording::wire;
use sandbox::Request;
use serde_json::Value;

/// The name by which requests to a service are signed, from the name that the SDK gives it.
pub(crate) fn scope(service: &str) -> String {
    match service {
        "Secrets Manager" => "secretsmanager".to_owned(),
        "CloudWatch" => "monitoring".to_owned(),
        "CloudWatch Logs" => "logs".to_owned(),
        "Service Quotas" => "servicequotas".to_owned(),
        other => other.to_lowercase(),
    }
}

pub(crate) fn signature(key: &str, scope: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/{scope}/aws4_request, SignedHeaders=host, Signature=0"
    )
}

/// A call of any service but Lambda.
pub(crate) fn request(key: &str, scope: &str, action: &str, members: &Value) -> Request {
    let mut headers = BTreeMap::from([("authorization".to_owned(), signature(key, scope))]);
    let mut target = "/".to_owned();
    let body = match scope {
        "rds" | "iam" | "sts" | "ec2" => {
            headers.insert("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            form(action, members, scope == "ec2")
        }
        "monitoring" => {
            headers.insert("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned());
            target = format!("/service/GraniteServiceVersion20100801/operation/{action}");
            wire::cbor(members)
        }
        _ => {
            headers.insert("x-amz-target".to_owned(), format!("x.{action}"));
            members.to_string().into_bytes()
        }
    };
    Request { method: "POST".to_owned(), target, headers, body }
}

/// A call of Lambda: `GET /2015-03-31/functions`.
pub(crate) fn rest(key: &str, call: &str, members: &Value) -> Request {
    let headers = BTreeMap::from([("authorization".to_owned(), signature(key, "lambda"))]);
    let (method, target) = call.split_once(' ').unwrap_or(("GET", call));
    let body = if members.is_null() { Vec::new() } else { members.to_string().into_bytes() };
    Request { method: method.to_owned(), target: target.to_owned(), headers, body }
}

/// The form of the query protocol; EC2 writes its lists in another way.
pub(crate) fn form(action: &str, members: &Value, ec2: bool) -> Vec<u8> {
    let mut pairs = vec![format!("Action={action}"), "Version=1".to_owned()];
    flat("", members, ec2, &mut pairs);
    pairs.join("&").into_bytes()
}

fn flat(prefix: &str, value: &Value, ec2: bool, out: &mut Vec<String>) {
    let dot = if prefix.is_empty() { "" } else { "." };
    let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    match value {
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| flat(&format!("{prefix}{dot}{name}"), value, ec2, out));
        }
        Value::Array(items) => {
            for (at, value) in (1..).zip(items) {
                let item = if ec2 { format!("{prefix}.{at}") } else { format!("{prefix}.member.{at}") };
                flat(&item, value, ec2, out);
            }
        }
        Value::String(text) => out.push(format!("{}={}", encoded(prefix), encoded(text))),
        other => out.push(format!("{}={other}", encoded(prefix))),
    }
}
