//! CloudWatch.

use super::account::{AwsError, Call, Need, Outcome, World};

/// Acts and answers.
pub(super) fn handle(_: &mut World, call: &Call) -> Outcome {
    Err(AwsError::new(400, "InvalidAction", format!("Unknown operation {}", call.action)))
}

/// Whether the operation changes the account.
pub(super) fn mutating(_: &str) -> bool {
    false
}

/// The permissions that the call needs.
pub(super) fn needs(_: &World, _: &Call) -> Vec<Need> {
    Vec::new()
}
