//! `GetMetricData`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::catalogue::{self, Metric};
use super::expression::{self, Term};
use super::series::{Points, Span, dimensions, find, statistic};
use super::validation;
use crate::account::{AwsError, Call, Outcome, World};
use crate::load::Traffic;
use crate::{input, wire};

/// Queries of one call.
const MOST_QUERIES: usize = 500;

/// Points of one answer.
const MOST_POINTS: usize = 100_800;

/// One query.
struct Query<'input> {
    id: &'input str,
    label: Option<&'input str>,
    shown: bool,
    kind: Kind<'input>,
}

enum Kind<'input> {
    Metric {
        namespace: &'input str,
        name: &'input str,
        dimensions: Vec<(String, String)>,
        period: i64,
        stat: &'input str,
        unit: Option<&'input str>,
    },
    Expression(&'input str),
}

/// `GetMetricData`.
pub(super) fn get(world: &World, call: &Call) -> Outcome {
    let span = Span::of(call)?;
    let queries = read(input::list(&call.input, "MetricDataQueries"), span)?;
    let most = input::number(&call.input, "MaxDatapoints");
    let most = most.map_or(Ok(MOST_POINTS), usize::try_from).ok().filter(|most| (1..=MOST_POINTS).contains(most));
    let most = most.ok_or_else(|| validation("The parameter MaxDatapoints must be between 1 and 100,800."))?;
    let ascending = match input::text(&call.input, "ScanBy") {
        None | Some("TimestampDescending") => false,
        Some("TimestampAscending") => true,
        Some(other) => {
            return Err(validation(format!(
                "Value '{other}' at 'scanBy' failed to satisfy constraint: Member must satisfy enum value set: \
                 [TimestampDescending, TimestampAscending]"
            )));
        }
    };
    let mut found = evaluated(world, span, &queries)?;
    let results = queries.iter().filter(|query| query.shown).map(|query| {
        let mut points: Vec<(i64, f64)> = found.remove(query.id).unwrap_or_default().into_iter().collect();
        if !ascending {
            points.reverse();
        }
        (query, points)
    });
    paged(results.collect(), most, input::text(&call.input, "NextToken"))
}

/// The newest points of an alarm, oldest first, one a period and none where nothing was sent; and the period in
/// seconds. Without an answer they cannot be computed.
pub(super) fn of_alarm(world: &World, call: &Call, settings: &Value, range: i64) -> Option<(Vec<Option<f64>>, i64)> {
    let given = input::list(settings, "Metrics");
    let one;
    let bands;
    let given = if given.is_empty() {
        let stat = input::text(settings, "Statistic").or_else(|| input::text(settings, "ExtendedStatistic"));
        one = [json!({ "Id": "m1", "MetricStat": {
            "Metric": {
                "Namespace": settings["Namespace"],
                "MetricName": settings["MetricName"],
                "Dimensions": settings.get("Dimensions"),
            },
            "Period": settings["Period"],
            "Stat": stat,
            "Unit": settings.get("Unit"),
        } })];
        &one[..]
    } else {
        // The band is no series to compare with a number.
        let band = input::text(settings, "ThresholdMetricId");
        bands = given.iter().filter(|metric| input::text(metric, "Id") != band).cloned().collect::<Vec<_>>();
        bands.as_slice()
    };
    let of = |metric: &Value| input::number(metric.get("MetricStat").unwrap_or(&Value::Null), "Period");
    let period = given.iter().filter_map(of).max()?.max(60);
    let span = Span::newest(world, call, period, range);
    let queries = read(given, span).ok()?;
    let mut found = evaluated(world, span, &queries).ok()?;
    let shown = queries.iter().find(|query| query.shown)?;
    let values = found.remove(shown.id)?;
    let at = |place: i64| values.get(&(span.start + place * period * 1000)).copied();
    Some(((0..range).map(at).collect(), period))
}

/// Every query's series, by its id.
fn evaluated(
    world: &World,
    span: Span,
    queries: &[Query<'_>],
) -> Result<BTreeMap<String, BTreeMap<i64, f64>>, AwsError> {
    let traffic = span.traffic(world);
    let all = catalogue::all(world);
    let mut found: BTreeMap<String, BTreeMap<i64, f64>> = BTreeMap::new();
    for query in queries {
        if let Kind::Metric { .. } = query.kind {
            found.insert(query.id.to_owned(), values(query, span, &all, &traffic));
        }
    }
    // An expression may stand on others, whatever their order.
    let mut left: Vec<(&str, &str)> = queries
        .iter()
        .filter_map(|query| if let Kind::Expression(text) = query.kind { Some((query.id, text)) } else { None })
        .collect();
    while !left.is_empty() {
        let before = left.len();
        let mut later = Vec::new();
        for (id, text) in left {
            let waits = expression::names(text)
                .into_iter()
                .any(|name| !found.contains_key(name) && queries.iter().any(|query| query.id == name));
            if waits {
                later.push((id, text));
                continue;
            }
            let term = expression::evaluate(text, &found);
            let term = term.map_err(|why| validation(format!("Error in expression '{id}': {why}")))?;
            found.insert(id.to_owned(), shown_as_series(id, term, &found)?);
        }
        if later.len() == before {
            return Err(validation("The expressions stand on each other in a circle."));
        }
        left = later;
    }
    Ok(found)
}

fn read(given: &[Value], span: Span) -> Result<Vec<Query<'_>>, AwsError> {
    if given.is_empty() {
        return Err(validation("The parameter MetricDataQueries is required."));
    }
    if given.len() > MOST_QUERIES {
        return Err(validation("The collection MetricDataQueries must not have a size greater than 500."));
    }
    let mut queries: Vec<Query<'_>> = Vec::with_capacity(given.len());
    for given in given {
        let id = input::text(given, "Id").unwrap_or_default();
        let first = id.starts_with(|first: char| first.is_ascii_lowercase());
        if !first || id.len() > 255 || !id.chars().all(|each| each.is_ascii_alphanumeric() || each == '_') {
            let rule = "Ids must begin with a lowercase letter and hold letters, digits and underscores alone.";
            return Err(validation(format!(
                "The value {id} for parameter MetricDataQueries.Id is not matching the expected pattern. {rule}"
            )));
        }
        if queries.iter().any(|query| query.id == id) {
            return Err(validation(format!("The values for parameter id in MetricDataQueries are not unique: {id}.")));
        }
        let stat = given.get("MetricStat").filter(|stat| !stat.is_null());
        let kind = match (stat, input::text(given, "Expression")) {
            (Some(stat), None) => metric(stat, span)?,
            (None, Some(text)) if text.len() <= 2048 => Kind::Expression(text),
            _ => return Err(validation(format!("Exactly one of MetricStat and Expression must be given for {id}."))),
        };
        let shown = input::flag(given, "ReturnData").unwrap_or(true);
        queries.push(Query { id, label: input::text(given, "Label"), shown, kind });
    }
    if !queries.iter().any(|query| query.shown) {
        return Err(validation("At least one of the queries must return data."));
    }
    Ok(queries)
}

fn metric(stat: &Value, span: Span) -> Result<Kind<'_>, AwsError> {
    let metric = stat.get("Metric").unwrap_or(&Value::Null);
    let missing = |name: &str| validation(format!("The parameter MetricStat.{name} is required."));
    let period = span.period(input::number(stat, "Period").ok_or_else(|| missing("Period"))?)?;
    let name = input::text(stat, "Stat").ok_or_else(|| missing("Stat"))?;
    if statistic(name, crate::load::Sample::one(0.0)).is_none() {
        return Err(validation(format!("The value {name} for parameter MetricStat.Stat is not a valid statistic.")));
    }
    Ok(Kind::Metric {
        namespace: input::text(metric, "Namespace").ok_or_else(|| missing("Metric.Namespace"))?,
        name: input::text(metric, "MetricName").ok_or_else(|| missing("Metric.MetricName"))?,
        dimensions: dimensions(metric, "Dimensions")?,
        period,
        stat: name,
        unit: input::text(stat, "Unit"),
    })
}

/// The values of a metric; a metric that there is not has none, and that is no error.
fn values(query: &Query<'_>, span: Span, all: &[Metric], traffic: &Traffic<'_>) -> BTreeMap<i64, f64> {
    let Kind::Metric { namespace, name, dimensions, period, stat, unit } = &query.kind else { return BTreeMap::new() };
    let metric = find(all, namespace, name, dimensions).filter(|metric| unit.is_none_or(|unit| unit == metric.unit));
    let points: Points = metric.map(|metric| span.points(metric, traffic, *period)).unwrap_or_default();
    points.into_iter().filter_map(|(at, sample)| Some((at, statistic(stat, sample)?))).collect()
}

/// A number becomes a series over the moments of all others.
fn shown_as_series(
    id: &str,
    term: Term,
    found: &BTreeMap<String, BTreeMap<i64, f64>>,
) -> Result<BTreeMap<i64, f64>, AwsError> {
    match term {
        Term::Series(series) => Ok(series),
        Term::Number(number) => Ok(found.values().flat_map(|series| series.keys()).map(|at| (*at, number)).collect()),
        Term::List(_) => Err(validation(format!("Error in expression '{id}': it must come to one series."))),
    }
}

/// So many points of the results, from the one on that the token names.
fn paged(results: Vec<(&Query<'_>, Vec<(i64, f64)>)>, most: usize, token: Option<&str>) -> Outcome {
    let bad = || AwsError::new(400, "InvalidNextToken", "The next token specified is invalid.");
    let (from, skipped): (usize, usize) = match token {
        Some(token) => {
            let (from, skipped) = token.split_once('/').ok_or_else(bad)?;
            (from.parse().map_err(|_| bad())?, skipped.parse().map_err(|_| bad())?)
        }
        None => (0, 0),
    };
    let (mut rows, mut next, mut left) = (Vec::new(), None, most);
    for (place, (query, points)) in results.into_iter().enumerate().skip(from) {
        let skip = if place == from { skipped } else { 0 };
        let rest = points.len().saturating_sub(skip);
        if left == 0 && rest > 0 {
            next = Some(format!("{place}/{skip}"));
            break;
        }
        let taken = rest.min(left);
        left -= taken;
        let part: Vec<(i64, f64)> = points.into_iter().skip(skip).take(taken).collect();
        let label = query.label.unwrap_or(match &query.kind {
            Kind::Metric { name, .. } => name,
            Kind::Expression(_) => query.id,
        });
        rows.push(json!({
            "Id": query.id,
            "Label": label,
            "Timestamps": part.iter().map(|(at, _)| wire::at(*at)).collect::<Vec<Value>>(),
            "Values": part.iter().map(|(_, value)| json!(value)).collect::<Vec<Value>>(),
            "StatusCode": if taken < rest { "PartialData" } else { "Complete" },
        }));
        if taken < rest {
            next = Some(format!("{place}/{}", skip + taken));
            break;
        }
    }
    let mut answer = json!({ "MetricDataResults": rows, "Messages": [] });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}
