//! Quotas: what AWS allows, and how much of it is used.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// A quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// What is limited.
    pub what: Quantity,
    /// How many there may be.
    pub limit: Figure,
    /// How many there are, or will be.
    pub used: Figure,
    /// Whether one more fits; absent where that is not known.
    pub fits: Option<bool>,
}

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Proxies of an account in a Region.
    Proxies,
    /// Secrets of a proxy.
    SecretsPerProxy,
    /// Endpoints of a proxy besides its own.
    EndpointsPerProxy,
    /// Lambda's concurrent executions of an account in a Region.
    Concurrency,
}
