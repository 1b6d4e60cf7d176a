//! Laws: what AWS refused is refused in the copy, and what it answered is not.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::collections::BTreeSet;
use std::sync::OnceLock;

use common::{Line, Traffic, accounts, heard, read_all, request};
use copy::{REHEARSER, Variables};
use proptest::prelude::*;
use sandbox::{Principal, World};
use serde_json::{Value, json};

const CALLER: &str = "arn:aws:sts::123456789012:assumed-role/Deployer/someone";

fn all(_: &str, variables: &Variables) -> Variables {
    variables.clone()
}

/// An account with everything, and every permission that reading all of it takes.
fn account() -> &'static (World, Vec<(String, String)>) {
    static ACCOUNT: OnceLock<(World, Vec<(String, String)>)> = OnceLock::new();
    ACCOUNT.get_or_init(|| {
        let mut line = Line::to(accounts::busy());
        read_all(&mut line);
        let needs = line.traffic.iter().flat_map(|call| line.world.needed(&call.request));
        let needs: BTreeSet<(String, String)> = needs.map(|need| (need.action, need.resource)).collect();
        (line.world, needs.into_iter().filter(|(action, _)| action != "sts:GetCallerIdentity").collect())
    })
}

fn deny(action: &str, resource: &str) -> Value {
    json!({ "Effect": "Deny", "Action": action, "Resource": resource })
}

/// Reads all as a caller whom these statements limit.
fn read_as(statements: &[Value]) -> Line {
    let mut world = account().0.clone();
    let allow = json!({ "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*" } });
    let policies = Some(vec![allow, json!({ "Statement": statements })]);
    world.principals.insert("AKIATEST".to_owned(), Principal { arn: CALLER.to_owned(), policies });
    let mut line = Line::to(world);
    read_all(&mut line);
    line
}

fn is_denied(call: &Traffic) -> bool {
    let (_, members) = recording::wire::response("", &call.answered_as, &call.answered);
    let code = recording::wire::refusal(&members, call.error_type.as_deref()).0.unwrap_or_default();
    call.status >= 400 && (code.starts_with("AccessDenied") || code == "UnauthorizedOperation")
}

/// Asks the copy the same as the rehearsal's caller, and holds what each of them refuses against the other.
fn hold(line: &Line) -> Result<usize, TestCaseError> {
    let copy = heard(&line.traffic).finish(&all);
    let mut copied = Line::to(copy.world);
    let (mut denied, mut exact) = (0, 0);
    for call in &line.traffic {
        let mut again = call.request.clone();
        let header = again.headers["authorization"].replace("AKIATEST", REHEARSER);
        again.headers.insert("authorization".to_owned(), header);
        let asked = sandbox::Asked::of(&again).unwrap();
        copied.send(asked.service.scope(), again);
        let ours = copied.traffic.last().unwrap();
        denied += usize::from(is_denied(call));
        prop_assert!(!is_denied(ours) || is_denied(call), "answered: {} {}", asked.action, asked.input);
        // What no read has shown has no ARN in the copy, and so is not there where it was refused. It is never
        // answered.
        let refused = is_denied(ours) || ours.status >= 400;
        prop_assert!(refused || !is_denied(call), "refused: {} {}", asked.action, asked.input);
        exact += usize::from(is_denied(ours));
    }
    // Nearly all refusals are refusals.
    prop_assert!(denied == 0 || (exact > 0 && denied - exact <= 12), "{exact} of {denied}");
    Ok(denied)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_was_refused_is_refused_and_what_was_answered_is_answered(
        chosen in proptest::collection::vec((0..account().1.len(), any::<bool>()), 1..25),
    ) {
        let statements = chosen.iter().map(|(at, whole)| {
            let (action, resource) = &account().1[*at];
            // A denial on `db:*` is one of every database; `db:?` is one of the list alone, whose resource is a star.
            if *whole { deny(action, "*") } else { deny(action, &resource.replace('*', "?")) }
        });
        hold(&read_as(&statements.collect::<Vec<_>>()))?;
    }
}

#[test]
fn a_list_may_be_refused_where_each_of_its_things_is_not() {
    let not = json!({ "Effect": "Deny", "Action": "rds:DescribeDBProxyTargets",
        "NotResource": ["arn:aws:rds:*:*:db-proxy:prx-*", "arn:aws:rds:*:*:target-group:prx-tg-*"] });
    let clusters = json!({ "Effect": "Deny", "Action": "rds:DescribeDBClusters",
        "NotResource": "arn:aws:rds:eu-central-1:123456789012:cluster:my-cluster" });
    let mut line = read_as(&[not, clusters]);
    line.ask("rds", "DescribeDBClusters", &json!({ "DBClusterIdentifier": "my-cluster" }));
    assert_eq!(line.traffic.last().unwrap().status, 200);
    let denied = hold(&line).unwrap();
    assert!(denied >= 1, "{denied}");
}

#[test]
fn the_caller_is_the_real_one_and_refusals_are_named() {
    let line = read_as(&[deny("rds:DescribeEvents", "*"), deny("iam:ListRoles", "*")]);
    let copy = heard(&line.traffic).finish(&all);
    assert_eq!(copy.world.principals[REHEARSER].arn, CALLER);
    assert_eq!(copy.world.account, "123456789012");
    let whats: Vec<&str> = copy.gaps.iter().map(|gap| gap.what.as_str()).collect();
    assert!(whats.contains(&"what ListRoles says"), "{whats:?}");
    // What nobody asked for is not refused.
    let mut copied = Line::to(copy.world);
    copied.key = REHEARSER;
    copied.ask("rds", "DescribeEvents", &json!({}));
    assert_eq!(copied.traffic.last().unwrap().status, 200);
    let who = copied.ask("sts", "GetCallerIdentity", &json!({}));
    assert_eq!(who["Arn"], CALLER);
}

#[test]
fn an_answer_that_came_once_proves_the_right_to_ask() {
    let mut line = read_as(&[deny("ec2:DescribeVpcs", "*")]);
    line.world.principals.clear();
    line.ask("ec2", "DescribeVpcs", &json!({}));
    for traffic in [line.traffic.clone(), line.traffic.iter().rev().cloned().collect()] {
        let copy = heard(&traffic).finish(&all);
        assert!(copy.world.principals[REHEARSER].policies.is_none());
        assert_eq!(copy.world.ec2.vpcs.len(), 1);
    }
}

#[test]
fn other_failures_and_what_is_not_there_add_nothing() {
    let nothing = serde_json::to_string(&copy::Copying::new("eu-central-1").finish(&all).world).unwrap();
    let mut line = Line::to(World::empty());
    line.ask("rds", "DescribeDBInstances", &json!({ "DBInstanceIdentifier": "no" }));
    line.ask("secretsmanager", "DescribeSecret", &json!({ "SecretId": "no" }));
    line.get("/2015-03-31/functions/no");
    line.ask("iam", "GetRole", &json!({ "RoleName": "no" }));
    let throttled = br"<ErrorResponse><Error><Code>Throttling</Code></Error></ErrorResponse>".to_vec();
    for (status, answered) in [(400, throttled), (500, Vec::new()), (503, b"AccessDenied".to_vec())] {
        let request = request("AKIATEST", "rds", "DescribeDBProxies", &json!({}));
        line.traffic.push(Traffic { request, status, answered_as: "text/xml".to_owned(), error_type: None, answered });
    }
    let copy = heard(&line.traffic).finish(&all);
    assert_eq!(serde_json::to_string(&copy.world).unwrap(), nothing);
}

#[test]
fn nothing_of_a_signature_is_kept() {
    let mut line = read_as(&[deny("rds:DescribeEvents", "*")]);
    let mut signed = request("AKIATEST", "rds", "DescribeEvents", &json!({}));
    signed.headers.insert("x-amz-security-token".to_owned(), "very-secret-token".to_owned());
    line.send("rds", signed);
    let copying = heard(&line.traffic);
    assert!(!format!("{copying:?}").contains("secret"), "{copying:?}");
    let copy = copying.finish(&all);
    let text = serde_json::to_string(&copy.world).unwrap();
    assert!(!text.contains("very-secret-token") && !text.contains("AKIATEST"));
}
