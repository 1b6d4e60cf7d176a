//! Weights of aliases: the share of calls that goes to a second version.
//!
//! The answers are those that AWS gave to localstack/localstack on 2023-11-20
//! (`TestLambdaAlias::test_notfound_and_invalid_routingconfigs` in
//! `tests/aws/services/lambda_/test_lambda_api.snapshot.json`), unless a comment says otherwise.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::account::{AwsError, Call, Moment, World};
use super::{Alias, Function, LATEST, absent, check};

/// The second version of an alias with its share, if it has one.
type Weights = BTreeMap<String, f64>;

/// The weights that the call brings, `None` where it says nothing about them.
///
/// What breaks the service's model is refused before the service looks at anything else. Which of two such errors comes
/// first is not recorded.
pub(super) fn asked(call: &Call) -> Result<Option<Weights>, AwsError> {
    let Some(routing) = call.input.get("RoutingConfig").filter(|given| given.is_object()) else { return Ok(None) };
    let given = routing.get("AdditionalVersionWeights").and_then(Value::as_object);
    let mut weights = Weights::new();
    let mut fits = true;
    let mut shown = Vec::new();
    for (version, weight) in given.into_iter().flatten() {
        let weight = weight.as_f64();
        fits &= weight.is_some_and(|weight| (0.0..=1.0).contains(&weight));
        shown.push(weight.map_or_else(|| format!("{version}=null"), |weight| format!("{version}={weight:?}")));
        weights.insert(version.clone(), weight.unwrap_or_default());
    }
    let refused = |rule: &str| {
        let value = format!("{{{}}}", shown.join(", "));
        Err(check::constraint(&value, "routingConfig.additionalVersionWeights", rule))
    };
    if !weights.keys().all(|version| is_number(version)) {
        return refused(
            "Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must have length \
             greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not be null]",
        );
    }
    if !fits {
        return refused(
            "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater \
             than or equal to 0.0, Member must not be null]",
        );
    }
    if weights.len() > 1 {
        return Err(check::invalid("Number of items in AdditionalVersionWeights cannot be greater than 1"));
    }
    Ok(Some(weights))
}

fn is_number(version: &str) -> bool {
    !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit())
}

/// Checks that a version is there.
pub(super) fn existing(world: &World, function: &Function, version: &str) -> Result<(), AwsError> {
    let exists = version == LATEST || version.parse().is_ok_and(|number: u64| function.versions.contains_key(&number));
    if exists { Ok(()) } else { Err(absent(world, &function.latest.name, Some(version))) }
}

/// Checks that an alias at a version can have such weights.
///
/// Both versions must be published, with the same execution role and "the same dead-letter queue configuration, or no
/// dead-letter queue configuration" (<https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html>).
pub(super) fn valid(world: &World, function: &Function, version: &str, weights: &Weights) -> Result<(), AwsError> {
    for other in weights.keys() {
        if other == version {
            return Err(check::invalid(format!(
                "Invalid function version {version}. Function version {version} is already included in routing configuration."
            )));
        }
        if version == LATEST {
            return Err(check::invalid("$LATEST is not supported for an alias pointing to more than 1 version"));
        }
        existing(world, function, other)?;
        let (Some(first), Some(second)) = (function.version(Some(version)), function.version(Some(other))) else {
            continue;
        };
        if first.role != second.role {
            // As it was quoted in https://github.com/serverless-heaven/serverless-aws-alias/issues/64.
            return Err(check::invalid("Specified versions must be associated with the same execution role"));
        }
        if first.dead_letter != second.dead_letter {
            // Nobody has published this sentence; it is written after the one for the role.
            return Err(check::invalid(
                "Specified versions must be associated with the same dead-letter queue configuration",
            ));
        }
    }
    Ok(())
}

/// Lets the version that serves calls serve all of them until the new one's provisioned concurrency is there.
///
/// "When `aws_lambda_alias` updates `function_version`, AWS temporarily injects routing weights on the alias during the
/// version transition", seen as `additional_version_weights = {"1": 1}`
/// (<https://github.com/hashicorp/terraform-provider-aws/pull/48116>). The provider's call has an empty `RoutingConfig`, so
/// this happens with and without one. Weights that a caller sets or keeps stay what they are.
///
/// *Unproven:* a call that moves the alias back, with an empty `RoutingConfig`, ends the transition, because the
/// version that serves is ready. Without one it is refused, as with any weights that stay.
pub(super) fn hold(former: &Alias, alias: &mut Alias, until: Moment) {
    let own = former.until.is_some() && (alias.until.is_some() || alias.weights.is_empty());
    let moved = alias.version != former.version && (own || alias.weights.is_empty());
    if !moved {
        return;
    }
    let serving = if own { former.weights.keys().next() } else { None };
    let serving = serving.unwrap_or(&former.version).clone();
    alias.weights.clear();
    alias.until = None;
    if serving != alias.version && serving != LATEST && alias.version != LATEST {
        alias.weights.insert(serving, 1.0);
        alias.until = Some(until);
    }
}
