//! What CloudWatch remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::alarms::Alarm;
use super::dashboards::Dashboard;
use super::series;
use crate::account::AwsError;

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

/// A member that breaks a rule of the model.
pub(super) fn validation(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "ValidationError", message)
}

pub(super) fn invalid(message: impl Into<String>) -> AwsError {
    AwsError::new(400, "InvalidParameterValue", message)
}

/// A moment, in milliseconds since 1970 by the caller's calendar: a number of seconds, or a text.
pub(super) fn moment(input: &Value, name: &str) -> Result<i64, AwsError> {
    let read = match input.get(name) {
        Some(Value::Number(seconds)) => seconds.as_f64().map(|seconds| series::whole(seconds * 1000.0)),
        Some(Value::String(text)) => series::instant(text),
        _ => return Err(AwsError::new(400, "MissingParameter", format!("The parameter {name} is required."))),
    };
    read.ok_or_else(|| validation(format!("The parameter {name} must be a timestamp.")))
}
