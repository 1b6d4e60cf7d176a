//! Instances, clusters and subnet groups.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::paged;
use super::state::{Cluster, IamChange, Instance};
use crate::account::{AwsError, Call, Moment, Outcome, World};
use crate::{input, kms, secrets};

/// `DescribeDBInstances`.
pub(super) fn describe_instances(world: &World, call: &Call) -> Outcome {
    let wanted = identifier(call, "DBInstanceIdentifier", "db");
    let filters = filters(call, &["db-cluster-id", "db-instance-id", "dbi-resource-id", "engine"])?;
    let found: Vec<Value> = world
        .rds
        .instances
        .iter()
        .filter(|(id, _)| wanted.as_ref().is_none_or(|wanted| wanted == *id))
        .filter(|(id, instance)| {
            passes(&filters, |name| match name {
                "db-cluster-id" => instance.cluster.clone().unwrap_or_default(),
                "db-instance-id" => (*id).clone(),
                "dbi-resource-id" => instance.resource_id.clone(),
                _ => instance.engine.clone(),
            })
        })
        .map(|(id, instance)| instance_answer(world, id, instance))
        .collect();
    match wanted {
        Some(id) if found.is_empty() => Err(no_instance(&id)),
        _ => paged(call, "DBInstances", found),
    }
}

/// `DescribeDBClusters`.
pub(super) fn describe_clusters(world: &World, call: &Call) -> Outcome {
    let wanted = identifier(call, "DBClusterIdentifier", "cluster");
    let filters = filters(call, &["db-cluster-id", "db-cluster-resource-id", "engine"])?;
    let found: Vec<Value> = world
        .rds
        .clusters
        .iter()
        .filter(|(id, _)| wanted.as_ref().is_none_or(|wanted| wanted == *id))
        .filter(|(id, cluster)| {
            passes(&filters, |name| match name {
                "db-cluster-id" => (*id).clone(),
                "db-cluster-resource-id" => cluster.resource_id.clone(),
                _ => cluster.engine.clone(),
            })
        })
        .map(|(id, cluster)| cluster_answer(world, id, cluster))
        .collect();
    match wanted {
        Some(id) if found.is_empty() => Err(no_cluster(&id)),
        _ => paged(call, "DBClusters", found),
    }
}

/// `DescribeDBClusterEndpoints`.
pub(super) fn describe_cluster_endpoints(world: &World, call: &Call) -> Outcome {
    let wanted = identifier(call, "DBClusterIdentifier", "cluster");
    if let Some(id) = &wanted
        && !world.rds.clusters.contains_key(id)
    {
        return Err(no_cluster(id));
    }
    let mut found = Vec::new();
    for (id, cluster) in &world.rds.clusters {
        if wanted.as_ref().is_some_and(|wanted| wanted != id) {
            continue;
        }
        for (endpoint, kind) in [(&cluster.endpoint, "WRITER"), (&cluster.reader_endpoint, "READER")] {
            found.push(json!({
                "DBClusterIdentifier": id,
                "Endpoint": endpoint,
                "Status": "available",
                "EndpointType": kind,
            }));
        }
        for custom in &cluster.custom_endpoints {
            found.push(json!({
                "DBClusterEndpointIdentifier": custom.id,
                "DBClusterIdentifier": id,
                "Endpoint": custom.endpoint,
                "Status": "available",
                "EndpointType": "CUSTOM",
                "CustomEndpointType": custom.kind,
                "StaticMembers": custom.members,
                "ExcludedMembers": [],
                "DBClusterEndpointArn": world.arn("rds", &format!("cluster-endpoint:{}", custom.id)),
            }));
        }
    }
    paged(call, "DBClusterEndpoints", found)
}

/// `DescribeDBSubnetGroups`.
pub(super) fn describe_subnet_groups(world: &World, call: &Call) -> Outcome {
    let wanted = input::text(&call.input, "DBSubnetGroupName").map(str::to_ascii_lowercase);
    let found: Vec<Value> = world
        .rds
        .subnet_groups
        .keys()
        .filter(|name| wanted.as_ref().is_none_or(|wanted| wanted == *name))
        .map(|name| subnet_group(world, name))
        .collect();
    match wanted {
        Some(name) if found.is_empty() => {
            let message = format!("DB subnet group '{name}' does not exist.");
            Err(AwsError::new(404, "DBSubnetGroupNotFoundFault", message))
        }
        _ => paged(call, "DBSubnetGroups", found),
    }
}

/// `ModifyDBInstance`: IAM authentication is the one thing that can be changed.
pub(super) fn modify_instance(world: &mut World, call: &Call) -> Outcome {
    let id = identifier(call, "DBInstanceIdentifier", "db").unwrap_or_default();
    let change = iam_change(world, call)?;
    let instance = world.rds.instances.get_mut(&id).ok_or_else(|| no_instance(&id))?;
    if instance.status != "available" || instance.modifying.is_some() {
        let message = format!("Database instance is not in available state: {id}");
        return Err(AwsError::new(400, "InvalidDBInstanceState", message));
    }
    instance.modifying = change.filter(|change| change.on != instance.iam_auth);
    let instance = instance.clone();
    Ok(json!({ "DBInstance": instance_answer(world, &id, &instance) }))
}

/// `ModifyDBCluster`: IAM authentication is the one thing that can be changed.
pub(super) fn modify_cluster(world: &mut World, call: &Call) -> Outcome {
    let id = identifier(call, "DBClusterIdentifier", "cluster").unwrap_or_default();
    let change = iam_change(world, call)?;
    let cluster = world.rds.clusters.get_mut(&id).ok_or_else(|| no_cluster(&id))?;
    if cluster.status != "available" || cluster.modifying.is_some() {
        let message = format!("Cluster {id} is not in the available state.");
        return Err(AwsError::new(400, "InvalidDBClusterStateFault", message));
    }
    cluster.modifying = change.filter(|change| change.on != cluster.iam_auth);
    let answer = world.rds.clusters.get(&id).map(|cluster| cluster_answer(world, &id, cluster));
    Ok(json!({ "DBCluster": answer }))
}

/// RDS's error for an instance that is not there.
pub(super) fn no_instance(id: &str) -> AwsError {
    AwsError::new(404, "DBInstanceNotFound", format!("DBInstance {id} not found."))
}

/// RDS's error for a cluster that is not there.
pub(super) fn no_cluster(id: &str) -> AwsError {
    AwsError::new(404, "DBClusterNotFoundFault", format!("DBCluster {id} not found."))
}

/// An identifier as RDS stores it, given itself or as an ARN.
fn identifier(call: &Call, name: &str, kind: &str) -> Option<String> {
    let given = input::text(&call.input, name)?;
    let id =
        given.strip_prefix("arn:").and_then(|arn| arn.split_once(&format!(":{kind}:"))).map_or(given, |(_, id)| id);
    Some(id.to_ascii_lowercase())
}

/// The change that is asked for.
fn iam_change(world: &World, call: &Call) -> Result<Option<IamChange>, AwsError> {
    only_iam_auth(call)?;
    let takes = world.profile.database_modify;
    let change = |on| IamChange { on, configuring: call.now + takes / 4, until: call.now + takes };
    Ok(input::flag(&call.input, "EnableIAMDatabaseAuthentication").map(change))
}

fn only_iam_auth(call: &Call) -> Result<(), AwsError> {
    let known = ["DBInstanceIdentifier", "DBClusterIdentifier", "EnableIAMDatabaseAuthentication", "ApplyImmediately"];
    let other = call.input.as_object().and_then(|members| members.keys().find(|name| !known.contains(&name.as_str())));
    match other {
        Some(name) => {
            let message = format!("The sandbox does not change {name} of a database.");
            Err(AwsError::new(501, "NotImplemented", message))
        }
        None => Ok(()),
    }
}

type Filter = (String, Vec<String>);

fn filters(call: &Call, known: &[&str]) -> Result<Vec<Filter>, AwsError> {
    input::list(&call.input, "Filters")
        .iter()
        .map(|filter| {
            let name = input::text(filter, "Name").unwrap_or_default();
            if !known.contains(&name) {
                return Err(AwsError::new(400, "InvalidParameterValue", format!("Unrecognized filter name: {name}")));
            }
            // A cluster or an instance may be named by its ARN here too.
            let values = input::texts(filter, "Values");
            let values = values
                .into_iter()
                .map(|value| {
                    if value.starts_with("arn:") {
                        value.rsplit(':').next().unwrap_or_default().to_owned()
                    } else {
                        value
                    }
                })
                .collect();
            Ok((name.to_owned(), values))
        })
        .collect()
}

fn passes(filters: &[Filter], of: impl Fn(&str) -> String) -> bool {
    filters.iter().all(|(name, values)| values.contains(&of(name)))
}

fn instance_answer(world: &World, id: &str, instance: &Instance) -> Value {
    let replicas: Vec<&String> = world
        .rds
        .instances
        .iter()
        .filter(|(_, other)| other.replica_of.as_deref() == Some(id))
        .map(|(other, _)| other)
        .collect();
    let endpoint = (instance.status != "creating")
        .then(|| json!({ "Address": instance.endpoint, "Port": instance.port, "HostedZoneId": "Z1RLNUO7B9Q6NB" }));
    json!({
        "DBInstanceIdentifier": id,
        "DBInstanceClass": instance.class,
        "Engine": instance.engine,
        "DBInstanceStatus": status(&instance.status, instance.modifying, world.now),
        "MasterUsername": instance.master_user,
        "DBName": instance.database,
        "Endpoint": endpoint,
        "AllocatedStorage": 20,
        "VpcSecurityGroups": groups(&instance.groups),
        "DBParameterGroups": [{
            "DBParameterGroupName": instance.parameter_group,
            "ParameterApplyStatus": instance.parameter_status,
        }],
        "AvailabilityZone": instance.zone,
        "DBSubnetGroup": subnet_group(world, &instance.subnet_group),
        "MultiAZ": false,
        "EngineVersion": instance.engine_version,
        "ReadReplicaSourceDBInstanceIdentifier": instance.replica_of,
        "ReadReplicaDBInstanceIdentifiers": replicas,
        "PubliclyAccessible": false,
        "StorageType": if instance.cluster.is_some() { "aurora" } else { "gp3" },
        "DbInstancePort": 0,
        "DBClusterIdentifier": instance.cluster,
        "StorageEncrypted": true,
        "DbiResourceId": instance.resource_id,
        "IAMDatabaseAuthenticationEnabled": instance.iam_auth,
        "PendingModifiedValues": pending(instance.modifying),
        "DBInstanceArn": world.arn("rds", &format!("db:{id}")),
        "DeletionProtection": false,
        "MasterUserSecret": secret(world, instance.master_secret.as_deref()),
        "NetworkType": instance.network_type,
        "TagList": tag_list(&instance.tags),
    })
}

fn cluster_answer(world: &World, id: &str, cluster: &Cluster) -> Value {
    let members: Vec<Value> = cluster
        .members
        .iter()
        .map(|(member, writer)| {
            json!({
                "DBInstanceIdentifier": member,
                "IsClusterWriter": writer,
                "DBClusterParameterGroupStatus": "in-sync",
                "PromotionTier": 1,
            })
        })
        .collect();
    let zones: Vec<String> = world
        .rds
        .subnet_groups
        .get(&cluster.subnet_group)
        .into_iter()
        .flat_map(|group| &group.subnets)
        .filter_map(|subnet| world.ec2.subnets.get(subnet).map(|subnet| subnet.zone.clone()))
        .collect();
    let custom: Vec<&String> = cluster.custom_endpoints.iter().map(|custom| &custom.endpoint).collect();
    let scaling = cluster.serverless.map(|(min, max)| {
        let mut scaling = json!({ "MinCapacity": f64::from(min) / 10.0, "MaxCapacity": f64::from(max) / 10.0 });
        if min == 0 {
            // Five minutes unless set otherwise
            // (https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/aurora-serverless-v2-auto-pause.html).
            scaling["SecondsUntilAutoPause"] = json!(300);
        }
        scaling
    });
    json!({
        "DBClusterIdentifier": id,
        "DBClusterArn": world.arn("rds", &format!("cluster:{id}")),
        "Status": status(&cluster.status, cluster.modifying, world.now),
        "Engine": cluster.engine,
        "EngineVersion": cluster.engine_version,
        "EngineMode": cluster.engine_mode,
        "DatabaseName": cluster.database,
        "Endpoint": cluster.endpoint,
        "ReplicationSourceIdentifier": cluster.replica_of,
        "ReaderEndpoint": cluster.reader_endpoint,
        "CustomEndpoints": custom,
        "Port": cluster.port,
        "MasterUsername": cluster.master_user,
        "MasterUserSecret": secret(world, cluster.master_secret.as_deref()),
        "MultiAZ": cluster.members.len() > 1,
        "AvailabilityZones": zones,
        "DBSubnetGroup": cluster.subnet_group,
        "DBClusterParameterGroup": cluster.parameter_group,
        "VpcSecurityGroups": groups(&cluster.groups),
        "DBClusterMembers": members,
        "DbClusterResourceId": cluster.resource_id,
        "DBClusterInstanceClass": cluster.class,
        "IAMDatabaseAuthenticationEnabled": cluster.iam_auth,
        "PendingModifiedValues": pending(cluster.modifying),
        "ServerlessV2ScalingConfiguration": scaling,
        "StorageEncrypted": true,
        "DeletionProtection": false,
        // Every cluster has these (aws-cli, awscli/examples/rds/describe-db-clusters.rst).
        "AllocatedStorage": 1,
        "BackupRetentionPeriod": 1,
        "HttpEndpointEnabled": false,
        "PreferredBackupWindow": "09:09-09:39",
        "PreferredMaintenanceWindow": "sat:04:09-sat:04:39",
        "NetworkType": cluster.network_type,
        "TagList": tag_list(&cluster.tags),
    })
}

/// The state of a database.
pub(super) fn status(word: &str, change: Option<IamChange>, now: Moment) -> &str {
    change.map_or(word, |change| change.word(now))
}

fn pending(change: Option<IamChange>) -> Value {
    change.map_or(Value::Null, |change| json!({ "IAMDatabaseAuthenticationEnabled": change.on }))
}

fn groups(ids: &[String]) -> Value {
    ids.iter().map(|id| json!({ "VpcSecurityGroupId": id, "Status": "active" })).collect()
}

fn secret(world: &World, arn: Option<&str>) -> Value {
    let Some(arn) = arn else { return Value::Null };
    let secret = secrets::find(world, arn);
    let own = secret.and_then(|secret| secret.kms_key.as_deref()).unwrap_or("alias/aws/secretsmanager");
    let key = kms::find(world, own);
    // RDS calls a secret impaired that it cannot rotate or read any more.
    let found = secret.is_some_and(|secret| secret.deletion.is_none());
    let status = if found { "active" } else { "impaired" };
    json!({ "SecretArn": arn, "SecretStatus": status, "KmsKeyId": key.map(|key| &key.arn) })
}

fn subnet_group(world: &World, name: &str) -> Value {
    let Some(group) = world.rds.subnet_groups.get(name) else { return Value::Null };
    let subnets: Vec<Value> = group
        .subnets
        .iter()
        .map(|id| {
            let zone = world.ec2.subnets.get(id).map(|subnet| &subnet.zone);
            json!({
                "SubnetIdentifier": id,
                "SubnetAvailabilityZone": { "Name": zone },
                "SubnetStatus": "Active",
            })
        })
        .collect();
    json!({
        "DBSubnetGroupName": name,
        "DBSubnetGroupDescription": name,
        "VpcId": group.vpc_id,
        "SubnetGroupStatus": "Complete",
        "Subnets": subnets,
        "DBSubnetGroupArn": world.arn("rds", &format!("subgrp:{name}")),
        "SupportedNetworkTypes": ["IPV4"],
    })
}

/// Tags as a `TagList`.
pub(super) fn tag_list(tags: &BTreeMap<String, String>) -> Value {
    tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect()
}
