//! How EC2 shows things: the wire's own lower-camel names.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::state::{Group, Peer, Rule};
use crate::account::World;

/// Tags as a `tagSet`.
pub(super) fn tag_set(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({ "key": key, "value": value })).collect()
}

/// A security group with its rules gathered by protocol and ports.
pub(super) fn group(world: &World, id: &str, group: &Group) -> Value {
    json!({
        "ownerId": world.account,
        "groupId": id,
        "groupName": group.name,
        "groupDescription": group.description,
        "vpcId": group.vpc_id,
        "securityGroupArn": world.arn("ec2", &format!("security-group/{id}")),
        "tagSet": tag_set(&group.tags),
        "ipPermissions": permissions(world, group.rules.values().filter(|rule| !rule.egress)),
        "ipPermissionsEgress": permissions(world, group.rules.values().filter(|rule| rule.egress)),
    })
}

/// Rules as `IpPermission`s.
pub(super) fn permissions<'a>(world: &World, rules: impl Iterator<Item = &'a Rule>) -> Value {
    let mut gathered: BTreeMap<(&str, i64, i64), [Vec<Value>; 4]> = BTreeMap::new();
    for rule in rules {
        let [groups, blocks, blocks6, prefixes] =
            gathered.entry((&rule.protocol, rule.from_port, rule.to_port)).or_default();
        let (list, mut peer) = match &rule.peer {
            Peer::Group(id) => (groups, json!({ "groupId": id, "userId": world.account })),
            Peer::Cidr(block) => (blocks, json!({ "cidrIp": block })),
            Peer::Cidr6(block) => (blocks6, json!({ "cidrIpv6": block })),
            Peer::PrefixList(id) => (prefixes, json!({ "prefixListId": id })),
        };
        if let (Value::Object(members), Some(description)) = (&mut peer, &rule.description) {
            members.insert("description".to_owned(), json!(description));
        }
        list.push(peer);
    }
    gathered
        .into_iter()
        .map(|((protocol, from, to), [groups, blocks, blocks6, prefixes])| {
            let mut permission = json!({
                "ipProtocol": protocol,
                "groups": groups,
                "ipRanges": blocks,
                "ipv6Ranges": blocks6,
                "prefixListIds": prefixes,
            });
            if let Value::Object(members) = &mut permission
                && protocol != "-1"
            {
                members.insert("fromPort".to_owned(), json!(from));
                members.insert("toPort".to_owned(), json!(to));
            }
            permission
        })
        .collect()
}

/// One rule that was revoked: neither its ARN, its owner nor its tags, and the id alone of a group that it names.
///
/// Source: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokedSecurityGroupRule.html>
pub(super) fn revoked(world: &World, group_id: &str, id: &str, gone: &Rule) -> Value {
    let mut answer = rule(world, group_id, id, gone);
    if let Value::Object(members) = &mut answer {
        members.retain(|name, _| !matches!(name.as_str(), "securityGroupRuleArn" | "groupOwnerId" | "tagSet"));
        if members.remove("referencedGroupInfo").is_some()
            && let Peer::Group(peer) = &gone.peer
        {
            members.insert("referencedGroupId".to_owned(), json!(peer));
        }
    }
    answer
}

/// One rule by itself.
pub(super) fn rule(world: &World, group_id: &str, id: &str, rule: &Rule) -> Value {
    let mut answer = json!({
        "securityGroupRuleId": id,
        "securityGroupRuleArn": world.arn("ec2", &format!("security-group-rule/{id}")),
        "groupId": group_id,
        "groupOwnerId": world.account,
        "isEgress": rule.egress,
        "ipProtocol": rule.protocol,
        "fromPort": rule.from_port,
        "toPort": rule.to_port,
        "description": rule.description,
        "tagSet": tag_set(&rule.tags),
    });
    if let Value::Object(members) = &mut answer {
        let (name, peer) = match &rule.peer {
            Peer::Group(id) => ("referencedGroupInfo", json!({ "groupId": id, "userId": world.account })),
            Peer::Cidr(block) => ("cidrIpv4", json!(block)),
            Peer::Cidr6(block) => ("cidrIpv6", json!(block)),
            Peer::PrefixList(id) => ("prefixListId", json!(id)),
        };
        members.insert(name.to_owned(), peer);
    }
    answer
}
