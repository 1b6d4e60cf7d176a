//! Tags of everything that RDS has.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::checks;
use super::databases::{no_cluster, no_instance, tag_list};
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;

/// `ListTagsForResource`.
pub(super) fn list(world: &mut World, call: &Call) -> Outcome {
    let arn = input::required(&call.input, "ResourceName")?;
    let tags = tagged(world, arn)?;
    Ok(json!({ "TagList": tag_list(tags) }))
}

/// `AddTagsToResource`.
pub(super) fn add(world: &mut World, call: &Call) -> Outcome {
    let arn = input::required(&call.input, "ResourceName")?;
    let new = given(&call.input)?;
    let tags = tagged(world, arn)?;
    let mut all = tags.clone();
    all.extend(new);
    few(&all)?;
    *tags = all;
    Ok(json!({}))
}

/// `RemoveTagsFromResource`.
pub(super) fn remove(world: &mut World, call: &Call) -> Outcome {
    let arn = input::required(&call.input, "ResourceName")?;
    let tags = tagged(world, arn)?;
    for key in input::texts(&call.input, "TagKeys") {
        tags.remove(&key);
    }
    Ok(json!({}))
}

/// The tags in a request, checked.
pub(super) fn given(input: &Value) -> Result<BTreeMap<String, String>, AwsError> {
    let tags = input::tags(input, "Tags");
    few(&tags)?;
    for (key, value) in &tags {
        if key.starts_with("aws:") || key.starts_with("rds:") {
            return Err(checks::invalid(format!("Tag keys must not start with aws: or rds: ({key}).")));
        }
        let known = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        if key.chars().count() > 128 || value.chars().count() > 256 || !key.chars().chain(value.chars()).all(known) {
            return Err(checks::invalid(format!("The tag {key} is too long or has characters that are not allowed.")));
        }
    }
    Ok(tags)
}

/// The tags of a resource, for conditions on them.
pub(super) fn of<'a>(world: &'a World, arn: &str) -> Option<&'a BTreeMap<String, String>> {
    let (kind, id) = split(arn)?;
    match kind {
        "db-proxy" => world.rds.proxies.values().find(|proxy| proxy.id == id).map(|proxy| &proxy.tags),
        "target-group" => world.rds.proxies.values().find(|proxy| proxy.target_group.id == id).map(|proxy| &proxy.tags),
        "db-proxy-endpoint" => {
            world.rds.endpoints.values().find(|endpoint| endpoint.id == id).map(|endpoint| &endpoint.tags)
        }
        "db" => world.rds.instances.get(id).map(|instance| &instance.tags),
        "cluster" => world.rds.clusters.get(id).map(|cluster| &cluster.tags),
        _ => None,
    }
}

fn few(tags: &BTreeMap<String, String>) -> Result<(), AwsError> {
    if tags.len() > 50 { Err(checks::invalid("A resource can have at most 50 tags.")) } else { Ok(()) }
}

fn split(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.splitn(7, ':').skip(5);
    Some((parts.next()?, parts.next()?))
}

fn tagged<'a>(world: &'a mut World, arn: &str) -> Result<&'a mut BTreeMap<String, String>, AwsError> {
    let Some((kind, id)) = split(arn) else {
        return Err(checks::invalid(format!("Invalid resource name: {arn}")));
    };
    let rds = &mut world.rds;
    match kind {
        "db-proxy" => rds
            .proxies
            .values_mut()
            .find(|proxy| proxy.id == id)
            .map(|proxy| &mut proxy.tags)
            .ok_or_else(|| AwsError::new(404, "DBProxyNotFoundFault", format!("DB proxy {id} doesn't exist."))),
        "target-group" => rds
            .proxies
            .values_mut()
            .find(|proxy| proxy.target_group.id == id)
            .map(|proxy| &mut proxy.tags)
            .ok_or_else(|| {
                AwsError::new(404, "DBProxyTargetGroupNotFoundFault", format!("The target group {id} doesn't exist."))
            }),
        "db-proxy-endpoint" => {
            rds.endpoints.values_mut().find(|endpoint| endpoint.id == id).map(|endpoint| &mut endpoint.tags).ok_or_else(
                || AwsError::new(404, "DBProxyEndpointNotFoundFault", format!("DB proxy endpoint {id} doesn't exist.")),
            )
        }
        "db" => rds.instances.get_mut(id).map(|instance| &mut instance.tags).ok_or_else(|| no_instance(id)),
        "cluster" => rds.clusters.get_mut(id).map(|cluster| &mut cluster.tags).ok_or_else(|| no_cluster(id)),
        _ => Err(checks::invalid(format!("Invalid resource name: {arn}"))),
    }
}
