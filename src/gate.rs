//! The checks required before a function is pointed at the proxy: the static part of the verification.

use crate::catalogue::StepId;
use crate::catalogue::checks::CheckId;
use crate::doctor::Finding;
use crate::doctor::path::{self, Ahead};
use crate::engine::{Poll, PollInterval, Row, Run, StepError};
use crate::survey::Survey;

/// What would keep the functions from the proxy, from what AWS says; a policy that was attached just now may take a
/// while to count.
///
/// # Errors
/// When the run is stopped.
pub(crate) async fn look_ahead(run: &Run<'_>, survey: &Survey, proxy_id: Option<&str>) -> Result<Ahead, StepError> {
    let poll = Poll::begin(run, Row::Hidden, "", run.timeouts.propagation, PollInterval::Sparing);
    loop {
        let found = run.unless_stopped(Box::pin(path::before_repoint(run.cloud, survey, proxy_id))).await?;
        let spreads = found.in_the_way.iter().any(|finding| finding.check == CheckId::Connect);
        if !spreads || !poll.may_rest(run, "", run.clock.elapsed()).await? {
            return Ok(found);
        }
    }
}

/// No function is pointed at a proxy that it cannot use.
///
/// What could not be judged is said and blocks nothing.
pub(crate) fn unblocked(run: &Run<'_>, survey: &Survey, ahead: &Ahead) -> Result<(), StepError> {
    for text in &ahead.unjudged {
        run.note(Some(StepId::Repoint), text.clone());
    }
    let in_the_way: &[Finding] = &ahead.in_the_way;
    if in_the_way.is_empty() {
        return Ok(());
    }
    let reasons = in_the_way.iter().map(|finding| {
        let evidence: Vec<&str> = finding.evidence.iter().map(|text| text.trim_end_matches('.')).collect();
        format!("{}: {}", finding.check.info().name(), evidence.join("; "))
    });
    let mut hints: Vec<String> = in_the_way.iter().flat_map(|finding| finding.fixes.clone()).collect();
    hints.push("If this is not so, point the functions at the proxy all the same: --verify none.".to_owned());
    let doing = format!("checking the functions' way through the proxy ({})", survey.names.stack);
    Err(StepError::Unproven { doing, reasons: reasons.collect(), hints })
}
