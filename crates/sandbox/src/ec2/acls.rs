//! Whether network ACLs let a connection through: both ways, since they remember nothing.

use super::reach::holds;
use super::state::{Acl, Subnet};
use crate::account::World;

/// A port as clients get one for the way back.
const EPHEMERAL: u16 = 49_152;

/// Whether a TCP connection gets from any of the subnets `from` to any of the subnets `to`.
pub(crate) fn acls_pass(world: &World, from: &[String], to: &[String], port: u16) -> bool {
    from.iter().any(|from| to.iter().any(|to| from == to || passes(world, from, to, port)))
}

fn passes(world: &World, from: &str, to: &str, port: u16) -> bool {
    let (Some(here), Some(there)) = (world.ec2.subnets.get(from), world.ec2.subnets.get(to)) else { return false };
    allows(world, from, there, port, true)
        && allows(world, to, here, port, false)
        && allows(world, to, here, EPHEMERAL, true)
        && allows(world, from, there, EPHEMERAL, false)
}

/// The first entry that fits decides.
fn allows(world: &World, subnet: &str, peer: &Subnet, port: u16, egress: bool) -> bool {
    let Some(acl) = acl_of(world, subnet) else { return true };
    acl.entries
        .iter()
        .filter(|entry| entry.egress == egress && holds(&entry.cidr, &peer.cidr))
        .filter(|entry| matches!(entry.protocol.as_str(), "-1" | "6"))
        .filter(|entry| entry.ports.is_none_or(|(first, last)| (first..=last).contains(&port)))
        .min_by_key(|entry| entry.number)
        .is_some_and(|entry| entry.allow)
}

/// The subnet's own ACL, or its VPC's default one.
fn acl_of<'a>(world: &'a World, subnet: &str) -> Option<&'a Acl> {
    let vpc = world.ec2.subnets.get(subnet).map(|subnet| subnet.vpc_id.as_str());
    let own = world.ec2.acls.values().find(|acl| acl.subnets.iter().any(|id| id == subnet));
    own.or_else(|| world.ec2.acls.values().find(|acl| acl.default && Some(acl.vpc_id.as_str()) == vpc))
}
