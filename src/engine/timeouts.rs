//! How long we wait for AWS, and how often we ask: data, each figure with its source.

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
    /// For what propagates: 0.25, 0.5, 1, 2, 2, … s. Denser than doubling, since IAM is usually ready in 2 to 12 s.
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

/// The limit of one kind of wait, and the flag that moves it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// What is waited for, as `--timeout` names it.
    pub name: &'static str,
    /// For how long; zero where it is not waited for at all.
    pub span: Duration,
}

impl Limit {
    /// Whether it is waited for at all. `--timeout` takes no zero.
    #[must_use]
    pub fn waits(self) -> bool {
        !self.span.is_zero()
    }
}

/// All limits of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a proxy to be created or changed. Terraform's provider waits 30 min.
    pub proxy: Limit,
    /// For a target to become available. CloudFormation's handler waits 20 min.
    pub target: Limit,
    /// For a proxy, its interfaces and its group to be gone. Terraform's provider waits 60 min, and that was not
    /// always enough.
    pub deletion: Limit,
    /// For IAM and other eventually consistent reads. Terraform's constant for IAM, "derived from years of
    /// operational experience", is 2 min.
    pub propagation: Limit,
    /// For the database to leave a passing state that refuses a registration.
    pub database: Limit,
    /// For a function's update to be live. The SDK's own waiter takes 5 min.
    pub function: Limit,
    /// For a temporary function to be made and to answer: its network interfaces take up to 90 s where no other
    /// function shares them (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html>).
    pub probe: Limit,
    /// For CloudWatch to show enough of a canary, beyond the soak. Metrics come some minutes late, and a function that
    /// is invoked five times a minute needs twelve for a judgement.
    pub canary: Limit,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            proxy: Limit { name: "proxy", span: seconds(30 * 60) },
            target: Limit { name: "target", span: seconds(20 * 60) },
            deletion: Limit { name: "deletion", span: seconds(60 * 60) },
            propagation: Limit { name: "propagation", span: seconds(2 * 60) },
            database: Limit { name: "database", span: seconds(15 * 60) },
            function: Limit { name: "function", span: seconds(5 * 60) },
            probe: Limit { name: "probe", span: seconds(5 * 60) },
            canary: Limit { name: "canary", span: seconds(15 * 60) },
        }
    }
}

impl Timeouts {
    /// The names that `--timeout` takes.
    pub const NAMES: [&'static str; 8] =
        ["proxy", "target", "deletion", "propagation", "database", "function", "probe", "canary"];

    /// Waits for nothing that takes minutes in a run of `up`: a proxy, its target, and a database that is busy.
    #[must_use]
    pub fn without_waiting(mut self) -> Self {
        for limit in [&mut self.proxy, &mut self.target, &mut self.database] {
            limit.span = Duration::ZERO;
        }
        self
    }

    /// Sets one limit by name, or with `None` the three long ones.
    ///
    /// Returns whether there is a limit of that name.
    pub fn set(&mut self, name: Option<&str>, span: Duration) -> bool {
        let Some(name) = name else {
            for limit in [&mut self.proxy, &mut self.target, &mut self.deletion] {
                limit.span = span;
            }
            return true;
        };
        let limits = [
            &mut self.proxy,
            &mut self.target,
            &mut self.deletion,
            &mut self.propagation,
            &mut self.database,
            &mut self.function,
            &mut self.probe,
            &mut self.canary,
        ];
        match limits.into_iter().find(|limit| limit.name == name) {
            Some(limit) => {
                limit.span = span;
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PollInterval, Timeouts, seconds};

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

    #[test]
    fn every_limit_can_be_set_by_its_name() {
        for name in Timeouts::NAMES {
            let mut timeouts = Timeouts::default();
            assert!(timeouts.set(Some(name), seconds(7)), "{name}");
            assert_ne!(timeouts, Timeouts::default(), "{name}");
        }
        assert!(!Timeouts::default().set(Some("nothing"), seconds(7)));
    }
}
