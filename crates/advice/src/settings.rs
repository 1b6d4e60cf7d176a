//! The pool's settings, each with its reasons.
//!
//! Ranges and advice: Amazon RDS User Guide, "RDS Proxy connection considerations" and, newer, "Configuration
//! guidelines" of its best practices; the two differ in the minimum by class, and the newer one is taken.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::demand::Demand;
use crate::engine::Engine;
use crate::facts::Facts;
use crate::num::ratio_up;
use crate::queue::Pool;
use crate::supply::Supply;

/// Seconds that `IdleClientTimeout` may be: 1 minute to 8 hours.
const IDLE_CLIENT: std::ops::RangeInclusive<u64> = 60..=28_800;
/// Seconds that `ConnectionBorrowTimeout` may be; at 0 the pool does not grow.
const BORROW: std::ops::RangeInclusive<u64> = 1..=300;

/// The settings of a proxy and its target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// `MaxConnectionsPercent`, 1 to 100.
    pub max_connections_percent: Setting,
    /// `MaxIdleConnectionsPercent`, 0 to `MaxConnectionsPercent`.
    pub max_idle_connections_percent: Setting,
    /// `IdleClientTimeout` in seconds, 60 to 28,800.
    pub idle_client_timeout_seconds: Setting,
    /// `ConnectionBorrowTimeout` in seconds, 1 to 300.
    pub connection_borrow_timeout_seconds: Setting,
    /// What to do about an init query.
    pub init_query: String,
    /// The preset 50/25/300/120 held against these facts.
    pub preset: Preset,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Setting {
    /// The value.
    pub value: u64,
    /// Why.
    pub reasons: Vec<String>,
}

/// A preset, and whether it fits here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// `MaxConnectionsPercent`.
    pub max_connections_percent: u64,
    /// `MaxIdleConnectionsPercent`.
    pub max_idle_connections_percent: u64,
    /// `IdleClientTimeout`.
    pub idle_client_timeout_seconds: u64,
    /// `ConnectionBorrowTimeout`.
    pub connection_borrow_timeout_seconds: u64,
    /// Whether every part of it fits.
    pub fits: bool,
    /// What does not fit, and why.
    pub objections: Vec<String>,
}

/// Works out the settings.
pub(crate) fn of(facts: &Facts, demand: &Demand, supply: &Supply, pool: &Pool) -> Settings {
    let max = max_percent(facts, demand, supply, pool);
    let idle = idle_percent(facts, max.value);
    Settings {
        preset: preset(facts, supply, &max),
        max_connections_percent: max,
        max_idle_connections_percent: idle,
        idle_client_timeout_seconds: idle_client(facts),
        connection_borrow_timeout_seconds: borrow(facts),
        init_query: init_query(facts),
    }
}

/// AWS's minimum by class: "db.t3.small: 100, db.t3.medium: 55, db.t3.large: 35, db.r3.large or above: 20".
fn minimum(facts: &Facts) -> u64 {
    let class = facts.database.instances.first().map_or("", |writer| writer.class.as_str());
    let mut parts = class.split('.').skip(1);
    let burstable = parts.next().is_some_and(|family| family.starts_with('t'));
    match (burstable, parts.next()) {
        (_, Some("nano" | "micro" | "small")) => 100,
        (true, Some("medium")) => 55,
        (true, Some("large")) => 35,
        _ => 20,
    }
}

/// Connections as a share of the least that `max_connections` can be.
fn share(connections: u64, supply: &Supply) -> Option<u64> {
    let most = supply.max_connections.amount.low().filter(|most| *most > 0)?;
    Some(ratio_up(connections, 100, most))
}

/// The connections that the pool has to hold at the peak, and why.
fn needed(demand: &Demand, pool: &Pool) -> Option<(u64, &'static str)> {
    if let Some(connections) = pool.connections.amount.high() {
        return Some((connections, "the pool that the load needs"));
    }
    let clients = demand.expected.amount.high()?;
    Some((clients, "a connection for every client at the measured peak, since how many can share one is unknown"))
}

/// What other clients leave of 100 percent.
fn left_by_others(supply: &Supply) -> Option<u64> {
    let taken = supply.reserved.amount.plus(supply.internal.amount).plus(supply.others.amount).high()?;
    Some(100u64.saturating_sub(share(taken, supply)?))
}

fn max_percent(facts: &Facts, demand: &Demand, supply: &Supply, pool: &Pool) -> Setting {
    let mut reasons = Vec::new();
    let least = minimum(facts);
    let headroom = facts.assumptions.headroom.percent.max(100);
    let needed =
        needed(demand, pool).and_then(|(connections, why)| Some((connections, share(connections, supply)?, why)));
    let mut value = match needed {
        Some((connections, percent, why)) => {
            let value = ratio_up(percent, headroom, 100);
            reasons.push(format!(
                "{connections} connections ({why}) are {percent}% of max_connections; with {}% of headroom {value}%",
                headroom.saturating_sub(100)
            ));
            value
        }
        None if facts.database.engine == Engine::SqlServer => {
            reasons.push("10 is AWS's default for SQL Server, since its limit is 32,767".to_owned());
            10
        }
        None => {
            reasons.push("100 is AWS's default: what the pool needs is unknown".to_owned());
            100
        }
    };
    if let Some(served) = supply.served.amount.high().and_then(|served| share(served, supply))
        && value > served
    {
        value = served;
        reasons.push(format!("more than {served}% of max_connections would only wait for the vCPUs"));
    }
    if facts.database.engine != Engine::SqlServer && value < least {
        value = least;
        reasons.push(format!("AWS advises at least {least}% for this class"));
    }
    if let Some(left) = left_by_others(supply)
        && value > left
    {
        value = left;
        reasons.push(format!("other clients, RDS and superusers leave {left}%"));
    }
    Setting { value: value.clamp(1, 100), reasons }
}

fn idle_percent(facts: &Facts, max: u64) -> Setting {
    let (value, why) = if facts.database.engine == Engine::SqlServer {
        (max * 5 / 100, "AWS's default for SQL Server is 5% of MaxConnectionsPercent")
    } else if facts.database.serverless.is_some() {
        (max / 4, "idle connections keep the capacity of Serverless v2 up, so half of AWS's default")
    } else {
        (
            max / 2,
            "AWS's default, half of MaxConnectionsPercent, suits most workloads; more shortens the wait in bursts",
        )
    };
    Setting { value: value.min(max), reasons: vec![why.to_owned()] }
}

fn pins(facts: &Facts) -> bool {
    facts.proxy.as_ref().and_then(|proxy| proxy.pinned_percent.value()).is_some_and(|percent| *percent > 0)
        || facts.functions.iter().any(|function| function.pinned_percent.value().is_some_and(|percent| *percent > 0))
}

fn longest_timeout(facts: &Facts) -> Option<u64> {
    facts.functions.iter().map(|function| function.timeout_seconds).max()
}

fn shortest_timeout(facts: &Facts) -> Option<u64> {
    facts.functions.iter().map(|function| function.timeout_seconds).min()
}

fn idle_client(facts: &Facts) -> Setting {
    let longest = longest_timeout(facts).unwrap_or(0);
    let (value, why) = if pins(facts) {
        let value = longest.saturating_add(60).max(300);
        (
            value,
            format!(
                "a pinned client that is idle keeps a connection from others; no function runs longer than {longest} s"
            ),
        )
    } else {
        (
            longest.saturating_add(60).max(1800),
            "AWS's default of 30 minutes: an idle client keeps no connection from others, and a function whose client was \
             closed has to reconnect"
                .to_owned(),
        )
    };
    Setting { value: value.clamp(*IDLE_CLIENT.start(), *IDLE_CLIENT.end()), reasons: vec![why] }
}

fn borrow(facts: &Facts) -> Setting {
    let default = 120;
    let (value, why) = match shortest_timeout(facts) {
        Some(shortest) if shortest <= default => (
            shortest.saturating_mul(4) / 5,
            format!(
                "four fifths of the shortest timeout of a function ({shortest} s), so that it sees the proxy's error \
                 instead of being ended itself"
            ),
        ),
        Some(shortest) => {
            (default, format!("AWS's default, which is within the shortest timeout of a function ({shortest} s)"))
        }
        None => (default, "AWS's default".to_owned()),
    };
    Setting { value: value.clamp(*BORROW.start(), *BORROW.end()), reasons: vec![why] }
}

fn init_query(facts: &Facts) -> String {
    let what = "Move SET statements that every function sends after connecting into the init query, and take them out of \
                the functions: a statement that still comes from a client still pins.";
    if facts.database.engine.is_postgresql() {
        format!("{what} PostgreSQL drivers can send most of them as startup parameters instead.")
    } else if facts.database.engine == Engine::SqlServer {
        format!("{what} It does not run for clients with MARS.")
    } else {
        what.to_owned()
    }
}

/// 50/25/300/120, as people copy it from one guide to the next, held against these facts.
fn preset(facts: &Facts, supply: &Supply, max: &Setting) -> Preset {
    let (percent, idle, idle_client, borrow) = (50, 25, 300, 120);
    let mut objections = Vec::new();
    let least = minimum(facts);
    if facts.database.engine == Engine::SqlServer {
        objections.push("MaxConnectionsPercent 50 is five times AWS's default for SQL Server".to_owned());
    } else if percent < least {
        objections.push(format!("MaxConnectionsPercent {percent} is below AWS's minimum for this class, {least}"));
    }
    if let Some(left) = left_by_others(supply)
        && percent > left
    {
        objections.push(format!("MaxConnectionsPercent {percent} is more than the {left} that other clients leave"));
    }
    if max.value > percent.max(least) {
        objections.push(format!("MaxConnectionsPercent {percent} is less than this load needs, {}", max.value));
    }
    if let Some(longest) = longest_timeout(facts).filter(|longest| *longest > idle_client) {
        objections.push(format!(
            "IdleClientTimeout {idle_client} can close a connection inside an invocation: a function runs up to {longest} s"
        ));
    }
    if let Some(shortest) = shortest_timeout(facts).filter(|shortest| *shortest <= borrow) {
        objections.push(format!(
            "ConnectionBorrowTimeout {borrow} is not within a function's timeout of {shortest} s: it ends without the \
             proxy's error"
        ));
    }
    if facts.functions.is_empty() {
        objections.push("without functions there is nothing that it could fit".to_owned());
    }
    Preset {
        name: "50/25/300/120".to_owned(),
        max_connections_percent: percent,
        max_idle_connections_percent: idle,
        idle_client_timeout_seconds: idle_client,
        connection_borrow_timeout_seconds: borrow,
        fits: objections.is_empty(),
        objections,
    }
}
