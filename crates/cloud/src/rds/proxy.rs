//! Proxies, their target group and their targets.

use std::fmt;

use aws_sdk_rds::types::{
    AuthScheme, ClientPasswordAuthType, ConnectionPoolConfiguration, DefaultAuthScheme, EndpointNetworkType,
    EngineFamily as SdkFamily, IamAuthMode, Tag, UserAuthConfig,
};

use super::{Rds, plain};
use crate::Tags;
use crate::error::{Answer, Kind, Refusal, refuse};

/// The only target group that a proxy has.
const DEFAULT_GROUP: &str = "default";

/// What a proxy speaks to its clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EngineFamily {
    /// MySQL, MariaDB, Aurora MySQL.
    MySql,
    /// PostgreSQL, Aurora PostgreSQL.
    PostgreSql,
    /// SQL Server.
    SqlServer,
}

/// A proxy as AWS describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proxy {
    /// The name.
    pub name: String,
    /// The ARN, which ends in the proxy's id.
    pub arn: String,
    /// `creating`, `available`, …
    pub status: String,
    /// The host name, once there is one.
    pub endpoint: Option<String>,
    /// The engine family, if it is one that we know.
    pub family: Option<EngineFamily>,
    /// The VPC.
    pub vpc: String,
    /// The subnets that AWS kept of those asked for.
    pub subnets: Vec<String>,
    /// The security groups.
    pub security_groups: Vec<String>,
    /// The secrets it logs in with.
    pub auth: Vec<ProxyAuth>,
    /// What its endpoint speaks: `IPV4`, `IPV6`, `DUAL`.
    pub network_type: String,
    /// Whether it logs in at the database with IAM (`DefaultAuthScheme` `IAM_AUTH`).
    pub iam_to_database: bool,
    /// The role it assumes.
    pub role: String,
    /// Whether clients must use TLS.
    pub require_tls: bool,
    /// Seconds after which an idle client is cut off.
    pub idle_client_timeout: Option<i32>,
    /// Whether debug logging is on (AWS turns it off after 24 hours).
    pub debug_logging: bool,
}

/// A proxy with its tags, which AWS returns separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedProxy {
    /// The proxy.
    pub proxy: Proxy,
    /// Its tags.
    pub tags: Tags,
}

impl Proxy {
    /// Whether clients can use it: an endpoint is part of that, and may come after the state.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.status == "available" && self.endpoint.is_some()
    }

    /// Whether it is in a state that it does not leave by itself.
    #[must_use]
    pub fn is_stuck(&self) -> bool {
        matches!(self.status.as_str(), "incompatible-network" | "insufficient-resource-limits" | "suspended")
    }
}

/// One secret of a proxy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProxyAuth {
    /// The secret's ARN.
    pub secret: String,
    /// Whether clients log in with IAM tokens alone (`REQUIRED`).
    pub iam: bool,
    /// Whether clients may log in with either (`ENABLED`, of SQL Server alone).
    pub either: bool,
    /// What it is for.
    pub description: Option<String>,
    /// How clients send a password (`ClientPasswordAuthType`); unset: as AWS chooses.
    pub client_password: Option<String>,
}

impl ProxyAuth {
    /// A secret, with all else as AWS chooses.
    #[must_use]
    pub fn of(secret: impl Into<String>, iam: bool) -> Self {
        Self { secret: secret.into(), iam, either: false, description: None, client_password: None }
    }
}

/// A proxy to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewProxy {
    /// The name.
    pub name: String,
    /// The engine family.
    pub family: EngineFamily,
    /// The secrets.
    pub auth: Vec<ProxyAuth>,
    /// What its endpoint is to speak; AWS's default where unset.
    pub network_type: Option<&'static str>,
    /// Whether it logs in at the database with IAM.
    pub iam_to_database: bool,
    /// The role's ARN.
    pub role: String,
    /// The subnets.
    pub subnets: Vec<String>,
    /// The security groups.
    pub security_groups: Vec<String>,
    /// Whether clients must use TLS.
    pub require_tls: bool,
    /// Seconds after which an idle client is cut off; AWS's default where unset.
    pub idle_client_timeout: Option<i32>,
    /// Debug logging.
    pub debug_logging: bool,
    /// The tags.
    pub tags: Tags,
}

/// A change to a proxy: what is unset stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProxyEdit {
    /// The secrets, all of them.
    pub auth: Option<Vec<ProxyAuth>>,
    /// Whether it logs in at the database with IAM.
    pub iam_to_database: Option<bool>,
    /// The role's ARN.
    pub role: Option<String>,
    /// The security groups.
    pub security_groups: Option<Vec<String>>,
    /// Whether clients must use TLS.
    pub require_tls: Option<bool>,
    /// Seconds after which an idle client is cut off.
    pub idle_client_timeout: Option<i32>,
    /// Debug logging.
    pub debug_logging: Option<bool>,
}

/// Pool settings of a target group: what is unset is AWS's own choice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pool {
    /// Percent of the database's `max_connections` that the pool may use.
    pub max_connections_percent: Option<i32>,
    /// Percent of it that may stay open idle.
    pub max_idle_connections_percent: Option<i32>,
    /// Seconds that a client waits for a connection.
    pub connection_borrow_timeout: Option<i32>,
    /// SQL that runs on every new connection.
    pub init_query: Option<String>,
    /// What does not pin a session.
    pub session_pinning_filters: Option<Vec<String>>,
}

/// The target group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetGroup {
    /// `available`, `modifying`.
    pub status: String,
    /// Its pool settings.
    pub pool: Pool,
}

/// What a row of the target list stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TargetKind {
    /// An instance: carries health.
    Instance,
    /// A cluster whose members are tracked: carries none.
    Cluster,
    /// Anything newer.
    Other,
}

/// One row of the target list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it stands for.
    pub kind: TargetKind,
    /// The instance's or cluster's identifier.
    pub id: String,
    /// `REGISTERING`, `UNAVAILABLE`, `AVAILABLE`.
    pub state: Option<String>,
    /// Why it is not available.
    pub reason: Option<String>,
    /// AWS's sentence on it.
    pub description: Option<String>,
    /// `READ_WRITE`, `READ_ONLY`, `UNKNOWN`.
    pub role: Option<String>,
}

impl EngineFamily {
    /// The family of AWS's name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "MYSQL" => Some(Self::MySql),
            "POSTGRESQL" => Some(Self::PostgreSql),
            "SQLSERVER" => Some(Self::SqlServer),
            _ => None,
        }
    }

    /// The port that a proxy of this family listens on, whatever the database's own port is.
    #[must_use]
    pub fn proxy_port(self) -> u16 {
        match self {
            Self::MySql => 3306,
            Self::PostgreSql => 5432,
            Self::SqlServer => 1433,
        }
    }

    fn sdk(self) -> SdkFamily {
        match self {
            Self::MySql => SdkFamily::Mysql,
            Self::PostgreSql => SdkFamily::Postgresql,
            Self::SqlServer => SdkFamily::Sqlserver,
        }
    }
}

impl fmt::Display for EngineFamily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.sdk().as_str())
    }
}

impl Proxy {
    /// The proxy's id, `prx-…`: the last part of its ARN.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.arn.rsplit(':').next().filter(|id| id.starts_with("prx-"))
    }
}

impl Pool {
    /// Whether nothing is set.
    #[must_use]
    pub fn is_unset(&self) -> bool {
        *self == Self::default()
    }
}

impl Rds {
    /// Reads a proxy, by name.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn proxy(&self, name: &str) -> Answer<Option<Proxy>> {
        let call = self.client.describe_db_proxies().db_proxy_name(name).send().await;
        match call.map_err(|error| refuse("rds:DescribeDBProxies", &error)) {
            Ok(answer) => Ok(answer.db_proxies.unwrap_or_default().into_iter().find_map(plain::proxy)),
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Reads a resource's tags.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tags(&self, arn: &str) -> Answer<Tags> {
        let call = self.client.list_tags_for_resource().resource_name(arn).send().await;
        let answer = call.map_err(|error| refuse("rds:ListTagsForResource", &error))?;
        Ok(plain::tags(answer.tag_list))
    }

    /// Adds tags to a resource.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn add_tags(&self, arn: &str, tags: &Tags) -> Answer<()> {
        let call = self.client.add_tags_to_resource().resource_name(arn).set_tags(Some(sdk_tags(tags))).send().await;
        call.map(drop).map_err(|error| refuse("rds:AddTagsToResource", &error))
    }

    /// Takes tags off a resource; those that it does not carry are fine.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that the resource is gone.
    pub async fn remove_tags(&self, arn: &str, keys: &[String]) -> Answer<()> {
        let call = self.client.remove_tags_from_resource().resource_name(arn).set_tag_keys(Some(keys.to_vec()));
        match call.send().await.map(drop).map_err(|error| refuse("rds:RemoveTagsFromResource", &error)) {
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(()),
            answer => answer,
        }
    }

    /// Creates a proxy; it takes minutes to become available.
    ///
    /// # Errors
    /// [`Kind::Exists`] when the name is taken, or when AWS refuses otherwise.
    pub async fn create_proxy(&self, wanted: &NewProxy) -> Answer<Proxy> {
        const CALL: &str = "rds:CreateDBProxy";
        let answer = self
            .client
            .create_db_proxy()
            .db_proxy_name(&wanted.name)
            .engine_family(wanted.family.sdk())
            .set_auth(Some(sdk_auth(&wanted.auth)))
            .set_default_auth_scheme(wanted.iam_to_database.then(|| default_scheme(true)))
            .role_arn(&wanted.role)
            .set_vpc_subnet_ids(Some(wanted.subnets.clone()))
            .set_vpc_security_group_ids(Some(wanted.security_groups.clone()))
            .set_endpoint_network_type(wanted.network_type.map(EndpointNetworkType::from))
            .require_tls(wanted.require_tls)
            .set_idle_client_timeout(wanted.idle_client_timeout)
            .set_debug_logging(wanted.debug_logging.then_some(true))
            .set_tags(Some(sdk_tags(&wanted.tags)))
            .send()
            .await
            .map_err(|error| refuse(CALL, &error))?;
        answer.db_proxy.and_then(plain::proxy).ok_or_else(|| Refusal::incomplete(CALL, "the proxy's name or ARN"))
    }

    /// Changes a proxy.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while it is being changed already, or when AWS refuses otherwise.
    pub async fn modify_proxy(&self, name: &str, edit: &ProxyEdit) -> Answer<Proxy> {
        const CALL: &str = "rds:ModifyDBProxy";
        let answer = self
            .client
            .modify_db_proxy()
            .db_proxy_name(name)
            .set_auth(edit.auth.as_deref().map(sdk_auth))
            .set_default_auth_scheme(edit.iam_to_database.map(default_scheme))
            .set_role_arn(edit.role.clone())
            .set_security_groups(edit.security_groups.clone())
            .set_require_tls(edit.require_tls)
            .set_idle_client_timeout(edit.idle_client_timeout)
            .set_debug_logging(edit.debug_logging)
            .send()
            .await
            .map_err(|error| refuse(CALL, &error))?;
        answer.db_proxy.and_then(plain::proxy).ok_or_else(|| Refusal::incomplete(CALL, "the proxy's name or ARN"))
    }

    /// Deletes a proxy, with its target registrations; it takes minutes to be gone. One that is gone already is fine.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_proxy(&self, name: &str) -> Answer<()> {
        let call = self.client.delete_db_proxy().db_proxy_name(name).send().await;
        match call.map(drop).map_err(|error| refuse("rds:DeleteDBProxy", &error)) {
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(()),
            // It is being deleted already.
            Err(refusal) if refusal.kind == Kind::NotYet && refusal.message.to_lowercase().contains("deleting") => {
                Ok(())
            }
            answer => answer,
        }
    }

    /// Reads a proxy's target group.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn target_group(&self, proxy: &str) -> Answer<Option<TargetGroup>> {
        let call = self.client.describe_db_proxy_target_groups().db_proxy_name(proxy).send().await;
        match call.map_err(|error| refuse("rds:DescribeDBProxyTargetGroups", &error)) {
            Ok(answer) => Ok(answer
                .target_groups
                .unwrap_or_default()
                .into_iter()
                .find(|group| group.target_group_name.as_deref().unwrap_or(DEFAULT_GROUP) == DEFAULT_GROUP)
                .map(plain::target_group)),
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// Changes pool settings.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn set_pool(&self, proxy: &str, pool: &Pool) -> Answer<()> {
        let config = ConnectionPoolConfiguration::builder()
            .set_max_connections_percent(pool.max_connections_percent)
            .set_max_idle_connections_percent(pool.max_idle_connections_percent)
            .set_connection_borrow_timeout(pool.connection_borrow_timeout)
            .set_init_query(pool.init_query.clone())
            .set_session_pinning_filters(pool.session_pinning_filters.clone())
            .build();
        let call = self.client.modify_db_proxy_target_group().db_proxy_name(proxy).target_group_name(DEFAULT_GROUP);
        let call = call.connection_pool_config(config).send().await;
        call.map(drop).map_err(|error| refuse("rds:ModifyDBProxyTargetGroup", &error))
    }

    /// Reads a proxy's targets; none for a proxy that is not there.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn targets(&self, proxy: &str) -> Answer<Vec<Target>> {
        let call = self.client.describe_db_proxy_targets().db_proxy_name(proxy).target_group_name(DEFAULT_GROUP);
        match call.send().await.map_err(|error| refuse("rds:DescribeDBProxyTargets", &error)) {
            Ok(answer) => Ok(answer.targets.unwrap_or_default().into_iter().map(plain::target).collect()),
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(Vec::new()),
            Err(refusal) => Err(refusal),
        }
    }

    /// Registers an instance or a cluster as the proxy's target.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while proxy or database are in a passing state, [`Kind::Exists`] when a target is registered
    /// already (it may be another one), or when AWS refuses otherwise.
    pub async fn register(&self, proxy: &str, database: &str, cluster: bool) -> Answer<Vec<Target>> {
        let call = self.client.register_db_proxy_targets().db_proxy_name(proxy).target_group_name(DEFAULT_GROUP);
        let call = if cluster { call.db_cluster_identifiers(database) } else { call.db_instance_identifiers(database) };
        let answer = call.send().await.map_err(|error| refuse("rds:RegisterDBProxyTargets", &error))?;
        Ok(answer.db_proxy_targets.unwrap_or_default().into_iter().map(plain::target).collect())
    }

    /// Takes a target off a proxy; one that is not there is fine.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while the proxy is in a passing state, or when AWS refuses otherwise.
    pub async fn deregister(&self, proxy: &str, database: &str, cluster: bool) -> Answer<()> {
        let call = self.client.deregister_db_proxy_targets().db_proxy_name(proxy).target_group_name(DEFAULT_GROUP);
        let call = if cluster { call.db_cluster_identifiers(database) } else { call.db_instance_identifiers(database) };
        match call.send().await.map(drop).map_err(|error| refuse("rds:DeregisterDBProxyTargets", &error)) {
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(()),
            answer => answer,
        }
    }
}

fn sdk_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build()).collect()
}

fn default_scheme(iam: bool) -> DefaultAuthScheme {
    if iam { DefaultAuthScheme::IamAuth } else { DefaultAuthScheme::None }
}

fn sdk_auth(auth: &[ProxyAuth]) -> Vec<UserAuthConfig> {
    auth.iter()
        .map(|auth| {
            // `UserName` stays out: the service takes the user from the secret and refuses the member.
            UserAuthConfig::builder()
                .auth_scheme(AuthScheme::Secrets)
                .secret_arn(&auth.secret)
                .iam_auth(match (auth.either, auth.iam) {
                    (true, _) => IamAuthMode::Enabled,
                    (false, true) => IamAuthMode::Required,
                    (false, false) => IamAuthMode::Disabled,
                })
                .set_description(auth.description.clone())
                .set_client_password_auth_type(auth.client_password.as_deref().map(ClientPasswordAuthType::from))
                .build()
        })
        .collect()
}
