//! Registering a database with a proxy, and what it is like there.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::databases::{no_cluster, no_instance, status};
use super::pool::group_name;
use super::proxies::{busy, known, no_filters};
use super::state::{Instance, Proxy, Status, Target};
use super::{checks, paged, record};
use crate::account::{AwsError, Call, Outcome, World};
use crate::{ec2, health, input};

/// States of a database in which it can be registered.
const ACCEPTED: &[&str] = &["available", "modifying", "backing-up", "creating"];

/// Addresses that a proxy for an instance of a usual size wants to find free.
const FREE_ADDRESSES: u32 = 10;

/// `RegisterDBProxyTargets`: one instance or one cluster.
pub(super) fn register(world: &mut World, call: &Call) -> Outcome {
    let name = input::required(&call.input, "DBProxyName")?.to_ascii_lowercase();
    let proxy = known(world, &name)?;
    group_name(call)?;
    match &proxy.status {
        Status::Settled(state) if state == "available" => {}
        Status::Modifying(_) => {}
        Status::Creating(..) if world.rds.register_while_creating => {}
        Status::Creating(..) if world.rds.register_refusal.is_some() => {
            let code = world.rds.register_refusal.as_deref().unwrap_or_default();
            return Err(AwsError::new(400, code, format!("DB Proxy {name} cannot take targets.")));
        }
        _ => return Err(busy(&name, proxy)),
    }
    let (cluster, id) = one_target(call)?;
    if cluster {
        acceptable_cluster(world, proxy, &id)?;
    } else {
        acceptable_instance(world, proxy, &id)?;
    }
    if let Some(target) = &proxy.target_group.target {
        let message = if target.cluster == cluster && target.id == id {
            format!("The target {id} is already registered with the target group {}.", proxy.target_group.id)
        } else {
            format!(
                "The target group {} already has other registered targets. \
                 Registering multiple targets is not supported at this time.",
                proxy.target_group.id
            )
        };
        return Err(AwsError::new(400, "DBProxyTargetAlreadyRegisteredFault", message));
    }
    let free: u32 = proxy
        .subnets
        .iter()
        .filter_map(|id| world.ec2.subnets.get(id).map(|subnet| ec2::free_addresses(world, id, subnet)))
        .sum();
    if free < FREE_ADDRESSES {
        let message = format!("There are not enough available IP addresses in the subnets of DB proxy {name}.");
        return Err(AwsError::new(400, "InsufficientAvailableIPsInSubnetFault", message));
    }
    let proxy_id = proxy.id.clone();
    let target = Target { cluster, id: id.clone(), registered: call.now, troubled: BTreeMap::new() };
    if let Some(proxy) = world.rds.proxies.get_mut(&name) {
        proxy.target_group.target = Some(target);
    }
    let kind = if cluster { "DB cluster" } else { "DB instance" };
    record(
        world,
        call.now,
        &name,
        &proxy_id,
        &format!("RDS added {kind} {id} to DB proxy {name}."),
        "configuration change",
    );
    let rows = known(world, &name).map(|proxy| rows(world, proxy))?;
    Ok(json!({ "DBProxyTargets": rows }))
}

/// `DeregisterDBProxyTargets`.
pub(super) fn deregister(world: &mut World, call: &Call) -> Outcome {
    let name = input::required(&call.input, "DBProxyName")?.to_ascii_lowercase();
    let proxy = known(world, &name)?;
    group_name(call)?;
    if matches!(proxy.status, Status::Deleting(_)) {
        return Err(busy(&name, proxy));
    }
    let (cluster, id) = one_target(call)?;
    if !proxy.target_group.target.as_ref().is_some_and(|target| target.cluster == cluster && target.id == id) {
        let message = format!("The target {id} is not registered with DB proxy {name}.");
        return Err(AwsError::new(404, "DBProxyTargetNotFoundFault", message));
    }
    if let Some(proxy) = world.rds.proxies.get_mut(&name) {
        proxy.target_group.target = None;
    }
    Ok(json!({}))
}

/// `DescribeDBProxyTargets`.
pub(super) fn describe(world: &World, call: &Call) -> Outcome {
    no_filters(call)?;
    let name = input::required(&call.input, "DBProxyName")?.to_ascii_lowercase();
    let proxy = known(world, &name)?;
    group_name(call)?;
    readable(world, &name, proxy)?;
    paged(call, "Targets", rows(world, proxy))
}

/// Refuses reads of a proxy that is not available, where the account does.
pub(super) fn readable(world: &World, name: &str, proxy: &Proxy) -> Result<(), AwsError> {
    let settled = proxy.status.word() == "available" || !world.rds.reads_need_available;
    if settled { Ok(()) } else { Err(busy(name, proxy)) }
}

/// A target's instances: itself, or its cluster's members.
pub(crate) fn instances<'a>(world: &'a World, target: &Target) -> Vec<(&'a str, &'a Instance, bool)> {
    if !target.cluster {
        return world
            .rds
            .instances
            .get_key_value(&target.id)
            .map(|(id, instance)| (id.as_str(), instance, true))
            .into_iter()
            .collect();
    }
    let Some(cluster) = world.rds.clusters.get(&target.id) else { return Vec::new() };
    cluster
        .members
        .iter()
        .filter_map(|(id, writer)| world.rds.instances.get(id).map(|instance| (id.as_str(), instance, *writer)))
        .collect()
}

fn one_target(call: &Call) -> Result<(bool, String), AwsError> {
    let instances = input::texts(&call.input, "DBInstanceIdentifiers");
    let clusters = input::texts(&call.input, "DBClusterIdentifiers");
    match (instances.as_slice(), clusters.as_slice()) {
        ([id], []) => Ok((false, id.to_ascii_lowercase())),
        ([], [id]) => Ok((true, id.to_ascii_lowercase())),
        ([], []) => Err(checks::combination("Either DBInstanceIdentifiers or DBClusterIdentifiers must be specified.")),
        _ => Err(checks::combination("Registering multiple targets is not supported at this time.")),
    }
}

fn acceptable_instance(world: &World, proxy: &Proxy, id: &str) -> Result<(), AwsError> {
    let instance = world.rds.instances.get(id).ok_or_else(|| no_instance(id))?;
    let kind = "DB Instance";
    if let Some(cluster) = &instance.cluster {
        return Err(checks::invalid(format!(
            "{kind} {id} is a member of DB Cluster {cluster}. Register the DB Cluster instead."
        )));
    }
    if instance.replica_of.is_some() {
        return Err(checks::invalid(format!(
            "{kind} {id} is in an unsupported state - Instance should not be a read replica."
        )));
    }
    acceptable_engine(proxy, kind, id, &instance.engine)?;
    acceptable_network(world, proxy, kind, id, &instance.subnet_group)?;
    acceptable_state("InvalidDBInstanceState", kind, id, status(&instance.status, instance.modifying, world.now))
}

fn acceptable_cluster(world: &World, proxy: &Proxy, id: &str) -> Result<(), AwsError> {
    let cluster = world.rds.clusters.get(id).ok_or_else(|| no_cluster(id))?;
    let kind = "DB Cluster";
    if cluster.engine_mode == "serverless" {
        return Err(checks::invalid(format!("Unsupported Database engine or engine mode for {kind}")));
    }
    acceptable_engine(proxy, kind, id, &cluster.engine)?;
    acceptable_network(world, proxy, kind, id, &cluster.subnet_group)?;
    acceptable_state("InvalidDBClusterStateFault", kind, id, status(&cluster.status, cluster.modifying, world.now))?;
    // Its members count, too (https://github.com/aws/aws-cdk/issues/31304, terraform-provider-aws#19096).
    let mut members = cluster.members.iter().filter_map(|(id, _)| world.rds.instances.get_key_value(id));
    members.try_for_each(|(id, member)| acceptable_state("InvalidDBInstanceState", "DB Instance", id, &member.status))
}

fn acceptable_engine(proxy: &Proxy, kind: &str, id: &str, engine: &str) -> Result<(), AwsError> {
    let family = match engine {
        "mysql" | "mariadb" | "aurora" | "aurora-mysql" => "MYSQL",
        "postgres" | "aurora-postgresql" => "POSTGRESQL",
        "sqlserver-ee" | "sqlserver-se" | "sqlserver-ex" | "sqlserver-web" => "SQLSERVER",
        _ => return Err(checks::invalid(format!("Unsupported Database engine or engine mode for {kind}"))),
    };
    if family == proxy.engine_family {
        return Ok(());
    }
    let message =
        format!("The engine family of {kind} {id} ({family}) is not the DB proxy's ({}).", proxy.engine_family);
    Err(checks::invalid(message))
}

fn acceptable_network(world: &World, proxy: &Proxy, kind: &str, id: &str, group: &str) -> Result<(), AwsError> {
    let vpc = world.rds.subnet_groups.get(group).map_or("", |group| group.vpc_id.as_str());
    if vpc == proxy.vpc_id {
        return Ok(());
    }
    Err(checks::invalid(format!("{kind} {id} is not in the VPC of the DB proxy ({}).", proxy.vpc_id)))
}

fn acceptable_state(code: &str, kind: &str, id: &str, status: &str) -> Result<(), AwsError> {
    if ACCEPTED.contains(&status) {
        return Ok(());
    }
    let spoken = |status: &str| status.to_ascii_uppercase().replace('-', "_");
    let accepted: Vec<String> = ACCEPTED.iter().map(|status| spoken(status)).collect();
    let message = format!(
        "{kind} {id} is in an unsupported state - {}, needs to be in [{}]",
        spoken(status),
        accepted.join(", ")
    );
    Err(AwsError::new(400, code, message))
}

/// The rows that `DescribeDBProxyTargets` has for a proxy.
fn rows(world: &World, proxy: &Proxy) -> Vec<Value> {
    let Some(target) = &proxy.target_group.target else { return Vec::new() };
    let mut rows = Vec::new();
    let cluster = target.cluster.then_some(&target.id);
    if let Some(id) = cluster {
        // A tracked cluster stands for its members: it has no port and no health of its own.
        rows.push(json!({
            "TargetArn": world.arn("rds", &format!("cluster:{id}")),
            "Endpoint": world.rds.clusters.get(id).map(|cluster| &cluster.endpoint),
            "RdsResourceId": id,
            "Port": 0,
            "Type": "TRACKED_CLUSTER",
        }));
    }
    for (id, instance, writer) in instances(world, target) {
        let health = health::of(world, proxy, target, id, world.now);
        let unused = world.rds.unused.contains(id);
        let role = match (health.state, writer) {
            _ if unused => "UNKNOWN",
            ("AVAILABLE", true) => "READ_WRITE",
            ("AVAILABLE", false) => "READ_ONLY",
            _ => "UNKNOWN",
        };
        let shown = if unused {
            json!({"State": "UNUSED"})
        } else {
            json!({"State": health.state, "Reason": health.reason, "Description": health.description})
        };
        rows.push(json!({
            "TargetArn": world.arn("rds", &format!("db:{id}")),
            "Endpoint": instance.endpoint,
            "TrackedClusterId": cluster,
            "RdsResourceId": id,
            "Port": instance.port,
            "Type": "RDS_INSTANCE",
            "Role": role,
            "TargetHealth": shown,
        }));
    }
    rows
}
