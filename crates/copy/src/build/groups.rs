//! Security groups and their rules.
//!
//! A group shows its rules without ids and tags, and another read shows them with both. What only the first has shown
//! gets ids that follow from what the rule says.

use std::collections::BTreeMap;

use sandbox::parts::{Group, Peer, Rule};
use serde_json::Value;

use super::Build;
use crate::facts::{Kind, Thing};
use crate::read::{flag, items, list, part, string, text, whole};

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (id, thing) in facts.all(Kind::Group) {
        let mut rules = listed(build, id);
        for (member, egress) in [("ipPermissions", false), ("ipPermissionsEgress", true)] {
            let spelled = list(thing, member).iter().flat_map(|permission| spelled(build, permission, egress));
            for (rule, owner) in spelled.collect::<Vec<_>>() {
                foreign(build, id, owner.as_deref());
                if !rules.values().any(|known| same(known, &rule)) {
                    rules.insert(rule_id(build, id, &rule), rule);
                }
            }
        }
        let group = Group {
            name: string(thing, "groupName"),
            description: build.described(thing, "groupDescription").unwrap_or_default(),
            vpc_id: string(thing, "vpcId"),
            tags: build.tags(thing.get("tagSet")),
            rules,
        };
        build.world.ec2.groups.insert(id.to_owned(), group);
    }
}

/// The rules of a group that were read one by one.
pub(super) fn listed(build: &mut Build<'_>, group: &str) -> BTreeMap<String, Rule> {
    let facts = build.facts;
    let mut rules = BTreeMap::new();
    for (id, thing) in facts.of(Kind::Rule, group) {
        let Some(peer) = peer(thing) else { continue };
        let owner = thing.get("referencedGroupInfo").and_then(|info| part(info, "userId"));
        foreign(build, group, owner);
        let port = |name: &str| thing.get(name).and_then(whole::<i64>).unwrap_or(-1);
        let rule = Rule {
            egress: flag(thing, "isEgress") == Some(true),
            protocol: text(thing, "ipProtocol").unwrap_or("-1").to_owned(),
            from_port: port("fromPort"),
            to_port: port("toPort"),
            peer,
            description: build.described(thing, "description"),
            tags: build.tags(thing.get("tagSet")),
        };
        rules.insert(id.to_owned(), rule);
    }
    rules
}

fn peer(thing: &Thing) -> Option<Peer> {
    let group = thing.get("referencedGroupInfo").and_then(|info| part(info, "groupId"));
    let own = |name: &str| text(thing, name).map(str::to_owned);
    group
        .map(|group| Peer::Group(group.to_owned()))
        .or_else(|| own("cidrIpv4").map(Peer::Cidr))
        .or_else(|| own("cidrIpv6").map(Peer::Cidr6))
        .or_else(|| own("prefixListId").map(Peer::PrefixList))
}

/// The rules in one permission, each with one peer, and the account of a peer that is a group.
fn spelled(build: &Build<'_>, permission: &Value, egress: bool) -> Vec<(Rule, Option<String>)> {
    type Make = fn(String) -> Peer;
    let kinds: [(&str, &str, Make); 4] = [
        ("groups", "groupId", Peer::Group),
        ("ipRanges", "cidrIp", Peer::Cidr),
        ("ipv6Ranges", "cidrIpv6", Peer::Cidr6),
        ("prefixListIds", "prefixListId", Peer::PrefixList),
    ];
    let port = |name: &str| permission.get(name).and_then(whole::<i64>).unwrap_or(-1);
    let mut rules = Vec::new();
    for (list, name, make) in kinds {
        for item in items(permission, list) {
            let Some(peer) = part(item, name) else { continue };
            let rule = Rule {
                egress,
                protocol: part(permission, "ipProtocol").unwrap_or("-1").to_owned(),
                from_port: port("fromPort"),
                to_port: port("toPort"),
                peer: make(peer.to_owned()),
                description: part(item, "description").map(|text| build.masks.description(text)),
                tags: BTreeMap::new(),
            };
            rules.push((rule, part(item, "userId").map(str::to_owned)));
        }
    }
    rules
}

/// Whether AWS takes two rules for the same one.
fn same(one: &Rule, other: &Rule) -> bool {
    one.egress == other.egress
        && one.protocol == other.protocol
        && one.from_port == other.from_port
        && one.to_port == other.to_port
        && one.peer == other.peer
}

fn rule_id(build: &Build<'_>, group: &str, rule: &Rule) -> String {
    let (Peer::Group(peer) | Peer::Cidr(peer) | Peer::Cidr6(peer) | Peer::PrefixList(peer)) = &rule.peer;
    let Rule { egress, protocol, from_port, to_port, .. } = rule;
    format!("sgr-{}", build.digits(&format!("{group}/{egress}/{protocol}/{from_port}/{to_port}/{peer}")))
}

/// The copy has one account.
fn foreign(build: &mut Build<'_>, group: &str, owner: Option<&str>) {
    if owner.is_some_and(|owner| owner != build.world.account) {
        build.gap(
            format!("the owner of the groups that the rules of {group} name"),
            "is the copy's own account, although some belong to another one",
        );
    }
}
