//! Ctrl-C and SIGTERM.
//!
//! What only reads, waits or asks ends at the first signal. From the first change on, the call in flight is finished
//! first, and the second signal leaves at once. While somebody listens for it ([`ctrl_c`]), Ctrl-C stops nothing.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use tokio::sync::Notify;

use crate::engine::StopSign;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;

/// Stops a run. Signals are the process's, so this is too.
static STOP: StopSign = StopSign::new();
/// Whether changes may have been made.
static CHANGING: AtomicBool = AtomicBool::new(false);

/// Who hears the next Ctrl-C in place of the run.
static EAR: Ear = Ear::new();

/// What a run looks at to know that it is to stop.
pub(super) fn stop_sign() -> &'static StopSign {
    &STOP
}

/// From here on, a signal ends the run at its next rest.
pub(super) fn changes_begin() {
    CHANGING.store(true, Ordering::SeqCst);
}

/// Returns once Ctrl-C is pressed, which then stops nothing. SIGTERM stops the run all the same: no person sends it.
pub(super) async fn ctrl_c() {
    EAR.hears().await;
}

/// Somebody who may listen.
#[derive(Debug)]
struct Ear {
    state: AtomicU8,
    notify: Notify,
}

const SHUT: u8 = 0;
const OPEN: u8 = 1;
const HEARD: u8 = 2;

impl Ear {
    const fn new() -> Self {
        Self { state: AtomicU8::new(SHUT), notify: Notify::const_new() }
    }

    async fn hears(&self) {
        /// Shuts it also where nobody waits for the end.
        struct Shuts<'a>(&'a AtomicU8);
        impl Drop for Shuts<'_> {
            fn drop(&mut self) {
                self.0.store(SHUT, Ordering::SeqCst);
            }
        }
        let _shuts = Shuts(&self.state);
        self.state.store(OPEN, Ordering::SeqCst);
        loop {
            let notified = self.notify.notified();
            if self.state.load(Ordering::SeqCst) == HEARD {
                return;
            }
            notified.await;
        }
    }

    /// Whether somebody takes it.
    fn takes(&self) -> bool {
        let taken = self.state.compare_exchange(OPEN, HEARD, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        self.notify.notify_waiters();
        taken
    }
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
        if signals.next().await == Signal::Interrupt && !told && EAR.takes() {
            continue;
        }
        if told {
            let hint = "Left at once: the last call may or may not have taken effect. The same command resumes.";
            return Failure::new(Exit::Interrupted, "interrupted", [hint]);
        }
        if !CHANGING.load(Ordering::SeqCst) {
            return Failure::new(Exit::Interrupted, "interrupted", ["Nothing was changed."]);
        }
        // A question that is open has said what another Ctrl-C does.
        if !report::is_paused() {
            report::note(json, "Stopping after the call in flight. Once more to leave at once.");
        }
        STOP.interrupt();
        told = true;
    }
}

/// A signal that ends a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// SIGTERM.
    #[cfg_attr(not(unix), expect(dead_code, reason = "Windows has none"))]
    Terminate,
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

    pub(super) async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
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

    pub(super) async fn next(&mut self) -> Signal {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Signal::Interrupt
    }
}

/// Does what blocks, such as reading an answer, where signals are heard meanwhile.
///
/// A read that nobody answers keeps its thread; the process ends without it.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(std::io::Error::other)
}
