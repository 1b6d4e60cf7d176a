//! How long we wait for AWS: data, each figure with its source.

use std::time::Duration;

use ::engine::Limit;

const fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
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
    /// operational experience", is 2 min; usually it takes 2 to 12 s.
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
    use super::{Timeouts, seconds};

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
