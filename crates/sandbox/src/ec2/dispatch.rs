//! EC2's operations, and which function answers each.

use super::{groups, interfaces, network, rules, tags, types};
use crate::account::{AwsError, Call, Outcome, World};

/// Acts on a call.
pub(crate) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "DescribeInstanceTypes" => types::describe(world, call),
        "DescribeVpcs" => network::describe_vpcs(world, call),
        "DescribeSubnets" => network::describe_subnets(world, call),
        "DescribeNetworkAcls" => network::describe_acls(world, call),
        "DescribeRouteTables" => network::describe_route_tables(world, call),
        "DescribeNetworkInterfaces" => interfaces::describe(world, call),
        "DescribeSecurityGroups" => groups::describe(world, call),
        "CreateSecurityGroup" => groups::create(world, call),
        "DeleteSecurityGroup" => groups::delete(world, call),
        "DescribeSecurityGroupRules" => rules::describe(world, call),
        "AuthorizeSecurityGroupIngress" => rules::authorize(world, call, false),
        "AuthorizeSecurityGroupEgress" => rules::authorize(world, call, true),
        "RevokeSecurityGroupIngress" => rules::revoke(world, call, false),
        "RevokeSecurityGroupEgress" => rules::revoke(world, call, true),
        "CreateTags" => tags::create(world, call),
        "DeleteTags" => tags::delete(world, call),
        other => {
            Err(AwsError::new(400, "InvalidAction", format!("The action {other} is not valid for this web service.")))
        }
    }
}

/// Whether an operation changes the account.
pub(crate) fn mutating(action: &str) -> bool {
    !action.starts_with("Describe")
}
