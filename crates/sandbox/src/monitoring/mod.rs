//! CloudWatch: metrics of functions, databases and proxies, alarms and dashboards.
//!
//! Shapes and limits are those of botocore's model of CloudWatch and of its API reference
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>). Metrics are computed when they are read,
//! from what [`crate::load`] says. The account's calendar begins in 2026 and runs as fast as its user likes, so moments are read
//! and answered by the caller's: what the caller calls now is the account's now.

mod alarms;
mod band;
mod catalogue;
mod dashboards;
mod data;
mod evaluation;
mod expression;
mod list;
mod series;
mod statistics;
mod tags;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::{AwsError, Call, Need, Outcome, World};
use super::input;
pub use alarms::Alarm;
pub use dashboards::Dashboard;

/// CloudWatch's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Monitoring {
    /// Alarms by name.
    pub alarms: BTreeMap<String, Alarm>,
    /// Dashboards by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dashboards: BTreeMap<String, Dashboard>,
    /// How the dimension `TargetRole` spells the writer's role, where it is not `READWRITE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer_role: Option<String>,
}

/// Acts and answers.
pub(super) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "GetMetricData" => data::get(world, call),
        "GetMetricStatistics" => statistics::get(world, call),
        "ListMetrics" => list::list(world, call),
        "PutMetricAlarm" => alarms::put(world, call),
        "DescribeAlarms" => alarms::describe(world, call),
        "DeleteAlarms" => alarms::delete(world, call),
        "PutDashboard" => dashboards::put(world, call),
        "GetDashboard" => dashboards::get(world, call),
        "ListDashboards" => dashboards::list(world, call),
        "DeleteDashboards" => dashboards::delete(world, call),
        "ListTagsForResource" => tags::list(world, call),
        "TagResource" => tags::tag(world, call),
        "UntagResource" => tags::untag(world, call),
        action => Err(AwsError::new(400, "InvalidAction", format!("Could not find operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(super) fn mutating(action: &str) -> bool {
    !["Get", "List", "Describe"].iter().any(|verb| action.starts_with(verb))
}

/// The permissions that the call needs.
///
/// Reads of metrics have no resource type in the Service Authorization Reference. Alarms have one; a list of all is of every
/// alarm. Tags at creation need `cloudwatch:TagResource` too
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html>).
pub(super) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let mut context = BTreeMap::new();
    let tags = input::tags(&call.input, "Tags");
    let mut keys: Vec<String> = tags.keys().cloned().collect();
    keys.extend(input::texts(&call.input, "TagKeys"));
    for (key, value) in tags {
        context.insert(format!("aws:RequestTag/{key}"), vec![value]);
    }
    let tagged = !keys.is_empty();
    if tagged {
        context.insert("aws:TagKeys".to_owned(), keys);
    }
    let of_alarm = |name: &str| world.arn("cloudwatch", &format!("alarm:{name}"));
    let need = |action: &str, resource: String, context: &BTreeMap<String, Vec<String>>| {
        let mut context = context.clone();
        let named = resource.strip_prefix(&of_alarm("")).and_then(|name| world.monitoring.alarms.get(name));
        for (key, value) in named.iter().flat_map(|alarm| &alarm.tags) {
            context.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
        }
        Need { action: format!("cloudwatch:{action}"), resource, context }
    };
    match action {
        "PutMetricAlarm" => {
            let resource = of_alarm(input::text(&call.input, "AlarmName").unwrap_or("*"));
            let mut own = context.clone();
            let actions = input::texts(&call.input, "AlarmActions");
            if !actions.is_empty() {
                own.insert("cloudwatch:AlarmActions".to_owned(), actions);
            }
            let mut needs = vec![need(action, resource.clone(), &own)];
            if tagged {
                needs.push(need("TagResource", resource, &context));
            }
            needs
        }
        "DeleteAlarms" => {
            let names = input::texts(&call.input, "AlarmNames");
            names.iter().map(|name| need(action, of_alarm(name), &context)).collect()
        }
        "DescribeAlarms" => vec![need(action, of_alarm("*"), &context)],
        "PutDashboard" | "GetDashboard" => {
            let name = input::text(&call.input, "DashboardName").unwrap_or("*");
            vec![need(action, dashboards::arn(world, name), &context)]
        }
        "DeleteDashboards" => {
            let names = input::texts(&call.input, "DashboardNames");
            names.iter().map(|name| need(action, dashboards::arn(world, name), &context)).collect()
        }
        "TagResource" | "UntagResource" | "ListTagsForResource" => {
            vec![need(action, input::text(&call.input, "ResourceARN").unwrap_or("*").to_owned(), &context)]
        }
        _ => vec![need(action, "*".to_owned(), &context)],
    }
}

/// A member that breaks a rule of the model.
fn validation(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "ValidationError", message)
}

fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterValue", message)
}

/// A moment, in milliseconds since 1970 by the caller's calendar: a number of seconds, or a text.
fn moment(input: &Value, name: &str) -> Result<i64, AwsError> {
    let read = match input.get(name) {
        Some(Value::Number(seconds)) => seconds.as_f64().map(|seconds| series::whole(seconds * 1000.0)),
        Some(Value::String(text)) => series::instant(text),
        _ => return Err(AwsError::new(400, "MissingParameter", format!("The parameter {name} is required."))),
    };
    read.ok_or_else(|| validation(format!("The parameter {name} must be a timestamp.")))
}

#[cfg(test)]
mod tests;
