//! Functions as the API shows them.

use serde_json::{Value, json};

use super::super::account::{Call, Moment, World};
use super::super::policy::{self, Decision};
use super::super::{input, kms};
use super::{Configuration, Function, State, Update};

/// A time as Lambda writes it.
pub(super) fn time(moment: Moment) -> String {
    moment.iso().replace('Z', "+0000")
}

/// A configuration as `GetFunctionConfiguration` shows it; `qualifier` ends up in the ARN.
pub(super) fn whole(
    world: &World,
    call: &Call,
    function: &Function,
    shown: &Configuration,
    qualifier: Option<&str>,
) -> Value {
    let mut value = brief(world, call, function, shown, qualifier);
    match shown.state {
        State::Active => value["State"] = json!("Active"),
        State::Pending(_) => {
            value["State"] = json!("Pending");
            value["StateReason"] = json!("The function is being created.");
            value["StateReasonCode"] = json!("Creating");
            return value;
        }
    }
    match &shown.update {
        Update::Successful => value["LastUpdateStatus"] = json!("Successful"),
        Update::InProgress { .. } => {
            value["LastUpdateStatus"] = json!("InProgress");
            value["LastUpdateStatusReason"] = json!("The function is being created.");
            value["LastUpdateStatusReasonCode"] = json!("Creating");
        }
        Update::Failed(code) => {
            value["LastUpdateStatus"] = json!("Failed");
            value["LastUpdateStatusReason"] = json!(reason(code));
            value["LastUpdateStatusReasonCode"] = json!(code);
        }
    }
    value
}

/// A configuration as lists show it: without the states.
pub(super) fn brief(
    world: &World,
    call: &Call,
    function: &Function,
    shown: &Configuration,
    qualifier: Option<&str>,
) -> Value {
    let arn = qualifier.map_or_else(|| shown.arn.clone(), |qualifier| format!("{}:{qualifier}", shown.arn));
    let mut value = json!({
        "FunctionName": shown.name,
        "FunctionArn": arn,
        "Role": shown.role,
        "CodeSize": shown.code_size,
        "Description": shown.description,
        "Timeout": shown.timeout,
        "MemorySize": shown.memory,
        "LastModified": time(shown.modified),
        "CodeSha256": shown.code_sha256,
        "Version": shown.version,
        "TracingConfig": {"Mode": shown.tracing},
        "RevisionId": shown.revision,
        "PackageType": shown.package_type,
        "Architectures": [shown.architecture],
        "EphemeralStorage": {"Size": shown.storage},
        "SnapStart": {
            "ApplyOn": if shown.snap_start { "PublishedVersions" } else { "None" },
            "OptimizationStatus": if shown.snap_start && shown.version != super::LATEST { "On" } else { "Off" },
        },
        "LoggingConfig": shown.logging.clone().unwrap_or_else(|| {
            json!({"LogFormat": "Text", "LogGroup": format!("/aws/lambda/{}", shown.name)})
        }),
    });
    let texts = [("Runtime", &shown.runtime), ("Handler", &shown.handler), ("KMSKeyArn", &shown.kms_key)];
    for (member, text) in texts {
        if let Some(text) = text {
            value[member] = json!(text);
        }
    }
    if let Some(vpc) = &shown.vpc {
        value["VpcConfig"] = json!({
            "SubnetIds": vpc.subnets, "SecurityGroupIds": vpc.groups, "VpcId": vpc.id, "Ipv6AllowedForDualStack": vpc.ipv6,
        });
    }
    if let Some(variables) = &shown.environment {
        value["Environment"] = match unreadable(world, call, function, shown) {
            Some(error) => json!({"Error": error}),
            None => json!({"Variables": variables}),
        };
    }
    if let Some(target) = &shown.dead_letter {
        value["DeadLetterConfig"] = json!({"TargetArn": target});
    }
    if !shown.layers.is_empty() {
        value["Layers"] = shown.layers.iter().map(|arn| json!({"Arn": arn, "CodeSize": 1024})).collect();
    }
    if !shown.file_systems.is_empty() {
        value["FileSystemConfigs"] = json!(shown.file_systems);
    }
    if let Some(image) = &shown.image {
        value["ImageConfigResponse"] = json!({"ImageConfig": image});
    }
    value
}

/// Why the caller does not get to see the variables, if so.
fn unreadable(world: &World, call: &Call, function: &Function, shown: &Configuration) -> Option<Value> {
    let key = shown.kms_key.as_deref().and_then(|key| kms::find(world, key)).filter(|key| !key.aws_managed);
    let denied = key.is_some_and(|key| {
        !key.enabled
            || call.principal.policies.as_ref().is_some_and(|documents| {
                let need = kms::need_via(world, "kms:Decrypt", &key.arn, "lambda");
                policy::evaluate(documents, &need) != Decision::Allowed
            })
    });
    (function.unreadable_environment || denied).then(|| {
        json!({
            "ErrorCode": "AccessDeniedException",
            "Message": "Lambda was unable to decrypt your environment variables because the KMS access was denied. Please check your KMS permissions. KMS Exception: AccessDeniedException",
        })
    })
}

fn reason(code: &str) -> &'static str {
    match code {
        "EniLimitExceeded" => "You have exceeded the limit of network interfaces in the VPC of the function.",
        "SubnetOutOfIPAddresses" => "One or more subnets of the function have no free IP addresses.",
        "InvalidSubnet" => "One or more subnets of the function are invalid.",
        "InvalidSecurityGroup" => "One or more security groups of the function are invalid.",
        "InsufficientRolePermissions" => {
            "The function's execution role does not have permission to call CreateNetworkInterface on EC2"
        }
        "KMSKeyAccessDenied" => "Lambda was unable to use the KMS key of the function because access was denied.",
        "EC2RequestLimitExceeded" => "Lambda was throttled by Amazon EC2 while it set up VPC access.",
        _ => "The service encountered an error while it updated the function.",
    }
}

/// One page's size: lists give at most 50 items, whatever is asked for.
pub(super) fn page_size(call: &Call) -> usize {
    let asked = input::number(&call.input, "MaxItems").and_then(|asked| usize::try_from(asked).ok());
    asked.unwrap_or(50).clamp(1, 50)
}

/// A list's answer.
pub(super) fn paged(rows: Vec<(String, Value)>, call: &Call, member: &str) -> Value {
    let (rows, next) = super::super::page::page(rows, input::text(&call.input, "Marker"), page_size(call));
    let mut answer = json!({});
    answer[member] = json!(rows);
    if let Some(next) = next {
        answer["NextMarker"] = json!(next);
    }
    answer
}
