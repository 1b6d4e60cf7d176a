//! Who listens to a run: bars on a terminal, lines elsewhere; both remember what was changed.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use recording::{Tape, line};

use super::style::word_of;
use super::{Bars, Lines};
use crate::catalogue::StepId;
use crate::clock::Clock;
use crate::engine::event::{Ending, Event, Listener, WaveEvent, WaveState};

/// The fewest rows of a terminal that bars fit in.
const ROWS: u16 = 18;

/// A listener of the kind that fits the stream.
#[derive(Debug)]
pub struct Progress {
    show: Show,
    done: Mutex<Vec<Done>>,
    pending: Mutex<Vec<Done>>,
    waits: Mutex<BTreeMap<StepId, (String, Duration)>>,
    tape: Tape,
}

#[derive(Debug)]
enum Show {
    Bars(Bars),
    Lines(Lines),
}

/// A step that changed something, or is not waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// The step.
    pub step: StepId,
    /// How it ended.
    pub ending: Ending,
    /// What it reached; the state of what is not waited for.
    pub detail: String,
}

impl Progress {
    /// Bars for `steps` on a terminal, else lines, also where there are no steps; JSON Lines where stdout holds JSON.
    #[must_use]
    pub fn start(steps: &[StepId], clock: &Clock, json: bool, quiet: bool, tape: &Tape) -> Self {
        let show = if !json && !quiet && !steps.is_empty() && is_animated() {
            let bars = Bars::new(steps, clock);
            super::share(Some(bars.all()));
            Show::Bars(bars)
        } else {
            Show::Lines(Lines::new(json, quiet))
        };
        Self { show, done: Mutex::default(), pending: Mutex::default(), waits: Mutex::default(), tape: tape.clone() }
    }

    /// What the run changed so far, in order.
    #[must_use]
    pub fn done(&self) -> Vec<Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What the run did not wait for, by number.
    #[must_use]
    pub fn pending(&self) -> Vec<Done> {
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner).clone();
        pending.sort_by_key(|left| left.step.number());
        pending
    }

    /// What the run changed, without what the rows on the terminal show in full: a list of it would repeat them.
    #[must_use]
    pub fn unseen(&self) -> Vec<Done> {
        let seen = |done: &Done| matches!(&self.show, Show::Bars(bars) if bars.is_whole(done.step));
        let mut unseen = self.done();
        unseen.retain(|done| !(std::io::stdout().is_terminal() && seen(done)));
        unseen
    }

    /// What a step waits for at this moment, and how long it has.
    #[must_use]
    pub fn waiting(&self, step: StepId) -> Option<(String, Duration)> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).get(&step).cloned()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        super::share(None);
    }
}

impl Listener<Event> for Progress {
    fn event(&self, event: &Event) {
        if self.tape.runs() {
            self.tape.event(recorded(event));
        }
        if let Event::Ended { step, ending, detail, .. } = event {
            let list = match ending {
                Ending::Created | Ending::Updated | Ending::Removed => Some(&self.done),
                Ending::Pending => Some(&self.pending),
                _ => None,
            };
            if let Some(list) = list {
                let done = Done { step: *step, ending: *ending, detail: detail.clone() };
                list.lock().unwrap_or_else(PoisonError::into_inner).push(done);
            }
        }
        if let Event::Other(WaveEvent { number: number @ 1.., of, state: WaveState::Moving, .. }) = event {
            super::github::phase(&format!("Wave {number} of {of}"));
        }
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Waiting { step, state, elapsed, .. } => drop(waits.insert(*step, (state.clone(), *elapsed))),
            Event::Ended { step, .. } => drop(waits.remove(step)),
            _ => {}
        }
        drop(waits);
        match &self.show {
            Show::Bars(bars) => bars.event(event),
            Show::Lines(lines) => lines.event(event),
        }
    }
}

fn wave_word(state: WaveState) -> &'static str {
    match state {
        WaveState::Moving => "moving",
        WaveState::Completing => "completing",
        WaveState::Watching => "watching",
        WaveState::Worse => "worse",
        WaveState::NotWorse => "not_worse",
        WaveState::Unknown => "unknown",
    }
}

/// An event as a recording has it.
fn recorded(event: &Event) -> line::Event {
    let of = |name: &str, step: &StepId| line::Event {
        event: name.to_owned(),
        step: Some(step.info().slug.to_owned()),
        ..line::Event::default()
    };
    match event {
        Event::Began { step, detail } => line::Event { text: Some(detail.clone()), ..of("began", step) },
        Event::Waiting { step, state, elapsed, limit } => line::Event {
            state: Some(state.clone()),
            elapsed_seconds: Some(elapsed.as_secs_f64()),
            limit_seconds: Some(limit.as_secs_f64()),
            ..of("waiting", step)
        },
        Event::Ended { step, ending, detail, elapsed } => line::Event {
            ending: Some(word_of(*ending).replace(' ', "_")),
            text: Some(detail.clone()),
            elapsed_seconds: Some(elapsed.as_secs_f64()),
            ..of("ended", step)
        },
        Event::Aside { subject: seat, state, wait } => line::Event {
            event: "probe".to_owned(),
            state: Some(state.clone()),
            functions: seat.split(", ").map(str::to_owned).collect(),
            elapsed_seconds: wait.map(|(elapsed, _)| elapsed.as_secs_f64()),
            limit_seconds: wait.map(|(_, limit)| limit.as_secs_f64()),
            ..line::Event::default()
        },
        Event::Other(WaveEvent { number, of: all, functions, state, .. }) => line::Event {
            state: Some(wave_word(*state).to_owned()),
            text: Some(format!("wave {number} of {all}")),
            functions: functions.clone(),
            ..of("wave", &StepId::Repoint)
        },
        Event::Note { step, text } => line::Event {
            event: "note".to_owned(),
            step: step.map(|step| step.info().slug.to_owned()),
            text: Some(text.clone()),
            ..line::Event::default()
        },
    }
}

/// Whether stderr is a terminal that a person watches. CI systems offer terminals that nobody does.
fn is_animated() -> bool {
    let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
    let tall = console::Term::stderr().size_checked().is_some_and(|(rows, _)| rows >= ROWS);
    std::io::stderr().is_terminal() && !super::in_ci() && !dumb && tall
}
