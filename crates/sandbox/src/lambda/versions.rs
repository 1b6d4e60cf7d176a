//! Published versions: `$LATEST` frozen under a number.

use serde_json::Value;

use super::{Configuration, State, Update, check, named, named_mut, next_revision, shown};
use crate::account::{AwsError, Call, Moment, World};
use crate::input;

pub(super) fn publish(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = named(world, call)?;
    let latest = &function.latest;
    if function.busy() {
        return Err(check::busy(&latest.arn));
    }
    check::revision(call, &latest.revision)?;
    if let Some(expected) = input::text(&call.input, "CodeSha256").filter(|expected| *expected != latest.code_sha256) {
        return Err(check::invalid(format!(
            "CodeSHA256 ({expected}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in $LATEST.",
            latest.code_sha256
        )));
    }
    freeze(world, call, input::text(&call.input, "Description"))
}

/// Publishes `$LATEST`; answers the last version where nothing has changed since.
pub(super) fn freeze(world: &mut World, call: &Call, description: Option<&str>) -> Result<Value, AwsError> {
    let wait = {
        let (function, _) = named(world, call)?;
        if let Some(last) = function.versions.get(&function.published).filter(|last| same(last, &function.latest)) {
            return Ok(shown::whole(world, call, function, last, Some(&last.version)));
        }
        if function.latest.snap_start { world.profile.lambda_snapshot } else { world.profile.lambda_publish }
    };
    let revision = next_revision(&mut world.lambda.revisions);
    let function = named_mut(world, call)?;
    // A version that is published by the call that creates the function is not ready before the function is.
    let until = match function.latest.state {
        State::Pending(until) => until.max(call.now + wait),
        State::Active => call.now + wait,
    };
    function.published += 1;
    let number = function.published;
    let mut version = Configuration {
        version: number.to_string(),
        state: State::Pending(until),
        update: Update::Successful,
        modified: call.now,
        revision,
        ..function.latest.clone()
    };
    if let Some(description) = description {
        description.clone_into(&mut version.description);
    }
    function.versions.insert(number, version.clone());
    let (function, _) = named(world, call)?;
    Ok(shown::whole(world, call, function, &version, Some(&version.version)))
}

/// Whether code and configuration are the same: what differs by nature is left out.
fn same(version: &Configuration, latest: &Configuration) -> bool {
    let bare = |configuration: &Configuration| Configuration {
        version: String::new(),
        description: String::new(),
        modified: Moment::default(),
        state: State::Active,
        update: Update::Successful,
        revision: String::new(),
        ..configuration.clone()
    };
    bare(version) == bare(latest)
}
