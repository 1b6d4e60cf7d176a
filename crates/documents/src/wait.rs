//! What `wait` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// What was waited for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Wait {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// What it waited for.
    pub waited_for: WaitedFor,
    /// The proxy's host; null where there is none yet.
    pub endpoint: Option<String>,
    /// How long it waited.
    pub elapsed_seconds: u64,
}

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaitedFor {
    /// The proxy is available.
    Available,
    /// The proxy's target is available.
    Target,
    /// The functions point at the proxy.
    Functions,
}
