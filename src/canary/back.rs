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
    loop {
        let read = teardown::survey(run.cloud, &survey.names.stack, Some(&survey.spec.database));
        match run.unless_stopped(Box::pin(read)).await? {
            Ok(stack) => return Ok(stack),
            Err(Problem::Refused { refusal, .. }) if refusal.passes() => poll.rest(run, "no answer").await?,
            Err(Problem::Refused { doing, refusal }) => return Err(StepError::Refused { doing, refusal }),
            Err(problem @ Problem::Unfit { .. }) => {
                return Err(StepError::Conflict { doing, reasons: vec![problem.to_string()] });
            }
        }
    }
}
