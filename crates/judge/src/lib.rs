//! Whether functions are worse off behind a proxy than they were before.
//!
//! [`judge`] is one function from [`Evidence`], which somebody else reads, to a [`Judgement`] of three answers: worse,
//! not worse, unknown. [`waves`] says which functions move when. Nothing here reads an account, a file or a clock.
//!
//! What is not known never counts as good: "not worse" is said of numbers that are there, and of enough of them.

pub mod evidence;
mod functions;
mod judgement;
mod proxy;
pub mod statistics;
pub mod waves;

pub use evidence::{Counts, Evidence, Function, Proxy, Reading, Share};
pub use judgement::{Finding, Gap, Judgement, Measure, Numbers, Subject};

/// How likely a wave is to be called worse by chance alone, over all of its tests and looks together.
pub const ERROR_OF_A_WAVE: f64 = 0.01;

/// How sure "not worse" is: one minus this is the confidence of the bound that must stay below the margin.
pub const RISK_OF_A_PASS: f64 = 0.05;

/// The rise of a share that matters: one in a hundred. A smaller one is not called worse, however certain it is.
pub const LEAST_RISE: f64 = 0.01;

/// The rise of a share that must be ruled out before a function is called not worse: five in a hundred.
pub const MARGIN: f64 = 0.05;

/// The fewest invocations of which anything but "worse" is said, and the fewest behind a 95th percentile.
///
/// Without a failure among 59, the share of failures is below 5 % with a confidence of 95 % (0.95^59 < 0.05), and the
/// largest of 59 durations is above the true 95th percentile with the same confidence.
pub const FEWEST: u64 = 59;

/// How many times as long as before the 95th percentile of the duration must be to be worse.
pub const SLOWER: f64 = 1.5;

/// And by how many milliseconds: less is not noticed.
pub const SLOWER_BY_MS: f64 = 50.0;

/// The share of log-ins that may be refused, or of set-ups that may fail.
pub const FAILING_SETUPS: f64 = 0.01;

/// The mean wait for a connection of the pool, in milliseconds, from which on it is worse.
pub const BORROW_MS: f64 = 100.0;

/// The share of pinned connections from which on the proxy shares none.
pub const PINNED: f64 = 0.5;

/// The availability of the proxy, in percent, below which it is worse.
pub const AVAILABLE: f64 = 99.0;

/// Judges one wave.
#[must_use]
pub fn judge(evidence: &Evidence) -> Judgement {
    let mut bench = judgement::Bench::of(evidence);
    functions::judge(evidence, &mut bench);
    proxy::judge(evidence, &mut bench);
    bench.judgement()
}
