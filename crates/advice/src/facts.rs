//! What the arithmetic takes in: the account as it was read, and the factors that nobody can read.
//!
//! Counts are whole numbers in named units (a minute's invocations, milliseconds, bytes, millionths of a dollar), so
//! that a trip through JSON changes nothing. What could not be read is [`Fact::Unknown`] with the reason, and never
//! zero.

use serde::{Deserialize, Serialize};

use crate::cost::Prices;
use crate::engine::Engine;
use crate::figure::{Fact, Gap, Origin};

/// Everything that advice is worked out from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// The Region's name.
    pub region: String,
    /// The database.
    pub database: Database,
    /// The functions that use it.
    pub functions: Vec<Function>,
    /// The account's limits.
    pub account: Account,
    /// The proxy that stands before the database already.
    pub proxy: Option<Proxy>,
    /// What things cost.
    pub prices: Prices,
    /// The days that metrics were read for.
    pub days: u64,
    /// Factors that are not read.
    pub assumptions: Assumptions,
    /// What could not be read at all, in the reader's words. Gaps of single facts are added to these.
    pub gaps: Vec<Gap>,
}

/// The database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Database {
    /// The instance's or cluster's identifier.
    pub name: String,
    /// The engine.
    pub engine: Engine,
    /// The engine's version, as RDS writes it.
    pub engine_version: String,
    /// Every instance of it, the writer first; an instance of RDS has one.
    pub instances: Vec<Instance>,
    /// The limits of Serverless v2, where instances are of the class `db.serverless`.
    pub serverless: Option<Serverless>,
    /// `max_connections` as the parameter groups have it.
    pub parameter: Fact<Parameter>,
    /// PostgreSQL's `superuser_reserved_connections`, where a parameter group sets it.
    pub superuser_reserved: Fact<Option<u64>>,
    /// PostgreSQL's `rds.rds_superuser_reserved_connections` (`reserved_connections` from 16), where a parameter group
    /// sets it.
    pub rds_reserved: Fact<Option<u64>>,
    /// The largest `DatabaseConnections` of the period, of the writer.
    pub measured_connections: Fact<u64>,
    /// The largest number of connections that clients other than these functions hold.
    pub other_connections: Fact<u64>,
    /// Whether it fails over: Multi-AZ, or a cluster with a reader.
    pub fails_over: Fact<bool>,
    /// `AllocatedStorage` in bytes, for formulas.
    pub allocated_storage_bytes: Option<u64>,
    /// The port, for formulas.
    pub port: Option<u64>,
    /// What the database itself costs a month, in cents.
    pub monthly_cents: Fact<u64>,
    /// The larger classes of its family, smallest first, with what they cost more a month.
    pub larger_classes: Fact<Vec<LargerClass>>,
    /// Whether the Data API serves this engine, version and class.
    pub data_api: Fact<bool>,
}

/// One instance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    /// Its identifier.
    pub name: String,
    /// Its class, such as `db.t3.medium`.
    pub class: String,
    /// The class's vCPUs.
    pub vcpus: Fact<u64>,
    /// The class's memory in bytes, as EC2 names it: more than `DBInstanceClassMemory`.
    pub memory_bytes: Fact<u64>,
}

/// The capacity of Serverless v2 in halves of an ACU, the step that RDS counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Serverless {
    /// `MinCapacity`, in half ACUs; 0 lets the cluster pause.
    pub min_half_acus: u64,
    /// `MaxCapacity`, in half ACUs.
    pub max_half_acus: u64,
    /// The average capacity of the period in half ACUs, summed over the instances, where it was measured.
    pub average_half_acus: Option<u64>,
}

/// `max_connections` of a parameter group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// The literal or the formula; absent where the engine's default applies.
    pub text: Option<String>,
    /// The group that it is from.
    pub group: String,
    /// Whether a reboot is pending, so that the text is not what the database uses now.
    pub pending_reboot: bool,
}

/// A larger class of the same engine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LargerClass {
    /// The class.
    pub class: String,
    /// Its memory in bytes, as AWS names it.
    pub memory_bytes: u64,
    /// Its vCPUs.
    pub vcpus: u64,
    /// What it costs more a month than today's class, in cents, for all instances.
    pub more_monthly_cents: Fact<u64>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Reserved concurrency; `None` inside is a function without one.
    pub reserved: Fact<Option<u64>>,
    /// Provisioned concurrency, of all versions and aliases.
    pub provisioned: Fact<u64>,
    /// Its event source mappings.
    pub sources: Fact<Vec<EventSource>>,
    /// Whether anything but those may invoke it: a resource policy, a function URL, a rule, a state machine.
    pub other_invokers: Fact<bool>,
    /// The concurrency of those other invokers, where a flag states it or a state machine's `MaxConcurrency` does.
    pub stated_concurrency: Option<Fact<u64>>,
    /// `PerExecutionEnvironmentMaxConcurrency` of Lambda Managed Instances: invocations that share an environment.
    pub per_environment: Option<u64>,
    /// The largest `ConcurrentExecutions` of the period.
    pub peak_concurrency: Fact<u64>,
    /// `Invocations` of the busiest minute.
    pub peak_invocations_per_minute: Fact<u64>,
    /// `Invocations` of the busiest hour, as a minute's average: what a queue has to keep up with.
    pub sustained_invocations_per_minute: Fact<u64>,
    /// The average `Duration` in milliseconds.
    pub duration_ms: Fact<u64>,
    /// `Invocations` of the whole period.
    pub invocations: Fact<u64>,
    /// Its memory in MiB.
    pub memory_mib: Fact<u64>,
    /// Whether it runs on Graviton (`arm64`), which has a price of its own.
    pub arm: bool,
    /// The function's timeout in seconds.
    pub timeout_seconds: u64,
    /// The largest number of `Throttles` of a minute.
    pub throttles_per_minute: Fact<u64>,
    /// The largest number of `Errors` of a minute.
    pub errors_per_minute: Fact<u64>,
    /// New environments of the busiest minute, as far as a rise of the concurrency shows them.
    pub cold_starts_per_minute: Fact<u64>,
    /// Connections that one environment opens, such as the size of its driver's pool.
    pub connections_per_environment: Fact<u64>,
    /// How long one invocation holds a connection between `BEGIN` and `COMMIT`, or for its statements, in
    /// microseconds.
    pub borrow_us: Fact<u64>,
    /// The variance of that time over the square of its mean, in percent: 0 is constant, 100 is exponential.
    pub borrow_variation_percent: Option<u64>,
    /// The share of connections that a proxy will pin, in percent.
    pub pinned_percent: Fact<u64>,
    /// Whether it logs in with IAM.
    pub iam_login: bool,
}

/// An event source mapping.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventSource {
    /// The mapping's identifier.
    pub uuid: String,
    /// What it reads from.
    pub source: Source,
}

/// What an event source mapping reads from, with what limits it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// A queue of Amazon SQS.
    Sqs {
        /// `ScalingConfig.MaximumConcurrency`.
        maximum_concurrency: Option<u64>,
    },
    /// A stream of Amazon Kinesis or DynamoDB.
    Stream {
        /// Its open shards.
        shards: Fact<u64>,
        /// `ParallelizationFactor`.
        parallelization: u64,
    },
    /// A topic of Apache Kafka.
    Kafka {
        /// Its partitions.
        partitions: Fact<u64>,
    },
    /// Another, without a limit of its own.
    Other {
        /// The service.
        service: String,
    },
}

/// The account's limits in this Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Lambda's concurrent executions.
    pub concurrency: Fact<u64>,
    /// What reserved concurrency leaves of it for functions without one.
    pub unreserved_concurrency: Fact<u64>,
    /// Proxies allowed, where Service Quotas says so.
    pub proxies_quota: Fact<u64>,
    /// Proxies there are.
    pub proxies: Fact<u64>,
    /// Secrets that the proxy has or will have.
    pub secrets: Fact<u64>,
    /// Endpoints that the proxy has or will have besides its own.
    pub extra_endpoints: Fact<u64>,
}

/// A proxy that stands before the database already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Proxy {
    /// Its name.
    pub name: String,
    /// `MaxConnectionsPercent`.
    pub max_connections_percent: Fact<u64>,
    /// `MaxDatabaseConnectionsAllowed`: what its pool may hold.
    pub connections_allowed: Fact<u64>,
    /// The largest `DatabaseConnectionsCurrentlyBorrowed`.
    pub peak_borrowed: Fact<u64>,
    /// The largest share of `DatabaseConnectionsCurrentlySessionPinned` in `DatabaseConnections`, in percent.
    pub pinned_percent: Fact<u64>,
    /// The largest average of `DatabaseConnectionsBorrowLatency`, in microseconds.
    pub borrow_latency_us: Fact<u64>,
}

/// A factor in percent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Factor {
    /// The factor in percent: 100 changes nothing.
    pub percent: u64,
    /// Assumed, or stated by a flag.
    pub origin: Origin,
    /// Whose factor it is.
    pub source: String,
}

impl Factor {
    fn assumed(percent: u64, source: &str) -> Self {
        Self { percent, origin: Origin::Assumed, source: source.to_owned() }
    }
}

/// Factors that are not read, each with whose it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assumptions {
    /// Connections with those of environments that were replaced and not yet freed.
    pub lingering: Factor,
    /// Concurrency of an SQS event source over its `MaximumConcurrency`.
    pub sqs_overshoot: Factor,
    /// What to allow above a peak.
    pub headroom: Factor,
    /// The share of the limit that may be in use at the peak.
    pub usable: Factor,
    /// Connections of a pool for each vCPU beyond which more of them only wait for the processor.
    pub pooled_per_vcpu: Factor,
    /// The longest wait for a connection that is acceptable, at the 99th percentile, in microseconds.
    pub wait_target_us: u64,
}

impl Default for Assumptions {
    fn default() -> Self {
        Self {
            lingering: Factor::assumed(
                200,
                "an old environment's connection can stay until TCP or the database drops it, so a replacement doubles \
                 them for a while; AWS names no time after which Lambda frees an idle environment",
            ),
            sqs_overshoot: Factor::assumed(
                150,
                "a user measured 30 concurrent executions at a setting of 20; AWS documents no overshoot",
            ),
            headroom: Factor::assumed(
                130,
                "AWS advises at least 30% above the highest monitored usage (RDS User Guide, RDS Proxy connection \
                 considerations)",
            ),
            usable: Factor::assumed(
                70,
                "the 30% of headroom that AWS advises, and where its dashboards draw the line (RDS User Guide)",
            ),
            pooled_per_vcpu: Factor::assumed(
                2500,
                "two busy connections a core are the PostgreSQL wiki's rule; twelve times that leaves room for \
                 transactions that wait for the client",
            ),
            wait_target_us: 10_000,
        }
    }
}
