//! Log groups and their retention.

use serde_json::{Value, json};

use super::{LogGroup, OF_PROXIES, absent, constraint, invalid, tags};
use crate::account::{AwsError, Call, Outcome, World};
use crate::{input, kms, page};

/// The numbers of days that a group can keep its lines
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>).
const RETENTIONS: &[i64] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Log groups an account and Region (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>).
const MOST_GROUPS: usize = 1_000_000;

const PATTERN: &str = "[\\.\\-_/#A-Za-z0-9]+";

/// `DescribeLogGroups`.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    let limit = input::number(&call.input, "limit").unwrap_or(50);
    let size = match usize::try_from(limit) {
        Ok(0) | Err(_) => {
            let rule = "Member must have value greater than or equal to 1";
            return Err(constraint(&limit.to_string(), "limit", rule));
        }
        Ok(size) if size > 50 => {
            let rule = "Member must have value less than or equal to 50";
            return Err(constraint(&limit.to_string(), "limit", rule));
        }
        Ok(size) => size,
    };
    let prefix = input::text(&call.input, "logGroupNamePrefix");
    let part = input::text(&call.input, "logGroupNamePattern");
    if prefix.is_some() && part.is_some() {
        return Err(invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    if let Some(prefix) = prefix {
        spelled(prefix, "logGroupNamePrefix")?;
    }
    let class = input::text(&call.input, "logGroupClass");
    let rows = world.logs.all().filter(|(name, group)| {
        prefix.is_none_or(|prefix| name.starts_with(prefix))
            && part.is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
            && class.is_none_or(|class| class == group.class)
    });
    let rows = rows.map(|(name, group)| (name.clone(), shown(world, name, group))).collect();
    let (rows, next) = page::page(rows, input::text(&call.input, "nextToken"), size);
    let mut answer = json!({ "logGroups": rows });
    if let Some(next) = next {
        answer["nextToken"] = json!(next);
    }
    Ok(answer)
}

/// `CreateLogGroup`.
pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let name = name(call)?;
    if name.to_ascii_lowercase().starts_with("aws/") {
        return Err(invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    if world.logs.group(name).is_some() {
        return Err(AwsError::new(400, "ResourceAlreadyExistsException", "The specified log group already exists"));
    }
    if world.logs.all().count() >= MOST_GROUPS {
        return Err(AwsError::new(400, "LimitExceededException", "Resource limit exceeded."));
    }
    let class = input::text(&call.input, "logGroupClass").unwrap_or("STANDARD");
    if !["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"].contains(&class) {
        let rule = "Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]";
        return Err(constraint(class, "logGroupClass", rule));
    }
    let kms_key = match input::text(&call.input, "kmsKeyId") {
        Some(key) if kms::find(world, key).is_none() => {
            return Err(invalid("The specified KMS Key Id could not be found."));
        }
        key => key.map(str::to_owned),
    };
    let group = LogGroup {
        created: call.now,
        retention: None,
        kms_key,
        class: class.to_owned(),
        protected: input::flag(&call.input, "deletionProtectionEnabled").unwrap_or(false),
        tags: tags::checked(input::map(&call.input, "tags"))?,
    };
    world.logs.groups.insert(name.to_owned(), group);
    Ok(json!({}))
}

/// `DeleteLogGroup`.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let name = name(call)?;
    let group = world.logs.group(name).ok_or_else(absent)?;
    if group.protected {
        let message = "The log group cannot be deleted because deletion protection is enabled.";
        return Err(AwsError::new(400, "ValidationException", message));
    }
    world.logs.groups.remove(name);
    world.logs.by_services.remove(name);
    if name.starts_with(OF_PROXIES) {
        world.logs.deleted.insert(name.to_owned(), call.now);
    }
    Ok(json!({}))
}

/// `PutRetentionPolicy`.
pub(super) fn put_retention(world: &mut World, call: &Call) -> Outcome {
    let name = name(call)?;
    let Some(days) = input::number(&call.input, "retentionInDays") else {
        return Err(invalid(
            "1 validation error detected: Value null at 'retentionInDays' failed to satisfy constraint: Member must not be null",
        ));
    };
    if !RETENTIONS.contains(&days) {
        let allowed: Vec<String> = RETENTIONS.iter().map(ToString::to_string).collect();
        let rule = format!("Member must satisfy enum value set: [{}]", allowed.join(", "));
        return Err(constraint(&days.to_string(), "retentionInDays", &rule));
    }
    world.logs.change(name)?.retention = Some(days);
    Ok(json!({}))
}

/// `DeleteRetentionPolicy`.
pub(super) fn delete_retention(world: &mut World, call: &Call) -> Outcome {
    let name = name(call)?;
    world.logs.change(name)?.retention = None;
    Ok(json!({}))
}

/// The group that the call names, by its spelling.
fn name(call: &Call) -> Result<&str, AwsError> {
    let name = input::text(&call.input, "logGroupName").ok_or_else(|| {
        invalid(
            "1 validation error detected: Value null at 'logGroupName' failed to satisfy constraint: Member must not be null",
        )
    })?;
    spelled(name, "logGroupName")?;
    Ok(name)
}

fn spelled(name: &str, member: &str) -> Result<(), AwsError> {
    if name.len() > 512 {
        return Err(constraint(name, member, "Member must have length less than or equal to 512"));
    }
    let allowed = |character: char| character.is_ascii_alphanumeric() || ".-_/#".contains(character);
    if !name.chars().all(allowed) {
        let rule = format!("Member must satisfy regular expression pattern: {PATTERN}");
        return Err(constraint(name, member, &rule));
    }
    Ok(())
}

fn shown(world: &World, name: &str, group: &LogGroup) -> Value {
    let arn = world.arn("logs", &format!("log-group:{name}"));
    let mut shown = json!({
        "logGroupName": name,
        "creationTime": group.created.unix_milliseconds(),
        "metricFilterCount": 0,
        "arn": format!("{arn}:*"),
        "logGroupArn": arn,
        "storedBytes": 0,
        "logGroupClass": group.class,
        "deletionProtectionEnabled": group.protected,
    });
    if let Some(days) = group.retention {
        shown["retentionInDays"] = json!(days);
    }
    if let Some(key) = &group.kms_key {
        shown["kmsKeyId"] = json!(key);
    }
    shown
}
