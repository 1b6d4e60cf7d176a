//! VPCs, subnets, network ACLs, route tables: only to be looked at.

use serde_json::{Value, json};

use super::answers::tag_set;
use super::filters::{Filters, chosen, page};
use super::state::Subnet;
use crate::account::{Call, Outcome, World};
use crate::input;

/// `DescribeVpcs`.
pub(super) fn describe_vpcs(world: &World, call: &Call) -> Outcome {
    let filters = Filters::of(&call.input, &["vpc-id", "cidr", "is-default", "state"])?;
    let ids = input::texts(&call.input, "VpcIds");
    let vpcs = chosen(&world.ec2.vpcs, &ids, "InvalidVpcID.NotFound", "vpc ID")?
        .into_iter()
        .filter(|(id, vpc)| {
            filters.pass(&vpc.tags, |name| match name {
                "vpc-id" => vec![(*id).clone()],
                "cidr" => vec![vpc.cidr.clone()],
                "is-default" => vec![vpc.default.to_string()],
                _ => vec!["available".to_owned()],
            })
        })
        .map(|(id, vpc)| {
            let block = json!({
                "associationId": format!("vpc-cidr-assoc-{}", world.hash(id)),
                "cidrBlock": vpc.cidr,
                "cidrBlockState": { "state": "associated" },
            });
            json!({
                "vpcId": id,
                "ownerId": world.account,
                "state": "available",
                "cidrBlock": vpc.cidr,
                "cidrBlockAssociationSet": [block],
                "ipv6CidrBlockAssociationSet": ipv6(world, id, vpc.ipv6_cidr.as_deref()),
                // aws-cli, awscli/examples/ec2/describe-vpcs.rst.
                "dhcpOptionsId": format!("dopt-{}", world.hash(id)),
                "instanceTenancy": vpc.tenancy,
                "isDefault": vpc.default,
                "encryptionControl": vpc.encryption.as_ref().map(|mode| json!({ "mode": mode, "state": "available" })),
                "tagSet": tag_set(&vpc.tags),
            })
        })
        .collect();
    Ok(paged(call, "vpcSet", vpcs))
}

/// `DescribeSubnets`.
pub(super) fn describe_subnets(world: &World, call: &Call) -> Outcome {
    let known = ["vpc-id", "subnet-id", "availability-zone", "availabilityZone", "availability-zone-id", "state"];
    let filters = Filters::of(&call.input, &known)?;
    let ids = input::texts(&call.input, "SubnetIds");
    let subnets = chosen(&world.ec2.subnets, &ids, "InvalidSubnetID.NotFound", "subnet ID")?
        .into_iter()
        .filter(|(id, subnet)| {
            filters.pass(&subnet.tags, |name| match name {
                "vpc-id" => vec![subnet.vpc_id.clone()],
                "subnet-id" => vec![(*id).clone()],
                "availability-zone" | "availabilityZone" => vec![subnet.zone.clone()],
                "availability-zone-id" => vec![subnet.zone_id.clone()],
                _ => vec!["available".to_owned()],
            })
        })
        .map(|(id, subnet)| subnet_answer(world, id, subnet))
        .collect();
    Ok(paged(call, "subnetSet", subnets))
}

/// `DescribeNetworkAcls`.
pub(super) fn describe_acls(world: &World, call: &Call) -> Outcome {
    let filters = Filters::of(&call.input, &["vpc-id", "association.subnet-id", "network-acl-id", "default"])?;
    let ids = input::texts(&call.input, "NetworkAclIds");
    let acls = chosen(&world.ec2.acls, &ids, "InvalidNetworkAclID.NotFound", "networkAcl ID")?
        .into_iter()
        .filter(|(id, acl)| {
            filters.pass(&std::collections::BTreeMap::new(), |name| match name {
                "vpc-id" => vec![acl.vpc_id.clone()],
                "association.subnet-id" => acl.subnets.clone(),
                "network-acl-id" => vec![(*id).clone()],
                _ => vec![acl.default.to_string()],
            })
        })
        .map(|(id, acl)| {
            let entries: Vec<Value> = acl
                .entries
                .iter()
                .map(|entry| {
                    json!({
                        "ruleNumber": entry.number,
                        "protocol": entry.protocol,
                        "ruleAction": if entry.allow { "allow" } else { "deny" },
                        "egress": entry.egress,
                        "cidrBlock": entry.cidr,
                        "portRange": entry.ports.map(|(from, to)| json!({ "from": from, "to": to })),
                    })
                })
                .collect();
            let associations: Vec<Value> = acl
                .subnets
                .iter()
                .map(|subnet| {
                    let association = format!("aclassoc-{}", world.hash(subnet));
                    json!({ "networkAclAssociationId": association, "networkAclId": id, "subnetId": subnet })
                })
                .collect();
            json!({
                "networkAclId": id,
                "vpcId": acl.vpc_id,
                "default": acl.default,
                "entrySet": entries,
                "associationSet": associations,
                "tagSet": [],
                "ownerId": world.account,
            })
        })
        .collect();
    Ok(paged(call, "networkAclSet", acls))
}

/// `DescribeRouteTables`.
pub(super) fn describe_route_tables(world: &World, call: &Call) -> Outcome {
    let known = ["vpc-id", "association.subnet-id", "association.main", "route-table-id"];
    let filters = Filters::of(&call.input, &known)?;
    let ids = input::texts(&call.input, "RouteTableIds");
    let tables = chosen(&world.ec2.route_tables, &ids, "InvalidRouteTableID.NotFound", "routeTable ID")?
        .into_iter()
        .filter(|(id, table)| {
            filters.pass(&std::collections::BTreeMap::new(), |name| match name {
                "vpc-id" => vec![table.vpc_id.clone()],
                "association.subnet-id" => table.subnets.clone(),
                "route-table-id" => vec![(*id).clone()],
                _ => vec![table.main.to_string()],
            })
        })
        .map(|(id, table)| {
            let routes: Vec<Value> = table
                .routes
                .iter()
                .map(|(block, target)| {
                    let kind = if target.starts_with("nat-") { "natGatewayId" } else { "gatewayId" };
                    // aws-cli, awscli/examples/ec2/describe-route-tables.rst.
                    let origin = if target == "local" { "CreateRouteTable" } else { "CreateRoute" };
                    json!({ "destinationCidrBlock": block, kind: target, "state": "active", "origin": origin })
                })
                .collect();
            let mut associations: Vec<Value> = table
                .subnets
                .iter()
                .map(|subnet| {
                    let association = format!("rtbassoc-{}", world.hash(subnet));
                    json!({
                        "routeTableAssociationId": association,
                        "routeTableId": id,
                        "subnetId": subnet,
                        "main": false,
                    })
                })
                .collect();
            if table.main {
                let association = format!("rtbassoc-{}", world.hash(id));
                associations.push(json!({
                    "routeTableAssociationId": association,
                    "routeTableId": id,
                    "main": true,
                }));
            }
            json!({
                "routeTableId": id,
                "vpcId": table.vpc_id,
                "routeSet": routes,
                "associationSet": associations,
                "tagSet": [],
                "ownerId": world.account,
            })
        })
        .collect();
    Ok(paged(call, "routeTableSet", tables))
}

/// Free addresses of a subnet, less what the sandbox's interfaces take.
pub(crate) fn free_addresses(world: &World, id: &str, subnet: &Subnet) -> u32 {
    let taken = world.ec2.interfaces.values().filter(|interface| interface.subnet_id == id).count();
    subnet.free_addresses.saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX))
}

/// A list as an answer, with the token of the next page.
pub(super) fn paged(call: &Call, name: &str, items: Vec<Value>) -> Value {
    let (items, token) = page(&call.input, items);
    json!({ name: items, "nextToken": token })
}

fn subnet_answer(world: &World, id: &str, subnet: &Subnet) -> Value {
    json!({
        "subnetId": id,
        "subnetArn": world.arn("ec2", &format!("subnet/{id}")),
        "state": "available",
        "ownerId": world.account,
        "vpcId": subnet.vpc_id,
        "cidrBlock": subnet.cidr,
        "ipv6CidrBlockAssociationSet": ipv6(world, id, subnet.ipv6_cidr.as_deref()),
        "availableIpAddressCount": free_addresses(world, id, subnet),
        "availabilityZone": subnet.zone,
        "availabilityZoneId": subnet.zone_id,
        "defaultForAz": false,
        "mapPublicIpOnLaunch": false,
        "assignIpv6AddressOnCreation": false,
        "ipv6Native": false,
        // Every subnet has these (aws-cli, awscli/examples/ec2/describe-subnets.rst).
        "enableDns64": false,
        "mapCustomerOwnedIpOnLaunch": false,
        "privateDnsNameOptionsOnLaunch": {
            "hostnameType": "ip-name",
            "enableResourceNameDnsARecord": false,
            "enableResourceNameDnsAAAARecord": false,
        },
        "tagSet": tag_set(&subnet.tags),
    })
}

fn ipv6(world: &World, id: &str, block: Option<&str>) -> Value {
    block
        .into_iter()
        .map(|block| {
            json!({
                "associationId": format!("ipv6-assoc-{}", world.hash(id)),
                "ipv6CidrBlock": block,
                "ipv6CidrBlockState": { "state": "associated" },
            })
        })
        .collect()
}
