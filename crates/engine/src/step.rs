//! What a step is.

use std::future::Future;
use std::time::Duration;

use crate::Procedure;
use crate::limits::{Limit, PollInterval};

/// What was found when a step looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Observed<T> {
    /// It is not there.
    Absent,
    /// It is there.
    Present(T),
    /// It could not be looked at, or not yet: why.
    Unknown(String),
}

impl<T> Observed<T> {
    /// What is there, if it is.
    pub fn present(&self) -> Option<&T> {
        match self {
            Self::Present(found) => Some(found),
            _ => None,
        }
    }

    /// Whether there is nothing for sure.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

impl<T> From<Option<T>> for Observed<T> {
    fn from(found: Option<T>) -> Self {
        found.map_or(Self::Absent, Self::Present)
    }
}

/// A state on the way to where a step should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    /// The state, in the account's words.
    pub state: String,
    /// Whether later steps may continue meanwhile.
    pub usable: bool,
    /// How long this very state may last; zero for one that never heals, `None` until the timeout.
    pub grace: Option<Duration>,
}

/// What is missing between what is there and what should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Diff {
    /// Nothing.
    None,
    /// The step does not apply: why.
    NotNeeded(String),
    /// The thing.
    Create,
    /// Some fields.
    Update(Vec<String>),
    /// Time.
    Await(Wait),
    /// Something that we must not or cannot change: what is in conflict.
    Conflict(Vec<String>),
}

/// How to continue after a change was refused for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// For how long to try.
    pub limit: Limit,
    /// How often.
    pub pace: PollInterval,
    /// Whether to look again before trying again.
    pub look: bool,
}

/// How far a step must come before its sequence continues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Milestone {
    /// Far enough for other steps to build on it.
    Usable,
    /// All the way.
    Ready,
}

/// One step of the procedure: four questions, and how to name it.
///
/// The contract: `observe` changes nothing; `compare` is pure; `apply` may be repeated after a
/// crash at any point, before or after its effect, and returns what is there afterwards as far
/// as the answer shows, so that nothing is asked twice.
pub trait Step<P: Procedure>: Sync {
    /// What the step finds and hands on.
    type State: Clone + Send + Sync;

    /// Which of the steps it is.
    fn id(&self) -> P::Id;

    /// What it is about: a resource's name.
    fn subject(&self) -> String;

    /// What it does for a change, as *verb-ing thing (name)*.
    fn doing(&self, change: &Diff) -> String;

    /// What is there.
    fn observe(&self, cloud: &P::Cloud) -> impl Future<Output = Result<Observed<Self::State>, P::Refusal>> + Send;

    /// What is there now, where something was seen before: a step of many parts looks at the open ones only.
    fn look_again(
        &self,
        cloud: &P::Cloud,
        _seen: &Observed<Self::State>,
    ) -> impl Future<Output = Result<Observed<Self::State>, P::Refusal>> + Send {
        self.observe(cloud)
    }

    /// What is missing.
    fn compare(&self, seen: &Observed<Self::State>) -> Diff;

    /// Changes it.
    fn apply(
        &self,
        cloud: &P::Cloud,
        change: &Diff,
        seen: Observed<Self::State>,
    ) -> impl Future<Output = Result<Observed<Self::State>, P::Refusal>> + Send;

    /// Whether a refusal of `apply` passes with time.
    fn again(&self, refusal: &P::Refusal) -> Option<RetryPolicy>;

    /// The limit and pace of its waits.
    fn wait(&self) -> (Limit, PollInterval);

    /// What was reached, in a few words.
    fn result(&self, _seen: &Observed<Self::State>) -> String {
        self.subject()
    }
}
