//! What the functions cost: requests, and memory times duration (AWS Lambda pricing).
//!
//! The list price of the first tier. The free tier, savings plans, ephemeral storage and the time of initialization,
//! which `Duration` does not have, are left out.

use super::{HOURS, cents_of};
use crate::facts::{Facts, Function};
use crate::figure::{Amount, Fact, Figure, Gap, Origin, Room};

/// What prices are for: a million requests, a million gigabyte-seconds.
const MILLION: u128 = 1_000_000;

/// What all functions cost a month, in cents.
pub(super) fn of(facts: &Facts, gaps: &mut Vec<Gap>) -> Figure {
    let mut total = Amount::exactly(0);
    for function in &facts.functions {
        match monthly_cents(function, facts) {
            Ok(cents) => total = total.plus(Amount::exactly(cents)),
            Err(why) => {
                total = total.plus(Amount::Unknown);
                gaps.push(Gap::new(Room::Cost, format!("monthly cost of function {}", function.name), why));
            }
        }
    }
    let nothing = total.low().is_none_or(|low| low == 0) && !total.is_known();
    if nothing {
        return Figure::unknown("no function's cost is known");
    }
    let source = format!(
        "invocations, and memory times duration, of the last {} days; list price without the free tier and initialization",
        facts.days
    );
    Figure::new(total, Origin::Derived, source)
}

/// What one function costs a month, or why that is not known.
fn monthly_cents(function: &Function, facts: &Facts) -> Result<u64, String> {
    if function.per_environment.is_some() {
        return Err("Lambda Managed Instances are billed as EC2 instances".to_owned());
    }
    match function.provisioned.value() {
        Some(0) => {}
        Some(_) => return Err("provisioned concurrency has prices of its own, which are not worked out".to_owned()),
        None => return Err("its provisioned concurrency is not known".to_owned()),
    }
    let prices = &facts.prices;
    let second = if function.arm { &prices.million_gigabyte_seconds_arm } else { &prices.million_gigabyte_seconds };
    let invocations = u128::from(known(&function.invocations)?);
    // A function that nobody invokes has no duration, and costs nothing.
    let duration_ms = if invocations == 0 { 0 } else { u128::from(known(&function.duration_ms)?) };
    let memory_mib = u128::from(known(&function.memory_mib)?);
    let requests = invocations.saturating_mul(u128::from(known(&prices.million_requests)?));
    let compute =
        invocations.saturating_mul(duration_ms).saturating_mul(memory_mib).saturating_mul(u128::from(known(second)?))
            / (1_000 * 1_024);
    Ok(cents_of(a_month(requests.saturating_add(compute), facts.days) / MILLION))
}

fn known(fact: &Fact<u64>) -> Result<u64, String> {
    match fact {
        Fact::Known { value, .. } => Ok(*value),
        Fact::Unknown { why } => Err(why.clone()),
    }
}

/// What happened in so many days, in a month of 730 hours.
pub(super) fn a_month(amount: u128, days: u64) -> u128 {
    amount.saturating_mul(u128::from(HOURS)) / (24 * u128::from(days.max(1)))
}
