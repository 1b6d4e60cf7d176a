//! Laws of IAM: what is refused, what depends on what, and when a change takes hold.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::Need;
use crate::account::{Call, Moment, Principal, Service, World};
use crate::policy::{self, Decision};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn call(now: u64, action: &str, input: Value) -> Call {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    Call { service: Service::Iam, action: action.into(), input, principal, now: Moment(now), ahead: 0 }
}

fn run(world: &mut World, now: u64, action: &str, input: Value) -> Result<Value, String> {
    handle(world, &call(now, action, input)).map_err(|error| error.code)
}

fn allow(action: &str) -> String {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}).to_string()
}

fn world() -> World {
    let mut world = World::empty();
    world.profile.iam_propagation = Duration::from_secs(8);
    world.profile.role_assumable = Duration::from_secs(5);
    let made =
        run(&mut world, 1000, "CreateRole", json!({"RoleName": "r", "Path": "/p/", "AssumeRolePolicyDocument": TRUST}));
    assert!(made.is_ok_and(|made| made["Role"]["Arn"] == "arn:aws:iam::123456789012:role/p/r"));
    world
}

fn allowed(world: &World, now: u64, action: &str) -> bool {
    let need = Need { action: action.into(), resource: "*".into(), context: BTreeMap::new() };
    policy::evaluate(&documents(world, "arn:aws:iam::123456789012:role/p/r", Moment(now)), &need) == Decision::Allowed
}

#[test]
fn iam_shows_a_change_at_once_and_services_go_by_it_later() {
    let mut world = world();
    let put = |world: &mut World, now, action| {
        run(world, now, "PutRolePolicy", json!({"RoleName": "r", "PolicyName": "x", "PolicyDocument": allow(action)}))
    };
    assert!(put(&mut world, 2_000, "a:One").is_ok());
    assert!(run(&mut world, 2_000, "GetRolePolicy", json!({"RoleName": "r", "PolicyName": "x"})).is_ok());
    assert!(!allowed(&world, 9_999, "a:One"));
    assert!(allowed(&world, 10_000, "a:One"));
    // The replaced document holds until its successor does.
    assert!(put(&mut world, 20_000, "a:Two").is_ok());
    assert!(allowed(&world, 27_999, "a:One") && !allowed(&world, 27_999, "a:Two"));
    assert!(!allowed(&world, 28_000, "a:One") && allowed(&world, 28_000, "a:Two"));
    // Putting the same again starts no new delay.
    assert!(put(&mut world, 40_000, "a:Two").is_ok());
    assert!(allowed(&world, 40_001, "a:Two"));
    assert!(run(&mut world, 50_000, "DeleteRolePolicy", json!({"RoleName": "r", "PolicyName": "x"})).is_ok());
    assert!(allowed(&world, 57_999, "a:Two") && !allowed(&world, 58_000, "a:Two"));
}

#[test]
fn a_new_default_version_reaches_every_role_that_has_the_policy() {
    let mut world = world();
    let made = run(&mut world, 0, "CreatePolicy", json!({"PolicyName": "m", "PolicyDocument": allow("a:One")}));
    let arn = made.ok().and_then(|made| made["Policy"]["Arn"].as_str().map(str::to_owned)).unwrap_or_default();
    let attached = json!({"RoleName": "r", "PolicyArn": arn});
    assert!(run(&mut world, 0, "AttachRolePolicy", attached.clone()).is_ok());
    assert!(run(&mut world, 1, "AttachRolePolicy", attached.clone()).is_ok(), "attaching twice is no error");
    assert!(allowed(&world, 8_000, "a:One"));
    let version = json!({"PolicyArn": arn, "PolicyDocument": allow("a:Two"), "SetAsDefault": "true"});
    assert!(run(&mut world, 10_000, "CreatePolicyVersion", version.clone()).is_ok());
    assert!(allowed(&world, 17_000, "a:One") && allowed(&world, 18_000, "a:Two") && !allowed(&world, 18_000, "a:One"));

    assert_eq!(run(&mut world, 0, "DeletePolicy", json!({"PolicyArn": arn})), Err("DeleteConflict".into()));
    assert_eq!(run(&mut world, 0, "DeleteRole", json!({"RoleName": "r"})), Err("DeleteConflict".into()));
    assert!(run(&mut world, 20_000, "DetachRolePolicy", attached.clone()).is_ok());
    assert_eq!(run(&mut world, 20_000, "DetachRolePolicy", attached), Err("NoSuchEntity".into()));
    assert_eq!(
        run(&mut world, 0, "DeletePolicy", json!({"PolicyArn": arn})),
        Err("DeleteConflict".into()),
        "two versions"
    );
    assert_eq!(
        run(&mut world, 0, "DeletePolicyVersion", json!({"PolicyArn": arn, "VersionId": "v2"})),
        Err("DeleteConflict".into())
    );
    assert!(run(&mut world, 0, "DeletePolicyVersion", json!({"PolicyArn": arn, "VersionId": "v1"})).is_ok());
    for _ in 0..4 {
        assert!(run(&mut world, 0, "CreatePolicyVersion", version.clone()).is_ok());
    }
    assert_eq!(run(&mut world, 0, "CreatePolicyVersion", version), Err("LimitExceeded".into()));
}

#[test]
fn a_new_role_is_not_assumable_at_once_and_a_changed_trust_policy_takes_time() {
    let mut world = world();
    let assumable = |world: &World, now| {
        role(world, "r").is_some_and(|role| role.assumable_by(world, "rds.amazonaws.com", Moment(now)))
    };
    assert!(!assumable(&world, 5_999) && assumable(&world, 6_000));
    assert!(role(&world, "arn:aws:iam::123456789012:role/r").is_none(), "the path is part of the ARN");
    let other = TRUST.replace("rds.", "lambda.");
    assert!(
        run(&mut world, 10_000, "UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": other})).is_ok()
    );
    assert!(assumable(&world, 17_999) && !assumable(&world, 18_000));
    let conditioned =
        TRUST.replace(r#""Action""#, r#""Condition":{"StringEquals":{"aws:SourceAccount":"1"}},"Action""#);
    assert!(
        run(&mut world, 20_000, "UpdateAssumeRolePolicy", json!({"RoleName": "r", "PolicyDocument": conditioned}))
            .is_ok()
    );
    assert!(assumable(&world, 40_000));
    assert!(role(&world, "r").is_some_and(|role| !role.trusts_proxy(&world, Moment(40_000))));
}

#[test]
fn documents_are_checked() {
    let mut world = world();
    let deny = "MalformedPolicyDocument";
    for (document, expected) in [
        ("{", deny),
        ("[]", deny),
        (r#"{"Statement":[]}"#, deny),
        (r#"{"Statement":[{"Effect":"Maybe","Action":"a:b","Resource":"*"}]}"#, deny),
        (r#"{"Statement":[{"Effect":"Allow","Action":"ab","Resource":"*"}]}"#, deny),
        (r#"{"Statement":[{"Effect":"Allow","Action":"a:b"}]}"#, deny),
        (r#"{"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"secret"}]}"#, deny),
        (r#"{"Statement":[{"Effect":"Allow","Action":"a:b","Resource":"*","Principal":"*"}]}"#, deny),
    ] {
        let input = json!({"RoleName": "r", "PolicyName": "x", "PolicyDocument": document});
        assert_eq!(run(&mut world, 0, "PutRolePolicy", input), Err(expected.into()), "{document}");
    }
    for trust in [
        TRUST.replace("rds.amazonaws.com", "rds"),
        TRUST.replace(r#""Principal""#, r#""Resource":"*","Principal""#),
        TRUST.replace("sts:AssumeRole", "rds:X"),
        TRUST.replace("Principal", "Principals"),
    ] {
        let input = json!({"RoleName": "t", "AssumeRolePolicyDocument": trust});
        assert_eq!(run(&mut world, 0, "CreateRole", input), Err(deny.into()), "{trust}");
    }
    let long = json!({"Statement": [{"Effect": "Allow", "Action": "a:b", "Resource": format!("arn:aws:s3:::{}", "x".repeat(10_240))}]});
    let input = json!({"RoleName": "r", "PolicyName": "x", "PolicyDocument": long.to_string()});
    assert_eq!(run(&mut world, 0, "PutRolePolicy", input), Err("LimitExceeded".into()));
    let input = json!({"PolicyName": "x", "PolicyDocument": long.to_string()});
    assert_eq!(run(&mut world, 0, "CreatePolicy", input), Err("LimitExceeded".into()));
}

#[test]
fn names_clash_whatever_their_case_and_path_and_service_roles_are_protected() {
    let mut world = world();
    let again = json!({"RoleName": "R", "AssumeRolePolicyDocument": TRUST});
    assert_eq!(run(&mut world, 0, "CreateRole", again), Err("EntityAlreadyExists".into()));
    assert_eq!(
        run(&mut world, 0, "CreateRole", json!({"RoleName": "a b", "AssumeRolePolicyDocument": TRUST})),
        Err("ValidationError".into())
    );
    let linked = json!({"AWSServiceName": "rds.amazonaws.com"});
    assert!(run(&mut world, 0, "CreateServiceLinkedRole", linked.clone()).is_ok());
    assert_eq!(run(&mut world, 0, "CreateServiceLinkedRole", linked), Err("InvalidInput".into()));
    let name = json!({"RoleName": "AWSServiceRoleForRDS"});
    assert_eq!(run(&mut world, 0, "DeleteRole", name), Err("UnmodifiableEntity".into()));
    assert_eq!(run(&mut world, 0, "GetRole", json!({"RoleName": "nobody"})), Err("NoSuchEntity".into()));
}

#[test]
fn lists_are_paged() {
    let mut world = world();
    for name in ["s", "t"] {
        assert!(run(&mut world, 0, "CreateRole", json!({"RoleName": name, "AssumeRolePolicyDocument": TRUST})).is_ok());
    }
    let first = run(&mut world, 0, "ListRoles", json!({"MaxItems": "2"})).unwrap_or_default();
    assert_eq!(first["IsTruncated"], true);
    let second =
        run(&mut world, 0, "ListRoles", json!({"MaxItems": "2", "Marker": first["Marker"]})).unwrap_or_default();
    assert_eq!(second["IsTruncated"], false);
    assert_eq!(second["Roles"].as_array().map(Vec::len), Some(1));
    let prefixed = run(&mut world, 0, "ListRoles", json!({"PathPrefix": "/p/"})).unwrap_or_default();
    assert_eq!(prefixed["Roles"].as_array().map(Vec::len), Some(1));
}

#[test]
fn the_simulator_answers_by_the_newest_policies() {
    let mut world = world();
    let put = json!({"RoleName": "r", "PolicyName": "x", "PolicyDocument": allow("a:*")});
    assert!(run(&mut world, 0, "PutRolePolicy", put).is_ok());
    let asked = json!({"PolicySourceArn": "arn:aws:iam::123456789012:role/p/r", "ActionNames": ["a:One", "b:One"]});
    let answer = run(&mut world, 0, "SimulatePrincipalPolicy", asked).unwrap_or_default();
    let decisions: Vec<_> =
        answer["EvaluationResults"].as_array().into_iter().flatten().map(|row| row["EvalDecision"].clone()).collect();
    assert_eq!(decisions, ["allowed", "implicitDeny"]);
}

#[test]
fn tags_in_a_create_call_are_a_need_of_their_own() {
    let world = world();
    let tagged = call(0, "CreateRole", json!({"RoleName": "n", "Path": "/x/", "Tags": [{"Key": "k", "Value": "v"}]}));
    let needs = needs(&world, &tagged);
    let actions: Vec<&str> = needs.iter().map(|need| need.action.as_str()).collect();
    assert_eq!(actions, ["iam:CreateRole", "iam:TagRole"]);
    assert!(needs.iter().all(|need| need.resource == "arn:aws:iam::123456789012:role/x/n"));
    assert!(needs.iter().all(|need| need.context.get("aws:RequestTag/k").is_some_and(|values| values == &["v"])));
}

#[test]
fn a_boundary_limits_what_a_role_may_do() {
    let mut world = world();
    let put = |world: &mut World, name: &str, action: &str| {
        let made = run(world, 1_000, "CreatePolicy", json!({"PolicyName": name, "PolicyDocument": allow(action)}));
        made.unwrap()["Policy"]["Arn"].as_str().unwrap().to_owned()
    };
    let all = json!({"RoleName": "r", "PolicyName": "x", "PolicyDocument": allow("a:*")});
    assert!(run(&mut world, 2_000, "PutRolePolicy", all).is_ok());
    let arn = put(&mut world, "limit", "a:One");
    let none = json!({"RoleName": "r", "PermissionsBoundary": "arn:aws:iam::123456789012:policy/none"});
    assert_eq!(run(&mut world, 3_000, "PutRolePermissionsBoundary", none), Err("NoSuchEntity".to_owned()));
    let given = json!({"RoleName": "r", "PermissionsBoundary": arn});
    assert!(run(&mut world, 3_000, "PutRolePermissionsBoundary", given).is_ok());
    let role = "arn:aws:iam::123456789012:role/p/r";
    let decided = |world: &World, action: &str| {
        let need = Need { action: action.into(), resource: "*".into(), context: BTreeMap::new() };
        decide(world, role, &need, Moment(60_000))
    };
    assert_eq!(decided(&world, "a:One"), Decision::Allowed);
    assert_eq!(decided(&world, "a:Two"), Decision::ImplicitDeny);
    let organization = Organization {
        id: "o-1".into(),
        policies: vec![json!({"Statement": {"Effect": "Deny", "NotAction": "b:*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": "us-west-1"}}}})],
    };
    world.organization = Some(organization);
    assert_eq!(decided(&world, "a:One"), Decision::ExplicitDeny);
    world.region = "us-west-1".into();
    // No policy of the organization's allows it.
    assert_eq!(decided(&world, "a:One"), Decision::ImplicitDeny);
}

#[test]
fn the_simulator_judges_each_resource_and_says_what_limits() {
    let mut world = world();
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "a:B", "Resource": "arn:aws:a:::one", "Condition": {"Bool": {"aws:Own": "true"}}},
        {"Effect": "Allow", "Action": "a:B", "Resource": "arn:aws:a:::two"}]});
    let put = json!({"RoleName": "r", "PolicyName": "x", "PolicyDocument": document.to_string()});
    assert!(run(&mut world, 2_000, "PutRolePolicy", put).is_ok());
    let ask = json!({"PolicySourceArn": "arn:aws:iam::123456789012:role/p/r", "ActionNames": ["a:B"],
        "ResourceArns": ["arn:aws:a:::one", "arn:aws:a:::two"]});
    let answer = run(&mut world, 3_000, "SimulatePrincipalPolicy", ask.clone()).unwrap();
    let row = &answer["EvaluationResults"][0];
    assert_eq!((&row["EvalResourceName"], &row["EvalDecision"]), (&json!("*"), &json!("implicitDeny")));
    assert_eq!(row["MissingContextValues"], json!(["aws:Own"]));
    assert!(row.get("OrganizationsDecisionDetail").is_none());
    let of = |at: usize, member: &str| row["ResourceSpecificResults"][at][member].clone();
    assert_eq!(
        (of(0, "EvalResourceDecision"), of(1, "EvalResourceDecision")),
        (json!("implicitDeny"), json!("allowed"))
    );
    assert_eq!(of(0, "MissingContextValues"), json!(["aws:Own"]));
    assert_eq!(of(1, "MissingContextValues"), json!([]));
    // The keys that an organization's policies ask for are not among the missing ones.
    let policies = vec![
        json!({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}),
        json!({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}}}}),
    ];
    world.organization = Some(Organization { id: "o-1".into(), policies });
    let answer = run(&mut world, 4_000, "SimulatePrincipalPolicy", ask.clone()).unwrap();
    let row = &answer["EvaluationResults"][0];
    assert_eq!(row["OrganizationsDecisionDetail"], json!({"AllowedByOrganizations": false}));
    assert_eq!(row["MissingContextValues"], json!(["aws:Own"]));
    world.simulator = Simulator::Rows;
    let answer = run(&mut world, 5_000, "SimulatePrincipalPolicy", ask).unwrap();
    let names: Vec<&Value> =
        answer["EvaluationResults"].as_array().unwrap().iter().map(|row| &row["EvalResourceName"]).collect();
    assert_eq!(names, ["arn:aws:a:::one", "arn:aws:a:::two"]);
}

#[test]
fn what_is_in_force_unseen_outlasts_every_change_and_the_simulator_knows_it() {
    let mut world = world();
    let statement = json!({"Effect": "Allow", "Action": "a:B", "Resource": "*"});
    let unseen = InForce::unseen(&json!({"Version": "2012-10-17", "Statement": [statement]}));
    world.iam.roles.get_mut("r").unwrap().force.push(unseen);
    let put = json!({"RoleName": "r", "PolicyName": "x", "PolicyDocument": allow("a:C")});
    assert!(run(&mut world, 2_000, "PutRolePolicy", put).is_ok());
    assert!(run(&mut world, 3_000, "DeleteRolePolicy", json!({"RoleName": "r", "PolicyName": "x"})).is_ok());
    assert!(allowed(&world, 100_000, "a:B") && !allowed(&world, 100_000, "a:C"));
    let ask = json!({"PolicySourceArn": "arn:aws:iam::123456789012:role/p/r", "ActionNames": ["a:B", "a:C"]});
    let answer = run(&mut world, 100_000, "SimulatePrincipalPolicy", ask).unwrap();
    let decisions: Vec<&Value> =
        answer["EvaluationResults"].as_array().unwrap().iter().map(|row| &row["EvalDecision"]).collect();
    assert_eq!(decisions, ["allowed", "implicitDeny"]);
}
