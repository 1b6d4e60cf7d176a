//! Erlang's formulas by recurrences that neither overflow nor cancel.

use crate::num::float;

/// The largest pool that is looked at: PostgreSQL's `max_connections` goes to 262,143.
const MOST_SERVERS: u64 = 262_143;

/// Returns the probability that all servers are busy in a system without a line (Erlang B), for an offered load in
/// Erlang.
///
/// The recurrence `B(c) = a B(c-1) / (c + a B(c-1))` has positive terms only.
#[must_use]
pub fn erlang_b(servers: u64, load: f64) -> f64 {
    if load <= 0.0 {
        return if servers == 0 { 1.0 } else { 0.0 };
    }
    let mut blocked = 1.0;
    for server in 1..=servers.min(MOST_SERVERS) {
        blocked = load * blocked / (float(server) + load * blocked);
    }
    blocked
}

/// Returns the probability that a request waits (Erlang C), 1 where the load is beyond the servers.
#[must_use]
pub fn erlang_c(servers: u64, load: f64) -> f64 {
    waiting(erlang_b(servers, load), servers, load)
}

fn waiting(blocked: f64, servers: u64, load: f64) -> f64 {
    let servers = float(servers);
    if load >= servers {
        return 1.0;
    }
    (servers * blocked / (servers - load * (1.0 - blocked))).clamp(0.0, 1.0)
}

/// Servers with one line before them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The servers: connections of a pool.
    pub servers: u64,
    /// Arrivals a second.
    pub arrivals_per_second: f64,
    /// The mean time of service in seconds.
    pub service_seconds: f64,
    /// The squared coefficient of variation of that time: 1 is exponential, 0 constant.
    pub variation: f64,
}

impl Line {
    /// Returns the offered load in Erlang: servers that are busy on average.
    #[must_use]
    pub fn load(&self) -> f64 {
        self.arrivals_per_second * self.service_seconds
    }

    /// Returns the probability that a request waits.
    #[must_use]
    pub fn wait_probability(&self) -> f64 {
        erlang_c(self.servers, self.load())
    }

    /// Returns the mean wait in seconds, infinite where the load is beyond the servers.
    #[must_use]
    pub fn mean_wait(&self) -> f64 {
        if self.load() <= 0.0 {
            return 0.0;
        }
        match self.spare() {
            Some(spare) => self.scale() * self.wait_probability() / spare,
            None => f64::INFINITY,
        }
    }

    /// Returns the wait in seconds that this share of requests stays below.
    #[must_use]
    pub fn wait_quantile(&self, share: f64) -> f64 {
        self.quantile(self.wait_probability(), share)
    }

    /// `P(W > t) = C exp(-(c/s - r) t)` for exponential times; others by the same scale as the mean.
    fn quantile(&self, probability: f64, share: f64) -> f64 {
        if self.load() <= 0.0 || probability <= 1.0 - share {
            return 0.0;
        }
        match self.spare() {
            Some(spare) => self.scale() * (probability / (1.0 - share)).ln() / spare,
            None => f64::INFINITY,
        }
    }

    /// What the servers could serve a second beyond what comes.
    fn spare(&self) -> Option<f64> {
        let spare = (float(self.servers) - self.load()) / self.service_seconds;
        (spare > 0.0).then_some(spare)
    }

    fn scale(&self) -> f64 {
        f64::midpoint(1.0, self.variation)
    }
}

/// Returns the fewest servers whose wait stays below a target (in seconds) for a share of requests.
///
/// At least one; nothing where no number of servers that a database could hold does.
pub fn servers_for(line: impl Fn(u64) -> Line, share: f64, target: f64) -> Option<u64> {
    let load = line(1).load();
    if !load.is_finite() || load >= float(MOST_SERVERS) {
        return None;
    }
    if load <= 0.0 {
        return Some(1);
    }
    let mut blocked = 1.0;
    for servers in 1..=MOST_SERVERS {
        blocked = load * blocked / (float(servers) + load * blocked);
        let line = line(servers);
        if load < float(servers) && line.quantile(waiting(blocked, servers, load), share) <= target {
            return Some(servers);
        }
    }
    None
}
