//! `GetMetricStatistics`.

use serde_json::{Value, json};

use super::catalogue;
use super::invalid;
use super::series::{Span, dimensions, find, statistic};
use crate::account::{AwsError, Call, Outcome, World};
use crate::{input, wire};

/// Points of one answer.
const MOST_POINTS: i64 = 1440;

/// `GetMetricStatistics`.
pub(super) fn get(world: &World, call: &Call) -> Outcome {
    let required = |name: &str| {
        let missing = || AwsError::new(400, "MissingParameter", format!("The parameter {name} is required."));
        input::text(&call.input, name).ok_or_else(missing)
    };
    let (namespace, name) = (required("Namespace")?, required("MetricName")?);
    let span = Span::of(call).map_err(|error| AwsError { code: "InvalidParameterCombination".to_owned(), ..error })?;
    let period = input::number(&call.input, "Period")
        .ok_or_else(|| AwsError::new(400, "MissingParameter", "The parameter Period is required."))?;
    let period = span.period(period).map_err(|error| invalid(error.message))?;
    let statistics = input::texts(&call.input, "Statistics");
    let extended = input::texts(&call.input, "ExtendedStatistics");
    if statistics.is_empty() && extended.is_empty() {
        let message = "At least one of the parameters Statistics and ExtendedStatistics must be specified.";
        return Err(AwsError::new(400, "MissingParameter", message));
    }
    let known = ["SampleCount", "Average", "Sum", "Minimum", "Maximum"];
    if let Some(unknown) = statistics.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(invalid(format!("The value {unknown} for parameter Statistics is not a valid statistic.")));
    }
    let percentile = |name: &&String| name.starts_with('p') && statistic(name, crate::load::Sample::one(0.0)).is_some();
    if let Some(unknown) = extended.iter().find(|name| !percentile(name)) {
        return Err(invalid(format!(
            "The value {unknown} for parameter ExtendedStatistics is not a valid percentile."
        )));
    }
    let asked = (span.end - span.start) / (period * 1000);
    if asked > MOST_POINTS {
        let message = format!(
            "You have requested up to {asked} datapoints, which exceeds the limit of {MOST_POINTS}. You may reduce the \
             datapoints requested by increasing Period, or decreasing the time range."
        );
        return Err(AwsError::new(400, "InvalidParameterCombination", message));
    }
    let wanted = dimensions(&call.input, "Dimensions").map_err(|error| invalid(error.message))?;
    let unit = input::text(&call.input, "Unit");
    let all = catalogue::all(world);
    let metric = find(&all, namespace, name, &wanted).filter(|metric| unit.is_none_or(|unit| unit == metric.unit));
    let points = metric.map(|metric| span.points(metric, &span.traffic(world), period)).unwrap_or_default();
    let rows = points.into_iter().map(|(at, sample)| {
        let mut row = json!({ "Timestamp": wire::at(at), "Unit": metric.map(|metric| metric.unit) });
        for name in &statistics {
            row[name.as_str()] = json!(statistic(name, sample));
        }
        if !extended.is_empty() {
            row["ExtendedStatistics"] =
                extended.iter().map(|name| (name.clone(), json!(statistic(name, sample)))).collect();
        }
        row
    });
    Ok(json!({ "Label": name, "Datapoints": rows.collect::<Vec<Value>>() }))
}
