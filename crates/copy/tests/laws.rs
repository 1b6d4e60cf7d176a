//! Laws: a copy of a simulated account is that account, and answers as it does.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::collections::BTreeSet;

use common::{Line, accounts, heard, read_all, vary};
use copy::Variables;
use proptest::prelude::*;
use sandbox::World;
use serde_json::{Value, json};

fn all(_: &str, variables: &Variables) -> Variables {
    variables.clone()
}

/// An account as it is compared: texts that others wrote have only their lengths, and these differences are left out.
///
/// - The order in which policies were attached to a role is not shown by AWS.
fn compared(world: &World) -> Value {
    let mut dump = world.dump();
    level(&mut dump, "");
    for role in dump["iam"]["roles"].as_object_mut().unwrap().values_mut() {
        let mut attached: Vec<String> = serde_json::from_value(role["attached"].clone()).unwrap();
        attached.sort();
        role["attached"] = json!(attached);
    }
    dump
}

fn level(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) if name == "tags" => {
            for (key, held) in members {
                if !key.starts_with("rdsproxy-setup:") && !key.starts_with("aws:") {
                    *held = json!("x".repeat(held.as_str().unwrap().len().max(1)));
                }
            }
        }
        Value::Object(members) => members.iter_mut().for_each(|(name, held)| level(held, name)),
        Value::Array(items) => items.iter_mut().for_each(|item| level(item, "")),
        Value::String(text) if name == "description" || name == "AlarmDescription" => *text = text.len().to_string(),
        _ => {}
    }
}

/// The paths at which two values differ.
fn differences(one: &Value, other: &Value, at: &str, out: &mut Vec<String>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for name in names {
                let null = Value::Null;
                differences(
                    one.get(name).unwrap_or(&null),
                    other.get(name).unwrap_or(&null),
                    &format!("{at}/{name}"),
                    out,
                );
            }
        }
        (one, other) if one == other => {}
        (one, other) => out.push(format!("{at}: {one} is {other} in the copy")),
    }
}

fn hold(world: World) -> copy::Copy {
    let mut line = Line::to(world);
    read_all(&mut line);
    let copy = heard(&line.traffic).finish(&all);
    let mut found = Vec::new();
    differences(&compared(&line.world), &compared(&copy.world), "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
    copy
}

/// The gaps beside those that every copy has.
fn more_gaps(copy: &copy::Copy) -> Vec<&str> {
    let always = copy::Copying::new("eu-central-1").finish(&all).gaps;
    copy.gaps.iter().filter(|gap| !always.contains(gap)).map(|gap| gap.what.as_str()).collect()
}

#[test]
fn a_copy_of_the_sample_account_is_the_sample_account() {
    let copy = hold(World::newcomer());
    // All policies were read, so that nothing holds besides them.
    for (name, role) in &World::newcomer().iam.roles {
        assert_eq!(copy.world.iam.roles[name].force.len(), role.force.len(), "{name}");
    }
    assert!(copy.world.principals[copy::REHEARSER].policies.is_none());
    assert!(more_gaps(&copy).is_empty(), "{:#?}", copy.gaps);
}

#[test]
fn a_copy_of_an_account_with_everything_is_that_account() {
    let world = accounts::busy();
    let copy = hold(world.clone());
    assert_eq!(copy.world.quotas, world.quotas);
    assert_eq!(copy.world.lambda.concurrency, 3000);
    assert_eq!(more_gaps(&copy), ["the end of the secret going", "the value of the secret going"]);
}

/// CloudWatch's other protocol says the same.
#[test]
fn alarms_are_understood_in_json_too() {
    let mut line = Line::to(accounts::busy());
    for action in ["DescribeAlarms", "ListTagsForResource", "GetDashboard"] {
        let arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:shop";
        let members = json!({ "ResourceARN": arn, "DashboardName": "shop" });
        let mut request = common::request("AKIATEST", "secretsmanager", action, &members);
        request.headers.insert("authorization".to_owned(), common::questions::signature("AKIATEST", "monitoring"));
        line.send("monitoring", request);
        assert!(line.traffic.last().unwrap().answered_as.contains("json"));
    }
    let copy = heard(&line.traffic).finish(&all);
    let mut found = Vec::new();
    differences(&compared(&line.world)["monitoring"], &compared(&copy.world)["monitoring"], "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_copy_of_any_variation_is_that_account(bits in any::<u64>(), number in 1..1_000_u32) {
        let mut world = accounts::busy();
        vary::vary(&mut world, bits, number);
        hold(world);
    }
}

/// Members that say when, or how many copies of a page there are.
fn timeless(value: &mut Value, name: &str) {
    match value {
        Value::Object(members) if name == "tags" || name == "Tags" => {
            members.values_mut().for_each(|held| *held = json!(held.as_str().unwrap().len()));
        }
        Value::Object(members) => {
            members.retain(|name, _| {
                !["Date", "Time", "Timestamp", "LastModified", "creationTime"].iter().any(|end| name.ends_with(end))
            });
            if let (Some(key), Some(held)) =
                (members.get("Key").or(members.get("key")).cloned(), members.get_mut("Value"))
            {
                *held = json!(format!("{key}{}", held.as_str().unwrap().len()));
            }
            members.iter_mut().for_each(|(name, held)| timeless(held, name));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| timeless(item, "")),
        Value::String(text) if name == "SecretString" => {
            let value: Value = serde_json::from_str(text).unwrap();
            *text = value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(",");
        }
        Value::String(text) if name.to_ascii_lowercase().ends_with("description") || name == "value" => {
            *text = text.len().to_string();
        }
        _ => {}
    }
}

/// Whatever the original answers to a read, its copy answers too.
#[test]
fn a_copy_answers_as_the_original_did() {
    for world in [World::newcomer(), accounts::busy()] {
        let mut line = Line::to(world);
        read_all(&mut line);
        let mut copied = Line::to(heard(&line.traffic).finish(&all).world);
        let mut found = Vec::new();
        for call in &line.traffic {
            let asked = sandbox::Asked::of(&call.request).unwrap();
            let scope = asked.service.scope();
            let (_, mut theirs) = recording::wire::response(scope, &call.answered_as, &call.answered);
            let mut ours = Value::Object(copied.send(scope, call.request.clone()));
            timeless(&mut theirs, "");
            timeless(&mut ours, "");
            differences(&theirs, &ours, &format!("{} {}", asked.action, asked.input), &mut found);
        }
        assert!(found.is_empty(), "{found:#?}");
    }
}
