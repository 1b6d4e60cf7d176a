//! Network ACLs between the proxy's subnets and the database's.
//!
//! They are read only where there is a reason: subnets that the user named, or a target that is not available. In the
//! usual case the proxy lives in the database's own subnets, and the call would show nothing.

use std::net::Ipv4Addr;

use super::database::Database;
use crate::cloud::ec2::{Acl, AclEntry, Subnet};
use crate::cloud::{Answer, Cloud};

/// A port as clients get one for the way back.
const EPHEMERAL: u16 = 49_152;

/// What a person should know of ACLs that keep the proxy from the database.
///
/// ACLs that cannot be read are no reason to warn.
pub async fn warnings(cloud: &Cloud, database: &Database, proxy: &[String]) -> Vec<String> {
    let mut ids: Vec<String> = proxy.iter().chain(&database.subnets).cloned().collect();
    ids.sort();
    ids.dedup();
    let read: (Answer<Vec<Subnet>>, Answer<Vec<Acl>>) =
        tokio::join!(cloud.ec2.subnets(&ids), cloud.ec2.acls_of_vpc(&database.vpc));
    let (Ok(subnets), Ok(acls)) = read else { return Vec::new() };
    let found = blocked(&acls, &subnets, proxy, &database.subnets, database.port);
    let so = |text: String| format!("{}; the proxy reaches the database through it.", text.trim_end_matches('.'));
    found.into_iter().map(so).collect()
}

/// The pairs of subnets between which TCP on a port does not pass, both ways: ACLs remember no connection
/// (<https://docs.aws.amazon.com/vpc/latest/userguide/vpc-network-acls.html>).
pub(crate) fn blocked(
    acls: &[Acl],
    subnets: &[Subnet],
    proxy: &[String],
    database: &[String],
    port: u16,
) -> Vec<String> {
    let find = |id: &String| subnets.iter().find(|subnet| subnet.id == *id);
    let mut found = Vec::new();
    for here in proxy.iter().filter_map(find) {
        for there in database.iter().filter_map(find).filter(|there| there.id != here.id) {
            let ways = [
                (here, there, port, true, "out"),
                (there, here, port, false, "in"),
                (there, here, EPHEMERAL, true, "the answer out"),
                (here, there, EPHEMERAL, false, "the answer in"),
            ];
            for (subnet, peer, port, egress, what) in ways {
                let Some(acl) = acl_of(acls, &subnet.id) else { continue };
                if !allows(acl, peer, port, egress) {
                    let way = if egress { "to" } else { "from" };
                    found.push(format!(
                        "The network ACL {} of {} does not let {what} {way} {} on TCP port {port}.",
                        acl.id, subnet.id, peer.id
                    ));
                }
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

fn acl_of<'a>(acls: &'a [Acl], subnet: &str) -> Option<&'a Acl> {
    let own = acls.iter().find(|acl| acl.subnets.iter().any(|id| id == subnet));
    own.or_else(|| acls.iter().find(|acl| acl.default))
}

/// The entry of the lowest number that fits decides; where none fits, nothing passes.
fn allows(acl: &Acl, peer: &Subnet, port: u16, egress: bool) -> bool {
    let fits = |entry: &&AclEntry| {
        entry.egress == egress
            && matches!(entry.protocol.as_str(), "-1" | "6" | "tcp")
            && entry.ports.is_none_or(|(first, last)| (first..=last).contains(&i32::from(port)))
            && holds(&entry.cidr, &peer.cidr)
    };
    acl.entries.iter().filter(fits).min_by_key(|entry| entry.number).is_some_and(|entry| entry.allow)
}

/// Whether an IPv4 block holds another one.
pub(crate) fn holds(outer: &str, inner: &str) -> bool {
    let parse = |block: &str| {
        let (address, bits) = block.split_once('/')?;
        let bits: u32 = bits.parse().ok().filter(|bits| *bits <= 32)?;
        Some((u32::from(address.parse::<Ipv4Addr>().ok()?), bits))
    };
    let (Some((outer, outer_bits)), Some((inner, inner_bits))) = (parse(outer), parse(inner)) else { return false };
    let mask = u32::MAX.checked_shl(32 - outer_bits).unwrap_or(0);
    outer_bits <= inner_bits && outer & mask == inner & mask
}
