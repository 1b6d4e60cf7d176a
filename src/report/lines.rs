//! Progress as lines: one a transition, and a heartbeat while nothing changes.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::style::word_of;
use super::{duration, json, say};
use crate::catalogue::StepId;
use crate::engine::event::{Ending, Event, Listener};
use crate::plain;

/// How long the same state may go unreported: CI systems end jobs that stay silent.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// A listener that writes one line an event to stderr.
#[derive(Debug, Default)]
pub struct Lines {
    json: bool,
    quiet: bool,
    last: Mutex<BTreeMap<String, (String, Instant)>>,
}

impl Lines {
    /// Lines for people, or JSON Lines; `quiet` keeps failures only.
    #[must_use]
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet, last: Mutex::default() }
    }

    /// Whether this state of this step or probe is worth a line now.
    fn is_news(&self, whose: String, state: &str) -> bool {
        let Ok(mut last) = self.last.lock() else { return true };
        match last.get(&whose) {
            Some((known, at)) if known == state && at.elapsed() < HEARTBEAT => false,
            _ => {
                last.insert(whose, (state.to_owned(), Instant::now()));
                true
            }
        }
    }

    /// The line for an event, if it is worth one.
    fn text(&self, event: &Event) -> Option<String> {
        let failed = matches!(event, Event::Ended { ending: Ending::Failed, .. });
        if self.quiet && !failed {
            return None;
        }
        let known = match event {
            Event::Waiting { step, state, .. } => !self.is_news(head(*step), state),
            Event::Aside { subject: seat, state, wait: Some(_) } => !self.is_news(seat.clone(), state),
            _ => false,
        };
        if known {
            return None;
        }
        if self.json { Some(json::line(event)) } else { line(event).map(|text| plain::line(&text).into_owned()) }
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
        // Why it failed is reported once, with a hint, when the run has ended.
        Event::Ended { step, ending: Ending::Failed, elapsed, .. } => {
            Some(format!("{}: failed ({})", head(*step), duration(*elapsed)))
        }
        Event::Ended { step, ending, detail, elapsed } => {
            let time = if elapsed.as_secs() > 0 { format!(" ({})", duration(*elapsed)) } else { String::new() };
            Some(format!("{}: {}: {detail}{time}", head(*step), word_of(*ending)))
        }
        Event::Aside { subject: seat, state, wait: Some((elapsed, limit)) } => {
            Some(format!("[probe] {seat}: {state} ({} of {})", duration(*elapsed), duration(*limit)))
        }
        Event::Aside { subject: seat, state, wait: None } => Some(format!("[probe] {seat}: {state}")),
        Event::Other(wave) => Some(super::canary::line(wave)),
        Event::Note { step: Some(step), text } => Some(format!("{}: note: {text}", head(*step))),
        Event::Note { step: None, text } => Some(format!("note: {text}")),
    }
}

impl Listener<Event> for Lines {
    fn event(&self, event: &Event) {
        if let Some(text) = self.text(event) {
            say(&text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting(state: &str) -> Event {
        let (elapsed, limit) = (Duration::from_secs(65), Duration::from_mins(30));
        Event::Waiting { step: StepId::Proxy, state: state.to_owned(), elapsed, limit }
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_state_is_told_every_thirty_seconds_and_a_new_one_at_once() {
        let lines = Lines::new(false, false);
        assert_eq!(lines.text(&waiting("creating")).as_deref(), Some("[ 3/13] RDS Proxy: creating (1:05 of 30:00)"));
        assert_eq!(lines.text(&waiting("creating")), None);
        tokio::time::advance(Duration::from_secs(29)).await;
        assert_eq!(lines.text(&waiting("creating")), None);
        assert!(lines.text(&waiting("modifying")).is_some());
        tokio::time::advance(Duration::from_secs(30)).await;
        assert!(lines.text(&waiting("modifying")).is_some());
    }

    #[test]
    fn quiet_keeps_failures_only() {
        let lines = Lines::new(false, true);
        let ended =
            |ending| Event::Ended { step: StepId::Proxy, ending, detail: "x".to_owned(), elapsed: Duration::ZERO };
        assert_eq!(lines.text(&waiting("creating")), None);
        assert_eq!(lines.text(&ended(Ending::Created)), None);
        assert_eq!(lines.text(&ended(Ending::Failed)).as_deref(), Some("[ 3/13] RDS Proxy: failed (0:00)"));
    }
}
