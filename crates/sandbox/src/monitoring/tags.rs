//! Tags of alarms.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Alarm, invalid};
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;

/// Tags of one alarm (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_TagResource.html>).
const MOST: usize = 50;

/// `ListTagsForResource`.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let alarm = named(world, call)?;
    let tags: Vec<Value> = alarm.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    Ok(json!({ "Tags": tags }))
}

/// `TagResource`.
pub(super) fn tag(world: &mut World, call: &Call) -> Outcome {
    let tags = checked(input::tags(&call.input, "Tags"))?;
    let alarm = named(world, call)?;
    if alarm.tags.len() + tags.keys().filter(|key| !alarm.tags.contains_key(*key)).count() > MOST {
        return Err(invalid("A resource can have at most 50 tags."));
    }
    alarm.tags.extend(tags);
    Ok(json!({}))
}

/// `UntagResource`.
pub(super) fn untag(world: &mut World, call: &Call) -> Outcome {
    let alarm = named(world, call)?;
    for key in input::texts(&call.input, "TagKeys") {
        alarm.tags.remove(&key);
    }
    Ok(json!({}))
}

/// Tags that an alarm may have.
pub(super) fn checked(tags: BTreeMap<String, String>) -> Result<BTreeMap<String, String>, AwsError> {
    if let Some(key) = tags.keys().find(|key| key.to_ascii_lowercase().starts_with("aws:")) {
        return Err(invalid(format!("Tag keys that begin with aws: are reserved: {key}")));
    }
    let long =
        |(key, value): (&String, &String)| !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256;
    if tags.len() > MOST || tags.iter().any(long) {
        return Err(invalid("The tags are too many or too long."));
    }
    Ok(tags)
}

fn named<'world>(world: &'world mut World, call: &Call) -> Result<&'world mut Alarm, AwsError> {
    let arn = input::text(&call.input, "ResourceARN").unwrap_or_default();
    let prefix = world.arn("cloudwatch", "alarm:");
    let name = arn.strip_prefix(&prefix);
    let alarm = name.and_then(|name| world.monitoring.alarms.get_mut(name));
    alarm.ok_or_else(|| AwsError::new(404, "ResourceNotFoundException", format!("The resource {arn} does not exist.")))
}
