//! The way back of a canary: what it moved uses the database again, newest first.

use crate::discover::Problem;
use crate::engine::{Poll, PollInterval, Row, Run, StepError};
use crate::survey::Survey;
use crate::teardown;

/// Points the functions of these waves back, the last wave first, by what `restore` does.
///
/// # Errors
/// When AWS refuses or the run is stopped; `restore` goes on from there.
pub(super) async fn carry_out(run: &Run<'_>, survey: &Survey, waves: &[Vec<String>]) -> Result<Vec<String>, StepError> {
    if waves.iter().all(Vec::is_empty) {
        return Ok(Vec::new());
    }
    let stack = look(run, survey).await?;
    let mut back = Vec::new();
    for wave in waves.iter().rev() {
        let mut part = stack.clone();
        part.functions.retain(|found| wave.contains(&found.function.name));
        // What the others of them need comes with their own wave, or stays closed.
        part.direct = part.direct.into_iter().map(|rules| rules.only(&part.functions)).collect();
        teardown::restore(run, &part).await?;
        back.extend(part.functions.into_iter().map(|found| found.function.name));
    }
    Ok(back)
}

/// Reads the way back; a read that fails in passing must not end it.
async fn look(run: &Run<'_>, survey: &Survey) -> Result<teardown::Stack, StepError> {
    let doing = format!("reading the way back ({})", survey.names.stack);
    let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
    let read = async || Box::pin(teardown::survey(run.cloud, &survey.names.stack, Some(&survey.spec.database))).await;
    poll.look_whatever(run, read, Problem::passes).await?.map_err(|problem| match problem {
        Problem::Refused { doing, refusal } => StepError::Refused { doing, refusal },
        Problem::Unfit { headline, .. } => StepError::Conflict { doing: doing.clone(), reasons: vec![headline] },
    })
}
