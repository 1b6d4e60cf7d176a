//! Tags of log groups.

use std::collections::BTreeMap;

use serde_json::json;

use super::{absent, invalid};
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;

/// Tags a log group (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html>).
const MOST: usize = 50;

/// `ListTagsForResource`.
pub(super) fn list(world: &World, call: &Call) -> Outcome {
    let name = given(world, call)?;
    let group = world.logs.group(name).ok_or_else(absent)?;
    Ok(json!({ "tags": group.tags }))
}

/// `TagResource`.
pub(super) fn tag(world: &mut World, call: &Call) -> Outcome {
    let name = given(world, call)?.to_owned();
    let tags = checked(input::map(&call.input, "tags"))?;
    let held = &world.logs.group(&name).ok_or_else(absent)?.tags;
    if held.len() + tags.keys().filter(|key| !held.contains_key(*key)).count() > MOST {
        return Err(AwsError::new(400, "TooManyTagsException", "The resource has more than 50 tags."));
    }
    world.logs.change(&name)?.tags.extend(tags);
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(world: &mut World, call: &Call) -> Outcome {
    let name = given(world, call)?.to_owned();
    let group = world.logs.change(&name)?;
    for key in input::texts(&call.input, "tagKeys") {
        group.tags.remove(&key);
    }
    Ok(json!({}))
}

/// Tags that a group may have.
pub(super) fn checked(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, AwsError> {
    if let Some(key) = tags.keys().find(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(invalid(format!("Tag keys starting with aws: are reserved for AWS: {key}")));
    }
    let allowed = |text: &str| text.chars().all(|each| each.is_alphanumeric() || "_.:/=+-@ ".contains(each));
    let fits = |(key, value): (&String, &String)| {
        (1..=128).contains(&key.chars().count()) && value.chars().count() <= 256 && allowed(key) && allowed(value)
    };
    if tags.len() > MOST || !tags.iter().all(fits) {
        return Err(invalid("The tags are not valid."));
    }
    Ok(tags)
}

/// The group of an ARN of this account and Region.
pub(super) fn named<'text>(world: &World, arn: &'text str) -> Option<&'text str> {
    arn.strip_prefix(&world.arn("logs", "log-group:"))
}

/// The group that the call names; an ARN with `:*` at its end, which `DescribeLogGroups` answers as `arn`, is none of a
/// group (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html>).
fn given<'call>(world: &World, call: &'call Call) -> Result<&'call str, AwsError> {
    let arn = input::text(&call.input, "resourceArn").ok_or_else(|| {
        invalid(
            "1 validation error detected: Value null at 'resourceArn' failed to satisfy constraint: Member must not be null",
        )
    })?;
    if arn.contains('*') {
        return Err(super::constraint(
            arn,
            "resourceArn",
            "Member must satisfy regular expression pattern: [\\w+=/:,.@-]*",
        ));
    }
    named(world, arn).ok_or_else(absent)
}
