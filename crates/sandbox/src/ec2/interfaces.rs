//! Network interfaces: what keeps a security group in use, also after its owner is gone.

use serde_json::{Value, json};

use super::filters::{Filters, chosen};
use super::network::paged;
use super::state::Interface;
use crate::account::{Call, Moment, Outcome, World};
use crate::input;

/// Gives an owner one interface in each subnet.
pub(crate) fn attach_interfaces(
    world: &mut World,
    owner: &str,
    kind: &str,
    description: &str,
    subnets: &[String],
    groups: &[String],
) {
    for subnet_id in subnets {
        let id = world.id("eni-", &format!("{owner}/{subnet_id}"));
        // From the id and not from a count, so that it does not depend on what else is there.
        let host = id.bytes().fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte)).max(4);
        let network = world
            .ec2
            .subnets
            .get(subnet_id)
            .and_then(|subnet| subnet.cidr.rsplit_once('.'))
            .map_or("10.0.0", |(network, _)| network);
        let address = format!("{network}.{host}");
        world.ec2.interfaces.insert(
            id,
            Interface {
                owner: owner.to_owned(),
                description: description.to_owned(),
                kind: kind.to_owned(),
                subnet_id: subnet_id.clone(),
                groups: groups.to_vec(),
                address,
                released: None,
            },
        );
    }
}

/// Changes the groups of an owner's interfaces.
pub(crate) fn regroup_interfaces(world: &mut World, owner: &str, groups: &[String]) {
    for interface in world.ec2.interfaces.values_mut().filter(|interface| interface.owner == owner) {
        interface.groups = groups.to_vec();
    }
}

/// Lets an owner's interfaces go at a moment.
pub(crate) fn release_interfaces(world: &mut World, owner: &str, at: Moment) {
    for interface in world.ec2.interfaces.values_mut() {
        if interface.owner == owner && interface.released.is_none() {
            interface.released = Some(at);
        }
    }
}

/// Lets time pass.
pub(crate) fn tick(world: &mut World, now: Moment) {
    world.ec2.interfaces.retain(|_, interface| interface.released.is_none_or(|at| now < at));
}

/// `DescribeNetworkInterfaces`.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    let known = [
        "group-id",
        "group-name",
        "subnet-id",
        "vpc-id",
        "description",
        "network-interface-id",
        "interface-type",
        "status",
        "requester-managed",
    ];
    let filters = Filters::of(&call.input, &known)?;
    let ids = input::texts(&call.input, "NetworkInterfaceIds");
    let interfaces = chosen(&world.ec2.interfaces, &ids, "InvalidNetworkInterfaceID.NotFound", "networkInterface ID")?
        .into_iter()
        .filter(|(id, interface)| {
            filters.pass(&std::collections::BTreeMap::new(), |name| match name {
                "group-id" => interface.groups.clone(),
                "group-name" => interface
                    .groups
                    .iter()
                    .filter_map(|id| world.ec2.groups.get(id))
                    .map(|group| group.name.clone())
                    .collect(),
                "subnet-id" => vec![interface.subnet_id.clone()],
                "vpc-id" => world
                    .ec2
                    .subnets
                    .get(&interface.subnet_id)
                    .map(|subnet| subnet.vpc_id.clone())
                    .into_iter()
                    .collect(),
                "description" => vec![interface.description.clone()],
                "network-interface-id" => vec![(*id).clone()],
                "interface-type" => vec![interface.kind.clone()],
                "status" => vec!["in-use".to_owned()],
                _ => vec!["true".to_owned()],
            })
        })
        .map(|(id, interface)| answer(world, id, interface))
        .collect();
    Ok(paged(call, "networkInterfaceSet", interfaces))
}

fn answer(world: &World, id: &str, interface: &Interface) -> Value {
    let groups: Vec<Value> = interface
        .groups
        .iter()
        .map(|id| {
            let name = world.ec2.groups.get(id).map_or("", |group| group.name.as_str());
            json!({ "groupId": id, "groupName": name })
        })
        .collect();
    let subnet = world.ec2.subnets.get(&interface.subnet_id);
    json!({
        "networkInterfaceId": id,
        "subnetId": interface.subnet_id,
        "vpcId": subnet.map(|subnet| &subnet.vpc_id),
        "availabilityZone": subnet.map(|subnet| &subnet.zone),
        "description": interface.description,
        "ownerId": world.account,
        "requesterId": "amazon-rds",
        "requesterManaged": true,
        "status": "in-use",
        "interfaceType": interface.kind,
        "privateIpAddress": interface.address,
        "sourceDestCheck": true,
        "groupSet": groups,
        "tagSet": [],
    })
}
