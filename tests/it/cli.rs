//! The life of a stack as a person sees it: stdout, stderr and exit code of every command.

use std::process::Stdio;
use std::time::Duration;

use sandbox::{Fault, Principal, Service, Trigger, Trouble};
use serde_json::{Value, json};

use crate::desk::{Desk, Shown};

/// A diagnosis is told while the wait lasts or when it has ended, whichever this machine comes to first.
fn told_once(text: &str) -> String {
    let intro = |line: &str| line.ends_with("What can be seen of why:");
    let text = text.replace("[11/13] Target available: failed (0:00)\n", "");
    let lines = text.lines().map(|line| if intro(line) { "… What can be seen of why:" } else { line });
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// Progress of steps that overlap comes in an order that the scheduler has a say in.
pub(crate) fn sorted(mut shown: Shown) -> Shown {
    shown.stderr = told_once(&shown.stderr);
    let mut lines: Vec<&str> = shown.stderr.lines().collect();
    let first = lines.iter().position(|line| line.starts_with('[')).unwrap_or(lines.len());
    // How often a state was met depends on how fast this machine is.
    lines.retain(|line| !line.ends_with(')') || !line.contains(" of 0:00"));
    let first = first.min(lines.len());
    lines[first..].sort_unstable();
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end_matches(" (0:00)")).collect();
    shown.stderr = lines.join("\n") + "\n";
    shown
}

pub(crate) fn up(desk: &Desk, database: &str) -> Shown {
    let shown = desk.run(&["up", "--db", database, "--yes", "--quiet", "--timeout", "12h"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    shown
}

#[test]
fn the_life_of_a_stack() {
    let desk = Desk::new();
    let fresh = desk.dump();
    let mut all = String::new();
    for arguments in [
        &["status"][..],
        &["up", "--db", "my-instance", "--dry-run", "--detailed-exitcode"],
        &["up", "--db", "my-instance", "--yes", "--timeout", "12h"],
        &["up", "--db", "my-instance"],
        &["up", "--db", "my-instance", "--dry-run", "--detailed-exitcode"],
        &["status", "--exit-code"],
        &["teardown", "--yes"],
        &["teardown", "--yes"],
        &["teardown", "--db", "my-instance", "--yes"],
        &["status", "--db", "my-instance", "--exit-code"],
    ] {
        all.push_str(&format!("{}\n", sorted(desk.run(arguments))));
    }
    // Whether the first look finds the target available depends on how busy the machine is.
    let all = all.replace("Target available: in place:", "Target available: ready:");
    insta::assert_snapshot!("life_of_a_stack", all);
    assert_eq!(desk.dump(), fresh);
}

#[test]
fn json_is_one_document_on_stdout_and_lines_on_stderr() {
    let desk = Desk::new();
    let json = |arguments: &[&str]| {
        let mut with = arguments.to_vec();
        with.extend(["--output", "json"]);
        let shown = desk.run(&with);
        for line in shown.stderr.lines() {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
        let document: Value = serde_json::from_str(&shown.stdout).unwrap();
        assert_eq!(document["schema"], 1, "{shown}");
        (document, shown.code)
    };
    let (plan, _) = json(&["up", "--db", "my-cluster", "--dry-run"]);
    assert_eq!(plan["plan"].as_array().unwrap().len(), 13);
    let (done, code) = json(&["up", "--db", "my-cluster", "--yes", "--timeout", "12h"]);
    assert_eq!((code, &done["changed"]), (Some(0), &json!(true)));
    let (again, _) = json(&["up", "--db", "my-cluster"]);
    assert_eq!((&again["changed"], &again["endpoint"]), (&json!(false), &done["endpoint"]));
    let (status, _) = json(&["status"]);
    assert_eq!(
        (&status["stacks"][0]["in_place"], &status["stacks"][0]["proxy"]),
        (&json!(true), &json!("my-cluster-proxy"))
    );
    let (refused, code) = json(&["teardown"]);
    assert_eq!((code, &refused["exit_code"]), (Some(4), &json!(4)));
    let (gone, _) = json(&["teardown", "--yes"]);
    assert!(!gone["changes"].as_array().unwrap().is_empty());
}

#[test]
fn what_is_not_ours_is_a_conflict_and_stays() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    let mut all = String::new();
    let mut show = |name: &str, arguments: &[&str]| {
        let before = desk.dump();
        let shown = desk.run(arguments);
        assert_eq!(desk.dump(), before, "{name}: something changed");
        all.push_str(&format!("# {name}\n{shown}\n"));
    };
    desk.change(|world| {
        let proxy = world.rds.proxies.get_mut("my-instance-proxy").unwrap();
        proxy.target_group.target.as_mut().unwrap().id = String::from("legacy-oracle");
    });
    show("a proxy that serves another database", &["up", "--db", "my-instance", "--yes"]);
    show("its status", &["status", "--db", "my-instance", "--exit-code"]);
    desk.change(|world| world.rds.proxies.get_mut("my-instance-proxy").unwrap().tags.clear());
    show("a proxy of our name that is not ours", &["up", "--db", "my-instance", "--yes"]);
    insta::assert_snapshot!("conflicts", all);
}

#[test]
fn a_denied_change_names_the_action_and_the_ways_on() {
    let desk = Desk::new();
    desk.change(|world| {
        let policy = json!({"Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": "rds:CreateDBProxy", "Resource": "*"},
        ]});
        let arn = "arn:aws:iam::123456789012:user/deployer".to_owned();
        world.principals.insert("AKIASANDBOXADMIN0000".to_owned(), Principal { arn, policies: Some(vec![policy]) });
    });
    let shown = desk.run(&["up", "--db", "my-instance", "--yes", "--quiet"]);
    insta::assert_snapshot!("denied", shown);
    desk.change(|world| world.principals.clear());
    up(&desk, "my-instance");
}

#[test]
fn a_virgin_account_gets_the_role_that_rds_needs() {
    let desk = Desk::new();
    let service =
        |world: &sandbox::World| world.iam.roles.keys().filter(|name| name.starts_with("AWSServiceRoleForRDS")).count();
    desk.change(|world| world.iam.roles.retain(|name, _| !name.starts_with("AWSServiceRoleForRDS")));
    assert_eq!(service(&desk.store().world().unwrap()), 0);
    up(&desk, "my-instance");
    assert_eq!(service(&desk.store().world().unwrap()), 1);
}

#[test]
fn a_wait_that_is_too_short_says_how_to_go_on() {
    let desk = Desk::new();
    // So long that no busy machine is still at its diagnosis when the target becomes available.
    let usual = desk.store().world().unwrap().profile;
    desk.change(|world| world.profile.target_capacity = std::time::Duration::from_hours(100));
    let shown = desk.run(&["up", "--db", "my-instance", "--yes", "--quiet", "--timeout", "target=1m"]);
    insta::assert_snapshot!("out_of_patience", shown);
    desk.change(|world| world.profile = usual);
    up(&desk, "my-instance");
}

#[test]
fn a_proxy_that_cannot_be_placed_fails_with_cause_and_fix() {
    let desk = Desk::new();
    desk.change(|world| world.rds.next_proxy_ends = Some("incompatible-network".to_owned()));
    let shown = desk.run(&["up", "--db", "my-instance", "--yes", "--quiet"]);
    insta::assert_snapshot!("incompatible_network", shown);
}

#[test]
fn a_stop_of_the_service_shows_no_value_of_a_variable() {
    let desk = Desk::new();
    desk.change(|world| {
        let trigger = Trigger::Every { service: Service::Lambda, action: "UpdateFunctionConfiguration".to_owned() };
        let message = "Lambda was unable to configure your environment variables because the environment variables you \
                       have provided exceeded the 4KB limit. String measured: {\"DB_PASSWORD\":\"do-not-show-me\"}";
        let code = "InvalidParameterValueException".to_owned();
        let trouble = Trouble::ErrorBefore { status: 400, code, message: message.to_owned() };
        world.faults.push(Fault::repeated(trigger, trouble, 100));
    });
    let shown = desk.run(&["up", "--db", "my-instance", "--yes", "--timeout", "12h"]);
    assert_eq!(shown.code, Some(1), "{shown}");
    assert!(!shown.stderr.contains("do-not-show-me"), "{shown}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_finishes_the_call_in_flight_and_tells_how_to_go_on() {
    let desk = Desk::new();
    let fresh = desk.dump();
    let arguments = ["--sandbox", "up", "--db", "my-instance", "--yes", "--quiet", "--sandbox-speed", "60"];
    let child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = || desk.store().world().unwrap().rds.proxies.contains_key("my-instance-proxy");
    while !began() {
        std::thread::sleep(Duration::from_millis(20));
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let told = String::from_utf8(output.stderr).unwrap();
    // Which steps were through by then is the scheduler's choice.
    let told: Vec<&str> = told.lines().filter(|line| !line.starts_with("  hint: What steps")).collect();
    insta::assert_snapshot!("interrupted", told.join("\n"));
    let gone = desk.run(&["teardown", "--yes", "--quiet", "--timeout", "12h"]);
    assert_eq!(gone.code, Some(0), "{gone}");
    assert_eq!(desk.dump(), fresh);
}

#[test]
fn two_stacks_are_told_apart() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    up(&desk, "my-cluster");
    let refused = desk.run(&["teardown", "--yes"]);
    assert_eq!(refused.code, Some(4), "{refused}");
    for name in ["--db my-instance", "--db my-cluster"] {
        assert!(refused.stderr.contains(name), "{refused}");
    }
    let status = desk.run(&["status", "--exit-code"]);
    assert_eq!(status.code, Some(0), "{status}");
    assert_eq!(status.stdout.matches("Everything is in place.").count(), 2, "{status}");
}

#[test]
fn permissions_are_printed_without_asking_aws() {
    let desk = Desk::new();
    let arguments = ["permissions", "--for", "teardown", "--db", "my-instance", "--account", "123456789012"];
    let mut all = vec!["--region", "eu-central-1"];
    all.extend(arguments);
    insta::assert_snapshot!("permissions", crate::desk::shown(&all, &mut desk.command(&all)));
}

#[test]
fn an_acl_in_the_way_is_named_when_the_target_stays_unreachable() {
    let desk = Desk::new();
    desk.change(|world| {
        crate::network::wall(world, 3306);
        // Within one subnet no ACL stands in the way, so the proxy must live in the others.
        let zone = world.rds.instances["my-instance"].zone.clone();
        world
            .ec2
            .subnets
            .values_mut()
            .filter(|subnet| subnet.zone == zone)
            .for_each(|subnet| subnet.zone_id = String::from("use1-az3"));
    });
    let mut shown = desk.run(&["up", "--db", "my-instance", "--yes", "--quiet"]);
    shown.stderr = told_once(&shown.stderr);
    insta::assert_snapshot!("unreachable", shown);
}

#[test]
fn a_wait_that_runs_long_and_ends_badly_is_diagnosed() {
    let desk = Desk::new();
    desk.change(|world| {
        let secret = world.secrets.secrets.values_mut().find(|secret| secret.name == "my-cluster/app").unwrap();
        secret.versions.iter_mut().for_each(|version| version.text = Some("do-not-show-me".to_owned()));
    });
    let shown = sorted(desk.run(&["up", "--db", "my-cluster", "--yes"]));
    assert!(!shown.stderr.contains("do-not-show-me"));
    insta::assert_snapshot!("a_wait_that_ends_badly", shown);
}

#[test]
fn a_diagnosis_of_a_broken_path_and_as_json() {
    let desk = Desk::new();
    let mut all = format!("{}\n", desk.run(&["doctor", "--db", "my-instance"]));
    up(&desk, "my-instance");
    desk.change(|world| {
        let group = world.ec2.groups.values_mut().find(|group| group.name == "app-functions").unwrap();
        group.rules.retain(|_, rule| !rule.egress);
        let role = world.iam.roles.get_mut("InvoiceFunctionRole").unwrap();
        role.attached.retain(|arn| !arn.contains("my-instance-proxy"));
    });
    desk.hours_later(2);
    for arguments in [
        &["doctor", "--db", "my-instance"][..],
        &["doctor", "--db", "my-instance", "--output", "json"],
        &["doctor", "--db", "legacy-oracle"],
        &["doctor", "--db", "my instance"],
    ] {
        all.push_str(&format!("{}\n", desk.run(arguments)));
    }
    insta::assert_snapshot!("diagnosis", all);
}

#[test]
fn a_refusal_that_is_known_is_told_with_its_number() {
    let desk = Desk::new();
    desk.change(|world| {
        let trigger = Trigger::Every { service: Service::Rds, action: "CreateDBProxy".to_owned() };
        let message = "This feature isn't available with free plan accounts.".to_owned();
        let code = "FreeTierRestrictionError".to_owned();
        world.faults.push(Fault::repeated(trigger, Trouble::ErrorBefore { status: 400, code, message }, 100));
    });
    let shown = desk.run(&["up", "--db", "my-instance", "--yes", "--quiet"]);
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(shown.stderr.contains("RPX088: Accounts on the free plan may not create proxies."), "{shown}");
}
