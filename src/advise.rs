//! Whether a proxy helps, how large it is to be, and what it costs: the account is read here, and worked out in
//! `crates/advice`.
//!
//! Nothing is changed. What cannot be read becomes a gap with its reason, and never a zero: only the database itself,
//! its functions and the caller have to be readable.

mod base;
mod load;
mod money;
mod region;
mod sources;
mod supply;

use std::collections::BTreeMap;
use std::time::Duration;

use advice::Facts;
use advice::cost::Prices;
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
    /// Open shards of streams, and partitions of Kafka topics, by the name of the stream, table or topic.
    pub shards: BTreeMap<String, u64>,
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
/// When there is no such database, a proxy cannot serve it, the functions cannot be listed, or what is stated is of
/// something that does not use the database.
pub async fn read(cloud: &Cloud, question: &Question, now: i64) -> Result<Facts, Problem> {
    let region = Region::read(cloud, &question.functions).await?;
    let base = base::Base::read(cloud, question, &region).await?;
    all_stated_is_of(&base, question)?;
    Ok(facts(cloud, &base, question, now).await)
}

/// As [`read`], with what was read of the Region already; nothing where no function uses the database.
///
/// # Errors
/// When there is no such database, or a proxy cannot serve it.
pub async fn read_in(cloud: &Cloud, region: &Region, question: &Question, now: i64) -> Result<Option<Facts>, Problem> {
    let base = base::Base::read(cloud, question, region).await?;
    if base.functions.is_empty() {
        return Ok(None);
    }
    Ok(Some(facts(cloud, &base, question, now).await))
}

/// Refuses what is stated of a function or an event source that is not there: a slip of the pen would change nothing,
/// and nobody would see it.
fn all_stated_is_of(base: &base::Base<'_>, question: &Question) -> Result<(), Problem> {
    if let Some(name) = question.concurrency.keys().find(|name| base.functions.iter().all(|found| found.name != **name))
    {
        return Err(Problem::unfit(
            format!("taking --concurrency {name}=…: no function of that name uses {}", base.database.id),
            [format!("Functions that use it: {}", listed(base.functions.iter().map(|found| found.name.as_str())))],
        ));
    }
    let of_nothing = |name: &&String| base.region.mappings.is_ok() && sources::names(base).all(|found| found != **name);
    if let Some(name) = question.shards.keys().find(of_nothing) {
        return Err(Problem::unfit(
            format!(
                "taking --shards {name}=…: no stream, table or topic of that name invokes a function that uses {}",
                base.database.id
            ),
            [format!("Those that do: {}", listed(sources::names(base)))],
        ));
    }
    Ok(())
}

/// Names as a list, or that there is none.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: std::collections::BTreeSet<&str> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") }
}

async fn facts(cloud: &Cloud, base: &base::Base<'_>, question: &Question, now: i64) -> Facts {
    let money = async {
        let money = money::Money::read(cloud, base).await;
        let sizes = supply::sizes(cloud, base, &money).await;
        (money, sizes)
    };
    let (groups, load, (money, sizes), extra_endpoints) = tokio::join!(
        supply::Supply::groups(cloud, base),
        load::Load::read(cloud, question, base, now),
        money,
        extra_endpoints(cloud, base),
    );
    let supply = supply::Supply::new(sizes, groups);
    let region = base.region;
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
            || {
                Fact::known(
                    PROXIES,
                    Origin::AwsTable,
                    "AWS's default; the account's own is read once that many are reached",
                )
            },
            |quota| fact(quota.as_ref().map(|value| whole(*value)), Origin::Configured, "Service Quotas"),
        ),
        proxies: fact(region.proxies.as_ref().map(|all| all.len() as u64), Origin::Configured, "rds:DescribeDBProxies"),
        secrets: base.proxy.as_ref().map_or_else(
            || Fact::known(1, Origin::Assumed, "one secret, as a single database user needs"),
            |proxy| Fact::known(proxy.auth.len() as u64, Origin::Configured, "the proxy's secrets"),
        ),
        extra_endpoints,
    };
    Facts {
        region: cloud.region.clone(),
        database: supply.database(base, &load, &money),
        functions: load.functions(question, base),
        account,
        proxy: load.proxy(base),
        prices: Prices { log_bytes: load.log_bytes(base), ..money.prices },
        days: u64::from(question.days),
        assumptions: Assumptions::default(),
        gaps,
    }
}

/// The endpoints that the proxy has besides its own.
async fn extra_endpoints(cloud: &Cloud, base: &base::Base<'_>) -> Fact<u64> {
    match &base.proxy {
        None => Fact::known(0, Origin::Assumed, "a proxy has one endpoint, unless more are created"),
        Some(proxy) => fact(
            cloud.rds.endpoints(&proxy.name).await.as_ref().map(|found| found.len() as u64),
            Origin::Configured,
            "rds:DescribeDBProxyEndpoints",
        ),
    }
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
