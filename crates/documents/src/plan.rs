//! A saved plan, and what is printed where it does not fit any more.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// A saved plan: the file that `--plan-out` writes and `--plan` reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SavedPlan {
    /// The version of this document.
    pub schema: Version,
    /// What it is.
    pub kind: PlanKind,
    /// The version of the program that drew it up; no other carries it out.
    pub version: String,
    /// When it was drawn up, in UTC.
    pub created_at: String,
    /// The account that it is for.
    pub account: String,
    /// The Region that it is for.
    pub region: String,
    /// The command that carries it out.
    pub command: Planned,
    /// What it was drawn up with: each flag by its name, with its values; a switch has none.
    pub settings: BTreeMap<String, Vec<String>>,
    /// What is to be done, step by step or thing by thing.
    pub entries: Vec<PlanEntry>,
}

/// What a saved plan says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PlanKind {
    /// A saved plan.
    #[serde(rename = "rdsproxy-setup plan")]
    Plan,
}

/// A command whose plan can be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Planned {
    /// Put a proxy in front of the database.
    Up,
    /// Delete what `up` created.
    Teardown,
    /// Point the functions back at the database.
    Restore,
    /// Watch the proxy, or stop watching it.
    Alarms,
}

impl Planned {
    /// The command.
    #[must_use]
    pub fn verb(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Teardown => "teardown",
            Self::Restore => "restore",
            Self::Alarms => "alarms",
        }
    }
}

/// One step, or one thing, of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanEntry {
    /// The step, or the thing.
    pub entry: String,
    /// What it builds on, by name; null for what is known only once the plan is carried out.
    pub basis: BTreeMap<String, Option<String>>,
    /// What is to be done; nothing where all is in place.
    pub actions: BTreeSet<String>,
}

/// What is printed where the account has changed since a plan was saved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanRefused {
    /// The version of this document.
    pub schema: Version,
    /// What failed, and why.
    pub error: String,
    /// What helps, the best first.
    pub hints: Vec<String>,
    /// Always null: AWS refused nothing.
    pub request_id: Option<String>,
    /// The code that the command exits with.
    pub exit_code: u8,
    /// Where the plan that is drawn up now is no part of the saved one.
    pub differences: Vec<PlanDifference>,
}

/// An entry that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanDifference {
    /// The step, or the thing.
    pub entry: String,
    /// What the saved plan says and this one does not.
    pub was: Vec<String>,
    /// What this plan says and the saved one does not.
    pub is: Vec<String>,
}
