//! The resources, one file each: how it is created ([`Step`](crate::engine::Step)) and how it is deleted ([`Removal`]).
//!
//! A step knows what should be there and compares it with what is; it knows neither the other steps nor how it is
//! shown. Its inputs are fields, `None` while they are not known yet (in a plan). A removal is found by what proves
//! that a thing is this stack's, says what it will do, and does it.

pub mod alarms;
pub mod attach;
pub mod connect_policy;
pub mod direct_rules;
pub mod ingress;
pub mod log_group;
pub mod probe;
pub mod proxy;
pub mod proxy_group;
pub mod proxy_role;
pub mod reader_endpoint;
pub mod release;
mod removal;
pub mod repoint;
pub mod secret_access;
pub mod target;

pub use removal::{Found, Line, Removal, Work};

use crate::cloud::{Kind, Refusal};
use crate::engine::{Limit, PollInterval, RetryPolicy};

/// Why there is nothing to do for functions.
pub(crate) const NO_FUNCTION: &str = "no function uses the database";

/// The retry of what is only not visible yet, was created by someone else meanwhile, or changed since.
pub(crate) fn settling(refusal: &Refusal, limit: Limit) -> Option<RetryPolicy> {
    matches!(refusal.kind, Kind::Exists | Kind::NotFound | Kind::NotYet | Kind::Stale).then_some(RetryPolicy {
        limit,
        pace: PollInterval::Dense,
        look: true,
    })
}

/// The retry of a change that another update of the function is in the way of, or that was prepared from an old look.
pub(crate) fn updating(refusal: &Refusal, limit: Limit) -> Option<RetryPolicy> {
    matches!(refusal.kind, Kind::Stale | Kind::NotYet).then_some(RetryPolicy {
        limit,
        pace: PollInterval::Seconds,
        look: true,
    })
}

/// The conflict where a resource of our name is not ours.
pub(crate) fn not_ours(what: &str, name: &str) -> Vec<String> {
    vec![format!("{what} named {name} exists, but this stack did not create it")]
}
