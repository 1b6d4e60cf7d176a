//! A copy can be worked with although little of the account was read: what exists only by reference is there.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::time::Duration;

use common::{Line, accounts, heard};
use copy::{Copy, REHEARSER, Variables};
use sandbox::World;
use serde_json::{Map, Value, json};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn all(_: &str, variables: &Variables) -> Variables {
    variables.clone()
}

/// What is known of the sample account when it was asked for its databases and functions alone.
fn little(world: World) -> Copy {
    let mut line = Line::to(world);
    line.ask("sts", "GetCallerIdentity", &json!({}));
    line.ask("rds", "DescribeDBInstances", &json!({}));
    line.ask("rds", "DescribeDBClusters", &json!({}));
    line.get("/2015-03-31/functions");
    heard(&line.traffic).finish(&all)
}

struct Caller(Line);

impl Caller {
    fn must(&mut self, scope: &str, action: &str, members: &Value) -> Map<String, Value> {
        let answer = self.0.ask(scope, action, members);
        assert_eq!(self.0.traffic.last().unwrap().status, 200, "{action}: {answer:?}");
        answer
    }
}

#[test]
fn a_proxy_can_be_made_where_only_databases_and_functions_were_read() {
    let copy = little(World::newcomer());
    let mut line = Line::to(copy.world);
    line.key = REHEARSER;
    let mut caller = Caller(line);
    let instance = caller.0.world.rds.instances["my-instance"].clone();
    let subnets = caller.0.world.rds.subnet_groups["private"].subnets.clone();
    let vpc = caller.0.world.rds.subnet_groups["private"].vpc_id.clone();
    let secret = instance.master_secret.clone().unwrap();
    let role = caller.must("iam", "CreateRole", &json!({ "RoleName": "proxy", "AssumeRolePolicyDocument": TRUST }));
    let statement = json!({ "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secret });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string();
    caller.must("iam", "PutRolePolicy", &json!({ "RoleName": "proxy", "PolicyName": "p", "PolicyDocument": document }));
    let group = json!({ "GroupName": "proxy", "GroupDescription": "proxy", "VpcId": vpc });
    let group = caller.must("ec2", "CreateSecurityGroup", &group)["groupId"].as_str().unwrap().to_owned();
    let permission = json!({ "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "Groups": [{ "GroupId": group }] });
    let rule = json!({ "GroupId": instance.groups[0], "IpPermissions": [permission] });
    caller.must("ec2", "AuthorizeSecurityGroupIngress", &rule);
    caller.0.now = caller.0.now + Duration::from_mins(1);
    let proxy = json!({ "DBProxyName": "p", "EngineFamily": "MYSQL", "RoleArn": role["Role"]["Arn"],
        "Auth": [{ "AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "REQUIRED" }],
        "VpcSubnetIds": subnets, "VpcSecurityGroupIds": [group] });
    caller.must("rds", "CreateDBProxy", &proxy);
    caller.must(
        "rds",
        "RegisterDBProxyTargets",
        &json!({ "DBProxyName": "p", "DBInstanceIdentifiers": ["my-instance"] }),
    );
    for _ in 0..200 {
        caller.0.now = caller.0.now + Duration::from_secs(15);
        caller.must("rds", "DescribeDBProxyTargets", &json!({ "DBProxyName": "p" }));
    }
    let targets = caller.must("rds", "DescribeDBProxyTargets", &json!({ "DBProxyName": "p" }));
    assert_eq!(targets["Targets"][0]["TargetHealth"]["State"], "AVAILABLE", "{targets:?}");
    let policy = json!({ "PolicyName": "connect", "PolicyDocument": document });
    let policy = caller.must("iam", "CreatePolicy", &policy)["Policy"]["Arn"].clone();
    caller.must("iam", "AttachRolePolicy", &json!({ "RoleName": "DBAppFunctionRole", "PolicyArn": policy }));
    let function = caller.0.world.lambda.functions["DBAppFunction"].latest.clone();
    let mut update =
        common::request(REHEARSER, "lambda", "", &json!({ "Environment": { "Variables": { "DB_HOST": "p" } } }));
    "PUT".clone_into(&mut update.method);
    "/2015-03-31/functions/DBAppFunction/configuration".clone_into(&mut update.target);
    let answer = caller.0.send("lambda", update);
    assert_eq!(caller.0.traffic.last().unwrap().status, 200, "{answer:?}");
    assert_eq!(answer["Role"], json!(function.role));
}

#[test]
fn each_stub_is_named() {
    let copy = little(World::newcomer());
    for what in [
        "the role DBAppFunctionRole",
        "the policies of the role DBAppFunctionRole",
        "the role AWSServiceRoleForRDS",
        "the value of the secret rds!db-000a1b98-cd3e-4a08-8a26-9758263354c2",
        "the tags of the function DBAppFunction",
        "the members of the custom endpoint my-cluster-analytics.cluster-custom-c9akciq32abc.eu-central-1.rds.amazonaws.com",
    ] {
        assert!(copy.gaps.iter().any(|gap| gap.what == what), "{what}: {:#?}", copy.gaps);
    }
    assert!(copy.gaps.iter().any(|gap| gap.what == "network ACLs"));
    let mut line = Line::to(copy.world.clone());
    for (action, member, group) in [
        ("DescribeDBParameters", "DBParameterGroupName", "default.mysql8.0"),
        ("DescribeDBClusterParameters", "DBClusterParameterGroupName", "default.aurora-postgresql16"),
    ] {
        line.ask("rds", action, &json!({ member: group, "Source": "user" }));
        assert_eq!(line.traffic.last().unwrap().status, 200, "{group}");
    }
    let starts = |kind: &str| copy.gaps.iter().filter(|gap| gap.what.starts_with(kind)).count();
    assert_eq!((starts("the VPC "), starts("the subnet "), starts("the security group ")), (1, 3, 6));
    let secret = copy.world.secrets.secrets.values().next().unwrap();
    let value: Value = serde_json::from_str(secret.versions[0].text.as_deref().unwrap()).unwrap();
    assert_eq!(value, json!({ "username": "admin", "password": "x".repeat(16) }));
    let role = &copy.world.iam.roles["InvoiceFunctionRole"];
    assert_eq!((role.path.as_str(), role.trust.contains("lambda.amazonaws.com")), ("/teams/billing/", true));
}

/// Sentences that are printed to users: no member of AWS's, no trailing period, and a verb.
#[test]
fn gaps_are_sentences() {
    let mut gaps = little(accounts::busy()).gaps;
    gaps.extend(little(World::newcomer()).gaps);
    for gap in gaps {
        let verb = gap.why.split(' ').next().unwrap();
        assert!(["is", "are", "was", "were", "has", "have", "follows"].contains(&verb), "{} {}", gap.what, gap.why);
        assert!(!gap.why.ends_with('.') && !gap.what.is_empty());
    }
}

fn simulate(line: &mut Line, principal: &str, actions: &[&str], resources: &[&str]) -> Vec<(String, String)> {
    let ask = json!({ "PolicySourceArn": principal, "ActionNames": actions, "ResourceArns": resources });
    let answer = line.ask("iam", "SimulatePrincipalPolicy", &ask);
    let rows = answer["EvaluationResults"].as_array().unwrap_or_else(|| panic!("{answer:?}")).clone();
    let specific = rows.iter().flat_map(|row| {
        let action = row["EvalActionName"].as_str().unwrap().to_owned();
        row["ResourceSpecificResults"].as_array().unwrap().clone().into_iter().map(move |own| {
            let resource = own["EvalResourceName"].as_str().unwrap();
            (format!("{action} {resource}"), own["EvalResourceDecision"].as_str().unwrap().to_owned())
        })
    });
    specific.collect()
}

#[test]
fn what_the_simulator_said_of_roles_holds_in_the_copy_and_outlasts_our_policies() {
    let mut original = accounts::busy();
    let deny = json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Deny", "Action": "kms:*", "Resource": "*" }] });
    let role = original.iam.roles.get_mut("DBAppFunctionRole").unwrap();
    role.inline.insert("deny".to_owned(), deny.to_string());
    let arn = role.arn.clone();
    let user = format!(
        "arn:aws:rds-db:eu-central-1:123456789012:dbuser:{}/admin",
        original.rds.instances["my-instance"].resource_id
    );
    let other = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-OTHER/nobody";
    let actions = ["rds-db:connect", "kms:Decrypt", "secretsmanager:GetSecretValue"];
    original.iam.roles.get_mut("DBAppFunctionRole").unwrap().attached.retain(|arn| !arn.ends_with("policy/connect"));
    let mut line = Line::to(original);
    line.ask("sts", "GetCallerIdentity", &json!({}));
    line.get("/2015-03-31/functions");
    let before = simulate(&mut line, &arn, &actions, &[&user, other]);
    assert!(before.iter().any(|(_, said)| said == "allowed") && before.iter().any(|(_, said)| said == "explicitDeny"));
    let copy = heard(&line.traffic).finish(&all);
    let mut copied = Line::to(copy.world);
    assert_eq!(simulate(&mut copied, &arn, &actions, &[&user, other]), before);
    // A policy that comes and goes takes nothing away.
    let policy = json!({ "PolicyName": "c", "PolicyDocument": json!({ "Version": "2012-10-17", "Statement": [
        { "Effect": "Allow", "Action": "rds-db:connect", "Resource": "*" }] }).to_string() });
    let policy = copied.ask("iam", "CreatePolicy", &policy)["Policy"]["Arn"].clone();
    for action in ["AttachRolePolicy", "DetachRolePolicy"] {
        copied.ask("iam", action, &json!({ "RoleName": "DBAppFunctionRole", "PolicyArn": policy }));
        copied.now = copied.now + Duration::from_mins(2);
    }
    assert_eq!(simulate(&mut copied, &arn, &actions, &[&user, other]), before);
}

#[test]
fn what_a_policy_that_was_read_says_is_not_held_besides_it() {
    let mut line = Line::to(accounts::busy());
    let arn = line.world.iam.roles["DBAppFunctionRole"].arn.clone();
    let policy = "arn:aws:iam::123456789012:policy/connect";
    line.ask("sts", "GetCallerIdentity", &json!({}));
    line.get("/2015-03-31/functions");
    for action in ["GetPolicy", "ListEntitiesForPolicy"] {
        line.ask("iam", action, &json!({ "PolicyArn": policy }));
    }
    line.ask("iam", "GetPolicyVersion", &json!({ "PolicyArn": policy, "VersionId": "v2" }));
    let resource = "arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-OTHER/nobody";
    assert_eq!(simulate(&mut line, &arn, &["rds-db:connect"], &[resource])[0].1, "allowed");
    let mut copied = Line::to(heard(&line.traffic).finish(&all).world);
    assert_eq!(simulate(&mut copied, &arn, &["rds-db:connect"], &[resource])[0].1, "allowed");
    copied.ask("iam", "DetachRolePolicy", &json!({ "RoleName": "DBAppFunctionRole", "PolicyArn": policy }));
    assert_eq!(simulate(&mut copied, &arn, &["rds-db:connect"], &[resource])[0].1, "implicitDeny");
}

#[test]
fn a_proxy_that_serves_reads_its_secrets_in_the_copy_too() {
    let mut line = Line::to(accounts::busy());
    line.ask("sts", "GetCallerIdentity", &json!({}));
    for action in ["DescribeDBInstances", "DescribeDBClusters", "DescribeDBProxies"] {
        line.ask("rds", action, &json!({}));
    }
    for action in ["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups"] {
        line.ask("ec2", action, &json!({}));
    }
    let ask = json!({ "DBProxyName": "shop-mysql" });
    let theirs = line.ask("rds", "DescribeDBProxyTargets", &ask);
    assert_eq!(theirs["Targets"][0]["TargetHealth"]["State"], "AVAILABLE");
    let mut copied = Line::to(heard(&line.traffic).finish(&all).world);
    assert_eq!(copied.ask("rds", "DescribeDBProxyTargets", &ask), theirs);
}

#[test]
fn what_the_caller_may_not_do_by_the_simulator_it_may_not_do_in_the_copy() {
    let mut line = Line::to(accounts::busy());
    let key = line.world.kms.keys.values().find(|key| !key.aws_managed).unwrap().arn.clone();
    let role = line.world.iam.roles["DBAppFunctionRole"].arn.clone();
    let session = "arn:aws:sts::123456789012:assumed-role/DBAppFunctionRole/me".to_owned();
    line.world.principals.insert("AKIATEST".to_owned(), sandbox::Principal { arn: session, policies: None });
    line.ask("sts", "GetCallerIdentity", &json!({}));
    line.ask("kms", "DescribeKey", &json!({ "KeyId": key }));
    assert_eq!(simulate(&mut line, &role, &["kms:CreateGrant"], &[&key])[0].1, "implicitDeny");
    let copy = heard(&line.traffic).finish(&all);
    let policies = serde_json::to_string(&copy.world.principals[REHEARSER].policies).unwrap();
    assert!(policies.contains("kms:CreateGrant") && policies.contains(&key), "{policies}");
}

#[test]
fn what_is_missing_of_a_thousand_functions_is_named_for_each() {
    let mut world = World::newcomer();
    for number in 0..1_000 {
        let mut function = world.lambda.functions["ThumbnailFunction"].clone();
        function.latest.name = format!("f{number:04}");
        function.latest.arn = format!("arn:aws:lambda:eu-central-1:123456789012:function:f{number:04}");
        world.lambda.functions.insert(function.latest.name.clone(), function);
    }
    let mut line = Line::to(world);
    let mut path = "/2015-03-31/functions?".to_owned();
    while let Some(next) = line.get(&path).get("NextMarker").and_then(Value::as_str) {
        path = format!("/2015-03-31/functions?Marker={next}");
    }
    let copy = heard(&line.traffic).finish(&all);
    assert_eq!(copy.world.lambda.functions.len(), 1_006);
    let tags = copy.gaps.iter().filter(|gap| gap.what.starts_with("the tags of the function "));
    assert_eq!(tags.count(), 1_006);
}

#[test]
fn what_was_on_its_way_has_arrived() {
    let mut line = Line::to(accounts::busy());
    line.ask("rds", "DeleteDBProxy", &json!({ "DBProxyName": "shop-postgres" }));
    line.ask("rds", "ModifyDBProxy", &json!({ "DBProxyName": "shop-mysql", "DebugLogging": true }));
    let update = json!({ "DBInstanceIdentifier": "my-instance", "EnableIAMDatabaseAuthentication": false });
    line.ask("rds", "ModifyDBInstance", &update);
    let until = line.now + Duration::from_hours(1);
    let functions = &mut line.world.lambda.functions;
    functions.get_mut("DBAppFunction").unwrap().latest.update =
        sandbox::parts::Update::InProgress { until, failing: Some("InvalidSubnet".to_owned()) };
    functions.get_mut("WebhookFunction").unwrap().latest.state = sandbox::parts::State::Pending(until);
    common::read_all(&mut line);
    let copy = heard(&line.traffic).finish(&all);
    let found: Vec<String> = copy.gaps.iter().map(|gap| format!("{} {}", gap.what, gap.why)).collect();
    for gap in [
        "the proxy shop-postgres was being deleted; in the copy it is gone already",
        "the state of the proxy shop-mysql was modifying; in the copy it is available already",
        "the state of the database my-instance was modifying; in the copy it is available already",
        "an update of the function DBAppFunction was in progress; in the copy it is complete",
        "the state of the function WebhookFunction was Pending; in the copy it is Active",
    ] {
        assert!(found.iter().any(|found| found == gap), "{gap}: {found:#?}");
    }
    let rds = &copy.world.rds;
    assert_eq!(rds.proxies.keys().collect::<Vec<_>>(), ["shop-mysql"]);
    assert!(rds.endpoints.is_empty() && rds.instances["my-instance"].status == "available");
    let failed = sandbox::parts::Update::Failed("InvalidSubnet".to_owned());
    assert_eq!(copy.world.lambda.functions["ThumbnailFunction"].latest.update, failed);
    assert_eq!(copy.world.lambda.functions["DBAppFunction"].latest.update, sandbox::parts::Update::Successful);
    // The interfaces of what is gone go a while later.
    let of_postgres = |world: &World| {
        let interfaces = world.ec2.interfaces.values();
        interfaces.filter(|interface| interface.description.contains("shop-postgres")).count()
    };
    assert!(of_postgres(&copy.world) > 0);
    let mut copied = Line::to(copy.world);
    copied.now = copied.now + Duration::from_hours(2);
    copied.ask("sts", "GetCallerIdentity", &json!({}));
    assert_eq!(of_postgres(&copied.world), 0);
}

#[test]
fn other_partitions_have_their_own_arns() {
    let caller = "arn:aws-cn:iam::123456789012:user/me";
    let answer = json!({ "Account": "123456789012", "Arn": caller, "UserId": "AIDA" });
    let call = |scope: &str, service: &str, action: &str, answer: &Value| common::Traffic {
        request: common::request("AKIATEST", scope, action, &json!({})),
        status: 200,
        answered_as: "text/xml".to_owned(),
        error_type: None,
        answered: recording::wire::xml(service, action, answer).into_bytes(),
    };
    let instance = json!({ "DBInstances": [{ "DBInstanceIdentifier": "Main", "Engine": "mysql", "DBInstanceStatus": "available" }] });
    let traffic =
        [call("rds", "RDS", "DescribeDBInstances", &instance), call("sts", "STS", "GetCallerIdentity", &answer)];
    let mut copying = copy::Copying::new("cn-north-1");
    for call in traffic.iter().rev() {
        copying.hear(&call.heard());
    }
    let world = copying.finish(&all).world;
    assert_eq!((world.partition.as_str(), world.region.as_str()), ("aws-cn", "cn-north-1"));
    assert!(!world.iam.policies.is_empty());
    let arns =
        world.iam.policies.values().map(|policy| &policy.arn).chain(world.iam.roles.values().map(|role| &role.arn));
    assert!(arns.clone().all(|arn| arn.starts_with("arn:aws-cn:iam::")), "{:?}", arns.collect::<Vec<_>>());
    assert_eq!(world.principals[REHEARSER].arn, caller);
    assert_eq!(world.rds.instances["main"].port, 3306);
    assert!(world.iam.roles.contains_key("AWSServiceRoleForRDS"));
}
