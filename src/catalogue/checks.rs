//! What is known to go wrong with an RDS Proxy: one row a failure, each with the number that people search for.
//!
//! Pure data: the diagnosis judges by it, and `docs/troubleshooting.md` is written from it. A number never changes its
//! meaning; a row that is no longer needed leaves a gap.

mod clients;
mod credentials;
mod database;
mod network;
mod proxy;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Worth knowing; nothing is wrong.
    Notice,
    /// Something does not work, or will not.
    Warning,
    /// `up` stops at it.
    Error,
}

impl Severity {
    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// What a diagnosis says of a failure that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckInfo {
    /// The check.
    pub id: CheckId,
    /// The number in its name.
    pub number: u8,
    /// How bad it is, where nothing more is known.
    pub severity: Severity,
    /// What is wrong, in a few words.
    pub title: &'static str,
    /// What people see when it is not.
    pub symptom: &'static str,
    /// Why.
    pub cause: &'static str,
    /// What helps.
    pub fix: &'static str,
    /// The page of AWS's documentation that speaks of it: a name of the RDS or Aurora guide's, or `lambda`.
    page: &'static str,
    /// The reasons of a target's health that it explains; `INTERNAL` stands for the sentence without a reason.
    pub explains: &'static [&'static str],
}

impl CheckInfo {
    /// `RPX001`, …
    #[must_use]
    pub fn name(&self) -> String {
        format!("RPX{:03}", self.number)
    }

    /// What helps, for a terminal: the table is written for documents, where code is in backticks.
    #[must_use]
    pub fn advice(&self) -> String {
        self.fix.replace('`', "")
    }

    /// The address of AWS's page.
    #[must_use]
    pub fn url(&self) -> String {
        let guide = match self.page {
            "lambda" => return "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html".to_owned(),
            "lambda-versions" => {
                return "https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html".to_owned();
            }
            page if page.starts_with("aurora-") => "AuroraUserGuide",
            _ => "UserGuide",
        };
        format!("https://docs.aws.amazon.com/AmazonRDS/latest/{guide}/{}", self.page)
    }
}

/// A failure that is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CheckId {
    /// RDS Proxy does not serve this engine.
    Engine,
    /// The cluster is Aurora Serverless v1.
    ServerlessV1,
    /// The engine's version is not one for RDS Proxy.
    Version,
    /// The database is a read replica.
    Replica,
    /// The database is a member of a cluster.
    ClusterMember,
    /// The database does not run.
    DatabaseDown,
    /// The database takes no target yet.
    DatabaseBusy,
    /// The cluster has no instance.
    NoInstance,
    /// The VPC has dedicated tenancy.
    Tenancy,
    /// The VPC enforces encryption.
    EncryptionControl,
    /// The database is read-only.
    ReadOnlyParameter,
    /// Parameters wait for a reboot.
    ParameterPending,
    /// The least Serverless v2 capacity is too low for a proxy.
    ServerlessFloor,
    /// The Serverless v2 cluster cannot pause any more.
    NoMorePause,
    /// The proxy's own user cannot use the database postgres.
    PostgresDatabase,
    /// The connection pool is small.
    SmallPool,
    /// The cluster speaks TDS too.
    Babelfish,
    /// A switchover is under way.
    BlueGreen,
    /// There is no such database.
    NoDatabase,
    /// There are not two usable zones.
    Zones,
    /// A subnet is in a zone that RDS Proxy drops.
    ZoneUnsupported,
    /// The proxy's subnets are short of addresses.
    FreeAddresses,
    /// A network ACL is between proxy and database.
    AclToDatabase,
    /// A network ACL is between functions and proxy.
    AclToProxy,
    /// A route leads traffic within the VPC away.
    Route,
    /// The database's groups do not let the proxy in.
    DatabaseIngress,
    /// A shared group does not let its own members in.
    SharedGroup,
    /// The proxy's group lets nothing out to the database.
    ProxyEgress,
    /// The proxy's group does not let the functions in.
    ProxyIngress,
    /// A function's group allows no outbound traffic to the proxy.
    FunctionEgress,
    /// A group of ours is left without its proxy.
    OrphanGroup,
    /// There is no secret for the proxy.
    SecretMissing,
    /// A database user has no secret.
    SecretOfUser,
    /// A secret has the wrong shape.
    SecretShape,
    /// A secret is scheduled for deletion.
    SecretDeleted,
    /// The managed secret is impaired.
    SecretStatus,
    /// The proxy's role may not read a secret.
    RoleReadsSecret,
    /// The proxy's role does not trust RDS, or not always.
    RoleTrust,
    /// The proxy's role may not use a secret's key.
    KeyPolicy,
    /// A secret's key is disabled.
    KeyDisabled,
    /// IAM authentication of the database is off.
    IamOff,
    /// A user name was sent with a secret.
    UserNameInAuth,
    /// A secret's rotation alternates between users.
    Rotation,
    /// A function's role may not connect to this proxy.
    Connect,
    /// The proxy's role may not connect to the database.
    RoleConnects,
    /// Nothing shows that a secret, which a variable names, is this database's.
    SecretUnproven,
    /// A function is in no VPC.
    NoVpc,
    /// A function is in another VPC.
    OtherVpc,
    /// A function's variables cannot be read.
    HiddenVariables,
    /// An alias calls a version with the former host.
    FrozenVersion,
    /// A function's last update failed.
    UpdateFailed,
    /// A function turns TLS off.
    WithoutTls,
    /// A function trusts the wrong CA.
    WrongCa,
    /// A function sends a start-up option that is refused.
    StartupOptions,
    /// Functions and proxy do not agree on the login.
    LoginMismatch,
    /// A function goes past the proxy.
    GoesPast,
    /// Variables vanish after an update.
    VariablesVanish,
    /// Sessions are pinned.
    Pinning,
    /// A PostgreSQL client offers a way of logging in that the proxy does not take.
    ClearPassword,
    /// Idle connections are cut off.
    IdleClients,
    /// A MySQL client does not send the token whole.
    ClearPlugin,
    /// Nothing shows how functions log in.
    LoginUnknown,
    /// A variable holds the database's host in a form that is not changed.
    HiddenHost,
    /// Log-ins are refused.
    RefusedLogIns,
    /// The target is not available, for no reason that shows.
    Unexplained,
    /// The target is still scaling.
    Scaling,
    /// The proxy has no target.
    NotRegistered,
    /// The proxy serves another database.
    OtherTarget,
    /// A proxy of this name is not ours.
    ForeignProxy,
    /// The proxy is in a state that does not heal.
    ProxyState,
    /// The proxy is in one zone only.
    OneZone,
    /// The quota of proxies is used up.
    Quota,
    /// The account is on the free plan.
    FreePlan,
    /// Connections are throttled.
    Throttled,
    /// RDS found no addresses for the proxy.
    NoAddresses,
    /// Several proxies may use more connections than the database has.
    Overcommitted,
    /// A function points at a proxy that does not exist.
    DeadProxy,
    /// Clients wait for a connection.
    BorrowWaits,
    /// The proxy fails to connect to its database.
    FailedSetups,
    /// The target was unhealthy for a while.
    WasUnhealthy,
    /// Something else is in the way of up.
    Stops,
}

impl CheckId {
    /// What is said of it.
    #[must_use]
    pub fn info(self) -> &'static CheckInfo {
        all().find(|info| info.id == self).unwrap_or(&proxy::ROWS[proxy::ROWS.len() - 1])
    }
}

impl CheckId {
    /// Whether no proxy can serve such a database, so that `up` stops and `doctor` reports the same.
    #[must_use]
    pub fn is_refusal(self) -> bool {
        database::ROWS.iter().any(|info| info.id == self && info.severity == Severity::Error)
    }
}

/// All of them, by number.
pub fn all() -> impl Iterator<Item = &'static CheckInfo> {
    [&database::ROWS[..], &network::ROWS[..], &credentials::ROWS[..], &clients::ROWS[..], &proxy::ROWS[..]]
        .into_iter()
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_rise_and_every_check_has_its_row() {
        let rows: Vec<&CheckInfo> = all().collect();
        assert!(rows.windows(2).all(|pair| pair[0].number < pair[1].number));
        for info in rows {
            assert_eq!(info.id.info(), info);
            assert!(info.symptom.ends_with('.') && info.cause.ends_with('.'), "{}", info.name());
        }
    }
}
