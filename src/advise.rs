//! Whether a proxy helps, how large it is to be, and what it costs: the account is read here, and worked out in `crates/advice`.
//!
//! Nothing is changed. What cannot be read becomes a gap with its reason, and never a zero: only the database itself, its
//! functions and the caller have to be readable.

mod base;
mod load;
mod money;
mod region;
mod supply;

use std::collections::BTreeMap;
use std::time::Duration;

use advice::Facts;
use advice::facts::{Account, Assumptions};
use advice::figure::{Fact, Gap, Origin};
use advice::quotas::PROXIES;

pub use money::{monthly, table_prices};
pub use region::Region;

use crate::cloud::Cloud;
use crate::discover::Problem;
use crate::spec::DatabaseRef;

/// What somebody wants to know, and what they state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The database.
    pub database: DatabaseRef,
    /// The proxy's name, if there is one.
    pub stack: String,
    /// The functions; empty: those that use the database.
    pub functions: Vec<String>,
    /// How far metrics are read back.
    pub days: u32,
    /// Concurrency that invokers other than event sources bring, by function.
    pub concurrency: BTreeMap<String, u64>,
    /// Connections that one environment opens.
    pub connections: Option<u64>,
    /// For how long an invocation holds a connection.
    pub hold: Option<Duration>,
    /// The share of connections that a proxy will pin, in percent.
    pub pinned: Option<u64>,
}

/// Reads everything that advice is worked out from; `now` is in seconds since 1970.
///
/// # Errors
/// When there is no such database, a proxy cannot serve it, or the functions cannot be listed.
pub async fn read(cloud: &Cloud, question: &Question, now: i64) -> Result<Facts, Problem> {
    let region = Region::read(cloud, &question.functions).await?;
    read_in(cloud, &region, question, now).await
}

/// As [`read`], with what was read of the Region already.
///
/// # Errors
/// When there is no such database, or a proxy cannot serve it.
pub async fn read_in(cloud: &Cloud, region: &Region, question: &Question, now: i64) -> Result<Facts, Problem> {
    let base = base::Base::read(cloud, question, region).await?;
    let (supply, load, prices) = tokio::join!(
        supply::Supply::read(cloud, &base),
        load::Load::read(cloud, question, &base, now),
        money::Money::read(cloud, &base),
    );
    let mut gaps: Vec<Gap> = base.gaps.clone();
    gaps.extend(load.gaps.iter().cloned());
    let account = Account {
        concurrency: fact(
            region.concurrency.as_ref().map(|found| found.total),
            Origin::Configured,
            "lambda:GetAccountSettings",
        ),
        unreserved_concurrency: fact(
            region.concurrency.as_ref().map(|found| found.unreserved),
            Origin::Configured,
            "lambda:GetAccountSettings",
        ),
        proxies_quota: region.proxies_quota.as_ref().map_or_else(
            || Fact::known(PROXIES, Origin::AwsTable, "AWS's default, which is far away"),
            |quota| fact(quota.as_ref().map(|value| whole(*value)), Origin::Configured, "Service Quotas"),
        ),
        proxies: fact(region.proxies.as_ref().map(|all| all.len() as u64), Origin::Configured, "rds:DescribeDBProxies"),
        secrets: base.proxy.as_ref().map_or_else(
            || Fact::known(1, Origin::Assumed, "one secret, as a single database user needs"),
            |proxy| Fact::known(proxy.auth.len() as u64, Origin::Configured, "the proxy's secrets"),
        ),
        extra_endpoints: 0,
    };
    let functions = load.functions(question, &base);
    Ok(Facts {
        region: cloud.region.clone(),
        database: supply.database(&base, &load, &prices),
        functions,
        account,
        proxy: load.proxy(&base),
        prices: prices.prices,
        assumptions: Assumptions::default(),
        gaps,
    })
}

/// What was read, or why it was not.
fn fact<T>(read: Result<T, &crate::cloud::Refusal>, origin: Origin, source: &str) -> Fact<T> {
    match read {
        Ok(value) => Fact::known(value, origin, source),
        Err(refusal) => Fact::unknown(refusal.to_string()),
    }
}

/// A count that AWS gives as a number with a point.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count of things, and what is negative or no number becomes zero"
)]
fn whole(value: f64) -> u64 {
    value.ceil() as u64
}
