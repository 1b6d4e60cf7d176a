//! Concurrency: what the account has, and what a function keeps for itself.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::{check, named, named_mut};

/// What must be left for functions that have reserved none
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html>).
const LEFT: u32 = 100;

/// `GetAccountSettings`.
pub(super) fn account(world: &World) -> Value {
    let functions = world.lambda.functions.values();
    let code: u64 = functions.clone().map(|function| function.latest.code_size).sum();
    json!({
        "AccountLimit": {
            "TotalCodeSize": 80_530_636_800_u64,
            "CodeSizeUnzipped": 262_144_000,
            "CodeSizeZipped": 52_428_800,
            "ConcurrentExecutions": world.lambda.concurrency,
            "UnreservedConcurrentExecutions": world.lambda.concurrency.saturating_sub(reserved(world, None)),
        },
        "AccountUsage": { "TotalCodeSize": code, "FunctionCount": functions.count() },
    })
}

/// `GetFunctionConcurrency`; a function that has reserved none has an answer without members.
pub(super) fn get(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = named(world, call)?;
    Ok(function.reserved.map_or_else(|| json!({}), |reserved| json!({ "ReservedConcurrentExecutions": reserved })))
}

/// `PutFunctionConcurrency`.
pub(super) fn put(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = named(world, call)?;
    let asked = input::number(&call.input, "ReservedConcurrentExecutions").and_then(|asked| u32::try_from(asked).ok());
    let asked = asked.ok_or_else(|| check::invalid("ReservedConcurrentExecutions must be a number from 0 on."))?;
    let others = reserved(world, Some(&function.latest.name));
    // An account with less than that to begin with can reserve nothing.
    let least = LEFT.min(world.lambda.concurrency);
    if others + asked > world.lambda.concurrency - least && asked > 0 {
        return Err(check::invalid(format!(
            "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution \
             below its minimum value of [{least}]."
        )));
    }
    named_mut(world, call)?.reserved = Some(asked);
    Ok(json!({ "ReservedConcurrentExecutions": asked }))
}

/// `DeleteFunctionConcurrency`.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    named_mut(world, call)?.reserved = None;
    Ok(json!({}))
}

/// What functions have reserved, but for one.
fn reserved(world: &World, but: Option<&str>) -> u32 {
    let functions = world.lambda.functions.iter().filter(|(name, _)| but != Some(name.as_str()));
    functions.filter_map(|(_, function)| function.reserved).sum()
}
