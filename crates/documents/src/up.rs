//! What `up` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Canary, CanaryPlan, Finding, Login, Probe, Step, StepState, Version};

/// What a run changed, and where the functions connect now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Up {
    /// The version of this document.
    pub schema: Version,
    /// Whether this run changed anything.
    pub changed: bool,
    /// The proxy.
    pub proxy: String,
    /// The proxy's host.
    pub endpoint: String,
    /// The proxy's port.
    pub port: u16,
    /// The database.
    pub database: String,
    /// How clients log in at the proxy.
    pub client_auth: Login,
    /// The functions that point at the proxy.
    pub functions: Vec<String>,
    /// What this run changed, in order.
    pub changes: Vec<DoneStep>,
    /// The connections that temporary functions proved, with `--verify probe`.
    pub probes: Vec<Probe>,
    /// What became of a canary; null without `--canary`.
    pub canary: Option<Canary>,
}

/// A step that changed something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DoneStep {
    /// Its number, 1 to 13.
    pub step: u8,
    /// Its name for programs.
    pub slug: String,
    /// What it changed.
    pub detail: String,
}

/// What `up` would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpPlan {
    /// The version of this document.
    pub schema: Version,
    /// The proxy's name.
    pub proxy: String,
    /// The thirteen steps.
    pub plan: Vec<Step>,
    /// How many steps are in which state.
    pub counts: Counts,
    /// What would keep it from working.
    pub findings: Vec<Finding>,
    /// The temporary functions that would prove the connection, with `--verify probe`.
    pub probes: Vec<PlannedProbe>,
    /// The waves, with `--canary`; else null.
    pub canary: Option<CanaryPlan>,
    /// Whether `up` would begin: false where it would refuse.
    pub feasible: bool,
    /// The code that the command exits with.
    pub exit_code: u8,
}

/// How many steps are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    /// In place.
    pub in_place: u64,
    /// To be created.
    pub create: u64,
    /// To be changed.
    pub update: u64,
    /// To be removed or restored.
    pub remove: u64,
    /// In place, but not ready yet.
    pub waiting: u64,
    /// In conflict with something that this stack did not create.
    pub conflict: u64,
    /// Not needed here.
    pub not_needed: u64,
    /// Not read.
    pub not_checked: u64,
}

impl Counts {
    /// Counts steps.
    #[must_use]
    pub fn of(steps: &[Step]) -> Self {
        let mut counts = Self::default();
        for step in steps {
            *match step.state {
                StepState::InPlace => &mut counts.in_place,
                StepState::Create => &mut counts.create,
                StepState::Update => &mut counts.update,
                StepState::Remove => &mut counts.remove,
                StepState::Waiting => &mut counts.waiting,
                StepState::Conflict => &mut counts.conflict,
                StepState::NotNeeded => &mut counts.not_needed,
                StepState::NotChecked => &mut counts.not_checked,
            } += 1;
        }
        counts
    }
}

/// A temporary function that would prove a connection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlannedProbe {
    /// Its name.
    pub function: String,
    /// The functions whose role and network it has.
    pub stands_in_for: Vec<String>,
}

/// A run that did not wait for what takes minutes, and left something to a later one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UpPending {
    /// The version of this document.
    pub schema: Version,
    /// Whether this run changed anything.
    pub changed: bool,
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// What it did not wait for.
    pub pending: Vec<PendingStep>,
    /// What this run changed, in order.
    pub changes: Vec<DoneStep>,
    /// The commands that wait and go on from here.
    pub next: Vec<String>,
    /// The code that the command exits with.
    pub exit_code: u8,
}

/// A step that is under way, or cannot be begun yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PendingStep {
    /// Its number, 1 to 13.
    pub step: u8,
    /// Its name for programs.
    pub slug: String,
    /// Its state, in AWS's words where it has one.
    pub state: String,
}

/// A canary that ended before its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UpCanary {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The database.
    pub database: String,
    /// What became of it.
    pub canary: Canary,
    /// The commands that go on from here.
    pub next: Vec<String>,
    /// The code that the command exits with.
    pub exit_code: u8,
}
