//! What a stack consists of, as it was read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// A stack: everything that the tool created for one database, and what it refers to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stack {
    /// The name of the stack, which is also the proxy's.
    pub name: String,
    /// Who writes the files: name and version.
    pub tool: String,
    /// The Region.
    pub region: String,
    /// The account.
    pub account: String,
    /// The partition, `aws`.
    pub partition: String,
    /// The tag that marks a stack that was handed over.
    pub mark: (String, String),
    /// The database.
    pub database: Database,
    /// The proxy.
    pub proxy: Proxy,
    /// The settings of its default target group.
    pub pool: Pool,
    /// Its read-only endpoint.
    pub reader: Option<Endpoint>,
    /// Its role, where the stack created it.
    pub role: Option<Role>,
    /// The connect policies that the stack created.
    pub policies: Vec<Policy>,
    /// The security groups that the stack created.
    pub groups: Vec<Group>,
    /// The rules that the stack created, and the outbound rule that EC2 gave its group.
    pub rules: Vec<Rule>,
    /// The secrets that the stack created.
    pub secrets: Vec<Secret>,
    /// The proxy's log group, where the stack created it.
    pub log_group: Option<LogGroup>,
    /// The functions that use the proxy.
    pub functions: Vec<Function>,
    /// What is part of the setup and stays outside the files, one sentence each.
    pub left_out: Vec<String>,
}

/// The database, which belongs to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// Its identifier.
    pub id: String,
    /// Whether it is a cluster.
    pub cluster: bool,
}

/// The proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// Its ARN, which ends in its ID.
    pub arn: String,
    /// `MYSQL`, `POSTGRESQL` or `SQLSERVER`.
    pub family: String,
    /// The VPC.
    pub vpc: String,
    /// The subnets.
    pub subnets: Vec<String>,
    /// The security groups.
    pub groups: Vec<String>,
    /// The secrets that it logs in with.
    pub auth: Vec<Auth>,
    /// Whether it logs in at the database with IAM.
    pub iam_to_database: bool,
    /// The ARN of its role.
    pub role: String,
    /// Whether clients must use TLS.
    pub require_tls: bool,
    /// Seconds after which an idle client is cut off.
    pub idle_client_timeout: Option<i32>,
    /// Whether debug logging is on.
    pub debug_logging: bool,
    /// What its endpoint speaks: `IPV4`, `IPV6`, `DUAL`.
    pub network_type: String,
    /// The port that it listens on.
    pub port: u16,
    /// The tags.
    pub tags: Tags,
}

impl Proxy {
    /// The proxy's ID, the last part of its ARN.
    #[must_use]
    pub fn id(&self) -> &str {
        self.arn.rsplit(':').next().unwrap_or(&self.arn)
    }
}

/// One secret of the proxy, never its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auth {
    /// The secret's ARN.
    pub secret: String,
    /// `DISABLED`, `REQUIRED` or `ENABLED`.
    pub iam: String,
    /// What it is for.
    pub description: Option<String>,
    /// How clients send a password, where it is set.
    pub client_password: Option<String>,
}

/// The pool settings, as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Percent of the database's connections.
    pub max_connections_percent: Option<i32>,
    /// Percent that may stay open idle.
    pub max_idle_connections_percent: Option<i32>,
    /// Seconds that a client waits.
    pub connection_borrow_timeout: Option<i32>,
    /// SQL that runs on every new connection.
    pub init_query: Option<String>,
    /// What does not pin a session.
    pub session_pinning_filters: Vec<String>,
}

/// A further endpoint of the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Its name.
    pub name: String,
    /// Its subnets.
    pub subnets: Vec<String>,
    /// Its security groups.
    pub groups: Vec<String>,
    /// The tags.
    pub tags: Tags,
}

/// The proxy's role.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// What it is described by.
    pub description: Option<String>,
    /// The trust policy.
    pub trust: Value,
    /// The ARN of the permissions boundary.
    pub boundary: Option<String>,
    /// The inline policies.
    pub inline: BTreeMap<String, Value>,
    /// The tags.
    pub tags: Tags,
}

/// A connect policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its ARN.
    pub arn: String,
    /// What it is described by.
    pub description: Option<String>,
    /// The document of its default version.
    pub document: Value,
    /// The names of the roles that it is attached to.
    pub roles: Vec<String>,
    /// The tags.
    pub tags: Tags,
}

/// A security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// `sg-…`.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// The VPC.
    pub vpc: String,
    /// The tags.
    pub tags: Tags,
}

/// A rule of a security group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// `sgr-…`.
    pub id: String,
    /// The group that has it.
    pub group: String,
    /// Whether it is for what goes out.
    pub egress: bool,
    /// The protocol.
    pub protocol: String,
    /// The other side.
    pub peer: Peer,
    /// First and last port; `None` for all.
    pub ports: Option<(i32, i32)>,
    /// What it is described by.
    pub description: Option<String>,
    /// The tags.
    pub tags: Tags,
}

/// The other side of a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Peer {
    /// The members of a group.
    Group(String),
    /// A block of IPv4 addresses.
    Ipv4(String),
    /// A block of IPv6 addresses.
    Ipv6(String),
}

/// A secret that the stack created, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// Its ARN.
    pub arn: String,
    /// Its name.
    pub name: String,
    /// What it is described by.
    pub description: Option<String>,
    /// The KMS key, where it is not AWS's own.
    pub kms_key: Option<String>,
    /// The tags.
    pub tags: Tags,
}

/// The proxy's log group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// For how many days it keeps events.
    pub retention: Option<i32>,
    /// The tags.
    pub tags: Tags,
}

/// A function that uses the proxy; it belongs to others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// The variables that lead to the proxy.
    pub variables: Vec<Variable>,
}

/// A variable that leads to the proxy, without its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub holds: Holds,
    /// Whether it leads to the read-only endpoint.
    pub reader: bool,
}

/// What a variable holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Holds {
    /// The host and nothing else.
    Host,
    /// The port and nothing else.
    Port,
    /// More than the host, such as a URL, and perhaps a password.
    More,
}
