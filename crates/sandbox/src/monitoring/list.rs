//! `ListMetrics`.

use serde_json::{Value, json};

use super::catalogue::{self, Metric};
use super::invalid;
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;
use crate::load::{MINUTE, Traffic};

/// Milliseconds of an hour.
const HOUR: i64 = 60 * MINUTE;

/// Metrics of one answer.
const PAGE: usize = 500;

/// Hours of the two weeks in which a metric must have had data to be listed
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>), looked at once an hour but for the
/// newest three hours.
const HOURS: i64 = 14 * 24;

/// Minutes of `RecentlyActive`, the newest three hours.
const RECENT: usize = 180;

/// `ListMetrics`.
pub(super) fn list(world: &World, call: &Call) -> Outcome {
    let recent = match input::text(&call.input, "RecentlyActive") {
        None => false,
        Some("PT3H") => true,
        Some(other) => return Err(invalid(format!("The value {other} for parameter RecentlyActive is not valid."))),
    };
    let filters = input::list(&call.input, "Dimensions");
    if filters.len() > 10 {
        return Err(invalid("The collection Dimensions must not have a size greater than 10."));
    }
    let (namespace, name) = (input::text(&call.input, "Namespace"), input::text(&call.input, "MetricName"));
    let wanted = |metric: &Metric| {
        namespace.is_none_or(|namespace| namespace == metric.namespace)
            && name.is_none_or(|name| name == metric.name)
            && filters.iter().all(|filter| {
                metric.dimensions.iter().any(|(own, held)| {
                    input::text(filter, "Name") == Some(own)
                        && input::text(filter, "Value").is_none_or(|value| value == held)
                })
            })
    };
    let all: Vec<Metric> = catalogue::all(world).into_iter().filter(wanted).collect();
    let lag = i64::try_from(world.profile.metric_lag.as_millis()).unwrap_or(i64::MAX);
    let now = call.now.unix_signed().saturating_sub(lag);
    let newest = Traffic::new(world, now - 3 * HOUR, RECENT);
    let older: Vec<Traffic<'_>> =
        if recent { Vec::new() } else { (4..HOURS).map(|hour| Traffic::new(world, now - hour * HOUR, 1)).collect() };
    let has_data = |metric: &&Metric| {
        (0..RECENT).rev().any(|minute| metric.sample(&newest, minute).is_some())
            || older.iter().any(|hour| metric.sample(hour, 0).is_some())
    };
    let found: Vec<Value> = all
        .iter()
        .filter(has_data)
        .map(|metric| {
            let dimensions: Vec<Value> =
                metric.dimensions.iter().map(|(name, value)| json!({ "Name": name, "Value": value })).collect();
            json!({ "Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions })
        })
        .collect();
    let from: usize = match input::text(&call.input, "NextToken") {
        Some(token) => {
            token.parse().map_err(|_| AwsError::new(400, "InvalidParameterValue", "The next token is invalid."))?
        }
        None => 0,
    };
    let end = (from + PAGE).min(found.len());
    let mut answer = json!({ "Metrics": found.get(from..end).unwrap_or_default() });
    if end < found.len() {
        answer["NextToken"] = json!(end.to_string());
    }
    Ok(answer)
}
