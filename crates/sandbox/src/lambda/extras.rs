//! What hangs on functions: tags, event sources, provisioned concurrency, resource policies.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::{Function, LATEST, Mapping, absent, check, named, named_mut, next_revision, shown, split};

pub(super) fn list_tags(world: &World, call: &Call) -> Result<Value, AwsError> {
    let name = tagged(world, call)?;
    Ok(json!({"Tags": world.lambda.functions.get(&name).map(|function| &function.tags)}))
}

pub(super) fn tag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = tagged(world, call)?;
    let tags = check::tags(call)?;
    if let Some(function) = world.lambda.functions.get_mut(&name) {
        let fresh = tags.keys().filter(|key| !function.tags.contains_key(*key)).count();
        if function.tags.len() + fresh > 50 {
            return Err(check::invalid("A function can have at most 50 tags."));
        }
        function.tags.extend(tags);
    }
    revise(world, &name);
    Ok(json!({}))
}

pub(super) fn untag(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = tagged(world, call)?;
    if let Some(function) = world.lambda.functions.get_mut(&name) {
        for key in input::texts(&call.input, "TagKeys") {
            function.tags.remove(&key);
        }
    }
    revise(world, &name);
    Ok(json!({}))
}

/// Whether tags are part of a function's revision is not documented, so the account has a switch; that revisions move
/// unasked was reported (aws/aws-sdk#377).
fn revise(world: &mut World, name: &str) {
    if world.lambda.tags_move_revisions {
        let revision = next_revision(&mut world.lambda.revisions);
        if let Some(function) = world.lambda.functions.get_mut(name) {
            function.latest.revision = revision;
        }
    }
}

/// The name of the function whose ARN the call gives.
fn tagged(world: &World, call: &Call) -> Result<String, AwsError> {
    let arn = input::text(&call.input, "Resource").unwrap_or_default();
    if !arn.starts_with("arn:") {
        return Err(check::constraint(
            arn,
            "resource",
            "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):lambda:…",
        ));
    }
    match split(world, arn) {
        Some((_, Some(_))) => Err(check::invalid(
            "Tags on function aliases and versions are not supported. Please specify just a function ARN.",
        )),
        Some((name, None)) if world.lambda.functions.contains_key(name) => Ok(name.to_owned()),
        _ => Err(absent(world, arn, None)),
    }
}

pub(super) fn list_mappings(world: &World, call: &Call) -> Result<Value, AwsError> {
    let source = input::text(&call.input, "EventSourceArn");
    let function = match input::text(&call.input, "FunctionName") {
        Some(_) => {
            let (function, qualifier) = named(world, call)?;
            Some(qualified(function, qualifier))
        }
        None => None,
    };
    let mappings = world.lambda.mappings.iter().filter(|mapping| {
        source.is_none_or(|source| mapping.source == source)
            && function.as_ref().is_none_or(|function| mapping.function == *function)
    });
    Ok(shown::paged(
        mappings.map(|mapping| (mapping.id.clone(), show_mapping(world, mapping))).collect(),
        call,
        "EventSourceMappings",
    ))
}

pub(super) fn create_mapping(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (function, qualifier) = named(world, call)?;
    function.version(qualifier).ok_or_else(|| absent(world, &function.latest.name, qualifier))?;
    let function = qualified(function, qualifier);
    let Some(source) = input::text(&call.input, "EventSourceArn").map(str::to_owned) else {
        return Err(check::invalid("EventSourceArn is required."));
    };
    if world.lambda.mappings.iter().any(|mapping| mapping.source == source && mapping.function == function) {
        return Err(check::conflict(format!(
            "The event source arn (\"{source}\") and function (\"{function}\") provided mapping already exists."
        )));
    }
    let stream = [":kinesis:", ":dynamodb:"].iter().any(|service| source.contains(service));
    let scaling = call.input.get("ScalingConfig").and_then(|scaling| input::number(scaling, "MaximumConcurrency"));
    let maximum_concurrency = match scaling {
        Some(_) if !source.contains(":sqs:") => {
            return Err(check::invalid("ScalingConfig is supported for Amazon SQS event sources alone."));
        }
        Some(most) => match u32::try_from(most).ok().filter(|most| (2..=1000).contains(most)) {
            None => return Err(check::invalid("MaximumConcurrency must be between 2 and 1000.")),
            known => known,
        },
        None => None,
    };
    let parallelization = check::number(call, "ParallelizationFactor", 1, 10)?;
    let starting_position = input::text(&call.input, "StartingPosition").map(str::to_owned);
    if parallelization.is_some() && !stream {
        return Err(check::invalid("ParallelizationFactor is supported for Kinesis and DynamoDB streams alone."));
    }
    if stream && starting_position.is_none() {
        return Err(check::invalid("1 validation error detected: StartingPosition is required for streams."));
    }
    let mapping = Mapping {
        id: next_revision(&mut world.lambda.revisions),
        source,
        function,
        enabled: input::flag(&call.input, "Enabled").unwrap_or(true),
        batch: check::number(call, "BatchSize", 1, 10_000)?.unwrap_or(if stream { 100 } else { 10 }),
        modified: call.now,
        maximum_concurrency,
        parallelization: parallelization.or(stream.then_some(1)),
        starting_position,
    };
    let answer = show_mapping(world, &mapping);
    world.lambda.mappings.push(mapping);
    Ok(answer)
}

pub(super) fn get_mapping(world: &World, call: &Call) -> Result<Value, AwsError> {
    let id = input::text(&call.input, "UUID").unwrap_or_default();
    let mapping = world.lambda.mappings.iter().find(|mapping| mapping.id == id);
    mapping.map(|mapping| show_mapping(world, mapping)).ok_or_else(nothing)
}

fn show_mapping(world: &World, mapping: &Mapping) -> Value {
    let mut shown = json!({
        "UUID": mapping.id,
        "BatchSize": mapping.batch,
        "MaximumBatchingWindowInSeconds": 0,
        "EventSourceArn": mapping.source,
        "EventSourceMappingArn": world.arn("lambda", &format!("event-source-mapping:{}", mapping.id)),
        "FunctionArn": mapping.function,
        "LastModified": mapping.modified.unix_seconds(),
        "State": if mapping.enabled { "Enabled" } else { "Disabled" },
        "StateTransitionReason": "USER_INITIATED",
    });
    if let Some(most) = mapping.maximum_concurrency {
        shown["ScalingConfig"] = json!({ "MaximumConcurrency": most });
    }
    if let Some(factor) = mapping.parallelization {
        shown["ParallelizationFactor"] = json!(factor);
    }
    if let Some(position) = &mapping.starting_position {
        shown["StartingPosition"] = json!(position);
    }
    shown
}

pub(super) fn list_provisioned(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = named(world, call)?;
    let rows = function.provisioned.iter().map(|(qualifier, count)| {
        let mut shown = show_provisioned(function, *count);
        shown["FunctionArn"] = json!(qualified(function, Some(qualifier)));
        (qualifier.clone(), shown)
    });
    Ok(shown::paged(rows.collect(), call, "ProvisionedConcurrencyConfigs"))
}

pub(super) fn get_provisioned(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, qualifier) = named(world, call)?;
    let count = qualifier.and_then(|qualifier| function.provisioned.get(qualifier));
    count.map(|count| show_provisioned(function, *count)).ok_or_else(|| {
        AwsError::new(
            404,
            "ProvisionedConcurrencyConfigNotFoundException",
            "No Provisioned Concurrency Config found for this function",
        )
    })
}

pub(super) fn put_provisioned(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let (function, qualifier) = named(world, call)?;
    let Some(qualifier) = qualifier.filter(|qualifier| *qualifier != LATEST) else {
        return Err(check::invalid(
            "Provisioned Concurrency Configs cannot be applied to unpublished function versions.",
        ));
    };
    function.version(Some(qualifier)).ok_or_else(|| absent(world, &function.latest.name, Some(qualifier)))?;
    if function.aliases.get(qualifier).is_some_and(|alias| !alias.weights.is_empty()) {
        // People quote the sentence (https://github.com/hashicorp/terraform/issues/24957). It is the same for weights that
        // AWS has set by itself (https://github.com/hashicorp/terraform-provider-aws/pull/48116).
        return Err(check::invalid("Alias with weights can not be used with Provisioned Concurrency"));
    }
    let Some(count) = check::number(call, "ProvisionedConcurrentExecutions", 1, 10_000)? else {
        return Err(check::invalid("ProvisionedConcurrentExecutions is required."));
    };
    let function = named_mut(world, call)?;
    function.provisioned.insert(qualifier.to_owned(), count);
    Ok(show_provisioned(function, count))
}

pub(super) fn delete_provisioned(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let qualifier = named(world, call)?.1.unwrap_or_default();
    named_mut(world, call)?.provisioned.remove(qualifier);
    Ok(json!({}))
}

fn show_provisioned(function: &Function, count: u32) -> Value {
    json!({
        "RequestedProvisionedConcurrentExecutions": count,
        "AvailableProvisionedConcurrentExecutions": count,
        "AllocatedProvisionedConcurrentExecutions": count,
        "Status": "READY",
        "LastModified": shown::time(function.latest.modified),
    })
}

pub(super) fn policy(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = named(world, call)?;
    let policy = function.policy.as_ref().ok_or_else(nothing)?;
    Ok(json!({"Policy": policy.to_string(), "RevisionId": function.latest.revision}))
}

fn qualified(function: &Function, qualifier: Option<&str>) -> String {
    match qualifier {
        Some(qualifier) => format!("{}:{qualifier}", function.latest.arn),
        None => function.latest.arn.clone(),
    }
}

fn nothing() -> AwsError {
    AwsError::new(404, "ResourceNotFoundException", "The resource you requested does not exist.")
}
