//! What RDS remembers.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::account::{Moment, World};
use crate::ec2;

/// Databases and their proxies.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Rds {
    /// Instances by identifier.
    pub instances: BTreeMap<String, Instance>,
    /// Clusters by identifier.
    pub clusters: BTreeMap<String, Cluster>,
    /// Subnet groups by name.
    pub subnet_groups: BTreeMap<String, SubnetGroup>,
    /// Parameters by group name: name and value.
    pub parameters: BTreeMap<String, BTreeMap<String, String>>,
    /// Proxies by name.
    pub proxies: BTreeMap<String, Proxy>,
    /// The further endpoints of proxies by name.
    pub endpoints: BTreeMap<String, Endpoint>,
    /// What happened, oldest first.
    #[serde(rename = "~events")]
    pub events: Vec<Event>,
    /// Whether a target may be registered while its proxy is being created.
    pub register_while_creating: bool,
    /// The error code of the refusal where it may not; AWS documents none for this case.
    #[serde(default)]
    pub register_refusal: Option<String>,
    /// Whether targets and target groups can be read only of a proxy that is available: both reads declare
    /// `InvalidDBProxyStateFault` (botocore's RDS model).
    #[serde(default)]
    pub reads_need_available: bool,
    /// Instances that are shown as `UNUSED` among a proxy's targets (botocore's RDS model, `TargetState`).
    #[serde(default)]
    pub unused: BTreeSet<String>,
    /// The letters in the hosts of proxies, where they are others than in those of databases: see [`super::proxies`].
    #[serde(default)]
    pub proxy_letters: Option<String>,
    /// Whether a proxy may be deleted while it is being created.
    pub delete_while_creating: bool,
    /// The state that the next proxy ends in instead of `available` (`incompatible-network`, …).
    pub next_proxy_ends: Option<String>,
}

impl Default for Rds {
    fn default() -> Self {
        Self {
            instances: BTreeMap::new(),
            clusters: BTreeMap::new(),
            subnet_groups: BTreeMap::new(),
            parameters: BTreeMap::new(),
            proxies: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            events: Vec::new(),
            register_while_creating: true,
            register_refusal: None,
            reads_need_available: false,
            unused: BTreeSet::new(),
            proxy_letters: None,
            delete_while_creating: false,
            next_proxy_ends: None,
        }
    }
}

/// A database instance.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Instance {
    /// `mysql`, `aurora-postgresql`, `oracle-ee`, …
    pub engine: String,
    /// `8.0.40`.
    pub engine_version: String,
    /// `db.t3.medium`.
    pub class: String,
    /// `available`, `stopped`, …
    pub status: String,
    /// The host name.
    pub endpoint: String,
    /// The port.
    pub port: u16,
    /// `db-…`.
    pub resource_id: String,
    /// The subnet group's name.
    pub subnet_group: String,
    /// Security groups.
    pub groups: Vec<String>,
    /// The zone.
    pub zone: String,
    /// The cluster, for a member of one.
    pub cluster: Option<String>,
    /// The source, for a read replica.
    pub replica_of: Option<String>,
    /// The parameter group.
    pub parameter_group: String,
    /// `in-sync`, `pending-reboot`.
    pub parameter_status: String,
    /// How many connections it takes, where that is not what its parameter group says, as with a change that waits for
    /// a reboot.
    #[serde(default)]
    pub max_connections: Option<u32>,
    /// The database made at creation.
    pub database: Option<String>,
    /// The master user.
    pub master_user: String,
    /// The secret that RDS manages for the master user.
    pub master_secret: Option<String>,
    /// Whether IAM database authentication is on.
    pub iam_auth: bool,
    /// `IPV4` or `DUAL`.
    pub network_type: String,
    /// A change that is being made.
    pub modifying: Option<IamChange>,
    /// What keeps every proxy from serving it although the account is as it should be: a matter of its inside.
    #[serde(default)]
    pub is_unhealthy: Option<Trouble>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A database cluster.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cluster {
    /// `aurora-mysql`, `aurora-postgresql`, `mysql`, `postgres`.
    pub engine: String,
    /// Its version.
    pub engine_version: String,
    /// `provisioned`, `serverless`.
    pub engine_mode: String,
    /// `available`, `stopped`, …
    pub status: String,
    /// The source, for a cluster that replicates another one: of a global database, its ARN
    /// (`ReplicationSourceIdentifier` in botocore's model).
    #[serde(default)]
    pub replica_of: Option<String>,
    /// The writer's host name.
    pub endpoint: String,
    /// The readers' host name.
    pub reader_endpoint: String,
    /// Custom endpoints: identifier, host name, kind (`READER` or `ANY`).
    pub custom_endpoints: Vec<CustomEndpoint>,
    /// The port.
    pub port: u16,
    /// `cluster-…`.
    pub resource_id: String,
    /// Members and whether each is the writer.
    pub members: Vec<(String, bool)>,
    /// The subnet group's name.
    pub subnet_group: String,
    /// Security groups.
    pub groups: Vec<String>,
    /// The parameter group.
    pub parameter_group: String,
    /// The database made at creation.
    pub database: Option<String>,
    /// The master user.
    pub master_user: String,
    /// The secret that RDS manages for the master user.
    pub master_secret: Option<String>,
    /// Whether IAM database authentication is on.
    pub iam_auth: bool,
    /// Smallest and largest capacity in tenths of an ACU, for Serverless v2.
    pub serverless: Option<(u32, u32)>,
    /// The class of its instances, for a Multi-AZ cluster.
    pub class: Option<String>,
    /// `IPV4` or `DUAL`.
    pub network_type: String,
    /// A change that is being made.
    pub modifying: Option<IamChange>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// A custom endpoint of an Aurora cluster.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CustomEndpoint {
    /// Its identifier.
    pub id: String,
    /// Its host name.
    pub endpoint: String,
    /// `READER` or `ANY`.
    pub kind: String,
    /// Its instances.
    pub members: Vec<String>,
}

/// A subnet group.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SubnetGroup {
    /// The VPC.
    pub vpc_id: String,
    /// Subnets.
    pub subnets: Vec<String>,
}

/// A proxy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Proxy {
    /// `prx-…`.
    pub id: String,
    /// `MYSQL`, `POSTGRESQL`, `SQLSERVER`.
    pub engine_family: String,
    /// `NONE` or `IAM_AUTH`.
    pub default_auth_scheme: String,
    /// One entry a database user.
    pub auth: Vec<Auth>,
    /// The role that reads the secrets.
    pub role_arn: String,
    /// The VPC.
    pub vpc_id: String,
    /// Subnets, without those of unsupported zones.
    pub subnets: Vec<String>,
    /// Security groups.
    pub groups: Vec<String>,
    /// Whether clients must use TLS.
    pub require_tls: bool,
    /// Seconds.
    pub idle_client_timeout: i64,
    /// Whether statements are logged.
    pub debug_logging: bool,
    /// `IPV4`, `IPV6`, `DUAL`.
    pub endpoint_network_type: String,
    /// `IPV4`, `IPV6`.
    pub target_network_type: String,
    /// The default endpoint's host name.
    pub endpoint: String,
    /// What it is doing or has become.
    pub status: Status,
    /// When it was asked for.
    pub created: Moment,
    /// When it first was (or will be) able to serve.
    pub ready: Moment,
    /// When it was last changed.
    pub updated: Moment,
    /// The default target group.
    pub target_group: TargetGroup,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// IAM authentication that is being turned on or off: pending until the end, and configured in a state of its own, in
/// which a database cannot be registered (<https://github.com/hashicorp/terraform-provider-aws/pull/6597>,
/// <https://github.com/hashicorp/terraform-provider-aws/issues/10197>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IamChange {
    /// Whether it will be on.
    pub on: bool,
    /// From when on it is being configured.
    pub configuring: Moment,
    /// When it is done.
    pub until: Moment,
}

impl IamChange {
    /// The state of the database meanwhile.
    pub(super) fn word(self, now: Moment) -> &'static str {
        if now < self.configuring { "modifying" } else { "configuring-iam-database-auth" }
    }
}

/// What a proxy or an endpoint is doing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Being made: until when, and what it becomes then.
    Creating(Moment, String),
    /// In place, under this name (`available`, `incompatible-network`, …).
    Settled(String),
    /// Being changed, until when.
    Modifying(Moment),
    /// Going, until when.
    Deleting(Moment),
}

impl Status {
    /// The word on the wire.
    pub(crate) fn word(&self) -> &str {
        match self {
            Self::Creating(..) => "creating",
            Self::Settled(word) => word,
            Self::Modifying(_) => "modifying",
            Self::Deleting(_) => "deleting",
        }
    }

    /// What it is after time has passed; `None` when it is gone.
    pub(super) fn at(&self, now: Moment) -> Option<Self> {
        match self {
            Self::Creating(until, then) if *until <= now => Some(Self::Settled(then.clone())),
            Self::Modifying(until) if *until <= now => Some(Self::Settled("available".to_owned())),
            Self::Deleting(until) if *until <= now => None,
            same => Some(same.clone()),
        }
    }
}

/// How a proxy signs in to the database as one user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Auth {
    /// What it is for.
    pub description: Option<String>,
    /// `SECRETS`.
    pub scheme: String,
    /// The secret.
    pub secret_arn: String,
    /// `DISABLED`, `REQUIRED`, `ENABLED`.
    pub iam_auth: String,
    /// `MYSQL_NATIVE_PASSWORD`, …
    pub client_password: Option<String>,
}

/// A proxy's target group; each proxy has one, `default`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TargetGroup {
    /// `prx-tg-…`.
    pub id: String,
    /// Of the database's connections, how many the proxy may hold.
    pub max_connections_percent: i64,
    /// Of the database's connections, how many may stay idle.
    pub max_idle_connections_percent: i64,
    /// Seconds.
    pub borrow_timeout: i64,
    /// `EXCLUDE_VARIABLE_SETS`.
    pub pinning_filters: Vec<String>,
    /// SQL for each new connection.
    pub init_query: Option<String>,
    /// When the settings were last changed.
    pub updated: Moment,
    /// The registered database.
    pub target: Option<Target>,
}

/// A registered database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Target {
    /// Whether it is a cluster.
    pub cluster: bool,
    /// The identifier.
    pub id: String,
    /// When it was registered.
    pub registered: Moment,
    /// What kept each instance from serving last, and the last moment at which it did.
    #[serde(rename = "~troubled")]
    pub troubled: BTreeMap<String, (Moment, Trouble)>,
}

/// What keeps a proxy from serving an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The proxy cannot reach the capacity that it wants.
    Capacity,
    /// No credentials can be read.
    Credentials,
    /// The database does not run, or a network ACL is in the way.
    Unreachable,
    /// A security group is in the way.
    Blocked,
    /// The database refuses the proxy's own user.
    Refused,
    /// It changed its role in a switchover.
    Promoted,
}

/// A further endpoint of a proxy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Endpoint {
    /// `prx-endpoint-…`.
    pub id: String,
    /// The proxy's name.
    pub proxy: String,
    /// `READ_WRITE` or `READ_ONLY`.
    pub role: String,
    /// The VPC.
    pub vpc_id: String,
    /// Subnets.
    pub subnets: Vec<String>,
    /// Security groups.
    pub groups: Vec<String>,
    /// The host name.
    pub endpoint: String,
    /// `IPV4`, `IPV6`, `DUAL`.
    pub network_type: String,
    /// What it is doing.
    pub status: Status,
    /// When it was asked for.
    pub created: Moment,
    /// Tags.
    pub tags: BTreeMap<String, String>,
}

/// One line of RDS's event list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Moment,
    /// `db-proxy`, `db-instance`, `db-cluster`.
    pub source_type: String,
    /// The name of what it happened to.
    pub source: String,
    /// Its ARN.
    pub arn: String,
    /// What happened.
    pub message: String,
    /// `creation`, `deletion`, `configuration change`, `failure`.
    pub category: String,
}

/// Lets time pass: what was being made, changed or deleted until then is done.
pub(crate) fn tick(world: &mut World, now: Moment) {
    let done = |change: &mut Option<IamChange>| change.take_if(|change| change.until <= now).map(|change| change.on);
    for instance in world.rds.instances.values_mut() {
        instance.iam_auth = done(&mut instance.modifying).unwrap_or(instance.iam_auth);
    }
    for (id, cluster) in &mut world.rds.clusters {
        let Some(on) = done(&mut cluster.modifying) else { continue };
        cluster.iam_auth = on;
        for instance in world.rds.instances.values_mut().filter(|instance| instance.cluster.as_ref() == Some(id)) {
            instance.iam_auth = on;
        }
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
pub(super) fn record(world: &mut World, at: Moment, proxy: &str, id: &str, message: &str, category: &str) {
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
