//! The answer: whether a proxy helps here, why, and what would change that.

mod judge;
mod limits;
mod sentences;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use judge::{Parts, of};

use crate::figure::{Figure, Gap};

/// The answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Even the possible peak fits.
    NotNeeded,
    /// It fits once concurrency is limited as listed, and nothing that was measured is throttled.
    NotNeededIfLimited,
    /// The peak does not fit, and a pool can share connections.
    Helps,
    /// The peak fits; a proxy shortens a failover and that is all.
    FailoverOnly,
    /// The peak does not fit, and a pool cannot share connections here.
    WillNotHelp,
    /// The peak fits, and a proxy costs more than it gives.
    Harmful,
    /// Too little could be read.
    CannotTell,
}

/// How much the connections need something done, least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// Nothing: the possible peak fits.
    Nothing,
    /// Not known.
    Unknown,
    /// Limits on concurrency.
    Limits,
    /// A pool, a larger class, or less demand.
    Pool,
}

/// The verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// The answer.
    pub kind: Kind,
    /// How much the connections need something done.
    pub need: Need,
    /// The peak that the answer is about.
    pub peak: Figure,
    /// The limit that it was held against.
    pub limit: Figure,
    /// Why.
    pub reasons: Vec<Reason>,
    /// The limits on concurrency that would do.
    pub limits: Vec<Limit>,
    /// What would change the answer.
    pub changes: Vec<Change>,
    /// What was missing for a better answer.
    pub gaps: Vec<Gap>,
    /// The answer in one sentence.
    pub sentence: String,
}

/// Why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Reason {
    /// The possible peak is within the limit.
    PossiblePeakFits,
    /// The measured peak is within the limit, the possible one is not.
    OnlyMeasuredPeakFits,
    /// The measured peak is over the limit.
    MeasuredPeakExceeds,
    /// The database refused or nearly refused connections already.
    AlreadyAtTheLimit {
        /// The connections that were measured.
        measured: u64,
    },
    /// More connections were measured than functions and other clients explain: environments open more than is known,
    /// or do not close them.
    MeasuredMoreThanExplained {
        /// The connections that were measured.
        measured: u64,
        /// The most that functions and other clients explain.
        explained: u64,
    },
    /// Functions whose concurrency cannot be limited below the limit without throttling what was measured.
    CannotBeLimited {
        /// The functions.
        functions: Vec<String>,
    },
    /// A proxy keeps connections through a failover.
    FailsOver,
    /// This many connections of a pool serve the load.
    PoolServes {
        /// The pool.
        connections: u64,
    },
    /// How well connections can be shared is unknown: no time that a connection is held was measured.
    SharingUnknown,
    /// Connections will be pinned, so each client keeps its own.
    Pinning {
        /// The share that is pinned, in percent.
        percent: u64,
    },
    /// Transactions last nearly as long as invocations, so there is nothing to share.
    LongTransactions {
        /// The pool that the load needs.
        needed: u64,
    },
    /// The engine or version is one that no proxy serves.
    Unsupported {
        /// What is not served.
        what: String,
    },
    /// SQL Server: its own limit is far above any peak, and most sessions pin.
    SqlServer,
    /// Serverless v2 could pause, and with a proxy it never does.
    LosesAutoPause,
    /// Serverless v2 is billed for at least 8 ACUs.
    EightAcuMinimum {
        /// The ACUs of the measured average or the minimum, in halves.
        half_acus: u64,
    },
    /// A proxy may wait for capacity without end at this minimum.
    LowCapacityStalls,
    /// The proxy costs more than the database.
    CostsMoreThanDatabase {
        /// The proxy's cost a month, in cents.
        proxy_cents: u64,
        /// The database's.
        database_cents: u64,
    },
    /// The processor is the limit before the connections are.
    ProcessorFirst {
        /// Connections of a pool that the vCPUs serve.
        served: u64,
    },
    /// New connections come faster than IAM log-in allows.
    LoginRate,
    /// A proxy is there already.
    ProxyExists {
        /// Its name.
        name: String,
    },
}

/// A limit on a function's concurrency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limit {
    /// The function.
    pub function: String,
    /// Where the limit is set.
    pub place: Place,
    /// The limit.
    pub value: u64,
}

/// Where a limit is set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "place", rename_all = "snake_case")]
pub enum Place {
    /// The function's reserved concurrency.
    ReservedConcurrency,
    /// `ScalingConfig.MaximumConcurrency` of an SQS event source mapping.
    SqsMaximumConcurrency {
        /// The mapping.
        uuid: String,
    },
}

/// What would change the answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum Change {
    /// A peak beyond this many connections.
    PeakAbove {
        /// The connections.
        connections: u64,
    },
    /// A limit of at least this many connections.
    MaxConnectionsAtLeast {
        /// The limit.
        connections: u64,
    },
    /// A class that takes the peak.
    LargerClass {
        /// The smallest such class.
        class: String,
        /// What it costs more a month, in cents, where that is known.
        more_monthly_cents: Option<u64>,
    },
    /// Concurrency limited as the limits say.
    LimitConcurrency,
    /// Fewer connections of each environment.
    OneConnectionPerEnvironment {
        /// The functions that open more.
        functions: Vec<String>,
    },
    /// No more pinning.
    NoPinning,
    /// Shorter transactions.
    ShorterTransactions,
    /// A failover that matters.
    FailoverMatters,
    /// The reboot that is pending.
    Reboot,
    /// What is missing, read.
    FillGaps,
    /// The Data API, which needs no connections.
    DataApi,
}
