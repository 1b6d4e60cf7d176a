//! What `verify` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Finding, Probe, Version};

/// Whether the functions get through to the database.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verify {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// Whether nothing is broken, and every connection that was tried works.
    pub verified: bool,
    /// The way from the functions to the database, as AWS describes it.
    #[serde(rename = "static")]
    pub parts: Vec<Part>,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
    /// Whether connections were tried, with `--probe`.
    pub probed: bool,
    /// The connections that were tried.
    pub probes: Vec<Probe>,
    /// What a connection that works proves, and what it does not.
    pub proves: String,
    /// How the certificate is checked.
    pub certificate: String,
}

/// A part of the way from the functions to the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Part {
    /// What it is.
    pub title: String,
    /// Whether it is open; null where that is not known.
    pub open: Option<bool>,
    /// Why.
    pub because: Vec<String>,
}
