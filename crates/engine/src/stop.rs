//! Stopping a run between two changes.

use std::sync::atomic::{AtomicU8, Ordering};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::error::StepError;

const GO: u8 = 0;
const INTERRUPTED: u8 = 1;
const FAILED: u8 = 2;

/// Why a step does not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stopped {
    /// The user asked to stop.
    Interrupted,
    /// Another step failed.
    Abandoned,
}

impl<R> From<Stopped> for StepError<R> {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::Interrupted => Self::Interrupted,
            Stopped::Abandoned => Self::Abandoned,
        }
    }
}

/// Stops every step of a run at its next rest.
#[derive(Debug, Default)]
pub struct StopSign {
    state: AtomicU8,
    notify: Notify,
}

impl StopSign {
    /// One that nobody has raised.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: AtomicU8::new(GO), notify: Notify::const_new() }
    }

    /// Returns once the user asks to stop.
    pub async fn interrupted(&self) {
        loop {
            let notified = self.notify.notified();
            if self.state.load(Ordering::SeqCst) == INTERRUPTED {
                return;
            }
            notified.await;
        }
    }

    /// The user asks to stop.
    pub fn interrupt(&self) {
        self.state.store(INTERRUPTED, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// A step failed.
    pub fn fail(&self) {
        // An interruption stays what it is: the words at the end depend on it.
        let _ = self.state.compare_exchange(GO, FAILED, Ordering::SeqCst, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// Whether to go on.
    pub(crate) fn check(&self) -> Result<(), Stopped> {
        match self.state.load(Ordering::SeqCst) {
            INTERRUPTED => Err(Stopped::Interrupted),
            FAILED => Err(Stopped::Abandoned),
            _ => Ok(()),
        }
    }

    /// Resolves once it is raised, for whatever reason.
    pub(crate) fn notified(&self) -> Notified<'_> {
        self.notify.notified()
    }
}
