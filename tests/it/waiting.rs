//! `list` and `wait`: what pipelines ask between two runs.

use rdsproxy_setup::cloud::tags;
use serde_json::{Value, json};

use crate::cli::up;
use crate::desk::Desk;

fn listed(desk: &Desk) -> Value {
    let shown = desk.run(&["list", "--output", "json"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    serde_json::from_str(&shown.stdout).unwrap()
}

#[test]
fn a_region_without_stacks_says_what_to_do() {
    let desk = Desk::new();
    assert_eq!(listed(&desk)["stacks"], json!([]));
    let shown = desk.run(&["list"]);
    assert_eq!(shown.stdout.lines().next(), Some("No stack of rdsproxy-setup is in eu-central-1."), "{shown}");
}

#[test]
fn every_stack_has_a_row_and_nobody_elses_proxy_has() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    up(&desk, "my-cluster");
    desk.change(|world| {
        let mut foreign = world.rds.proxies["my-instance-proxy"].clone();
        foreign.tags.clear();
        world.rds.proxies.insert("foreign".to_owned(), foreign);
    });
    let found = listed(&desk);
    let names: Vec<&str> =
        found["stacks"].as_array().unwrap().iter().map(|row| row["proxy"].as_str().unwrap()).collect();
    assert_eq!(names, ["my-cluster-proxy", "my-instance-proxy"]);
    let row = &found["stacks"][1];
    assert_eq!(
        (&row["database"], &row["status"], &row["target"]),
        (&json!("my-instance"), &json!("available"), &json!("AVAILABLE"))
    );
    assert!(row["endpoint"].as_str().unwrap().starts_with("my-instance-proxy.proxy-"), "{row}");
    insta::assert_snapshot!("list", desk.run(&["list"]));
}

/// An adopted proxy has neither a role nor a group of ours: its own tags alone name it.
#[test]
fn an_adopted_proxy_is_listed_and_one_that_was_killed_early_too() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.change(|world| {
        // Of one stack only the proxy's tags are left; of the other only the role.
        world.ec2.groups.retain(|_, group| !group.tags.contains_key(tags::STACK));
        world.iam.roles.retain(|name, _| name != "my-instance-proxy-eu-central-1");
    });
    assert_eq!(listed(&desk)["stacks"][0]["proxy"], "my-instance-proxy");
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.change(|world| world.rds.proxies.clear());
    let row = &listed(&desk)["stacks"][0];
    assert_eq!(
        (&row["proxy"], &row["status"], &row["target"]),
        (&json!("my-instance-proxy"), &Value::Null, &Value::Null)
    );
}

#[test]
fn what_is_there_is_not_waited_for_and_nothing_is_changed() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    let before = desk.dump();
    for what in ["available", "target", "functions"] {
        let shown = desk.run(&["wait", "--db", "my-instance", "--for", what, "--output", "json"]);
        assert_eq!(shown.code, Some(0), "{shown}");
        let told: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!((&told["waited_for"], &told["proxy"]), (&json!(what), &json!("my-instance-proxy")));
    }
    assert_eq!(desk.dump(), before);
}

#[test]
fn where_nothing_is_under_way_the_wait_ends_at_once() {
    let desk = Desk::new();
    let shown = desk.run(&["wait", "--db", "my-instance", "--for", "target"]);
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(shown.stderr.contains("there is no proxy, and none is being created"), "{shown}");
    assert!(shown.stderr.contains("up --db my-instance"), "{shown}");
}

/// A target that is broken is not there, and the limit is the exit code's.
#[test]
fn a_wait_ends_at_its_limit_with_what_is_missing() {
    let desk = Desk::new();
    let shown = desk.run(&["up", "--db", "my-instance", "--yes", "--prepare", "--quiet", "--timeout", "12h"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    let reached = desk.run(&["wait", "--db", "my-instance", "--for", "target", "--timeout", "1m"]);
    assert_eq!(reached.code, Some(0), "{reached}");
    let missed = desk.run(&["wait", "--db", "my-instance", "--for", "functions", "--timeout", "1m"]);
    assert_eq!(missed.code, Some(5), "{missed}");
    assert!(missed.stderr.contains("waiting for the functions (my-instance-proxy)"), "{missed}");
    assert!(missed.stderr.contains("--timeout target="), "{missed}");
}
