//! Three databases: one that is quickly proxied, one with a reader, one that no proxy can serve.

use std::collections::BTreeMap;

use serde_json::json;

use super::network::Network;
use crate::account::World;
use crate::rds::{Cluster, CustomEndpoint, Instance, SubnetGroup};
use crate::secrets::Secret;

/// The account's part of every database's host name.
const DOMAIN: &str = "c9akciq32abc.eu-central-1.rds.amazonaws.com";

/// What the functions need to know.
#[derive(Debug, Clone)]
pub(super) struct Databases {
    /// Host of `my-instance`.
    pub(super) instance_host: String,
    /// `db-…` of `my-instance`.
    pub(super) instance_resource: String,
    /// The writer's host of `my-cluster`.
    pub(super) writer_host: String,
    /// The readers' host of `my-cluster`.
    pub(super) reader_host: String,
    /// The secret of `my-cluster`'s user.
    pub(super) cluster_secret: String,
    /// The password in it.
    pub(super) cluster_password: String,
}

/// Puts them there.
pub(super) fn put(world: &mut World, network: &Network) -> Databases {
    let group = SubnetGroup { vpc_id: network.vpc.clone(), subnets: network.private.clone() };
    world.rds.subnet_groups.insert("private".to_owned(), group);
    parameters(world);

    let instance_resource = resource_id(world, "db-", "my-instance");
    let master_secret = managed_secret(world, "my-instance");
    let instance_host = format!("my-instance.{DOMAIN}");
    let mysql = Instance {
        resource_id: instance_resource.clone(),
        groups: vec![network.instance_group.clone()],
        zone: "eu-central-1a".to_owned(),
        parameter_group: "default.mysql8.0".to_owned(),
        database: Some("shop".to_owned()),
        master_user: "admin".to_owned(),
        master_secret: Some(master_secret),
        iam_auth: true,
        ..instance("mysql", "8.0.40", "db.t3.medium", &instance_host, 3306)
    };
    world.rds.instances.insert("my-instance".to_owned(), mysql);

    let cluster = cluster(world, network);
    let (writer_host, reader_host) = (cluster.endpoint.clone(), cluster.reader_endpoint.clone());
    world.rds.clusters.insert("my-cluster".to_owned(), cluster);

    let oracle = Instance {
        resource_id: resource_id(world, "db-", "legacy-oracle"),
        groups: vec![network.oracle_group.clone()],
        zone: "eu-central-1b".to_owned(),
        parameter_group: "default.oracle-se2-19".to_owned(),
        database: Some("ORCL".to_owned()),
        master_user: "admin".to_owned(),
        ..instance(
            "oracle-se2",
            "19.0.0.0.ru-2025-04.rur-2025-04.r1",
            "db.t3.medium",
            &format!("legacy-oracle.{DOMAIN}"),
            1521,
        )
    };
    world.rds.instances.insert("legacy-oracle".to_owned(), oracle);

    let cluster_password = "not-a-real-password-but-long-enough".to_owned();
    let value = json!({ "username": "app", "password": cluster_password });
    let mut secret = Secret::settled(world, "my-cluster/app", &value.to_string());
    secret.description = Some("The application's user of my-cluster".to_owned());
    // Anyone who may tag the secret says which database it is for; a function's variable alone does not.
    secret.tags.insert("rdsproxy-setup:database".to_owned(), "my-cluster".to_owned());
    let cluster_secret = secret.arn.clone();
    world.secrets.secrets.insert(secret.name.clone(), secret);
    Databases { instance_host, instance_resource, writer_host, reader_host, cluster_secret, cluster_password }
}

/// The cluster; its two instances are put there at once.
fn cluster(world: &mut World, network: &Network) -> Cluster {
    let members = [("my-cluster-writer", true, "eu-central-1a"), ("my-cluster-reader", false, "eu-central-1b")];
    for (id, _, zone) in members {
        let member = Instance {
            resource_id: resource_id(world, "db-", id),
            groups: vec![network.cluster_group.clone()],
            zone: zone.to_owned(),
            cluster: Some("my-cluster".to_owned()),
            parameter_group: "default.aurora-postgresql16".to_owned(),
            database: Some("reports".to_owned()),
            master_user: "postgres".to_owned(),
            ..instance("aurora-postgresql", "16.6", "db.r6g.large", &format!("{id}.{DOMAIN}"), 5432)
        };
        world.rds.instances.insert(id.to_owned(), member);
    }
    Cluster {
        engine: "aurora-postgresql".to_owned(),
        engine_version: "16.6".to_owned(),
        engine_mode: "provisioned".to_owned(),
        status: "available".to_owned(),
        endpoint: format!("my-cluster.cluster-{DOMAIN}"),
        reader_endpoint: format!("my-cluster.cluster-ro-{DOMAIN}"),
        custom_endpoints: vec![CustomEndpoint {
            id: "my-cluster-analytics".to_owned(),
            endpoint: format!("my-cluster-analytics.cluster-custom-{DOMAIN}"),
            kind: "READER".to_owned(),
            members: vec!["my-cluster-reader".to_owned()],
        }],
        port: 5432,
        resource_id: resource_id(world, "cluster-", "my-cluster"),
        members: members.iter().map(|(id, writer, _)| ((*id).to_owned(), *writer)).collect(),
        subnet_group: "private".to_owned(),
        groups: vec![network.cluster_group.clone()],
        parameter_group: "default.aurora-postgresql16".to_owned(),
        database: Some("reports".to_owned()),
        master_user: "postgres".to_owned(),
        network_type: "IPV4".to_owned(),
        ..Cluster::default()
    }
}

fn instance(engine: &str, version: &str, class: &str, host: &str, port: u16) -> Instance {
    Instance {
        engine: engine.to_owned(),
        engine_version: version.to_owned(),
        class: class.to_owned(),
        status: "available".to_owned(),
        endpoint: host.to_owned(),
        port,
        subnet_group: "private".to_owned(),
        parameter_status: "in-sync".to_owned(),
        network_type: "IPV4".to_owned(),
        ..Instance::default()
    }
}

/// `db-` or `cluster-`, then 26 capital letters and digits.
fn resource_id(world: &World, prefix: &str, name: &str) -> String {
    let digits = format!("{}{}", world.hash(name), world.hash(prefix));
    let digits: String = digits.to_ascii_uppercase().chars().take(26).collect();
    format!("{prefix}{digits}")
}

/// The secret that RDS makes for a master user.
fn managed_secret(world: &mut World, name: &str) -> String {
    let digits = format!("{}{}", world.hash(name), world.hash("managed"));
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    let uuid = format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(17, 20), part(20, 32));
    let value = json!({ "username": "admin", "password": "another-one-that-is-not-real" });
    let mut secret = Secret::settled(world, &format!("rds!db-{uuid}"), &value.to_string());
    secret.description =
        Some(format!("Secret associated with primary RDS DB instance: {}", world.arn("rds", &format!("db:{name}"))));
    secret.owner = Some("rds".to_owned());
    secret.rotation = true;
    let arn = secret.arn.clone();
    world.secrets.secrets.insert(secret.name.clone(), secret);
    arn
}

fn parameters(world: &mut World) {
    let groups = [
        ("default.mysql8.0", "{DBInstanceClassMemory/12582880}"),
        ("default.aurora-postgresql16", "LEAST({DBInstanceClassMemory/9531392},5000)"),
    ];
    for (group, formula) in groups {
        let parameters = BTreeMap::from([
            ("max_connections".to_owned(), formula.to_owned()),
            ("time_zone".to_owned(), "UTC".to_owned()),
        ]);
        world.rds.parameters.insert(group.to_owned(), parameters);
    }
    world.rds.parameters.insert("default.oracle-se2-19".to_owned(), BTreeMap::new());
}
