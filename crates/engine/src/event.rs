//! What happens during a run, as data; a reporter shows it.

use std::sync::Mutex;
use std::time::Duration;

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Something was created.
    Created,
    /// Something was changed.
    Updated,
    /// Everything was in place already.
    Unchanged,
    /// Everything was in place once a wait was over.
    Ready,
    /// The step does not apply here, which is fine.
    NotNeeded,
    /// Something was removed (teardown).
    Removed,
    /// A former value was restored (teardown).
    PutBack,
    /// It was begun, and is not waited for.
    Pending,
    /// The step failed.
    Failed,
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<Id, News> {
    /// A step begins; `detail` says with what.
    Began {
        /// The step.
        step: Id,
        /// What it is about.
        detail: String,
    },
    /// A step waits.
    Waiting {
        /// The step.
        step: Id,
        /// The state seen, in the account's words (`creating`).
        state: String,
        /// How long this wait has lasted.
        elapsed: Duration,
        /// When this wait gives up.
        limit: Duration,
    },
    /// A step ended.
    Ended {
        /// The step.
        step: Id,
        /// How.
        ending: Ending,
        /// With what result, in a few words.
        detail: String,
        /// How long the step took in all.
        elapsed: Duration,
    },
    /// Something beside the steps that is done or waited for.
    Aside {
        /// What.
        subject: String,
        /// What it does, or what came of it.
        state: String,
        /// For how long, and for how long at most, where it is waited for.
        wait: Option<(Duration, Duration)>,
    },
    /// Something worth knowing that is no failure.
    Note {
        /// The step that it belongs to, if any.
        step: Option<Id>,
        /// One sentence.
        text: String,
    },
    /// What else the procedure has to report.
    Other(News),
}

/// Receives the events of a run, in order.
pub trait Listener<E>: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &E);
}

/// A listener that keeps every event: for tests.
#[derive(Debug)]
pub struct Recorder<E> {
    events: Mutex<Vec<E>>,
}

impl<E> Default for Recorder<E> {
    fn default() -> Self {
        Self { events: Mutex::default() }
    }
}

impl<E: Clone> Recorder<E> {
    /// The events so far.
    #[must_use]
    pub fn events(&self) -> Vec<E> {
        self.events.lock().map(|events| events.clone()).unwrap_or_default()
    }
}

impl<E: Clone + Send> Listener<E> for Recorder<E> {
    fn event(&self, event: &E) {
        if let Ok(mut events) = self.events.lock() {
            events.push(event.clone());
        }
    }
}
