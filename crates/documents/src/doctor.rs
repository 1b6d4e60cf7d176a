//! What `doctor` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Finding, Version};

/// What is wrong, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Doctor {
    /// The version of this document.
    pub schema: Version,
    /// The database.
    pub database: String,
    /// The proxy's name, also where there is no proxy yet.
    pub proxy: String,
    /// Whether the stack was handed over to infrastructure as code.
    pub handed_over: bool,
    /// Why targets are unhealthy, in RDS's words.
    pub symptoms: Vec<Symptom>,
    /// What is wrong, the most likely cause first.
    pub findings: Vec<Finding>,
    /// What would explain the symptoms and was found to be fine.
    pub ruled_out: Vec<CheckNote>,
    /// What could not be checked.
    pub not_checked: Vec<CheckNote>,
    /// How many checks found nothing wrong.
    pub fine: u64,
    /// The code that the command exits with.
    pub exit_code: u8,
}

/// An unhealthy target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Symptom {
    /// The target.
    pub target: String,
    /// Its state, as RDS names it.
    pub state: String,
    /// The reason, as RDS names it.
    pub reason: Option<String>,
    /// RDS's sentence about it.
    pub description: Option<String>,
}

/// A check that found nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckNote {
    /// The check's number, such as `RPX014`.
    pub id: String,
    /// What shows that it is fine, or why it was not checked.
    pub why: String,
}
