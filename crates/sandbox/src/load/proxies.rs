//! Proxies under load: clients on one side, a pool on the other, and pinned sessions that hold both.

use super::AtProxy;
use super::databases::behind;
use super::routes::Target;
use super::sample::Sample;
use super::traffic::{MINUTE, Traffic, place};
use crate::account::World;
use crate::health;
use crate::rds::{Proxy, Status, targets};

/// Each proxy is served by several nodes, and each sends its own samples
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>); AWS does not say how many.
const NODES: f64 = 2.0;

/// Connections of a database that the proxy keeps for looking after it, a node.
const RESERVED: f64 = 1.0;

/// Minutes after which a connection that nobody borrows counts as idle and may be closed
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connections.html>).
pub(super) const IDLE: usize = 5;

/// What of a proxy a metric is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of it.
    Proxy,
    /// One endpoint, `default` for its own.
    Endpoint(String),
    /// One database behind it.
    Target(String),
    /// The databases of one role.
    Role {
        /// Whether it is that of readers.
        readers: bool,
    },
}

/// A metric of a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProxyMetric {
    AvailabilityPercentage,
    ClientConnections,
    ClientConnectionsClosed,
    ClientConnectionsReceived,
    ClientConnectionsSetupFailedAuth,
    ClientConnectionsSetupSucceeded,
    ClientConnectionsTls,
    ClientConnectionsNoTls,
    DatabaseConnections,
    DatabaseConnectionRequests,
    DatabaseConnectionRequestsWithTls,
    DatabaseConnectionsBorrowLatency,
    DatabaseConnectionsCurrentlyBorrowed,
    DatabaseConnectionsCurrentlyInTransaction,
    DatabaseConnectionsCurrentlySessionPinned,
    DatabaseConnectionsSetupFailed,
    DatabaseConnectionsSetupSucceeded,
    MaxDatabaseConnectionsAllowed,
    QueryDatabaseResponseLatency,
    QueryRequests,
    QueryResponseLatency,
}

/// What clients do in a minute.
#[derive(Debug, Clone, Copy, Default)]
struct Clients {
    connections: f64,
    opened: f64,
    /// Log-ins that were refused.
    refused: f64,
    /// Connections to the database that could not be set up.
    failed: f64,
    /// Connections of a database that are in use, in the mean and at the peak.
    busy: f64,
    busy_peak: f64,
    pinned: f64,
    queries: f64,
    /// Milliseconds that one use of a connection takes, times their number.
    used: f64,
}

/// Since when the nodes of a proxy have a database to look after, in milliseconds since 1970.
fn nodes_since(world: &World, proxy: &Proxy) -> Option<i64> {
    let target = proxy.target_group.target.as_ref()?;
    if matches!(proxy.status, Status::Creating(..)) {
        return None;
    }
    let since = proxy.ready.max(target.registered) + world.profile.target_capacity;
    Some(since.unix_signed())
}

impl Traffic<'_> {
    /// A metric of a proxy in a minute.
    pub(crate) fn of_proxy(&self, name: &str, scope: &Scope, metric: ProxyMetric, minute: usize) -> Option<Sample> {
        use ProxyMetric as M;
        let proxy = self.world.rds.proxies.get(name)?;
        let moment = self.begins(minute);
        if nodes_since(self.world, proxy).is_none_or(|since| moment < since) {
            return None;
        }
        let sides: Vec<bool> =
            [false, true].into_iter().filter(|readers| self.covers(proxy, scope, *readers)).collect();
        // Some metrics are not there before the first connection of a client: those of clients and of what they ask.
        let first = self.first_client(name).is_some_and(|first| first <= moment);
        let endpoint = match scope {
            Scope::Endpoint(endpoint) => Some(endpoint.as_str()),
            _ => None,
        };
        let clients: Vec<Clients> =
            sides.iter().map(|readers| self.clients(name, endpoint, *readers, place(minute))).collect();
        let total = |of: fn(&Clients) -> f64| clients.iter().map(of).sum::<f64>();
        let each = |of: &dyn Fn(bool) -> f64| sides.iter().map(|readers| of(*readers)).sum::<f64>();
        let part = self.part(proxy, scope);
        let value = match metric {
            M::AvailabilityPercentage => {
                let Scope::Role { readers } = scope else { return None };
                if behind(self.world, proxy, *readers).is_empty() {
                    return None;
                }
                return Some(Sample::same(if self.healthy(proxy) { 100.0 } else { 0.0 }, NODES));
            }
            M::DatabaseConnections => each(&|readers| self.pool(name, readers, minute)) * part,
            M::MaxDatabaseConnectionsAllowed => each(&|readers| self.allowed(proxy, readers)) * part,
            // Each node tries again every few seconds; AWS does not say how often.
            M::DatabaseConnectionsSetupFailed => {
                (each(&|readers| self.unreached(proxy, readers) * NODES) + total(|clients| clients.failed)) * part
            }
            M::DatabaseConnectionsSetupSucceeded => {
                let now = each(&|readers| self.pool(name, readers, minute));
                let before =
                    each(&|readers| minute.checked_sub(1).map_or(now, |before| self.pool(name, readers, before)));
                (now - before).max(0.0) * part
            }
            _ if !first => return None,
            M::ClientConnections | M::ClientConnectionsTls if metric == M::ClientConnections || proxy.require_tls => {
                total(|clients| clients.connections)
            }
            M::ClientConnectionsNoTls if !proxy.require_tls => total(|clients| clients.connections),
            M::ClientConnectionsTls | M::ClientConnectionsNoTls => 0.0,
            M::ClientConnectionsSetupFailedAuth => total(|clients| clients.refused),
            M::ClientConnectionsSetupSucceeded => total(|clients| clients.opened),
            M::ClientConnectionsClosed | M::ClientConnectionsReceived => {
                total(|clients| clients.opened + clients.refused)
            }
            M::DatabaseConnectionRequestsWithTls if !proxy.require_tls => 0.0,
            M::DatabaseConnectionRequests | M::DatabaseConnectionRequestsWithTls => {
                total(|clients| clients.queries) * part
            }
            M::DatabaseConnectionsCurrentlyBorrowed => {
                each(&|readers| self.borrowed(name, proxy, readers, minute)) * part
            }
            M::DatabaseConnectionsCurrentlyInTransaction => total(|clients| clients.busy) * part,
            M::DatabaseConnectionsCurrentlySessionPinned => {
                total(|clients| clients.pinned).min(each(&|readers| self.allowed(proxy, readers))) * part
            }
            M::QueryRequests if proxy.engine_family == "POSTGRESQL" => return None,
            M::QueryRequests => total(|clients| clients.queries),
            M::DatabaseConnectionsBorrowLatency | M::QueryDatabaseResponseLatency | M::QueryResponseLatency => {
                return self.latency(name, proxy, &sides, &clients, metric, minute);
            }
            M::ClientConnections => return None,
        };
        Some(Sample::shared(value.round(), NODES))
    }

    /// A latency in microseconds; there is none where nothing was asked.
    fn latency(
        &self,
        name: &str,
        proxy: &Proxy,
        sides: &[bool],
        clients: &[Clients],
        metric: ProxyMetric,
        minute: usize,
    ) -> Option<Sample> {
        let queries: f64 = clients.iter().map(|clients| clients.queries).sum();
        if queries <= 0.0 {
            return None;
        }
        let used = clients.iter().map(|clients| clients.used).sum::<f64>() / queries * 1000.0;
        let waits =
            sides.iter().map(|readers| self.wait(proxy, *readers, self.crowding(name, proxy, *readers, minute), used));
        let wait = waits.fold(0.0, f64::max);
        let value = match metric {
            ProxyMetric::DatabaseConnectionsBorrowLatency => wait,
            ProxyMetric::QueryDatabaseResponseLatency => used,
            _ => wait + used,
        };
        Some(Sample {
            count: queries.round().max(1.0),
            sum: value * queries.round().max(1.0),
            min: value * 0.5,
            max: value * 3.0,
        })
    }

    /// Microseconds until a connection is borrowed: 300 for the proxy itself, and the mean wait of a queue with several
    /// servers after Sakasegawa ("An approximation formula", 1977), up to the borrow timeout.
    fn wait(&self, proxy: &Proxy, readers: bool, crowding: f64, used: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "at most 300 seconds")]
        let most = proxy.target_group.borrow_timeout as f64 * 1_000_000.0;
        if crowding >= 1.0 {
            return most;
        }
        let servers = self.allowed(proxy, readers).max(1.0);
        let queue = used * crowding.powf((2.0 * (servers + 1.0)).sqrt() - 1.0) / (servers * (1.0 - crowding));
        (300.0 + queue).min(most.max(300.0))
    }

    /// Connections of the database that the proxy may hold in one role, less what it keeps for itself.
    pub(super) fn allowed(&self, proxy: &Proxy, readers: bool) -> f64 {
        let all = behind(self.world, proxy, readers);
        #[expect(clippy::cast_precision_loss, reason = "a percentage")]
        let percent = proxy.target_group.max_connections_percent as f64;
        let of = |instance: &str| {
            let limit = self.limit(instance);
            if limit.is_finite() { ((limit * percent / 100.0).floor() - RESERVED * NODES).max(1.0) } else { 0.0 }
        };
        all.into_iter().map(of).sum()
    }

    /// Connections in use for every one that is allowed.
    pub(super) fn crowding(&self, name: &str, proxy: &Proxy, readers: bool, minute: usize) -> f64 {
        let clients = self.clients(name, None, readers, place(minute));
        let allowed = self.allowed(proxy, readers);
        if allowed > 0.0 { (clients.busy + clients.pinned) / allowed } else { 0.0 }
    }

    /// Connections that clients hold at one time.
    fn borrowed(&self, name: &str, proxy: &Proxy, readers: bool, minute: usize) -> f64 {
        let clients = self.clients(name, None, readers, place(minute));
        (clients.busy + clients.pinned).min(self.allowed(proxy, readers))
    }

    /// Connections to the database that clients need at a place of `flows`, at their peak.
    pub(super) fn needed(&self, name: &str, readers: bool, at: usize) -> f64 {
        let clients = self.clients(name, None, readers, at);
        (clients.busy_peak + clients.pinned).ceil()
    }

    fn clients(&self, name: &str, endpoint: Option<&str>, readers: bool, at: usize) -> Clients {
        let here = move |target: &Target| {
            matches!(target, Target::Proxy { proxy, endpoint: given, readers: side }
                if proxy == name && *side == readers && endpoint.is_none_or(|endpoint| endpoint == given))
        };
        let mut all = Clients::default();
        for (flow, load, route, arrived) in self.arrived(at, here) {
            let connections = flow.connections(load, route);
            let each = f64::from(load.connections);
            match load.at_proxy {
                // Nobody keeps a connection that was never there: each invocation tries again.
                AtProxy::Refused => {
                    all.refused += flow.invocations * each;
                    continue;
                }
                AtProxy::Failed => {
                    all.opened += flow.invocations * each;
                    all.failed += flow.invocations * each;
                    continue;
                }
                _ => {}
            }
            let pinned = if load.at_proxy == AtProxy::Pinned { 1.0 } else { load.pinned };
            all.connections += connections;
            all.opened += match (load.closes, arrived) {
                (true, _) => flow.invocations * each,
                (false, true) => connections,
                (false, false) => connections / 10.0,
            };
            // A client that is refused keeps no connection, and so tries again with each invocation.
            all.refused += flow.invocations * each * load.refused;
            all.pinned += connections * pinned;
            all.busy += flow.average * each * load.busy * (1.0 - pinned);
            all.busy_peak += flow.peak * each * load.busy * (1.0 - pinned);
            all.queries += flow.invocations * each;
            all.used += flow.invocations * each * load.duration * load.busy;
        }
        all
    }

    /// Whether a scope has to do with one role.
    fn covers(&self, proxy: &Proxy, scope: &Scope, readers: bool) -> bool {
        match scope {
            Scope::Proxy => true,
            Scope::Endpoint(name) => {
                self.world.rds.endpoints.get(name).is_some_and(|endpoint| endpoint.role == "READ_ONLY") == readers
            }
            Scope::Target(instance) => behind(self.world, proxy, readers).contains(&instance.as_str()),
            Scope::Role { readers: side } => *side == readers,
        }
    }

    /// The part of its role that a scope is.
    fn part(&self, proxy: &Proxy, scope: &Scope) -> f64 {
        let Scope::Target(instance) = scope else { return 1.0 };
        let sides = [false, true].map(|readers| behind(self.world, proxy, readers));
        let side = sides.iter().find(|side| side.contains(&instance.as_str()));
        side.map_or(1.0, |side| 1.0 / super::numbers::real(i64::try_from(side.len()).unwrap_or(1)))
    }

    /// How many instances of one role the proxy fails to connect to.
    fn unreached(&self, proxy: &Proxy, readers: bool) -> f64 {
        let Some(target) = &proxy.target_group.target else { return 0.0 };
        let now = self.world.now;
        let fails = |id: &&str| {
            let health = health::of(self.world, proxy, target, id, now);
            health.state == "UNAVAILABLE" && health.reason != Some("PENDING_PROXY_CAPACITY")
        };
        let count = behind(self.world, proxy, readers).iter().filter(|id| fails(id)).count();
        super::numbers::real(i64::try_from(count).unwrap_or(i64::MAX))
    }

    fn healthy(&self, proxy: &Proxy) -> bool {
        let Some(target) = &proxy.target_group.target else { return false };
        let all = targets::instances(self.world, target);
        all.iter().any(|(id, ..)| health::of(self.world, proxy, target, id, self.world.now).state == "AVAILABLE")
    }

    /// When a client first connected to a proxy.
    fn first_client(&self, name: &str) -> Option<i64> {
        let here = |target: &Target| matches!(target, Target::Proxy { proxy, .. } if proxy == name);
        let loads = &self.world.loads;
        loads.functions.keys().filter_map(|function| loads.first(function, here)).min().map(|first| first + MINUTE)
    }
}
