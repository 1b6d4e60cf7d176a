//! Log-ins a second that IAM allows, against those that cold starts bring.
//!
//! AWS advises IAM log-in "if your application creates fewer than 200 connections per second" (Amazon RDS User Guide,
//! "IAM database authentication"). A proxy checks the log-ins of its clients itself, and opens connections to the
//! database far more rarely; its own limit is an error (`IAM authentication rate limit exceeded`) whose rate AWS does
//! not publish.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::Facts;
use crate::figure::{Amount, Figure, Origin};
use crate::num::ratio_up;

/// New connections a second that AWS advises to stay below.
pub const PER_SECOND: u64 = 200;

/// Log-ins with IAM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Logins {
    /// New connections a second that AWS advises not to exceed with IAM log-in to a database.
    pub limit_per_second: Figure,
    /// New connections a second at the busiest, of functions that log in with IAM.
    pub expected_per_second: Figure,
    /// Whether they stay below; none where that is not known.
    pub fits: Option<bool>,
    /// What follows.
    pub advice: String,
}

/// Holds the expected log-ins against the limit.
pub(crate) fn of(facts: &Facts, cold_starts_per_second: &Figure) -> Logins {
    let with_iam: Vec<_> = facts.functions.iter().filter(|function| function.iam_login).collect();
    // The share of the functions with IAM is not a share of the cold starts: of several functions, all may be theirs.
    let low = with_iam
        .iter()
        .try_fold(0u64, |sum, function| Some(sum.saturating_add(*function.cold_starts_per_minute.value()?)));
    let high = if with_iam.is_empty() { Some(0) } else { cold_starts_per_second.amount.high() };
    let low = low.map(|low| ratio_up(low, 1, 60)).map(|low| high.map_or(low, |high| low.min(high)));
    let each = with_iam.iter().map(|function| function.connections_per_environment.value().copied()).max().flatten();
    let amount = Amount::of_ends(low, high).times(Amount::exactly(each.unwrap_or(1).max(1)));
    let expected_per_second = Figure::new(
        amount,
        if amount == Amount::Unknown { Origin::Unknown } else { cold_starts_per_second.origin },
        format!("a log-in for each connection of a new environment; {}", cold_starts_per_second.source),
    );
    let fits = match (amount.low(), amount.high()) {
        (_, Some(high)) if high < PER_SECOND => Some(true),
        (Some(low), _) if low >= PER_SECOND => Some(false),
        _ => None,
    };
    let advice = match fits {
        _ if with_iam.is_empty() => "No function logs in with IAM.",
        Some(true) => "IAM log-in keeps up with the cold starts, with and without a proxy.",
        Some(false) => {
            "Cold starts bring more log-ins than AWS advises for IAM at the database: use a proxy, which checks its clients \
             itself, or passwords from a secret. Reuse a token within its 15 minutes."
        }
        None => {
            "A burst of cold starts can bring more log-ins than AWS advises for IAM at the database. A proxy checks its \
             clients itself; reuse a token within its 15 minutes."
        }
    };
    Logins {
        limit_per_second: Figure::new(Amount::exactly(PER_SECOND), Origin::AwsTable, "AWS's advice for IAM log-in"),
        expected_per_second,
        fits,
        advice: advice.to_owned(),
    }
}
