//! Databases and their proxies.

use serde_json::{Value, json};

use super::Said;
use crate::facts::{Facts, Kind, read_once};
use crate::read::{list, part, text};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    let proxy = text(said.input, "DBProxyName").map(str::to_ascii_lowercase);
    match (said.action, proxy) {
        ("DescribeDBInstances", _) => {
            named(facts, said, "DBInstances", Kind::Instance, "DBInstanceIdentifier");
            // An instance shows its whole subnet group.
            for group in list(said.answer, "DBInstances").iter().filter_map(|found| found.get("DBSubnetGroup")) {
                subnet_group(facts, group);
            }
        }
        ("DescribeDBClusters", _) => named(facts, said, "DBClusters", Kind::Cluster, "DBClusterIdentifier"),
        ("DescribeDBClusterEndpoints", _) => {
            for found in list(said.answer, "DBClusterEndpoints") {
                let cluster = part(found, "DBClusterIdentifier");
                if let (Some(cluster), Some(id)) = (cluster, part(found, "DBClusterEndpointIdentifier")) {
                    facts.note_part(Kind::ClusterEndpoint, &cluster.to_ascii_lowercase(), id, found);
                }
            }
        }
        ("DescribeDBSubnetGroups", _) => {
            for group in list(said.answer, "DBSubnetGroups") {
                subnet_group(facts, group);
            }
        }
        ("DescribeDBParameters", _) => parameters(facts, said, "DBParameterGroupName"),
        ("DescribeDBClusterParameters", _) => parameters(facts, said, "DBClusterParameterGroupName"),
        ("DescribeEvents", _) => {
            for found in list(said.answer, "Events") {
                let what = format!(
                    "{} {}",
                    part(found, "SourceArn").unwrap_or_default(),
                    part(found, "Message").unwrap_or_default()
                );
                facts.note_part(Kind::Event, part(found, "Date").unwrap_or_default(), &what, found);
            }
        }
        ("DescribeDBProxies", _) => named(facts, said, "DBProxies", Kind::Proxy, "DBProxyName"),
        ("DescribeDBProxyTargetGroups", _) => named(facts, said, "TargetGroups", Kind::TargetGroup, "DBProxyName"),
        ("DescribeDBProxyTargets", Some(proxy)) => {
            facts.note_part(Kind::Target, &proxy, "", &read_once());
            for found in list(said.answer, "Targets") {
                let id = part(found, "RdsResourceId").unwrap_or_default();
                let what = format!("{} {id}", part(found, "Type").unwrap_or_default());
                facts.note_part(Kind::Target, &proxy, &what, found);
            }
        }
        ("DescribeDBProxyEndpoints", _) => {
            for found in list(said.answer, "DBProxyEndpoints") {
                let default = found.get("IsDefault").and_then(crate::read::switch) == Some(true);
                if let Some(name) = part(found, "DBProxyEndpointName").filter(|_| !default) {
                    facts.note(Kind::ProxyEndpoint, &name.to_ascii_lowercase(), found);
                }
            }
        }
        ("ListTagsForResource", _) => {
            if let Some(arn) = text(said.input, "ResourceName") {
                let tags = said.answer.get("TagList").cloned().unwrap_or(Value::Null);
                facts.note(Kind::RdsTags, arn, &json!({ "TagList": tags }));
            }
        }
        _ => {}
    }
}

/// RDS knows names in lower case.
fn named(facts: &mut Facts, said: Said<'_>, member: &str, kind: Kind, name: &str) {
    for found in list(said.answer, member) {
        if let Some(name) = part(found, name) {
            facts.note(kind, &name.to_ascii_lowercase(), found);
        }
    }
}

fn subnet_group(facts: &mut Facts, group: &Value) {
    if let Some(name) = part(group, "DBSubnetGroupName") {
        facts.note(Kind::SubnetGroup, &name.to_ascii_lowercase(), group);
    }
}

fn parameters(facts: &mut Facts, said: Said<'_>, member: &str) {
    let Some(group) = text(said.input, member) else { return };
    facts.note(Kind::ParameterGroup, group, &read_once());
    for row in list(said.answer, "Parameters") {
        // Other groups than the default ones hold what someone set, and list what nobody did.
        let kept = group.starts_with("default.") || part(row, "Source").is_none_or(|source| source == "user");
        if let Some(name) = part(row, "ParameterName").filter(|_| kept) {
            facts.note_part(Kind::Parameter, group, name, row);
        }
    }
}
