//! Progress as JSON Lines: one object an event.

use documents::{Document, Version};

use super::documents::{alias_shares, findings, wave_state};
use crate::catalogue::StepId;
use crate::cloud::Call;
use crate::doctor::Diagnosis;
use crate::engine::event::{Ending, Event, WaveEvent};

/// A document as one line.
#[must_use]
pub fn json_line<D: Document>(document: &D) -> String {
    // Keys are texts, so that nothing of it can fail to be written.
    let text = serde_json::to_value(document).map(|value| value.to_string()).unwrap_or_default();
    crate::plain::json(&text).into_owned()
}

/// An event as one line.
pub(super) fn line(event: &Event) -> String {
    let slug = |step: &StepId| step.info().slug.to_owned();
    json_line(&match event {
        Event::Began { step, detail } => {
            documents::Event::Began { schema: Version, step: step.number(), slug: slug(step), detail: detail.clone() }
        }
        Event::Waiting { step, state, elapsed, limit } => documents::Event::Waiting {
            schema: Version,
            step: step.number(),
            slug: slug(step),
            state: state.clone(),
            elapsed_seconds: elapsed.as_secs_f64(),
            limit_seconds: limit.as_secs_f64(),
        },
        Event::Ended { step, ending, detail, elapsed } => documents::Event::Ended {
            schema: Version,
            step: step.number(),
            slug: slug(step),
            ending: word(*ending),
            detail: detail.clone(),
            elapsed_seconds: elapsed.as_secs_f64(),
        },
        Event::Aside { subject: seat, state, wait } => documents::Event::Probe {
            schema: Version,
            stands_in_for: seat.split(", ").map(str::to_owned).collect(),
            state: state.clone(),
            elapsed_seconds: wait.map(|(elapsed, _)| elapsed.as_secs_f64()),
            limit_seconds: wait.map(|(_, limit)| limit.as_secs_f64()),
        },
        Event::Other(WaveEvent { number, of, functions, aliases, state }) => documents::Event::Wave {
            schema: Version,
            step: StepId::Repoint.number(),
            wave: *number as u64,
            of: *of as u64,
            functions: functions.clone(),
            aliases: alias_shares(aliases),
            state: wave_state(*state),
        },
        Event::Note { step, text } => {
            documents::Event::Note { schema: Version, step: step.map(StepId::number), text: text.clone() }
        }
    })
}

/// How a step ended, in a word for programs.
fn word(ending: Ending) -> documents::Ending {
    match ending {
        Ending::Created => documents::Ending::Created,
        Ending::Updated => documents::Ending::Changed,
        Ending::Unchanged => documents::Ending::InPlace,
        Ending::Ready => documents::Ending::Ready,
        Ending::NotNeeded => documents::Ending::NotNeeded,
        Ending::Removed => documents::Ending::Removed,
        Ending::PutBack => documents::Ending::Restored,
        Ending::Pending => documents::Ending::Pending,
        Ending::Failed => documents::Ending::Failed,
    }
}

/// A sentence that belongs to no step, as one line.
pub(super) fn note(text: &str) -> String {
    json_line(&documents::Event::Note { schema: Version, step: None, text: text.to_owned() })
}

/// A diagnosis as one line.
pub(super) fn diagnosis(intro: &str, found: &Diagnosis) -> String {
    json_line(&documents::Event::Diagnosis {
        schema: Version,
        step: StepId::TargetHealth.number(),
        text: intro.to_owned(),
        findings: findings(&found.findings),
    })
}

/// A call as one line.
pub(super) fn call(call: &Call) -> String {
    json_line(&documents::Event::Call {
        schema: Version,
        service: call.service.clone(),
        operation: call.operation.clone(),
        status: call.status,
        elapsed_seconds: call.elapsed.as_secs_f64(),
        request_id: call.request_id.clone(),
    })
}

/// A failure as one line.
pub(super) fn failure(headline: &str, hints: &[String], request_id: Option<&str>) -> String {
    json_line(&documents::Event::Error {
        schema: Version,
        error: headline.to_owned(),
        hints: hints.to_vec(),
        request_id: request_id.map(str::to_owned),
    })
}
