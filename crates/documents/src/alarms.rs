//! What `alarms` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Change, Version};

/// The alarms and the dashboard of a proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarms {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The alarms and the dashboard as they are now.
    pub alarms: Vec<Alarm>,
    /// How many alarm metrics CloudWatch bills.
    pub billed_metrics: u64,
}

/// What `alarms` would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmsPlan {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The alarms and the dashboard as they are to be.
    pub plan: Vec<Alarm>,
    /// How many alarm metrics CloudWatch would bill.
    pub billed_metrics: u64,
}

/// The alarms and the dashboard that were deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmsRemoval {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// What was deleted.
    pub changes: Vec<Change>,
}

/// An alarm, or the dashboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Alarm {
    /// Which alarm it is, such as `availability`; null is the dashboard.
    pub alarm: Option<String>,
    /// Its name on AWS.
    pub name: String,
    /// What happens to it.
    pub action: AlarmAction,
    /// What changes, or why it is not created.
    pub detail: Vec<String>,
    /// When it goes off, in words.
    pub threshold: Option<String>,
    /// Its state, as CloudWatch names it; null where it does not exist yet.
    pub state: Option<String>,
    /// Whether someone turned its actions off.
    pub silenced: bool,
    /// The topics that it notifies; null where there is nothing to notify with.
    pub notifies: Option<Vec<String>>,
}

/// What happens to an alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlarmAction {
    /// It is created.
    Create,
    /// It is changed.
    Update,
    /// It stays as it is.
    Keep,
    /// It cannot be created yet, since CloudWatch does not list its metrics.
    Wait,
    /// It does not apply here.
    NotNeeded,
    /// Something of this name exists that this stack did not create.
    Conflict,
}
