//! From the SDK's answers to our plain structs.

use aws_sdk_ec2::types::{IpPermission, NetworkAcl, NetworkAclEntry, RuleAction, Tag};

use super::{Acl, AclEntry, Direction, Group, Permission, Rule, Subnet};
use crate::Tags;

fn tags(tags: Option<Vec<Tag>>) -> Tags {
    tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

pub(super) fn group(group: aws_sdk_ec2::types::SecurityGroup) -> Option<Group> {
    Some(Group {
        id: group.group_id?,
        name: group.group_name?,
        description: group.description.unwrap_or_default(),
        vpc: group.vpc_id.unwrap_or_default(),
        tags: tags(group.tags),
        ingress: group.ip_permissions.unwrap_or_default().into_iter().map(permission).collect(),
        egress: group.ip_permissions_egress.unwrap_or_default().into_iter().map(permission).collect(),
    })
}

fn permission(permission: IpPermission) -> Permission {
    let v4 = permission.ip_ranges.unwrap_or_default().into_iter().filter_map(|range| range.cidr_ip);
    let v6 = permission.ipv6_ranges.unwrap_or_default().into_iter().filter_map(|range| range.cidr_ipv6);
    Permission {
        protocol: permission.ip_protocol.unwrap_or_default(),
        from: permission.from_port.filter(|port| *port >= 0),
        to: permission.to_port.filter(|port| *port >= 0),
        groups: permission
            .user_id_group_pairs
            .unwrap_or_default()
            .into_iter()
            .filter_map(|pair| pair.group_id)
            .collect(),
        ranges: v4.chain(v6).collect(),
        prefix_lists: permission
            .prefix_list_ids
            .unwrap_or_default()
            .into_iter()
            .filter_map(|list| list.prefix_list_id)
            .collect(),
    }
}

pub(super) fn rule(rule: aws_sdk_ec2::types::SecurityGroupRule) -> Option<Rule> {
    let peer = rule.referenced_group_info;
    Some(Rule {
        id: rule.security_group_rule_id?,
        group: rule.group_id?,
        direction: if rule.is_egress.unwrap_or(false) { Direction::Egress } else { Direction::Ingress },
        protocol: rule.ip_protocol.unwrap_or_default(),
        peer: peer.as_ref().and_then(|peer| peer.group_id.clone()),
        peer_account: peer.as_ref().and_then(|peer| peer.user_id.clone()),
        peering: peer.and_then(|peer| peer.vpc_peering_connection_id),
        prefix_list: rule.prefix_list_id,
        range: rule.cidr_ipv4.or(rule.cidr_ipv6),
        port: rule.from_port,
        last_port: rule.to_port,
        description: rule.description,
        tags: tags(rule.tags),
    })
}

pub(super) fn acl(acl: NetworkAcl) -> Option<Acl> {
    let entry = |entry: NetworkAclEntry| {
        Some(AclEntry {
            number: entry.rule_number?,
            egress: entry.egress.unwrap_or(false),
            allow: entry.rule_action == Some(RuleAction::Allow),
            protocol: entry.protocol.unwrap_or_default(),
            cidr: entry.cidr_block?,
            ports: entry.port_range.map(|range| (range.from.unwrap_or(0), range.to.unwrap_or(65_535))),
        })
    };
    let subnets = acl.associations.unwrap_or_default().into_iter().filter_map(|association| association.subnet_id);
    Some(Acl {
        id: acl.network_acl_id?,
        default: acl.is_default.unwrap_or(false),
        subnets: subnets.collect(),
        entries: acl.entries.unwrap_or_default().into_iter().filter_map(entry).collect(),
    })
}

pub(super) fn subnet(subnet: aws_sdk_ec2::types::Subnet) -> Option<Subnet> {
    Some(Subnet {
        id: subnet.subnet_id?,
        vpc: subnet.vpc_id.unwrap_or_default(),
        zone: subnet.availability_zone.unwrap_or_default(),
        zone_id: subnet.availability_zone_id.unwrap_or_default(),
        free: subnet.available_ip_address_count.unwrap_or(0),
        cidr: subnet.cidr_block.unwrap_or_default(),
        ipv6: !subnet.ipv6_cidr_block_association_set.unwrap_or_default().is_empty(),
    })
}
