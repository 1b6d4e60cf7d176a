//! A run over a copy of the account: what it would do, and whether it can be taken back.
//!
//! The copy is a simulated account, made from what the real one answered ([`capture`]). `up` runs there on still time, is
//! killed and run again, and is torn down; what is reported is what happened. Nothing here reaches the real account.

pub mod capture;
mod change;
pub mod difference;
mod runs;
mod stage;

use std::collections::BTreeSet;
use std::time::Duration;

use sandbox::{Profile, Service, World};
use serde_json::Value;

pub use change::Change;
pub use difference::Difference;

use crate::catalogue::StepId;
use crate::cloud::{Cloud, Kind};
use crate::discover::Problem;
use crate::doctor::Diagnosis;
use crate::doctor::path::Aspect;
use crate::engine::ledger::{Entry, Verdict};
use crate::engine::{StepError, Timeouts, crowd};
use crate::resources::Line;
use crate::spec::Spec;
use crate::survey::Survey;
use capture::Asked;
use stage::Stage;

/// The name of a service in the names of its actions.
fn prefix(service: Service) -> &'static str {
    if service == Service::Monitoring { "cloudwatch" } else { service.scope() }
}

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

    fn profile(self) -> Profile {
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
    fn began(&self) -> bool {
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
    /// A look at the account after `up`, or what kept it from being read; none where `up` changed nothing and did not come to its end.
    pub look: Option<Result<Look, String>>,
    /// A second `up`, which changes nothing if all is well; none where the first did not come to its end.
    pub again: Option<Ran>,
    /// What a teardown would remove.
    pub removals: Vec<Line>,
    /// In what the account differs, after `teardown`, from the original: from one without the stack, where it was there already.
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

/// What is rehearsed.
pub struct Subject<'a> {
    /// The copy.
    pub world: World,
    /// What the real account was asked.
    pub asked: &'a Asked,
    /// The plan that the real account leads to.
    pub plan: &'a [Entry],
    /// The settings.
    pub spec: &'a Spec,
    /// The limits.
    pub timeouts: Timeouts,
    /// Where to kill: a number that decides it.
    pub seed: u64,
    /// At how many places to kill, at most.
    pub kills: usize,
    /// Hears what comes next, where that may take a while.
    pub next: &'a (dyn Fn(&str) + Sync),
}

/// At how many places a run is killed at most, unless asked for otherwise.
pub const KILLS: usize = 24;
/// How many calls all killed runs together make at most, about: with a thousand functions, one run makes several thousand.
const CALLS: usize = 4_000;

/// Rehearses.
pub async fn carry_out(subject: &Subject<'_>) -> Rehearsal {
    let mut rehearsal = Box::pin(usual(subject)).await;
    for day in [Day::Fast, Day::Slow] {
        (subject.next)(&format!("up and teardown on a {} day", day.word()));
        let stage = Stage::new(subject, day.profile());
        let up = Box::pin(runs::up(&stage, subject)).await;
        let teardown = if up.began() { Some(Box::pin(runs::down(&stage, subject)).await.0) } else { None };
        rehearsal.days.push(OneDay { day, up, teardown });
    }
    rehearsal.days.sort_by_key(|day| Day::ALL.iter().position(|known| *known == day.day));
    rehearsal
}

/// The usual day, looked at closely.
async fn usual(subject: &Subject<'_>) -> Rehearsal {
    (subject.next)("up and teardown on a usual day");
    let stage = Stage::new(subject, Day::Usual.profile());
    let original = stage.settled().await;
    let plan = Box::pin(runs::plan(&stage, subject)).await.unwrap_or_default();
    let verdict =
        |entries: &[Entry], step| entries.iter().find(|entry| entry.step == step).map(|entry| entry.verdict.clone());
    let otherwise = subject.plan.iter().map(|entry| entry.step);
    let otherwise = otherwise.filter(|step| verdict(subject.plan, *step) != verdict(&plan, *step)).collect();
    let up = Box::pin(runs::up(&stage, subject)).await;
    let mut rehearsal = Rehearsal { plan, otherwise, ..Rehearsal::default() };
    if !up.began() {
        rehearsal.unasked = stage.unasked(subject.asked);
        rehearsal.days.push(OneDay { day: Day::Usual, up, teardown: None });
        return rehearsal;
    }
    let there = stage.settled().await;
    rehearsal.differences = difference::between(&original, &there);
    rehearsal.look = Some(Box::pin(runs::look(&stage, subject)).await);
    if up.stopped.is_none() {
        rehearsal.again = Some(Box::pin(runs::up(&stage, subject)).await);
    }
    let (teardown, removals) = Box::pin(runs::down(&stage, subject)).await;
    rehearsal.removals = removals;
    let back = stage.settled().await;
    let without = Box::pin(without(subject, original)).await;
    let left;
    (rehearsal.scheduled, left) = scheduled(difference::between(&without, &back));
    (rehearsal.released, rehearsal.left) =
        if subject.spec.publish_pending { released(left, &back) } else { (Vec::new(), left) };
    rehearsal.unasked = stage.unasked(subject.asked);
    if up.stopped.is_none() {
        rehearsal.kills = Box::pin(kills(subject, &up, &there, &back)).await;
    }
    rehearsal.days.push(OneDay { day: Day::Usual, up, teardown: Some(teardown) });
    rehearsal
}

/// The original without the stack: where it is there already, a teardown cannot bring back what it is to remove.
async fn without(subject: &Subject<'_>, original: Value) -> Value {
    let stage = Stage::new(subject, Day::Usual.profile());
    let (ran, _) = Box::pin(runs::down(&stage, subject)).await;
    if ran.changes.is_empty() { original } else { stage.settled().await }
}

/// Secrets that are on their way out, and everything else in which an account differs.
fn scheduled(differences: Vec<Difference>) -> (Vec<String>, Vec<Difference>) {
    let (leaving, left): (Vec<Difference>, Vec<Difference>) = differences.into_iter().partition(|found| {
        let is_secret = found.path.len() == 3 && found.path.first().is_some_and(|service| service == "secrets");
        let deletion = found.after.as_ref().and_then(|secret| secret.get("deletion"));
        is_secret && found.before.is_none() && deletion.is_some_and(|deletion| !deletion.is_null())
    });
    (leaving.into_iter().filter_map(|found| found.path.into_iter().next_back()).collect(), left)
}

/// Aliases that point at a new version with the variables of `$LATEST`, and everything else in which an account differs.
fn released(differences: Vec<Difference>, back: &Value) -> (Vec<Released>, Vec<Difference>) {
    let version = |found: &Difference| match found.names().as_slice() {
        ["lambda", "functions", function, "versions", number] => {
            let latest = back.pointer("/lambda/functions")?.get(function)?.pointer("/latest/environment");
            let same = found.before.is_none() && found.after.as_ref()?.get("environment") == latest;
            same.then(|| ((*function).to_owned(), (*number).to_owned()))
        }
        _ => None,
    };
    let new: BTreeSet<(String, String)> = differences.iter().filter_map(version).collect();
    let alias = |found: &Difference| match found.names().as_slice() {
        ["lambda", "functions", function, "aliases", alias, "version"] => {
            let version = found.after.as_ref()?.as_str()?.to_owned();
            let found = Released { function: (*function).to_owned(), alias: (*alias).to_owned(), version };
            new.contains(&(found.function.clone(), found.version.clone())).then_some(found)
        }
        _ => None,
    };
    let released: Vec<Released> = differences.iter().filter_map(alias).collect();
    let pointed_at = |found: &Difference| {
        version(found).is_some_and(|(function, number)| {
            released.iter().any(|alias| alias.function == function && alias.version == number)
        })
    };
    let left = differences.iter().filter(|found| alias(found).is_none() && !pointed_at(found)).cloned().collect();
    (released, left)
}

/// Kills `up` at some of its changes, spread evenly, and carries it out again.
async fn kills(subject: &Subject<'_>, up: &Ran, there: &Value, back: &Value) -> Vec<Kill> {
    let changes = up.changes.len();
    let count = (CALLS / up.calls.max(1)).max(1).min(subject.kills).min(changes);
    let mut kills = Vec::new();
    for number in 0..count {
        // One of each stretch of changes; which, and on which side of its effect, the seed decides.
        let stretch = (number * changes / count)..((number + 1) * changes / count);
        let draw = subject.seed.rotate_left(u32::try_from(number % 64).unwrap_or_default() * 7);
        let width = u64::try_from(stretch.len().max(1)).unwrap_or(1);
        let at = stretch.start + usize::try_from((draw >> 1) % width).unwrap_or_default();
        let after_effect = draw & 1 == 1;
        let Some(change) = up.changes.get(at) else { continue };
        (subject.next)(&format!("up, killed at change {} of {changes} ({} of {count})", at + 1, number + 1));
        let stage = Stage::new(subject, Day::Usual.profile());
        Box::pin(runs::killed(&stage, subject, at + 1, after_effect)).await;
        let again = Box::pin(runs::up(&stage, subject)).await;
        let differences = difference::between(there, &stage.settled().await);
        let gone = Box::pin(runs::down(&stage, subject)).await.0;
        let left = difference::between(back, &stage.settled().await);
        let stopped = again.stopped.or(gone.stopped);
        kills.push(Kill { at: at + 1, after_effect, change: change.clone(), stopped, differences, left });
    }
    kills
}

/// Reads what `up` reads of each function right before it changes it, so that the copy has it.
///
/// # Errors
/// When AWS refuses, other than by saying that it is not allowed: that is refused in the copy, too.
pub async fn look_closer(cloud: &Cloud, survey: &Survey) -> Result<(), Problem> {
    let read = survey.functions.iter().map(|found| cloud.lambda.get(&found.function.name));
    for read in crowd(read.collect()).await {
        match read {
            Err(refusal) if refusal.kind != Kind::Denied => {
                return Err(Problem::refused("reading the functions")(refusal));
            }
            _ => {}
        }
    }
    Ok(())
}
