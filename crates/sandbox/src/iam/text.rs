//! Names, paths and policy texts: what IAM accepts.

use serde_json::{Map, Value};

use super::super::account::{AwsError, Need};
use super::super::input;
use super::super::policy::{self, Decision};

/// The number of characters that count against a quota: white space is free.
pub(super) fn size(document: &str) -> usize {
    document.chars().filter(|character| !character.is_whitespace()).count()
}

/// A member that must be given.
pub(super) fn required<'a>(input: &'a Value, name: &str) -> Result<&'a str, AwsError> {
    input::text(input, name).ok_or_else(|| {
        invalid(format!(
            "1 validation error detected: Value null at '{}' failed to satisfy constraint: Member must not be null",
            lower_first(name)
        ))
    })
}

/// A role's or policy's name, checked.
pub(super) fn name<'a>(input: &'a Value, member: &str, longest: usize) -> Result<&'a str, AwsError> {
    let name = required(input, member)?;
    let shown = lower_first(member);
    if name.chars().count() > longest {
        return Err(invalid(format!(
            "1 validation error detected: Value '{name}' at '{shown}' failed to satisfy constraint: Member must have length less than or equal to {longest}"
        )));
    }
    if !name.chars().all(is_name_character) {
        return Err(invalid(format!(
            "The specified value for {shown} is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-"
        )));
    }
    Ok(name)
}

fn is_name_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_+=,.@-".contains(character)
}

/// A path, checked; `/` where none is given.
pub(super) fn path(input: &Value) -> Result<String, AwsError> {
    let path = input::text(input, "Path").unwrap_or("/");
    let fits = path.len() <= 512
        && path.starts_with('/')
        && path.ends_with('/')
        && !path.contains("//")
        && path.chars().all(|character| character == '/' || ('\u{21}'..='\u{7e}').contains(&character));
    if fits {
        return Ok(path.to_owned());
    }
    Err(invalid(
        "The specified value for path is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.",
    ))
}

/// The tags of a call, checked.
pub(super) fn tags(input: &Value, name: &str) -> Result<std::collections::BTreeMap<String, String>, AwsError> {
    let tags = input::tags(input, name);
    if tags.len() != input::list(input, name).len() {
        return Err(AwsError::new(
            400,
            "InvalidInput",
            "Duplicate tag keys found. Please note that Tag keys are case insensitive.",
        ));
    }
    if let Some(key) = tags.keys().find(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(AwsError::new(
            400,
            "InvalidInput",
            format!("Tag keys that start with \"aws:\" are reserved for internal use: {key}"),
        ));
    }
    for (key, value) in &tags {
        let allowed =
            |character: char| character.is_alphanumeric() || character == ' ' || "_.:/=+-@".contains(character);
        if key.chars().count() > 128 || value.chars().count() > 256 || !key.chars().chain(value.chars()).all(allowed) {
            return Err(invalid(format!(
                "1 validation error detected: Value at 'tags' failed to satisfy constraint: tag {key}"
            )));
        }
    }
    if tags.len() > 50 {
        return Err(limit("The number of tags has reached the maximum limit of 50."));
    }
    Ok(tags)
}

/// A document that grants permissions: JSON, statements with effect, action and resource, and no principal.
pub(super) fn check_permissions(document: &str) -> Result<(), AwsError> {
    for statement in parse(document)? {
        if statement.contains_key("Principal") || statement.contains_key("NotPrincipal") {
            return Err(malformed("Policy document should not specify a principal."));
        }
        if !statement.contains_key("Resource") && !statement.contains_key("NotResource") {
            return Err(malformed("Policy statement must contain resources."));
        }
        for resource in strings(&statement, "Resource").chain(strings(&statement, "NotResource")) {
            if resource != "*" && (!resource.starts_with("arn:") || resource.splitn(6, ':').count() < 6) {
                return Err(malformed(format!("Resource {resource} must be in ARN format or \"*\".")));
            }
        }
    }
    Ok(())
}

/// A trust policy: JSON, statements with a principal that exists, and no resource.
pub(super) fn check_trust(document: &str) -> Result<(), AwsError> {
    if size(document) > 2048 {
        return Err(limit("Cannot exceed quota for ACLSizePerRole: 2048"));
    }
    for statement in parse(document)? {
        if statement.contains_key("Resource") || statement.contains_key("NotResource") {
            return Err(malformed("Has prohibited field Resource"));
        }
        let Some(principal) = statement.get("Principal") else {
            return Err(malformed("Missing required field Principal"));
        };
        check_principal(principal)?;
        if let Some(action) =
            strings(&statement, "Action").find(|action| !action.to_ascii_lowercase().starts_with("sts:"))
        {
            return Err(malformed(format!("AssumeRole policy may only specify STS AssumeRole actions. ({action})")));
        }
    }
    Ok(())
}

fn check_principal(principal: &Value) -> Result<(), AwsError> {
    let Some(kinds) = principal.as_object() else {
        return if principal == "*" { Ok(()) } else { Err(malformed("Invalid principal in policy")) };
    };
    for (kind, named) in kinds {
        for named in strings(kinds, kind) {
            let fits = match kind.as_str() {
                "Service" => {
                    (named.ends_with(".amazonaws.com") || named.ends_with(".amazonaws.com.cn"))
                        && named.chars().all(|character| character.is_ascii_alphanumeric() || ".-".contains(character))
                }
                "AWS" => {
                    named == "*"
                        || named.starts_with("arn:")
                        || (named.len() == 12 && named.chars().all(|digit| digit.is_ascii_digit()))
                }
                "Federated" | "CanonicalUser" => true,
                _ => false,
            };
            if !fits {
                return Err(malformed(format!("Invalid principal in policy: \"{kind}\":\"{named}\"")));
            }
        }
        if !named.is_string() && !named.is_array() {
            return Err(malformed("Syntax errors in policy."));
        }
    }
    Ok(())
}

/// What every kind of policy must have.
fn parse(document: &str) -> Result<Vec<Map<String, Value>>, AwsError> {
    let Ok(Value::Object(top)) = serde_json::from_str::<Value>(document) else {
        return Err(malformed("This policy contains invalid Json"));
    };
    let known = |key: &String| matches!(key.as_str(), "Version" | "Id" | "Statement");
    let version = top.get("Version").is_none_or(|version| version == "2012-10-17" || version == "2008-10-17");
    if !top.keys().all(known) || !version {
        return Err(malformed("Syntax errors in policy."));
    }
    let statements: Vec<Map<String, Value>> = match top.get("Statement") {
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_object).cloned().collect(),
        Some(Value::Object(one)) => vec![one.clone()],
        _ => return Err(malformed("Syntax errors in policy.")),
    };
    if statements.is_empty() {
        return Err(malformed("Syntax errors in policy."));
    }
    for statement in &statements {
        if !matches!(statement.get("Effect").and_then(Value::as_str), Some("Allow" | "Deny")) {
            return Err(malformed("Syntax errors in policy."));
        }
        let actions: Vec<&str> = strings(statement, "Action").chain(strings(statement, "NotAction")).collect();
        if actions.is_empty() {
            return Err(malformed("Policy statement must contain actions."));
        }
        if actions.iter().any(|action| *action != "*" && !action.contains(':')) {
            return Err(malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."));
        }
    }
    Ok(statements)
}

fn strings<'a>(statement: &'a Map<String, Value>, key: &str) -> impl Iterator<Item = &'a str> {
    let items = match statement.get(key) {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    items.iter().filter_map(Value::as_str)
}

/// Whether a trust policy names the service, whatever its conditions say.
pub(super) fn trusts(document: &str, service: &str) -> bool {
    trust_decision(&without_conditions(document), service) == Decision::Allowed
}

/// Whether a trust policy lets the service in when the request carries no condition key at all.
///
/// RDS Proxy assumes its role like that: a trust policy with `aws:SourceArn` keeps it out.
pub(super) fn trusts_without_context(document: &str, service: &str) -> bool {
    trust_decision(&serde_json::from_str(document).unwrap_or_default(), service) == Decision::Allowed
}

fn trust_decision(document: &Value, service: &str) -> Decision {
    let need = Need {
        action: "sts:AssumeRole".to_owned(),
        resource: "*".to_owned(),
        context: std::collections::BTreeMap::new(),
    };
    policy::evaluate_resource_policy(document, &[service], &need)
}

fn without_conditions(document: &str) -> Value {
    let mut document: Value = serde_json::from_str(document).unwrap_or_default();
    match document.get_mut("Statement") {
        Some(Value::Array(statements)) => {
            for statement in statements.iter_mut().filter_map(Value::as_object_mut) {
                statement.remove("Condition");
            }
        }
        Some(Value::Object(statement)) => {
            statement.remove("Condition");
        }
        _ => {}
    }
    document
}

/// A `ValidationError`.
pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "ValidationError", message)
}

/// A `LimitExceeded`.
pub(super) fn limit(message: impl Into<String>) -> AwsError {
    AwsError::new(409, "LimitExceeded", message)
}

/// A `NoSuchEntity`.
pub(super) fn missing(message: impl Into<String>) -> AwsError {
    AwsError::new(404, "NoSuchEntity", message)
}

fn malformed(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "MalformedPolicyDocument", message)
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(characters).collect()
}
