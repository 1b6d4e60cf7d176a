//! Lambda's REST-JSON: paths to operations.

use serde_json::{Map, Value};

use super::{json_body, pairs, unescape};
use crate::account::{AwsError, Request};

/// One operation: method, path, name, status of success.
type Route = (&'static str, &'static str, &'static str, u16);

/// The operations by path. A pair after `?` must stand in the query; such a route comes before the same path without
/// one.
const ROUTES: &[Route] = &[
    ("GET", "/2015-03-31/functions", "ListFunctions", 200),
    ("POST", "/2015-03-31/functions", "CreateFunction", 201),
    ("GET", "/2015-03-31/functions/{FunctionName}", "GetFunction", 200),
    ("DELETE", "/2015-03-31/functions/{FunctionName}", "DeleteFunction", 204),
    ("POST", "/2015-03-31/functions/{FunctionName}/invocations", "Invoke", 200),
    ("GET", "/2015-03-31/functions/{FunctionName}/configuration", "GetFunctionConfiguration", 200),
    ("PUT", "/2015-03-31/functions/{FunctionName}/configuration", "UpdateFunctionConfiguration", 200),
    ("PUT", "/2015-03-31/functions/{FunctionName}/code", "UpdateFunctionCode", 200),
    ("POST", "/2015-03-31/functions/{FunctionName}/versions", "PublishVersion", 201),
    ("GET", "/2015-03-31/functions/{FunctionName}/versions", "ListVersionsByFunction", 200),
    ("POST", "/2015-03-31/functions/{FunctionName}/aliases", "CreateAlias", 201),
    ("GET", "/2015-03-31/functions/{FunctionName}/aliases", "ListAliases", 200),
    ("GET", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", "GetAlias", 200),
    ("PUT", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", "UpdateAlias", 200),
    ("DELETE", "/2015-03-31/functions/{FunctionName}/aliases/{Name}", "DeleteAlias", 204),
    ("GET", "/2015-03-31/functions/{FunctionName}/policy", "GetPolicy", 200),
    ("GET", "/2016-08-19/account-settings", "GetAccountSettings", 200),
    ("GET", "/2019-09-30/functions/{FunctionName}/concurrency", "GetFunctionConcurrency", 200),
    ("PUT", "/2017-10-31/functions/{FunctionName}/concurrency", "PutFunctionConcurrency", 200),
    ("DELETE", "/2017-10-31/functions/{FunctionName}/concurrency", "DeleteFunctionConcurrency", 204),
    ("GET", "/2017-03-31/tags/{Resource}", "ListTags", 200),
    ("POST", "/2017-03-31/tags/{Resource}", "TagResource", 204),
    ("DELETE", "/2017-03-31/tags/{Resource}", "UntagResource", 204),
    ("GET", "/2015-03-31/event-source-mappings", "ListEventSourceMappings", 200),
    ("POST", "/2015-03-31/event-source-mappings", "CreateEventSourceMapping", 202),
    ("GET", "/2015-03-31/event-source-mappings/{UUID}", "GetEventSourceMapping", 200),
    (
        "GET",
        "/2019-09-30/functions/{FunctionName}/provisioned-concurrency?List=ALL",
        "ListProvisionedConcurrencyConfigs",
        200,
    ),
    ("GET", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", "GetProvisionedConcurrencyConfig", 200),
    ("PUT", "/2019-09-30/functions/{FunctionName}/provisioned-concurrency", "PutProvisionedConcurrencyConfig", 202),
    (
        "DELETE",
        "/2019-09-30/functions/{FunctionName}/provisioned-concurrency",
        "DeleteProvisionedConcurrencyConfig",
        204,
    ),
];

/// The status that an operation's success has.
pub(super) fn status(action: &str) -> u16 {
    ROUTES.iter().find(|(_, _, name, _)| *name == action).map_or(200, |(.., status)| *status)
}

/// Reads the operation and merges path, query and body into one input.
pub(super) fn decode(request: &Request) -> Result<(String, Value), AwsError> {
    let (path, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    let query = pairs(query);
    let pieces: Vec<String> =
        path.split('/').filter(|piece| !piece.is_empty()).map(|piece| unescape(piece, false)).collect();
    for (method, template, action, _) in ROUTES {
        if *method != request.method {
            continue;
        }
        if let Some(labels) = matches(template, &pieces, &query) {
            let mut input = match json_body(&request.body)? {
                // The whole body is one member there: what it holds is the function's own affair.
                payload if *action == "Invoke" => Map::from_iter([("Payload".to_owned(), payload)]),
                Value::Object(members) => members,
                _ => Map::new(),
            };
            for (name, value) in &query {
                merge(&mut input, name, value);
            }
            for (name, value) in labels {
                input.insert(name, Value::String(value));
            }
            return Ok(((*action).to_owned(), Value::Object(input)));
        }
    }
    Err(AwsError::new(404, "UnknownOperationException", format!("Unknown operation {} {path}", request.method)))
}

fn matches(template: &str, pieces: &[String], query: &[(String, String)]) -> Option<Vec<(String, String)>> {
    let (path, wanted) = template.split_once('?').map_or((template, None), |(path, pair)| (path, Some(pair)));
    if let Some((name, value)) = wanted.and_then(|pair| pair.split_once('='))
        && !query.iter().any(|(given, text)| given == name && text == value)
    {
        return None;
    }
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    if parts.len() != pieces.len() {
        return None;
    }
    let mut labels = Vec::new();
    for (part, piece) in parts.into_iter().zip(pieces) {
        if let Some(label) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            labels.push((label.to_owned(), piece.clone()));
        } else if part != piece {
            return None;
        }
    }
    Some(labels)
}

/// `tagKeys` may come several times: it is the one list among the query's members.
fn merge(input: &mut Map<String, Value>, name: &str, value: &str) {
    if name == "tagKeys" {
        if let Value::Array(keys) = input.entry("TagKeys").or_insert_with(|| Value::Array(Vec::new())) {
            keys.push(Value::String(value.to_owned()));
        }
    } else {
        input.insert(name.to_owned(), Value::String(value.to_owned()));
    }
}
