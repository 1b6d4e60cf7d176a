//! A stack that was handed over to infrastructure as code: a tag on its proxy says so, and nothing here changes it
//! then.
//!
//! Anyone who may tag the proxy can set the tag, and does no harm: runs stop until it is taken off again.

use crate::cloud::rds::TaggedProxy;
use crate::cloud::{Tags, tags};
use crate::discover::Problem;
use crate::engine::{Poll, PollInterval, Row, Run, StepError};
use crate::shell::quoted;

/// The value of the tag.
pub const VALUE: &str = "yes";

/// What status and diagnosis say.
pub const NOTICE: &str =
    "This stack was handed over to infrastructure as code: up, restore and teardown do not change it.";

/// Whether these tags of a proxy mark its stack as handed over.
#[must_use]
pub fn marked(tags: &Tags) -> bool {
    tags.contains_key(tags::HANDED_OVER)
}

/// Refuses to change a stack that was handed over; `back` is the command that takes it back.
///
/// # Errors
/// Where it was handed over.
pub fn refuse(handed_over: bool, doing: &str, stack: &str, back: &str) -> Result<(), Problem> {
    if !handed_over {
        return Ok(());
    }
    Err(Problem::unfit(
        format!("{doing} ({stack}): it was handed over to infrastructure as code"),
        [
            "Nothing was changed. Change it where it is kept now: in Terraform or CloudFormation.".to_owned(),
            format!("To have rdsproxy-setup change it again: {back}"),
        ],
    ))
}

/// The same below the commands: no run begins on such a stack.
pub(crate) fn hold(handed_over: bool, doing: &str, stack: &str) -> Result<(), StepError> {
    if !handed_over {
        return Ok(());
    }
    let back = format!("rdsproxy-setup export --take-back --name {}", quoted(stack));
    let reasons = vec![format!("it was handed over to infrastructure as code ({back})")];
    Err(StepError::Conflict { doing: format!("{doing} ({stack})"), reasons })
}

/// Marks a stack as handed over, or takes the mark off.
///
/// # Errors
/// When AWS refuses, or the run is stopped.
pub async fn mark(run: &Run<'_>, found: &TaggedProxy, handed_over: bool) -> Result<(), StepError> {
    let (arn, name) = (found.proxy.arn.as_str(), &found.proxy.name);
    let doing =
        format!("{} the proxy as handed over ({name})", if handed_over { "marking" } else { "no longer marking" });
    let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
    let tag = Tags::from([(tags::HANDED_OVER.to_owned(), VALUE.to_owned())]);
    poll.insist(run, async || {
        if handed_over {
            run.cloud.rds.add_tags(arn, &tag).await
        } else {
            run.cloud.rds.remove_tags(arn, &[tags::HANDED_OVER.to_owned()]).await
        }
    })
    .await
}
