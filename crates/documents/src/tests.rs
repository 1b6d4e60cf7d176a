//! Schemas are strict, and every part of them says what it is.

use serde_json::{Value, json};

use crate::{ALL, Counts, Event, SCHEMA, Step, StepState, Version, find};

/// Every schema within a schema, with its place.
fn parts<'a>(place: &str, value: &'a Value, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(members) => {
            found.push((place.to_owned(), value));
            for (key, member) in members {
                parts(&format!("{place}/{key}"), member, found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                parts(&format!("{place}/{at}"), item, found);
            }
        }
        _ => {}
    }
}

#[test]
fn names_are_in_order_and_unique() {
    let names: Vec<&str> = ALL.iter().map(|entry| entry.name).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(names, sorted);
    assert!(names.iter().all(|name| name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-')));
    assert!(names.iter().all(|name| find(name).is_some()) && find("absent").is_none());
}

#[test]
fn every_object_is_closed_and_each_of_its_keys_is_required_and_described() {
    for entry in ALL {
        let schema = entry.schema();
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["$id"], format!("urn:rdsproxy-setup:schema:{}:{SCHEMA}", entry.name));
        let mut found = Vec::new();
        parts(entry.name, &schema, &mut found);
        let mut objects = 0;
        for (place, part) in found {
            let Some(properties) = part.get("properties").and_then(Value::as_object) else {
                // A map says what its values are.
                let map = part.get("additionalProperties").is_some_and(Value::is_object);
                let open = part.get("type") == Some(&json!("object")) && !map;
                assert!(!open || place.ends_with("/$defs/Foreign"), "{place} is open");
                continue;
            };
            objects += 1;
            assert_eq!(part["additionalProperties"], json!(false), "{place}");
            let mut keys: Vec<&str> = properties.keys().map(String::as_str).collect();
            let mut required: Vec<&str> =
                part["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            keys.sort_unstable();
            required.sort_unstable();
            assert_eq!(keys, required, "{place}");
            for (key, property) in properties {
                // A key that says which of several things it is needs no more words, nor does the one thing in a
                // wrapper.
                let clear = property.get("const").is_some() || keys.len() == 1;
                assert!(clear || property.get("description").is_some(), "{place}/{key} has no description");
            }
        }
        assert!(objects > 0, "{}", entry.name);
    }
}

#[test]
fn numbers_have_no_format_that_validators_do_not_know() {
    for entry in ALL {
        let schema = entry.schema();
        let mut found = Vec::new();
        parts(entry.name, &schema, &mut found);
        for (place, part) in found {
            let format = part.get("format").and_then(Value::as_str);
            assert!(format.is_none_or(|format| format == "date-time"), "{place}: {format:?}");
        }
    }
}

#[test]
fn a_document_is_held_to_its_type_key_by_key() {
    let event = find("event").unwrap();
    let line = |event: &Event| serde_json::to_value(event).unwrap();
    let good = line(&Event::Note { schema: Version, step: None, text: "x".to_owned() });
    assert_eq!(event.check(&good), Ok(()));
    let with = |key: &str, value: Value| {
        let mut bad = good.clone();
        bad[key] = value;
        bad
    };
    let mut without = good.clone();
    without.as_object_mut().unwrap().remove("step");
    for bad in
        [with("more", json!(1)), with("text", json!(1)), with("schema", json!(2)), with("event", json!("x")), without]
    {
        assert!(event.check(&bad).is_err(), "{bad}");
    }
}

#[test]
fn steps_are_counted_by_state() {
    let step = |state| Step {
        step: 1,
        slug: "proxy".to_owned(),
        title: "RDS Proxy".to_owned(),
        state,
        because: Vec::new(),
        subject: String::new(),
        details: Vec::new(),
        variables: Vec::new(),
    };
    let counts = Counts::of(&[step(StepState::Create), step(StepState::Waiting), step(StepState::Create)]);
    assert_eq!(counts, Counts { create: 2, waiting: 1, ..Counts::default() });
}
