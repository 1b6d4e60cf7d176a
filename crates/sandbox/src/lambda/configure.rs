//! `UpdateFunctionConfiguration` and `UpdateFunctionCode`: the writes that take a moment to be live.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::policy::{self, Decision};
use super::super::{ec2, input, kms};
use super::{Configuration, Function, KeyGrants, LATEST, Update, Vpc, check, named, named_mut, next_revision, shown};

pub(super) fn configuration(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = writable(world, call)?;
    let mut latest = function.latest.clone();
    apply(&mut latest, world, call)?;
    grant(world, call, &latest)?;
    write(world, call, latest)
}

/// Refuses where the caller may not let the function's role use the customer key.
fn grant(world: &World, call: &Call, latest: &Configuration) -> Result<(), AwsError> {
    let key = latest.kms_key.as_deref().and_then(|key| kms::find(world, key)).filter(|key| !key.aws_managed);
    let (KeyGrants::Invalid, Some(key), Some(documents)) = (world.lambda.key_grants, key, &call.principal.policies)
    else {
        return Ok(());
    };
    let need = kms::need_via(world, "kms:CreateGrant", &key.arn, "lambda");
    if policy::evaluate(documents, &need) == Decision::Allowed {
        return Ok(());
    }
    Err(check::invalid(format!(
        "Lambda was unable to configure access to your environment variables because KMS access was denied. Please check your \
         KMS permissions. KMS Exception: AccessDeniedException KMS Message: User: {} is not authorized to perform: \
         kms:CreateGrant on resource: {} because no identity-based policy allows the kms:CreateGrant action",
        call.principal.arn, key.arn
    )))
}

pub(super) fn code(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = writable(world, call)?;
    let mut latest = function.latest.clone();
    let Some((size, hash)) = super::create::code(&call.input) else {
        return Err(check::invalid("Please provide a source for function code."));
    };
    latest.code_size = size;
    latest.code_sha256 = hash;
    if let Some(architecture) = input::texts(&call.input, "Architectures").into_iter().next() {
        latest.architecture = architecture;
    }
    if input::flag(&call.input, "DryRun").unwrap_or(false) {
        let (function, _) = named(world, call)?;
        return Ok(shown::whole(world, call, function, &latest, None));
    }
    write(world, call, latest)
}

/// The function, if it can be written now and the caller knows its present revision.
fn writable<'world, 'call>(
    world: &'world World,
    call: &'call Call,
) -> Result<(&'world Function, Option<&'call str>), AwsError> {
    let (function, qualifier) = named(world, call)?;
    if qualifier.is_some_and(|qualifier| qualifier != LATEST) {
        return Err(check::invalid("Only $LATEST can be updated."));
    }
    if function.busy() {
        return Err(check::busy(&function.latest.arn));
    }
    check::revision(call, &function.latest.revision)?;
    Ok((function, qualifier))
}

/// Puts the new `$LATEST` there, on its way to being live.
fn write(world: &mut World, call: &Call, mut latest: Configuration) -> Result<Value, AwsError> {
    latest.modified = call.now;
    latest.revision = next_revision(&mut world.lambda.revisions);
    let until = call.now + world.profile.lambda_update;
    let function = named_mut(world, call)?;
    latest.update = Update::InProgress { until, failing: function.next_update_fails.take() };
    let before = std::mem::replace(&mut function.latest, latest);
    let name = before.name;
    let after = function.latest.vpc.clone();
    if before.vpc != after {
        reattach(world, call, &name, before.vpc.as_ref(), after.as_ref());
    }
    let (function, qualifier) = named(world, call)?;
    Ok(shown::whole(world, call, function, &function.latest, qualifier))
}

/// Moves the function's network interfaces.
pub(super) fn reattach(world: &mut World, call: &Call, name: &str, before: Option<&Vpc>, after: Option<&Vpc>) {
    let owner = format!("lambda:{name}");
    match (before, after) {
        (Some(before), Some(after)) if before.subnets == after.subnets => {
            ec2::regroup_interfaces(world, &owner, &after.groups);
        }
        (before, after) => {
            if before.is_some() {
                let at = call.now + world.profile.interface_release;
                ec2::release_interfaces(world, &owner, at);
            }
            if let Some(after) = after {
                let description = format!("AWS Lambda VPC ENI-{name}-{}", super::uuid(world.lambda.revisions));
                ec2::attach_interfaces(world, &owner, "lambda", &description, &after.subnets, &after.groups);
            }
        }
    }
}

/// Applies every member of the call that a configuration has; what is not given stays.
pub(super) fn apply(latest: &mut Configuration, world: &World, call: &Call) -> Result<(), AwsError> {
    if let Some(role) = check::role(world, call)? {
        role.clone_into(&mut latest.role);
    }
    if let Some(runtime) = check::runtime(call)? {
        latest.runtime = Some(runtime.to_owned());
    }
    if let Some(handler) = input::text(&call.input, "Handler") {
        latest.handler = Some(handler.to_owned());
    }
    if let Some(description) = call.input.get("Description").and_then(Value::as_str) {
        if description.chars().count() > 256 {
            return Err(check::constraint(
                description,
                "description",
                "Member must have length less than or equal to 256",
            ));
        }
        description.clone_into(&mut latest.description);
    }
    if let Some(timeout) = check::number(call, "Timeout", 1, 900)? {
        latest.timeout = timeout;
    }
    if let Some(memory) = check::number(call, "MemorySize", 128, 10_240)? {
        latest.memory = memory;
    }
    check::vpc(world, call, &mut latest.vpc)?;
    check::environment(call, &mut latest.environment)?;
    if let Some(key) = call.input.get("KMSKeyArn").and_then(Value::as_str) {
        latest.kms_key = (!key.is_empty()).then(|| key.to_owned());
    }
    structures(latest, call)
}

/// The members that are structures of their own.
fn structures(latest: &mut Configuration, call: &Call) -> Result<(), AwsError> {
    let inner = |member: &str, name: &str| call.input.get(member).and_then(|given| given.get(name)).cloned();
    if let Some(Value::String(mode)) = inner("TracingConfig", "Mode") {
        if !matches!(mode.as_str(), "Active" | "PassThrough") {
            return Err(check::constraint(
                &mode,
                "tracingConfig.mode",
                "Member must satisfy enum value set: [Active, PassThrough]",
            ));
        }
        latest.tracing = mode;
    }
    if let Some(Value::String(when)) = inner("SnapStart", "ApplyOn") {
        latest.snap_start = match when.as_str() {
            "PublishedVersions" => true,
            "None" => false,
            other => {
                return Err(check::constraint(
                    other,
                    "snapStart.applyOn",
                    "Member must satisfy enum value set: [PublishedVersions, None]",
                ));
            }
        };
    }
    if let Some(size) = inner("EphemeralStorage", "Size").and_then(|size| size.as_i64()) {
        latest.storage = u32::try_from(size).ok().filter(|size| (512..=10_240).contains(size)).ok_or_else(|| {
            check::constraint(
                &size.to_string(),
                "ephemeralStorage.size",
                "Member must have value between 512 and 10240",
            )
        })?;
    }
    if let Some(Value::String(target)) = inner("DeadLetterConfig", "TargetArn") {
        latest.dead_letter = (!target.is_empty()).then_some(target);
    }
    if input::given(&call.input, "Layers") {
        let layers = input::texts(&call.input, "Layers");
        if layers.len() > 5 {
            return Err(check::invalid("Layers must be at most 5."));
        }
        latest.layers = layers;
    }
    if input::given(&call.input, "FileSystemConfigs") {
        latest.file_systems = input::list(&call.input, "FileSystemConfigs").to_vec();
    }
    for (member, slot) in [("ImageConfig", &mut latest.image), ("LoggingConfig", &mut latest.logging)] {
        if let Some(given) = call.input.get(member).filter(|given| given.is_object()) {
            *slot = (*given != json!({})).then(|| given.clone());
        }
    }
    Ok(())
}
