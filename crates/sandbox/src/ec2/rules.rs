//! The rules of security groups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::filters::Filters;
use super::groups::{known, required};
use super::network::paged;
use super::state::{Group, Peer, Rule};
use super::{answers, tags};
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;

/// How many rules a group holds in each direction.
const QUOTA: usize = 60;

/// `DescribeSecurityGroupRules`.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    let filters = Filters::of(&call.input, &["group-id", "security-group-rule-id"])?;
    let ids = input::texts(&call.input, "SecurityGroupRuleIds");
    for id in &ids {
        if !world.ec2.groups.values().any(|group| group.rules.contains_key(id)) {
            return Err(unknown_id(id));
        }
    }
    let mut rules = Vec::new();
    for (group_id, group) in &world.ec2.groups {
        for (id, rule) in &group.rules {
            let asked = ids.is_empty() || ids.contains(id);
            let passes = filters.pass(&rule.tags, |name| match name {
                "group-id" => vec![group_id.clone()],
                _ => vec![id.clone()],
            });
            if asked && passes {
                rules.push(answers::rule(world, group_id, id, rule));
            }
        }
    }
    Ok(paged(call, "securityGroupRuleSet", rules))
}

/// `AuthorizeSecurityGroupIngress` and `…Egress`: all rules or none.
pub(super) fn authorize(world: &mut World, call: &Call, egress: bool) -> Outcome {
    let group_id = required(&call.input, "GroupId")?.to_owned();
    let group = known(world, &group_id)?;
    let tags = tags::specified(&call.input, "security-group-rule")?;
    let mut rules: Vec<Rule> = Vec::new();
    for mut rule in wanted(world, group, call, egress)? {
        if group.rules.values().chain(&rules).any(|existing| existing.same(&rule)) {
            let message = format!("the specified rule \"{}\" already exists", spoken(&rule));
            return Err(AwsError::new(400, "InvalidPermission.Duplicate", message));
        }
        rule.tags.clone_from(&tags);
        rules.push(rule);
    }
    if rules.is_empty() {
        return Err(AwsError::new(
            400,
            "MissingParameter",
            "Either 'ipPermissions' or 'securityGroupRuleIds' should be provided.",
        ));
    }
    let existing = group.rules.values().filter(|rule| rule.egress == egress).count();
    if existing + rules.len() > QUOTA {
        let message = "The maximum number of rules per security group has been reached.";
        return Err(AwsError::new(400, "RulesPerSecurityGroupLimitExceeded", message));
    }
    let mut answer = Vec::new();
    for rule in rules {
        let id = world.id("sgr-", &format!("{group_id}/{egress}/{}", spoken(&rule)));
        answer.push(answers::rule(world, &group_id, &id, &rule));
        if let Some(group) = world.ec2.groups.get_mut(&group_id) {
            group.rules.insert(id, rule);
        }
    }
    Ok(json!({ "return": true, "securityGroupRuleSet": answer }))
}

/// `RevokeSecurityGroupIngress` and `…Egress`: all rules or none.
pub(super) fn revoke(world: &mut World, call: &Call, egress: bool) -> Outcome {
    let group_id = required(&call.input, "GroupId")?.to_owned();
    let group = known(world, &group_id)?;
    let mut doomed: Vec<String> = Vec::new();
    for id in input::texts(&call.input, "SecurityGroupRuleIds") {
        match group.rules.get(&id) {
            Some(rule) if rule.egress == egress => doomed.push(id),
            _ => return Err(unknown_id(&id)),
        }
    }
    let lenient = world.ec2.vpcs.get(&group.vpc_id).is_some_and(|vpc| vpc.default);
    let mut unknown = Vec::new();
    for rule in wanted(world, group, call, egress)? {
        match group.rules.iter().find(|(_, existing)| existing.same(&rule)) {
            Some((id, _)) => doomed.push(id.clone()),
            None if lenient => unknown.push(rule),
            None => {
                let message = "The specified rule does not exist in this security group.";
                return Err(AwsError::new(400, "InvalidPermission.NotFound", message));
            }
        }
    }
    let unknown = answers::permissions(world, unknown.iter());
    let mut revoked = Vec::new();
    if let Some(group) = world.ec2.groups.get_mut(&group_id) {
        for id in doomed {
            if let Some(rule) = group.rules.remove(&id) {
                revoked.push((id, rule));
            }
        }
    }
    let revoked: Vec<Value> = revoked.iter().map(|(id, rule)| answers::revoked(world, &group_id, id, rule)).collect();
    Ok(json!({ "return": true, "unknownIpPermissionSet": unknown, "revokedSecurityGroupRuleSet": revoked }))
}

/// The rules that a call spells out, each with one peer.
fn wanted(world: &World, group: &Group, call: &Call, egress: bool) -> Result<Vec<Rule>, AwsError> {
    let mut rules = Vec::new();
    let mut permissions: Vec<Value> = input::list(&call.input, "IpPermissions").to_vec();
    if let Some(protocol) = input::text(&call.input, "IpProtocol") {
        // The old form: one rule, spelled in the call itself.
        permissions.push(json!({
            "IpProtocol": protocol,
            "FromPort": call.input.get("FromPort"),
            "ToPort": call.input.get("ToPort"),
            "IpRanges": input::text(&call.input, "CidrIp").map(|block| json!([{ "CidrIp": block }])),
        }));
    }
    for permission in &permissions {
        let protocol = match input::text(permission, "IpProtocol") {
            Some("6") => "tcp",
            Some("17") => "udp",
            Some("all") => "-1",
            Some(protocol) => protocol,
            None => {
                return Err(AwsError::new(
                    400,
                    "MissingParameter",
                    "The request must contain the parameter ipProtocol",
                ));
            }
        };
        let (from_port, to_port) = ports(permission, protocol)?;
        let peers = peers(world, group, permission)?;
        if peers.is_empty() {
            let message = "Invalid value '' for the source: a rule needs a group, a block or a prefix list.";
            return Err(AwsError::new(400, "InvalidParameterValue", message));
        }
        rules.extend(peers.into_iter().map(|(peer, description)| Rule {
            egress,
            protocol: protocol.to_owned(),
            from_port,
            to_port,
            peer,
            description,
            tags: BTreeMap::new(),
        }));
    }
    Ok(rules)
}

fn ports(permission: &Value, protocol: &str) -> Result<(i64, i64), AwsError> {
    if protocol == "-1" {
        return Ok((-1, -1));
    }
    let from = input::number(permission, "FromPort");
    let to = input::number(permission, "ToPort");
    let (Some(from), Some(to)) = (from, to) else {
        return Err(AwsError::new(
            400,
            "MissingParameter",
            "The request must contain the parameters fromPort and toPort",
        ));
    };
    let in_range = |port: i64| (-1..=65_535).contains(&port);
    if !in_range(from) || !in_range(to) || from > to {
        let message = format!("Invalid value '{from}-{to}' for portRange.");
        return Err(AwsError::new(400, "InvalidParameterValue", message));
    }
    Ok((from, to))
}

fn peers(world: &World, group: &Group, permission: &Value) -> Result<Vec<(Peer, Option<String>)>, AwsError> {
    let mut peers = Vec::new();
    let mut add = |value: &Value, peer: Peer| {
        peers.push((peer, input::text(value, "Description").map(str::to_owned)));
    };
    for pair in input::list(permission, "UserIdGroupPairs") {
        let id = required(pair, "GroupId")?;
        if known(world, id)?.vpc_id != group.vpc_id {
            let message = "You have specified two resources that belong to different networks.";
            return Err(AwsError::new(400, "InvalidGroup.NotFound", message));
        }
        add(pair, Peer::Group(id.to_owned()));
    }
    for range in input::list(permission, "IpRanges") {
        let block = required(range, "CidrIp")?;
        if !block.contains('/') {
            return Err(AwsError::new(400, "InvalidParameterValue", format!("CIDR block {block} is malformed")));
        }
        add(range, Peer::Cidr(block.to_owned()));
    }
    for range in input::list(permission, "Ipv6Ranges") {
        add(range, Peer::Cidr6(required(range, "CidrIpv6")?.to_owned()));
    }
    for list in input::list(permission, "PrefixListIds") {
        add(list, Peer::PrefixList(required(list, "PrefixListId")?.to_owned()));
    }
    Ok(peers)
}

fn unknown_id(id: &str) -> AwsError {
    AwsError::new(
        400,
        "InvalidSecurityGroupRuleId.NotFound",
        format!("The security group rule ID '{id}' does not exist"),
    )
}

/// How EC2 names a rule in an error.
fn spoken(rule: &Rule) -> String {
    let (Peer::Group(peer) | Peer::Cidr(peer) | Peer::Cidr6(peer) | Peer::PrefixList(peer)) = &rule.peer;
    let protocol = if rule.protocol == "-1" { "ALL".to_owned() } else { rule.protocol.to_ascii_uppercase() };
    if rule.from_port < 0 {
        return format!("peer: {peer}, {protocol}, ALLOW");
    }
    format!("peer: {peer}, {protocol}, from port: {}, to port: {}, ALLOW", rule.from_port, rule.to_port)
}
