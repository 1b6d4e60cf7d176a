//! Nothing of an account is left in its copy.

use sandbox::World;
use serde_json::{Map, Value};

use super::accounts::with_stack;
use crate::pseudonymized;

/// Words of AWS's or the simulated account's own, and texts that are read as something else than a name.
const NOT_NAMES: &[&str] = &[
    "at_proxy",
    "category",
    "created",
    "key_grants",
    "log",
    "modified",
    "now",
    "partition",
    "prices",
    "profile",
    "ready",
    "region",
    "simulator",
    "since",
    "source_type",
    "state",
    "status",
    "troubled",
    "until",
    "update",
    "updated",
    "registered",
    "from",
    "architecture",
    "class",
    "default_auth_scheme",
    "endpoint_network_type",
    "engine",
    "engine_family",
    "engine_mode",
    "engine_version",
    "kind",
    "network_type",
    "package_type",
    "parameter_status",
    "pinning_filters",
    "protocol",
    "runtime",
    "scheme",
    "target_network_type",
    "tenancy",
    "tracing",
    "zone",
    "zone_id",
    "next_proxy_ends",
    "changed",
    "released",
    "history",
    "iam_auth",
];

/// Maps whose names people choose.
const CHOSEN: &[&str] = &[
    "aliases",
    "alarms",
    "clusters",
    "dashboards",
    "functions",
    "groups",
    "inline",
    "instances",
    "interfaces",
    "keys",
    "proxies",
    "roles",
    "route_tables",
    "rules",
    "secrets",
    "subnet_groups",
    "subnets",
    "tags",
    "vpcs",
    "acls",
    "endpoints",
    "policies",
    "lines",
];

/// Puts another canary at every place where a name can stand, and counts them.
fn sown(value: &Value, name: &str, depth: usize, count: &mut usize) -> Value {
    let bare = name.trim_start_matches(['~', '*']);
    let mut canary = || {
        *count += 1;
        format!("qzCanary{count}q/{count}-Heron{count}z")
    };
    match value {
        Value::String(text) if text.starts_with("~moment:") => value.clone(),
        _ if NOT_NAMES.contains(&bare) => value.clone(),
        Value::String(_) => Value::String(canary()),
        Value::Array(items) => items.iter().map(|item| sown(item, name, depth + 1, count)).collect(),
        Value::Object(members) => {
            let chosen = depth > 1 && CHOSEN.contains(&bare);
            let mut new = Map::new();
            for (name, value) in members {
                let key = if chosen { canary_key(count) } else { name.clone() };
                let inner = if chosen { "" } else { name.as_str() };
                new.insert(key, sown(value, inner, depth + 1, count));
            }
            Value::Object(new)
        }
        other => other.clone(),
    }
}

fn canary_key(count: &mut usize) -> String {
    *count += 1;
    format!("qzCanary{count}q.Heron{count}z")
}

fn none_left(world: &World) {
    let text = serde_json::to_string(&pseudonymized(world)).unwrap().to_lowercase();
    for word in ["qzcanary", "heron"] {
        let places: Vec<&str> =
            text.match_indices(word).filter_map(|(at, _)| text.get(at.saturating_sub(60)..at + 30)).take(4).collect();
        assert!(places.is_empty(), "{places:#?}");
    }
}

#[test]
fn no_canary_is_left_of_those_at_every_place() {
    let world = serde_json::to_value(with_stack("my-instance")).unwrap();
    let mut count = 0;
    let world: World = serde_json::from_value(sown(&world, "", 0, &mut count)).unwrap();
    assert!(count > 600, "{count}");
    none_left(&world);
}

/// What the account is called, in its own texts: policies, URLs, hosts, ARNs, tags and sentences keep their form.
#[test]
fn no_canary_is_left_inside_longer_texts() {
    let mut text = serde_json::to_string(&with_stack("my-instance")).unwrap();
    let names = [
        "my-instance",
        "my-cluster",
        "legacy-oracle",
        "analytics",
        "reports",
        "shop",
        "harbor",
        "Harbor",
        "pier",
        "hush",
        "mumble",
        "Gully",
        "o'neil",
        "Live",
        "live",
        "private-a",
        "DBAppFunction",
        "InvoiceFunction",
        "ReportsFunction",
        "OrdersFunction",
        "ThumbnailFunction",
        "WebhookFunction",
        "app-functions",
        "billing-functions",
        "reporting-functions",
        "database-login",
        "hooks.example",
        "not-a-real-password-but-long-enough",
        "teams/billing",
        "Functions of",
        "functions, directly",
        "cost-center",
        "c9akciq32abc",
        "C9AKCIQ32ABC",
    ];
    for (name, number) in names.iter().zip(1..) {
        assert!(text.contains(name), "{name}");
        let canary = if name.chars().any(char::is_lowercase) {
            format!("qzcanary{number}x")
        } else {
            format!("QZCANARY{number}X")
        };
        text = text.replace(name, &canary);
    }
    for (old, new) in
        [("123456789012", "998877665544"), ("10.0.", "10.77."), ("203.0.113", "203.99.113"), ("2600:1f14", "2600:9999")]
    {
        assert!(text.contains(old));
        text = text.replace(old, new);
    }
    let world: World = serde_json::from_str(&text).unwrap();
    none_left(&world);
    let old = serde_json::to_value(&world).unwrap();
    let new = serde_json::to_string(&pseudonymized(&world)).unwrap();
    for address in ["998877665544", "10.77.", "203.99.113", "2600:9999"] {
        assert!(!new.contains(address), "{address}");
    }
    let mut ids = Vec::new();
    collect(&old, &mut ids);
    assert!(ids.len() > 60, "{}", ids.len());
    for id in ids {
        assert!(!new.contains(&id), "{id}");
    }
}

/// What an id has behind its prefix, and UUIDs.
fn collect(value: &Value, ids: &mut Vec<String>) {
    let mut add = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric());
        let long = |word: &&str| {
            word.len() >= 8
                && word.chars().all(|c| c.is_ascii_hexdigit())
                && word.contains(|c: char| c.is_ascii_digit())
        };
        // A number of the product's own tags, and one of an engine's formula.
        let plain = |word: &str| ["1767225600123", "12582880"].contains(&word);
        ids.extend(words.filter(long).filter(|word| !plain(word)).map(str::to_owned));
    };
    match value {
        Value::String(text) if !text.starts_with("~moment") => add(text),
        Value::Array(items) => items.iter().for_each(|item| collect(item, ids)),
        Value::Object(members) => {
            members.keys().for_each(|name| add(name));
            members.iter().filter(|(name, _)| *name != "generations").for_each(|(_, value)| collect(value, ids));
        }
        _ => {}
    }
}
