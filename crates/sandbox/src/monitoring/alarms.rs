//! Alarms on metrics.
//!
//! Rules are those of <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>; states are
//! [`super::evaluation`]'s.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{band, evaluation, tags, validation};
use crate::account::{AwsError, Call, Moment, Outcome, World};
use crate::{input, page, wire};

/// Alarms an account and Region (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>).
const MOST: usize = 5000;

/// Metrics and expressions of one alarm.
const MOST_METRICS: usize = 10;

const COMPARISONS: &[&str] =
    &["GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"];

/// Comparisons with a band of expected values.
const WITH_BANDS: &[&str] =
    &["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold", "GreaterThanUpperThreshold"];

/// A metric alarm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The input that made it or changed it last, without tags.
    pub configuration: Value,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created: Moment,
    /// When it was last changed.
    pub updated: Moment,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`.
    #[serde(rename = "~state")]
    pub state: String,
    /// Since when.
    pub since: Moment,
    /// Why, in words.
    #[serde(rename = "~reason")]
    pub reason: String,
}

/// `PutMetricAlarm`.
pub(super) fn put(world: &mut World, call: &Call) -> Outcome {
    let name = input::text(&call.input, "AlarmName").ok_or_else(|| missing("AlarmName"))?;
    if name.chars().count() > 255 || name.chars().any(char::is_control) {
        return Err(validation(
            "The parameter AlarmName must have a length between 1 and 255, without control characters.",
        ));
    }
    checked(&call.input)?;
    let given = tags::checked(input::tags(&call.input, "Tags")).map_err(|error| validation(error.message))?;
    if !world.monitoring.alarms.contains_key(name) && world.monitoring.alarms.len() >= MOST {
        return Err(AwsError::new(400, "LimitExceeded", "The maximum limit for alarms is exceeded."));
    }
    let mut configuration = call.input.clone();
    if let Value::Object(members) = &mut configuration {
        members.remove("Tags");
        members.remove("AlarmName");
    }
    let fresh = Alarm {
        tags: given,
        created: call.now,
        state: "INSUFFICIENT_DATA".to_owned(),
        since: call.now,
        reason: "Unchecked: Initial alarm creation".to_owned(),
        ..Alarm::default()
    };
    // Tags in an update of an alarm are passed over.
    let alarm = world.monitoring.alarms.entry(name.to_owned()).or_insert(fresh);
    alarm.configuration = configuration;
    alarm.updated = call.now;
    Ok(Value::Null)
}

/// `DescribeAlarms`.
pub(super) fn describe(world: &mut World, call: &Call) -> Outcome {
    let names = input::texts(&call.input, "AlarmNames");
    let prefix = input::text(&call.input, "AlarmNamePrefix");
    if !names.is_empty() && prefix.is_some() {
        return Err(validation("AlarmNames and AlarmNamePrefix are mutually exclusive."));
    }
    let size = input::number(&call.input, "MaxRecords").unwrap_or(50);
    let size = usize::try_from(size).ok().filter(|size| (1..=100).contains(size));
    let size = size.ok_or_else(|| validation("The parameter MaxRecords must be between 1 and 100."))?;
    let kinds = input::texts(&call.input, "AlarmTypes");
    evaluation::evaluate(world, call);
    let state = input::text(&call.input, "StateValue");
    let actions = input::text(&call.input, "ActionPrefix");
    let rows = world.monitoring.alarms.iter().filter(|(name, alarm)| {
        (names.is_empty() || names.contains(name))
            && (kinds.is_empty() || kinds.iter().any(|kind| kind == "MetricAlarm"))
            && prefix.is_none_or(|prefix| name.starts_with(prefix))
            && state.is_none_or(|state| state == alarm.state)
            && actions.is_none_or(|start| {
                input::texts(&alarm.configuration, "AlarmActions").iter().any(|action| action.starts_with(start))
            })
    });
    let rows = rows.map(|(name, alarm)| (name.clone(), shown(world, call, name, alarm))).collect();
    let (rows, next) = page::page(rows, input::text(&call.input, "NextToken"), size);
    let mut answer = json!({ "MetricAlarms": rows, "CompositeAlarms": [] });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// `DeleteAlarms`: all or none.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let names = input::texts(&call.input, "AlarmNames");
    if names.is_empty() || names.len() > 100 {
        return Err(validation("The collection AlarmNames must have a size between 1 and 100."));
    }
    if !names.iter().all(|name| world.monitoring.alarms.contains_key(name)) {
        return Err(AwsError::new(404, "ResourceNotFound", "The named resource does not exist."));
    }
    for name in names {
        world.monitoring.alarms.remove(&name);
    }
    Ok(Value::Null)
}

fn missing(name: &str) -> AwsError {
    AwsError::new(400, "MissingParameter", format!("The parameter {name} is required."))
}

/// Checks all that an alarm says.
fn checked(input: &Value) -> Result<(), AwsError> {
    let periods = input::number(input, "EvaluationPeriods").ok_or_else(|| missing("EvaluationPeriods"))?;
    let comparison = input::text(input, "ComparisonOperator").ok_or_else(|| missing("ComparisonOperator"))?;
    let banded = input::text(input, "ThresholdMetricId");
    let fits = if banded.is_some() { WITH_BANDS } else { COMPARISONS };
    if !fits.contains(&comparison) {
        return Err(validation(format!("The value {comparison} for parameter ComparisonOperator is not supported.")));
    }
    match (banded, real(input, "Threshold")) {
        (None, None) => return Err(validation("The parameter Threshold is required.")),
        (Some(_), Some(_)) => {
            return Err(validation("Exactly one of Threshold and ThresholdMetricId must be given."));
        }
        _ => {}
    }
    if periods < 1 || input::number(input, "DatapointsToAlarm").is_some_and(|points| !(1..=periods).contains(&points)) {
        return Err(validation("DatapointsToAlarm must be between 1 and EvaluationPeriods."));
    }
    let treatment = input::text(input, "TreatMissingData").unwrap_or("missing");
    if !["breaching", "notBreaching", "ignore", "missing"].contains(&treatment) {
        let message = "Option for TreatMissingData must be one of [breaching, notBreaching, ignore, missing].";
        return Err(validation(message));
    }
    if input::text(input, "AlarmDescription").is_some_and(|text| text.chars().count() > 1024) {
        return Err(validation("The parameter AlarmDescription must have a length of at most 1024."));
    }
    for member in ["AlarmActions", "OKActions", "InsufficientDataActions"] {
        let actions = input::texts(input, member);
        if actions.len() > 5 {
            return Err(validation(format!("The collection {member} must not have a size greater than 5.")));
        }
        if let Some(action) = actions.iter().find(|action| !action.starts_with("arn:")) {
            return Err(validation(format!("Invalid arn syntax: {action}")));
        }
    }
    let period = match (input::text(input, "MetricName"), input::list(input, "Metrics")) {
        (Some(_), []) => of_one_metric(input)?,
        (None, [_, ..]) => of_several(input)?,
        _ => return Err(validation("Exactly one of MetricName and Metrics must be given.")),
    };
    let (most, what) = if period < 3600 { (86_400, "a day") } else { (604_800, "a week") };
    if periods.saturating_mul(period) > most {
        return Err(validation(format!(
            "Metrics cannot be checked across more than {what} (EvaluationPeriods * Period must be <= {most})."
        )));
    }
    Ok(())
}

/// The period of an alarm on one metric.
fn of_one_metric(input: &Value) -> Result<i64, AwsError> {
    input::text(input, "Namespace").ok_or_else(|| missing("Namespace"))?;
    super::series::dimensions(input, "Dimensions")?;
    match (input::text(input, "Statistic"), input::text(input, "ExtendedStatistic")) {
        (Some(name), None) if ["SampleCount", "Average", "Sum", "Minimum", "Maximum"].contains(&name) => {}
        (None, Some(name)) if name.starts_with('p') => {}
        _ => {
            return Err(validation(
                "Exactly one of Statistic and ExtendedStatistic must be given, and be a valid one.",
            ));
        }
    }
    let period = input::number(input, "Period").ok_or_else(|| missing("Period"))?;
    if period < 1 || !([10, 20, 30].contains(&period) || period % 60 == 0) {
        return Err(validation("Period must be 10, 20, 30 or a multiple of 60."));
    }
    Ok(period)
}

/// The longest period of an alarm on several metrics.
fn of_several(input: &Value) -> Result<i64, AwsError> {
    let metrics = input::list(input, "Metrics");
    if metrics.len() > MOST_METRICS {
        return Err(validation("An alarm can have at most 10 metrics."));
    }
    for member in ["Namespace", "Period", "Statistic", "ExtendedStatistic", "Dimensions", "Unit"] {
        if input::given(input, member) {
            return Err(validation(format!("{member} must not be given together with Metrics.")));
        }
    }
    let shown = metrics.iter().filter(|metric| input::flag(metric, "ReturnData").unwrap_or(true)).count();
    // With a band, the metric and its band are shown.
    match input::text(input, "ThresholdMetricId") {
        Some(id) if shown != 2 || band::of(metrics, id).is_none() => {
            return Err(validation(format!(
                "ThresholdMetricId {id} must be the id of an ANOMALY_DETECTION_BAND over a metric of the list, and those two \
                 must return data."
            )));
        }
        None if shown != 1 => {
            return Err(validation("Exactly one element of the metrics list should return data."));
        }
        _ => {}
    }
    let periods = metrics.iter().filter_map(|metric| {
        let stat = metric.get("MetricStat").unwrap_or(&Value::Null);
        input::number(stat, "Period").or_else(|| input::number(metric, "Period"))
    });
    periods.max().ok_or_else(|| missing("Period"))
}

/// A member as a real number.
pub(super) fn real(input: &Value, name: &str) -> Option<f64> {
    match input.get(name)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

fn shown(world: &World, call: &Call, name: &str, alarm: &Alarm) -> Value {
    let at = |moment: Moment| wire::at(moment.unix_signed() + call.ahead);
    let mut members: Map<String, Value> = alarm.configuration.as_object().cloned().unwrap_or_default();
    for list in ["OKActions", "AlarmActions", "InsufficientDataActions", "Dimensions"] {
        members.entry(list).or_insert_with(|| json!([]));
    }
    // The Query protocol has texts for everything, and the other protocols do not.
    for number in ["EvaluationPeriods", "DatapointsToAlarm", "Period"] {
        if let Some(value) = input::number(&alarm.configuration, number) {
            members.insert(number.to_owned(), json!(value));
        }
    }
    if let Some(threshold) = real(&alarm.configuration, "Threshold") {
        members.insert("Threshold".to_owned(), json!(threshold));
    }
    let enabled = input::flag(&alarm.configuration, "ActionsEnabled").unwrap_or(true);
    members.insert("ActionsEnabled".to_owned(), json!(enabled));
    if let Some(Value::Array(metrics)) = members.get_mut("Metrics") {
        for metric in metrics {
            typed(metric);
        }
    }
    let own = json!({
        "AlarmName": name,
        "AlarmArn": world.arn("cloudwatch", &format!("alarm:{name}")),
        "AlarmConfigurationUpdatedTimestamp": at(alarm.updated),
        "StateValue": alarm.state,
        "StateReason": alarm.reason,
        "StateUpdatedTimestamp": at(alarm.since),
        "StateTransitionedTimestamp": at(alarm.since),
    });
    members.extend(own.as_object().cloned().unwrap_or_default());
    Value::Object(members)
}

/// A metric of an alarm with numbers and flags as such.
fn typed(metric: &mut Value) {
    if let Some(flag) = input::flag(metric, "ReturnData") {
        metric["ReturnData"] = json!(flag);
    }
    if let Some(period) = input::number(metric, "Period") {
        metric["Period"] = json!(period);
    }
    if let Some(stat) = metric.get_mut("MetricStat")
        && let Some(period) = input::number(stat, "Period")
    {
        stat["Period"] = json!(period);
    }
}
