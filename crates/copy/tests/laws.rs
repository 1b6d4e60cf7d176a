//! Laws: a copy of a simulated account is that account, in whatever order it was heard.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::collections::BTreeSet;

use common::{Line, heard, read_all};
use copy::Variables;
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
        Value::String(text) if name == "description" => *text = text.len().to_string(),
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

#[test]
fn a_copy_of_the_sample_account_is_the_sample_account() {
    let copy = hold(World::newcomer());
    // All policies were read, so that nothing is in force besides them.
    for (name, role) in &World::newcomer().iam.roles {
        assert_eq!(copy.world.iam.roles[name].force.len(), role.force.len(), "{name}");
    }
    assert!(copy.world.principals[copy::REHEARSER].policies.is_none());
}
