//! Laws of weighted aliases: what is refused, what stays, and what AWS does by itself.

use super::*;
use crate::account::AwsError;

/// A message as AWS worded it.
const TOO_MANY: &str = "Number of items in AdditionalVersionWeights cannot be greater than 1";

fn ask(world: &mut World, now: u64, action: &str, input: Value) -> Result<Value, AwsError> {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let call = Call { service: Service::Lambda, action: action.into(), input, principal, now: Moment(now), ahead: 0 };
    handle(world, &call)
}

/// A function with versions 1 to 3, which are published alike but for a variable.
fn published() -> World {
    let mut world = world();
    let mut function = world.lambda.functions["f"].clone();
    for number in 1..=3 {
        function.latest.environment = Some(BTreeMap::from([("DB_HOST".into(), format!("db{number}"))]));
        function = function.with_version();
    }
    world.lambda.functions.insert("f".into(), function);
    world
}

fn alias(world: &mut World, now: u64, action: &str, more: &Value) -> Result<Value, AwsError> {
    let mut input = json!({"FunctionName": "f", "Name": "live"});
    input.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    ask(world, now, action, input)
}

fn weights(weights: &Value) -> Value {
    json!({"RoutingConfig": {"AdditionalVersionWeights": weights}})
}

fn with(version: &str, given: &Value) -> Value {
    let mut input = weights(given);
    input["FunctionVersion"] = json!(version);
    input
}

fn read_alias(world: &mut World, now: u64) -> Value {
    alias(world, now, "GetAlias", &json!({})).unwrap()
}

/// The account with an alias at version 1 that gives version 2 a tenth.
fn shifting() -> World {
    let mut world = published();
    alias(&mut world, 0, "CreateAlias", &with("1", &json!({"2": 0.1}))).unwrap();
    world
}

/// Recorded by localstack/localstack (`TestLambdaAlias::test_notfound_and_invalid_routingconfigs`), on the same calls.
#[test]
fn weights_that_aws_refuses_are_refused_in_its_words() {
    let invalid = "InvalidParameterValueException";
    let value = |value: &str| {
        format!(
            "1 validation error detected: Value '{value}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: \
             Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater \
             than or equal to 0.0, Member must not be null]"
        )
    };
    let key = "1 validation error detected: Value '{$LATEST=0.5}' at 'routingConfig.additionalVersionWeights' failed to satisfy \
               constraint: Map keys must satisfy constraint: [Member must have length less than or equal to 1024, Member must \
               have length greater than or equal to 1, Member must satisfy regular expression pattern: [0-9]+, Member must not \
               be null]";
    let missing = "Function not found: arn:aws:lambda:eu-central-1:123456789012:function:f:10";
    let cases = [
        ("1", json!({"1": 0.8, "2": 0.2}), 400, invalid, TOO_MANY.to_owned()),
        ("1", json!({"2": 2}), 400, "ValidationException", value("{2=2.0}")),
        ("1", json!({"2": -1}), 400, "ValidationException", value("{2=-1.0}")),
        (
            "1",
            json!({"1": 0.5}),
            400,
            invalid,
            "Invalid function version 1. Function version 1 is already included in routing configuration.".to_owned(),
        ),
        ("10", json!({"2": 0.5}), 404, "ResourceNotFoundException", missing.to_owned()),
        ("1", json!({"10": 0.5}), 404, "ResourceNotFoundException", missing.to_owned()),
        (
            "$LATEST",
            json!({"1": 0.5}),
            400,
            invalid,
            "$LATEST is not supported for an alias pointing to more than 1 version".to_owned(),
        ),
        ("1", json!({"$LATEST": 0.5}), 400, "ValidationException", key.to_owned()),
    ];
    for (version, given, status, code, message) in cases {
        let want = Err(AwsError::new(status, code, message));
        let mut world = published();
        assert_eq!(alias(&mut world, 0, "CreateAlias", &with(version, &given)), want, "{version} {given}");
        assert!(world.lambda.functions["f"].aliases.is_empty());
        alias(&mut world, 0, "CreateAlias", &json!({"FunctionVersion": "3"})).unwrap();
        let before = read_alias(&mut world, 0);
        assert_eq!(alias(&mut world, 0, "UpdateAlias", &with(version, &given)), want, "{version} {given}");
        assert_eq!(read_alias(&mut world, 0), before, "{version} {given}");
    }
    for weight in [0.0, 1.0] {
        assert!(alias(&mut published(), 0, "CreateAlias", &with("1", &json!({"2": weight}))).is_ok(), "{weight}");
    }
}

#[test]
fn both_versions_have_one_role_and_one_dead_letter_queue() {
    for (queue, what) in [(false, "execution role"), (true, "dead-letter queue")] {
        let mut world = published();
        let second = world.lambda.functions.get_mut("f").unwrap().versions.get_mut(&2).unwrap();
        if queue {
            second.dead_letter = Some("arn:aws:sqs:eu-central-1:123456789012:q".to_owned());
        } else {
            second.role = "arn:aws:iam::123456789012:role/other".to_owned();
        }
        let refused = alias(&mut world, 0, "CreateAlias", &with("1", &json!({"2": 0.1}))).unwrap_err();
        assert_eq!(refused.code, "InvalidParameterValueException");
        assert!(refused.message.contains(what), "{}", refused.message);
        assert!(alias(&mut world, 0, "CreateAlias", &with("1", &json!({"3": 0.1}))).is_ok());
    }
}

/// Recorded by localstack/localstack (`TestLambdaAlias::test_alias_lifecycle`); `RoutingConfig: {}` is what Terraform's
/// provider sends.
#[test]
fn an_empty_routing_config_deletes_the_weights_and_none_keeps_them() {
    for empty in [weights(&json!({})), json!({"RoutingConfig": {}})] {
        let mut world = shifting();
        let made = read_alias(&mut world, 0);
        assert_eq!(made["RoutingConfig"], json!({"AdditionalVersionWeights": {"2": 0.1}}));
        let kept = alias(&mut world, 0, "UpdateAlias", &json!({})).unwrap();
        assert_eq!(kept["RoutingConfig"], made["RoutingConfig"]);
        assert_ne!(kept["RevisionId"], made["RevisionId"], "an update that changes nothing is one, too");
        let cleared = alias(&mut world, 0, "UpdateAlias", &empty).unwrap();
        assert!(cleared.get("RoutingConfig").is_none(), "{cleared}");
        assert_eq!(read_alias(&mut world, 0), cleared);
    }
}

#[test]
fn a_shift_is_completed_by_a_call_that_deletes_the_weights_along() {
    let mut world = shifting();
    let refused = alias(&mut world, 0, "UpdateAlias", &json!({"FunctionVersion": "2"})).unwrap_err();
    assert_eq!(
        refused.message,
        "Invalid function version 2. Function version 2 is already included in routing configuration."
    );
    let done = alias(&mut world, 0, "UpdateAlias", &with("2", &json!({}))).unwrap();
    assert_eq!((&done["FunctionVersion"], done.get("RoutingConfig")), (&json!("2"), None));
    let reversed = alias(&mut world, 0, "UpdateAlias", &with("3", &json!({"2": 0.25}))).unwrap();
    assert_eq!(reversed["RoutingConfig"]["AdditionalVersionWeights"], json!({"2": 0.25}));
}

fn provision(world: &mut World, now: u64) -> Result<Value, AwsError> {
    let input = json!({"FunctionName": "f", "Qualifier": "live", "ProvisionedConcurrentExecutions": 2});
    ask(world, now, "PutProvisionedConcurrencyConfig", input)
}

/// The account with an alias at version 1 that has provisioned concurrency.
fn provisioned() -> World {
    let mut world = published();
    alias(&mut world, 0, "CreateAlias", &json!({"FunctionVersion": "1"})).unwrap();
    provision(&mut world, 0).unwrap();
    world
}

/// hashicorp/terraform-provider-aws#48116.
#[test]
fn the_former_version_serves_until_the_new_ones_provisioned_concurrency_is_there() {
    for call in [json!({"FunctionVersion": "2"}), json!({"FunctionVersion": "2", "RoutingConfig": {}})] {
        let mut world = provisioned();
        let mut never = world.clone();
        never.lambda.functions.get_mut("f").unwrap().aliases.get_mut("live").unwrap().version = "2".to_owned();
        alias(&mut world, 1_000, "UpdateAlias", &call).unwrap();
        let moving = read_alias(&mut world, 90_999);
        assert_eq!(moving["FunctionVersion"], "2");
        assert_eq!(moving["RoutingConfig"], json!({"AdditionalVersionWeights": {"1": 1.0}}));
        let invoked = |world: &mut World, now| {
            ask(world, now, "Invoke", json!({"FunctionName": "f:live"})).unwrap()["ExecutedVersion"].clone()
        };
        let delete = |world: &mut World, now| {
            let version = json!({"FunctionName": "f", "Qualifier": "1"});
            ask(world, now, "DeleteFunction", version).map_err(|error| error.code)
        };
        assert_eq!(invoked(&mut world, 90_999), "1");
        assert_eq!(delete(&mut world, 90_999), Err("ResourceConflictException".into()));
        assert_eq!(
            provision(&mut world, 90_999).unwrap_err().message,
            "Alias with weights can not be used with Provisioned Concurrency"
        );
        let settled = read_alias(&mut world, 91_000);
        assert!(settled.get("RoutingConfig").is_none(), "{settled}");
        assert_ne!(settled["RevisionId"], moving["RevisionId"]);
        assert_eq!(invoked(&mut world, 91_000), "2");
        assert_eq!(world.dump(), never.dump());
        assert_eq!(delete(&mut world, 91_000), Ok(json!({})));
        assert!(provision(&mut world, 91_000).is_ok());
    }
}

#[test]
fn a_transition_keeps_what_serves_and_ends_with_its_weights() {
    let mut world = provisioned();
    let step = |world: &mut World, now, call: Value| {
        let shown = alias(world, now, "UpdateAlias", &call).map_err(|error| error.code)?;
        Ok::<Value, String>(shown["RoutingConfig"]["AdditionalVersionWeights"].clone())
    };
    assert_eq!(step(&mut world, 0, json!({"FunctionVersion": "2"})), Ok(json!({"1": 1.0})));
    assert_eq!(step(&mut world, 10_000, json!({"Description": "d"})), Ok(json!({"1": 1.0})));
    // On to another version: the first one still serves, and the time begins again.
    assert_eq!(step(&mut world, 60_000, json!({"FunctionVersion": "3", "RoutingConfig": {}})), Ok(json!({"1": 1.0})));
    assert!(read_alias(&mut world, 149_999).get("RoutingConfig").is_some());
    // Back to the one that serves.
    let back = json!({"FunctionVersion": "1"});
    assert_eq!(step(&mut world, 149_999, back), Err("InvalidParameterValueException".into()));
    let back = json!({"FunctionVersion": "1", "RoutingConfig": {}});
    assert_eq!(step(&mut world, 149_999, back), Ok(Value::Null));
    // Weights that a caller sets stay.
    assert_eq!(step(&mut world, 150_000, with("2", &json!({"1": 0.5}))), Ok(json!({"1": 0.5})));
    assert!(read_alias(&mut world, 1_000_000).get("RoutingConfig").is_some());
    assert_eq!(step(&mut world, 1_000_000, json!({"RoutingConfig": {}})), Ok(Value::Null));
}

#[test]
fn an_alias_without_provisioned_concurrency_moves_at_once() {
    let mut world = published();
    alias(&mut world, 0, "CreateAlias", &json!({"FunctionVersion": "1"})).unwrap();
    assert!(
        alias(&mut world, 0, "UpdateAlias", &json!({"FunctionVersion": "2"})).unwrap().get("RoutingConfig").is_none()
    );
}

#[test]
fn a_call_of_a_weighted_alias_runs_one_of_its_two_versions() {
    let mut world = shifting();
    let mut second = 0;
    for count in 0..1000 {
        world.counter = count;
        let answer = ask(&mut world, 0, "Invoke", json!({"FunctionName": "f", "Qualifier": "live"})).unwrap();
        match answer["ExecutedVersion"].as_str() {
            Some("2") => second += 1,
            other => assert_eq!(other, Some("1")),
        }
    }
    assert!((60..140).contains(&second), "{second}");
}

#[test]
fn an_account_that_was_stored_before_transitions_were_known_is_read() {
    let mut stored = serde_json::to_value(shifting()).unwrap();
    let alias = stored.pointer_mut("/lambda/functions/f/aliases/live").unwrap().as_object_mut().unwrap();
    assert!(alias.remove("until").is_some());
    assert!(stored["profile"].as_object_mut().unwrap().remove("lambda_provisioned").is_some());
    let world: World = serde_json::from_value(stored).unwrap();
    assert_eq!(world.dump(), shifting().dump());
}
