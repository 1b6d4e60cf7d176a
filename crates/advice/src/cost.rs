//! Dollars a month.
//!
//! RDS Proxy is priced per vCPU-hour of every instance of its target, at least 2 vCPUs, and for Serverless v2 per
//! ACU-hour, at least 8 ACUs (Amazon RDS Proxy pricing). AWS's own calculator counts 730 hours a month.

mod functions;
mod table;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use table::{TableError, prices_of};

use crate::facts::{Facts, Serverless};
use crate::figure::{Amount, Fact, Figure, Gap, Origin, Room};
use crate::verdict::{Change, Need, Verdict};

/// Hours of a month, as AWS's calculator counts.
pub const HOURS: u64 = 730;
/// The least that is billed: 2 vCPUs, 8 ACUs.
const LEAST_VCPUS: u64 = 2;
const LEAST_HALF_ACUS: u64 = 16;
/// The class of Serverless v2.
const SERVERLESS: &str = "db.serverless";

/// Writes cents as dollars.
#[must_use]
pub fn dollars(cents: u64) -> String {
    format!("${}.{:02}", cents / 100, cents % 100)
}

/// What things cost in a Region, in millionths of a dollar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// A vCPU-hour of a proxy.
    pub vcpu_hour: Fact<u64>,
    /// An ACU-hour of a proxy.
    pub acu_hour: Fact<u64>,
    /// An hour of an interface endpoint in one Availability Zone.
    pub endpoint_zone_hour: Fact<u64>,
    /// A gigabyte of logs taken in.
    pub log_gigabyte: Fact<u64>,
    /// Bytes that the proxy's log group took in during the period.
    pub log_bytes: Fact<u64>,
    /// Availability Zones of each extra endpoint.
    pub endpoint_zones: u64,
    /// A million invocations of a function.
    pub million_requests: Fact<u64>,
    /// A million gigabyte-seconds of a function on x86.
    pub million_gigabyte_seconds: Fact<u64>,
    /// A million gigabyte-seconds of a function on Graviton.
    pub million_gigabyte_seconds_arm: Fact<u64>,
}

/// What a proxy costs, beside what else there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// The proxy a month, in cents.
    pub monthly_cents: Figure,
    /// What it consists of.
    pub lines: Vec<CostLine>,
    /// The database a month, in cents.
    pub database_monthly_cents: Figure,
    /// The functions a month, in cents.
    pub functions_monthly_cents: Figure,
    /// What else would do, and what it costs.
    pub alternatives: Vec<Alternative>,
}

/// A part of the cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CostLine {
    /// What is billed, such as "2 vCPUs of db.t3.medium".
    pub what: String,
    /// Units: vCPUs, ACUs, endpoints in a zone, gigabytes.
    pub units: Figure,
    /// The price of a unit's hour (of a gigabyte for logs), in millionths of a dollar.
    pub price: Figure,
    /// A month of it, in cents.
    pub monthly_cents: Figure,
}

/// Another way, and what it costs more a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alternative {
    /// What it is.
    pub way: Way,
    /// What it costs more a month, in cents.
    pub more_monthly_cents: Figure,
}

/// Another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// Limits on concurrency.
    LimitConcurrency,
    /// A larger class.
    LargerClass {
        /// The smallest class that takes the peak; none where no such class is known.
        class: Option<String>,
    },
    /// The Data API.
    DataApi,
}

/// Works out what a proxy costs.
pub(crate) fn of(facts: &Facts) -> (Cost, Vec<Gap>) {
    let mut gaps = Vec::new();
    let mut lines = Vec::new();
    lines.extend(provisioned(facts, &mut gaps));
    lines.extend(serverless(facts, &mut gaps));
    lines.extend(endpoints(facts, &mut gaps));
    lines.extend(logs(facts, &mut gaps));
    let functions_monthly_cents = functions::of(facts, &mut gaps);
    let total = lines.iter().map(|line| line.monthly_cents.amount).reduce(Amount::plus).unwrap_or(Amount::Unknown);
    let cost = Cost {
        monthly_cents: Figure::new(
            total,
            if total == Amount::Unknown { Origin::Unknown } else { Origin::Derived },
            if total == Amount::Unknown {
                "the price of a part is not known".to_owned()
            } else {
                format!("the sum of its parts, at {HOURS} hours a month")
            },
        ),
        lines,
        database_monthly_cents: facts.database.monthly_cents.figure(),
        functions_monthly_cents,
        alternatives: Vec::new(),
    };
    (cost, gaps)
}

/// Adds what else would do, where something has to be done.
pub(crate) fn with_alternatives(mut cost: Cost, facts: &Facts, verdict: &Verdict) -> Cost {
    if !verdict.limits.is_empty() {
        cost.alternatives.push(Alternative {
            way: Way::LimitConcurrency,
            more_monthly_cents: Figure::new(
                Amount::exactly(0),
                Origin::AwsTable,
                "reserved concurrency and MaximumConcurrency have no charge (AWS Lambda Developer Guide)",
            ),
        });
    }
    if matches!(verdict.need, Need::Limits | Need::Pool) {
        cost.alternatives.push(larger_class(facts, verdict));
    }
    if verdict.changes.contains(&Change::DataApi) {
        cost.alternatives
            .push(Alternative { way: Way::DataApi, more_monthly_cents: Figure::unknown(data_api_requests(facts)) });
    }
    cost
}

/// The smallest class that takes the peak, or why there is none.
fn larger_class(facts: &Facts, verdict: &Verdict) -> Alternative {
    let found = verdict.changes.iter().find_map(|change| match change {
        Change::LargerClass { class, .. } => Some(class),
        _ => None,
    });
    let all = &facts.database.larger_classes;
    let more_monthly_cents = match (found, all) {
        (_, Fact::Unknown { why }) => Figure::unknown(why.clone()),
        (Some(class), Fact::Known { value, .. }) => value
            .iter()
            .find(|larger| larger.class == *class)
            .map_or_else(|| Figure::unknown("its price is not known"), |larger| larger.more_monthly_cents.figure()),
        (None, Fact::Known { source, .. }) => Figure::unknown(format!("none is known to take the peak ({source})")),
    };
    Alternative { way: Way::LargerClass { class: found.cloned() }, more_monthly_cents }
}

/// How many requests the Data API would be billed for, as far as that is known.
fn data_api_requests(facts: &Facts) -> String {
    const HOW: &str = "the Data API is billed for each request, a statement of up to 32 KB";
    let all: Option<u64> =
        facts.functions.iter().try_fold(0u64, |sum, function| Some(sum.saturating_add(*function.invocations.value()?)));
    match all {
        Some(all) => {
            let month = functions::a_month(u128::from(all), facts.days);
            format!(
                "{HOW}: {month} a month if each invocation sends one; for the price of one see Amazon Aurora pricing"
            )
        }
        None => format!("{HOW}, and how many there are is not known"),
    }
}

/// How much there is of something that costs; none where there is nothing of it, or where that is a gap.
fn some_of(fact: &Fact<u64>, what: &str, gaps: &mut Vec<Gap>) -> Option<u64> {
    match fact {
        Fact::Known { value, .. } => Some(*value).filter(|value| *value > 0),
        Fact::Unknown { why } => {
            gaps.push(Gap::new(Room::Cost, what, why.clone()));
            None
        }
    }
}

/// Each endpoint besides the proxy's own is an interface endpoint of `AWS PrivateLink` (RDS User Guide, "Working with
/// Amazon RDS Proxy endpoints").
fn endpoints(facts: &Facts, gaps: &mut Vec<Gap>) -> Option<CostLine> {
    let zones = facts.prices.endpoint_zones;
    let count = some_of(&facts.account.extra_endpoints, "further endpoints of the proxy", gaps)?;
    let what = format!("further endpoints ({count}, in {zones} zones each)");
    let units = Amount::exactly(count.saturating_mul(zones));
    Some(line(what, units, HOURS, &facts.prices.endpoint_zone_hour, gaps))
}

/// What the proxy logs, in megabytes, since debug logging alone makes it more than a few of them.
fn logs(facts: &Facts, gaps: &mut Vec<Gap>) -> Option<CostLine> {
    let bytes = some_of(&facts.prices.log_bytes, "what the proxy logs", gaps)?;
    let month = functions::a_month(u128::from(bytes), facts.days).div_ceil(1_000_000);
    let megabyte = match &facts.prices.log_gigabyte {
        Fact::Known { value, origin, source } => {
            Fact::known(value.div_ceil(1_000), *origin, format!("a thousandth of {source}"))
        }
        unknown @ Fact::Unknown { .. } => unknown.clone(),
    };
    let units = Amount::exactly(u64::try_from(month).unwrap_or(u64::MAX));
    Some(line("megabytes of the proxy's logs".to_owned(), units, 1, &megabyte, gaps))
}

fn provisioned(facts: &Facts, gaps: &mut Vec<Gap>) -> Option<CostLine> {
    let instances: Vec<_> = facts.database.instances.iter().filter(|instance| instance.class != SERVERLESS).collect();
    if instances.is_empty() {
        return None;
    }
    let mut total = Amount::exactly(0);
    // Whether the minimum of 2 vCPUs is of the proxy or of each instance, AWS does not say; it matters for classes with
    // one vCPU alone.
    let mut of_each = Amount::exactly(0);
    for instance in &instances {
        if let Fact::Unknown { why } = &instance.vcpus {
            gaps.push(Gap::new(Room::Cost, format!("vCPUs of {}", instance.class), why.clone()));
        }
        let vcpus = instance.vcpus.figure().amount;
        total = total.plus(vcpus);
        of_each = of_each.plus(vcpus.at_least(LEAST_VCPUS));
    }
    let units = Amount::of_ends(total.at_least(LEAST_VCPUS).low(), of_each.high());
    let mut classes: Vec<&str> = instances.iter().map(|instance| instance.class.as_str()).collect();
    classes.dedup();
    let what = match instances.len() {
        1 => format!("vCPUs of {}", classes.join(", ")),
        several => format!("vCPUs of {several} instances ({})", classes.join(", ")),
    };
    Some(line(what, units, HOURS, &facts.prices.vcpu_hour, gaps))
}

fn serverless(facts: &Facts, gaps: &mut Vec<Gap>) -> Option<CostLine> {
    let Serverless { min_half_acus, max_half_acus, average_half_acus } = facts.database.serverless?;
    let instances = facts.database.instances.iter().filter(|instance| instance.class == SERVERLESS).count();
    let instances = u64::try_from(instances).unwrap_or(u64::MAX).max(1);
    let half_acus = match average_half_acus {
        Some(average) => Amount::exactly(average.max(LEAST_HALF_ACUS)),
        None => Amount::between(
            min_half_acus.saturating_mul(instances).max(LEAST_HALF_ACUS),
            max_half_acus.saturating_mul(instances).max(LEAST_HALF_ACUS),
        ),
    };
    // Two halves are an ACU: half the price each.
    let halves = match &facts.prices.acu_hour {
        Fact::Known { value, origin, source } => {
            Fact::known(value.div_ceil(2), *origin, format!("half of {source}, for half ACUs"))
        }
        unknown @ Fact::Unknown { .. } => unknown.clone(),
    };
    Some(line("half ACUs of Serverless v2 (at least 16)".to_owned(), half_acus, HOURS, &halves, gaps))
}

fn line(what: String, units: Amount, times: u64, price: &Fact<u64>, gaps: &mut Vec<Gap>) -> CostLine {
    if let Fact::Unknown { why } = price {
        gaps.push(Gap::new(Room::Cost, format!("price of {what}"), why.clone()));
    }
    let price = price.figure();
    let cents = |units: Option<u64>| {
        Some(cents_of((u128::from(units?) * u128::from(price.amount.high()?)).saturating_mul(u128::from(times))))
    };
    let amount = match (cents(units.low()), cents(units.high())) {
        (None, None) => Amount::Unknown,
        (low, high) => Amount::of_ends(low, high),
    };
    CostLine {
        monthly_cents: Figure::new(
            amount,
            if amount == Amount::Unknown { Origin::Unknown } else { price.origin },
            price.source.clone(),
        ),
        what,
        units: Figure::new(units, Origin::Derived, "AWS bills at least 2 vCPUs, and at least 8 ACUs"),
        price,
    }
}

/// Millionths of a dollar as cents, to the nearest.
fn cents_of(millionths: u128) -> u64 {
    u64::try_from(millionths.saturating_add(5_000) / 10_000).unwrap_or(u64::MAX)
}
