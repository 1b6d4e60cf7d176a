//! The plan and the report: one entry a step.

use crate::catalogue::StepId;

/// What a step would have to do, as a person reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// In place; nothing to do.
    InPlace,
    /// Something would be created (`+`).
    Create,
    /// Something would be changed (`~`): the fields.
    Update(Vec<String>),
    /// Something would be removed or restored (`-`).
    Remove,
    /// In place but not ready yet: the state waited for.
    Await(String),
    /// Cannot be changed, or is not ours: what is in conflict.
    Conflict(Vec<String>),
    /// Does not apply: why.
    NotNeeded(String),
    /// Could not be looked at: why.
    Unknown(String),
}

impl Verdict {
    /// Whether carrying the step out would change the account.
    #[must_use]
    pub fn changes(&self) -> bool {
        matches!(self, Self::Create | Self::Update(_) | Self::Remove)
    }
}

/// A variable of a function that comes to lead elsewhere: hosts and ports, and nothing else of its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect {
    /// The function.
    pub function: String,
    /// The variable.
    pub variable: String,
    /// The hosts that it holds, with the ports that it states for them, or the port that it consists of.
    pub from: String,
    /// The same afterwards.
    pub to: String,
}

/// One row of the plan or of the status table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The step.
    pub step: StepId,
    /// What it would do, or how it stands.
    pub verdict: Verdict,
    /// The resource's name, or what else names it.
    pub subject: String,
    /// Further lines: what exactly, and why (`why: …`).
    pub details: Vec<String>,
    /// Variables of functions that change.
    pub redirects: Vec<Redirect>,
}
