//! What happens during a run, as data; a reporter shows it.

use crate::catalogue::StepId;

pub use super::wave::{AliasShare, WaveEvent, WaveState};
pub use ::engine::{Ending, Listener};

/// Something that happened in a run.
pub type Event = ::engine::Event<StepId, WaveEvent>;

/// A listener that keeps every event: for tests.
pub type Recorder = ::engine::Recorder<Event>;
