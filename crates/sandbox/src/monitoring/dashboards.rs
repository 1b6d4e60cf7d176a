//! Dashboards: a name and a body, of the whole account and of no Region.
//!
//! Rules are those of botocore's model of CloudWatch and of
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html>. Tags, which newer models have and the
//! Service Authorization Reference does not know yet, are left out.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::invalid;
use crate::account::{AwsError, Call, Moment, Outcome, World};
use crate::{input, page, wire};

/// Widgets of one dashboard (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>).
const MOST_WIDGETS: usize = 500;

/// Dashboards of one page.
const PAGE: usize = 1000;

/// A dashboard.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dashboard {
    /// What it shows, as it was sent.
    pub body: String,
    /// When it was last put.
    pub modified: Moment,
}

/// The ARN of a dashboard, which names no Region.
pub(super) fn arn(world: &World, name: &str) -> String {
    let of_region = world.arn("cloudwatch", &format!("dashboard/{name}"));
    let parts: Vec<&str> = of_region.splitn(5, ':').collect();
    match parts.as_slice() {
        [arn, partition, service, _, rest] => format!("{arn}:{partition}:{service}::{rest}"),
        _ => of_region,
    }
}

/// `PutDashboard`.
pub(super) fn put(world: &mut World, call: &Call) -> Outcome {
    let name = input::text(&call.input, "DashboardName").unwrap_or_default();
    let allowed = |each: char| each.is_ascii_alphanumeric() || each == '-' || each == '_';
    if name.is_empty() || name.len() > 255 || !name.chars().all(allowed) {
        return Err(wrong("The value for DashboardName contains invalid characters or has an invalid length."));
    }
    let body = input::text(&call.input, "DashboardBody").unwrap_or_default();
    let parsed: Value = serde_json::from_str(body)
        .map_err(|error| wrong(format!("The field DashboardBody must be a valid JSON object: {error}")))?;
    let widgets = parsed.get("widgets").and_then(Value::as_array);
    let widgets = widgets.ok_or_else(|| wrong("The dashboard body is invalid: /widgets should be an array."))?;
    if widgets.len() > MOST_WIDGETS {
        return Err(wrong("The dashboard body is invalid: a dashboard can have at most 500 widgets."));
    }
    for (place, widget) in widgets.iter().enumerate() {
        let kind = widget.get("type").and_then(Value::as_str).unwrap_or_default();
        if !["metric", "text", "log", "alarm", "explorer", "custom"].contains(&kind) {
            return Err(wrong(format!("The dashboard body is invalid: /widgets/{place}/type is not valid.")));
        }
        if !widget.get("properties").is_some_and(Value::is_object) {
            return Err(wrong(format!("The dashboard body is invalid: /widgets/{place} should have properties.")));
        }
        if kind == "metric" && widget["properties"].get("region").and_then(Value::as_str).is_none() {
            return Err(wrong(format!(
                "The dashboard body is invalid: /widgets/{place}/properties should have a region."
            )));
        }
    }
    let dashboard = Dashboard { body: body.to_owned(), modified: call.now };
    world.monitoring.dashboards.insert(name.to_owned(), dashboard);
    Ok(json!({ "DashboardValidationMessages": [] }))
}

/// `GetDashboard`.
pub(super) fn get(world: &World, call: &Call) -> Outcome {
    let name = input::text(&call.input, "DashboardName").unwrap_or_default();
    let dashboard = world.monitoring.dashboards.get(name).ok_or_else(|| absent(name))?;
    Ok(json!({ "DashboardArn": arn(world, name), "DashboardBody": dashboard.body, "DashboardName": name }))
}

/// `ListDashboards`.
pub(super) fn list(world: &World, call: &Call) -> Outcome {
    let prefix = input::text(&call.input, "DashboardNamePrefix").unwrap_or_default();
    if prefix.len() > 255 || !prefix.chars().all(|each| each.is_ascii_alphanumeric() || ".-_".contains(each)) {
        return Err(invalid("The value for DashboardNamePrefix contains invalid characters or has an invalid length."));
    }
    let rows = world.monitoring.dashboards.iter().filter(|(name, _)| name.starts_with(prefix));
    let shown = |(name, dashboard): (&String, &Dashboard)| {
        let entry = json!({
            "DashboardName": name,
            "DashboardArn": arn(world, name),
            "LastModified": wire::at(dashboard.modified.unix_signed() + call.ahead),
            "Size": dashboard.body.len(),
        });
        (name.clone(), entry)
    };
    let (rows, next) = page::page(rows.map(shown).collect(), input::text(&call.input, "NextToken"), PAGE);
    let mut answer = json!({ "DashboardEntries": rows });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// `DeleteDashboards`: "the operation attempts to delete as many dashboards as possible" before it fails.
pub(super) fn delete(world: &mut World, call: &Call) -> Outcome {
    let names = input::texts(&call.input, "DashboardNames");
    if names.is_empty() || names.len() > 100 {
        return Err(invalid("The collection DashboardNames must have a size between 1 and 100."));
    }
    let mut missing = None;
    for name in names {
        if world.monitoring.dashboards.remove(&name).is_none() {
            missing = Some(absent(&name));
        }
    }
    missing.map_or_else(|| Ok(json!({})), Err)
}

fn absent(name: &str) -> AwsError {
    AwsError::new(404, "DashboardNotFoundError", format!("Dashboard {name} does not exist."))
}

fn wrong(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterInput", message)
}
