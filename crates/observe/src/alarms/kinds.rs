//! The table of alarms. `docs/alarms.md` is written from it.

/// An alarm that a proxy can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The proxy does not reach its database.
    Availability,
    /// The pool is nearly used up.
    Pool,
    /// Clients wait for a connection.
    BorrowLatency,
    /// Sessions are pinned.
    Pinned,
    /// Log-ins are refused.
    RefusedLogIns,
    /// Connections to the database fail.
    FailedSetups,
    /// Connections to the database are without TLS.
    WithoutTls,
    /// Many more clients than expected.
    ClientGrowth,
    /// Many more queries than expected.
    QueryGrowth,
}

/// Of what part of a proxy an alarm's metrics are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All of it.
    Proxy,
    /// The writer alone, where there are readers: a sum over all would hide it.
    Writer,
    /// The writer, in every case: the metric exists for roles alone.
    Role,
}

/// In what a threshold is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Percent.
    Percent,
    /// Milliseconds; the metric is in microseconds.
    Milliseconds,
    /// A number.
    Count,
    /// Standard deviations of a band.
    Deviations,
}

impl Unit {
    /// What a number in this unit is multiplied by for CloudWatch.
    #[must_use]
    pub fn factor(self) -> f64 {
        if self == Self::Milliseconds { 1000.0 } else { 1.0 }
    }

    /// A threshold for people.
    #[must_use]
    pub fn shown(self, threshold: f64) -> String {
        match self {
            Self::Percent => format!("{threshold} %"),
            Self::Milliseconds => format!("{threshold} ms"),
            Self::Count => threshold.to_string(),
            Self::Deviations => format!("{threshold} standard deviations"),
        }
    }

    /// Reads a threshold; an error is a clause.
    ///
    /// # Errors
    /// When it is no number, or one that makes no sense.
    pub fn read(self, text: &str) -> Result<f64, String> {
        let (suffix, range) = match self {
            Self::Percent => ("%", "from 0 to 100 percent"),
            Self::Milliseconds => ("ms", "above 0 and at most 300000 ms"),
            Self::Count => ("", "from 0 to 1000000000"),
            // Wider, and nothing is ever outside of it.
            Self::Deviations => ("", "above 0 and at most 100 standard deviations"),
        };
        let number = text.trim();
        let number = number.strip_suffix(suffix).unwrap_or(number).trim_end();
        let value: f64 = number.parse().map_err(|_| format!("{text:?} is not a number"))?;
        let fits = match self {
            Self::Percent => (0.0..=100.0).contains(&value),
            Self::Milliseconds => value > 0.0 && value <= 300_000.0,
            Self::Count => (0.0..=1e9).contains(&value),
            Self::Deviations => value > 0.0 && value <= 100.0,
        };
        if fits { Ok(value) } else { Err(format!("{text:?} is not {range}")) }
    }
}

/// An alarm.
#[derive(Debug, Clone, Copy)]
pub struct KindInfo {
    /// Which.
    pub kind: Kind,
    /// Its name on a command line, and the end of its name on AWS.
    pub key: &'static str,
    /// What goes wrong, in a few words.
    pub title: &'static str,
    /// The metrics.
    pub metrics: &'static [&'static str],
    /// The expression, where it is not one metric alone.
    pub expression: Option<&'static str>,
    /// Of what part of the proxy.
    pub scope: Scope,
    /// The statistic of each metric.
    pub statistic: &'static str,
    /// How it compares.
    pub comparison: &'static str,
    /// With what.
    pub threshold: f64,
    /// In which unit.
    pub unit: Unit,
    /// Why that number.
    pub why: &'static str,
    /// Seconds that a point stands for.
    pub period: i32,
    /// How many points must breach.
    pub needed: i32,
    /// Of how many.
    pub evaluated: i32,
    /// What missing points count as.
    pub missing: &'static str,
    /// Why.
    pub why_missing: &'static str,
    /// What it means when it goes off.
    pub meaning: &'static str,
    /// What to do then.
    pub then: &'static str,
}

impl Kind {
    /// What is known of it.
    #[must_use]
    pub fn info(self) -> &'static KindInfo {
        KINDS.iter().find(|info| info.kind == self).unwrap_or(&KINDS[0])
    }

    /// The alarm of that name on a command line.
    #[must_use]
    pub fn named(key: &str) -> Option<Self> {
        KINDS.iter().find(|info| info.key == key).map(|info| info.kind)
    }
}

const ABOVE: &str = "GreaterThanThreshold";
const SENT_ON_EVENTS: &str = "nothing counted is nothing wrong";
const LEARNED: &str = "a band around what CloudWatch learned from the last two weeks, wide enough for daily peaks";

/// All of them.
pub const KINDS: [KindInfo; 9] = [
    KindInfo {
        kind: Kind::Availability,
        key: "availability",
        title: "The proxy does not reach its database",
        metrics: &["AvailabilityPercentage"],
        expression: None,
        scope: Scope::Role,
        statistic: "Average",
        comparison: "LessThanThreshold",
        threshold: 99.9,
        unit: Unit::Percent,
        why: "all health checks of a proxy that works succeed, so its share is 100",
        period: 60,
        needed: 3,
        evaluated: 5,
        missing: "breaching",
        why_missing: "it is sent every minute, so silence is a sign of trouble",
        meaning: "Health checks from the proxy to the writer fail.",
        then: "Run rdsproxy-setup doctor.",
    },
    KindInfo {
        kind: Kind::Pool,
        key: "pool",
        title: "The pool is nearly used up",
        metrics: &["DatabaseConnections", "MaxDatabaseConnectionsAllowed"],
        expression: Some("100 * m1 / m2"),
        scope: Scope::Writer,
        statistic: "Sum",
        comparison: ABOVE,
        threshold: 80.0,
        unit: Unit::Percent,
        why: "AWS advises to keep about 30 percent free; above 80, a burst finds no room",
        period: 60,
        needed: 5,
        evaluated: 5,
        missing: "missing",
        why_missing: "both are sent every minute, and availability goes off when nothing is",
        meaning: "The proxy's connections to the database come near to the most that it may open.",
        then: "Run rdsproxy-setup advise; raise --max-connections-percent or the database's class, or fix pinned sessions.",
    },
    KindInfo {
        kind: Kind::BorrowLatency,
        key: "borrow-latency",
        title: "Clients wait for a connection",
        metrics: &["DatabaseConnectionsBorrowLatency"],
        expression: None,
        scope: Scope::Proxy,
        statistic: "Average",
        comparison: ABOVE,
        threshold: 100.0,
        unit: Unit::Milliseconds,
        why: "a free connection is lent within a few milliseconds; a tenth of a second is felt",
        period: 60,
        needed: 5,
        evaluated: 5,
        missing: "notBreaching",
        why_missing: "latencies are sent only while something is asked",
        meaning: "Clients wait until the proxy has a connection to the database for them.",
        then: "Run rdsproxy-setup doctor; look for pinned sessions, long transactions and a pool that is too small.",
    },
    KindInfo {
        kind: Kind::Pinned,
        key: "pinned",
        title: "Sessions are pinned",
        metrics: &["DatabaseConnectionsCurrentlySessionPinned", "DatabaseConnections"],
        expression: Some("100 * m1 / m2"),
        scope: Scope::Writer,
        statistic: "Sum",
        comparison: ABOVE,
        threshold: 10.0,
        unit: Unit::Percent,
        why: "a few pinned sessions do no harm; a share that lasts takes the use out of the proxy (0 reports each one)",
        period: 60,
        needed: 15,
        evaluated: 15,
        missing: "notBreaching",
        why_missing: "it is sent only while a session is pinned",
        meaning: "Sessions that clients pinned keep connections to the database for themselves.",
        then: "Run rdsproxy-setup doctor --logs to see why.",
    },
    KindInfo {
        kind: Kind::RefusedLogIns,
        key: "refused-log-ins",
        title: "Log-ins are refused",
        metrics: &["ClientConnectionsSetupFailedAuth"],
        expression: None,
        scope: Scope::Proxy,
        statistic: "Sum",
        comparison: ABOVE,
        threshold: 0.0,
        unit: Unit::Count,
        why: "a function that works is never refused",
        period: 300,
        needed: 1,
        evaluated: 1,
        missing: "notBreaching",
        why_missing: SENT_ON_EVENTS,
        meaning: "The proxy refused clients: a wrong user, password or token, or a failed TLS handshake.",
        then: "Run rdsproxy-setup doctor --logs to see who.",
    },
    KindInfo {
        kind: Kind::FailedSetups,
        key: "failed-setups",
        title: "Connections to the database fail",
        metrics: &["DatabaseConnectionsSetupFailed"],
        expression: None,
        scope: Scope::Proxy,
        statistic: "Sum",
        comparison: ABOVE,
        threshold: 0.0,
        unit: Unit::Count,
        why: "a database that works takes every connection of its proxy",
        period: 300,
        needed: 1,
        evaluated: 1,
        missing: "notBreaching",
        why_missing: SENT_ON_EVENTS,
        meaning: "The proxy could not open connections to the database.",
        then: "Run rdsproxy-setup doctor: secret, security groups, max_connections.",
    },
    KindInfo {
        kind: Kind::WithoutTls,
        key: "without-tls",
        title: "Requests to the database are without TLS",
        metrics: &["DatabaseConnectionRequests", "DatabaseConnectionRequestsWithTLS"],
        expression: Some("m1 - m2"),
        scope: Scope::Proxy,
        statistic: "Sum",
        comparison: ABOVE,
        threshold: 0.0,
        unit: Unit::Count,
        why: "a proxy that requires TLS of its clients asks its database for it too",
        period: 300,
        needed: 1,
        evaluated: 1,
        missing: "notBreaching",
        why_missing: "without clients there are no requests",
        meaning: "The proxy asks for connections to the database without TLS: someone turned the requirement off.",
        then: "Run rdsproxy-setup up --require-tls to require it again.",
    },
    KindInfo {
        kind: Kind::ClientGrowth,
        key: "client-growth",
        title: "Many more clients than expected",
        metrics: &["ClientConnections"],
        expression: None,
        scope: Scope::Proxy,
        statistic: "Sum",
        comparison: "GreaterThanUpperThreshold",
        threshold: 3.0,
        unit: Unit::Deviations,
        why: LEARNED,
        period: 300,
        needed: 3,
        evaluated: 3,
        missing: "notBreaching",
        why_missing: "it begins with the first client",
        meaning: "Many more clients are connected than CloudWatch expects at this hour.",
        then: "Look for a burst of invocations, or for functions that do not close connections.",
    },
    KindInfo {
        kind: Kind::QueryGrowth,
        key: "query-growth",
        title: "Many more queries than expected",
        metrics: &["QueryRequests"],
        expression: None,
        scope: Scope::Proxy,
        statistic: "Sum",
        comparison: "GreaterThanUpperThreshold",
        threshold: 3.0,
        unit: Unit::Deviations,
        why: LEARNED,
        period: 300,
        needed: 3,
        evaluated: 3,
        missing: "notBreaching",
        why_missing: "it begins with the first query",
        meaning: "Many more queries come than CloudWatch expects at this hour.",
        then: "Look for a burst of invocations, or for a loop.",
    },
];
