//! What was read of a proxy at one moment.

/// Seconds of a point of a metric.
pub const MINUTE: i64 = 60;

/// How many minutes of history a reading holds.
pub const HISTORY: i64 = 60;

/// Minutes that a metric may be behind the newest one and still be current.
const LATE: i64 = 1;

/// One reading.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The proxy's name.
    pub proxy: String,
    /// The database's identifier.
    pub database: String,
    /// The Region.
    pub region: String,
    /// When it was read, in seconds since 1970.
    pub at: i64,
    /// The proxy's metrics.
    pub metrics: Proxy,
    /// The databases behind the proxy, or why they are unknown.
    pub targets: Result<Vec<Target>, String>,
    /// The functions, or why they are unknown.
    pub functions: Result<Vec<Function>, String>,
    /// Functions that were left out, since one call takes only so many metrics.
    pub left_out: usize,
    /// Functions whose variables AWS does not show: whether they use the proxy is unknown.
    pub hidden: usize,
}

/// The metrics of a proxy, minute by minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    /// Connections of clients.
    pub clients: Series,
    /// Connections to the database.
    pub connections: Series,
    /// How many of those are allowed.
    pub allowed: Series,
    /// Those that clients hold.
    pub borrowed: Series,
    /// Those that a session has pinned.
    pub pinned: Series,
    /// Microseconds that clients waited for a connection, in the mean.
    pub wait: Series,
    /// Log-ins of clients that the proxy refused.
    pub refused: Series,
    /// Connections to the database that could not be set up.
    pub failed: Series,
    /// Queries.
    pub queries: Series,
    /// The percentage of health checks of the writer that succeeded.
    pub available: Series,
}

/// A metric in the last hour, minute by minute and oldest first, or why it is unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Series {
    /// It was read.
    Read(Vec<Point>),
    /// It was not, for this reason.
    Unread(String),
}

/// A point of a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The beginning of its minute, in seconds since 1970.
    pub at: i64,
    /// The value.
    pub value: f64,
}

/// A database behind the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The instance.
    pub id: String,
    /// What it is used for, as RDS says it: `READ_WRITE`, `READ_ONLY`.
    pub role: Option<String>,
    /// `AVAILABLE`, …
    pub state: Option<String>,
    /// Why it is not available, in RDS's words.
    pub reason: Option<String>,
}

/// A function that uses the proxy or its database.
#[derive(Debug, Clone, PartialEq)]
pub struct Function {
    /// The name.
    pub name: String,
    /// Where its variables point.
    pub side: Side,
    /// Its invocations.
    pub invocations: Series,
    /// Those that ended with an error.
    pub errors: Series,
}

/// Where the variables of a function point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// At the proxy alone.
    Proxy,
    /// At the database alone.
    Database,
    /// At both.
    Both,
    /// At neither: it was named.
    Neither,
    /// AWS does not show them: it was named.
    Unknown,
}

/// What a metric is now, or why that is unknown.
#[derive(Debug, Clone, PartialEq)]
pub enum Now {
    /// Its newest point.
    Known(Point),
    /// There is none, for this reason.
    Unknown(String),
}

impl Reading {
    /// When the newest point of all metrics begins.
    #[must_use]
    pub fn newest(&self) -> Option<i64> {
        let of_functions = self.functions.iter().flatten().flat_map(|found| [&found.invocations, &found.errors]);
        self.metrics.all().into_iter().chain(of_functions).filter_map(Series::last).map(|point| point.at).max()
    }
}

impl Proxy {
    /// Every metric, unread for one reason.
    #[must_use]
    pub fn unread(why: &str) -> Self {
        let unread = || Series::Unread(why.to_owned());
        Self {
            clients: unread(),
            connections: unread(),
            allowed: unread(),
            borrowed: unread(),
            pinned: unread(),
            wait: unread(),
            refused: unread(),
            failed: unread(),
            queries: unread(),
            available: unread(),
        }
    }

    pub(crate) fn all(&self) -> [&Series; 10] {
        let Self { clients, connections, allowed, borrowed, pinned, wait, refused, failed, queries, available } = self;
        [clients, connections, allowed, borrowed, pinned, wait, refused, failed, queries, available]
    }
}

impl Series {
    /// The points, oldest first; none where it was not read.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        match self {
            Self::Read(points) => points,
            Self::Unread(_) => &[],
        }
    }

    fn last(&self) -> Option<Point> {
        self.points().iter().copied().filter(|point| point.value.is_finite()).max_by_key(|point| point.at)
    }

    /// The value at a moment.
    #[must_use]
    pub fn at(&self, moment: i64) -> Option<f64> {
        self.points().iter().find(|point| point.at == moment && point.value.is_finite()).map(|point| point.value)
    }

    /// What it is now, where the newest point of any metric is of this moment.
    #[must_use]
    pub fn now(&self, newest: Option<i64>) -> Now {
        if let Self::Unread(why) = self {
            return Now::Unknown(why.clone());
        }
        match (self.last(), newest) {
            (Some(last), Some(newest)) if last.at.saturating_add(LATE * MINUTE) < newest => {
                Now::Unknown(format!("no data since {}", crate::text::minute(last.at)))
            }
            (Some(last), _) => Now::Known(last),
            (None, _) => Now::Unknown("no data in the last hour".to_owned()),
        }
    }

    /// The sum of its points; `None` where there is none.
    #[must_use]
    pub fn total(&self) -> Option<f64> {
        let finite: Vec<f64> =
            self.points().iter().map(|point| point.value).filter(|value| value.is_finite()).collect();
        (!finite.is_empty()).then(|| finite.iter().sum())
    }
}

impl Target {
    /// Whether RDS calls it available.
    #[must_use]
    pub fn is_available(&self) -> bool {
        self.state.as_deref() == Some("AVAILABLE")
    }
}

impl Side {
    /// As people read it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Proxy => "proxy",
            Self::Database => "database",
            Self::Both => "both",
            Self::Neither => "neither",
            Self::Unknown => "unknown",
        }
    }

    /// As a sentence names it.
    pub(crate) fn place(self) -> &'static str {
        match self {
            Self::Proxy => "the proxy",
            Self::Database => "the database",
            Self::Both => "the proxy and the database",
            Self::Neither => "neither the proxy nor the database",
            Self::Unknown => "a host that is unknown",
        }
    }
}
