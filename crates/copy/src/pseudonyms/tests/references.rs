//! What in an account names another thing of it.

use std::net::IpAddr;

use sandbox::World;
use sandbox::parts::{Function, Peer};
use serde_json::Value;

type Counted = Vec<(&'static str, usize)>;

/// How many references lead somewhere, by what they are.
pub(super) fn references(world: &World) -> Counted {
    [of_functions(world), of_values(world), of_the_network(world), of_databases(world), of_rights(world)].concat()
}

fn count(all: impl Iterator<Item = bool>) -> usize {
    all.filter(|holds| *holds).count()
}

fn functions(world: &World) -> impl Iterator<Item = &Function> {
    world.lambda.functions.values()
}

fn is_role(world: &World, arn: &str) -> bool {
    world.iam.roles.values().any(|role| role.arn == arn && Some(role.name.as_str()) == arn.rsplit('/').next())
}

fn is_secret(world: &World, arn: &str) -> bool {
    world.secrets.secrets.values().any(|secret| secret.arn == arn)
}

fn of_functions(world: &World) -> Counted {
    let networks = || functions(world).filter_map(|function| function.latest.vpc.as_ref());
    let named = |(name, function): (&String, &Function)| {
        *name == function.latest.name && function.latest.arn.ends_with(&format!(":function:{name}"))
    };
    let mapped = |mapping: &str, function: &Function| {
        function.aliases.keys().any(|alias| mapping == format!("{}:{alias}", function.latest.arn))
    };
    let mappings = world.lambda.mappings.iter();
    vec![
        ("subnets", count(networks().flat_map(|vpc| &vpc.subnets).map(|id| world.ec2.subnets.contains_key(id)))),
        ("groups", count(networks().flat_map(|vpc| &vpc.groups).map(|id| world.ec2.groups.contains_key(id)))),
        ("roles", count(functions(world).map(|function| is_role(world, &function.latest.role)))),
        ("names", count(world.lambda.functions.iter().map(named))),
        ("mappings", count(mappings.map(|one| functions(world).any(|function| mapped(&one.function, function))))),
        ("loads", count(world.loads.functions.keys().map(|name| world.lambda.functions.contains_key(name)))),
    ]
}

fn of_values(world: &World) -> Counted {
    let rds = &world.rds;
    let hosts: Vec<&String> = (rds.instances.values().map(|one| &one.endpoint))
        .chain(rds.clusters.values().flat_map(|one| [&one.endpoint, &one.reader_endpoint]))
        .chain(rds.proxies.values().map(|one| &one.endpoint))
        .collect();
    let versions = world.secrets.secrets.values().flat_map(|secret| &secret.versions);
    let password = |text: &str| serde_json::from_str::<Value>(text).ok()?["password"].as_str().map(str::to_owned);
    let passwords: Vec<String> = versions.filter_map(|one| password(one.text.as_deref()?)).collect();
    let all: Vec<&String> =
        functions(world).filter_map(|one| one.latest.environment.as_ref()).flat_map(|all| all.values()).collect();
    let holds = |value: &str, host: &str| value.to_lowercase().contains(host);
    vec![
        ("hosts", count(all.iter().map(|value| hosts.iter().any(|host| holds(value, host))))),
        ("secrets", count(all.iter().map(|value| is_secret(world, value)))),
        ("passwords", count(all.iter().map(|value| passwords.iter().any(|password| value.contains(password))))),
    ]
}

/// Whether a block lies in another one.
fn inside(outer: &str, inner: &str) -> bool {
    let read = |text: &str| {
        let (address, length) = text.split_once('/')?;
        Some((address.parse::<IpAddr>().ok()?, length.parse::<u32>().ok()?))
    };
    match (read(outer), read(inner)) {
        (Some((IpAddr::V4(one), length)), Some((IpAddr::V4(other), _))) => {
            (u32::from(one) ^ u32::from(other)).leading_zeros() >= length
        }
        (Some((IpAddr::V6(one), length)), Some((IpAddr::V6(other), _))) => {
            (u128::from(one) ^ u128::from(other)).leading_zeros() >= length
        }
        _ => false,
    }
}

fn of_the_network(world: &World) -> Counted {
    let ec2 = &world.ec2;
    let rules = || ec2.groups.values().flat_map(|group| group.rules.values());
    let owned = |owner: &str, description: &str| {
        let name = owner.strip_prefix("lambda:").filter(|name| world.lambda.functions.contains_key(*name));
        name.is_some_and(|name| description == format!("AWS Lambda VPC ENI-{name}"))
    };
    let v6 = |block: &Option<String>| block.clone().unwrap_or_default();
    let subnets = || ec2.subnets.values().map(|one| (one, &ec2.vpcs[&one.vpc_id]));
    vec![
        ("peers", count(rules().map(|rule| matches!(&rule.peer, Peer::Group(id) if ec2.groups.contains_key(id))))),
        ("open rules", count(rules().map(|rule| matches!(&rule.peer, Peer::Cidr(block) if block == "0.0.0.0/0")))),
        ("VPCs", count(subnets().map(|(subnet, vpc)| inside(&vpc.cidr, &subnet.cidr)))),
        ("VPCs by IPv6", count(subnets().map(|(subnet, vpc)| inside(&v6(&vpc.ipv6_cidr), &v6(&subnet.ipv6_cidr))))),
        ("owners", count(ec2.interfaces.values().map(|one| owned(&one.owner, &one.description)))),
        ("subnets", count(ec2.interfaces.values().map(|one| ec2.subnets.contains_key(&one.subnet_id)))),
        ("local", count(ec2.route_tables.values().flat_map(|one| &one.routes).map(|(_, target)| target == "local"))),
    ]
}

fn of_databases(world: &World) -> Counted {
    let rds = &world.rds;
    let target = |one: &sandbox::parts::Proxy| {
        one.target_group.target.as_ref().is_some_and(|one| rds.instances.contains_key(&one.id))
    };
    let managed = |arn: &str| {
        world.secrets.secrets.values().any(|secret| secret.arn == arn && secret.name.starts_with("rds!db-"))
    };
    vec![
        ("roles", count(rds.proxies.values().map(|one| is_role(world, &one.role_arn)))),
        (
            "secrets",
            count(rds.proxies.values().flat_map(|one| &one.auth).map(|auth| is_secret(world, &auth.secret_arn))),
        ),
        ("targets", count(rds.proxies.values().map(target))),
        ("endpoints", count(rds.endpoints.values().map(|one| rds.proxies.contains_key(&one.proxy)))),
        (
            "members",
            count(rds.clusters.values().flat_map(|one| &one.members).map(|(id, _)| rds.instances.contains_key(id))),
        ),
        ("subnet groups", count(rds.instances.values().map(|one| rds.subnet_groups.contains_key(&one.subnet_group)))),
        ("parameters", count(rds.instances.values().map(|one| rds.parameters.contains_key(&one.parameter_group)))),
        ("managed", count(rds.instances.values().map(|one| one.master_secret.as_deref().is_some_and(managed)))),
    ]
}

fn of_rights(world: &World) -> Counted {
    let attached = world.iam.roles.values().flat_map(|one| &one.attached);
    let key = |(alias, id): (&String, &String)| alias.starts_with("alias/aws/") && world.kms.keys.contains_key(id);
    vec![
        ("keys", count(world.kms.aliases.iter().map(key))),
        ("policies", count(attached.map(|arn| world.iam.policies.contains_key(arn)))),
    ]
}
