//! The loop that brings one step after another to where it should be.
//!
//! A step says what is there, what is missing, and how to change it; [`Run::converge`] looks,
//! compares, acts if needed, and looks again until nothing is left to do. Every wait is a [`Poll`]. Events go out to a
//! listener; nothing here prints.

mod crowd;
pub mod event;
pub mod ledger;
pub mod poll;
mod run;
mod step;
mod timeouts;

pub use crowd::{AT_ONCE, crowd};
pub use poll::{Poll, Row};
pub use run::{Run, StepError, StopSign, all2};
pub use step::{Diff, Milestone, Observed, RetryPolicy, Step, Wait};
pub use timeouts::{Limit, PollInterval, Timeouts};
