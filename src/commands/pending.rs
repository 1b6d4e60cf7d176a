//! The end of `up --wait=false` where something takes minutes: what was begun, and the commands that go on from there.

use std::time::Duration;

use documents::{PendingStep, UpPending, Version};

use super::session::{Session, command};
use super::up::done_step;
use crate::catalogue::StepId;
use crate::cli::Global;
use crate::exit::Exit;
use crate::report::{self, Done};
use crate::survey::Survey;

/// A run that left something to a later one.
pub(super) struct Left {
    /// What it changed.
    pub(super) done: Vec<Done>,
    /// What of it no row on the terminal shows in full.
    pub(super) unseen: Vec<Done>,
    /// What it did not wait for.
    pub(super) pending: Vec<Done>,
    /// Without the time that the prompt waited.
    pub(super) elapsed: Duration,
    /// The command that goes on.
    pub(super) again: String,
}

/// Shows it.
pub(super) fn show(global: &Global, session: &Session, survey: &Survey, left: &Left, exit: Exit) {
    let (stack, database) = (&survey.names.stack, &survey.database.id);
    let wait =
        goal(&left.pending).map(|(goal, what)| (command(global, "wait", database, stack) + " --for " + goal, what));
    let again = (left.again.clone(), "go on, with the same flags");
    let next: Vec<(String, &str)> = wait.into_iter().chain([again]).collect();
    let pending = |left: &Done| PendingStep {
        step: left.step.number(),
        slug: left.step.info().slug.to_owned(),
        state: left.detail.clone(),
    };
    let document = || UpPending {
        schema: Version,
        changed: !left.done.is_empty(),
        proxy: stack.clone(),
        database: database.clone(),
        pending: left.pending.iter().map(pending).collect(),
        changes: left.done.iter().map(done_step).collect(),
        next: next.iter().map(|(line, _)| line.clone()).collect(),
        exit_code: exit.code(),
    };
    if report::outcome(session.json, document) {
        return;
    }
    let begun = if left.done.is_empty() {
        "Nothing to do".to_owned()
    } else {
        format!("Begun in {}", report::duration(left.elapsed))
    };
    let headline = format!("{begun}: {stack} is not ready yet, and this run does not wait for it.");
    report::result(&format!("{}\nThe functions stay as they are.\n", report::sentence(&headline)));
    let rows: Vec<Done> = left.unseen.iter().chain(&left.pending).cloned().collect();
    report::result(&format!("{}\n", report::changes(&rows)));
    report::result(&report::next(&next));
}

/// What `wait` can wait for: the first of what is pending, if it is a state of the proxy or its target.
fn goal(pending: &[Done]) -> Option<(&'static str, &'static str)> {
    let is = |step: StepId| pending.iter().any(|left| left.step == step);
    if is(StepId::Proxy) {
        Some(("available", "wait until the proxy is available"))
    } else if is(StepId::TargetHealth) {
        Some(("target", "wait until its target is available"))
    } else {
        None
    }
}
