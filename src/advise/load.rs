//! What happened: CloudWatch's metrics of the functions, the database and the proxy, and what limits the functions.

use std::collections::BTreeMap;
use std::time::Duration;

use advice::facts;
use advice::figure::{Fact, Gap, Origin, Room};

use super::base::{Base, SERVERLESS};
use super::{Question, fact, sources, whole};
use crate::cloud::lambda::Function;
use crate::cloud::metrics::{Point, Query, Series};
use crate::cloud::{Answer, Cloud, Refusal};
use crate::engine::crowd;
use crate::resources::log_group::name_of;

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// CloudWatch keeps points of a minute for 15 days, and of five minutes for 63
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>).
const MINUTES_KEPT: Duration = Duration::from_hours(15 * 24);

/// A function's timeout where AWS does not say one
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>).
const TIMEOUT: u64 = 3;

/// The metrics of one function, in the order of [`of_function`].
const OF_FUNCTION: usize = 3;

/// Its metrics in the busiest hour, in the order of [`in_busiest_hour`].
const IN_BUSIEST_HOUR: usize = 4;

/// Metrics of functions, by the function's name.
type ByFunction = Answer<BTreeMap<String, Vec<Series>>>;

/// What happened.
pub(super) struct Load {
    /// By the function's name.
    functions: ByFunction,
    /// The busiest hour, minute by minute.
    minutes: ByFunction,
    connections: Answer<Series>,
    /// Of each instance of Serverless v2.
    capacity: Answer<Vec<Series>>,
    proxy: Answer<Vec<Series>>,
    /// Bytes that the proxy logged, day by day.
    logged: Answer<Series>,
    reserved: BTreeMap<String, Answer<Option<u64>>>,
    provisioned: BTreeMap<String, Answer<u64>>,
    days: u32,
    /// What could not be read, and stands for no single number.
    pub(super) gaps: Vec<Gap>,
}

fn lambda(function: &str, metric: &'static str, statistic: &'static str, period: Duration) -> Query {
    let dimensions = vec![("FunctionName", function.to_owned())];
    Query { namespace: "AWS/Lambda", metric, dimensions, statistic, period }
}

fn of_function(name: &str) -> [Query; OF_FUNCTION] {
    [
        lambda(name, "ConcurrentExecutions", "Maximum", HOUR),
        lambda(name, "Invocations", "Sum", HOUR),
        lambda(name, "Duration", "Sum", DAY),
    ]
}

fn in_busiest_hour(name: &str, period: Duration) -> [Query; IN_BUSIEST_HOUR] {
    [
        lambda(name, "Invocations", "Sum", period),
        lambda(name, "Throttles", "Sum", period),
        lambda(name, "Errors", "Sum", period),
        lambda(name, "ConcurrentExecutions", "Maximum", period),
    ]
}

/// What the proxy's log group took in
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch-Logs-Monitoring-CloudWatch-Metrics.html>).
fn of_logs(proxy: &str) -> Query {
    let dimensions = vec![("LogGroupName", name_of(proxy))];
    Query { namespace: "AWS/Logs", metric: "IncomingBytes", dimensions, statistic: "Sum", period: DAY }
}

fn of_database(base: &Base<'_>) -> Vec<Query> {
    let Some(writer) = base.instances.first() else { return Vec::new() };
    let capacity = base.instances.iter().filter(|instance| instance.class == SERVERLESS);
    let capacity = capacity.map(|instance| of_instance(&instance.id, "ServerlessDatabaseCapacity", "Average"));
    [of_instance(&writer.id, "DatabaseConnections", "Maximum")].into_iter().chain(capacity).collect()
}

fn of_instance(id: &str, metric: &'static str, statistic: &'static str) -> Query {
    let dimensions = vec![("DBInstanceIdentifier", id.to_owned())];
    Query { namespace: "AWS/RDS", metric, dimensions, statistic, period: HOUR }
}

/// Figures are a node's, and a proxy has several: a sum is over all of them
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
fn of_proxy(name: &str) -> Vec<Query> {
    let one = |metric, statistic| Query {
        namespace: "AWS/RDS",
        metric,
        dimensions: vec![("ProxyName", name.to_owned())],
        statistic,
        period: MINUTE * 5,
    };
    vec![
        one("MaxDatabaseConnectionsAllowed", "Maximum"),
        one("DatabaseConnectionsCurrentlyBorrowed", "Maximum"),
        one("DatabaseConnectionsCurrentlySessionPinned", "Maximum"),
        one("DatabaseConnections", "Maximum"),
        one("DatabaseConnectionsBorrowLatency", "Average"),
    ]
}

impl Load {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, question: &Question, base: &Base<'_>, now: i64) -> Self {
        let span = i64::from(question.days) * 86_400;
        let mut queries: Vec<Query> = base.functions.iter().flat_map(|function| of_function(&function.name)).collect();
        let functions_end = queries.len();
        queries.extend(of_database(base));
        let database_end = queries.len();
        queries.extend(base.proxy.iter().flat_map(|proxy| of_proxy(&proxy.name)));
        let proxy_end = queries.len();
        queries.extend(base.proxy.iter().map(|proxy| of_logs(&proxy.name)));
        let (read, reserved, provisioned) = tokio::join!(
            cloud.metrics.read(&queries, now - span, now),
            reserved(cloud, base),
            provisioned(cloud, base),
        );
        let part = |from: usize, to: usize| {
            read.as_ref().map(|all| all.get(from..to).unwrap_or_default().to_vec()).map_err(Clone::clone)
        };
        let one = |place: usize| part(place, place + 1).map(|mut found| found.pop().unwrap_or_default());
        let functions = part(0, functions_end).map(|all| by_name(&base.functions, &all, OF_FUNCTION));
        let minutes = match &functions {
            Ok(found) => busiest_hour(cloud, base, found, now).await,
            Err(refusal) => Err(refusal.clone()),
        };
        let mut gaps = Vec::new();
        if let Err(refusal) = &read {
            gaps.push(Gap::new(Room::Load, "metrics of the functions and the database", refusal.to_string()));
        }
        Self {
            functions,
            minutes,
            connections: one(functions_end),
            capacity: part((functions_end + 1).min(database_end), database_end),
            proxy: part(database_end, proxy_end),
            logged: one(proxy_end),
            reserved,
            provisioned,
            days: question.days,
            gaps,
        }
    }

    /// The average capacity of Serverless v2 in halves of an ACU, over all instances; known where each one's is.
    pub(super) fn average_half_acus(&self) -> Option<u64> {
        let means: Option<Vec<f64>> = self.capacity.as_ref().ok()?.iter().map(Series::mean).collect();
        means.filter(|means| !means.is_empty()).map(|means| whole(means.iter().sum::<f64>() * 2.0))
    }

    /// The bytes that the proxy logged in the period. A log group without a byte of it has no data.
    pub(super) fn log_bytes(&self, base: &Base<'_>) -> Fact<u64> {
        if base.proxy.is_none() {
            return Fact::known(0, Origin::Assumed, "without debug logging, a proxy logs next to nothing");
        }
        measured(self.logged.as_ref(), |series| Some(series.total().unwrap_or(0.0)), "IncomingBytes", self.days)
    }

    /// The largest number of connections to the writer.
    pub(super) fn connections(&self) -> Fact<u64> {
        measured(
            self.connections.as_ref(),
            |series| series.peak().map(|peak| peak.value),
            "DatabaseConnections",
            self.days,
        )
    }

    /// The connections that clients other than the functions hold: what was open in the quietest hour. It has the
    /// functions' own of that hour, and misses others' jobs at busier times, which no metric separates.
    pub(super) fn other_connections(&self, base: &Base<'_>) -> Fact<u64> {
        if base.functions.is_empty() {
            return self.connections();
        }
        let fewest = |series: &Series| series.0.iter().map(|point| point.value).min_by(f64::total_cmp);
        measured(self.connections.as_ref(), fewest, "the fewest DatabaseConnections of an hour", self.days)
    }

    /// The proxy, as the arithmetic takes it.
    pub(super) fn proxy(&self, base: &Base<'_>) -> Option<facts::Proxy> {
        let proxy = base.proxy.as_ref()?;
        let peak = |place: usize, metric: &str| {
            let series = self.proxy.as_ref().map(|all| all.get(place).cloned().unwrap_or_default());
            measured(
                series.as_ref().map_err(|refusal| *refusal),
                |series| Some(series.peak()?.value),
                metric,
                self.days,
            )
        };
        Some(facts::Proxy {
            name: proxy.name.clone(),
            max_connections_percent: Fact::unknown("the pool's settings are not read"),
            connections_allowed: peak(0, "MaxDatabaseConnectionsAllowed"),
            peak_borrowed: peak(1, "DatabaseConnectionsCurrentlyBorrowed"),
            pinned_percent: self.pinned(),
            borrow_latency_us: peak(4, "DatabaseConnectionsBorrowLatency"),
        })
    }

    /// The largest share of pinned connections, moment by moment.
    fn pinned(&self) -> Fact<u64> {
        const WHAT: &str = "DatabaseConnectionsCurrentlySessionPinned over DatabaseConnections";
        let all = match &self.proxy {
            Ok(all) => all,
            Err(refusal) => return Fact::unknown(refusal.to_string()),
        };
        let (Some(pinned), Some(open)) = (all.get(2), all.get(3)) else { return no_data(WHAT, self.days) };
        let open: BTreeMap<i64, f64> = open.0.iter().map(|point| (point.at, point.value)).collect();
        let share =
            |point: &Point| open.get(&point.at).filter(|open| **open > 0.0).map(|open| point.value / open * 100.0);
        match pinned.0.iter().filter_map(share).max_by(f64::total_cmp) {
            Some(share) => Fact::known(whole(share).min(100), Origin::Measured, since(WHAT, self.days)),
            None => no_data(WHAT, self.days),
        }
    }

    /// The functions, as the arithmetic takes them.
    pub(super) fn functions(&self, question: &Question, base: &Base<'_>) -> Vec<facts::Function> {
        // The same for all: only the proxy as a whole shows it.
        let pinned = match question.pinned {
            Some(share) => Fact::known(share, Origin::Stated, "--pinned"),
            None if base.proxy.is_some() => self.pinned(),
            None => Fact::unknown("only a proxy shows what it pins; state it with --pinned"),
        };
        base.functions.iter().map(|function| self.function(question, base, function, &pinned)).collect()
    }

    fn function(
        &self,
        question: &Question,
        base: &Base<'_>,
        function: &Function,
        pinned: &Fact<u64>,
    ) -> facts::Function {
        let name = &function.name;
        let series = |place| series_of(&self.functions, name, place);
        let of = |read: Answer<Series>, value: fn(&Series) -> Option<f64>, what: &str| {
            measured(read.as_ref(), value, what, self.days)
        };
        let largest: fn(&Series) -> Option<f64> = |series| series.peak().map(|peak| peak.value);
        let stated = question.concurrency.get(name).map(|count| Fact::known(*count, Origin::Stated, "--concurrency"));
        let sources = sources::of(base, question, name);
        let peak_concurrency = of(series(0), largest, "ConcurrentExecutions");
        let other_invokers = match &stated {
            Some(_) => Fact::known(true, Origin::Stated, "--concurrency"),
            None => sources::other_invokers(name, &sources, peak_concurrency.value().copied()),
        };
        facts::Function {
            name: name.clone(),
            reserved: self.reserved(base, name),
            provisioned: match self.provisioned.get(name) {
                None => Fact::known(0, Origin::Configured, "it has no published version"),
                Some(read) => {
                    fact(read.as_ref().copied(), Origin::Configured, "lambda:ListProvisionedConcurrencyConfigs")
                }
            },
            sources,
            other_invokers,
            stated_concurrency: stated,
            per_environment: function.per_environment,
            peak_concurrency,
            peak_invocations_per_minute: self.in_busiest_hour(name, 0, "Invocations"),
            sustained_invocations_per_minute: of(
                series(1),
                |series| series.peak().map(|peak| peak.value / 60.0),
                "Invocations of the busiest hour",
            ),
            duration_ms: self.duration(name),
            invocations: of(series(1), Series::total, "Invocations"),
            memory_mib: function.memory_mib.map_or_else(
                || Fact::unknown("AWS does not say its memory"),
                |memory| Fact::known(memory, Origin::Configured, "MemorySize"),
            ),
            arm: function.arm,
            timeout_seconds: function.timeout.unwrap_or(TIMEOUT),
            throttles_per_minute: self.in_busiest_hour(name, 1, "Throttles"),
            errors_per_minute: self.in_busiest_hour(name, 2, "Errors"),
            cold_starts_per_minute: self.cold_starts(name),
            connections_per_environment: question.connections.map_or_else(
                || {
                    Fact::known(
                        1,
                        Origin::Assumed,
                        "one connection an environment, unless --connections says otherwise",
                    )
                },
                |count| Fact::known(count, Origin::Stated, "--connections"),
            ),
            borrow_us: question.hold.map_or_else(
                || Fact::unknown("how long an invocation holds a connection is not measured; state it with --hold"),
                |hold| Fact::known(u64::try_from(hold.as_micros()).unwrap_or(u64::MAX), Origin::Stated, "--hold"),
            ),
            borrow_variation_percent: None,
            pinned_percent: pinned.clone(),
            iam_login: base.iam_logins.contains(name),
        }
    }

    /// The largest of a function's points in the busiest hour of all functions together. Lambda sends no point for a
    /// minute without an invocation, so no point is none, where the function has any in the period.
    fn in_busiest_hour(&self, name: &str, place: usize, metric: &str) -> Fact<u64> {
        let what = format!("{metric} of the busiest hour");
        self.of_busiest_hour(name, place, &what, |series| series.peak().map_or(0.0, |peak| peak.value))
    }

    /// New environments of the busiest minute, as far as a rise of the concurrency shows them: more than ran at any
    /// time before in that hour. An environment that is replaced by another does not show.
    fn cold_starts(&self, name: &str) -> Fact<u64> {
        const WHAT: &str = "the largest rise of ConcurrentExecutions in a minute of the busiest hour";
        self.of_busiest_hour(name, 3, WHAT, |series| {
            let mut points = series.0.iter().map(|point| point.value);
            let first = points.next().unwrap_or(0.0);
            points.fold((first, 0.0_f64), |(most, rise), now| (most.max(now), rise.max(now - most))).1
        })
    }

    fn of_busiest_hour(&self, name: &str, place: usize, what: &str, value: fn(&Series) -> f64) -> Fact<u64> {
        let ran = series_of(&self.functions, name, 1).is_ok_and(|hours| !hours.0.is_empty());
        measured(series_of(&self.minutes, name, place).as_ref(), |series| ran.then(|| value(series)), what, self.days)
    }

    /// The average duration of an invocation.
    fn duration(&self, name: &str) -> Fact<u64> {
        match &self.functions {
            Err(refusal) => Fact::unknown(refusal.to_string()),
            Ok(all) => {
                let total = |place: usize| all.get(name).and_then(|all| all.get(place)).and_then(Series::total);
                match (total(2), total(1)) {
                    (Some(spent), Some(invocations)) if invocations > 0.0 => {
                        Fact::known(whole(spent / invocations), Origin::Measured, since("Duration", self.days))
                    }
                    _ => no_data("Duration", self.days),
                }
            }
        }
    }

    /// Reserved concurrency. Where the account has none at all, no function has any.
    fn reserved(&self, base: &Base<'_>, name: &str) -> Fact<Option<u64>> {
        match (self.reserved.get(name), &base.region.concurrency) {
            (Some(read), _) => fact(read.as_ref().copied(), Origin::Configured, "lambda:GetFunctionConcurrency"),
            (None, Ok(_)) => {
                Fact::known(None, Origin::Configured, "no function of the account has reserved concurrency")
            }
            (None, Err(refusal)) => Fact::unknown(refusal.to_string()),
        }
    }
}

/// The reserved concurrency of each function, where any function of the account has some: what is unreserved says so,
/// in one call for all, and no call answers it for several functions.
async fn reserved(cloud: &Cloud, base: &Base<'_>) -> BTreeMap<String, Answer<Option<u64>>> {
    if base.region.concurrency.as_ref().is_ok_and(|found| found.unreserved >= found.total) {
        return BTreeMap::new();
    }
    let reads = base
        .functions
        .iter()
        .map(async |function| (function.name.clone(), cloud.lambda.reserved(&function.name).await));
    crowd(reads.collect()).await.into_iter().collect()
}

/// The provisioned concurrency of each function that has published a version: none else can have any.
async fn provisioned(cloud: &Cloud, base: &Base<'_>) -> BTreeMap<String, Answer<u64>> {
    let published = |function: &&Function| {
        base.region
            .versions
            .as_ref()
            .is_none_or(|all| all.get(&function.name).is_some_and(|versions| versions.len() > 1))
    };
    let reads = base
        .functions
        .iter()
        .filter(published)
        .map(async |function| (function.name.clone(), cloud.lambda.provisioned_total(&function.name).await));
    crowd(reads.collect()).await.into_iter().collect()
}

/// One of a function's metrics, which has no points where none were read.
fn series_of(read: &ByFunction, name: &str, place: usize) -> Answer<Series> {
    match read {
        Ok(all) => Ok(all.get(name).and_then(|all| all.get(place)).cloned().unwrap_or_default()),
        Err(refusal) => Err(refusal.clone()),
    }
}

fn by_name(functions: &[Function], all: &[Series], each: usize) -> BTreeMap<String, Vec<Series>> {
    functions.iter().zip(all.chunks(each)).map(|(function, series)| (function.name.clone(), series.to_vec())).collect()
}

/// What each function did, minute by minute, in the hour in which all of them together ran most.
async fn busiest_hour(
    cloud: &Cloud,
    base: &Base<'_>,
    functions: &BTreeMap<String, Vec<Series>>,
    now: i64,
) -> Answer<BTreeMap<String, Vec<Series>>> {
    let mut hours: BTreeMap<i64, f64> = BTreeMap::new();
    for point in functions.values().filter_map(|series| series.get(1)).flat_map(|series| &series.0) {
        *hours.entry(point.at).or_default() += point.value;
    }
    let busiest = hours.into_iter().max_by(|(_, one), (_, other)| one.total_cmp(other));
    let Some((from, _)) = busiest else { return Ok(BTreeMap::new()) };
    let kept = i64::try_from(MINUTES_KEPT.as_secs()).unwrap_or(i64::MAX);
    let period = if now - from < kept { MINUTE } else { MINUTE * 5 };
    let queries: Vec<Query> =
        base.functions.iter().flat_map(|function| in_busiest_hour(&function.name, period)).collect();
    let mut all = cloud.metrics.read(&queries, from, from + 3_600).await?;
    #[expect(clippy::cast_precision_loss, reason = "one or five")]
    let minutes = (period.as_secs() / 60) as f64;
    // A sum of five minutes is five of one; a maximum stays what it is.
    let sums = all.iter_mut().zip(&queries).filter(|(_, query)| query.statistic == "Sum");
    for point in sums.flat_map(|(series, _)| &mut series.0) {
        point.value /= minutes;
    }
    Ok(by_name(&base.functions, &all, IN_BUSIEST_HOUR))
}

fn since(what: &str, days: u32) -> String {
    format!("{what} of the last {days} days")
}

fn no_data<T>(what: &str, days: u32) -> Fact<T> {
    Fact::unknown(format!("{what} has no data in the last {days} days"))
}

fn measured(
    read: Result<&Series, &Refusal>,
    value: impl Fn(&Series) -> Option<f64>,
    what: &str,
    days: u32,
) -> Fact<u64> {
    match read.map(value) {
        Ok(Some(value)) => Fact::known(whole(value), Origin::Measured, since(what, days)),
        Ok(None) => no_data(what, days),
        Err(refusal) => Fact::unknown(refusal.to_string()),
    }
}
