//! What steps would do, as people read it and as a saved plan holds it: one entry a step.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalogue::StepId;
use crate::engine::{Aws, Diff, Observed, Step};

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

/// What a part of a plan is held to once the plan is saved: texts that are compared as they are.
///
/// An action says everything that decides what is done and that the account, not a setting, has a say in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// What it builds on, by name; `None` for what only carrying the plan out shows.
    pub basis: BTreeMap<String, Option<String>>,
    /// What is left to do, an action each.
    pub actions: BTreeSet<String>,
}

impl Terms {
    /// Actions that build on nothing.
    #[must_use]
    pub fn of(actions: impl IntoIterator<Item = String>) -> Self {
        Self { basis: BTreeMap::new(), actions: actions.into_iter().collect() }
    }

    /// The same, with one thing more that they build on.
    #[must_use]
    pub fn on(mut self, name: impl Into<String>, value: Option<String>) -> Self {
        self.basis.insert(name.into(), value);
        self
    }

    /// Adds those of another part.
    pub fn extend(&mut self, other: Self) {
        self.basis.extend(other.basis);
        self.actions.extend(other.actions);
    }

    /// The same with other texts.
    #[must_use]
    pub fn map(self, text: impl Fn(String) -> String) -> Self {
        let basis = self.basis.into_iter().map(|(name, value)| (name, value.map(&text))).collect();
        Self { basis, actions: self.actions.into_iter().map(&text).collect() }
    }
}

/// A step that shows in plan and status.
pub trait PlannedStep: Step<Aws> {
    /// What a person should read under the step's row.
    fn details(&self, _seen: &Observed<Self::State>) -> Vec<String> {
        Vec::new()
    }

    /// Variables of functions that the step changes.
    fn redirects(&self, _seen: &Observed<Self::State>) -> Vec<Redirect> {
        Vec::new()
    }

    /// What is left to do, action by action, for a plan that is saved.
    ///
    /// A step of several calls lists each: what is left after a run that was killed is then a part of what was there
    /// before.
    fn terms(&self, seen: &Observed<Self::State>) -> Terms {
        let subject = self.subject();
        match self.compare(seen) {
            Diff::Create => Terms::of([format!("create {subject}")]),
            Diff::Update(fields) => Terms::of(fields.iter().map(|field| format!("change {subject}: {field}"))),
            Diff::None | Diff::NotNeeded(_) | Diff::Await(_) | Diff::Conflict(_) => Terms::default(),
        }
    }

    /// The step's row in plan and status.
    fn entry(&self, seen: &Observed<Self::State>) -> Entry {
        let verdict = match (seen, self.compare(seen)) {
            (Observed::Unknown(why), _) => Verdict::Unknown(why.clone()),
            (_, Diff::None) => Verdict::InPlace,
            (_, Diff::NotNeeded(why)) => Verdict::NotNeeded(why),
            (_, Diff::Create) => Verdict::Create,
            (_, Diff::Update(fields)) => Verdict::Update(fields),
            (_, Diff::Await(wait)) => Verdict::Await(wait.state),
            (_, Diff::Conflict(fields)) => Verdict::Conflict(fields),
        };
        let (details, redirects) = (self.details(seen), self.redirects(seen));
        Entry { step: self.id(), verdict, subject: self.subject(), details, redirects }
    }
}
