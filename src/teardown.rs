//! The reverse: variables first, then what we made, in the order that AWS allows.
//!
//! What is to go is found by what proves that it is ours, never from memory, so a teardown works from any point that an
//! `up` was killed at, and after the database is gone. How each thing goes is its own file's matter: this one holds the
//! order.

mod back;
mod found;
mod marked;
mod served;

use crate::cloud::{serving, tags};
use crate::engine::event::{Ending, Event};
use crate::engine::{Poll, PollInterval, Row, Run, StepError, all2, crowd};
use crate::handover;
use crate::resources::Removal;
use crate::resources::alarms::AlarmsFound;
use crate::resources::direct_rules::{RulesBack, open};

pub use found::{Stack, survey, survey_as_tagged};

/// Points the functions back at the database, and leaves everything else. Rules that `close-direct` removed come back
/// first.
///
/// # Errors
/// As [`carry_out`].
pub async fn restore(run: &Run<'_>, stack: &Stack) -> Result<(), StepError> {
    handover::hold(stack.handed_over(), "restoring the functions", &stack.names.stack)?;
    one_by_one(run, &stack.direct).await?;
    let back = stack.functions.iter().map(|function| remove(run, function));
    let back = crowd(back.collect()).await.into_iter().reduce(|one, other| all2(one, other).map(drop));
    back.transpose()?;
    closed_meanwhile(run, stack).await
}

/// Opens what a `close-direct` at the same time has closed since this run looked: it looks at the functions after it
/// has closed, and this run at the memory after the functions are back, so that one of the two sees the other.
async fn closed_meanwhile(run: &Run<'_>, stack: &Stack) -> Result<(), StepError> {
    if stack.functions.is_empty() || stack.groups.is_empty() {
        return Ok(());
    }
    let name = &stack.names.stack;
    let doing = format!("looking whether the direct path was closed meanwhile ({name})");
    let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
    let now = poll.look(run, async || run.cloud.ec2.groups_tagged_with(tags::STACK, name).await).await?;
    let own = |id: &String| stack.groups.iter().any(|own| own.group.id == *id);
    for group in now.iter().filter(|group| own(&group.id)) {
        if let Some(found) = RulesBack::of(group, &stack.doors) {
            let found = found.only(&stack.functions);
            open(run, &found.own, &found.back).await?;
        }
    }
    Ok(())
}

/// Carries the teardown out.
///
/// # Errors
/// When AWS refuses, a wait times out, or the run is stopped; running it again resumes.
pub async fn carry_out(run: &Run<'_>, stack: &Stack) -> Result<(), StepError> {
    handover::hold(stack.handed_over(), "deleting the stack", &stack.names.stack)?;
    // What is not seen would be left behind, by a run that says that it is done.
    if let AlarmsFound::Unknown(refusal) = &stack.alarms {
        let doing = "looking for the proxy's alarms".to_owned();
        return Err(StepError::Refused { doing, refusal: (**refusal).clone() });
    }
    one_by_one(run, &stack.probes).await?;
    restore(run, stack).await?;
    // Before the proxy: nobody is to be woken by its deletion.
    one_by_one(run, stack.alarms.removal()).await?;
    let gone = async {
        one_by_one(run, &stack.proxy).await?;
        // After the last writer.
        one_by_one(run, stack.log_group.removal()).await?;
        // Not before the proxy is gone: it still reads its secret, and logs in, until then.
        one_by_one(run, &stack.secrets).await?;
        one_by_one(run, &stack.iam_auth).await?;
        // After IAM authentication is off again: the role remembers that this stack turned it on.
        one_by_one(run, &stack.role).await
    };
    let (gone, rights, rules) = tokio::join!(gone, one_by_one(run, &stack.policies), one_by_one(run, &stack.rules));
    all2(gone, all2(rights, rules))?;
    one_by_one(run, &stack.groups).await
}

async fn one_by_one<'a, T: Removal + 'a>(run: &Run<'_>, all: impl IntoIterator<Item = &'a T>) -> Result<(), StepError> {
    for one in all {
        remove(run, one).await?;
    }
    Ok(())
}

/// Removes one thing, in the row of its step.
async fn remove(run: &Run<'_>, removal: &dyn Removal) -> Result<(), StepError> {
    let Some(step) = removal.step() else { return removal.carry_out(run).await };
    let (began, detail) = (run.clock.elapsed(), removal.subject());
    run.tell(&Event::Began { step, detail: detail.clone() });
    let result = serving(step.info().slug, removal.carry_out(run)).await;
    let elapsed = run.clock.elapsed().saturating_sub(began);
    match &result {
        Ok(()) => run.tell(&Event::Ended { step, ending: removal.ending(), detail, elapsed }),
        Err(StepError::Interrupted | StepError::Abandoned) => {}
        Err(stop) => {
            run.stop.fail();
            run.tell(&Event::Ended { step, ending: Ending::Failed, detail: stop.to_string(), elapsed });
        }
    }
    result
}
