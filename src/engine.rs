//! The engine of `crates/engine`, for the thirteen steps on AWS.

mod crowd;
pub mod event;
mod timeouts;

use ::engine::{Meaning, Procedure};

use crate::catalogue::StepId;
use crate::cloud::{Cloud, Kind, Refusal, serving};

pub use ::engine::{Diff, Limit, Milestone, Observed, PollInterval, RetryPolicy, Step, StopSign, Wait, all2, refused};
pub use crowd::{AT_ONCE, crowd};
pub use timeouts::Timeouts;

/// The thirteen steps on AWS, as the engine has to know them.
#[derive(Debug)]
pub enum Aws {}

impl Procedure for Aws {
    type Cloud = Cloud;
    type Id = StepId;
    type Refusal = Refusal;
    type Timeouts = Timeouts;
    type News = event::WaveEvent;

    fn meaning(refusal: &Refusal) -> Meaning {
        match refusal.kind {
            Kind::InUse => Meaning::InUse,
            Kind::NotYet => Meaning::NotYet,
            Kind::Throttled | Kind::Service => Meaning::Busy,
            Kind::Unreachable => Meaning::NoAnswer,
            Kind::NotFound
            | Kind::Exists
            | Kind::Denied
            | Kind::Stale
            | Kind::Expired
            | Kind::Credentials
            | Kind::Quota
            | Kind::Invalid => Meaning::Final,
        }
    }

    fn code(refusal: &Refusal) -> Option<&str> {
        refusal.code.as_deref()
    }

    fn busy(timeouts: &Timeouts) -> Limit {
        timeouts.propagation
    }

    fn serving<T>(step: StepId, work: impl Future<Output = T>) -> impl Future<Output = T> {
        serving(step.info().slug, work)
    }
}

/// A run over an account.
pub type Run<'a> = ::engine::Run<'a, Aws>;

/// Why a step ended early.
pub type StepError = ::engine::StepError<Refusal>;

/// One wait.
pub type Poll<'a> = ::engine::Poll<'a, Aws>;

/// In which row a wait shows.
pub type Row<'a> = ::engine::Row<'a, StepId>;

#[cfg(test)]
mod tests {
    use super::*;

    /// The engine has its own word for it.
    #[test]
    fn what_passes_for_the_engine_passes_elsewhere_too() {
        let kinds = [
            Kind::NotFound,
            Kind::Exists,
            Kind::Denied,
            Kind::Throttled,
            Kind::NotYet,
            Kind::Stale,
            Kind::InUse,
            Kind::Expired,
            Kind::Credentials,
            Kind::Unreachable,
            Kind::Service,
            Kind::Quota,
            Kind::Invalid,
        ];
        for kind in kinds {
            let refusal = Refusal { kind, ..Refusal::incomplete("rds:CreateDBProxy", "a part") };
            assert_eq!(Aws::meaning(&refusal).passes(), refusal.passes(), "{kind:?}");
        }
    }
}
