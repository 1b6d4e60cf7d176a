//! Ctrl-C and SIGTERM.
//!
//! What only reads, waits or asks ends at the first signal. From the first change on, the call in flight is finished
//! first, and the second signal leaves at once.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::StopSign;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;

/// Stops a run. Signals are the process's, so this is too.
static STOP: StopSign = StopSign::new();
/// Whether changes may have been made.
static CHANGING: AtomicBool = AtomicBool::new(false);

/// What a run looks at to know that it is to stop.
pub(super) fn stop_sign() -> &'static StopSign {
    &STOP
}

/// From here on, a signal ends the run at its next rest.
pub(super) fn changes_begin() {
    CHANGING.store(true, Ordering::SeqCst);
}

/// Does the work of a command until it is done or a signal ends it.
pub(super) async fn unless_interrupted(
    json: bool,
    work: impl Future<Output = Result<Exit, Failure>>,
) -> Result<Exit, Failure> {
    tokio::select! {
        // In this order, so that signals are heard before the first call.
        biased;
        failure = signals(json) => Err(failure),
        outcome = work => outcome,
    }
}

/// Returns once a signal is to end the command here and now.
async fn signals(json: bool) -> Failure {
    let Ok(mut signals) = Signals::listen() else { return std::future::pending().await };
    let mut told = false;
    loop {
        signals.next().await;
        if told {
            let hint = "Left at once: the last call may or may not have taken effect. The same command resumes.";
            return Failure::new(Exit::Interrupted, "interrupted", [hint]);
        }
        if !CHANGING.load(Ordering::SeqCst) {
            return Failure::new(Exit::Interrupted, "interrupted", ["Nothing was changed."]);
        }
        report::note(json, "Stopping after the call in flight. Once more to leave at once.");
        STOP.interrupt();
        told = true;
    }
}

/// The signals that end a program, from the moment that this is created.
#[cfg(unix)]
pub(super) struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// The signals that end a program.
#[cfg(not(unix))]
pub(super) struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    pub(super) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Does what blocks, such as reading an answer, where signals are heard meanwhile.
///
/// A read that nobody answers keeps its thread; the process ends without it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)
}
