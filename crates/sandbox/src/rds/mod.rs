//! RDS: databases to be looked at, proxies to be made.

mod checks;
mod create;
mod databases;
mod endpoints;
mod needs;
mod parameters;
mod pool;
mod proxies;
mod state;
mod tags;
pub(super) mod targets;

pub(super) use needs::needs;
pub use state::{
    Auth, Cluster, CustomEndpoint, Endpoint, Event, Instance, Proxy, Rds, Status, SubnetGroup, Target, TargetGroup,
    Trouble,
};

use serde_json::Value;

use super::account::{AwsError, Call, Moment, Outcome, World};
use super::{ec2, input};

/// Acts on a call.
pub(super) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "DescribeDBInstances" => databases::describe_instances(world, call),
        "DescribeDBClusters" => databases::describe_clusters(world, call),
        "DescribeDBClusterEndpoints" => databases::describe_cluster_endpoints(world, call),
        "DescribeDBSubnetGroups" => databases::describe_subnet_groups(world, call),
        "ModifyDBInstance" => databases::modify_instance(world, call),
        "ModifyDBCluster" => databases::modify_cluster(world, call),
        "DescribeDBParameters" => parameters::describe(world, call, "DBParameterGroupName"),
        "DescribeDBClusterParameters" => parameters::describe(world, call, "DBClusterParameterGroupName"),
        "DescribeEvents" => parameters::describe_events(world, call),
        "CreateDBProxy" => create::create(world, call),
        "DescribeDBProxies" => proxies::describe(world, call),
        "ModifyDBProxy" => proxies::modify(world, call),
        "DeleteDBProxy" => proxies::delete(world, call),
        "DescribeDBProxyTargetGroups" => pool::describe(world, call),
        "ModifyDBProxyTargetGroup" => pool::modify(world, call),
        "RegisterDBProxyTargets" => targets::register(world, call),
        "DeregisterDBProxyTargets" => targets::deregister(world, call),
        "DescribeDBProxyTargets" => targets::describe(world, call),
        "CreateDBProxyEndpoint" => endpoints::create(world, call),
        "DescribeDBProxyEndpoints" => endpoints::describe(world, call),
        "ModifyDBProxyEndpoint" => endpoints::modify(world, call),
        "DeleteDBProxyEndpoint" => endpoints::delete(world, call),
        "ListTagsForResource" => tags::list(world, call),
        "AddTagsToResource" => tags::add(world, call),
        "RemoveTagsFromResource" => tags::remove(world, call),
        other => {
            Err(AwsError::new(400, "InvalidAction", format!("Could not find operation {other} for version 2014-10-31")))
        }
    }
}

/// Whether an operation changes the account.
pub(super) fn mutating(action: &str) -> bool {
    !(action.starts_with("Describe") || action.starts_with("List"))
}

/// Lets time pass: what was being made, changed or deleted until then is done.
pub(super) fn tick(world: &mut World, now: Moment) {
    for instance in world.rds.instances.values_mut() {
        instance.modifying = instance.modifying.filter(|until| now < *until);
    }
    for cluster in world.rds.clusters.values_mut() {
        cluster.modifying = cluster.modifying.filter(|until| now < *until);
    }
    let mut events = Vec::new();
    let mut gone = Vec::new();
    world.rds.proxies.retain(|name, proxy| {
        let was = proxy.status.word().to_owned();
        let Some(status) = proxy.status.at(now) else {
            gone.push((format!("db-proxy:{}", proxy.id), proxy.deleted_at()));
            events.push((name.clone(), proxy.id.clone(), "RDS deleted DB proxy", "deletion"));
            return false;
        };
        proxy.status = status;
        if was == "creating" && proxy.status.word() == "available" {
            events.push((name.clone(), proxy.id.clone(), "RDS created DB proxy", "creation"));
        }
        true
    });
    world.rds.endpoints.retain(|_, endpoint| {
        let Some(status) = endpoint.status.at(now) else {
            if let Status::Deleting(at) = endpoint.status {
                gone.push((format!("db-proxy-endpoint:{}", endpoint.id), at));
            }
            return false;
        };
        endpoint.status = status;
        true
    });
    for (owner, at) in gone {
        let release = at + world.profile.interface_release;
        ec2::release_interfaces(world, &owner, release);
    }
    for (name, id, message, category) in events {
        record(world, now, &name, &id, &format!("{message} {name}."), category);
    }
}

/// Adds a line to the list of a proxy's events.
fn record(world: &mut World, at: Moment, proxy: &str, id: &str, message: &str, category: &str) {
    let arn = world.arn("rds", &format!("db-proxy:{id}"));
    world.rds.events.push(Event {
        at,
        source_type: "db-proxy".to_owned(),
        source: proxy.to_owned(),
        arn,
        message: message.to_owned(),
        category: category.to_owned(),
    });
}

/// One page of a list and the marker of the next.
fn paged(call: &Call, name: &str, items: Vec<Value>) -> Outcome {
    let size = input::number(&call.input, "MaxRecords").unwrap_or(100);
    if !(20..=100).contains(&size) {
        let message = format!("Invalid value {size} for MaxRecords. Must be between 20 and 100");
        return Err(AwsError::new(400, "InvalidParameterValue", message));
    }
    let start: usize = match input::text(&call.input, "Marker") {
        Some(marker) => {
            marker.parse().map_err(|_| AwsError::new(400, "InvalidParameterValue", "The marker is not valid."))?
        }
        None => 0,
    };
    let total = items.len();
    let page: Vec<Value> = items.into_iter().skip(start).take(usize::try_from(size).unwrap_or(100)).collect();
    let end = start + page.len();
    let mut answer = serde_json::Map::new();
    answer.insert(name.to_owned(), Value::Array(page));
    if end < total {
        answer.insert("Marker".to_owned(), Value::String(end.to_string()));
    }
    Ok(Value::Object(answer))
}
