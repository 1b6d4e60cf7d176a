//! How long to wait, and how often to ask.

use std::time::Duration;

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// How often to ask while waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollInterval {
    /// For what takes minutes: 10 s at first (nothing has ever been ready by then), 3 s from the second
    /// minute, 10 s again after a quarter of an hour.
    Minutes,
    /// For what takes minutes and has been under way for some: 3 s, 10 s after a quarter of an hour.
    Steady,
    /// For what takes seconds and several calls to see: every five seconds.
    Sparing,
    /// For metrics: every minute, which is what their points stand for.
    Metrics,
    /// For what takes seconds: every second, every five after a minute.
    Seconds,
    /// For what propagates: 0.25, 0.5, 1, 2, 2, … s. Denser than doubling, since that is usually a matter of
    /// seconds.
    Dense,
}

impl PollInterval {
    /// From one question to the next, when this wait has lasted for `elapsed`.
    #[must_use]
    pub fn next(self, elapsed: Duration) -> Duration {
        match self {
            Self::Minutes if elapsed < seconds(120) => seconds(10),
            Self::Minutes | Self::Steady if elapsed < seconds(900) => seconds(3),
            Self::Minutes | Self::Steady => seconds(10),
            Self::Metrics => seconds(60),
            Self::Seconds if elapsed < seconds(60) => seconds(1),
            Self::Seconds | Self::Sparing => seconds(5),
            Self::Dense if elapsed < Duration::from_millis(250) => Duration::from_millis(250),
            Self::Dense if elapsed < Duration::from_millis(750) => Duration::from_millis(500),
            Self::Dense if elapsed < Duration::from_millis(1_750) => seconds(1),
            Self::Dense => seconds(2),
        }
    }
}

/// The limit of one kind of wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is waited for, as settings name it.
    pub name: &'static str,
    /// For how long; zero where it is not waited for at all.
    pub span: Duration,
}

impl Limit {
    /// Whether it is waited for at all.
    #[must_use]
    pub fn waits(self) -> bool {
        !self.span.is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::PollInterval;

    #[test]
    fn dense_retry_starts_at_a_quarter_of_a_second() {
        let mut at = std::time::Duration::ZERO;
        let mut waits = Vec::new();
        for _ in 0..6 {
            let wait = PollInterval::Dense.next(at);
            waits.push(wait.as_millis());
            at += wait;
        }
        assert_eq!(waits, [250, 500, 1_000, 2_000, 2_000, 2_000]);
    }
}
