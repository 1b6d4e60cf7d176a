//! The account is the same one, under other names.

use proptest::prelude::*;
use sandbox::World;
use serde_json::Value;

use super::accounts::with_stack;
use super::references::references;
use crate::pseudonymized;

/// A value without names: texts by their length, maps by what is in them.
fn shape(value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with('{') => "document".to_owned(),
        Value::String(text) => format!("text of {} words", text.split(['-', '/']).count()),
        Value::Array(items) => items.iter().map(shape).collect::<Vec<_>>().join(","),
        Value::Object(members) => {
            let mut all: Vec<String> = members.values().map(shape).collect();
            all.sort();
            format!("{{{}}}", all.join(","))
        }
        other => other.to_string(),
    }
}

/// The account without what is masked.
fn dumped(world: &World) -> Value {
    let mut dump = world.dump();
    for place in
        ["ec2/groups", "iam/roles", "iam/policies", "kms/keys", "lambda/functions", "secrets/secrets", "rds/proxies"]
    {
        for thing in dump.pointer_mut(&format!("/{place}")).and_then(Value::as_object_mut).unwrap().values_mut() {
            strip(thing);
        }
    }
    for part in dump["monitoring"].as_object_mut().unwrap().values_mut() {
        strip(part);
    }
    dump
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for name in ["AlarmDescription", "body", "description", "init_query", "policy"] {
                if let Some(text) = members.get_mut(name).filter(|text| text.is_string()) {
                    *text = Value::Null;
                }
            }
            // A password of several words becomes one.
            for value in members.get_mut("environment").and_then(Value::as_object_mut).into_iter().flatten() {
                *value.1 = Value::Null;
            }
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn same(one: &str, other: &str) {
    let at = one.bytes().zip(other.bytes()).take_while(|(one, other)| one == other).count();
    let near = |text: &str| text.get(at.saturating_sub(60)..).unwrap_or_default().chars().take(120).collect::<String>();
    assert_eq!(near(one), near(other));
}

fn holds(world: &World) {
    let new = pseudonymized(world);
    let (before, after) = (references(world), references(&new));
    assert_eq!(before, after);
    same(&shape(&dumped(world)), &shape(&dumped(&new)));
    assert_eq!(serde_json::to_value(pseudonymized(world)).unwrap(), serde_json::to_value(&new).unwrap());
    let again = pseudonymized(&new);
    assert_eq!(references(&again), after);
    same(&shape(&dumped(&again)), &shape(&dumped(&new)));
    assert_ne!(new.account, world.account);
    assert_eq!(new.region, world.region);
}

#[test]
fn references_lead_where_they_led() {
    let world = with_stack("my-instance");
    for (what, count) in references(&world) {
        assert!(count > 0, "{what}");
    }
    holds(&world);
    holds(&World::newcomer());
    holds(&World::empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_database_may_have_any_name(name in "[a-z]([a-z0-9]|-[a-z0-9]){1,30}") {
        holds(&with_stack(&name));
    }
}

#[test]
fn names_that_hold_each_other_stay_apart() {
    for name in [
        "app",
        "db",
        "proxy",
        "role",
        "function",
        "default",
        "app-proxy",
        "eu-central-1",
        "ro",
        "rds",
        "secret",
        "cluster",
    ] {
        holds(&with_stack(name));
    }
}
