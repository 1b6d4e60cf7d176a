//! A canary: functions that are pointed at the proxy in waves.

use judge::{Finding, Gap};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The waves that are planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CanaryPlan {
    /// The waves, as `--waves` takes them.
    pub waves: String,
    /// How long each wave is watched, in seconds of data.
    pub soak_seconds: u64,
    /// The function that moves first, where one was named.
    pub first: Option<String>,
    /// Which share of an alias's calls goes to the proxy before all do, as `--alias-weight` takes it.
    pub alias_weight: String,
}

/// An alias, and the share of its calls that goes to the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AliasShare {
    /// The function.
    pub function: String,
    /// The alias.
    pub alias: String,
    /// Its share, in percent.
    pub percent: u8,
}

/// What became of a canary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Canary {
    /// How it ended.
    pub ending: CanaryEnding,
    /// The waves that were judged, in order.
    pub waves: Vec<Wave>,
    /// The functions that use the database again.
    pub back: Vec<String>,
    /// The functions at the proxy.
    pub moved: Vec<String>,
    /// The functions that are still to move.
    pub left: Vec<String>,
    /// The aliases that send only a share of their calls to the proxy.
    pub aliases: Vec<AliasShare>,
}

/// How a canary ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CanaryEnding {
    /// Every function has moved, and no wave was worse.
    Complete,
    /// Something was worse, and what this run moved uses the database again.
    Worse,
    /// Whether it is worse is unknown, and the run stopped; what has moved stays.
    Unknown,
    /// Whether it was worse was unknown, and somebody chose to go back.
    WentBack,
}

/// A wave that was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Wave {
    /// Its number, from 1; 0 for what an earlier run moved, and for a look before anything moves.
    pub number: u64,
    /// How many waves there are.
    pub of: u64,
    /// The functions that it moved.
    pub functions: Vec<String>,
    /// The aliases of them that sent only a share of their calls to the proxy, while it was watched; empty once all
    /// calls go there.
    pub aliases: Vec<AliasShare>,
    /// What came of it.
    pub judgement: Judgement,
}

/// What comes of a wave.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Judgement {
    /// Whether the functions are worse off than before.
    pub answer: Answer,
    /// What is worse; where nothing is, what was judged.
    pub findings: Vec<Finding>,
    /// What is unknown, and why.
    pub gaps: Vec<Gap>,
}

/// Whether functions are worse off than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Something is worse.
    Worse,
    /// Nothing is worse, and everything was there to be seen.
    NotWorse,
    /// Nothing is worse as far as it shows, and that is not far enough.
    Unknown,
}

impl From<judge::Judgement> for Judgement {
    fn from(judgement: judge::Judgement) -> Self {
        match judgement {
            judge::Judgement::Worse { found, gaps } => Self { answer: Answer::Worse, findings: found, gaps },
            judge::Judgement::NotWorse { judged } => {
                Self { answer: Answer::NotWorse, findings: judged, gaps: Vec::new() }
            }
            judge::Judgement::Unknown { gaps } => Self { answer: Answer::Unknown, findings: Vec::new(), gaps },
        }
    }
}
