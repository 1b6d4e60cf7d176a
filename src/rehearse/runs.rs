//! The commands, as the copy sees them.

use std::collections::BTreeMap;

use super::stage::Stage;
use super::{Look, Ran, Stopped, Subject};
use crate::catalogue::checks::Severity;
use crate::cloud::Password;
use crate::discover::Problem;
use crate::doctor::{self, path};
use crate::engine::event::Recorder;
use crate::engine::{Run, StepError, StopSign};
use crate::plan::{Entry, Verdict};
use crate::resources::Line;
use crate::sequence;
use crate::survey::Survey;
use crate::teardown;

/// What a secret that is only rehearsed holds.
const NO_PASSWORD: &str = "rehearsed";

/// The plan, or what keeps it from being made.
pub(super) async fn plan(stage: &Stage, subject: &Subject<'_>) -> Result<Vec<Entry>, String> {
    let survey = stage.play(Box::pin(Survey::read(&stage.cloud, subject.spec, subject.timeouts))).await;
    let survey = survey.ok_or("killed")?.map_err(|problem| problem.to_string())?;
    Ok(survey.entries())
}

/// `up`.
pub(super) async fn up(stage: &Stage, subject: &Subject<'_>) -> Ran {
    stage.disarm();
    ran(stage, Box::pin(going_up(stage, subject))).await
}

/// `up`, killed at its `number`th change.
pub(super) async fn killed(stage: &Stage, subject: &Subject<'_>, number: usize, after_effect: bool) {
    stage.kill_at(number, after_effect);
    ran(stage, Box::pin(going_up(stage, subject))).await;
}

async fn ran(stage: &Stage, work: impl Future<Output = Result<(), Stopped>>) -> Ran {
    let (calls, began) = (stage.calls(), stage.clock.elapsed());
    stage.changes();
    let stopped = stage.play(work).await.and_then(Result::err);
    let elapsed = stage.clock.elapsed().saturating_sub(began);
    Ran { changes: stage.changes(), calls: stage.calls() - calls, elapsed, stopped }
}

async fn going_up(stage: &Stage, subject: &Subject<'_>) -> Result<(), Stopped> {
    let survey = Box::pin(Survey::read(&stage.cloud, subject.spec, subject.timeouts)).await;
    let mut survey = survey.map_err(|problem| Stopped::Before(problem.to_string()))?;
    let found = Box::pin(doctor::before(&stage.cloud, &survey)).await;
    if let Some(finding) = found.iter().find(|finding| finding.severity == Severity::Error) {
        return Err(Stopped::Before(finding.check.info().title.to_owned()));
    }
    if let Some(why) = survey.entries().iter().find_map(conflict) {
        return Err(Stopped::Before(why));
    }
    let users = survey.secrets.planned.iter().map(|planned| planned.user.clone());
    survey.passwords = users.map(|user| (user, Password::new(NO_PASSWORD.to_owned()))).collect::<BTreeMap<_, _>>();
    with_run(stage, subject, async |run| Box::pin(sequence::converge(run, &survey)).await.map(drop)).await
}

fn conflict(entry: &Entry) -> Option<String> {
    match &entry.verdict {
        Verdict::Conflict(reasons) => Some(format!("{}: {}", entry.step, reasons.join("; "))),
        Verdict::Unknown(why) => Some(format!("{}: {why}", entry.step)),
        _ => None,
    }
}

/// `teardown`, and what its plan says.
pub(super) async fn down(stage: &Stage, subject: &Subject<'_>) -> (Ran, Vec<Line>) {
    stage.disarm();
    let mut lines = Vec::new();
    let work = async {
        let stack = teardown::survey(&stage.cloud, &subject.spec.stack, Some(&subject.spec.database)).await;
        let stack = stack.map_err(|problem| Stopped::Before(problem.to_string()))?;
        lines = stack.lines();
        with_run(stage, subject, async |run| Box::pin(teardown::carry_out(run, &stack)).await).await
    };
    let ran = ran(stage, Box::pin(work)).await;
    (ran, lines)
}

/// `status`, `verify` without a probe, and `doctor`, or what keeps the account from being read.
pub(super) async fn look(stage: &Stage, subject: &Subject<'_>) -> Result<Look, String> {
    let look = async {
        let survey = Survey::read(&stage.cloud, subject.spec, subject.timeouts).await?;
        let diagnosis = doctor::of(&stage.cloud, &survey).await;
        Ok(Look { status: survey.entries(), way: path::aspects(&diagnosis), diagnosis })
    };
    let looked = stage.play(Box::pin(look)).await.ok_or("killed")?;
    looked.map_err(|problem: Problem| problem.to_string())
}

async fn with_run(
    stage: &Stage,
    subject: &Subject<'_>,
    work: impl AsyncFnOnce(&Run<'_>) -> Result<(), StepError>,
) -> Result<(), Stopped> {
    let (listener, stop) = (Recorder::default(), StopSign::default());
    let run =
        Run { cloud: &stage.cloud, clock: &stage.clock, timeouts: subject.timeouts, listener: &listener, stop: &stop };
    work(&run).await.map_err(|stop| Stopped::At(Box::new(stop)))
}
