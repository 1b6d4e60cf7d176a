//! What flags offer to choose between.

/// Whether the proxy gets a read-only endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ReaderEndpoint {
    /// Where a function's variable holds the cluster's reader endpoint.
    Auto,
    /// In any case.
    Always,
    /// Never; such variables stay as they are.
    Never,
}

/// What must be proven before the functions are pointed at the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Verify {
    /// What the AWS APIs report.
    Static,
    /// A connection with each function's own role and network.
    Probe,
    /// Nothing but the target's health.
    None,
}

/// How functions log in at the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ClientAuth {
    /// Whatever keeps the functions working with no change of code.
    Auto,
    /// With IAM tokens.
    Iam,
    /// With a password.
    Password,
}

/// What the proxy's endpoint speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum NetworkType {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
    /// Both.
    Dual,
}

impl NetworkType {
    /// AWS's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "IPV4",
            Self::Ipv6 => "IPV6",
            Self::Dual => "DUAL",
        }
    }
}

/// How the proxy logs in at the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum DatabaseAuth {
    /// With the passwords of secrets.
    Secret,
    /// With IAM, end to end: no secret, no password.
    Iam,
}

/// How clients send their passwords to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ClientPasswordAuth {
    /// MySQL and MariaDB: `mysql_native_password`.
    MysqlNativePassword,
    /// MySQL: `caching_sha2_password`.
    #[value(name = "mysql-caching-sha2-password")]
    MysqlCachingSha2Password,
    /// PostgreSQL: SCRAM with SHA-256.
    #[value(name = "postgres-scram-sha-256")]
    PostgresScramSha256,
    /// PostgreSQL: MD5.
    PostgresMd5,
    /// SQL Server.
    SqlServerAuthentication,
}

impl ClientPasswordAuth {
    /// AWS's word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::MysqlNativePassword => "MYSQL_NATIVE_PASSWORD",
            Self::MysqlCachingSha2Password => "MYSQL_CACHING_SHA2_PASSWORD",
            Self::PostgresScramSha256 => "POSTGRES_SCRAM_SHA_256",
            Self::PostgresMd5 => "POSTGRES_MD5",
            Self::SqlServerAuthentication => "SQL_SERVER_AUTHENTICATION",
        }
    }
}

/// What a canary does where it is unknown whether functions are worse off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum OnUnknown {
    /// Ask on a terminal, and stop elsewhere.
    Ask,
    /// Stop; what has moved stays.
    Stop,
    /// Go on with the next wave.
    Continue,
}
