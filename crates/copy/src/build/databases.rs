//! Instances, clusters, subnet groups, parameters and events.

use sandbox::parts::{Cluster, CustomEndpoint, Event, Instance, SubnetGroup};

use super::Build;
use crate::facts::{Kind, Thing};
use crate::mask;
use crate::read::{each, flag, inner, list, number, part, real, string, switch, text, texts, whole};

/// States that end by themselves, and what they end in.
const PASSING: [(&str, &str); 16] = [
    ("backing-up", "available"),
    ("configuring-associated-roles", "available"),
    ("configuring-enhanced-monitoring", "available"),
    ("configuring-iam-database-auth", "available"),
    ("configuring-log-exports", "available"),
    ("creating", "available"),
    ("maintenance", "available"),
    ("modifying", "available"),
    ("promoting", "available"),
    ("rebooting", "available"),
    ("renaming", "available"),
    ("resetting-master-credentials", "available"),
    ("starting", "available"),
    ("stopping", "stopped"),
    ("storage-config-upgrade", "available"),
    ("upgrading", "available"),
];

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (id, thing) in facts.all(Kind::Instance) {
        let instance = instance(build, id, thing);
        build.world.rds.instances.insert(id.to_owned(), instance);
    }
    for (id, thing) in facts.all(Kind::Cluster) {
        let cluster = cluster(build, id, thing);
        build.world.rds.clusters.insert(id.to_owned(), cluster);
    }
    for (name, thing) in facts.all(Kind::SubnetGroup) {
        let group = SubnetGroup { vpc_id: string(thing, "VpcId"), subnets: each(thing, "Subnets", "SubnetIdentifier") };
        build.world.rds.subnet_groups.insert(name.to_owned(), group);
    }
    for (group, _) in facts.all(Kind::ParameterGroup) {
        let value = |thing: &Thing| text(thing, "ParameterValue").map(mask::parameter);
        let set = facts.of(Kind::Parameter, group).filter_map(|(name, thing)| Some((name.to_owned(), value(thing)?)));
        let set = set.collect();
        build.world.rds.parameters.insert(group.to_owned(), set);
    }
    for (_, _, thing) in facts.parts(Kind::Event) {
        let event = Event {
            // They were in the list when it was read.
            at: super::others::now(),
            source_type: string(thing, "SourceType"),
            source: string(thing, "SourceIdentifier"),
            arn: string(thing, "SourceArn"),
            message: string(thing, "Message"),
            category: texts(thing, "EventCategories").into_iter().next().unwrap_or_default(),
        };
        build.world.rds.events.push(event);
    }
}

fn instance(build: &mut Build<'_>, id: &str, thing: &Thing) -> Instance {
    let groups = list(thing, "DBParameterGroups").first();
    let of_group = |name: &str| groups.and_then(|group| part(group, name)).map(str::to_owned);
    let endpoint = inner(thing, "Endpoint");
    let port = endpoint.and_then(|endpoint| endpoint.get("Port")).and_then(whole::<u16>);
    let engine = string(thing, "Engine");
    Instance {
        port: port.unwrap_or_else(|| usual_port(&engine)),
        engine,
        engine_version: string(thing, "EngineVersion"),
        class: string(thing, "DBInstanceClass"),
        status: settled(build, &format!("the database {id}"), &string(thing, "DBInstanceStatus")),
        endpoint: endpoint.map(|endpoint| string(endpoint, "Address")).unwrap_or_default(),
        resource_id: string(thing, "DbiResourceId"),
        subnet_group: inner(thing, "DBSubnetGroup").map(|group| string(group, "DBSubnetGroupName")).unwrap_or_default(),
        groups: each(thing, "VpcSecurityGroups", "VpcSecurityGroupId"),
        zone: string(thing, "AvailabilityZone"),
        cluster: text(thing, "DBClusterIdentifier").map(str::to_owned),
        replica_of: text(thing, "ReadReplicaSourceDBInstanceIdentifier").map(str::to_owned),
        parameter_group: of_group("DBParameterGroupName").unwrap_or_default(),
        parameter_status: of_group("ParameterApplyStatus").unwrap_or_else(|| "in-sync".to_owned()),
        max_connections: None,
        database: text(thing, "DBName").map(str::to_owned),
        master_user: string(thing, "MasterUsername"),
        master_secret: inner(thing, "MasterUserSecret").and_then(|secret| text(secret, "SecretArn")).map(str::to_owned),
        iam_auth: iam_auth(thing),
        network_type: text(thing, "NetworkType").unwrap_or("IPV4").to_owned(),
        modifying: None,
        is_unhealthy: None,
        tags: tags(build, thing, "DBInstanceArn"),
    }
}

fn cluster(build: &mut Build<'_>, id: &str, thing: &Thing) -> Cluster {
    let member = |member: &serde_json::Value| {
        let id = part(member, "DBInstanceIdentifier")?.to_owned();
        Some((id, member.get("IsClusterWriter").and_then(switch) == Some(true)))
    };
    let engine = string(thing, "Engine");
    let capacity = |name: &str| {
        let capacity = inner(thing, "ServerlessV2ScalingConfiguration").and_then(|scaling| scaling.get(name))?;
        tenths(real(capacity)?)
    };
    let facts = build.facts;
    let mut custom_endpoints: Vec<CustomEndpoint> = facts
        .of(Kind::ClusterEndpoint, id)
        .map(|(name, found)| CustomEndpoint {
            id: name.to_owned(),
            endpoint: string(found, "Endpoint"),
            kind: string(found, "CustomEndpointType"),
            members: texts(found, "StaticMembers"),
        })
        .collect();
    for host in texts(thing, "CustomEndpoints") {
        if !custom_endpoints.iter().any(|custom| custom.endpoint == host) {
            build.gap(format!("the members of the custom endpoint {host}"), "were not read; the copy has none of them");
            let id = host.split('.').next().unwrap_or_default().to_owned();
            custom_endpoints.push(CustomEndpoint { id, endpoint: host, kind: "ANY".to_owned(), members: Vec::new() });
        }
    }
    Cluster {
        port: number(thing, "Port").unwrap_or_else(|| usual_port(&engine)),
        engine,
        engine_version: string(thing, "EngineVersion"),
        engine_mode: text(thing, "EngineMode").unwrap_or("provisioned").to_owned(),
        status: settled(build, &format!("the cluster {id}"), &string(thing, "Status")),
        replica_of: text(thing, "ReplicationSourceIdentifier").map(str::to_owned),
        endpoint: string(thing, "Endpoint"),
        reader_endpoint: string(thing, "ReaderEndpoint"),
        custom_endpoints,
        resource_id: string(thing, "DbClusterResourceId"),
        members: list(thing, "DBClusterMembers").iter().filter_map(member).collect(),
        subnet_group: string(thing, "DBSubnetGroup"),
        groups: each(thing, "VpcSecurityGroups", "VpcSecurityGroupId"),
        parameter_group: string(thing, "DBClusterParameterGroup"),
        database: text(thing, "DatabaseName").map(str::to_owned),
        master_user: string(thing, "MasterUsername"),
        master_secret: inner(thing, "MasterUserSecret").and_then(|secret| text(secret, "SecretArn")).map(str::to_owned),
        iam_auth: iam_auth(thing),
        serverless: capacity("MinCapacity").zip(capacity("MaxCapacity")),
        class: text(thing, "DBClusterInstanceClass").map(str::to_owned),
        network_type: text(thing, "NetworkType").unwrap_or("IPV4").to_owned(),
        modifying: None,
        tags: tags(build, thing, "DBClusterArn"),
    }
}

/// The tags that were read by themselves, or those that came along.
pub(super) fn tags(build: &Build<'_>, thing: &Thing, arn: &str) -> std::collections::BTreeMap<String, String> {
    let alone =
        text(thing, arn).and_then(|arn| build.facts.one(Kind::RdsTags, arn)).and_then(|tags| tags.get("TagList"));
    build.tags(alone.or_else(|| thing.get("TagList")))
}

/// A state that stays: what the state that was shown ends in.
pub(super) fn settled(build: &mut Build<'_>, what: &str, word: &str) -> String {
    match PASSING.iter().find(|(passing, _)| *passing == word) {
        Some((_, end)) => {
            build.gap(format!("the state of {what}"), format!("was {word}; in the copy it is {end} already"));
            (*end).to_owned()
        }
        None => word.to_owned(),
    }
}

/// The port that an engine has where no other was chosen.
fn usual_port(engine: &str) -> u16 {
    match engine {
        engine if engine.contains("postgres") => 5432,
        engine if engine.starts_with("sqlserver") => 1433,
        engine if engine.starts_with("oracle") => 1521,
        _ => 3306,
    }
}

/// Tenths of a capacity, which comes in steps of a half.
fn tenths(capacity: f64) -> Option<u32> {
    let text = format!("{:.0}", (capacity * 10.0).clamp(0.0, 1e6));
    text.parse().ok()
}

/// Whether IAM authentication is on, or on its way.
fn iam_auth(thing: &Thing) -> bool {
    const NAME: &str = "IAMDatabaseAuthenticationEnabled";
    inner(thing, "PendingModifiedValues").and_then(|pending| flag(pending, NAME)).or(flag(thing, NAME)) == Some(true)
}
