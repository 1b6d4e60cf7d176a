//! `Invoke`: the sandbox runs no code, but it knows what one handler would meet.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::{dial, fault};
use super::{Configuration, Function, State, absent, check, named};

/// The entry point of the handler whose answers are computed, and the tag that a function of it carries: the one thing
/// that this account knows of a program outside.
const PROBE: (&str, &str) = ("handler.handler", "rdsproxy-setup:probe");

/// The payload, and the version that answered
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>, `X-Amz-Executed-Version`).
pub(super) fn invoke(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let event = call.input.get("Payload").cloned().unwrap_or_default();
    let (version, program, payload) = called(world, call, &event)?;
    if program {
        world.lambda.heard.push(event);
    }
    Ok(json!({"ExecutedVersion": version, "Payload": payload}))
}

/// The version that is called, whether its code is a test's, and what it answers.
fn called(world: &World, call: &Call, event: &Value) -> Result<(String, bool, Value), AwsError> {
    let (function, qualifier) = named(world, call)?;
    let name = &function.latest.name;
    let version = chosen(world, function, qualifier).ok_or_else(|| absent(world, name, qualifier))?;
    if matches!(version.state, State::Pending(_)) {
        return Err(check::conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        ));
    }
    let number = version.version.clone();
    let mut parts = version.layers.iter().chain([&version.code_sha256]);
    if let Some(answer) = parts.find_map(|part| world.lambda.programs.get(part)) {
        return Ok((number, true, answer.clone()));
    }
    let (handler, tag) = PROBE;
    if version.handler.as_deref() != Some(handler) || !function.tags.contains_key(tag) {
        return Ok((number, false, json!({})));
    }
    Ok((number, false, dial::from_seat(world, version, event, call.now)))
}

/// The version that runs: of a weighted alias the second one, for its share of the calls.
///
/// "Responses to synchronous function invocations include an `x-amz-executed-version` header to indicate which function
/// version has been invoked" (<https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html>). Here it
/// follows from the account's seed and the number of requests so far, so that a run can be repeated.
fn chosen<'world>(world: &World, function: &'world Function, qualifier: Option<&str>) -> Option<&'world Configuration> {
    let alias = qualifier.and_then(|qualifier| function.aliases.get(qualifier));
    let second = alias.and_then(|alias| alias.weights.iter().next());
    match second {
        Some((version, weight)) if fault::share(world.loads.seed, world.counter) < *weight => {
            function.version(Some(version))
        }
        _ => function.version(qualifier),
    }
}
