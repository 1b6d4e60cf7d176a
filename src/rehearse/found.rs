//! What a rehearsal showed.

use std::time::Duration;

use sandbox::Profile;

use super::{Change, Difference};
use crate::catalogue::StepId;
use crate::doctor::Diagnosis;
use crate::doctor::path::Aspect;
use crate::engine::StepError;
use crate::plan::{Entry, Verdict};
use crate::resources::Line;

/// How quick AWS is on a day, as [`Profile`] has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Day {
    /// The short end of what people saw.
    Fast,
    /// The usual day.
    Usual,
    /// The long end.
    Slow,
}

impl Day {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Usual, Self::Slow];

    /// In a word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Fast => "fast",
            Self::Usual => "usual",
            Self::Slow => "slow",
        }
    }

    pub(super) fn profile(self) -> Profile {
        match self {
            Self::Fast => Profile::fast(),
            Self::Usual => Profile::median(),
            Self::Slow => Profile::slow(),
        }
    }
}

/// A run in the copy.
#[derive(Debug, Clone)]
pub struct Ran {
    /// What it changed, in order.
    pub changes: Vec<Change>,
    /// How many calls it made, reads and those that were refused among them.
    pub calls: usize,
    /// How long it would have taken.
    pub elapsed: Duration,
    /// What it stopped at, if it did not come to its end.
    pub stopped: Option<Stopped>,
}

impl Ran {
    /// Whether there is something to look at afterwards: it came to its end, or stopped after a change.
    pub(super) fn began(&self) -> bool {
        self.stopped.is_none() || !self.changes.is_empty()
    }
}

/// Why a run did not come to its end.
#[derive(Debug, Clone)]
pub enum Stopped {
    /// Before its first change: what keeps it from being planned.
    Before(String),
    /// In the middle.
    At(Box<StepError>),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Before(why) => f.write_str(why),
            Self::At(stop) => write!(f, "{stop}"),
        }
    }
}

/// `up` and `teardown` on one day.
#[derive(Debug, Clone)]
pub struct OneDay {
    /// Which.
    pub day: Day,
    /// `up`.
    pub up: Ran,
    /// `teardown` from where `up` ended or stopped; none where `up` changed nothing and did not come to its end.
    pub teardown: Option<Ran>,
}

/// A run of `up` that was killed at a change, and run again.
#[derive(Debug, Clone)]
pub struct Kill {
    /// At which change, from 1.
    pub at: usize,
    /// Whether AWS had carried the change out already.
    pub after_effect: bool,
    /// The change.
    pub change: Change,
    /// What the second run stopped at.
    pub stopped: Option<Stopped>,
    /// In what the account then differs from that of a run which was not killed.
    pub differences: Vec<Difference>,
    /// In what it differs from the original after a teardown, beside what an undisturbed one leaves.
    pub left: Vec<Difference>,
}

/// An alias that goes back to a version which did not exist before: the one that it pointed at lacks the release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// The function.
    pub function: String,
    /// The alias.
    pub alias: String,
    /// The version that it points at after a teardown.
    pub version: String,
}

/// What the commands that only look say of the account after `up`.
#[derive(Debug, Clone)]
pub struct Look {
    /// The thirteen steps.
    pub status: Vec<Entry>,
    /// The way from the functions to the database, as `verify` sees it.
    pub way: Vec<Aspect>,
    /// What `doctor` finds.
    pub diagnosis: Diagnosis,
}

/// What a rehearsal showed.
#[derive(Debug, Clone, Default)]
pub struct Rehearsal {
    /// The plan that the copy leads to.
    pub plan: Vec<Entry>,
    /// Steps whose plan differs from that of the real account: there, the copy is wrong.
    pub otherwise: Vec<StepId>,
    /// `up` and `teardown`, on each day.
    pub days: Vec<OneDay>,
    /// What `up` made of the account.
    pub differences: Vec<Difference>,
    /// A look at the account after `up`, or what kept it from being read; none where `up` changed nothing and did not
    /// come to its end.
    pub look: Option<Result<Look, String>>,
    /// A second `up`, which changes nothing if all is well; none where the first did not come to its end.
    pub again: Option<Ran>,
    /// What a teardown would remove.
    pub removals: Vec<Line>,
    /// In what the account differs, after `teardown`, from the original: from one without the stack, where it was
    /// there already.
    pub left: Vec<Difference>,
    /// Secrets that `up` created, and that a teardown has scheduled for deletion.
    pub scheduled: Vec<String>,
    /// Aliases whose pending release was published, and stays: a teardown points them at a version of the release.
    pub released: Vec<Released>,
    /// Runs that were killed.
    pub kills: Vec<Kill>,
    /// Questions that were put to the copy and not to the real account, by operation, and how often.
    pub unasked: Vec<(String, usize)>,
}

impl Rehearsal {
    /// `up` on the usual day.
    #[must_use]
    pub fn usual(&self) -> Option<&OneDay> {
        self.days.iter().find(|day| day.day == Day::Usual)
    }

    /// What was seen after `up`, if it could be seen.
    #[must_use]
    pub fn seen(&self) -> Option<&Look> {
        self.look.as_ref()?.as_ref().ok()
    }

    /// Whether all thirteen steps are in place after `up`.
    #[must_use]
    pub fn in_place(&self) -> bool {
        let in_place = |entry: &Entry| matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_));
        self.seen().is_some_and(|look| look.status.iter().all(in_place))
    }

    /// Whether `up` came to its end on the usual day, and everything that followed went as it should.
    #[must_use]
    pub fn went_well(&self) -> bool {
        let ended = |ran: &Ran| ran.stopped.is_none();
        let usual = self.usual();
        let prepared = |entry: &Entry| entry.step == StepId::Repoint || !entry.verdict.changes();
        usual.is_some_and(|day| ended(&day.up) && day.teardown.as_ref().is_some_and(ended))
            && self.seen().is_some_and(|look| look.status.iter().all(prepared))
            && self.again.as_ref().is_some_and(|again| ended(again) && again.changes.is_empty())
            && self.left.is_empty()
            && self.otherwise.is_empty()
            && self.kills.iter().all(Kill::went_well)
    }
}

impl Kill {
    /// Whether the second run came to the same end, and could be taken back as well.
    #[must_use]
    pub fn went_well(&self) -> bool {
        self.stopped.is_none() && self.differences.is_empty() && self.left.is_empty()
    }
}
