//! One VPC: private subnets in three zones, a public one, and the groups of databases and functions.

use std::collections::BTreeMap;

use crate::account::World;
use crate::ec2::{Acl, AclEntry, Group, Peer, RouteTable, Rule, Subnet, Vpc};

/// What the rest of the account stands on.
#[derive(Debug, Clone)]
pub(super) struct Network {
    /// The VPC.
    pub(super) vpc: String,
    /// Private subnets, one a zone.
    pub(super) private: Vec<String>,
    /// The group of `my-instance`.
    pub(super) instance_group: String,
    /// The group of `my-cluster`.
    pub(super) cluster_group: String,
    /// The group of `legacy-oracle`.
    pub(super) oracle_group: String,
    /// The group of the functions that use `my-instance`.
    pub(super) app_group: String,
    /// The group of `InvoiceFunction`.
    pub(super) billing_group: String,
    /// The group of the functions that use `my-cluster`.
    pub(super) reporting_group: String,
}

/// Lays it out.
pub(super) fn lay(world: &mut World) -> Network {
    let vpc = world.id("vpc-", "main");
    let block = Vpc {
        cidr: "10.0.0.0/16".to_owned(),
        ipv6_cidr: None,
        tenancy: "default".to_owned(),
        encryption: None,
        default: false,
        tags: named("main"),
    };
    world.ec2.vpcs.insert(vpc.clone(), block);
    let zones = [("eu-central-1a", "euc1-az2"), ("eu-central-1b", "euc1-az3"), ("eu-central-1c", "euc1-az1")];
    let private: Vec<String> = zones
        .iter()
        .zip(1_u8..)
        .map(|((zone, zone_id), number)| {
            let letter = zone.chars().last().unwrap_or('a');
            let name = format!("private-{letter}");
            subnet(world, &vpc, &name, &format!("10.0.{number}.0/24"), zone, zone_id)
        })
        .collect();
    let public = subnet(world, &vpc, "public-a", "10.0.100.0/24", "eu-central-1a", "euc1-az2");
    routes(world, &vpc, &private, &public);

    group(world, &vpc, "default", "default VPC security group");
    let app_group = group(world, &vpc, "app-functions", "Functions of the shop");
    let billing_group = group(world, &vpc, "billing-functions", "Functions of billing");
    let reporting_group = group(world, &vpc, "reporting-functions", "Functions of reporting and orders");
    let instance_group = group(world, &vpc, "my-instance-db", "my-instance");
    let cluster_group = group(world, &vpc, "my-cluster-db", "my-cluster");
    let oracle_group = group(world, &vpc, "legacy-oracle-db", "legacy-oracle");
    for client in [&app_group, &billing_group] {
        allow(world, &instance_group, client, 3306);
    }
    allow(world, &cluster_group, &reporting_group, 5432);
    allow(world, &oracle_group, &billing_group, 1521);
    Network { vpc, private, instance_group, cluster_group, oracle_group, app_group, billing_group, reporting_group }
}

/// A `Name` tag.
pub(super) fn named(name: &str) -> BTreeMap<String, String> {
    BTreeMap::from([("Name".to_owned(), name.to_owned())])
}

fn subnet(world: &mut World, vpc: &str, name: &str, cidr: &str, zone: &str, zone_id: &str) -> String {
    let id = world.id("subnet-", name);
    let subnet = Subnet {
        vpc_id: vpc.to_owned(),
        cidr: cidr.to_owned(),
        ipv6_cidr: None,
        zone: zone.to_owned(),
        zone_id: zone_id.to_owned(),
        free_addresses: 240,
        tags: named(name),
    };
    world.ec2.subnets.insert(id.clone(), subnet);
    id
}

fn routes(world: &mut World, vpc: &str, private: &[String], public: &str) {
    let gateway = world.id("igw-", "main");
    let local = ("10.0.0.0/16".to_owned(), "local".to_owned());
    let inside =
        RouteTable { vpc_id: vpc.to_owned(), main: true, subnets: private.to_vec(), routes: vec![local.clone()] };
    let outside = RouteTable {
        vpc_id: vpc.to_owned(),
        main: false,
        subnets: vec![public.to_owned()],
        routes: vec![local, ("0.0.0.0/0".to_owned(), gateway)],
    };
    for (name, table) in [("private", inside), ("public", outside)] {
        let id = world.id("rtb-", name);
        world.ec2.route_tables.insert(id, table);
    }
    let entry = |number, allow, egress| AclEntry {
        number,
        protocol: "-1".to_owned(),
        allow,
        egress,
        cidr: "0.0.0.0/0".to_owned(),
        ports: None,
    };
    let acl = Acl {
        vpc_id: vpc.to_owned(),
        default: true,
        subnets: private.iter().cloned().chain([public.to_owned()]).collect(),
        entries: vec![
            entry(100, true, true),
            entry(32_767, false, true),
            entry(100, true, false),
            entry(32_767, false, false),
        ],
    };
    let id = world.id("acl-", "main");
    world.ec2.acls.insert(id, acl);
}

fn group(world: &mut World, vpc: &str, name: &str, description: &str) -> String {
    let id = world.id("sg-", &format!("{vpc}/{name}"));
    let rule = world.id("sgr-", &format!("{id}/egress"));
    let egress = Rule::everything_out();
    let group = Group {
        name: name.to_owned(),
        description: description.to_owned(),
        vpc_id: vpc.to_owned(),
        tags: BTreeMap::new(),
        rules: BTreeMap::from([(rule, egress)]),
    };
    world.ec2.groups.insert(id.clone(), group);
    id
}

fn allow(world: &mut World, group: &str, client: &str, port: i64) {
    let id = world.id("sgr-", &format!("{group}/{client}/{port}"));
    let rule = Rule {
        egress: false,
        protocol: "tcp".to_owned(),
        from_port: port,
        to_port: port,
        peer: Peer::Group(client.to_owned()),
        description: Some("functions, directly".to_owned()),
        tags: BTreeMap::new(),
    };
    if let Some(group) = world.ec2.groups.get_mut(group) {
        group.rules.insert(id, rule);
    }
}
