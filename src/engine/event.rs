//! What happens during a run, as data; a reporter shows it.

use crate::catalogue::StepId;

pub use ::engine::{Ending, Listener};

/// Something that happened in a run.
pub type Event = ::engine::Event<StepId, WaveEvent>;

/// A listener that keeps every event: for tests.
pub type Recorder = ::engine::Recorder<Event>;

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

/// What is done with a wave, or what came of it.
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

/// A wave of a canary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaveEvent {
    /// Its number, from 1; 0 for what an earlier run moved.
    pub number: usize,
    /// How many waves there are.
    pub of: usize,
    /// The functions that it moves.
    pub functions: Vec<String>,
    /// The aliases of them that send only a share of their calls to the proxy.
    pub aliases: Vec<AliasShare>,
    /// What is done with it, or what came of it.
    pub state: WaveState,
}
