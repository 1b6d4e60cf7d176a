//! Whether a packet gets from one set of security groups to another.

use super::state::{Peer, Rule};
use crate::account::World;

/// Whether TCP gets through on a port: out of any of `from`, into any of `to`.
///
/// Blocks count when they hold the whole VPC: an interface's address is anywhere in it.
pub(crate) fn reaches(world: &World, from: &[String], to: &[String], port: u16) -> bool {
    allows(world, from, to, port, true) && allows(world, to, from, port, false)
}

fn allows(world: &World, own: &[String], others: &[String], port: u16, egress: bool) -> bool {
    own.iter().filter_map(|id| world.ec2.groups.get(id)).any(|group| {
        let block = world.ec2.vpcs.get(&group.vpc_id).map_or("", |vpc| vpc.cidr.as_str());
        group.rules.values().any(|rule| rule.egress == egress && rule.covers(port) && admits(rule, others, block))
    })
}

fn admits(rule: &Rule, others: &[String], vpc_block: &str) -> bool {
    match &rule.peer {
        Peer::Group(id) => others.contains(id),
        Peer::Cidr(block) => holds(block, vpc_block),
        Peer::Cidr6(_) | Peer::PrefixList(_) => false,
    }
}

/// Whether an IPv4 block holds another one.
pub(super) fn holds(outer: &str, inner: &str) -> bool {
    let (Some((outer, outer_bits)), Some((inner, inner_bits))) = (parse(outer), parse(inner)) else { return false };
    let mask = u32::MAX.checked_shl(32 - outer_bits).unwrap_or(0);
    outer_bits <= inner_bits && outer & mask == inner & mask
}

fn parse(block: &str) -> Option<(u32, u32)> {
    let (address, bits) = block.split_once('/')?;
    let address: std::net::Ipv4Addr = address.parse().ok()?;
    let bits: u32 = bits.parse().ok()?;
    (bits <= 32).then(|| (u32::from(address), bits))
}

#[cfg(test)]
mod tests {
    use super::super::state::{Group, Vpc};
    use super::*;
    use std::collections::BTreeMap;

    fn rule(egress: bool, ports: (i64, i64), peer: Peer) -> Rule {
        let protocol = if ports.0 < 0 { "-1" } else { "tcp" }.to_owned();
        Rule { egress, protocol, from_port: ports.0, to_port: ports.1, peer, description: None, tags: BTreeMap::new() }
    }

    fn world(groups: &[(&str, Vec<Rule>)]) -> World {
        let mut world = World::empty();
        world.ec2.vpcs.insert("vpc-1".into(), Vpc { cidr: "10.0.0.0/16".into(), ..Vpc::default() });
        for (id, rules) in groups {
            let rules = rules.iter().enumerate().map(|(n, rule)| (format!("sgr-{n}"), rule.clone())).collect();
            world.ec2.groups.insert((*id).into(), Group { vpc_id: "vpc-1".into(), rules, ..Group::default() });
        }
        world
    }

    fn reach(world: &World, port: u16) -> bool {
        reaches(world, &["sg-a".to_owned()], &["sg-b".to_owned()], port)
    }

    #[test]
    fn a_path_needs_both_a_way_out_and_a_way_in() {
        let out = rule(true, (-1, -1), Peer::Cidr("0.0.0.0/0".into()));
        let into = rule(false, (3306, 3306), Peer::Group("sg-a".into()));
        let both = world(&[("sg-a", vec![out.clone()]), ("sg-b", vec![into.clone()])]);
        assert!(reach(&both, 3306));
        assert!(!reach(&both, 3307));
        assert!(!reach(&world(&[("sg-a", vec![]), ("sg-b", vec![into])]), 3306));
        assert!(!reach(&world(&[("sg-a", vec![out.clone()]), ("sg-b", vec![out])]), 3306));
    }

    #[test]
    fn a_shared_group_reaches_itself_only_by_a_rule_of_its_own() {
        let out = rule(true, (-1, -1), Peer::Cidr("0.0.0.0/0".into()));
        let shared = ["sg-a".to_owned()];
        assert!(!reaches(&world(&[("sg-a", vec![out.clone()])]), &shared, &shared, 5432));
        let itself = rule(false, (5432, 5432), Peer::Group("sg-a".into()));
        assert!(reaches(&world(&[("sg-a", vec![out, itself])]), &shared, &shared, 5432));
    }

    #[test]
    fn a_block_counts_when_it_holds_the_whole_network() {
        let out = rule(true, (-1, -1), Peer::Cidr("0.0.0.0/0".into()));
        for (block, expected) in [
            ("10.0.0.0/16", true),
            ("10.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("10.0.1.0/24", false),
            ("192.168.0.0/16", false),
        ] {
            let into = rule(false, (0, 65535), Peer::Cidr(block.into()));
            assert_eq!(reach(&world(&[("sg-a", vec![out.clone()]), ("sg-b", vec![into])]), 1433), expected, "{block}");
        }
    }
}
