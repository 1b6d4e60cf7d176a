//! EC2: the network around databases, proxies and functions.

mod acls;
mod answers;
mod filters;
mod groups;
mod interfaces;
mod needs;
mod network;
mod reach;
mod rules;
mod state;
mod tags;
mod types;

pub(super) use acls::acls_pass;
pub(super) use interfaces::{attach_interfaces, regroup_interfaces, release_interfaces, tick};
pub(super) use needs::needs;
pub(super) use network::free_addresses;
pub(super) use reach::reaches;
pub use state::{Acl, AclEntry, Ec2, Group, Interface, Peer, RouteTable, Rule, Subnet, Vpc};

use super::account::{AwsError, Call, Outcome, World};

/// Acts on a call.
pub(super) fn handle(world: &mut World, call: &Call) -> Outcome {
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
pub(super) fn mutating(action: &str) -> bool {
    !action.starts_with("Describe")
}
