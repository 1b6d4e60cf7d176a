//! What the engine has to know of a procedure, and of the account that it works on.

use std::error::Error;
use std::fmt::Debug;

use crate::limits::Limit;

/// What a refusal means, whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// Something else still uses the thing.
    InUse,
    /// The thing is in a passing state.
    NotYet,
    /// The account has too much to do, or failed on its side.
    Busy,
    /// Nobody answered.
    NoAnswer,
    /// It stays refused.
    Final,
}

impl Meaning {
    /// Whether the same call may well succeed a moment later, whatever it was about.
    #[must_use]
    pub fn passes(self) -> bool {
        matches!(self, Self::Busy | Self::NoAnswer)
    }
}

/// A procedure: what it works on, what its steps are called, and what refusals mean.
///
/// It is a type that is never made, by which a run, its steps and its events are known to belong together.
pub trait Procedure: Sized + 'static {
    /// What calls are made with.
    type Cloud: Sync;
    /// What names a step.
    type Id: Copy + Debug + Eq + Send + Sync;
    /// What was answered to a call that was not carried out.
    type Refusal: Error + Clone + Send + Sync + 'static;
    /// The limits of the steps' waits.
    type Timeouts: Send + Sync;
    /// What there is to report besides steps and waits.
    type News: Send + Sync;

    /// What a refusal means.
    fn meaning(refusal: &Self::Refusal) -> Meaning;

    /// The code of a refusal, where it has one.
    fn code(refusal: &Self::Refusal) -> Option<&str>;

    /// For how long a change is tried again that the account was too busy for.
    fn busy(timeouts: &Self::Timeouts) -> Limit;

    /// Does work for a step, so that it is known which one its calls serve.
    fn serving<T>(step: Self::Id, work: impl Future<Output = T>) -> impl Future<Output = T>;
}
