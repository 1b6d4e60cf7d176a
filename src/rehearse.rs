//! A run over a copy of the account: what it would do, and whether it can be taken back.
//!
//! The copy is a simulated account, made from what the real one answered ([`capture`]). `up` runs there on still time,
//! is killed and run again, and is torn down; what is reported is what happened. Nothing here reaches the real account.

pub mod capture;
mod change;
pub mod difference;
mod found;
mod left;
mod runs;
mod stage;

use sandbox::{Service, World};
use serde_json::Value;

pub use change::Change;
pub use difference::Difference;
pub use found::{Day, Kill, Look, OneDay, Ran, Rehearsal, Released, Stopped};

use crate::cloud::{Cloud, Kind};
use crate::discover::Problem;
use crate::engine::{Timeouts, crowd};
use crate::plan::Entry;
use crate::spec::Spec;
use crate::survey::Survey;
use capture::Asked;
use left::{released, scheduled};
use stage::Stage;

/// The name of a service in the names of its actions.
fn prefix(service: Service) -> &'static str {
    if service == Service::Monitoring { "cloudwatch" } else { service.scope() }
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
/// How many calls all killed runs together make at most, about: with a thousand functions, one run makes several
/// thousand.
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
        if subject.spec.publish_pending { released(&left, &back) } else { (Vec::new(), left) };
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
