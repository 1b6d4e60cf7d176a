//! The watch over a wave, and the question to somebody who interrupts it.

use std::pin::pin;

use judge::Judgement;

use super::{Decision, Way, soak};
use crate::engine::StepError;

/// Watches a wave until it is judged; `None` where somebody interrupted it and chose to go back.
///
/// The watch goes on while the question is open. Functions that are worse off do not wait for the answer.
///
/// # Errors
/// As [`soak::watch`], and when somebody chose to stop: what has moved stays.
pub(super) async fn judged(
    way: &Way<'_>,
    number: usize,
    of: usize,
    names: &[String],
) -> Result<Option<Judgement>, StepError> {
    let mut soak = pin!(soak::watch(way, number, of, names));
    loop {
        tokio::select! {
            // In this order, so that an interruption in the moment of the last data is heard.
            biased;
            () = way.decider.interrupts() => {}
            judgement = &mut soak => return judgement.map(Some),
        }
        let stand = way.stand(number, of);
        let mut answer = way.decider.interrupted(&stand);
        let mut over = None;
        let decision = tokio::select! {
            biased;
            judgement = &mut soak => match judgement? {
                worse @ Judgement::Worse { .. } => return Ok(Some(worse)),
                other => {
                    over = Some(other);
                    answer.await
                }
            },
            decision = &mut answer => decision,
        };
        match decision {
            Decision::Stop => return Err(StepError::Interrupted),
            Decision::Back => return Ok(None),
            Decision::Continue if over.is_some() => return Ok(over),
            Decision::Continue => {}
        }
    }
}
