//! Network interfaces: what keeps a security group in use.

use std::collections::BTreeSet;

use sandbox::parts::Interface;

use super::Build;
use crate::facts::{Kind, Thing};
use crate::read::{each, string, text};

/// What AWS begins the descriptions of its services' interfaces with.
const KNOWN: [&str; 6] = [
    "AWS Lambda VPC ENI-",
    "Network interface for DBProxy ",
    "RDSNetworkInterface",
    "ELB ",
    "Interface for NAT Gateway ",
    "VPC Endpoint Interface ",
];

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (id, thing) in facts.all(Kind::Interface) {
        let interface = interface(build, thing);
        build.world.ec2.interfaces.insert(id.to_owned(), interface);
    }
    unread(build);
    // A subnet's number of free addresses is what is left beside the interfaces that are there.
    for (id, subnet) in &mut build.world.ec2.subnets {
        let own = build.world.ec2.interfaces.values().filter(|interface| interface.subnet_id == *id).count();
        subnet.free_addresses = subnet.free_addresses.saturating_add(u32::try_from(own).unwrap_or(u32::MAX));
    }
}

fn interface(build: &Build<'_>, thing: &Thing) -> Interface {
    let description = string(thing, "description");
    let known = KNOWN.iter().any(|known| description.starts_with(known))
        && crate::read::flag(thing, "requesterManaged") == Some(true);
    Interface {
        owner: owner(build, &description),
        kind: text(thing, "interfaceType").unwrap_or("interface").to_owned(),
        subnet_id: string(thing, "subnetId"),
        groups: each(thing, "groupSet", "groupId"),
        released: is_leaving(build, &description).then(|| super::others::now() + build.world.profile.interface_release),
        description: if known { description } else { build.described(thing, "description").unwrap_or_default() },
        address: string(thing, "privateIpAddress"),
    }
}

/// Whether an interface belongs to a proxy or an endpoint that was being deleted, and is let go of a while later.
fn is_leaving(build: &Build<'_>, description: &str) -> bool {
    let endpoint = description.strip_prefix("Network interface for DBProxy endpoint ");
    let proxy = description.strip_prefix("Network interface for DBProxy ");
    let is_deleting = |kind: Kind, name: Option<&str>| {
        let thing = name.and_then(|name| build.facts.one(kind, name));
        thing.is_some_and(|thing| text(thing, "Status") == Some("deleting"))
    };
    is_deleting(Kind::ProxyEndpoint, endpoint) || is_deleting(Kind::Proxy, proxy)
}

/// What an interface belongs to, as its description says.
fn owner(build: &Build<'_>, description: &str) -> String {
    let world = &build.world;
    if let Some(rest) = description.strip_prefix("AWS Lambda VPC ENI-") {
        // The name of the function, and a UUID behind it where its VPC was set later.
        let uuid = rest.len().checked_sub(37).and_then(|at| rest.get(..at));
        let name = [Some(rest), uuid].into_iter().flatten().find(|name| world.lambda.functions.contains_key(*name));
        return format!("lambda:{}", name.unwrap_or(rest));
    }
    if let Some(name) = description.strip_prefix("Network interface for DBProxy endpoint ") {
        let id = world.rds.endpoints.get(name).map_or(name, |endpoint| endpoint.id.as_str());
        return format!("db-proxy-endpoint:{id}");
    }
    if let Some(name) = description.strip_prefix("Network interface for DBProxy ") {
        let id = world.rds.proxies.get(name).map_or(name, |proxy| proxy.id.as_str());
        return format!("db-proxy:{id}");
    }
    "other".to_owned()
}

/// Interfaces that proxies and functions have, where none of theirs was read.
fn unread(build: &mut Build<'_>) {
    let world = &build.world;
    let owned: BTreeSet<&str> = world.ec2.interfaces.values().map(|interface| interface.owner.as_str()).collect();
    let mut wanted = Vec::new();
    for (name, proxy) in &world.rds.proxies {
        let description = format!("Network interface for DBProxy {name}");
        wanted.push((format!("db-proxy:{}", proxy.id), description, "interface", &proxy.subnets, &proxy.groups));
    }
    for (name, endpoint) in &world.rds.endpoints {
        let description = format!("Network interface for DBProxy endpoint {name}");
        let owner = format!("db-proxy-endpoint:{}", endpoint.id);
        wanted.push((owner, description, "vpc_endpoint", &endpoint.subnets, &endpoint.groups));
    }
    for (name, function) in &world.lambda.functions {
        if let Some(vpc) = &function.latest.vpc {
            let description = format!("AWS Lambda VPC ENI-{name}");
            wanted.push((format!("lambda:{name}"), description, "lambda", &vpc.subnets, &vpc.groups));
        }
    }
    let mut made = Vec::new();
    for (owner, description, kind, subnets, groups) in wanted {
        if owned.contains(owner.as_str()) {
            continue;
        }
        for subnet in subnets {
            let digits = build.digits(&format!("{owner}/{subnet}"));
            let interface = Interface {
                owner: owner.clone(),
                description: description.clone(),
                kind: kind.to_owned(),
                subnet_id: subnet.clone(),
                groups: groups.clone(),
                address: String::new(),
                released: None,
            };
            made.push((format!("eni-{digits}"), interface));
        }
    }
    if !made.is_empty() {
        build.world.ec2.interfaces.extend(made);
        build.gap(
            "network interfaces",
            "were not all read; the copy has one for each proxy and function in each of its subnets",
        );
    }
}
