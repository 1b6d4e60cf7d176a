//! VPCs, subnets, network ACLs and route tables.

use sandbox::parts::{Acl, AclEntry, RouteTable, Subnet, Vpc};
use serde_json::Value;

use super::Build;
use crate::facts::{Kind, Thing};
use crate::read::{each, flag, list, number, part, string, switch, text, whole};

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (id, thing) in facts.all(Kind::Vpc) {
        let encryption = thing.get("encryptionControl").and_then(|control| part(control, "mode")).map(str::to_owned);
        let vpc = Vpc {
            cidr: string(thing, "cidrBlock"),
            ipv6_cidr: ipv6(thing),
            tenancy: text(thing, "instanceTenancy").unwrap_or("default").to_owned(),
            encryption,
            default: flag(thing, "isDefault") == Some(true),
            tags: build.tags(thing.get("tagSet")),
        };
        build.world.ec2.vpcs.insert(id.to_owned(), vpc);
    }
    for (id, thing) in facts.all(Kind::Subnet) {
        let subnet = Subnet {
            vpc_id: string(thing, "vpcId"),
            cidr: string(thing, "cidrBlock"),
            ipv6_cidr: ipv6(thing),
            zone: string(thing, "availabilityZone"),
            zone_id: string(thing, "availabilityZoneId"),
            free_addresses: number(thing, "availableIpAddressCount").unwrap_or(0),
            tags: build.tags(thing.get("tagSet")),
        };
        build.world.ec2.subnets.insert(id.to_owned(), subnet);
    }
    for (id, thing) in facts.all(Kind::Acl) {
        let acl = Acl {
            vpc_id: string(thing, "vpcId"),
            default: flag(thing, "default") == Some(true),
            subnets: each(thing, "associationSet", "subnetId"),
            entries: list(thing, "entrySet").iter().filter_map(entry).collect(),
        };
        if acl.entries.len() < list(thing, "entrySet").len() {
            build.gap(format!("the IPv6 entries of the network ACL {id}"), "are left out");
        }
        build.world.ec2.acls.insert(id.to_owned(), acl);
    }
    for (id, thing) in facts.all(Kind::RouteTable) {
        let main = |association: &Value| association.get("main").and_then(switch) == Some(true);
        let table = RouteTable {
            vpc_id: string(thing, "vpcId"),
            main: list(thing, "associationSet").iter().any(main),
            subnets: each(thing, "associationSet", "subnetId"),
            routes: list(thing, "routeSet").iter().filter_map(route).collect(),
        };
        if table.routes.len() < list(thing, "routeSet").len() {
            build.gap(format!("the routes of {id} to IPv6 blocks and prefix lists"), "are left out");
        }
        build.world.ec2.route_tables.insert(id.to_owned(), table);
    }
}

/// Says which kinds of what stands between subnets were not read at all.
pub(super) fn unread(build: &mut Build<'_>) {
    let ec2 = &build.world.ec2;
    let (acls, tables) = (ec2.acls.is_empty(), ec2.route_tables.is_empty());
    for (missing, what) in [(acls, "network ACLs"), (tables, "route tables")] {
        if missing && !build.world.ec2.vpcs.is_empty() {
            build.gap(what, "were not read; the copy has none, so that none is in the way");
        }
    }
}

/// The first IPv6 block that is associated.
fn ipv6(thing: &Thing) -> Option<String> {
    each(thing, "ipv6CidrBlockAssociationSet", "ipv6CidrBlock").into_iter().next()
}

fn entry(entry: &Value) -> Option<AclEntry> {
    let range = entry.get("portRange").filter(|range| range.is_object());
    let port = |name: &str| range.and_then(|range| range.get(name)).and_then(whole::<u16>);
    Some(AclEntry {
        number: entry.get("ruleNumber").and_then(whole)?,
        protocol: part(entry, "protocol").unwrap_or("-1").to_owned(),
        allow: part(entry, "ruleAction") == Some("allow"),
        egress: entry.get("egress").and_then(switch) == Some(true),
        cidr: part(entry, "cidrBlock")?.to_owned(),
        ports: port("from").zip(port("to")),
    })
}

fn route(route: &Value) -> Option<(String, String)> {
    const TARGETS: [&str; 8] = [
        "gatewayId",
        "natGatewayId",
        "transitGatewayId",
        "vpcPeeringConnectionId",
        "networkInterfaceId",
        "instanceId",
        "localGatewayId",
        "carrierGatewayId",
    ];
    let target = TARGETS.iter().find_map(|name| part(route, name))?;
    Some((part(route, "destinationCidrBlock")?.to_owned(), target.to_owned()))
}
