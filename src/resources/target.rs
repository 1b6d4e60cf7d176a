//! Steps 10 and 11: the database as the proxy's target, and its health.
//!
//! A proxy has one target: an instance, or a cluster with a row for each member. Health is judged on
//! instance rows alone; the cluster's own row carries none, and no row at all is never healthy
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-creating.html>).

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::catalogue::StepId;
use crate::cloud::rds::{Pool, Target as Row, TargetKind};
use crate::cloud::{Answer, Cloud, Kind, Refusal};
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Timeouts, Wait};
use crate::plan::{PlannedStep, Terms};
use crate::resources::settling;

/// How long a reason may last that a fresh role, secret or rule also causes in passing.
const GRACE: Duration = Duration::from_mins(5);

/// The registration.
pub struct Target<'a> {
    /// The proxy's name.
    pub proxy: &'a str,
    /// The database's identifier.
    pub database: &'a str,
    /// Whether it is a cluster.
    pub cluster: bool,
    /// Pool settings that the user asked for.
    pub pool: &'a Pool,
    /// Whether the proxy is available by now. Until then, what AWS refuses a registration for is not known.
    pub proxy_available: AtomicBool,
    /// The limits.
    pub timeouts: Timeouts,
}

/// Registered targets and pool settings.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registered {
    /// The rows.
    pub rows: Vec<Row>,
    /// The pool settings, where they were read.
    pub pool: Option<Pool>,
    /// Whether AWS does not show them, since the proxy is not available: then nothing is known of them.
    pub unreadable: bool,
}

/// What reads of targets and target groups may answer while the proxy is not available (both are declared in the API's
/// model: <https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBProxyTargets.html>).
fn not_shown(refusal: &Refusal) -> bool {
    refusal.is(&["InvalidDBProxyStateFault"])
}

impl Target<'_> {
    fn is_ours(&self, rows: &[Row]) -> bool {
        let kind = if self.cluster { TargetKind::Cluster } else { TargetKind::Instance };
        rows.iter().any(|row| row.kind == kind && row.id.eq_ignore_ascii_case(self.database))
    }

    fn differing(&self, have: Option<&Pool>) -> Vec<String> {
        let unread = Pool::default();
        let (want, have) = (self.pool, have.unwrap_or(&unread));
        let mut fields = Vec::new();
        let mut check = |differs: bool, text: String| {
            if differs {
                fields.push(text);
            }
        };
        if let Some(value) = want.max_connections_percent {
            check(have.max_connections_percent != Some(value), format!("max connections: {value} %"));
        }
        if let Some(value) = want.max_idle_connections_percent {
            check(have.max_idle_connections_percent != Some(value), format!("max idle connections: {value} %"));
        }
        if let Some(value) = want.connection_borrow_timeout {
            check(have.connection_borrow_timeout != Some(value), format!("connection borrow timeout: {value} s"));
        }
        if let Some(value) = &want.init_query {
            check(have.init_query.as_ref() != Some(value), "init query".to_owned());
        }
        if let Some(value) = &want.session_pinning_filters {
            check(have.session_pinning_filters.as_ref() != Some(value), "session pinning filters".to_owned());
        }
        fields
    }
}

impl Step<Aws> for Target<'_> {
    type State = Registered;

    fn id(&self) -> StepId {
        StepId::Target
    }

    fn subject(&self) -> String {
        self.database.to_owned()
    }

    fn doing(&self, change: &Diff) -> String {
        match change {
            Diff::Update(_) => format!("setting the connection pool ({})", self.proxy),
            _ => format!("registering the database as target ({})", self.database),
        }
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Registered>> {
        let group = async {
            // Settings that nobody asked for are not compared, and so not read.
            if self.pool.is_unset() { Ok(None) } else { cloud.rds.target_group(self.proxy).await }
        };
        let (rows, group) = tokio::join!(cloud.rds.targets(self.proxy), group);
        match (rows, group) {
            (Err(refusal), _) | (_, Err(refusal)) if not_shown(&refusal) => {
                Ok(Observed::Present(Registered { unreadable: true, ..Registered::default() }))
            }
            (rows, group) => Ok(Observed::Present(Registered {
                rows: rows?,
                pool: group?.map(|group| group.pool),
                unreadable: false,
            })),
        }
    }

    fn compare(&self, seen: &Observed<Registered>) -> Diff {
        if seen.present().is_some_and(|found| found.unreadable) {
            return Diff::Await(Wait { state: "not shown yet".to_owned(), usable: false, grace: None });
        }
        let Some(found) = seen.present().filter(|found| !found.rows.is_empty()) else { return Diff::Create };
        if !self.is_ours(&found.rows) {
            let other: Vec<&str> = found.rows.iter().map(|row| row.id.as_str()).collect();
            return Diff::Conflict(vec![format!(
                "the proxy serves {} already, and a proxy serves one database",
                other.join(", ")
            )]);
        }
        let fields = self.differing(found.pool.as_ref());
        if fields.is_empty() { Diff::None } else { Diff::Update(fields) }
    }

    async fn apply(&self, cloud: &Cloud, change: &Diff, seen: Observed<Registered>) -> Answer<Observed<Registered>> {
        let found = seen.present().cloned().unwrap_or_default();
        if matches!(change, Diff::Update(_)) {
            cloud.rds.set_pool(self.proxy, self.pool).await?;
            return Ok(Observed::Present(Registered { pool: Some(self.pool.clone()), ..found }));
        }
        let rows = cloud.rds.register(self.proxy, self.database, self.cluster).await?;
        Ok(Observed::Present(Registered { rows, ..found }))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        match refusal.kind {
            Kind::NotYet if refusal.is(&["InvalidDBProxyStateFault"]) => {
                Some(RetryPolicy { limit: self.timeouts.proxy, pace: PollInterval::Minutes, look: false })
            }
            Kind::NotYet => {
                Some(RetryPolicy { limit: self.timeouts.database, pace: PollInterval::Minutes, look: false })
            }
            // Whether a proxy takes a target while it is being created, and how it says no, is not documented: only
            // what an available proxy says is believed.
            Kind::Invalid | Kind::NotFound | Kind::Quota | Kind::InUse
                if !self.proxy_available.load(Ordering::SeqCst) =>
            {
                Some(RetryPolicy { limit: self.timeouts.proxy, pace: PollInterval::Minutes, look: false })
            }
            _ => settling(refusal, self.timeouts.propagation),
        }
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.timeouts.target, PollInterval::Minutes)
    }
}

impl PlannedStep for Target<'_> {
    fn terms(&self, seen: &Observed<Registered>) -> Terms {
        let register = match self.compare(seen) {
            Diff::Create => Some(format!("register {}", self.database)),
            Diff::Update(_) => None,
            Diff::None | Diff::NotNeeded(_) | Diff::Await(_) | Diff::Conflict(_) => return Terms::default(),
        };
        // Set after the registration.
        let pool = self.differing(seen.present().and_then(|found| found.pool.as_ref()));
        Terms::of(register.into_iter().chain(pool.into_iter().map(|field| format!("set {field}"))))
    }
}

/// The target's health.
pub struct Health<'a> {
    /// The proxy's name.
    pub proxy: &'a str,
    /// The database's identifier.
    pub database: &'a str,
    /// The limits.
    pub timeouts: Timeouts,
}

/// Whether a row takes part: what AWS calls unused is no part of the proxy's work, and never becomes available.
fn takes_part(row: &Row) -> bool {
    row.kind == TargetKind::Instance && row.state.as_deref() != Some("UNUSED")
}

/// The instance row that is furthest from available, if one is not.
#[must_use]
pub fn worst(rows: &[Row]) -> Option<&Row> {
    rows.iter().find(|row| takes_part(row) && row.state.as_deref() != Some("AVAILABLE"))
}

/// Whether a row takes the functions' writes: AWS calls the role of what it has not reached yet unknown.
fn takes_writes(row: &Row) -> bool {
    let role = row.role.as_deref();
    takes_part(row) && row.state.as_deref() == Some("AVAILABLE") && role != Some("READ_ONLY")
}

fn state_of(row: &Row) -> String {
    let state = row.state.as_deref().unwrap_or("without health");
    match (&row.reason, &row.description) {
        (Some(reason), _) => format!("{state} ({reason})"),
        (None, Some(text)) if text.contains("internal error") => format!("{state} (internal error)"),
        _ => state.to_owned(),
    }
}

impl Step<Aws> for Health<'_> {
    type State = Vec<Row>;

    fn id(&self) -> StepId {
        StepId::TargetHealth
    }

    fn subject(&self) -> String {
        self.database.to_owned()
    }

    fn doing(&self, _change: &Diff) -> String {
        format!("waiting for the target ({})", self.database)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Vec<Row>>> {
        match cloud.rds.targets(self.proxy).await {
            Err(refusal) if not_shown(&refusal) => Ok(Observed::Present(Vec::new())),
            rows => rows.map(Observed::Present),
        }
    }

    fn compare(&self, seen: &Observed<Vec<Row>>) -> Diff {
        let rows = seen.present().map(Vec::as_slice).unwrap_or_default();
        let wait = |state: String, grace| Diff::Await(Wait { state, usable: false, grace });
        if !rows.iter().any(|row| row.kind == TargetKind::Instance) {
            return wait("not listed yet".to_owned(), None);
        }
        let Some(row) = worst(rows) else {
            return if rows.iter().any(takes_writes) {
                Diff::None
            } else {
                wait("without an instance that takes writes".to_owned(), None)
            };
        };
        let grace = match row.reason.as_deref() {
            Some("AUTH_FAILURE" | "UNREACHABLE" | "CONNECTION_FAILED") => Some(GRACE),
            _ => None,
        };
        wait(state_of(row), grace)
    }

    async fn apply(&self, _cloud: &Cloud, _change: &Diff, seen: Observed<Vec<Row>>) -> Answer<Observed<Vec<Row>>> {
        // Health is AWS's to change.
        Ok(seen)
    }

    fn again(&self, _refusal: &Refusal) -> Option<RetryPolicy> {
        None
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.timeouts.target, PollInterval::Steady)
    }

    fn result(&self, seen: &Observed<Vec<Row>>) -> String {
        let rows = seen.present().map(Vec::as_slice).unwrap_or_default();
        let instances = |wanted: bool| {
            let rows = rows.iter().filter(|row| row.kind == TargetKind::Instance && takes_part(row) == wanted);
            rows.map(|row| row.id.as_str()).collect::<Vec<_>>().join(", ")
        };
        match instances(false) {
            unused if unused.is_empty() => format!("AVAILABLE ({})", instances(true)),
            unused => format!("AVAILABLE ({}), UNUSED ({unused})", instances(true)),
        }
    }
}

impl PlannedStep for Health<'_> {}
