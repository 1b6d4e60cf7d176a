//! `Invoke`: the sandbox runs no code, but it knows what one handler would meet.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::dial;
use super::{State, absent, check, named};

/// The entry point of the handler whose answers are computed, and the tag that a function of it carries: the one thing
/// that this account knows of a program outside.
const PROBE: (&str, &str) = ("handler.handler", "rdsproxy-setup:probe");

pub(super) fn invoke(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, qualifier) = named(world, call)?;
    let name = &function.latest.name;
    let version = function.version(qualifier).ok_or_else(|| absent(world, name, qualifier))?;
    if matches!(version.state, State::Pending(_)) {
        return Err(check::conflict(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending",
        ));
    }
    let (handler, tag) = PROBE;
    if version.handler.as_deref() != Some(handler) || !function.tags.contains_key(tag) {
        return Ok(json!({}));
    }
    let event = call.input.get("Payload").cloned().unwrap_or_default();
    Ok(dial::from_seat(world, version, &event, call.now))
}
