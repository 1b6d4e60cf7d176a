//! Tags of security groups, rules, subnets and VPCs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::account::{AwsError, Call, Outcome, World};
use crate::input;

/// `CreateTags`.
pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let tags = input::tags(&call.input, "Tags");
    valid(&tags)?;
    let resources = input::texts(&call.input, "Resources");
    for id in &resources {
        tagged(world, id).ok_or_else(|| unknown(id))?;
    }
    for id in &resources {
        if let Some(own) = tagged(world, id) {
            own.extend(tags.clone());
        }
    }
    Ok(json!({ "return": true }))
}

/// `DeleteTags`: without a value, whatever the value is; without tags, all of them.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let resources = input::texts(&call.input, "Resources");
    for id in &resources {
        tagged(world, id).ok_or_else(|| unknown(id))?;
    }
    let doomed = input::list(&call.input, "Tags");
    for id in &resources {
        let Some(own) = tagged(world, id) else { continue };
        if doomed.is_empty() {
            own.clear();
        }
        for tag in doomed {
            let Some(key) = input::text(tag, "Key") else { continue };
            let value = tag.get("Value").and_then(Value::as_str);
            if value.is_none() || value == own.get(key).map(String::as_str) {
                own.remove(key);
            }
        }
    }
    Ok(json!({ "return": true }))
}

/// The tags that a create call gives to one type of resource.
pub(super) fn specified(input: &Value, kind: &str) -> Result<BTreeMap<String, String>, AwsError> {
    let mut tags = BTreeMap::new();
    for specification in input::list(input, "TagSpecifications") {
        let given = input::text(specification, "ResourceType").unwrap_or_default();
        if given != kind {
            let message = format!("'{given}' is not a valid taggable resource type for this operation.");
            return Err(AwsError::new(400, "InvalidParameterValue", message));
        }
        tags.extend(input::tags(specification, "Tags"));
    }
    valid(&tags)?;
    Ok(tags)
}

fn valid(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if tags.len() > 50 {
        return Err(AwsError::new(
            400,
            "TagLimitExceeded",
            "The maximum number of Tags for a resource has been reached.",
        ));
    }
    for (key, value) in tags {
        if key.starts_with("aws:") {
            let message = format!("Tag keys starting with 'aws:' are reserved for internal use: {key}");
            return Err(AwsError::new(400, "InvalidParameterValue", message));
        }
        if key.chars().count() > 128 {
            return Err(AwsError::new(
                400,
                "InvalidParameterValue",
                "Tag key exceeds the maximum length of 128 characters",
            ));
        }
        if value.chars().count() > 256 {
            return Err(AwsError::new(
                400,
                "InvalidParameterValue",
                "Tag value exceeds the maximum length of 256 characters",
            ));
        }
    }
    Ok(())
}

fn tagged<'a>(world: &'a mut World, id: &str) -> Option<&'a mut BTreeMap<String, String>> {
    if id.starts_with("sgr-") {
        return world.ec2.groups.values_mut().find_map(|group| group.rules.get_mut(id)).map(|rule| &mut rule.tags);
    }
    if id.starts_with("subnet-") {
        return world.ec2.subnets.get_mut(id).map(|subnet| &mut subnet.tags);
    }
    if id.starts_with("vpc-") {
        return world.ec2.vpcs.get_mut(id).map(|vpc| &mut vpc.tags);
    }
    world.ec2.groups.get_mut(id).map(|group| &mut group.tags)
}

fn unknown(id: &str) -> AwsError {
    AwsError::new(400, "InvalidID", format!("The ID '{id}' is not valid"))
}
