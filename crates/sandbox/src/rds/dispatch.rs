//! RDS's operations, and which function answers each.

use super::{create, databases, endpoints, parameters, pool, proxies, tags, targets};
use crate::account::{AwsError, Call, Outcome, World};

/// Acts on a call.
pub(crate) fn handle(world: &mut World, call: &Call) -> Outcome {
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
pub(crate) fn mutating(action: &str) -> bool {
    !(action.starts_with("Describe") || action.starts_with("List"))
}
