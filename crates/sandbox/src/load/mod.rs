//! What the functions of the account do, as a rate and a behavior: metrics follow from it, and nothing else is stored.
//!
//! A function has a rate of invocations, a duration, and a driver that opens connections. Concurrency is rate times
//! duration (Little's law). Where a function connects follows from the environment variables of the version that is
//! called, so that a change of a variable, or of an alias, moves connections from a database to a proxy. An alias with
//! weights calls two versions, each with a share of the invocations. The past stays as it was: rates and routes are
//! kept with the moment of each change.

mod classes;
mod databases;
mod flow;
mod formula;
mod numbers;
mod presets;
mod proxies;
mod routes;
mod sample;
mod traffic;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::account::{Moment, World};

pub(super) use classes::{TYPES, Type};
pub(super) use databases::{InstanceMetric, engine_default, members};
pub use presets::Preset;
pub(super) use proxies::{ProxyMetric, Scope as ProxyScope};
pub(super) use sample::Sample;
pub(super) use traffic::{FunctionMetric, MINUTE, Traffic};

/// What the account's functions do.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Loads {
    /// Equal seeds give equal metrics.
    pub seed: u64,
    /// How long everything had been there already when the account's time began.
    pub history: Duration,
    /// What each function does, oldest first.
    pub functions: BTreeMap<String, Vec<Change>>,
    /// When an instance was created that has not been there for ever.
    pub created: BTreeMap<String, Moment>,
    /// Where each function connected, oldest first.
    routes: BTreeMap<String, Vec<routes::Seen>>,
}

/// A load from a moment on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Change {
    /// Since when; none for ever.
    pub since: Option<Moment>,
    /// The load.
    pub load: Load,
}

/// What one function does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Load {
    /// Invocations that arrive.
    pub rate: Rate,
    /// How long one takes on average, in milliseconds.
    pub duration: f64,
    /// The share of invocations that fail whatever the database does.
    pub errors: f64,
    /// Connections that one execution environment opens to each database that it knows.
    pub connections: u32,
    /// Whether they are closed at the end of each invocation, and not kept for the next.
    pub closes: bool,
    /// The share of an invocation in which a connection is in a transaction or runs a statement.
    pub busy: f64,
    /// The share of sessions that a proxy would have to pin.
    pub pinned: f64,
    /// The share of new connections that a proxy refuses at the log-in, because the client's user, password or token
    /// is wrong.
    #[serde(default)]
    pub refused: f64,
    /// Milliseconds of one vCPU of the database for an invocation.
    pub database_time: f64,
    /// How far concurrency goes beyond an event source's maximum for moments, while environments that end overlap
    /// those that begin: 1.5 means half as much again.
    pub overshoot: f64,
    /// What becomes of it once it connects to a proxy: what no configuration shows.
    #[serde(default)]
    pub at_proxy: AtProxy,
}

/// What becomes of a function that connects to a proxy.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AtProxy {
    /// It works as before.
    #[default]
    Works,
    /// Its log-in is refused: its driver does not speak the proxy's, or trusts other certificates. AWS counts both as
    /// `ClientConnectionsSetupFailedAuth`: "failed due to misconfigured authentication or TLS"
    /// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
    Refused,
    /// The proxy cannot log in to the database for it, which counts as `DatabaseConnectionsSetupFailed`.
    Failed,
    /// It takes three times as long.
    Slow,
    /// Each of its sessions is pinned.
    Pinned,
}

impl AtProxy {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Works, Self::Refused, Self::Failed, Self::Slow, Self::Pinned];

    /// Its name on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Works => "works",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Slow => "slow",
            Self::Pinned => "pinned",
        }
    }
}

impl Default for Load {
    fn default() -> Self {
        Self {
            rate: Rate::Constant(1.0),
            duration: 100.0,
            errors: 0.0,
            connections: 1,
            closes: false,
            busy: 0.3,
            pinned: 0.0,
            refused: 0.0,
            database_time: 5.0,
            overshoot: 1.0,
            at_proxy: AtProxy::Works,
        }
    }
}

/// Invocations a second, over time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    /// Always the same.
    Constant(f64),
    /// A wave a day.
    Daily {
        /// At its lowest, twelve hours from the peak.
        low: f64,
        /// At its highest.
        high: f64,
        /// The hour of its peak, UTC.
        peak_hour: f64,
    },
    /// Bursts at regular times, and little between them.
    Bursts {
        /// Between bursts.
        quiet: f64,
        /// In a burst.
        high: f64,
        /// From the beginning of one to the beginning of the next.
        every: Duration,
        /// How long one lasts.
        length: Duration,
    },
    /// One burst.
    Once {
        /// Before and after.
        quiet: f64,
        /// In it.
        high: f64,
        /// When it begins, in milliseconds since the account's time began; negative before.
        at: i64,
        /// How long it lasts.
        length: Duration,
    },
}

impl Rate {
    /// Invocations a second at a moment, in milliseconds since 1970.
    fn at(&self, moment: i64) -> f64 {
        match self {
            Self::Constant(rate) => *rate,
            Self::Daily { low, high, peak_hour } => {
                let hour = numbers::real(moment.rem_euclid(86_400_000)) / 3_600_000.0;
                let wave = f64::midpoint(1.0, ((hour - peak_hour) / 24.0 * std::f64::consts::TAU).cos());
                low + (high - low) * wave
            }
            Self::Bursts { quiet, high, every, length } => {
                let every = numbers::milliseconds(*every).max(1);
                if moment.rem_euclid(every) < numbers::milliseconds(*length) { *high } else { *quiet }
            }
            Self::Once { quiet, high, at, length } => {
                let begun = moment - Moment::default().unix_signed() - at;
                if (0..numbers::milliseconds(*length)).contains(&begun) { *high } else { *quiet }
            }
        }
    }
}

impl Loads {
    /// When the account's history begins, in milliseconds since 1970.
    pub(super) fn beginning(&self) -> i64 {
        Moment::default().unix_signed() - numbers::milliseconds(self.history)
    }

    /// Since when an instance has been there, in milliseconds since 1970.
    fn created(&self, instance: &str) -> i64 {
        self.created.get(instance).map_or_else(|| self.beginning(), |moment| moment.unix_signed())
    }

    /// The load of a function at a moment.
    fn load(&self, function: &str, moment: i64) -> Option<&Load> {
        let changes = self.functions.get(function)?;
        let begun = |change: &&Change| match change.since {
            Some(since) => since.unix_signed() <= moment,
            None => self.beginning() <= moment,
        };
        changes.iter().rev().find(begun).map(|change| &change.load)
    }
}

impl World {
    /// Gives a function another load from now on.
    pub fn set_load(&mut self, function: &str, load: Load) {
        let change = Change { since: Some(self.now), load };
        self.loads.functions.entry(function.to_owned()).or_default().push(change);
        routes::observe(self);
    }

    /// Gives a function a load that it has had for ever.
    pub fn set_load_for_ever(&mut self, function: &str, load: Load) {
        self.loads.functions.insert(function.to_owned(), vec![Change { since: None, load }]);
        self.loads.routes.remove(function);
        routes::observe(self);
    }

    /// Says what becomes of a function at a proxy; what it does elsewhere, and did, stays.
    pub fn set_at_proxy(&mut self, function: &str, at_proxy: AtProxy) {
        for change in self.loads.functions.get_mut(function).into_iter().flatten() {
            change.load.at_proxy = at_proxy;
        }
    }

    /// How many connections an instance takes, if that is known of its engine.
    #[must_use]
    pub fn max_connections(&self, instance: &str) -> Option<u32> {
        databases::max_connections(self, instance)
    }
}

/// Remembers what the variables of the functions' versions, and the weights of their aliases, say now.
pub(super) fn tick(world: &mut World) {
    if !world.loads.functions.is_empty() {
        routes::observe(world);
    }
}

#[cfg(test)]
mod tests;
