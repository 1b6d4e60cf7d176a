//! Progress as lines: one a transition, and a heartbeat while nothing changes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{duration, say};
use crate::catalogue::StepId;
use crate::engine::event::{Ending, Event, Listener};

/// How long the same state may go unreported.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A listener that writes one line an event to stderr.
#[derive(Debug, Default)]
pub struct Lines {
    json: bool,
    quiet: bool,
    last: Mutex<BTreeMap<StepId, (String, Instant)>>,
}

impl Lines {
    /// Lines for people, or JSON Lines; `quiet` keeps failures only.
    #[must_use]
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, last: Mutex::default() }
    }

    /// Whether this state of this step is worth a line now.
    fn is_news(&self, step: StepId, state: &str) -> bool {
        let Ok(mut last) = self.last.lock() else { return true };
        match last.get(&step) {
            Some((known, at)) if known == state && at.elapsed() < HEARTBEAT => false,
            _ => {
                last.insert(step, (state.to_owned(), Instant::now()));
                true
            }
        }
    }
}

fn word(ending: Ending) -> &'static str {
    match ending {
        Ending::Created => "created",
        Ending::Updated => "updated",
        Ending::Unchanged => "in place",
        Ending::Ready => "ready",
        Ending::NotNeeded => "not needed",
        Ending::Removed => "removed",
        Ending::Failed => "failed",
    }
}

fn head(step: StepId) -> String {
    format!("[{:>2}/13] {}", step.number(), step.info().title)
}

fn line(event: &Event) -> Option<String> {
    match event {
        Event::Began { .. } => None,
        Event::Waiting { step, state, elapsed, limit } => {
            Some(format!("{}: {state} ({} of {})", head(*step), duration(*elapsed), duration(*limit)))
        }
        Event::Ended { step, ending, detail, elapsed } => {
            let time = if elapsed.as_secs() > 0 { format!(" ({})", duration(*elapsed)) } else { String::new() };
            Some(format!("{}: {}: {detail}{time}", head(*step), word(*ending)))
        }
        Event::Note { step: Some(step), text } => Some(format!("{}: note: {text}", head(*step))),
        Event::Note { step: None, text } => Some(format!("note: {text}")),
    }
}

fn json_line(event: &Event) -> String {
    let of = |step: &StepId| (step.number(), step.info().slug);
    let value = match event {
        Event::Began { step, detail } => {
            let (number, slug) = of(step);
            json!({"schema": 1, "event": "began", "step": number, "slug": slug, "detail": detail})
        }
        Event::Waiting { step, state, elapsed, limit } => {
            let (number, slug) = of(step);
            let (elapsed, limit) = (elapsed.as_secs_f64(), limit.as_secs_f64());
            json!({"schema": 1, "event": "waiting", "step": number, "slug": slug, "state": state,
                   "elapsed_seconds": elapsed, "limit_seconds": limit})
        }
        Event::Ended { step, ending, detail, elapsed } => {
            let (number, slug) = of(step);
            json!({"schema": 1, "event": "ended", "step": number, "slug": slug, "ending": word(*ending),
                   "detail": detail, "elapsed_seconds": elapsed.as_secs_f64()})
        }
        Event::Note { step, text } => {
            json!({"schema": 1, "event": "note", "step": step.map(StepId::number), "text": text})
        }
    };
    value.to_string()
}

impl Listener for Lines {
    fn event(&self, event: &Event) {
        let failed = matches!(event, Event::Ended { ending: Ending::Failed, .. });
        if self.quiet && !failed {
            return;
        }
        if let Event::Waiting { step, state, .. } = event
            && !self.is_news(*step, state)
        {
            return;
        }
        if self.json {
            say(&json_line(event));
        } else if let Some(line) = line(event) {
            say(&line);
        }
    }
}
