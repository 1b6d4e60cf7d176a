//! How many connections the functions ask for: at the peak that was measured, and at the peak that is possible.
//!
//! One environment serves one invocation at a time and keeps its connections between invocations (AWS Lambda Developer
//! Guide, "Understanding Lambda function scaling" and "Understanding the Lambda execution environment lifecycle"), so
//! connections follow environments. What bounds environments: reserved concurrency; an SQS event source's
//! `MaximumConcurrency` (Developer Guide, "Configuring scaling behavior for SQS event source mappings"); a stream's
//! shards times its `ParallelizationFactor`; a Kafka topic's partitions, since one consumer reads each; else the
//! account's concurrency.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// What the functions ask for together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    /// Each function, in the order of the facts.
    pub functions: Vec<FunctionDemand>,
    /// Connections at the measured peaks.
    pub expected: Figure,
    /// Connections at the peaks that the configuration allows.
    pub possible: Figure,
    /// New environments in the busiest second.
    pub cold_starts_per_second: Figure,
}

/// What one function asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FunctionDemand {
    /// The function.
    pub function: String,
    /// Environments at the measured peak.
    pub expected_environments: Figure,
    /// Environments that the configuration allows.
    pub possible_environments: Figure,
    /// What keeps them from being more.
    pub bound: Bound,
    /// Connections of one environment.
    pub connections_per_environment: Figure,
    /// Connections at the measured peak.
    pub expected: Figure,
    /// Connections at the peak that the configuration allows.
    pub possible: Figure,
    /// Whether work can wait: only queues and streams invoke it.
    pub can_wait: bool,
    /// Concurrency that the busiest hour needs, without which a queue grows.
    pub sustained: Figure,
    /// Throttles of the busiest minute.
    pub throttles_per_minute: Figure,
}

/// What bounds a function's environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Its reserved concurrency.
    Reserved,
    /// The limits of its event sources, with what a flag or a state machine states for its other invokers.
    Sources,
    /// The account's concurrency.
    Account,
    /// Nothing that could be read.
    Unknown,
}
