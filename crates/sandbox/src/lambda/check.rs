//! What Lambda accepts.

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::super::account::{AwsError, Call, World};
use super::super::{iam, input};
use super::Vpc;

/// Names that the runtime sets itself.
const RESERVED: &[&str] = &[
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SECURITY_TOKEN",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

/// Bytes of all variables together, as JSON.
const ENVIRONMENT_SIZE: usize = 4096;

/// The families of runtimes.
const RUNTIMES: &[&str] = &["nodejs", "python", "java", "dotnet", "ruby", "provided", "go1.x"];

pub(super) fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "-_".contains(character)
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterValueException", message)
}

/// A value that breaks a rule of the model.
pub(super) fn constraint(value: &str, member: &str, rule: &str) -> AwsError {
    AwsError::new(
        400,
        "ValidationException",
        format!("1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {rule}"),
    )
}

pub(super) fn conflict(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "ResourceConflictException", message)
}

/// The refusal of a write while another one is on its way.
pub(super) fn busy(arn: &str) -> AwsError {
    conflict(format!("The operation cannot be performed at this time. An update is in progress for resource: {arn}"))
}

/// That a given revision id is still the present one.
pub(super) fn revision(call: &Call, present: &str) -> Result<(), AwsError> {
    match input::text(&call.input, "RevisionId") {
        Some(given) if given != present => Err(AwsError::new(
            412,
            "PreconditionFailedException",
            "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
        )),
        _ => Ok(()),
    }
}

/// A number within its range; `None` where it is not given.
pub(super) fn number(call: &Call, member: &str, least: i64, most: i64) -> Result<Option<u32>, AwsError> {
    let Some(value) = input::number(&call.input, member) else { return Ok(None) };
    let shown =
        format!("{}{}", member.get(..1).unwrap_or_default().to_ascii_lowercase(), member.get(1..).unwrap_or_default());
    if value < least {
        return Err(constraint(
            &value.to_string(),
            &shown,
            &format!("Member must have value greater than or equal to {least}"),
        ));
    }
    if value > most {
        return Err(constraint(
            &value.to_string(),
            &shown,
            &format!("Member must have value less than or equal to {most}"),
        ));
    }
    Ok(u32::try_from(value).ok())
}

pub(super) fn runtime(call: &Call) -> Result<Option<&str>, AwsError> {
    match input::text(&call.input, "Runtime") {
        Some(runtime) if !RUNTIMES.iter().any(|family| runtime.starts_with(family)) => {
            Err(constraint(runtime, "runtime", "Member must satisfy enum value set"))
        }
        runtime => Ok(runtime),
    }
}

/// The execution role, which must exist and trust Lambda by now.
pub(super) fn role<'call>(world: &World, call: &'call Call) -> Result<Option<&'call str>, AwsError> {
    let Some(arn) = input::text(&call.input, "Role") else { return Ok(None) };
    if !arn.starts_with("arn:") || !arn.contains(":role/") {
        return Err(constraint(
            arn,
            "role",
            "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+",
        ));
    }
    if iam::role(world, arn).is_some_and(|role| role.assumable_by(world, "lambda.amazonaws.com", call.now)) {
        return Ok(Some(arn));
    }
    Err(invalid("The role defined for the function cannot be assumed by Lambda."))
}

/// Replaces all variables by those that the call brings; what it leaves out is gone.
///
/// A call that says nothing about variables changes none.
pub(super) fn environment(call: &Call, slot: &mut Option<BTreeMap<String, String>>) -> Result<(), AwsError> {
    let Some(environment) = call.input.get("Environment").filter(|given| !given.is_null()) else { return Ok(()) };
    let Some(given) = environment.get("Variables").and_then(Value::as_object) else {
        *slot = None;
        return Ok(());
    };
    let mut variables = BTreeMap::new();
    for (name, value) in given {
        let mut characters = name.chars();
        let fits =
            characters.next().is_some_and(|first| first.is_ascii_alphabetic() || RESERVED.contains(&name.as_str()))
                && name.len() >= 2
                && characters.all(|character| character.is_ascii_alphanumeric() || character == '_');
        if !fits {
            return Err(AwsError::new(
                400,
                "ValidationException",
                "1 validation error detected: Value at 'environment.variables' failed to satisfy constraint: Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+]",
            ));
        }
        let Some(value) = value.as_str() else {
            return Err(AwsError::new(400, "SerializationException", "Environment variables must be strings."));
        };
        variables.insert(name.clone(), value.to_owned());
    }
    let reserved: Vec<&str> = variables.keys().map(String::as_str).filter(|name| RESERVED.contains(name)).collect();
    if !reserved.is_empty() {
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: {}",
            reserved.join(", ")
        )));
    }
    let measured = serde_json::to_string(&variables).unwrap_or_default();
    if measured.len() > ENVIRONMENT_SIZE {
        // As the service words it, values and all: a program that shows this message shows them.
        return Err(invalid(format!(
            "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: {measured}"
        )));
    }
    *slot = (!variables.is_empty()).then_some(variables);
    Ok(())
}

/// Replaces the VPC attachment by the one that the call brings, if it says anything of it.
pub(super) fn vpc(world: &World, call: &Call, slot: &mut Option<Vpc>) -> Result<(), AwsError> {
    let Some(given) = call.input.get("VpcConfig").filter(|given| !given.is_null()) else { return Ok(()) };
    let (subnets, groups) = (input::texts(given, "SubnetIds"), input::texts(given, "SecurityGroupIds"));
    if subnets.is_empty() && groups.is_empty() {
        *slot = None;
        return Ok(());
    }
    if subnets.is_empty() || groups.is_empty() {
        return Err(invalid("SubnetIds and SecurityIds must coexist or be both empty list."));
    }
    if subnets.len() > 16 || groups.len() > 5 {
        return Err(invalid("A function takes at most 16 subnets and 5 security groups."));
    }
    let mut id: Option<&str> = None;
    for subnet in &subnets {
        let Some(found) = world.ec2.subnets.get(subnet) else {
            return Err(invalid(format!(
                "Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID '{subnet}' does not exist"
            )));
        };
        if id.is_some_and(|id| id != found.vpc_id) {
            return Err(invalid("All subnets must be in the same VPC."));
        }
        id = Some(&found.vpc_id);
    }
    for group in &groups {
        let Some(found) = world.ec2.groups.get(group) else {
            return Err(invalid(format!(
                "Error occurred while DescribeSecurityGroups. EC2 Error Code: InvalidGroup.NotFound. EC2 Error Message: The security group '{group}' does not exist"
            )));
        };
        if id.is_some_and(|id| id != found.vpc_id) {
            return Err(invalid("Security Groups are required to be in the same VPC as Subnets."));
        }
    }
    let ipv6 = input::flag(given, "Ipv6AllowedForDualStack").unwrap_or(false);
    *slot = id.map(str::to_owned).map(|id| Vpc { id, subnets, groups, ipv6 });
    Ok(())
}

/// Tags as Lambda takes them: a map.
pub(super) fn tags(call: &Call) -> Result<BTreeMap<String, String>, AwsError> {
    let Some(given) = call.input.get("Tags").and_then(Value::as_object) else { return Ok(BTreeMap::new()) };
    let allowed = |character: char| character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character);
    let mut tags = BTreeMap::new();
    for (key, value) in given {
        let value = value.as_str().unwrap_or_default();
        if key.to_ascii_lowercase().starts_with("aws:") {
            return Err(invalid(format!("Tag keys starting with 'aws:' are reserved for system use: {key}")));
        }
        let fits = (1..=128).contains(&key.chars().count())
            && value.chars().count() <= 256
            && key.chars().chain(value.chars()).all(allowed);
        if !fits {
            return Err(invalid(format!(
                "Tag key or value is invalid: {key}. Keys take 1 to 128 characters, values at most 256: letters, spaces, digits and _.:/=+-@"
            )));
        }
        tags.insert(key.clone(), value.to_owned());
    }
    Ok(tags)
}

/// The SHA-256 of a deployment package, as `CodeSha256` shows it
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html>).
pub(super) fn code_hash(code: &[u8]) -> String {
    aws_smithy_types::base64::encode(Sha256::digest(code))
}
