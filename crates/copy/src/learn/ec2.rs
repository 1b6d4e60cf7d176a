//! The network.

use super::Said;
use crate::facts::{Facts, Kind};
use crate::read::{list, part};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    match said.action {
        "DescribeVpcs" => said.each(facts, "vpcSet", Kind::Vpc, "vpcId"),
        "DescribeSubnets" => said.each(facts, "subnetSet", Kind::Subnet, "subnetId"),
        "DescribeSecurityGroups" => said.each(facts, "securityGroupInfo", Kind::Group, "groupId"),
        "DescribeSecurityGroupRules" => {
            for rule in list(said.answer, "securityGroupRuleSet") {
                if let (Some(group), Some(id)) = (part(rule, "groupId"), part(rule, "securityGroupRuleId")) {
                    facts.note_part(Kind::Rule, group, id, rule);
                }
            }
        }
        "DescribeNetworkAcls" => said.each(facts, "networkAclSet", Kind::Acl, "networkAclId"),
        "DescribeRouteTables" => said.each(facts, "routeTableSet", Kind::RouteTable, "routeTableId"),
        "DescribeNetworkInterfaces" => {
            said.each(facts, "networkInterfaceSet", Kind::Interface, "networkInterfaceId");
        }
        _ => {}
    }
}
