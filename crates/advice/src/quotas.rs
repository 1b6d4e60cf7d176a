//! Quotas: what AWS allows, and how much of it is used.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::figure::{Amount, Fact, Figure, Origin};

/// Proxies of an account in a Region (RDS User Guide, "Limitations for RDS Proxy"; Service Quotas can raise it).
pub const PROXIES: u64 = 20;
/// Secrets of a proxy (the same page).
pub const SECRETS_PER_PROXY: u64 = 200;
/// Endpoints of a proxy besides its own (RDS User Guide, "Working with Amazon RDS Proxy endpoints").
pub const ENDPOINTS_PER_PROXY: u64 = 20;
/// Concurrent executions of an account in a Region (AWS Lambda Developer Guide, "Understanding Lambda function
/// scaling"); new accounts have fewer.
pub const CONCURRENCY: u64 = 1000;

/// A quota.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Quota {
    /// What is limited.
    pub what: Quantity,
    /// How many there may be.
    pub limit: Figure,
    /// How many there are, or will be.
    pub used: Figure,
    /// Whether one more fits; none where that is not known.
    pub fits: Option<bool>,
}

/// What a quota limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
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

/// Works out what is used of each quota.
pub(crate) fn of(facts: &Facts, possible: &Figure) -> Vec<Quota> {
    let account = &facts.account;
    let new = u64::from(facts.proxy.is_none());
    let proxies = match &account.proxies {
        Fact::Known { value, origin, source } => {
            Figure::new(Amount::exactly(value.saturating_add(new)), *origin, format!("{source}, and the one to create"))
        }
        Fact::Unknown { why } => Figure::unknown(why.clone()),
    };
    vec![
        quota(Quantity::Proxies, or_default(&account.proxies_quota, PROXIES), proxies),
        quota(Quantity::SecretsPerProxy, default(SECRETS_PER_PROXY), account.secrets.figure()),
        quota(Quantity::EndpointsPerProxy, default(ENDPOINTS_PER_PROXY), account.extra_endpoints.figure()),
        quota(Quantity::Concurrency, or_default(&account.concurrency, CONCURRENCY), possible.clone()),
    ]
}

fn default(limit: u64) -> Figure {
    Figure::new(Amount::exactly(limit), Origin::AwsTable, "AWS's default")
}

/// AWS's default where the account's own is not known: it can have been raised, and a new account's can be lower.
fn or_default(own: &Fact<u64>, limit: u64) -> Figure {
    match own {
        Fact::Known { .. } => own.figure(),
        Fact::Unknown { why } => Figure::new(
            Amount::exactly(limit),
            Origin::AwsTable,
            format!("AWS's default, since the account's own is not known ({why})"),
        ),
    }
}

fn quota(what: Quantity, limit: Figure, used: Figure) -> Quota {
    let fits = match (used.amount.low(), used.amount.high(), limit.amount.high()) {
        (_, Some(used), Some(limit)) if used <= limit => Some(true),
        (Some(used), _, Some(limit)) if used > limit => Some(false),
        _ => None,
    };
    Quota { what, limit, used, fits }
}
