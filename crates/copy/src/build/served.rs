//! Databases that a proxy serves and that were not read: without them, the proxy would serve nothing.

use sandbox::parts::{Cluster, Instance};

use super::Build;
use crate::facts::Kind;
use crate::read::{number, string, text};

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (proxy, _, row) in facts.parts(Kind::Target) {
        let id = string(row, "RdsResourceId").to_ascii_lowercase();
        let Some(family) = build.world.rds.proxies.get(proxy).map(|proxy| proxy.engine_family.clone()) else {
            continue;
        };
        let engine = match family.as_str() {
            "POSTGRESQL" => "postgres",
            "SQLSERVER" => "sqlserver-se",
            _ => "mysql",
        };
        if text(row, "Type") == Some("TRACKED_CLUSTER") {
            if id.is_empty() || build.world.rds.clusters.contains_key(&id) {
                continue;
            }
            let of = |row: &&crate::facts::Thing| {
                text(row, "TrackedClusterId").is_some_and(|of| of.eq_ignore_ascii_case(&id))
            };
            let rows = facts.of(Kind::Target, proxy).map(|(_, row)| row).filter(of);
            let member = |row: &crate::facts::Thing| {
                (string(row, "RdsResourceId").to_ascii_lowercase(), text(row, "Role") == Some("READ_WRITE"))
            };
            let cluster = Cluster {
                engine: engine.to_owned(),
                engine_mode: "provisioned".to_owned(),
                status: "available".to_owned(),
                endpoint: string(row, "Endpoint"),
                network_type: "IPV4".to_owned(),
                members: rows.map(member).collect(),
                ..Cluster::default()
            };
            build.world.rds.clusters.insert(id.clone(), cluster);
        } else {
            if id.is_empty() || build.world.rds.instances.contains_key(&id) {
                continue;
            }
            let instance = Instance {
                engine: engine.to_owned(),
                status: "available".to_owned(),
                endpoint: string(row, "Endpoint"),
                port: number::<u16>(row, "Port").unwrap_or_default(),
                network_type: "IPV4".to_owned(),
                cluster: text(row, "TrackedClusterId").map(str::to_ascii_lowercase),
                ..Instance::default()
            };
            build.world.rds.instances.insert(id.clone(), instance);
        }
        build.gap(
            format!("the database {id} behind the proxy {proxy}"),
            "was not read; the copy has no more of it than its name",
        );
    }
}
