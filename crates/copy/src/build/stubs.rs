//! What exists only by reference.
//!
//! A function names its role, subnets and groups, and a run may never read them. Without them, the simulated account
//! would refuse what AWS accepts.

use std::collections::BTreeMap;

use sandbox::World;
use sandbox::parts::{Group, Role, Rule, Secret, Subnet, SubnetGroup, Vpc};
use serde_json::{Value, json};

use super::{Build, functions, kms, roles, secrets};
use crate::facts::{Kind, Thing};
use crate::read::{iam, list, part, text};

/// What a VPC has whose block was not read.
const BLOCK: &str = "10.0.0.0/16";

/// Free addresses of a subnet that was not read.
const FREE: u32 = 200;

/// The role that RDS makes for itself with the first database.
const LINKED: &str = "AWSServiceRoleForRDS";

pub(super) fn build(build: &mut Build<'_>) {
    executing(build);
    linked(build);
    for arn in secrets::named(build) {
        // An ARN may be given without the six characters at its end.
        let is =
            |secret: &Secret| secret.arn == arn || secret.arn.rsplit_once('-').is_some_and(|(start, _)| start == arn);
        if !build.world.secrets.secrets.values().any(is) {
            secrets::put(build, &arn, &Thing::new());
        }
    }
    for key in keys(build) {
        kms::stub(build, &key);
    }
    network(build);
    super::network::unread(build);
    for group in parameter_groups(build) {
        build.gap(format!("the parameters of the group {group}"), "were not read; in the copy they are AWS's defaults");
        build.world.rds.parameters.insert(group, BTreeMap::new());
    }
}

/// Parameter groups that databases name and that were not read.
fn parameter_groups(build: &Build<'_>) -> Vec<String> {
    let rds = &build.world.rds;
    let named = rds.instances.values().map(|found| &found.parameter_group);
    let named = named.chain(rds.clusters.values().map(|found| &found.parameter_group));
    named.filter(|name| !name.is_empty() && !rds.parameters.contains_key(*name)).cloned().collect()
}

/// Roles of functions and proxies.
fn executing(build: &mut Build<'_>) {
    let mut services: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for role in functions::roles(&build.world.lambda.functions) {
        services.entry(role.to_owned()).or_default().push("lambda.amazonaws.com");
    }
    for proxy in build.world.rds.proxies.values() {
        services.entry(proxy.role_arn.clone()).or_default().push("rds.amazonaws.com");
    }
    for (arn, mut trusted) in services {
        trusted.sort_unstable();
        trusted.dedup();
        role(build, &arn, &json!({ "Service": trusted }));
    }
}

/// Puts a role there that is known by its ARN, and whom it trusts; nothing for what is no role of the account.
pub(super) fn role(build: &mut Build<'_>, arn: &str, trusted: &Value) {
    let Some((account, path, name)) = iam(arn, "role").filter(|(account, ..)| *account == build.world.account) else {
        return;
    };
    if build.world.iam.roles.contains_key(name) {
        return;
    }
    let trust = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole" }] });
    let partition = build.world.partition.clone();
    let mut role = Role::by_hand(account, &partition, path, name, &trust, &Value::Null);
    role.inline.clear();
    role.force.clear();
    role.id = format!("AROA{}", build.digits(name).to_ascii_uppercase());
    roles::rights(build, &mut role);
    build.gap(format!("the role {name}"), "was not read; in the copy it trusts those services that use it");
    build.world.iam.roles.insert(name.to_owned(), role);
}

/// The role without which RDS makes no proxy.
fn linked(build: &mut Build<'_>) {
    let rds = &build.world.rds;
    let needed = !(rds.instances.is_empty() && rds.clusters.is_empty() && rds.proxies.is_empty());
    if needed && !build.facts.knows(Kind::NoRole, LINKED) {
        let World { partition, account, .. } = &build.world;
        let arn = format!("arn:{partition}:iam::{account}:role/aws-service-role/rds.amazonaws.com/{LINKED}");
        role(build, &arn, &json!({ "Service": "rds.amazonaws.com" }));
    }
}

/// Keys that secrets, functions and log groups name.
fn keys(build: &Build<'_>) -> Vec<String> {
    let world = &build.world;
    let secrets = world.secrets.secrets.values().filter_map(|secret| secret.kms_key.clone());
    let functions = world.lambda.functions.values();
    let functions = functions.flat_map(|function| function.versions.values().chain([&function.latest]));
    let functions = functions.filter_map(|version| version.kms_key.clone());
    let logs = world.logs.groups.values().filter_map(|group| group.kms_key.clone());
    secrets.chain(functions).chain(logs).collect()
}

/// VPCs, subnets and groups.
fn network(build: &mut Build<'_>) {
    for group in subnet_groups(build) {
        build.gap(format!("the subnet group {group}"), "was not read; in the copy it has no subnets");
        build.world.rds.subnet_groups.insert(group, SubnetGroup::default());
    }
    let (subnets, groups) = used(build);
    for (id, vpc) in subnets {
        if !build.world.ec2.subnets.contains_key(&id) {
            subnet(build, &id, &vpc);
        }
    }
    for (id, vpc) in groups {
        if !build.world.ec2.groups.contains_key(&id) {
            group(build, &id, &vpc);
        }
    }
    let ec2 = &build.world.ec2;
    let vpcs = ec2.subnets.values().map(|subnet| subnet.vpc_id.clone());
    let vpcs: Vec<String> = vpcs.chain(ec2.groups.values().map(|group| group.vpc_id.clone())).collect();
    for id in vpcs {
        if !id.is_empty() && !build.world.ec2.vpcs.contains_key(&id) {
            build.gap(format!("the VPC {id}"), format!("was not read; in the copy its block is {BLOCK}"));
            let vpc = Vpc { cidr: BLOCK.to_owned(), tenancy: "default".to_owned(), ..Vpc::default() };
            build.world.ec2.vpcs.insert(id, vpc);
        }
    }
}

/// Subnet groups that databases name and that were not read.
fn subnet_groups(build: &Build<'_>) -> Vec<String> {
    let rds = &build.world.rds;
    let named = rds.instances.values().map(|found| &found.subnet_group);
    let named = named.chain(rds.clusters.values().map(|found| &found.subnet_group));
    named.filter(|name| !name.is_empty() && !rds.subnet_groups.contains_key(*name)).cloned().collect()
}

/// By id, with the VPC that it is in.
type InVpc = BTreeMap<String, String>;

/// Subnets and groups that anything in the account uses.
fn used(build: &Build<'_>) -> (InVpc, InVpc) {
    let world = &build.world;
    let (mut subnets, mut groups) = (InVpc::new(), InVpc::new());
    let mut note = |all: &[String], vpc: &str, to_groups: bool| {
        for id in all {
            let place = if to_groups { &mut groups } else { &mut subnets };
            let known = place.entry(id.clone()).or_default();
            if known.is_empty() {
                vpc.clone_into(known);
            }
        }
    };
    for group in world.rds.subnet_groups.values() {
        note(&group.subnets, &group.vpc_id, false);
    }
    let vpc_of = |name: &str| world.rds.subnet_groups.get(name).map(|group| group.vpc_id.clone()).unwrap_or_default();
    for instance in world.rds.instances.values() {
        note(&instance.groups, &vpc_of(&instance.subnet_group), true);
    }
    for cluster in world.rds.clusters.values() {
        note(&cluster.groups, &vpc_of(&cluster.subnet_group), true);
    }
    for proxy in world.rds.proxies.values() {
        note(&proxy.subnets, &proxy.vpc_id, false);
        note(&proxy.groups, &proxy.vpc_id, true);
    }
    for endpoint in world.rds.endpoints.values() {
        note(&endpoint.subnets, &endpoint.vpc_id, false);
        note(&endpoint.groups, &endpoint.vpc_id, true);
    }
    let functions = world.lambda.functions.values();
    let versions = functions.flat_map(|function| function.versions.values().chain([&function.latest]));
    for vpc in versions.filter_map(|version| version.vpc.as_ref()) {
        note(&vpc.subnets, &vpc.id, false);
        note(&vpc.groups, &vpc.id, true);
    }
    (subnets, groups)
}

fn subnet(build: &mut Build<'_>, id: &str, vpc: &str) {
    let zone = zone_of(build, id).unwrap_or_else(|| format!("{}a", build.world.region));
    let cidr = build.world.ec2.vpcs.get(vpc).map_or(BLOCK, |vpc| vpc.cidr.as_str()).to_owned();
    build.gap(
        format!("the subnet {id}"),
        format!("was not read; in the copy it has {FREE} free addresses and the block of its VPC"),
    );
    let subnet = Subnet {
        vpc_id: vpc.to_owned(),
        cidr,
        ipv6_cidr: None,
        zone_id: zone.clone(),
        zone,
        free_addresses: FREE,
        tags: BTreeMap::new(),
    };
    build.world.ec2.subnets.insert(id.to_owned(), subnet);
}

/// The zone that a subnet group says a subnet is in.
fn zone_of(build: &Build<'_>, id: &str) -> Option<String> {
    let groups = build.facts.all(Kind::SubnetGroup).flat_map(|(_, group)| list(group, "Subnets"));
    let mut own = groups.filter(|subnet| part(subnet, "SubnetIdentifier") == Some(id));
    own.find_map(|subnet| part(subnet.get("SubnetAvailabilityZone")?, "Name")).map(str::to_owned)
}

fn group(build: &mut Build<'_>, id: &str, vpc: &str) {
    let mut rules = super::groups::listed(build, id);
    if rules.is_empty() {
        build
            .gap(format!("the security group {id}"), "was not read; in the copy it lets everything out and nothing in");
        rules.insert(format!("sgr-{}", build.digits(&format!("{id}/out"))), Rule::everything_out());
    } else {
        build.gap(format!("the security group {id}"), "was not read but for its rules");
    }
    let name = name_of(build, id).unwrap_or_else(|| format!("unread-{}", id.trim_start_matches("sg-")));
    let group = Group { name, description: String::new(), vpc_id: vpc.to_owned(), tags: BTreeMap::new(), rules };
    build.world.ec2.groups.insert(id.to_owned(), group);
}

/// The name that an interface says a group has.
fn name_of(build: &Build<'_>, id: &str) -> Option<String> {
    let groups = build.facts.all(Kind::Interface).flat_map(|(_, interface)| list(interface, "groupSet"));
    let mut own = groups.filter(|group| part(group, "groupId") == Some(id));
    own.find_map(|group| text(group.as_object()?, "groupName")).map(str::to_owned)
}
