//! What each engine allows by default, and what it keeps to itself.
//!
//! Formulas: Amazon RDS User Guide, "Maximum number of database connections". Tables: Amazon Aurora User Guide,
//! "Maximum connections to an Aurora MySQL DB instance", "Maximum connections to an Aurora PostgreSQL DB instance" and
//! "Maximum connections for Aurora Serverless v2". PostgreSQL's reserved connections: PostgreSQL documentation,
//! "Connections and Authentication"; RDS adds `rds.rds_superuser_reserved_connections`, 2 by default.

use serde::{Deserialize, Serialize};

use crate::figure::Amount;

/// A database engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Engine {
    /// RDS for MySQL.
    Mysql,
    /// RDS for MariaDB.
    Mariadb,
    /// RDS for PostgreSQL.
    Postgresql,
    /// Aurora MySQL.
    AuroraMysql,
    /// Aurora PostgreSQL.
    AuroraPostgresql,
    /// RDS for SQL Server.
    SqlServer,
    /// One that no proxy serves.
    Other(String),
}

/// MySQL's default, and that of MariaDB before 10.5.
pub const MYSQL: &str = "{DBInstanceClassMemory/12582880}";
/// MariaDB's default from 10.5.
pub const MARIADB: &str = "LEAST({DBInstanceClassMemory/25165760},12000)";
/// PostgreSQL's default, and Aurora PostgreSQL's.
pub const POSTGRESQL: &str = "LEAST({DBInstanceClassMemory/9531392},5000)";
/// Aurora MySQL's default.
pub const AURORA_MYSQL: &str =
    "GREATEST({log(DBInstanceClassMemory/805306368)*45},{log(DBInstanceClassMemory/8187281408)*1000})";
/// SQL Server's `user connections` of 0: no limit but the engine's own.
pub const SQL_SERVER: u64 = 32_767;

impl Engine {
    /// Returns the engine that RDS calls by this name.
    #[must_use]
    pub fn from_rds(name: &str) -> Self {
        match name {
            "mysql" => Self::Mysql,
            "mariadb" => Self::Mariadb,
            "postgres" => Self::Postgresql,
            "aurora-mysql" | "aurora" => Self::AuroraMysql,
            "aurora-postgresql" => Self::AuroraPostgresql,
            name if name.starts_with("sqlserver") => Self::SqlServer,
            name => Self::Other(name.to_owned()),
        }
    }

    /// Returns the formula of the default parameter group.
    #[must_use]
    pub fn default_formula(&self, version: &str) -> Option<&'static str> {
        match self {
            Self::Mariadb if at_least(version, 10, 5) => Some(MARIADB),
            Self::Mysql | Self::Mariadb => Some(MYSQL),
            Self::Postgresql | Self::AuroraPostgresql => Some(POSTGRESQL),
            Self::AuroraMysql => Some(AURORA_MYSQL),
            Self::SqlServer | Self::Other(_) => None,
        }
    }

    /// Says whether the engine speaks PostgreSQL.
    #[must_use]
    pub const fn is_postgresql(&self) -> bool {
        matches!(self, Self::Postgresql | Self::AuroraPostgresql)
    }

    /// Says whether the engine is Aurora.
    #[must_use]
    pub const fn is_aurora(&self) -> bool {
        matches!(self, Self::AuroraMysql | Self::AuroraPostgresql)
    }

    /// Returns the default that Aurora publishes for a class, where its table has the class.
    #[must_use]
    pub fn published(&self, class: &str) -> Option<u64> {
        let table = match self {
            Self::AuroraMysql => AURORA_MYSQL_TABLE,
            Self::AuroraPostgresql => AURORA_POSTGRESQL_TABLE,
            _ => return None,
        };
        let (_, limit) = table.iter().find(|(name, _)| *name == class)?;
        Some(*limit)
    }

    /// Returns the default for Serverless v2, which follows the maximum capacity and not the current one.
    ///
    /// Between two rows of AWS's table it is between their limits.
    #[must_use]
    pub fn serverless(&self, min_half_acus: u64, max_half_acus: u64) -> Amount {
        let limit = |row: &(u64, u64, u64)| if self.is_postgresql() { row.2 } else { row.1 };
        if !self.is_aurora() {
            return Amount::Unknown;
        }
        let below = SERVERLESS_TABLE.iter().rev().find(|row| row.0 <= max_half_acus).map(limit);
        let above = SERVERLESS_TABLE.iter().find(|row| row.0 >= max_half_acus).map(limit);
        let limit = match (below, above) {
            // PostgreSQL's formula goes no further than 5,000.
            (Some(last), None) if self.is_postgresql() => Amount::exactly(last),
            (below, above) => Amount::of_ends(below, above),
        };
        // "capped at 2,000" with a minimum of 0 or 0.5 ACUs.
        if self.is_postgresql() && min_half_acus <= 1 { limit.capped(2000) } else { limit }
    }
}

/// Says whether a version such as `10.11.8-MariaDB` is at least `major.minor`. What is no version is not.
pub(crate) fn at_least(version: &str, major: u64, minor: u64) -> bool {
    let mut parts = version.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u64>().ok());
    let first = parts.next().flatten();
    let second = parts.next().flatten();
    first.is_some_and(|first| (first, second.unwrap_or(0)) >= (major, minor))
}

/// Aurora User Guide, "Maximum connections to an Aurora MySQL DB instance".
const AURORA_MYSQL_TABLE: &[(&str, u64)] = &[
    ("db.t2.small", 45),
    ("db.t2.medium", 90),
    ("db.t3.small", 45),
    ("db.t3.medium", 90),
    ("db.t3.large", 135),
    ("db.t4g.medium", 90),
    ("db.t4g.large", 135),
    ("db.r3.large", 1000),
    ("db.r3.xlarge", 2000),
    ("db.r3.2xlarge", 3000),
    ("db.r3.4xlarge", 4000),
    ("db.r3.8xlarge", 5000),
    ("db.r4.large", 1000),
    ("db.r4.xlarge", 2000),
    ("db.r4.2xlarge", 3000),
    ("db.r4.4xlarge", 4000),
    ("db.r4.8xlarge", 5000),
    ("db.r4.16xlarge", 6000),
    ("db.r5.large", 1000),
    ("db.r5.xlarge", 2000),
    ("db.r5.2xlarge", 3000),
    ("db.r5.4xlarge", 4000),
    ("db.r5.8xlarge", 5000),
    ("db.r5.12xlarge", 6000),
    ("db.r5.16xlarge", 6000),
    ("db.r5.24xlarge", 7000),
    ("db.r6g.large", 1000),
    ("db.r6g.xlarge", 2000),
    ("db.r6g.2xlarge", 3000),
    ("db.r6g.4xlarge", 4000),
    ("db.r6g.8xlarge", 5000),
    ("db.r6g.12xlarge", 6000),
    ("db.r6g.16xlarge", 6000),
];

/// Aurora User Guide, "Maximum connections to an Aurora PostgreSQL DB instance".
const AURORA_POSTGRESQL_TABLE: &[(&str, u64)] = &[
    ("db.t3.medium", 420),
    ("db.t4g.medium", 405),
    ("db.t3.large", 844),
    ("db.t4g.large", 844),
    ("db.r4.large", 1600),
    ("db.r4.xlarge", 3200),
    ("db.r4.2xlarge", 5000),
    ("db.r4.4xlarge", 5000),
    ("db.r4.8xlarge", 5000),
    ("db.r4.16xlarge", 5000),
    ("db.r5.large", 1600),
    ("db.r5.xlarge", 3300),
    ("db.r5.2xlarge", 5000),
    ("db.r5.4xlarge", 5000),
    ("db.r5.8xlarge", 5000),
    ("db.r5.12xlarge", 5000),
    ("db.r5.16xlarge", 5000),
    ("db.r5.24xlarge", 5000),
    ("db.r6g.large", 1722),
    ("db.r6g.xlarge", 3479),
    ("db.r6g.2xlarge", 5000),
    ("db.r6g.4xlarge", 5000),
    ("db.r6g.8xlarge", 5000),
    ("db.r6g.12xlarge", 5000),
    ("db.r6g.16xlarge", 5000),
];

/// Half ACUs of the maximum, and what Aurora MySQL and Aurora PostgreSQL allow: Aurora User Guide, "Maximum connections
/// for Aurora Serverless v2".
const SERVERLESS_TABLE: &[(u64, u64, u64)] = &[
    (2, 90, 189),
    (8, 135, 823),
    (16, 1000, 1669),
    (32, 2000, 3360),
    (64, 3000, 5000),
    (128, 4000, 5000),
    (256, 5000, 5000),
];
