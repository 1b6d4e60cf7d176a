//! Amazon RDS: databases, proxies and their targets.

mod endpoint;
mod look;
mod plain;
mod proxy;
mod token;

use aws_config::SdkConfig;
use aws_sdk_rds::Client;
use aws_sdk_rds::config::Builder;
use aws_sdk_rds::types::Filter;

pub use endpoint::{Endpoint, NewEndpoint};
pub use proxy::{
    EngineFamily, NewProxy, Pool, Proxy, ProxyAuth, ProxyEdit, TaggedProxy, Target, TargetGroup, TargetKind,
};
pub use token::{TOKEN_SECONDS, Token};

use super::Tags;
use super::calls::Calls;
use super::error::{Answer, Kind, refuse};
use super::pages::capped;

/// The RDS client.
#[derive(Debug, Clone)]
pub struct Rds {
    client: Client,
    /// What tokens are signed with.
    config: SdkConfig,
}

/// The master user's secret that RDS manages itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterSecret {
    /// Its ARN.
    pub arn: String,
    /// The KMS key that encrypts it.
    pub kms_key: Option<String>,
    /// `active`, `creating`, `rotating`, `impaired`.
    pub status: String,
}

/// A database instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// The identifier.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// `mysql`, `postgres`, `oracle-ee`, `custom-sqlserver-ee`, …
    pub engine: String,
    /// The engine's version.
    pub version: String,
    /// `db.t3.medium`.
    pub class: String,
    /// `available`, `modifying`, …
    pub status: String,
    /// The host name, once there is one.
    pub endpoint: Option<String>,
    /// The port.
    pub port: Option<u16>,
    /// The VPC.
    pub vpc: Option<String>,
    /// The subnets of its subnet group.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// The cluster that it is a member of.
    pub cluster: Option<String>,
    /// The instance that it replicates.
    pub replica_of: Option<String>,
    /// The master user's name.
    pub master_user: Option<String>,
    /// The master user's managed secret.
    pub master_secret: Option<MasterSecret>,
    /// Whether IAM database authentication is on, or on its way.
    pub iam_authentication: bool,
    /// The id that `rds-db:connect` names it by, `db-…` or `cluster-…`.
    pub resource_id: String,
    /// Its tags.
    pub tags: Tags,
    /// Its parameter groups.
    pub parameters: Vec<Parameters>,
    /// Whether a standby in another Availability Zone takes over; `None` where AWS does not say.
    pub multi_az: Option<bool>,
    /// Its storage in GiB.
    pub allocated_gib: Option<u64>,
}

/// A parameter group in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// The group's name.
    pub group: String,
    /// Whether it is a cluster's.
    pub cluster: bool,
    /// The instance or cluster that uses it.
    pub of: String,
    /// `in-sync`, `applying`, `pending-reboot`; empty where AWS does not say.
    pub status: String,
}

/// A member of a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The instance's identifier.
    pub instance: String,
    /// Whether it is the writer.
    pub writer: bool,
}

/// A database cluster: Aurora or Multi-AZ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cluster {
    /// The identifier.
    pub id: String,
    /// The ARN.
    pub arn: String,
    /// `aurora-mysql`, `postgres`, …
    pub engine: String,
    /// The engine's version.
    pub version: String,
    /// `provisioned`, `serverless` (Aurora Serverless v1), …
    pub mode: String,
    /// `available`, …
    pub status: String,
    /// The writer's host name.
    pub endpoint: Option<String>,
    /// The readers' host name.
    pub reader_endpoint: Option<String>,
    /// Further host names that the user made.
    pub custom_endpoints: Vec<String>,
    /// The port.
    pub port: Option<u16>,
    /// Its security groups.
    pub security_groups: Vec<String>,
    /// Its members.
    pub members: Vec<Member>,
    /// The cluster or instance that it replicates.
    pub replica_of: Option<String>,
    /// The master user's name.
    pub master_user: Option<String>,
    /// The master user's managed secret.
    pub master_secret: Option<MasterSecret>,
    /// Whether IAM database authentication is on, or on its way.
    pub iam_authentication: bool,
    /// The id that `rds-db:connect` names it by, `db-…` or `cluster-…`.
    pub resource_id: String,
    /// Its tags.
    pub tags: Tags,
    /// The least capacity of Aurora Serverless v2, in tenths of an ACU.
    pub serverless_floor: Option<u32>,
    /// The most capacity, in the same unit.
    pub serverless_ceiling: Option<u32>,
    /// Its parameter group.
    pub parameter_group: Option<String>,
    /// Whether its storage is of the configuration I/O-Optimized, which instances pay for.
    pub io_optimized: bool,
    /// Whether the Data API is on.
    pub data_api: bool,
}

impl Rds {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let client = Client::from_conf(Builder::from(config).interceptor(calls.clone()).build());
        Self { client, config: config.clone() }
    }

    /// Reads an instance, by identifier.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn instance(&self, id: &str) -> Answer<Option<Instance>> {
        let call = self.client.describe_db_instances().db_instance_identifier(id).send().await;
        match call.map_err(|error| refuse("rds:DescribeDBInstances", &error)) {
            Ok(answer) => Ok(answer.db_instances.unwrap_or_default().into_iter().find_map(plain::instance)),
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Lists the instances of the region, or those of one cluster.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn instances(&self, cluster: Option<&str>) -> Answer<Vec<Instance>> {
        let filter = cluster.map(|id| Filter::builder().name("db-cluster-id").values(id).build());
        let mut found = Vec::new();
        let call = self.client.describe_db_instances().set_filters(filter.map(|filter| vec![filter]));
        let mut pages = capped(call.into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("rds:DescribeDBInstances", &error))?;
            found.extend(page.db_instances.unwrap_or_default().into_iter().filter_map(plain::instance));
        }
        Ok(found)
    }

    /// Reads a cluster, by identifier.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn cluster(&self, id: &str) -> Answer<Option<Cluster>> {
        let call = self.client.describe_db_clusters().db_cluster_identifier(id).send().await;
        match call.map_err(|error| refuse("rds:DescribeDBClusters", &error)) {
            Ok(answer) => Ok(answer.db_clusters.unwrap_or_default().into_iter().find_map(plain::cluster)),
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Lists the clusters of the region.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn clusters(&self) -> Answer<Vec<Cluster>> {
        let mut found = Vec::new();
        let mut pages = capped(self.client.describe_db_clusters().into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("rds:DescribeDBClusters", &error))?;
            found.extend(page.db_clusters.unwrap_or_default().into_iter().filter_map(plain::cluster));
        }
        Ok(found)
    }

    /// Turns IAM authentication of a database on or off, at once; it takes minutes.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while the database is in a passing state, or when AWS refuses otherwise.
    pub async fn set_iam_authentication(&self, id: &str, cluster: bool, on: bool) -> Answer<()> {
        if cluster {
            let call = self.client.modify_db_cluster().db_cluster_identifier(id);
            let call = call.enable_iam_database_authentication(on).apply_immediately(true).send().await;
            return call.map(drop).map_err(|error| refuse("rds:ModifyDBCluster", &error));
        }
        let call = self.client.modify_db_instance().db_instance_identifier(id);
        let call = call.enable_iam_database_authentication(on).apply_immediately(true).send().await;
        call.map(drop).map_err(|error| refuse("rds:ModifyDBInstance", &error))
    }
}
