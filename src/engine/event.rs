//! What happens during a run, as data; a reporter shows it.

use std::sync::Mutex;
use std::time::Duration;

use crate::catalogue::StepId;

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

/// An alias, and the share of its calls that goes to the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AliasShare {
    /// The function.
    pub function: String,
    /// The alias.
    pub alias: String,
    /// Its share, in percent.
    pub percent: u8,
}

impl AliasShare {
    /// The function and the alias, as Lambda writes them.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}:{}", self.function, self.alias)
    }
}

impl std::fmt::Display for AliasShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} % of the calls of {}", self.percent, self.label())
    }
}

/// What is done with a wave of a canary, or what came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaveState {
    /// Its functions are being pointed at the proxy.
    Moving,
    /// Aliases that sent a share of their calls to the proxy are being pointed there whole.
    Completing,
    /// It is watched.
    Watching,
    /// Something is worse than before.
    Worse,
    /// Nothing is worse.
    NotWorse,
    /// Whether something is worse is unknown.
    Unknown,
}

/// Something that happened in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A step begins; `detail` says with what (`my-instance-proxy`).
    Began {
        /// The step.
        step: StepId,
        /// What it is about.
        detail: String,
    },
    /// A step waits for AWS.
    Waiting {
        /// The step.
        step: StepId,
        /// The state seen, in AWS's words (`creating`, `UNAVAILABLE (PENDING_PROXY_CAPACITY)`).
        state: String,
        /// How long this wait has lasted.
        elapsed: Duration,
        /// When this wait gives up.
        limit: Duration,
    },
    /// A step ended.
    Ended {
        /// The step.
        step: StepId,
        /// How.
        ending: Ending,
        /// With what result, in a few words.
        detail: String,
        /// How long the step took in all.
        elapsed: Duration,
    },
    /// Something about a temporary function that proves a connection; it is none of the thirteen steps.
    Probe {
        /// The functions that it stands in for.
        seat: String,
        /// What it does, or what came of it.
        state: String,
        /// For how long, and for how long at most, where it is waited for.
        wait: Option<(Duration, Duration)>,
    },
    /// A wave of a canary: what is done with it, or what came of it.
    Wave {
        /// Its number, from 1; 0 for what an earlier run moved.
        number: usize,
        /// How many waves there are.
        of: usize,
        /// The functions that it moves.
        functions: Vec<String>,
        /// The aliases of them that send only a share of their calls to the proxy.
        aliases: Vec<AliasShare>,
        /// What is done with it, or what came of it.
        state: WaveState,
    },
    /// Something worth knowing that is no failure.
    Note {
        /// The step that it belongs to, if any.
        step: Option<StepId>,
        /// One sentence.
        text: String,
    },
}

/// Receives the events of a run, in order.
pub trait Listener: Send + Sync {
    /// Takes one event.
    fn event(&self, event: &Event);
}

/// A listener that keeps every event: for tests.
#[derive(Debug, Default)]
pub struct Recorder {
    events: Mutex<Vec<Event>>,
}

impl Recorder {
    /// The events so far.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.events.lock().map(|events| events.clone()).unwrap_or_default()
    }
}

impl Listener for Recorder {
    fn event(&self, event: &Event) {
        if let Ok(mut events) = self.events.lock() {
            events.push(event.clone());
        }
    }
}
