//! Aliases: names that point at versions.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::{Alias, Function, check, named, named_mut, next_revision, shown, weights};

pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = name(call)?;
    let weights = weights::asked(call)?.unwrap_or_default();
    let (function, _) = named(world, call)?;
    let Some(version) = input::text(&call.input, "FunctionVersion") else {
        return Err(check::invalid("FunctionVersion is required."));
    };
    weights::existing(world, function, version)?;
    weights::valid(world, function, version, &weights)?;
    if function.aliases.contains_key(name) {
        return Err(check::conflict(format!("Alias already exists: {}:{name}", function.latest.arn)));
    }
    let alias = Alias {
        name: name.to_owned(),
        version: version.to_owned(),
        description: input::text(&call.input, "Description").unwrap_or_default().to_owned(),
        weights,
        until: None,
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

/// `UpdateAlias`. What the call leaves out stays, and the revision changes even where nothing else does.
///
/// A call without `RoutingConfig` keeps the weights. Empty weights delete them, which localstack/localstack recorded
/// (`TestLambdaAlias::test_alias_lifecycle` in `tests/aws/services/lambda_/test_lambda_api.snapshot.json`), and so does
/// an empty `RoutingConfig`, which Terraform's provider sends (`internal/service/lambda/alias.go` in
/// hashicorp/terraform-provider-aws). A call that completes a shift must send one of them: the version that it moves to
/// is the one in the weights.
pub(super) fn update(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let name = name(call)?;
    let asked = weights::asked(call)?;
    let (function, _) = named(world, call)?;
    let former = function.aliases.get(name).ok_or_else(|| no_alias(function, name))?;
    check::revision(call, &former.revision)?;
    let mut alias = former.clone();
    let version = input::text(&call.input, "FunctionVersion");
    if let Some(version) = version {
        weights::existing(world, function, version)?;
        version.clone_into(&mut alias.version);
    }
    if asked.is_some() || version.is_some() {
        if let Some(weights) = asked {
            alias.weights = weights;
            alias.until = None;
        }
        weights::valid(world, function, &alias.version, &alias.weights)?;
        if function.provisioned.contains_key(name) {
            weights::hold(former, &mut alias, call.now + world.profile.lambda_provisioned);
        }
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
