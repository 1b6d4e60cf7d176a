//! Copies of accounts that others simulate: recorded runs against emulators are understood too.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::path::Path;

use common::recorded::again;
use common::{Traffic, heard};
use copy::{Copy, Variables};
use recording::Line;

fn all(_: &str, variables: &Variables) -> Variables {
    variables.clone()
}

/// A copy of what a run was answered.
fn copied(emulator: &str) -> Copy {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings");
    let text = std::fs::read_to_string(root.join(format!("{emulator}-up.jsonl"))).unwrap();
    let calls = text.lines().filter_map(|line| match serde_json::from_str(line).unwrap() {
        Line::Call(call) => again(&call),
        _ => None,
    });
    let calls: Vec<Traffic> = calls.collect();
    assert!(calls.len() >= 25, "{}", calls.len());
    heard(&calls).finish(&all)
}

#[test]
fn what_emulators_answered_is_understood() {
    for emulator in ["moto", "ministack"] {
        let copy = copied(emulator);
        let world = &copy.world;
        assert_eq!(world.account, "100000000002", "{emulator}");
        let instance = &world.rds.instances["n1-db"];
        assert_eq!((instance.status.as_str(), instance.groups.is_empty()), ("available", false), "{emulator}");
        let subnets = &world.rds.subnet_groups[&instance.subnet_group];
        assert!(subnets.subnets.iter().all(|id| world.ec2.subnets[id].vpc_id == subnets.vpc_id), "{emulator}");
        assert!(world.ec2.vpcs[&subnets.vpc_id].cidr.ends_with("/16"), "{emulator}");
        assert!(
            world.ec2.groups.len() >= 2 && world.ec2.groups.values().all(|group| !group.rules.is_empty()),
            "{emulator}"
        );
        assert!(!world.ec2.acls.is_empty() && !world.ec2.route_tables.is_empty(), "{emulator}");
        assert!(!world.lambda.functions.is_empty(), "{emulator}");
        for (name, function) in &world.lambda.functions {
            assert!(function.latest.role.starts_with("arn:aws:iam::"), "{emulator} {name}");
            let role = function.latest.role.rsplit('/').next().unwrap();
            assert!(world.iam.roles.contains_key(role), "{emulator} {name}");
        }
        // What was read is no stub.
        let stubs: Vec<&str> =
            copy.gaps.iter().filter(|gap| gap.why.starts_with("was not read")).map(|gap| gap.what.as_str()).collect();
        let read = ["the VPC ", "the subnet ", "the security group ", "the subnet group "];
        assert!(!stubs.iter().any(|what| read.iter().any(|read| what.starts_with(read))), "{emulator}: {stubs:#?}");
    }
}
