//! Lines of a recording, on the wire again.

use recording::{line, wire};
use serde_json::{Value, json};

use super::{Traffic, request, scope};

/// A recorded call on the wire again.
pub(crate) fn again(call: &line::Call) -> Option<Traffic> {
    let scope = scope(&call.service);
    let asked = serde_json::to_value(&call.request).unwrap();
    let members = &asked["body"]["members"];
    let mut sent =
        request("AKIATEST", &scope, &call.operation, if members.is_object() { members } else { &Value::Null });
    if scope == "lambda" {
        let method = asked["method"].as_str().unwrap();
        method.clone_into(&mut sent.method);
        let query = members.as_object().into_iter().flatten().filter(|_| method == "GET");
        let query: Vec<String> =
            query.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or(""))).collect();
        sent.target = format!("{}?{}", asked["path"].as_str().unwrap(), query.join("&"));
    }
    let (kind, answered) = match (&call.error, &call.response) {
        (Some(error), _) => {
            let code = error.code.clone().unwrap_or_default();
            ("application/json", json!({ "__type": code, "message": "" }).to_string().into_bytes())
        }
        (None, Some(answer)) if ["rds", "iam", "sts", "ec2"].contains(&scope.as_str()) => {
            ("text/xml", wire::xml(&call.service, &call.operation, &answer.members).into_bytes())
        }
        (None, Some(answer)) if scope == "monitoring" => ("application/cbor", wire::cbor(&answer.members)),
        (None, Some(answer)) => ("application/json", answer.members.to_string().into_bytes()),
        (None, None) => return None,
    };
    Some(Traffic { request: sent, status: call.status?, answered_as: kind.to_owned(), error_type: None, answered })
}
