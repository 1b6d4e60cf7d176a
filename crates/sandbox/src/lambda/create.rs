//! Making and deleting functions.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::{Function, LATEST, State, absent, check, configure, identify, named, named_mut, shown, versions};

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (name, _) = identify(world, call)?;
    if world.lambda.functions.contains_key(name) {
        return Err(check::conflict(format!("Function already exist: {name}")));
    }
    let Some(role) = check::role(world, call)? else {
        return Err(check::invalid("Role is required."));
    };
    let package = input::text(&call.input, "PackageType").unwrap_or("Zip");
    let zip = package == "Zip";
    if zip && (input::text(&call.input, "Runtime").is_none() || input::text(&call.input, "Handler").is_none()) {
        return Err(check::invalid(
            "Runtime and Handler are mandatory parameters for functions created with deployment packages.",
        ));
    }
    let Some((size, hash)) = call.input.get("Code").and_then(code) else {
        return Err(check::invalid("Please provide a source for function code."));
    };
    let tags = check::tags(call)?;

    let mut function = Function::settled(world, name, role);
    let latest = &mut function.latest;
    package.clone_into(&mut latest.package_type);
    if !zip {
        latest.runtime = None;
        latest.handler = None;
    }
    // AWS's defaults, where the call is silent.
    latest.timeout = 3;
    latest.memory = 128;
    latest.code_size = size;
    latest.code_sha256 = hash;
    latest.modified = call.now;
    latest.state = State::Pending(call.now + world.profile.lambda_update);
    if let Some(architecture) = input::texts(&call.input, "Architectures").into_iter().next() {
        latest.architecture = architecture;
    }
    configure::apply(latest, world, call)?;
    function.tags = tags;
    if !world.lambda.numbers_begin_again {
        function.published = world.lambda.retired.get(name).copied().unwrap_or_default();
    }
    let vpc = function.latest.vpc.clone();
    world.lambda.functions.insert(name.to_owned(), function);
    configure::reattach(world, call, name, None, vpc.as_ref());
    if input::flag(&call.input, "Publish").unwrap_or(false) {
        return versions::freeze(world, call, None);
    }
    let (function, _) = named(world, call)?;
    Ok(shown::whole(world, call, function, &function.latest, None))
}

/// Size and hash of the code that a structure brings, if it brings any.
pub(super) fn code(given: &Value) -> Option<(u64, String)> {
    let source = ["ZipFile", "S3Key", "ImageUri"].into_iter().find_map(|member| input::text(given, member))?;
    let zip = input::text(given, "ZipFile").and_then(|text| aws_smithy_types::base64::decode(text).ok());
    // What stands in a bucket or registry is not here; its name does for its content.
    let bytes = zip.unwrap_or_else(|| source.as_bytes().to_vec());
    Some((u64::try_from(bytes.len()).unwrap_or(u64::MAX), check::code_hash(&bytes)))
}

pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (name, qualifier) = identify(world, call)?;
    let function = named_mut(world, call)?;
    if let Some(qualifier) = qualifier {
        if qualifier == LATEST {
            return Err(check::invalid("$LATEST version cannot be deleted without deleting the function."));
        }
        let points = |alias: &super::Alias| alias.version == qualifier || alias.weights.contains_key(qualifier);
        if let Some(alias) = function.aliases.values().find(|alias| points(alias)) {
            return Err(check::conflict(format!(
                "Version {qualifier} cannot be deleted: the alias {} points at it.",
                alias.name
            )));
        }
        let gone = qualifier.parse().ok().and_then(|number: u64| function.versions.remove(&number));
        return match gone {
            Some(_) => Ok(json!({})),
            None => Err(absent(world, name, Some(qualifier))),
        };
    }
    if matches!(function.latest.state, State::Pending(_)) {
        // Seen by those who delete a function in a VPC at once (aws/serverless-application-model#2356).
        return Err(check::conflict(format!(
            "The operation cannot be performed at this time. The function is currently in the following state: Pending. StateReasonCode: 'Creating' for resource: {}",
            function.latest.arn
        )));
    }
    let vpc = function.latest.vpc.clone();
    if let Some(gone) = world.lambda.functions.remove(name).filter(|gone| gone.published > 0) {
        world.lambda.retired.insert(name.to_owned(), gone.published);
    }
    configure::reattach(world, call, name, vpc.as_ref(), None);
    Ok(json!({}))
}
