//! The pool as a queue: how long a client waits for a connection, and how many connections a load needs.
//!
//! Requests for a connection come at random (Poisson), each holds one for a time, and waits in one line where all are
//! held: M/M/c, with Erlang's formulas (Gross and Harris, "Fundamentals of Queueing Theory"; Cooper, "Introduction to
//! Queueing Theory"). Other times than exponential ones scale the wait by half of one plus their squared coefficient of
//! variation (Lee and Longton, "Queueing processes associated with airline passenger check-in", 1959).
//! `tests/queue/` holds this to a real pooler before a real database.

mod erlang;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use erlang::{Line, erlang_b, erlang_c, servers_for};

use crate::demand::Demand;
use crate::facts::Facts;
use crate::figure::{Amount, Fact, Figure, Gap, Origin, Room};
use crate::num::{float, percent_up, whole};

/// The quantile of the wait that the target is about.
pub const QUANTILE: f64 = 0.99;

/// The pool that the functions' load needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Pool {
    /// Requests for a connection in the busiest minute.
    pub requests_per_minute: Figure,
    /// How long one is held, on average, in microseconds.
    pub borrow_us: Figure,
    /// Connections that are busy on average at the peak, in hundredths.
    pub busy_hundredths: Figure,
    /// Connections that are pinned.
    pub pinned: Figure,
    /// The connections that the pool needs for the wait that is acceptable.
    pub connections: Figure,
    /// The wait with that pool at the 99th percentile, in microseconds.
    pub wait_us: Figure,
}

/// Works out the pool that the load needs.
pub(crate) fn of(facts: &Facts, demand: &Demand) -> (Pool, Vec<Gap>) {
    let mut gaps = Vec::new();
    let mut requests = 0u64;
    let mut busy_us = 0u128;
    let mut variation = 0u64;
    let mut complete = !facts.functions.is_empty();
    let mut pinned = Amount::exactly(0);
    for (function, asked) in facts.functions.iter().zip(&demand.functions) {
        let mut gap = |what: &str, why: &String| {
            gaps.push(Gap::new(Room::Load, format!("{what} of function {}", function.name), why.clone()));
        };
        match (&function.peak_invocations_per_minute, &function.borrow_us) {
            (Fact::Known { value: rate, .. }, Fact::Known { value: time, .. }) => {
                let free = rate.saturating_sub(percent_up(*rate, pinned_percent(facts, function).unwrap_or(0)));
                requests = requests.saturating_add(free);
                busy_us = busy_us.saturating_add(u128::from(free) * u128::from(*time));
            }
            (rate, time) => {
                complete = false;
                if let Fact::Unknown { why } = rate {
                    gap("invocations", why);
                }
                if let Fact::Unknown { why } = time {
                    gap("time that a connection is held", why);
                }
            }
        }
        variation = variation.max(function.borrow_variation_percent.unwrap_or(100));
        let share = pinned_percent(facts, function);
        if share.is_none()
            && let Fact::Unknown { why } = &function.pinned_percent
        {
            gap("pinning", why);
        }
        pinned = pinned.plus(match share {
            Some(share) => asked.expected.amount.map(|connections| percent_up(connections, share)),
            None => Amount::of_ends(Some(0), asked.expected.amount.high()),
        });
    }
    let pinned = Figure::new(pinned, Origin::Derived, "pinned clients each keep a connection of their own");
    let unknown = |what: &str| Figure::unknown(format!("{what} was not measured for every function"));
    if !complete {
        let pool = Pool {
            requests_per_minute: unknown("the rate of invocations or the time that a connection is held"),
            borrow_us: unknown("the time that a connection is held"),
            busy_hundredths: unknown("the load"),
            pinned,
            connections: unknown("the load"),
            wait_us: unknown("the load"),
        };
        return (pool, gaps);
    }
    let mean_us = u64::try_from(busy_us.checked_div(u128::from(requests)).unwrap_or(0)).unwrap_or(u64::MAX);
    let line = |servers| Line {
        servers,
        arrivals_per_second: float(requests) / 60.0,
        service_seconds: float(mean_us) / 1e6,
        variation: float(variation) / 100.0,
    };
    let load = line(1).load();
    let target = float(facts.assumptions.wait_target_us) / 1e6;
    let servers = servers_for(line, QUANTILE, target);
    let connections = servers.map_or(Amount::Unknown, Amount::exactly).plus(pinned.amount);
    let pool = Pool {
        requests_per_minute: Figure::new(
            Amount::exactly(requests),
            Origin::Measured,
            "invocations of the busiest minute that are not pinned, one transaction each",
        ),
        borrow_us: Figure::new(
            Amount::exactly(mean_us),
            Origin::Derived,
            "the average over the functions, by their rate",
        ),
        busy_hundredths: Figure::new(
            Amount::exactly(whole((load * 100.0).ceil())),
            Origin::Derived,
            "requests a second times the time that each holds a connection",
        ),
        pinned,
        connections: Figure::new(
            if servers.is_some() { connections } else { Amount::Unknown },
            if servers.is_some() { Origin::Derived } else { Origin::Unknown },
            format!(
                "the smallest pool in which 99 of 100 requests wait at most {} ms (Erlang C), and the pinned ones",
                facts.assumptions.wait_target_us / 1000
            ),
        ),
        wait_us: match servers {
            Some(servers) => Figure::new(
                Amount::exactly(whole((line(servers).wait_quantile(QUANTILE) * 1e6).ceil())),
                Origin::Derived,
                "the wait that 99 of 100 requests stay below, with that pool",
            ),
            None => Figure::unknown("no pool that a database could hold serves this load"),
        },
    };
    (pool, gaps)
}

/// The share that will be pinned: what the proxy measured, else what is expected of the function's driver.
fn pinned_percent(facts: &Facts, function: &crate::facts::Function) -> Option<u64> {
    let measured = facts.proxy.as_ref().and_then(|proxy| proxy.pinned_percent.value());
    measured.or(function.pinned_percent.value()).map(|percent| (*percent).min(100))
}
