//! `verify` and `up --verify probe` as a person sees them.

use std::process::Stdio;
use std::time::Duration;

use rdsproxy_setup::names::PROBE_PREFIX;
use sandbox::parts::AclEntry;
use sandbox::{Principal, World};
use serde_json::Value;

use crate::cli::{sorted, up};
use crate::desk::{Desk, timeless};
use crate::docs::hold_as;
use crate::network::group;

fn close(world: &mut World) {
    let id = group(world, "my-instance-proxy");
    world.ec2.groups.get_mut(&id).unwrap().rules.retain(|_, rule| rule.egress);
}

#[test]
#[ignore = "full tier: many runs of the built program"]
fn verify_as_a_person_sees_it() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    up(&desk, "my-cluster");
    let before = desk.dump();
    let mut all = String::new();
    let mut show = |arguments: &[&str]| {
        let shown = sorted(desk.run(arguments));
        assert!(!format!("{shown}").contains("not-a-real-password"), "a password was shown");
        all.push_str(&format!("{shown}\n"));
    };
    for arguments in [
        &["verify", "--db", "my-instance"][..],
        &["verify", "--db", "my-instance", "--probe", "--yes"],
        &[
            "verify",
            "--db",
            "my-instance",
            "--probe",
            "--yes",
            "--quiet",
            "--function",
            "InvoiceFunction",
            "--output",
            "json",
        ],
        &["verify", "--db", "my-cluster", "--probe", "--yes", "--quiet"],
        &["verify", "--db", "my-cluster", "--probe", "--probe-login", "--yes", "--quiet"],
        // What cannot be done, and why.
        &["verify"],
        &["verify", "--db", "my-instance", "--probe-login"],
        &["verify", "--db", "my-instance", "--probe"],
        &["verify", "--db", "my-instanse"],
        &["verify", "--db", "my-instance", "--name", "another"],
        &["verify", "--db", "my-instance", "--probe", "--yes", "--function", "ThumbnailFunction"],
        &["verify", "--db", "my-instance", "--probe", "--yes", "--timeout", "probes=1m"],
    ] {
        show(arguments);
    }
    assert_eq!(desk.dump(), before, "something changed");
    desk.change(close);
    show(&["verify", "--db", "my-instance", "--probe", "--yes", "--quiet"]);
    insta::assert_snapshot!("verify", nameless(&all));
    let shown = desk.run(&["verify", "--db", "my-instance", "--probe", "--yes", "--quiet", "--output", "json"]);
    assert_eq!(shown.code, Some(6), "{shown}");
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let stages = document["probes"][0]["stages"].as_array().unwrap();
    assert_eq!((&document["verified"], &stages[1]["fault"]), (&Value::Bool(false), &"timed_out".into()), "{shown}");
    assert!(stages[1]["cause"].is_string() && stages[1]["fix"].is_string(), "{shown}");
}

#[test]
fn up_with_a_probe_as_a_person_sees_it() {
    let desk = Desk::new();
    let mut all = String::new();
    for arguments in [
        &["up", "--db", "my-instance", "--verify", "probe", "--dry-run"][..],
        &["up", "--db", "my-instance", "--verify", "probe", "--yes", "--quiet", "--timeout", "12h"],
        &["up", "--db", "my-instance", "--verify", "probe", "--yes"],
        &["up", "--db", "legacy-oracle", "--verify", "probe", "--yes"],
    ] {
        all.push_str(&format!("{}\n", sorted(desk.run(arguments))));
    }
    insta::assert_snapshot!("up_verify_probe", nameless(&all));
    let plan: Value = serde_json::from_str(
        &desk.run(&["up", "--db", "my-cluster", "--verify", "probe", "--dry-run", "--output", "json"]).stdout,
    )
    .unwrap();
    assert_eq!(plan["probes"].as_array().unwrap().len(), 2, "{plan}");
}

/// A network ACL of the functions' subnets that lets no connection to a proxy elsewhere out.
fn wall(world: &mut World) {
    let seats = world.lambda.functions["DBAppFunction"].latest.vpc.clone().unwrap().subnets;
    let (_, default) = world.ec2.acls.iter_mut().next().unwrap();
    let mut own = default.clone();
    default.subnets.retain(|subnet| !seats.contains(subnet));
    own.default = false;
    own.subnets = seats;
    let entry = own.entries.iter().find(|entry| entry.egress && entry.allow).unwrap().clone();
    own.entries.push(AclEntry {
        number: 1,
        protocol: "6".to_owned(),
        allow: false,
        ports: Some((3306, 3306)),
        ..entry
    });
    world.ec2.acls.insert("acl-0wall".to_owned(), own);
}

#[test]
fn up_stops_before_step_13_where_the_way_is_blocked_and_goes_on_once_it_is_not() {
    let desk = Desk::new();
    desk.change(wall);
    let world = desk.store().world().unwrap();
    let hosts = |world: &World| -> Vec<Value> {
        let of = |name: &str| serde_json::json!(world.lambda.functions[name].latest.environment);
        ["DBAppFunction", "InvoiceFunction"].map(of).to_vec()
    };
    let seats = &world.ec2.acls["acl-0wall"].subnets;
    let others: Vec<&String> = world.ec2.subnets.keys().filter(|subnet| !seats.contains(subnet)).collect();
    let mut arguments = vec!["up", "--db", "my-instance", "--verify", "probe", "--yes", "--quiet", "--timeout", "12h"];
    for subnet in &others {
        arguments.extend(["--subnet", subnet.as_str()]);
    }
    let mut all = String::new();
    // What AWS tells is enough to stop; where the ACLs may not be read, the probe meets them.
    for denied in [false, true] {
        desk.change(|world| {
            let arn = format!("arn:aws:iam::{}:user/deployer", world.account);
            let statement = |effect, action| serde_json::json!({"Effect": effect, "Action": action, "Resource": "*"});
            let policy = serde_json::json!({"Statement": [statement("Allow", "*"), statement("Deny", "ec2:DescribeNetworkAcls")]});
            let principal = Principal { arn, policies: denied.then(|| vec![policy]) };
            world.principals.insert("AKIASANDBOXADMIN0000".to_owned(), principal);
        });
        all.push_str(&format!("{}\n", sorted(desk.run(&arguments))));
    }
    assert_eq!(hosts(&desk.store().world().unwrap()), hosts(&world), "a function was touched");
    desk.change(|world| world.ec2.acls.get_mut("acl-0wall").unwrap().entries.retain(|entry| entry.number != 1));
    let done = desk.run(&arguments);
    assert_eq!(done.code, Some(0), "{done}");
    all.push_str(&done.stdout.lines().filter(|line| line.starts_with("proven")).collect::<Vec<_>>().join("\n"));
    insta::assert_snapshot!("up_verify_probe_fails", nameless(&all));
}

#[test]
fn the_transcript_of_a_failure_found_and_fixed_is_what_the_program_prints() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.change(close);
    let mut text = String::from("```text\n");
    let probe = ["verify", "--db", "my-instance", "--function", "DBAppFunction", "--probe", "--yes", "--quiet"];
    for arguments in [&probe[..], &["up", "--db", "my-instance", "--yes", "--quiet"], &probe] {
        let shown = desk.run(arguments);
        let stdout: Vec<&str> = shown.stdout.lines().take_while(|line| !line.starts_with("Next:")).collect();
        text.push_str(&format!("$ rdsproxy-setup {}\n", shown.command.split_once(' ').unwrap().1));
        text.push_str(&format!("{}\n", stdout.join("\n").trim_end()));
        if shown.code != Some(0) {
            text.push_str(&format!("(exit code {})\n", shown.code.unwrap()));
        }
        text.push('\n');
    }
    hold_as("docs/verify.md", "transcript", &format!("{}\n```\n", text.trim_end()), timeless);
}

/// The policy that the program prints for verify is enough for all of it: no part is left unchecked.
#[test]
fn the_printed_policy_is_enough_for_verify() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    let everything = desk.run(&["verify", "--db", "my-instance", "--probe", "--yes", "--quiet"]);
    let arguments =
        ["--region", "eu-central-1", "--output", "json", "permissions", "--for", "verify", "--account", "123456789012"];
    let printed: Value = serde_json::from_str(&desk.output(&arguments)).unwrap();
    let policies = printed["documents"].as_array().unwrap().clone();
    desk.change(|world| {
        let arn = "arn:aws:iam::123456789012:user/deployer".to_owned();
        let deployer = sandbox::Principal { arn, policies: Some(policies) };
        world.principals.insert("AKIASANDBOXADMIN0000".to_owned(), deployer);
    });
    let shown = desk.run(&["verify", "--db", "my-instance", "--probe", "--yes", "--quiet"]);
    assert_eq!((shown.code, shown.stdout), (Some(0), everything.stdout));
}

#[cfg(unix)]
#[test]
fn an_interrupt_takes_the_probe_away_and_ends_with_130() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    let before = desk.dump();
    let probes = || {
        let world = desk.store().world().unwrap();
        world.lambda.functions.keys().filter(|name| name.starts_with(PROBE_PREFIX)).count()
    };
    // Slow enough that a probe is still being made when the signal comes.
    let arguments =
        ["--sandbox", "verify", "--db", "my-instance", "--probe", "--yes", "--quiet", "--sandbox-speed", "3"];
    let child = desk.command(&arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while probes() == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{told}");
    assert!(told.contains("interrupted") && told.contains("verify --db my-instance --probe"), "{told}");
    assert_eq!(probes(), 0);
    // The released interfaces go once some time has passed.
    desk.change(|world| world.tick(sandbox::Moment(world.now.0 + 7_200_000)));
    assert_eq!(desk.dump(), before);
}

/// Without the part of a probe's name that changes with its handler.
fn nameless(text: &str) -> String {
    let mut parts = text.split(PROBE_PREFIX);
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(part.len());
        let (stack, _) = part[..end].rsplit_once('-').unwrap();
        out.push_str(&format!("{PROBE_PREFIX}{stack}-…{}", &part[end..]));
    }
    out
}
