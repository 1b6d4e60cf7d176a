//! What an account is when the ids of what was made twice are left out.
//!
//! A resource that is made again gets another id. Here each is called by its name, and what has no name
//! (rules, interfaces) is told by its content.

use sandbox::World;
use serde_json::{Value, json};

/// The account without ids and without idle policy versions.
pub(crate) fn shape(world: &World) -> Value {
    let mut names: Vec<(String, String)> = Vec::new();
    let mut name = |id: &str, what: &str, name: &str| names.push((id.to_owned(), format!("{what}({name})")));
    for (id, group) in &world.ec2.groups {
        name(id, "group", &group.name);
    }
    for (called, proxy) in &world.rds.proxies {
        name(&proxy.id, "proxy", called);
        name(&proxy.target_group.id, "pool", called);
    }
    for (called, endpoint) in &world.rds.endpoints {
        name(&endpoint.id, "endpoint", called);
    }
    for role in world.iam.roles.values().filter(|role| !role.id.is_empty()) {
        name(&role.id, "role", &role.name);
    }
    for policy in world.iam.policies.values() {
        name(&policy.id, "policy", &policy.name);
    }
    let mut text = world.dump().to_string();
    for (id, name) in names.iter().filter(|(id, _)| !id.is_empty()) {
        text = text.replace(id, name);
    }
    let mut shape: Value = serde_json::from_str(&text).unwrap();
    for group in members(&mut shape, "/ec2/groups") {
        by_content(&mut group["rules"]);
    }
    for interface in members(&mut shape, "/ec2/interfaces") {
        interface["address"] = Value::Null;
    }
    by_content(&mut shape["ec2"]["interfaces"]);
    for function in members(&mut shape, "/lambda/functions") {
        by_mark(function);
    }
    for proxy in members(&mut shape, "/rds/proxies") {
        // Of a canary that is over: a tag that is overwritten needs no right to remove it.
        if proxy["tags"]["rdsproxy-setup:canary"] == json!(".")
            && let Some(tags) = proxy["tags"].as_object_mut()
        {
            tags.remove("rdsproxy-setup:canary");
        }
    }
    for policy in members(&mut shape, "/iam/policies") {
        let default = policy["default"].take();
        let versions = policy["versions"].take();
        let in_force = versions.as_array().into_iter().flatten().find(|version| version["number"] == default);
        policy["document"] = in_force.map(|version| version["document"].clone()).unwrap_or_default();
        // What a version holds is marked for speed alone.
        if let Some(Value::Object(tags)) = policy.get_mut("tags") {
            tags.remove("rdsproxy-setup:document");
        }
    }
    shape
}

fn members<'a>(shape: &'a mut Value, place: &str) -> impl Iterator<Item = &'a mut Value> {
    shape.pointer_mut(place).and_then(Value::as_object_mut).into_iter().flat_map(|all| all.values_mut())
}

/// Versions that we published are called by what they are described by, and idle ones left out: a second `up` after a
/// teardown publishes the same under another number.
fn by_mark(function: &mut Value) {
    let Some(versions) = function["versions"].as_object().cloned() else { return };
    let Some(aliases) = function["aliases"].as_object().cloned() else { return };
    let pointed_at = |number: &String| aliases.values().any(|alias| alias["version"] == json!(number));
    let marked =
        |version: &Value| version["description"].as_str().is_some_and(|text| text.starts_with("rdsproxy-setup "));
    if !versions.iter().any(|(number, version)| marked(version) && pointed_at(number)) {
        // None is in use, so none may be there: it shows as it is.
        return;
    }
    for (number, version) in versions {
        if !marked(&version) {
            continue;
        }
        let mark = version["description"].as_str().unwrap_or_default().to_owned();
        let Some(all) = function["versions"].as_object_mut() else { return };
        all.remove(&number);
        if pointed_at(&number) {
            let mut named = version;
            named["version"] = json!(mark);
            all.insert(mark.clone(), named);
        }
        for alias in function["aliases"].as_object_mut().into_iter().flat_map(|all| all.values_mut()) {
            if alias["version"] == json!(number) {
                alias["version"] = json!(mark);
            }
        }
    }
}

/// A map by ids becomes a sorted list.
fn by_content(map: &mut Value) {
    let mut texts: Vec<String> =
        map.as_object().into_iter().flat_map(|all| all.values().map(ToString::to_string)).collect();
    texts.sort();
    *map = texts.into_iter().map(|text| serde_json::from_str(&text).unwrap_or_else(|_| json!(text))).collect();
}

/// Where two accounts differ, for the message of a failed assertion.
pub(crate) fn difference(have: &Value, want: &Value) -> Vec<String> {
    let mut found = Vec::new();
    compare("", have, want, &mut found);
    found
}

fn compare(place: &str, have: &Value, want: &Value, found: &mut Vec<String>) {
    match (have, want) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                let (a, b) = (a.get(name).unwrap_or(&Value::Null), b.get(name).unwrap_or(&Value::Null));
                compare(&format!("{place}/{name}"), a, b, found);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            found.extend(a.iter().filter(|item| !b.contains(item)).map(|item| format!("{place}: too much: {item}")));
            found.extend(b.iter().filter(|item| !a.contains(item)).map(|item| format!("{place}: missing: {item}")));
            if a.len() != b.len() {
                found.push(format!("{place}: {} instead of {}", a.len(), b.len()));
            }
        }
        (a, b) if a != b => found.push(format!("{place}: {a} instead of {b}")),
        _ => {}
    }
}
