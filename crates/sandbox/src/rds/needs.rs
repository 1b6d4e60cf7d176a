//! The permissions that RDS calls need.
//!
//! The resources are those that the service authorization reference gives each action, required and optional ones
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html>).

use std::collections::BTreeMap;

use super::tags;
use crate::account::{Call, Need, World};
use crate::{conditions, input};

/// What a call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let input = &call.input;
    let action = call.action.as_str();
    let named = |member: &str| input::text(input, member).map(str::to_ascii_lowercase);
    let proxy = || {
        let proxy = named("DBProxyName").and_then(|name| world.rds.proxies.get(&name));
        world.arn("rds", &format!("db-proxy:{}", proxy.map_or("*", |proxy| proxy.id.as_str())))
    };
    let endpoint = || {
        let endpoint = named("DBProxyEndpointName").and_then(|name| world.rds.endpoints.get(&name));
        world.arn("rds", &format!("db-proxy-endpoint:{}", endpoint.map_or("*", |endpoint| endpoint.id.as_str())))
    };
    let database = |member: &str, kind: &str| {
        let id = named(member).unwrap_or_else(|| "*".to_owned());
        if id.starts_with("arn:") { id } else { world.arn("rds", &format!("{kind}:{id}")) }
    };
    let resources = match action {
        "CreateDBProxyEndpoint" => vec![proxy(), world.arn("rds", "db-proxy-endpoint:*")],
        "DescribeDBProxies" | "DescribeDBProxyTargetGroups" | "ModifyDBProxy" | "DeleteDBProxy" => vec![proxy()],
        "DescribeDBProxyEndpoints" => vec![proxy(), endpoint()],
        "ModifyDBProxyEndpoint" | "DeleteDBProxyEndpoint" => vec![endpoint()],
        "DescribeDBProxyTargets" => vec![proxy(), target_group(world, named("DBProxyName"))],
        "ModifyDBProxyTargetGroup" => vec![target_group(world, named("DBProxyName"))],
        "RegisterDBProxyTargets" | "DeregisterDBProxyTargets" => {
            let instances = input::texts(input, "DBInstanceIdentifiers").into_iter().map(|id| format!("db:{id}"));
            let clusters = input::texts(input, "DBClusterIdentifiers").into_iter().map(|id| format!("cluster:{id}"));
            let databases = instances.chain(clusters).map(|id| world.arn("rds", &id));
            [proxy(), target_group(world, named("DBProxyName"))].into_iter().chain(databases).collect()
        }
        "DescribeDBInstances" | "ModifyDBInstance" => vec![database("DBInstanceIdentifier", "db")],
        "DescribeDBClusters" | "ModifyDBCluster" => vec![database("DBClusterIdentifier", "cluster")],
        "DescribeDBParameters" => vec![database("DBParameterGroupName", "pg")],
        "DescribeDBClusterParameters" => vec![database("DBClusterParameterGroupName", "cluster-pg")],
        "ListTagsForResource" | "AddTagsToResource" | "RemoveTagsFromResource" => {
            vec![input::text(input, "ResourceName").unwrap_or("*").to_owned()]
        }
        // `CreateDBProxy` among them: it has no resource type at all, so that only `*` matches (LeanerCloud/CUDly#547).
        _ => vec!["*".to_owned()],
    };
    let request_tags = input::tags(input, "Tags");
    let mut needs: Vec<Need> =
        resources.into_iter().map(|resource| need(world, &format!("rds:{action}"), resource, &request_tags)).collect();
    // Tags in a create call need the permission to tag as well.
    if action.starts_with("Create") && !request_tags.is_empty() {
        let kind = if action == "CreateDBProxy" { "db-proxy:*" } else { "db-proxy-endpoint:*" };
        needs.push(need(world, "rds:AddTagsToResource", world.arn("rds", kind), &request_tags));
    }
    if matches!(action, "CreateDBProxy" | "ModifyDBProxy")
        && let Some(role) = input::text(input, "RoleArn")
    {
        let context = BTreeMap::from([("iam:PassedToService".to_owned(), vec!["rds.amazonaws.com".to_owned()])]);
        needs.push(Need { action: "iam:PassRole".to_owned(), resource: role.to_owned(), context });
    }
    needs
}

fn target_group(world: &World, proxy: Option<String>) -> String {
    let proxy = proxy.and_then(|name| world.rds.proxies.get(&name));
    world.arn("rds", &format!("target-group:{}", proxy.map_or("*", |proxy| proxy.target_group.id.as_str())))
}

fn need(world: &World, action: &str, resource: String, request_tags: &BTreeMap<String, String>) -> Need {
    let mut context = conditions::of_request(request_tags, Vec::new());
    context.extend(conditions::of_tags(tags::of(world, &resource).into_iter().flatten(), &["aws:ResourceTag"]));
    Need { action: action.to_owned(), resource, context }
}
