//! What CloudWatch says of functions and proxy, as the judgement takes it.
//!
//! Lambda's metrics: <https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html>; the proxy's, with their
//! dimensions: <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>.

use std::collections::BTreeMap;
use std::time::Duration;

use judge::{Counts, Evidence, Function, Proxy, Reading, Share};

use super::BASELINE;
use super::split::Split;
use crate::cloud::metrics::{Point, Query, Series};
use crate::cloud::{Answer, Cloud};
use crate::discover::releases::Frozen;

const MINUTE: Duration = Duration::from_mins(1);

/// The metrics of one function, in the order of [`counted`].
const OF_FUNCTION: usize = 4;

/// The metrics of the proxy, in the order of [`of_proxy`].
const OF_PROXY: usize = 10;

/// Who reads.
pub(super) struct Reader<'a> {
    pub(super) cloud: &'a Cloud,
    pub(super) proxy: &'a str,
}

/// Which times are compared, in seconds since 1970.
pub(super) struct Spans<'a> {
    /// The functions that have moved, and when each one's time before ended.
    pub(super) moved: &'a BTreeMap<String, i64>,
    /// The functions that have not.
    pub(super) control: &'a [String],
    /// The aliases that send a share of their calls to the proxy.
    pub(super) split: &'a [Split<'a>],
    /// When the time since the change begins: a whole minute with nothing of the time before in it.
    pub(super) after: i64,
}

impl Spans<'_> {
    /// The minute in which the last function moved. Log-ins count from there: an execution environment that is new then
    /// may log in at once, and never again.
    fn changed(&self) -> i64 {
        self.moved.values().copied().max().unwrap_or(self.after).min(self.after).div_euclid(60) * 60
    }
}

/// What was read.
pub(super) struct Read {
    pub(super) evidence: Evidence,
    /// How much of the time since the change CloudWatch shows.
    pub(super) covered: Duration,
}

/// How often functions and aliases were called; those that were not are not among them.
pub(super) struct Traffic {
    pub(super) functions: BTreeMap<String, u64>,
    pub(super) aliases: BTreeMap<String, u64>,
}

/// Whose metrics.
#[derive(Clone, Copy)]
enum Of<'a> {
    /// All calls of a function, by whichever name.
    Function(&'a str),
    /// Those by an alias.
    Alias(&'a str, &'a str),
    /// Those by an alias that ran a version. Lambda has these where an alias has weights.
    Version(&'a str, &'a str, &'a str),
}

fn lambda(of: Of<'_>, metric: &'static str, statistic: &'static str) -> Query {
    let (function, alias, version) = match of {
        Of::Function(name) => (name, None, None),
        Of::Alias(name, alias) => (name, Some(alias), None),
        Of::Version(name, alias, version) => (name, Some(alias), Some(version)),
    };
    let resource = alias.map(|alias| ("Resource", format!("{function}:{alias}")));
    let version = version.map(|version| ("ExecutedVersion", version.to_owned()));
    let dimensions = [("FunctionName", function.to_owned())].into_iter().chain(resource).chain(version).collect();
    Query { namespace: "AWS/Lambda", metric, dimensions, statistic, period: MINUTE }
}

fn counted(of: Of<'_>) -> [Query; OF_FUNCTION] {
    [
        lambda(of, "Invocations", "Sum"),
        lambda(of, "Errors", "Sum"),
        lambda(of, "Throttles", "Sum"),
        lambda(of, "Duration", "p95"),
    ]
}

/// Before: all calls of the alias. Since: those that ran the version at the proxy, and those that ran the one before.
fn of_split(split: &Split<'_>) -> impl Iterator<Item = Query> {
    let Frozen { function, alias, .. } = split.frozen;
    let ran = |version| Of::Version(function, &alias.name, version);
    [Of::Alias(function, &alias.name), ran(split.ours), ran(&alias.version)].into_iter().flat_map(counted)
}

/// `AvailabilityPercentage` has a dimension more, whose value AWS documents in two spellings: one of them has data.
fn of_proxy(name: &str) -> [Query; OF_PROXY] {
    let own = || vec![("ProxyName", name.to_owned())];
    let one = |metric, statistic| Query { namespace: "AWS/RDS", metric, dimensions: own(), statistic, period: MINUTE };
    let available = |role: &str| {
        let group = ("TargetGroup", "default".to_owned());
        let dimensions = own().into_iter().chain([group, ("TargetRole", role.to_owned())]).collect();
        Query {
            namespace: "AWS/RDS",
            metric: "AvailabilityPercentage",
            dimensions,
            statistic: "Average",
            period: MINUTE,
        }
    };
    [
        one("ClientConnectionsSetupFailedAuth", "Sum"),
        one("ClientConnectionsSetupSucceeded", "Sum"),
        one("ClientConnectionsReceived", "Sum"),
        one("DatabaseConnectionsSetupFailed", "Sum"),
        one("DatabaseConnectionsSetupSucceeded", "Sum"),
        one("DatabaseConnectionsBorrowLatency", "Average"),
        one("DatabaseConnectionsCurrentlySessionPinned", "Sum"),
        one("DatabaseConnections", "Sum"),
        available("READWRITE"),
        available("READ_WRITE"),
    ]
}

impl Reader<'_> {
    /// How often each function, and each alias that is to move, was called in the last hour.
    pub(super) async fn traffic(&self, names: &[String], frozen: &[Frozen], now: i64) -> Answer<Traffic> {
        let functions = names.iter().map(|name| Of::Function(name));
        let aliases = frozen.iter().map(|one| Of::Alias(&one.function, &one.alias.name));
        let queries: Vec<Query> = functions.chain(aliases).map(|of| lambda(of, "Invocations", "Sum")).collect();
        if queries.is_empty() {
            return Ok(Traffic { functions: BTreeMap::new(), aliases: BTreeMap::new() });
        }
        let read = self.cloud.metrics.read(&queries, now - seconds(BASELINE), now).await?;
        let (functions, aliases) = read.split_at(names.len().min(read.len()));
        let sum = |(name, series): (String, &Series)| Some((name, whole(series.total()?)));
        let labels = frozen.iter().map(Frozen::label);
        Ok(Traffic {
            functions: names.iter().cloned().zip(functions).filter_map(sum).collect(),
            aliases: labels.zip(aliases).filter_map(sum).collect(),
        })
    }

    /// Everything that a judgement rests on.
    pub(super) async fn evidence(&self, spans: &Spans<'_>, now: i64, looks: u32) -> Answer<Read> {
        let names: Vec<&String> = spans.moved.keys().chain(spans.control).collect();
        let mut queries: Vec<Query> = names.iter().flat_map(|name| counted(Of::Function(name))).collect();
        queries.extend(spans.split.iter().flat_map(of_split));
        queries.extend(of_proxy(self.proxy));
        let first = spans.moved.values().copied().min().unwrap_or(spans.after).min(spans.after);
        let read = self.cloud.metrics.read(&queries, first - seconds(BASELINE), now.max(spans.after)).await?;
        let (of_functions, of_proxy) = read.split_at(read.len().saturating_sub(OF_PROXY));
        let (of_functions, of_split) = of_functions.split_at((names.len() * OF_FUNCTION).min(of_functions.len()));
        let newest = read.iter().filter_map(|series| series.0.last()).map(|point| point.at + 60).max();
        let covered = newest.unwrap_or(spans.after).saturating_sub(spans.after);
        // The others are compared over the times of the wave that moved last.
        let end_of_control = spans.moved.values().copied().max().unwrap_or(spans.after);
        let between = |name: String, end: i64, (earlier, since): (&[Series], &[Series])| {
            let before = |point: &Point| (end - seconds(BASELINE)..end.div_euclid(60) * 60).contains(&point.at);
            let after = |point: &Point| point.at >= spans.after;
            Function { name, before: counts(earlier, before), after: counts(since, after) }
        };
        let ended = |name: &str| spans.moved.get(name).copied().unwrap_or(end_of_control);
        let of = |(name, series): (&&String, &[Series])| between((*name).clone(), ended(name), (series, series));
        let all: Vec<Function> = names.iter().zip(of_functions.chunks(OF_FUNCTION)).map(of).collect();
        let (mut moved, mut control): (Vec<Function>, Vec<Function>) =
            all.into_iter().partition(|one| spans.moved.contains_key(&one.name));
        for (split, series) in spans.split.iter().zip(of_split.chunks(3 * OF_FUNCTION)) {
            let [before, ours, theirs] = std::array::from_fn(|place| {
                series.get(place * OF_FUNCTION..(place + 1) * OF_FUNCTION).unwrap_or_default()
            });
            let end = ended(&split.frozen.function);
            moved.push(between(split.frozen.label(), end, (before, ours)));
            // The same function at the same time, without the change.
            control.push(between(split.frozen.label(), end, (before, theirs)));
        }
        let proxy = proxy(of_proxy, spans.after, spans.changed());
        let covered = Duration::from_secs(u64::try_from(covered).unwrap_or(0));
        Ok(Read { evidence: Evidence { moved, control, proxy, looks }, covered })
    }
}

/// The sum of a metric in a span; `None` where it has no point there.
fn sum(series: &Series, within: impl Fn(&Point) -> bool) -> Option<u64> {
    let part: Vec<Point> = series.0.iter().copied().filter(within).collect();
    Series(part).total().map(whole)
}

/// What a function did in a span. Lambda sends errors and throttles, zeros too, for each minute with an invocation;
/// where it does not, they are not known.
fn counts(series: &[Series], within: impl Fn(&Point) -> bool) -> Reading<Counts> {
    let [invoked, failed, throttled, duration] = series else {
        return Reading::NoData("CloudWatch did not answer for it".to_owned());
    };
    let (invocations, throttles) = (sum(invoked, &within), sum(throttled, &within));
    let no_data = |metric: &str| Reading::NoData(format!("{metric} has no data for that time"));
    let (invocations, throttles) = match (invocations, throttles) {
        (None, None) => return Reading::NoData("it was not invoked, or CloudWatch does not show it yet".to_owned()),
        (Some(_), None) => return no_data("Throttles"),
        (invocations, Some(throttles)) => (invocations.unwrap_or(0), throttles),
    };
    let errors = match sum(failed, &within) {
        Some(errors) => errors,
        None if invocations == 0 => 0,
        None => return no_data("Errors"),
    };
    // The percentile of each minute, in the mean by how often the function was invoked in it.
    let weights: BTreeMap<i64, f64> = invoked.0.iter().map(|point| (point.at, point.value)).collect();
    let (mut total, mut weight) = (0.0, 0.0);
    for point in duration.0.iter().filter(|point| within(point)) {
        let by = weights.get(&point.at).copied().unwrap_or(0.0);
        total += point.value * by;
        weight += by;
    }
    let p95_ms = if weight > 0.0 {
        Reading::Known(total / weight)
    } else {
        Reading::NoData("Duration has no data for that time".to_owned())
    };
    Reading::Known(Counts { invocations, errors, throttles, p95_ms })
}

fn proxy(series: &[Series], after: i64, changed: i64) -> Proxy {
    let since = |point: &Point| point.at >= after;
    let total_from =
        |from: i64, place: usize| series.get(place).and_then(|series| sum(series, |point| point.at >= from));
    let total = |place: usize| total_from(after, place);
    let logins = |place: usize| total_from(changed, place);
    let mean = |place: usize| {
        let part = series.get(place)?.0.iter().copied().filter(since).collect();
        Series(part).mean()
    };
    let no_data = |what: &str| format!("{what} has no data since the change");
    let refused = match (logins(0), logins(1), logins(2)) {
        (Some(bad), Some(good), _) => Reading::Known(Share { bad, all: bad.saturating_add(good) }),
        // A count of failures that was never sent: what came and did not succeed.
        (None, Some(good), Some(came)) => Reading::Known(Share { bad: came.saturating_sub(good), all: came.max(good) }),
        (Some(bad), None, _) if bad > 0 => Reading::Known(Share { bad, all: bad }),
        _ => Reading::NoData(no_data("ClientConnectionsSetupSucceeded")),
    };
    let failed_setups = match (logins(3), logins(4)) {
        (Some(bad), Some(good)) => Reading::Known(Share { bad, all: bad.saturating_add(good) }),
        (Some(bad), None) if bad > 0 => Reading::Known(Share { bad, all: bad }),
        _ => Reading::NoData(no_data("DatabaseConnectionsSetupFailed")),
    };
    let pinned = match (total(6), total(7)) {
        (Some(pinned), Some(open)) if open > 0 => {
            Reading::Known((judge::statistics::real(pinned) / judge::statistics::real(open)).min(1.0))
        }
        (Some(0), _) => Reading::Known(0.0),
        _ => Reading::NoData(no_data("DatabaseConnectionsCurrentlySessionPinned")),
    };
    let known = |value: Option<f64>, what: &str| value.map_or_else(|| Reading::NoData(no_data(what)), Reading::Known);
    Proxy {
        refused,
        failed_setups,
        // Microseconds.
        borrow_ms: known(mean(5).map(|mean| mean / 1000.0), "DatabaseConnectionsBorrowLatency"),
        pinned,
        available: known(mean(8).or_else(|| mean(9)), "AvailabilityPercentage"),
    }
}

fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_secs()).unwrap_or(i64::MAX)
}

/// A count that came as a real number.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted here"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}
