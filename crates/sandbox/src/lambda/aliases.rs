//! Aliases: names that point at versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::{Alias, Function, LATEST, absent, check, named, named_mut, next_revision, shown};

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = name(call)?;
    let (function, _) = named(world, call)?;
    let Some(version) = input::text(&call.input, "FunctionVersion") else {
        return Err(check::invalid("FunctionVersion is required."));
    };
    check_version(world, function, version)?;
    let weights = weights(world, function, call, version)?.unwrap_or_default();
    if function.aliases.contains_key(name) {
        return Err(check::conflict(format!("Alias already exists: {}:{name}", function.latest.arn)));
    }
    let alias = Alias {
        name: name.to_owned(),
        version: version.to_owned(),
        description: input::text(&call.input, "Description").unwrap_or_default().to_owned(),
        weights,
        revision: next_revision(&mut world.lambda.revisions),
    };
    let function = named_mut(world, call)?;
    let answer = show(function, &alias);
    function.aliases.insert(name.to_owned(), alias);
    Ok(answer)
}

pub(super) fn get(world: &World, call: &Call) -> Result<Value, AwsError> {
    let name = name(call)?;
    let (function, _) = named(world, call)?;
    function.aliases.get(name).map(|alias| show(function, alias)).ok_or_else(|| no_alias(function, name))
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = named(world, call)?;
    let version = input::text(&call.input, "FunctionVersion");
    let aliases = function
        .aliases
        .values()
        .filter(|alias| version.is_none_or(|version| alias.version == version || alias.weights.contains_key(version)));
    Ok(shown::paged(aliases.map(|alias| (alias.name.clone(), show(function, alias))).collect(), call, "Aliases"))
}

pub(super) fn update(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = name(call)?;
    let (function, _) = named(world, call)?;
    let mut alias = function.aliases.get(name).cloned().ok_or_else(|| no_alias(function, name))?;
    check::revision(call, &alias.revision)?;
    if let Some(version) = input::text(&call.input, "FunctionVersion") {
        check_version(world, function, version)?;
        version.clone_into(&mut alias.version);
    }
    if let Some(weights) = weights(world, function, call, &alias.version)? {
        alias.weights = weights;
    }
    if let Some(description) = call.input.get("Description").and_then(Value::as_str) {
        description.clone_into(&mut alias.description);
    }
    alias.revision = next_revision(&mut world.lambda.revisions);
    let function = named_mut(world, call)?;
    let answer = show(function, &alias);
    function.aliases.insert(alias.name.clone(), alias);
    Ok(answer)
}

pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = name(call)?;
    // Deleting what is not there is no error.
    let function = named_mut(world, call)?;
    function.aliases.remove(name);
    function.provisioned.remove(name);
    Ok(json!({}))
}

fn name(call: &Call) -> Result<&str, AwsError> {
    let name = input::text(&call.input, "Name").unwrap_or_default();
    let digits = name.chars().all(|character| character.is_ascii_digit());
    if !digits && name.len() <= 128 && name.chars().all(check::is_name_character) {
        return Ok(name);
    }
    Err(check::constraint(name, "name", "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"))
}

fn check_version(world: &World, function: &Function, version: &str) -> Result<(), AwsError> {
    let exists = version == LATEST || version.parse().is_ok_and(|number: u64| function.versions.contains_key(&number));
    if exists { Ok(()) } else { Err(absent(world, &function.latest.name, Some(version))) }
}

/// The weights that the call brings, `None` where it says nothing about them.
fn weights(
    world: &World,
    function: &Function,
    call: &Call,
    version: &str,
) -> Result<Option<BTreeMap<String, f64>>, AwsError> {
    let Some(routing) = call.input.get("RoutingConfig").filter(|given| given.is_object()) else { return Ok(None) };
    let given = routing.get("AdditionalVersionWeights").and_then(Value::as_object);
    let mut weights = BTreeMap::new();
    for (other, weight) in given.into_iter().flatten() {
        check_version(world, function, other)?;
        let weight = weight.as_f64().filter(|weight| (0.0..=1.0).contains(weight));
        let Some(weight) = weight.filter(|_| other != version && other != LATEST && version != LATEST) else {
            return Err(check::invalid(
                "An alias routes between two different published versions, with a weight from 0 to 1.",
            ));
        };
        weights.insert(other.clone(), weight);
    }
    if weights.len() > 1 {
        return Err(check::invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    Ok(Some(weights))
}

fn no_alias(function: &Function, name: &str) -> AwsError {
    AwsError::new(404, "ResourceNotFoundException", format!("Cannot find alias arn: {}:{name}", function.latest.arn))
}

fn show(function: &Function, alias: &Alias) -> Value {
    let mut shown = json!({
        "AliasArn": format!("{}:{}", function.latest.arn, alias.name),
        "Name": alias.name,
        "FunctionVersion": alias.version,
        "Description": alias.description,
        "RevisionId": alias.revision,
    });
    if !alias.weights.is_empty() {
        shown["RoutingConfig"] = json!({"AdditionalVersionWeights": alias.weights});
    }
    shown
}
