//! The wire protocols: from an HTTP request to a call, and from an outcome to an HTTP response.

mod cbor;
mod cloudwatch;
mod names;
mod query;
mod rest;
mod times;
mod xml;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::account::{AwsError, Request, Response, Service};
use super::pricing;

pub(super) use times::at;

/// What a request says before anything is known about the account.
#[derive(Debug)]
pub(super) struct Decoded {
    /// The service of the signature's scope.
    pub(super) service: Service,
    /// The region of the signature's scope.
    pub(super) region: String,
    /// The key id of the signature.
    pub(super) access_key: String,
    /// The operation.
    pub(super) action: String,
    /// Its input, members named as in the model.
    pub(super) input: Value,
    /// The form that the answer has.
    pub(super) form: Form,
}

/// A protocol, of those that a service has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The service's only one, or its oldest.
    Usual,
    /// JSON 1.0.
    Json,
    /// CBOR.
    Cbor,
}

/// A request that cannot become a call: the service (for the form of the answer) and the error.
pub(super) type Refusal = (Service, Form, AwsError);

/// The credential scope of a signature version 4.
struct Scope {
    access_key: String,
    region: String,
    service: String,
}

impl Service {
    /// The name in a signature's scope.
    #[must_use]
    pub fn scope(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Kms => "kms",
            Self::Lambda => "lambda",
            Self::Logs => "logs",
            Self::Monitoring => "monitoring",
            Self::Pricing => "pricing",
            Self::Rds => "rds",
            Self::SecretsManager => "secretsmanager",
            Self::ServiceQuotas => "servicequotas",
            Self::Sts => "sts",
        }
    }

    /// Whether the service is the same in every region.
    pub(super) fn global(self) -> bool {
        matches!(self, Self::Iam | Self::Sts)
    }

    fn of_scope(name: &str) -> Option<Self> {
        [
            Self::Ec2,
            Self::Iam,
            Self::Kms,
            Self::Lambda,
            Self::Logs,
            Self::Monitoring,
            Self::Pricing,
            Self::Rds,
            Self::SecretsManager,
            Self::ServiceQuotas,
            Self::Sts,
        ]
        .into_iter()
        .find(|service| service.scope() == name)
    }
}

/// Reads a request.
///
/// # Errors
/// When it is unsigned, for a service that the sandbox does not speak for, or names no operation.
pub(super) fn decode(request: &Request) -> Result<Decoded, Refusal> {
    let Some(scope) = scope(request) else {
        let error = AwsError::new(403, "MissingAuthenticationToken", "Request is missing Authentication Token");
        return Err((Service::Sts, Form::Usual, error));
    };
    let Some(service) = Service::of_scope(&scope.service) else {
        let message = format!("The sandbox does not speak for the service {}.", scope.service);
        return Err((Service::Sts, Form::Usual, AwsError::new(501, "NotImplemented", message)));
    };
    if service == Service::Pricing && !pricing::REGIONS.contains(&scope.region.as_str()) {
        let error = AwsError::new(403, "InvalidSignatureException", "Credential should be scoped to a valid region.");
        return Err((service, Form::Usual, error));
    }
    let form = if service == Service::Monitoring { cloudwatch::form(request) } else { Form::Usual };
    let read = match service {
        Service::Rds | Service::Iam | Service::Sts | Service::Ec2 => query::decode(request, service == Service::Ec2),
        Service::Monitoring => cloudwatch::decode(request, form),
        Service::SecretsManager | Service::Kms | Service::Logs | Service::Pricing | Service::ServiceQuotas => {
            json_call(request)
        }
        Service::Lambda => rest::decode(request),
    };
    let (action, input) = read.map_err(|error| (service, form, error))?;
    Ok(Decoded { service, region: scope.region, access_key: scope.access_key, action, input, form })
}

/// Writes an operation's output.
pub(super) fn success(service: Service, form: Form, action: &str, output: &Value, request_id: &str) -> Response {
    match service {
        Service::Monitoring => cloudwatch::success(form, action, output, request_id),
        Service::Rds | Service::Iam | Service::Sts => {
            xml_response(200, xml::query_output(service, action, output, request_id), request_id)
        }
        Service::Ec2 => xml_response(200, xml::ec2_output(action, output, request_id), request_id),
        Service::SecretsManager | Service::Kms | Service::Logs | Service::Pricing | Service::ServiceQuotas => {
            json_response(200, "application/x-amz-json-1.1", output, request_id, None)
        }
        Service::Lambda => {
            let status = rest::status(action);
            if status == 204 {
                return Response {
                    status,
                    headers: vec![("x-amzn-requestid".to_owned(), request_id.to_owned())],
                    body: Vec::new(),
                };
            }
            // The body of an invocation is what the function answers; all else stands in headers.
            let (body, version) = match output.get("ExecutedVersion").and_then(Value::as_str) {
                Some(version) if action == "Invoke" => (&output["Payload"], Some(version)),
                _ => (output, None),
            };
            let mut response = json_response(status, "application/json", body, request_id, None);
            response.headers.extend(version.map(|version| ("x-amz-executed-version".to_owned(), version.to_owned())));
            response
        }
    }
}

/// Writes an error in the form of the service's protocol.
pub(super) fn failure(service: Service, form: Form, error: &AwsError, request_id: &str) -> Response {
    match service {
        Service::Monitoring => cloudwatch::failure(form, error, request_id),
        Service::Rds | Service::Iam | Service::Sts => {
            xml_response(error.status, xml::query_error(service, error, request_id), request_id)
        }
        Service::Ec2 => xml_response(error.status, xml::ec2_error(error, request_id), request_id),
        Service::SecretsManager | Service::Kms | Service::Logs | Service::Pricing | Service::ServiceQuotas => {
            let body = json!({ "__type": error.code, "message": error.message });
            json_response(error.status, "application/x-amz-json-1.1", &body, request_id, Some(&error.code))
        }
        Service::Lambda => {
            let kind = if error.status < 500 { "User" } else { "Service" };
            let body = json!({ "Type": kind, "Message": error.message, "message": error.message });
            json_response(error.status, "application/json", &body, request_id, Some(&error.code))
        }
    }
}

/// A 500 whose body says nothing.
pub(super) fn empty_failure(status: u16, request_id: &str) -> Response {
    Response { status, headers: vec![("x-amzn-requestid".to_owned(), request_id.to_owned())], body: Vec::new() }
}

fn xml_response(status: u16, body: String, request_id: &str) -> Response {
    Response {
        status,
        headers: vec![
            ("content-type".to_owned(), "text/xml;charset=UTF-8".to_owned()),
            ("x-amzn-requestid".to_owned(), request_id.to_owned()),
        ],
        body: body.into_bytes(),
    }
}

fn json_response(status: u16, kind: &str, body: &Value, request_id: &str, error: Option<&str>) -> Response {
    let mut headers =
        vec![("content-type".to_owned(), kind.to_owned()), ("x-amzn-requestid".to_owned(), request_id.to_owned())];
    if let Some(code) = error {
        headers.push(("x-amzn-errortype".to_owned(), code.to_owned()));
    }
    Response { status, headers, body: body.to_string().into_bytes() }
}

fn scope(request: &Request) -> Option<Scope> {
    let header = request.headers.get("authorization")?;
    let credential = header.split_once("Credential=")?.1.split([',', ' ']).next()?;
    let parts: Vec<&str> = credential.rsplit('/').collect();
    let [_, service, region, _, access_key] = parts.as_slice() else { return None };
    Some(Scope { access_key: (*access_key).to_owned(), region: (*region).to_owned(), service: (*service).to_owned() })
}

/// JSON 1.1: the operation stands in a header.
fn json_call(request: &Request) -> Result<(String, Value), AwsError> {
    let action = request
        .headers
        .get("x-amz-target")
        .and_then(|target| target.rsplit('.').next())
        .filter(|action| !action.is_empty())
        .ok_or_else(|| AwsError::new(400, "UnknownOperationException", "No operation was named."))?;
    Ok((action.to_owned(), json_body(&request.body)?))
}

fn json_body(body: &[u8]) -> Result<Value, AwsError> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    serde_json::from_slice(body)
        .map_err(|error| AwsError::new(400, "SerializationException", format!("The body is not JSON: {error}")))
}

/// A path's or form's piece without its percent signs.
fn unescape(text: &str, plus_is_space: bool) -> String {
    let text = if plus_is_space { text.replace('+', " ") } else { text.to_owned() };
    percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
}

/// The pairs of a form or of a URL's query, in order.
fn pairs(form: &str) -> Vec<(String, String)> {
    form.split('&')
        .filter(|piece| !piece.is_empty())
        .map(|piece| {
            let (name, value) = piece.split_once('=').unwrap_or((piece, ""));
            (unescape(name, true), unescape(value, true))
        })
        .collect()
}

/// The tree of a dotted form; its leaves are texts.
#[derive(Debug, Default)]
struct Tree {
    text: Option<String>,
    children: BTreeMap<String, Tree>,
}

impl Tree {
    fn plant(&mut self, path: &str, text: String) {
        let mut node = self;
        for piece in path.split('.') {
            node = node.children.entry(piece.to_owned()).or_default();
        }
        node.text = Some(text);
    }

    /// The children in the order of their numbers, if they have nothing but numbers.
    fn numbered(&self) -> Option<Vec<&Tree>> {
        let mut items = self
            .children
            .iter()
            .map(|(name, child)| name.parse::<u32>().ok().map(|number| (number, child)))
            .collect::<Option<Vec<_>>>()
            .filter(|items| !items.is_empty())?;
        items.sort_by_key(|(number, _)| *number);
        Some(items.into_iter().map(|(_, child)| child).collect())
    }
}
