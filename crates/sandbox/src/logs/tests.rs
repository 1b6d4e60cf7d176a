//! Laws of log groups: names, retention, tags, and the groups that proxies make.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::account::{Call, Moment, Principal, Service, World};
use crate::load::{Load, Rate};
use crate::rds;

const GROUP: &str = "/aws/rds/proxy/p";

fn run(world: &mut World, now: u64, action: &str, input: Value) -> Result<Value, String> {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let call = Call { service: Service::Logs, action: action.into(), input, principal, now: Moment(now), ahead: 0 };
    world.tick(call.now);
    handle(world, &call).map_err(|error| error.code)
}

fn named(name: &str) -> Value {
    json!({ "logGroupName": name })
}

/// The names, tokens followed, a page at a time.
fn names(world: &mut World, input: &Value) -> Vec<String> {
    let (mut found, mut next) = (Vec::new(), Value::Null);
    loop {
        let mut asked = input.clone();
        asked["nextToken"] = next.clone();
        let page = run(world, world.now.0, "DescribeLogGroups", asked).unwrap();
        found.extend(
            page["logGroups"]
                .as_array()
                .unwrap()
                .iter()
                .map(|group| group["logGroupName"].as_str().unwrap().to_owned()),
        );
        next = page["nextToken"].clone();
        if next.is_null() {
            return found;
        }
    }
}

#[test]
fn a_group_is_made_once_under_a_name_of_the_allowed_form() {
    let mut world = World::empty();
    assert_eq!(run(&mut world, 0, "CreateLogGroup", named("/a/b.c-d_e#1")), Ok(json!({})));
    assert_eq!(
        run(&mut world, 0, "CreateLogGroup", named("/a/b.c-d_e#1")),
        Err("ResourceAlreadyExistsException".into())
    );
    for name in ["", "a b", "ä", "a:b", "a*", "aws/x", "AWS/x", &"x".repeat(513)] {
        assert_eq!(
            run(&mut world, 0, "CreateLogGroup", named(name)),
            Err("InvalidParameterException".into()),
            "{name}"
        );
    }
    for (class, fits) in [("INFREQUENT_ACCESS", true), ("COLD", false)] {
        let asked = json!({ "logGroupName": class, "logGroupClass": class });
        assert_eq!(run(&mut world, 0, "CreateLogGroup", asked).is_ok(), fits, "{class}");
    }
}

#[test]
fn retention_is_one_of_the_allowed_numbers_of_days_or_none() {
    let mut world = World::empty();
    run(&mut world, 0, "CreateLogGroup", named("g")).unwrap();
    let days = |days: i64| json!({ "logGroupName": "g", "retentionInDays": days });
    for (number, allowed) in [(1, true), (2, false), (14, true), (365, true), (366, false), (3653, true), (0, false)] {
        assert_eq!(run(&mut world, 0, "PutRetentionPolicy", days(number)).is_ok(), allowed, "{number}");
    }
    assert_eq!(world.logs.group("g").unwrap().retention, Some(3653));
    let shown = run(&mut world, 0, "DescribeLogGroups", json!({})).unwrap();
    assert_eq!(shown["logGroups"][0]["retentionInDays"], 3653);
    assert_eq!(shown["logGroups"][0]["arn"], "arn:aws:logs:eu-central-1:123456789012:log-group:g:*");
    run(&mut world, 0, "DeleteRetentionPolicy", named("g")).unwrap();
    let shown = run(&mut world, 0, "DescribeLogGroups", json!({})).unwrap();
    assert!(shown["logGroups"][0].get("retentionInDays").is_none());
    assert_eq!(
        run(&mut world, 0, "PutRetentionPolicy", json!({ "logGroupName": "none", "retentionInDays": 1 })),
        Err("ResourceNotFoundException".into())
    );
}

#[test]
fn groups_are_listed_by_prefix_or_pattern_a_page_at_a_time() {
    let mut world = World::empty();
    for name in ["/a/One", "/a/two", "/b/one"] {
        run(&mut world, 0, "CreateLogGroup", named(name)).unwrap();
    }
    assert_eq!(names(&mut world, &json!({ "limit": 1 })), ["/a/One", "/a/two", "/b/one"]);
    assert_eq!(names(&mut world, &json!({ "logGroupNamePrefix": "/a/" })), ["/a/One", "/a/two"]);
    assert_eq!(names(&mut world, &json!({ "logGroupNamePattern": "one" })), ["/a/One", "/b/one"]);
    let both = json!({ "logGroupNamePrefix": "/a", "logGroupNamePattern": "one" });
    assert_eq!(run(&mut world, 0, "DescribeLogGroups", both), Err("InvalidParameterException".into()));
    for limit in [0, 51] {
        assert_eq!(
            run(&mut world, 0, "DescribeLogGroups", json!({ "limit": limit })),
            Err("InvalidParameterException".into())
        );
    }
}

#[test]
fn tags_are_of_the_arn_without_a_star() {
    let mut world = World::empty();
    let arn = "arn:aws:logs:eu-central-1:123456789012:log-group:g";
    run(&mut world, 0, "CreateLogGroup", json!({ "logGroupName": "g", "tags": { "a": "1" } })).unwrap();
    run(&mut world, 0, "TagResource", json!({ "resourceArn": arn, "tags": { "b": "2" } })).unwrap();
    run(&mut world, 0, "UntagResource", json!({ "resourceArn": arn, "tagKeys": ["a", "none"] })).unwrap();
    assert_eq!(
        run(&mut world, 0, "ListTagsForResource", json!({ "resourceArn": arn })),
        Ok(json!({ "tags": { "b": "2" } }))
    );
    for (arn, code) in
        [(format!("{arn}:*"), "InvalidParameterException"), (format!("{arn}x"), "ResourceNotFoundException")]
    {
        assert_eq!(run(&mut world, 0, "ListTagsForResource", json!({ "resourceArn": arn })), Err(code.into()));
    }
    let many: BTreeMap<String, String> = (0..50).map(|n| (format!("k{n}"), String::new())).collect();
    assert_eq!(
        run(&mut world, 0, "TagResource", json!({ "resourceArn": arn, "tags": many })),
        Err("TooManyTagsException".into())
    );
    let reserved = json!({ "resourceArn": arn, "tags": { "aws:x": "" } });
    assert_eq!(run(&mut world, 0, "TagResource", reserved), Err("InvalidParameterException".into()));
}

#[test]
fn a_protected_group_stays() {
    let mut world = World::empty();
    run(&mut world, 0, "CreateLogGroup", json!({ "logGroupName": "g", "deletionProtectionEnabled": true })).unwrap();
    assert_eq!(run(&mut world, 0, "DeleteLogGroup", named("g")), Err("ValidationException".into()));
    assert_eq!(run(&mut world, 0, "DeleteLogGroup", named("h")), Err("ResourceNotFoundException".into()));
}

fn world_with_proxy() -> World {
    let mut world = World::empty();
    let proxy = json!({
        "id": "prx-1", "engine_family": "MYSQL", "default_auth_scheme": "NONE", "auth": [], "role_arn": "", "vpc_id": "",
        "subnets": [], "groups": [], "require_tls": true, "idle_client_timeout": 1800, "debug_logging": false,
        "endpoint_network_type": "IPV4", "target_network_type": "IPV4", "endpoint": "",
        "status": { "creating": [Moment(300_000), "available"] }, "created": Moment(0), "ready": Moment(300_000),
        "updated": Moment(0), "tags": {},
        "target_group": {
            "id": "prx-tg-1", "max_connections_percent": 100, "max_idle_connections_percent": 50, "borrow_timeout": 120,
            "pinning_filters": [], "init_query": null, "updated": Moment(0), "target": null,
        },
    });
    world.rds.proxies.insert("p".into(), serde_json::from_value(proxy).unwrap());
    world
}

#[test]
fn a_proxy_makes_its_group_without_retention_some_time_after_it_is_available_and_leaves_it() {
    let mut world = world_with_proxy();
    let begins = world.dump();
    for (at, there) in [(300_000, false), (359_999, false), (360_000, true)] {
        let prefix = json!({ "logGroupNamePrefix": GROUP });
        let shown = run(&mut world, at, "DescribeLogGroups", prefix).unwrap();
        assert_eq!(shown["logGroups"][0]["logGroupName"] == GROUP, there, "{at}");
    }
    assert_eq!(world.logs.group(GROUP).map(|group| group.retention), Some(None));
    if let Some(proxy) = world.rds.proxies.get_mut("p") {
        proxy.status = rds::Status::Deleting(Moment(500_000));
    }
    world.tick(Moment(600_000));
    assert!(world.rds.proxies.is_empty());
    assert!(world.logs.group(GROUP).is_some(), "it outlives the proxy");
    assert_eq!(world.dump()["logs"], begins["logs"], "nobody but AWS did anything");
    run(&mut world, 600_000, "PutRetentionPolicy", json!({ "logGroupName": GROUP, "retentionInDays": 7 })).unwrap();
    assert_eq!(world.dump()["logs"]["groups"][GROUP]["retention"], 7);
    assert_eq!(names(&mut world, &json!({})), [GROUP]);
}

#[test]
fn a_proxy_uses_the_group_that_is_there_and_makes_a_deleted_one_again() {
    let mut world = world_with_proxy();
    run(&mut world, 0, "CreateLogGroup", named(GROUP)).unwrap();
    run(&mut world, 0, "PutRetentionPolicy", json!({ "logGroupName": GROUP, "retentionInDays": 30 })).unwrap();
    world.tick(Moment(1_000_000));
    assert_eq!(world.logs.group(GROUP).map(|group| group.retention), Some(Some(30)));
    run(&mut world, 1_000_000, "DeleteLogGroup", named(GROUP)).unwrap();
    world.tick(Moment(1_059_999));
    assert_eq!(world.logs.group(GROUP), None);
    world.tick(Moment(1_060_000));
    assert_eq!(world.logs.group(GROUP).map(|group| group.retention), Some(None));
}

#[test]
fn permissions_are_of_the_group_with_a_star_and_of_tags_without() {
    let world = World::empty();
    let asked = |action: &str, input: Value| -> Vec<(String, String)> {
        let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
        let call = Call { service: Service::Logs, action: action.into(), input, principal, now: Moment(0), ahead: 0 };
        needs(&world, &call).into_iter().map(|need| (need.action, need.resource)).collect()
    };
    let group = "arn:aws:logs:eu-central-1:123456789012:log-group:g";
    let need = |action: &str, resource: &str| (format!("logs:{action}"), resource.to_owned());
    let with_star = format!("{group}:*");
    assert_eq!(asked("DescribeLogGroups", json!({ "logGroupNamePrefix": "g" })), [need("DescribeLogGroups", "*")]);
    assert_eq!(asked("CreateLogGroup", named("g")), [need("CreateLogGroup", &with_star)]);
    assert_eq!(
        asked("CreateLogGroup", json!({ "logGroupName": "g", "tags": { "a": "1" } })),
        [need("CreateLogGroup", &with_star), need("TagResource", group)]
    );
    assert_eq!(asked("PutRetentionPolicy", named("g")), [need("PutRetentionPolicy", &with_star)]);
    assert_eq!(asked("TagResource", json!({ "resourceArn": group })), [need("TagResource", group)]);
}

/// The sample account, whose functions use a proxy of their database.
fn world_with_load(load: Load) -> World {
    let mut world = World::newcomer();
    let made = world_with_proxy().rds.proxies["p"].clone();
    let mut proxy = made;
    proxy.endpoint = "p.proxy-c9akciq32abc.eu-central-1.rds.amazonaws.com".to_owned();
    proxy.target_group.target = serde_json::from_value(json!({
        "id": "my-instance", "cluster": false, "registered": Moment(300_000), "~troubled": {},
    }))
    .unwrap();
    world.rds.proxies.insert("p".into(), proxy);
    let function = world.lambda.functions.get_mut("DBAppFunction").unwrap();
    let variables = function.latest.environment.as_mut().unwrap();
    variables.insert("DB_HOST".to_owned(), "p.proxy-c9akciq32abc.eu-central-1.rds.amazonaws.com".to_owned());
    variables.insert("DB_USER".to_owned(), "app".to_owned());
    world.tick(Moment(300_000));
    world.set_load("DBAppFunction", load);
    world.tick(Moment(7_200_000));
    world
}

fn read(world: &mut World, changes: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let mut next = Value::Null;
    loop {
        let mut asked = json!({ "logGroupName": GROUP, "startTime": world.now.unix_signed() - 3_600_000 });
        asked.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        asked["nextToken"] = next;
        let page = run(world, world.now.0, "FilterLogEvents", asked).unwrap();
        lines.extend(
            page["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap().to_owned()),
        );
        next = page["nextToken"].clone();
        if next.is_null() {
            return lines;
        }
    }
}

#[test]
fn a_proxy_writes_why_it_pins_and_with_debug_logging_whom_it_refuses() {
    let load = Load { rate: Rate::Constant(5.0), pinned: 0.5, refused: 0.2, ..Load::default() };
    let mut world = world_with_load(load);
    let quiet = read(&mut world, &json!({}));
    assert!(quiet.len() >= 5, "{}", quiet.len());
    assert!(quiet.iter().all(|line| line.contains("[WARN]") && line.contains(" Reason: SQL changed session settings")));
    world.rds.proxies.get_mut("p").unwrap().debug_logging = true;
    let all = read(&mut world, &json!({ "limit": 500 }));
    let refused: Vec<&String> =
        all.iter().filter(|line| line.contains(r#"failed for user "app" with TLS on"#)).collect();
    assert!(!refused.is_empty(), "{all:?}");
    assert!(all.iter().any(|line| line.contains("A new client connected from 10.0.1.")));
    // What one page holds, all pages hold, in either order.
    let mut backward = read(&mut world, &json!({ "limit": 7, "startFromHead": false }));
    backward.reverse();
    assert_eq!(backward, all);
    let found = read(&mut world, &json!({ "filterPattern": "?\"was pinned\" ?\"failed for user\"" }));
    assert_eq!(
        found.len(),
        all.iter().filter(|line| line.contains("was pinned") || line.contains("failed for user")).count()
    );
    let found = read(&mut world, &json!({ "filterPattern": "INFO -\"failed for user\"" }));
    assert!(!found.is_empty() && found.iter().all(|line| line.contains("INFO") && !line.contains("failed for user")));
}

#[test]
fn reading_a_group_keeps_to_its_rules() {
    let mut world = world_with_load(Load { rate: Rate::Constant(5.0), pinned: 1.0, ..Load::default() });
    for (change, code) in [
        (json!({ "logGroupName": "none" }), "ResourceNotFoundException"),
        (json!({ "logGroupIdentifier": GROUP }), "InvalidParameterException"),
        (json!({ "limit": 0 }), "InvalidParameterException"),
        (json!({ "limit": 10_001 }), "InvalidParameterException"),
        (json!({ "filterPattern": "?\"open" }), "InvalidParameterException"),
    ] {
        let mut asked = json!({ "logGroupName": GROUP });
        asked.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let now = world.now.0;
        assert_eq!(run(&mut world, now, "FilterLogEvents", asked), Err(code.into()), "{change}");
    }
    // A line that was written is read like the others, for as long as the group keeps it.
    let at = Moment(world.now.0 - 1000);
    world.logs.write(GROUP, at, "[ERROR] once");
    assert_eq!(read(&mut world, &json!({ "filterPattern": "ERROR" })), ["[ERROR] once"]);
    assert!(read(&mut world, &json!({ "endTime": at.unix_signed() - 1 })).iter().all(|line| !line.contains("once")));
}
