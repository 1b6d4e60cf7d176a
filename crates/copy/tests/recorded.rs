//! Copies of accounts that others simulate: recorded runs against emulators are understood too.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::path::Path;

use common::{Traffic, heard, request};
use copy::{Copy, Variables};
use recording::{Line, line, wire};
use serde_json::{Value, json};

fn all(_: &str, variables: &Variables) -> Variables {
    variables.clone()
}

/// A recorded call on the wire again.
fn again(call: &line::Call) -> Option<Traffic> {
    let scope = match call.service.as_str() {
        "Secrets Manager" => "secretsmanager",
        "CloudWatch" => "monitoring",
        "CloudWatch Logs" => "logs",
        "Service Quotas" => "servicequotas",
        other => &other.to_lowercase(),
    };
    let asked = serde_json::to_value(&call.request).unwrap();
    let members = &asked["body"]["members"];
    let mut sent =
        request("AKIATEST", scope, &call.operation, if members.is_object() { members } else { &Value::Null });
    if scope == "lambda" {
        let method = asked["method"].as_str().unwrap();
        method.clone_into(&mut sent.method);
        let query = members.as_object().into_iter().flatten().filter(|_| method == "GET");
        let query: Vec<String> =
            query.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or(""))).collect();
        sent.target = format!("{}?{}", asked["path"].as_str().unwrap(), query.join("&"));
    }
    let (kind, answered) = match (&call.error, &call.response) {
        (Some(error), _) => {
            let code = error.code.clone().unwrap_or_default();
            ("application/json", json!({ "__type": code, "message": "" }).to_string().into_bytes())
        }
        (None, Some(answer)) if ["rds", "iam", "sts", "ec2"].contains(&scope) => {
            ("text/xml", wire::xml(&call.service, &call.operation, &answer.members).into_bytes())
        }
        (None, Some(answer)) if scope == "monitoring" => ("application/cbor", wire::cbor(&answer.members)),
        (None, Some(answer)) => ("application/json", answer.members.to_string().into_bytes()),
        (None, None) => return None,
    };
    Some(Traffic { request: sent, status: call.status?, answered_as: kind.to_owned(), error_type: None, answered })
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
