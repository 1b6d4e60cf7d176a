//! Laws of Lambda: one write at a time, whole maps, frozen versions.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::account::{Call, Moment, Principal, Service, World};
use crate::iam;

mod weights;

fn run(world: &mut World, now: u64, action: &str, input: Value) -> Result<Value, String> {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let call = Call { service: Service::Lambda, action: action.into(), input, principal, now: Moment(now), ahead: 0 };
    handle(world, &call).map_err(|error| error.code)
}

fn world() -> World {
    let mut world = World::empty();
    let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let role = iam::Role::settled(&world.account, &world.partition, "/", "exec", &trust.to_string());
    let mut function = Function::settled(&mut world, "f", &role.arn);
    function.latest.environment = Some(BTreeMap::from([("DB_HOST".into(), "db".into()), ("KEEP".into(), "1".into())]));
    world.iam.roles.insert("exec".into(), role);
    world.lambda.functions.insert("f".into(), function);
    world
}

fn read(world: &mut World, now: u64, qualifier: Option<&str>) -> Value {
    let mut input = json!({"FunctionName": "f"});
    if let Some(qualifier) = qualifier {
        input["Qualifier"] = json!(qualifier);
    }
    run(world, now, "GetFunctionConfiguration", input).unwrap_or_default()
}

fn set(world: &mut World, now: u64, variables: &Value, revision: Option<&Value>) -> Result<Value, String> {
    let mut input = json!({"FunctionName": "f", "Environment": {"Variables": variables}});
    if let Some(revision) = revision {
        input["RevisionId"] = revision.clone();
    }
    run(world, now, "UpdateFunctionConfiguration", input)
}

#[test]
fn a_write_replaces_the_whole_map_and_leaves_the_rest() {
    let mut world = world();
    let before = read(&mut world, 0, None);
    assert!(set(&mut world, 0, &json!({"DB_HOST": "proxy"}), None).is_ok());
    let after = read(&mut world, 0, None);
    assert_eq!(after["Environment"], json!({"Variables": {"DB_HOST": "proxy"}}));
    assert_eq!(after["Timeout"], before["Timeout"]);
    assert!(set(&mut world, 9_000, &json!({}), None).is_ok());
    assert!(read(&mut world, 9_000, None).get("Environment").is_none());
}

#[test]
fn a_revision_changes_at_every_write_and_again_when_the_write_is_live() {
    let mut world = world();
    let first = read(&mut world, 0, None)["RevisionId"].clone();
    let written = set(&mut world, 0, &json!({"DB_HOST": "a"}), Some(&first)).unwrap_or_default();
    assert_eq!(written["LastUpdateStatus"], "InProgress");
    let second = written["RevisionId"].clone();
    assert_ne!(first, second);
    assert_eq!(set(&mut world, 1, &json!({"DB_HOST": "b"}), Some(&second)), Err("ResourceConflictException".into()));
    let done = read(&mut world, 3_000, None);
    assert_eq!(done["LastUpdateStatus"], "Successful");
    assert_ne!(done["RevisionId"], second);
    assert_eq!(
        set(&mut world, 3_000, &json!({"DB_HOST": "b"}), Some(&second)),
        Err("PreconditionFailedException".into())
    );
    assert!(set(&mut world, 3_000, &json!({"DB_HOST": "b"}), Some(&done["RevisionId"])).is_ok());
}

#[test]
fn an_update_may_fail_after_it_was_accepted() {
    let mut world = world();
    if let Some(function) = world.lambda.functions.get_mut("f") {
        function.next_update_fails = Some("EniLimitExceeded".into());
    }
    assert!(set(&mut world, 0, &json!({"DB_HOST": "a"}), None).is_ok());
    let failed = read(&mut world, 3_000, None);
    assert_eq!(
        (&failed["LastUpdateStatus"], &failed["LastUpdateStatusReasonCode"]),
        (&json!("Failed"), &json!("EniLimitExceeded"))
    );
    assert!(set(&mut world, 3_000, &json!({"DB_HOST": "b"}), None).is_ok());
    assert_eq!(read(&mut world, 6_000, None)["LastUpdateStatus"], "Successful");
}

#[test]
fn a_version_is_frozen_and_publishing_nothing_new_makes_none() {
    let mut world = world();
    let publish =
        |world: &mut World, now| run(world, now, "PublishVersion", json!({"FunctionName": "f"})).unwrap_or_default();
    let first = publish(&mut world, 0);
    assert_eq!((&first["Version"], &first["State"]), (&json!("1"), &json!("Pending")));
    assert_eq!(publish(&mut world, 4_000)["Version"], "1");
    assert!(set(&mut world, 4_000, &json!({"DB_HOST": "new"}), None).is_ok());
    assert!(
        run(&mut world, 4_001, "PublishVersion", json!({"FunctionName": "f"})).is_err(),
        "while an update is on its way"
    );
    assert_eq!(read(&mut world, 8_000, Some("1"))["Environment"]["Variables"]["DB_HOST"], "db");
    assert_eq!(publish(&mut world, 8_000)["Version"], "2");
    assert_eq!(read(&mut world, 8_000, Some("2"))["Environment"]["Variables"]["DB_HOST"], "new");
    assert_eq!(read(&mut world, 20_000, Some("1"))["State"], "Active");
}

#[test]
fn aliases_point_at_versions_and_hold_them() {
    let mut world = world();
    for now in [0, 10_000] {
        assert!(run(&mut world, now, "PublishVersion", json!({"FunctionName": "f"})).is_ok());
        assert!(set(&mut world, now, &json!({"DB_HOST": now.to_string()}), None).is_ok());
    }
    let alias = |version: &str| json!({"FunctionName": "f", "Name": "live", "FunctionVersion": version});
    assert_eq!(run(&mut world, 20_000, "CreateAlias", alias("9")), Err("ResourceNotFoundException".into()));
    let made = run(&mut world, 20_000, "CreateAlias", alias("1")).unwrap_or_default();
    assert_eq!(run(&mut world, 20_000, "CreateAlias", alias("1")), Err("ResourceConflictException".into()));
    assert_eq!(read(&mut world, 20_000, Some("live"))["Version"], "1");
    let version = json!({"FunctionName": "f", "Qualifier": "1"});
    assert_eq!(run(&mut world, 20_000, "DeleteFunction", version), Err("ResourceConflictException".into()));
    let mut moved = alias("2");
    moved["RevisionId"] = made["RevisionId"].clone();
    moved["RoutingConfig"] = json!({"AdditionalVersionWeights": {"1": 0.1}});
    assert!(run(&mut world, 20_000, "UpdateAlias", moved.clone()).is_ok());
    assert_eq!(run(&mut world, 20_000, "UpdateAlias", moved), Err("PreconditionFailedException".into()));
    let listed = run(&mut world, 20_000, "ListAliases", json!({"FunctionName": "f", "FunctionVersion": "1"}))
        .unwrap_or_default();
    assert_eq!(listed["Aliases"][0]["RoutingConfig"]["AdditionalVersionWeights"]["1"], 0.1);
}

#[test]
fn variables_are_checked_and_hidden_when_they_cannot_be_decrypted() {
    let mut world = world();
    for (variables, code) in [
        (json!({"A": "1"}), "ValidationException"),
        (json!({"1A": "1"}), "ValidationException"),
        (json!({"A-B": "1"}), "ValidationException"),
        (json!({"AWS_REGION": "x"}), "InvalidParameterValueException"),
        (json!({"BIG": "x".repeat(4096)}), "InvalidParameterValueException"),
    ] {
        assert_eq!(set(&mut world, 0, &variables, None), Err(code.into()), "{variables}");
    }
    if let Some(function) = world.lambda.functions.get_mut("f") {
        function.unreadable_environment = true;
    }
    let hidden = read(&mut world, 0, None)["Environment"].clone();
    assert!(hidden.get("Variables").is_none() && hidden["Error"]["ErrorCode"].is_string());
}

#[test]
fn names_may_be_arns_of_this_account_and_region_only() {
    let mut world = world();
    for (name, found) in [
        ("f", true),
        ("arn:aws:lambda:eu-central-1:123456789012:function:f", true),
        ("123456789012:function:f", true),
        ("f:$LATEST", true),
        ("f:1", false),
        ("arn:aws:lambda:eu-west-1:123456789012:function:f", false),
    ] {
        let answer = run(&mut world, 0, "GetFunction", json!({"FunctionName": name}));
        assert_eq!(answer.is_ok(), found, "{name}: {answer:?}");
    }
}

#[test]
fn tags_hang_on_functions_alone_and_have_limits() {
    let mut world = world();
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:f";
    let tag = |world: &mut World, arn: &str, value: &str| {
        run(world, 0, "TagResource", json!({"Resource": arn, "Tags": {"k": value}}))
    };
    assert!(tag(&mut world, arn, &"x".repeat(256)).is_ok());
    assert!(tag(&mut world, arn, &"x".repeat(257)).is_err());
    assert!(tag(&mut world, arn, "what?").is_err());
    assert!(tag(&mut world, &format!("{arn}:live"), "v").is_err());
    assert!(run(&mut world, 0, "UntagResource", json!({"Resource": arn, "TagKeys": ["k", "none"]})).is_ok());
    assert_eq!(run(&mut world, 0, "ListTags", json!({"Resource": arn})), Ok(json!({"Tags": {}})));
}

#[test]
fn lists_hold_fifty_a_page() {
    let mut world = world();
    for number in 0..60 {
        let function = Function::settled(&mut world, &format!("g{number:02}"), "arn:aws:iam::123456789012:role/exec")
            .with_version();
        world.lambda.functions.insert(function.latest.name.clone(), function);
    }
    let mut names = Vec::new();
    let mut marker = Value::Null;
    for expected in [50, 50, 21] {
        let page = run(
            &mut world,
            0,
            "ListFunctions",
            json!({"FunctionVersion": "ALL", "Marker": marker, "MaxItems": "1000"}),
        );
        let page = page.unwrap_or_default();
        let items = page["Functions"].as_array().cloned().unwrap_or_default();
        assert_eq!(items.len(), expected);
        names.extend(items.into_iter().map(|item| item["FunctionArn"].to_string()));
        marker = page["NextMarker"].clone();
    }
    names.sort();
    names.dedup();
    assert_eq!((names.len(), marker), (121, Value::Null));
}

#[test]
fn a_function_that_is_being_made_is_neither_called_nor_deleted_and_runs_no_code() {
    let mut world = world();
    let role = world.iam.roles["exec"].arn.clone();
    let new = json!({
        "FunctionName": "g", "Role": role, "Runtime": "python3.13", "Handler": "handler.handler",
        "Code": {"ZipFile": "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="},
    });
    let name = || json!({"FunctionName": "g", "Payload": {"host": "nowhere"}});
    assert!(run(&mut world, 0, "CreateFunction", new).is_ok());
    for action in ["Invoke", "DeleteFunction"] {
        assert_eq!(run(&mut world, 0, action, name()), Err("ResourceConflictException".into()), "{action}");
    }
    assert_eq!(
        run(&mut world, 20_000, "Invoke", name()).unwrap()["Payload"],
        json!({}),
        "a handler of that name without the tag"
    );
    world.lambda.functions.get_mut("g").unwrap().tags.insert("rdsproxy-setup:probe".into(), "f".into());
    let told = run(&mut world, 20_000, "Invoke", name()).unwrap()["Payload"].clone();
    assert_eq!((&told["ok"], &told["stages"][0]["fault"]), (&json!(false), &json!("name_not_found")));
    assert!(run(&mut world, 20_000, "DeleteFunction", name()).is_ok());
    assert_eq!(run(&mut world, 20_000, "Invoke", name()), Err("ResourceNotFoundException".into()));
}

#[test]
fn reserved_concurrency_leaves_a_hundred_to_the_others() {
    let mut world = world();
    let put = |world: &mut World, count: u32| {
        run(world, 0, "PutFunctionConcurrency", json!({"FunctionName": "f", "ReservedConcurrentExecutions": count}))
    };
    let get = |world: &mut World| run(world, 0, "GetFunctionConcurrency", json!({"FunctionName": "f"}));
    assert_eq!(get(&mut world), Ok(json!({})));
    assert_eq!(put(&mut world, 901), Err("InvalidParameterValueException".into()));
    assert!(put(&mut world, 900).is_ok());
    assert_eq!(get(&mut world), Ok(json!({"ReservedConcurrentExecutions": 900})));
    let settings = run(&mut world, 0, "GetAccountSettings", json!({})).unwrap_or_default();
    assert_eq!(settings["AccountLimit"]["ConcurrentExecutions"], 1000);
    assert_eq!(settings["AccountLimit"]["UnreservedConcurrentExecutions"], 100);
    let shown = run(&mut world, 0, "GetFunction", json!({"FunctionName": "f"})).unwrap_or_default();
    assert_eq!(shown["Concurrency"]["ReservedConcurrentExecutions"], 900);
    assert!(run(&mut world, 0, "DeleteFunctionConcurrency", json!({"FunctionName": "f"})).is_ok());
    assert_eq!(get(&mut world), Ok(json!({})));
    world.lambda.concurrency = 10;
    assert_eq!(put(&mut world, 1), Err("InvalidParameterValueException".into()), "a new account can reserve nothing");
}

#[test]
fn a_queue_has_a_maximum_and_a_stream_a_factor() {
    let mut world = world();
    let create = |world: &mut World, more: Value| {
        let mut asked = json!({"FunctionName": "f"});
        asked.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
        run(world, 0, "CreateEventSourceMapping", asked)
    };
    let (queue, stream) =
        ("arn:aws:sqs:eu-central-1:123456789012:q", "arn:aws:kinesis:eu-central-1:123456789012:stream/s");
    for wrong in [
        json!({"EventSourceArn": queue, "ScalingConfig": {"MaximumConcurrency": 1}}),
        json!({"EventSourceArn": queue, "ParallelizationFactor": 2}),
        json!({"EventSourceArn": stream, "ScalingConfig": {"MaximumConcurrency": 2}, "StartingPosition": "LATEST"}),
        json!({"EventSourceArn": stream}),
        json!({"EventSourceArn": stream, "ParallelizationFactor": 11, "StartingPosition": "LATEST"}),
    ] {
        assert!(create(&mut world, wrong.clone()).is_err(), "{wrong}");
    }
    let made =
        create(&mut world, json!({"EventSourceArn": queue, "ScalingConfig": {"MaximumConcurrency": 20}})).unwrap();
    assert_eq!(made["ScalingConfig"]["MaximumConcurrency"], 20);
    assert!(made.get("ParallelizationFactor").is_none());
    let made = create(&mut world, json!({"EventSourceArn": stream, "StartingPosition": "LATEST"})).unwrap();
    assert_eq!(made["ParallelizationFactor"], 1);
}
