//! Progress as JSON Lines: one object an event.

use serde_json::{Value, json};

use super::style::word_of;
use crate::catalogue::StepId;
use crate::cloud::Call;
use crate::doctor::path::{Aspect, Standing};
use crate::doctor::{Diagnosis, Finding};
use crate::engine::event::Event;
use crate::engine::ledger::Redirect;

/// The version of everything that we print as JSON.
pub const SCHEMA: u32 = 1;

/// A value as one line.
fn safe(value: &Value) -> String {
    crate::plain::json(&value.to_string()).into_owned()
}

/// An event as one line.
pub(super) fn line(event: &Event) -> String {
    let of = |kind: &str, step: StepId, more: Value| {
        let mut value = json!({"schema": SCHEMA, "event": kind, "step": step.number(), "slug": step.info().slug});
        if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
            value.extend(more);
        }
        value
    };
    let value = match event {
        Event::Began { step, detail } => of("began", *step, json!({"detail": detail})),
        Event::Waiting { step, state, elapsed, limit } => of(
            "waiting",
            *step,
            json!({"state": state, "elapsed_seconds": elapsed.as_secs_f64(), "limit_seconds": limit.as_secs_f64()}),
        ),
        Event::Ended { step, ending, detail, elapsed } => of(
            "ended",
            *step,
            json!({"ending": word_of(*ending).replace(' ', "_"), "detail": detail, "elapsed_seconds": elapsed.as_secs_f64()}),
        ),
        Event::Probe { seat, state, wait } => json!({
            "schema": SCHEMA, "event": "probe", "stands_in_for": seat.split(", ").collect::<Vec<_>>(), "state": state,
            "elapsed_seconds": wait.map(|(elapsed, _)| elapsed.as_secs_f64()),
            "limit_seconds": wait.map(|(_, limit)| limit.as_secs_f64()),
        }),
        Event::Wave { number, of, functions, state } => json!({
            "schema": SCHEMA, "event": "wave", "step": StepId::Repoint.number(), "wave": number, "of": of,
            "functions": functions, "state": state.replace(' ', "_"),
        }),
        Event::Note { step, text } => {
            json!({"schema": SCHEMA, "event": "note", "step": step.map(StepId::number), "text": text})
        }
    };
    safe(&value)
}

/// A sentence that belongs to no step, as one line.
pub(super) fn note(text: &str) -> String {
    safe(&json!({"schema": SCHEMA, "event": "note", "step": null, "text": text}))
}

/// A diagnosis as one line.
pub(super) fn diagnosis(intro: &str, found: &Diagnosis) -> String {
    safe(&json!({"schema": SCHEMA, "event": "diagnosis", "step": StepId::TargetHealth.number(), "text": intro,
           "findings": findings(&found.findings)}))
}

/// The findings of a diagnosis.
#[must_use]
pub fn findings(findings: &[Finding]) -> Vec<Value> {
    findings
        .iter()
        .map(|finding| {
            let info = finding.check.info();
            json!({"id": info.name(), "severity": finding.severity.word(), "title": info.title,
                   "evidence": finding.evidence, "cause": info.cause, "fix": finding.fixes, "see": info.url()})
        })
        .collect()
}

/// Variables that come to lead elsewhere.
#[must_use]
pub fn redirects(redirects: &[Redirect]) -> Vec<Value> {
    let one = |Redirect { function, variable, from, to }: &Redirect| json!({"function": function, "variable": variable, "from": from, "to": to});
    redirects.iter().map(one).collect()
}

/// The parts of a way.
#[must_use]
pub fn aspects_document(aspects: &[Aspect]) -> Vec<Value> {
    let part = |aspect: &Aspect| {
        let open = match aspect.standing {
            Standing::Open => Some(true),
            Standing::Broken => Some(false),
            Standing::Unchecked => None,
        };
        json!({"title": aspect.title, "open": open, "because": aspect.because})
    };
    aspects.iter().map(part).collect()
}

/// A call as one line.
pub(super) fn call(call: &Call) -> String {
    safe(&json!({"schema": SCHEMA, "event": "call", "service": call.service, "operation": call.operation,
           "status": call.status, "elapsed_seconds": call.elapsed.as_secs_f64(), "request_id": call.request_id}))
}

/// A failure as one line.
pub(super) fn failure(headline: &str, hints: &[String], request_id: Option<&str>) -> String {
    safe(&json!({"schema": SCHEMA, "event": "error", "error": headline, "hints": hints, "request_id": request_id}))
}
