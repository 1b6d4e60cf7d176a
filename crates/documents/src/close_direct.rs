//! What `close-direct` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// The rules of the functions' direct path, as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseDirect {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// The inbound rules of the database's security groups, and those that are remembered.
    pub rules: Vec<DirectRule>,
}

/// What `close-direct` would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseDirectPlan {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// The inbound rules of the database's security groups, and those that are remembered.
    pub plan: Vec<DirectRule>,
}

/// An inbound rule of a security group of the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectRule {
    /// Its ID; null where it was removed before, and is remembered.
    pub rule: Option<String>,
    /// The database's security group that has it.
    pub group: String,
    /// What it lets in: a security group, a range of addresses or a prefix list.
    pub source: String,
    /// The port, the first and the last port, or `all`.
    pub ports: String,
    /// The functions at the proxy that have that security group.
    pub functions: Vec<String>,
    /// What happens to it.
    pub action: DirectAction,
    /// Why it stays; else null.
    pub why: Option<String>,
}

/// What happens to a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectAction {
    /// It is removed, and remembered.
    Close,
    /// It was removed before, and is remembered.
    Closed,
    /// It stays, since something else uses it or may.
    Stay,
    /// It stays, since it could not be read who uses it.
    Unknown,
}
