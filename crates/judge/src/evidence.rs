//! What was read, as the arithmetic takes it.

use serde::{Deserialize, Serialize};

/// A value that may be unknown, and then why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading<T> {
    /// It was read.
    Known(T),
    /// It could not be read; time does not help.
    Unreadable(String),
    /// There is no data, or none yet.
    NoData(String),
}

impl<T> Reading<T> {
    /// The value, if it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            _ => None,
        }
    }
}

/// Some of many: log-ins that were refused of those that were tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many are bad.
    pub bad: u64,
    /// How many there are.
    pub all: u64,
}

/// What a function did in a span of time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Invocations that ran.
    pub invocations: u64,
    /// Those that failed.
    pub errors: u64,
    /// Invocations that were refused for lack of concurrency; they did not run.
    pub throttles: u64,
    /// The 95th percentile of the duration, in milliseconds.
    pub p95_ms: Reading<f64>,
}

/// A function before and after the change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Before the change.
    pub before: Reading<Counts>,
    /// Since the change.
    pub after: Reading<Counts>,
}

/// The proxy since the change, and before where it had clients then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proxy {
    /// Log-ins of clients that were refused, of those that were tried.
    pub refused: Reading<Share>,
    /// Connections to the database that could not be set up, of those that were tried.
    pub failed_setups: Reading<Share>,
    /// The mean wait for a connection, in milliseconds.
    pub borrow_ms: Reading<f64>,
    /// The share of the database's connections that are pinned, from 0 to 1.
    pub pinned: Reading<f64>,
    /// The availability in the mean of the span, in percent.
    pub available: Reading<f64>,
}

/// Everything that one wave is judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The functions that have moved.
    pub moved: Vec<Function>,
    /// The functions that have not, over the same two spans.
    pub control: Vec<Function>,
    /// The proxy.
    pub proxy: Proxy,
    /// How often the wave is judged at most: each look could err.
    pub looks: u32,
}
