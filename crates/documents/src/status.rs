//! What `status` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Alarm, AliasShare, Step, Version};

/// All thirteen steps of each stack as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// The version of this document.
    pub schema: Version,
    /// The stacks that were asked for; without a name, all of the Region.
    pub stacks: Vec<Stack>,
}

/// A stack as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Stack {
    /// Its name, which is also the proxy's.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// The proxy's host; null where there is none yet.
    pub endpoint: Option<String>,
    /// Whether everything is in place: false means drift, or something unhealthy.
    pub in_place: bool,
    /// Whether the stack was handed over to infrastructure as code.
    pub handed_over: bool,
    /// How far a canary is; null where none is under way.
    pub canary: Option<CanaryProgress>,
    /// The functions' direct path to the database.
    pub direct_path: DirectPath,
    /// Its alarms.
    pub alarms: AlarmStates,
    /// What an unhealthy target means.
    pub health_hints: Vec<String>,
    /// The thirteen steps.
    pub steps: Vec<Step>,
}

/// How far a canary is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CanaryProgress {
    /// How many functions are at the proxy.
    pub at_proxy: u64,
    /// How many there are.
    pub functions: u64,
    /// The last wave of which a function has moved; null where the proxy does not remember the waves.
    pub wave: Option<u64>,
    /// How many waves there are.
    pub waves: Option<u64>,
    /// The aliases that send only a share of their calls to the proxy.
    pub aliases: Vec<AliasShare>,
}

/// The functions' direct path to the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DirectPath {
    /// Whether the database's security groups let the functions in.
    pub state: DirectState,
    /// How many rules `close-direct` removed, and remembers.
    pub remembered: u64,
}

/// Whether the database's security groups let the functions in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DirectState {
    /// A rule lets a function in.
    Open,
    /// None does.
    Closed,
    /// A range or a prefix list may, or no function is at the proxy.
    Unknown,
}

/// The alarms of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlarmStates {
    /// Whether they could be read.
    pub known: bool,
    /// The alarms and the dashboard; empty where there are none, null where they could not be read.
    pub rows: Option<Vec<Alarm>>,
    /// Why they could not be read; else null.
    pub why: Option<String>,
}
