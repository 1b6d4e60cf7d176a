//! The loop that brings one step after another to where it should be.
//!
//! A [`Step`] says what is there, what is missing, and how to change it; [`Run::converge`] looks, compares, acts if
//! needed, and looks again until nothing is left to do. Every wait is a [`Poll`]. Events go out to a listener; nothing
//! here prints.
//!
//! Nothing here knows an account, a service or a step: a [`Procedure`] says what it has to know of them.

mod error;
mod event;
mod limits;
mod poll;
mod procedure;
mod run;
mod step;
mod stop;
#[cfg(test)]
mod tests;

pub use error::{StepError, all2, refused};
pub use event::{Ending, Event, Listener, Recorder};
pub use limits::{Limit, PollInterval};
pub use poll::{Poll, Row};
pub use procedure::{Meaning, Procedure};
pub use run::Run;
pub use step::{Diff, Milestone, Observed, RetryPolicy, Step, Wait};
pub use stop::StopSign;
