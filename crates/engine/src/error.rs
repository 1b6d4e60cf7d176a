//! Why a step ended early, and which of several failures matters.

use crate::limits::Limit;

/// Why a step ended early.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StepError<R> {
    /// A call was refused.
    #[error("{doing}: {refusal}")]
    Refused {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What it said.
        #[source]
        refusal: R,
    },
    /// There is a conflict that is not ours to resolve.
    #[error("{doing}: {}", .reasons.join("; "))]
    Conflict {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What.
        reasons: Vec<String>,
    },
    /// A state that does not heal by itself.
    #[error("{doing}: it is {state} and does not leave that state by itself")]
    Stuck {
        /// *verb-ing thing (name)*.
        doing: String,
        /// The account's word for the state.
        state: String,
    },
    /// It may still come, but not within the timeout.
    #[error("{doing}: still {state} after {} s", .limit.span.as_secs())]
    TimedOut {
        /// *verb-ing thing (name)*.
        doing: String,
        /// The account's word for the state.
        state: String,
        /// The limit that was reached.
        limit: Limit,
    },
    /// It is under way, and the run was asked not to wait for it.
    #[error("{doing}: {state}, which this run does not wait for")]
    Pending {
        /// *verb-ing thing (name)*.
        doing: String,
        /// The account's word for the state.
        state: String,
    },
    /// All is in place, but what it is there for does not work.
    #[error("{doing}: {}", .reasons.join("; "))]
    Unproven {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What does not work.
        reasons: Vec<String>,
        /// Cause and fix of each.
        hints: Vec<String>,
    },
    /// Every change is accepted, and the next look finds it undone.
    #[error("{doing}: something changes it back as fast as it is changed: {}", .fields.join(", "))]
    Undone {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What does not stay.
        fields: Vec<String>,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Another step failed; this one was left where it was.
    #[error("left where it was, since another step failed")]
    Abandoned,
}

impl<R> StepError<R> {
    /// How much it says of why a run stopped: what is only not waited for is no failure, and one step is abandoned for
    /// another's.
    fn weight(&self) -> u8 {
        match self {
            Self::Pending { .. } => 0,
            Self::Abandoned => 1,
            _ => 2,
        }
    }
}

/// Both results, or the failure that matters: not one that only followed from it.
///
/// # Errors
/// When either failed.
pub fn all2<A, B, R>(a: Result<A, StepError<R>>, b: Result<B, StepError<R>>) -> Result<(A, B), StepError<R>> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(first), Err(second)) if second.weight() > first.weight() => Err(second),
        (Err(stop), _) | (_, Err(stop)) => Err(stop),
    }
}

/// What a refusal means to the code that made the call.
pub fn refused<R>(doing: &str) -> impl FnOnce(R) -> StepError<R> {
    let doing = doing.to_owned();
    move |refusal| StepError::Refused { doing, refusal }
}
