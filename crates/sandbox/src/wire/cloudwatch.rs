//! CloudWatch's three protocols: `smithy-rpc-v2-cbor`, which the Rust SDK speaks, JSON 1.0, which boto3 speaks, and
//! Query. All are in botocore's model.

use serde_json::{Value, json};

use super::{Form, cbor, json_body, query, times, xml};
use crate::account::{AwsError, Request, Response, Service};

/// Before the operation in a path of the CBOR protocol.
const PATH: &str = "/service/GraniteServiceVersion20100801/operation/";

/// The namespace of the model's shapes.
const SHAPES: &str = "com.amazonaws.cloudwatch#";

/// Which of the protocols a request has.
pub(super) fn form(request: &Request) -> Form {
    if request.headers.get("smithy-protocol").is_some_and(|protocol| protocol == "rpc-v2-cbor") {
        Form::Cbor
    } else if request.headers.contains_key("x-amz-target") {
        Form::Json
    } else {
        Form::Usual
    }
}

/// Reads the operation and its input.
pub(super) fn decode(request: &Request, form: Form) -> Result<(String, Value), AwsError> {
    match form {
        Form::Cbor => {
            let path = request.target.split_once('?').map_or(request.target.as_str(), |(path, _)| path);
            let action = path.strip_prefix(PATH).filter(|action| !action.is_empty());
            let action = action.ok_or_else(|| unknown("No operation was named."))?;
            Ok((action.to_owned(), cbor::decode(&request.body)?))
        }
        Form::Json => {
            let target = request.headers.get("x-amz-target").and_then(|target| target.rsplit('.').next());
            let action = target.filter(|action| !action.is_empty());
            let action = action.ok_or_else(|| unknown("No operation was named."))?;
            Ok((action.to_owned(), json_body(&request.body)?))
        }
        Form::Usual => query::decode(request, false),
    }
}

/// Writes an operation's output; `Null` is that of an operation without one.
pub(super) fn success(form: Form, action: &str, output: &Value, request_id: &str) -> Response {
    match form {
        Form::Cbor if output.is_null() => {
            Response { status: 200, headers: headers(None, request_id), body: Vec::new() }
        }
        Form::Cbor => {
            Response { status: 200, headers: headers(Some("application/cbor"), request_id), body: cbor::encode(output) }
        }
        Form::Json => {
            let output = if output.is_null() { json!({}) } else { times::as_numbers(output) };
            super::json_response(200, "application/x-amz-json-1.0", &output, request_id, None)
        }
        Form::Usual => {
            let body = xml::query_output(Service::Monitoring, action, &times::as_texts(output), request_id);
            super::xml_response(200, body, request_id)
        }
    }
}

/// Writes an error. In the newer protocols its type is the name of its shape; the code of old stands in a header
/// (<https://smithy.io/2.0/aws/protocols/aws-query-protocol.html#aws-protocols-awsquerycompatible-trait>).
pub(super) fn failure(form: Form, error: &AwsError, request_id: &str) -> Response {
    let body = json!({ "__type": format!("{SHAPES}{}", shape(&error.code)), "message": error.message });
    let fault = if error.status < 500 { "Sender" } else { "Receiver" };
    let old = ("x-amzn-query-error".to_owned(), format!("{};{fault}", of_old(&error.code)));
    match form {
        Form::Cbor => {
            let mut headers = headers(Some("application/cbor"), request_id);
            headers.push(old);
            Response { status: error.status, headers, body: cbor::encode(&body) }
        }
        Form::Json => {
            let mut response =
                super::json_response(error.status, "application/x-amz-json-1.0", &body, request_id, None);
            response.headers.push(old);
            response
        }
        Form::Usual => {
            let error = AwsError { code: of_old(&error.code).to_owned(), ..error.clone() };
            super::xml_response(error.status, xml::query_error(Service::Monitoring, &error, request_id), request_id)
        }
    }
}

fn headers(kind: Option<&str>, request_id: &str) -> Vec<(String, String)> {
    let mut headers = vec![
        ("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()),
        ("x-amzn-requestid".to_owned(), request_id.to_owned()),
    ];
    headers.extend(kind.map(|kind| ("content-type".to_owned(), kind.to_owned())));
    headers
}

/// The shape of an error, from its code in the Query protocol (botocore's model of CloudWatch).
fn shape(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "InternalServiceError" => "InternalServiceFault",
        "LimitExceeded" => "LimitExceededFault",
        "InvalidParameterInput" => "DashboardInvalidInputError",
        same => same,
    }
}

/// The code in the Query protocol, where two shapes share one.
fn of_old(code: &str) -> &str {
    if code == "DashboardNotFoundError" { "ResourceNotFound" } else { code }
}

fn unknown(message: &str) -> AwsError {
    AwsError::new(400, "UnknownOperationException", message)
}
