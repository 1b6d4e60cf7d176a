//! Security groups.

use std::collections::BTreeMap;

use serde_json::json;

use super::answers;
use super::filters::{Filters, chosen};
use super::network::paged;
use super::state::{Group, Peer, Rule};
use super::tags;
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;

/// How many security groups a region holds.
const QUOTA: usize = 2_500;

/// `DescribeSecurityGroups`.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    let known = [
        "group-name",
        "group-id",
        "vpc-id",
        "description",
        "owner-id",
        "ip-permission.group-id",
        "ip-permission.from-port",
        "ip-permission.to-port",
        "ip-permission.protocol",
        "ip-permission.cidr",
        "egress.ip-permission.group-id",
        "egress.ip-permission.cidr",
    ];
    let filters = Filters::of(&call.input, &known)?;
    let ids = input::texts(&call.input, "GroupIds");
    well_formed(&ids)?;
    let names = input::texts(&call.input, "GroupNames");
    let groups = chosen(&world.ec2.groups, &ids, "InvalidGroup.NotFound", "security group")?
        .into_iter()
        .filter(|(_, group)| names.is_empty() || names.contains(&group.name))
        .filter(|(id, group)| filters.pass(&group.tags, |name| values(world, id, group, name)))
        .map(|(id, group)| answers::group(world, id, group))
        .collect();
    Ok(paged(call, "securityGroupInfo", groups))
}

/// `CreateSecurityGroup`.
pub(super) fn create(world: &mut World, call: &Call) -> Outcome {
    let name = required(&call.input, "GroupName")?.to_owned();
    let description =
        required(&call.input, "Description").or_else(|_| required(&call.input, "GroupDescription"))?.to_owned();
    checked(&name, "groupName")?;
    checked(&description, "groupDescription")?;
    if name.starts_with("sg-") {
        return Err(AwsError::new(
            400,
            "InvalidParameterValue",
            format!("Value ({name}) for parameter GroupName is invalid. Group names may not be in the format sg-*."),
        ));
    }
    let vpc_id = match input::text(&call.input, "VpcId") {
        Some(id) => id.to_owned(),
        None => world
            .ec2
            .vpcs
            .iter()
            .find(|(_, vpc)| vpc.default)
            .map(|(id, _)| id.clone())
            .ok_or_else(|| AwsError::new(400, "VPCIdNotSpecified", "No default VPC for this user"))?,
    };
    if !world.ec2.vpcs.contains_key(&vpc_id) {
        return Err(AwsError::new(400, "InvalidVpcID.NotFound", format!("The vpc ID '{vpc_id}' does not exist")));
    }
    if name == "default" {
        return Err(AwsError::new(400, "InvalidGroup.Reserved", "The security group 'default' is reserved"));
    }
    if world.ec2.groups.values().any(|group| group.vpc_id == vpc_id && group.name == name) {
        return Err(AwsError::new(
            400,
            "InvalidGroup.Duplicate",
            format!("The security group '{name}' already exists for VPC '{vpc_id}'"),
        ));
    }
    if world.ec2.groups.len() >= QUOTA {
        return Err(AwsError::new(
            400,
            "SecurityGroupLimitExceeded",
            "The maximum number of security groups has been reached.",
        ));
    }
    let tags = tags::specified(&call.input, "security-group")?;
    let id = world.id("sg-", &format!("{vpc_id}/{name}"));
    let egress = Rule::everything_out();
    let rule_id = world.id("sgr-", &format!("{id}/egress"));
    let answer = json!({
        "return": true,
        "groupId": id,
        "securityGroupArn": world.arn("ec2", &format!("security-group/{id}")),
        "tagSet": answers::tag_set(&tags),
    });
    let rules = BTreeMap::from([(rule_id, egress)]);
    world.ec2.groups.insert(id, Group { name, description, vpc_id, tags, rules });
    Ok(answer)
}

/// `DeleteSecurityGroup`.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let id = if let Some(id) = input::text(&call.input, "GroupId") {
        id.to_owned()
    } else {
        let name = required(&call.input, "GroupName")?;
        let found = world.ec2.groups.iter().find(|(_, group)| group.name == name);
        found.map(|(id, _)| id.clone()).ok_or_else(|| unknown(name))?
    };
    let group = known(world, &id)?;
    if group.name == "default" {
        return Err(AwsError::new(
            400,
            "CannotDelete",
            "the specified group: \"default\" name: \"default\" cannot be deleted by a user",
        ));
    }
    let attached = world.ec2.interfaces.values().any(|interface| interface.groups.contains(&id));
    let referenced =
        world.ec2.groups.iter().any(|(other, group)| {
            *other != id && group.rules.values().any(|rule| rule.peer == Peer::Group(id.clone()))
        });
    let database = world.rds.instances.values().any(|instance| instance.groups.contains(&id));
    if attached || referenced || database {
        return Err(AwsError::new(400, "DependencyViolation", format!("resource {id} has a dependent object")));
    }
    world.ec2.groups.remove(&id);
    Ok(json!({ "return": true, "groupId": id }))
}

/// A group by id, or EC2's error.
pub(super) fn known<'a>(world: &'a World, id: &str) -> Result<&'a Group, AwsError> {
    well_formed(std::slice::from_ref(&id.to_owned()))?;
    world.ec2.groups.get(id).ok_or_else(|| unknown(id))
}

/// A member that must be given.
pub(super) fn required<'a>(input: &'a serde_json::Value, name: &str) -> Result<&'a str, AwsError> {
    input::text(input, name)
        .ok_or_else(|| AwsError::new(400, "MissingParameter", format!("The request must contain the parameter {name}")))
}

fn unknown(id: &str) -> AwsError {
    AwsError::new(400, "InvalidGroup.NotFound", format!("The security group '{id}' does not exist"))
}

fn well_formed(ids: &[String]) -> Result<(), AwsError> {
    match ids.iter().find(|id| !id.starts_with("sg-")) {
        Some(id) => {
            Err(AwsError::new(400, "InvalidGroupId.Malformed", format!("Invalid id: \"{id}\" (expecting \"sg-...\")")))
        }
        None => Ok(()),
    }
}

fn checked(text: &str, parameter: &str) -> Result<(), AwsError> {
    let known = |c: char| c.is_ascii_alphanumeric() || " ._-:/()#,@[]+=&;{}!$*".contains(c);
    if text.chars().count() <= 255 && text.chars().all(known) {
        return Ok(());
    }
    Err(AwsError::new(
        400,
        "InvalidParameterValue",
        format!(
            "Value ({text}) for parameter {parameter} is invalid. Character sets beyond ASCII are not supported, \
             and the length must not exceed 255."
        ),
    ))
}

fn values(world: &World, id: &str, group: &Group, filter: &str) -> Vec<String> {
    let (egress, member) = match filter.strip_prefix("egress.ip-permission.") {
        Some(member) => (true, member),
        None => (false, filter.strip_prefix("ip-permission.").unwrap_or_default()),
    };
    let rules = group.rules.values().filter(|rule| rule.egress == egress);
    match (filter, member) {
        ("group-name", _) => vec![group.name.clone()],
        ("group-id", _) => vec![id.to_owned()],
        ("vpc-id", _) => vec![group.vpc_id.clone()],
        ("description", _) => vec![group.description.clone()],
        ("owner-id", _) => vec![world.account.clone()],
        (_, "from-port") => rules.map(|rule| rule.from_port.to_string()).collect(),
        (_, "to-port") => rules.map(|rule| rule.to_port.to_string()).collect(),
        (_, "protocol") => rules.map(|rule| rule.protocol.clone()).collect(),
        (_, "group-id") => rules
            .filter_map(|rule| match &rule.peer {
                Peer::Group(id) => Some(id.clone()),
                _ => None,
            })
            .collect(),
        (_, "cidr") => rules
            .filter_map(|rule| match &rule.peer {
                Peer::Cidr(block) => Some(block.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}
