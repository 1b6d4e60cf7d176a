//! The Price List's operations, and which function answers each.

use super::products;
use crate::account::{AwsError, Call, Outcome, World};

/// Acts and answers.
pub(crate) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "GetProducts" => products::products(world, call),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(crate) fn mutating(_: &str) -> bool {
    false
}
