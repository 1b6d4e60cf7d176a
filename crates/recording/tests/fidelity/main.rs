//! The simulated account beside real responses: what AWS's pages and people's issues show of them.
//!
//! `tests/recordings/real.jsonl` has one response a line with its source. The simulated account is asked over its wire,
//! and must answer with the same members, types and states; each difference stands here with its reason, and in
//! docs/fidelity.md.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use recording::Line;
use serde_json::{Value, json};

mod asked;
#[path = "../../../../tests/recordings/wire.rs"]
mod questions;
#[path = "../../../../tests/recordings/real.rs"]
mod real;
mod states;

use asked::{Asked, element};
use real::{Real, real};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What is known of an operation's answers: each member's types, and the words of its states.
#[derive(Debug, Default)]
struct Shape {
    kinds: BTreeMap<String, BTreeSet<&'static str>>,
    words: BTreeMap<String, BTreeSet<String>>,
}

/// Members whose values are words of AWS's.
const WORDS: [&str; 14] = [
    "Status",
    "State",
    "Reason",
    "Type",
    "AuthScheme",
    "IAMAuth",
    "EngineFamily",
    "TargetRole",
    "EvalDecision",
    "StatusCode",
    "state",
    "KeyState",
    "LastUpdateStatus",
    "StateValue",
];

impl Shape {
    fn add(&mut self, place: &str, value: &Value) {
        let kind = match value {
            Value::Null => return,
            // XML has the same for an empty list, an empty structure and an empty text.
            Value::String(text) if text.is_empty() => "empty",
            Value::Array(items) if items.is_empty() => "empty",
            Value::String(_) => "text",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Array(items) => {
                for item in items {
                    self.add(&format!("{place}[]"), item);
                }
                "list"
            }
            Value::Object(members) if members.contains_key("@time") => "time",
            Value::Object(members) => {
                let of_people = ["Variables", "Tags", "VersionIdsToStages", "SecretVersionsToStages"];
                let named = place.rsplit('.').next().unwrap_or_default();
                for (name, value) in members {
                    let name = if of_people.contains(&named) { "*" } else { name };
                    self.add(&format!("{place}.{name}"), value);
                }
                "structure"
            }
        };
        if let (Some(text), Some(name)) = (value.as_str(), place.rsplit('.').next())
            && WORDS.contains(&name)
        {
            self.words.entry(place.to_owned()).or_default().insert(text.to_owned());
        }
        self.kinds.entry(place.to_owned()).or_default().insert(kind);
    }

    fn has(&self, place: &str) -> bool {
        self.kinds.contains_key(place)
    }

    /// Whether what is around a member is there at all: what stands in something that is missing says nothing more.
    fn has_around(&self, place: &str) -> bool {
        let around = place.rsplit_once('.').map_or("", |(around, _)| around);
        around.is_empty() || self.has(around) || self.has(around.trim_end_matches("[]"))
    }
}

fn full(kinds: &BTreeSet<&'static str>) -> BTreeSet<&'static str> {
    kinds.iter().copied().filter(|kind| *kind != "empty").collect()
}

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

/// A life of two proxies, with every call whose real response is known.
#[expect(clippy::too_many_lines, reason = "one call after the other, as an account sees them")]
fn simulated() -> Asked {
    let mut a = Asked::newcomer();
    let none = json!({});
    let instance = a.world.rds.instances["my-instance"].clone();
    let cluster = a.world.rds.clusters["my-cluster"].clone();
    let secret = instance.master_secret.clone().unwrap();
    let cluster_secret = a.world.secrets.secrets.values().find(|secret| secret.owner.is_none()).unwrap().arn.clone();
    let subnets = a.world.rds.subnet_groups[&instance.subnet_group].subnets.clone();
    let vpc = a.world.rds.subnet_groups[&instance.subnet_group].vpc_id.clone();
    a.must("STS", "GetCallerIdentity", &none);
    let created =
        a.must("EC2", "CreateSecurityGroup", &json!({ "GroupName": "proxy", "GroupDescription": "d", "VpcId": vpc }));
    let group = element(&created, "groupId");
    for peer in [
        json!({ "Groups": [{ "GroupId": group, "Description": "d" }] }),
        json!({ "IpRanges": [{ "CidrIp": "203.0.113.0/24" }] }),
        json!({ "Ipv6Ranges": [{ "CidrIpv6": "2001:db8::/32" }] }),
    ] {
        let mut permission = json!({ "IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306 });
        permission.as_object_mut().unwrap().extend(peer.as_object().unwrap().clone());
        a.must(
            "EC2",
            "AuthorizeSecurityGroupIngress",
            &json!({ "GroupId": instance.groups[0], "IpPermissions": [permission] }),
        );
    }
    for operation in [
        "DescribeSecurityGroups",
        "DescribeSecurityGroupRules",
        "DescribeSubnets",
        "DescribeVpcs",
        "DescribeRouteTables",
        "DescribeNetworkAcls",
    ] {
        a.must("EC2", operation, &none);
    }
    let tags = json!([{ "Key": "k", "Value": "v" }]);
    let role = json!({ "RoleName": "proxy", "AssumeRolePolicyDocument": TRUST, "Description": "d", "Tags": tags });
    let role = element(&a.must("IAM", "CreateRole", &role), "Arn");
    let allow = |action: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] })
            .to_string()
    };
    a.must(
        "IAM",
        "PutRolePolicy",
        &json!({ "RoleName": "proxy", "PolicyName": "p", "PolicyDocument": allow("secretsmanager:GetSecretValue") }),
    );
    a.must("IAM", "GetRole", &json!({ "RoleName": "proxy" }));
    let policy = a.must(
        "IAM",
        "CreatePolicy",
        &json!({ "PolicyName": "p", "PolicyDocument": allow("rds-db:connect"), "Description": "d", "Tags": tags }),
    );
    let policy = element(&policy, "Arn");
    a.must("IAM", "AttachRolePolicy", &json!({ "RoleName": "proxy", "PolicyArn": policy }));
    for operation in ["GetPolicy", "ListPolicyVersions", "ListEntitiesForPolicy"] {
        a.must("IAM", operation, &json!({ "PolicyArn": policy }));
    }
    a.must("IAM", "GetPolicyVersion", &json!({ "PolicyArn": policy, "VersionId": "v1" }));
    for action in ["rds-db:connect", "dynamodb:CreateBackup"] {
        a.must("IAM", "SimulatePrincipalPolicy", &json!({ "PolicySourceArn": role, "ActionNames": [action] }));
    }
    a.pass(60);
    let auth = |secret: &str| json!([{ "AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "DISABLED", "Description": "d" }]);
    let mut proxy = String::new();
    for (name, family, secret) in [("p", "MYSQL", &secret), ("q", "POSTGRESQL", &cluster_secret)] {
        let created = a.must(
            "RDS",
            "CreateDBProxy",
            &json!({ "Tags": tags, "DBProxyName": name, "EngineFamily": family, "RoleArn": role, "Auth": auth(secret),
            "VpcSubnetIds": subnets, "VpcSecurityGroupIds": [group] }),
        );
        proxy = element(&created, "DBProxyArn");
    }
    a.must("RDS", "DescribeDBProxies", &none);
    a.pass(1_800);
    a.must("RDS", "RegisterDBProxyTargets", &json!({ "DBProxyName": "p", "DBInstanceIdentifiers": ["my-instance"] }));
    a.must("RDS", "RegisterDBProxyTargets", &json!({ "DBProxyName": "q", "DBClusterIdentifiers": ["my-cluster"] }));
    for _ in 0..120 {
        for name in ["p", "q"] {
            a.must("RDS", "DescribeDBProxyTargets", &json!({ "DBProxyName": name }));
        }
        a.pass(15);
    }
    a.must("RDS", "DescribeDBProxyTargetGroups", &json!({ "DBProxyName": "p" }));
    let pool = json!({ "DBProxyName": "p", "TargetGroupName": "default", "ConnectionPoolConfig": { "MaxConnectionsPercent": 80, "MaxIdleConnectionsPercent": 10 } });
    a.must("RDS", "ModifyDBProxyTargetGroup", &pool);
    a.pass(600);
    a.must("RDS", "ModifyDBProxy", &json!({ "DBProxyName": "p", "RequireTLS": true }));
    a.must("RDS", "DescribeDBProxies", &none);
    a.pass(600);
    a.must(
        "RDS",
        "CreateDBProxyEndpoint",
        &json!({ "DBProxyName": "q", "DBProxyEndpointName": "r", "VpcSubnetIds": subnets, "TargetRole": "READ_ONLY" }),
    );
    a.pass(600);
    a.must("RDS", "DescribeDBProxyEndpoints", &none);
    for (operation, members) in [
        ("DescribeDBClusters", none.clone()),
        ("DescribeDBInstances", none.clone()),
        ("DescribeEvents", json!({ "SourceType": "db-proxy", "Duration": 600 })),
        ("ListTagsForResource", json!({ "ResourceName": proxy })),
        ("DeleteDBProxyEndpoint", json!({ "DBProxyEndpointName": "r" })),
    ] {
        a.must("RDS", operation, &members);
    }
    a.pass(600);
    a.must("RDS", "DeleteDBProxy", &json!({ "DBProxyName": "q" }));
    a.must("RDS", "DescribeDBProxies", &none);
    let f = "/2015-03-31/functions/OrdersFunction";
    a.lambda(
        "PutFunctionConcurrency",
        "PUT /2017-10-31/functions/OrdersFunction/concurrency",
        &json!({ "ReservedConcurrentExecutions": 10 }),
    );
    a.lambda("GetFunction", &format!("GET {f}"), &Value::Null);
    a.lambda("GetFunctionConfiguration", &format!("GET {f}/configuration"), &Value::Null);
    a.lambda(
        "UpdateFunctionConfiguration",
        &format!("PUT {f}/configuration"),
        &json!({ "Timeout": 20, "Description": "d" }),
    );
    a.pass(120);
    a.lambda("PublishVersion", &format!("POST {f}/versions"), &json!({ "Description": "d" }));
    a.lambda("ListVersionsByFunction", &format!("GET {f}/versions"), &Value::Null);
    a.lambda("ListAliases", &format!("GET {f}/aliases"), &Value::Null);
    a.lambda("UpdateAlias", &format!("PUT {f}/aliases/live"), &json!({ "FunctionVersion": "1" }));
    a.lambda("GetAccountSettings", "GET /2016-08-19/account-settings", &Value::Null);
    a.lambda("GetFunctionConcurrency", "GET /2019-09-30/functions/OrdersFunction/concurrency", &Value::Null);
    a.lambda(
        "CreateEventSourceMapping",
        "POST /2015-03-31/event-source-mappings",
        &json!({ "FunctionName": "OrdersFunction", "EventSourceArn": "arn:aws:sqs:eu-central-1:123456789012:q" }),
    );
    a.lambda("ListEventSourceMappings", "GET /2015-03-31/event-source-mappings", &Value::Null);
    a.must("Secrets Manager", "CreateSecret", &json!({ "Name": "n", "SecretString": "s", "Description": "d", "Tags": tags, "ClientRequestToken": "00000000-0000-4000-8000-000000000000" }));
    a.must("Secrets Manager", "DescribeSecret", &json!({ "SecretId": secret }));
    a.must("Secrets Manager", "DescribeSecret", &json!({ "SecretId": "n" }));
    a.must("Secrets Manager", "ListSecrets", &none);
    let key = a.world.kms.keys.values().next().unwrap().arn.clone();
    a.must("KMS", "DescribeKey", &json!({ "KeyId": key }));
    a.must("CloudWatch Logs", "CreateLogGroup", &json!({ "logGroupName": "/g" }));
    a.must("CloudWatch Logs", "PutRetentionPolicy", &json!({ "logGroupName": "/g", "retentionInDays": 7 }));
    a.must("CloudWatch Logs", "DescribeLogGroups", &none);
    let dimensions = json!([{ "Name": "ProxyName", "Value": "p" }]);
    a.must("CloudWatch", "PutMetricAlarm", &json!({ "AlarmName": "a", "AlarmDescription": "d", "Namespace": "AWS/RDS", "MetricName": "ClientConnections",
        "Dimensions": dimensions, "Statistic": "Average", "Period": 60, "EvaluationPeriods": 2, "Threshold": 70.0, "ComparisonOperator": "GreaterThanThreshold",
        "AlarmActions": ["arn:aws:sns:eu-central-1:123456789012:t"] }));
    a.pass(600);
    a.must("CloudWatch", "DescribeAlarms", &none);
    let metric = json!({ "Namespace": "AWS/RDS", "MetricName": "ClientConnections", "Dimensions": dimensions });
    let seconds = i64::try_from(a.now.0 / 1_000).unwrap() + 1_767_225_600;
    a.must(
        "CloudWatch",
        "GetMetricData",
        &json!({ "StartTime": { "@time": seconds - 3_600 }, "EndTime": { "@time": seconds },
        "MetricDataQueries": [{ "Id": "m1", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Average" } }] }),
    );
    a.must("Service Quotas", "GetServiceQuota", &json!({ "ServiceCode": "rds", "QuotaCode": "L-D94C7EA3" }));
    assert!(!cluster.members.is_empty());
    a
}

/// A difference, and why it stays: operation, member, reason.
type Kept = (&'static str, &'static str, &'static str);

/// What the simulated account does otherwise, and why.
const KEPT: &[Kept] = &[
    (
        "CreateDBProxyEndpoint",
        "DBProxyEndpoint.TargetRole = READ_WRITE",
        "the program creates read-only endpoints alone",
    ),
    ("DescribeAlarms", "MetricAlarms[].StateReasonData", "a document for people, which nothing here reads"),
    ("DescribeAlarms", "MetricAlarms[].StateValue = OK", "the alarm of this test has no data, and so no other state"),
    ("DescribeDBClusters", "DBClusters[].ClusterCreateTime", "nothing here reads it"),
    ("DescribeDBClusters", "DBClusters[].HostedZoneId", "nothing here reads it"),
    ("DescribeDBClusters", "DBClusters[].KmsKeyId", "nothing here reads it"),
    ("DescribeDBClusters", "DBClusters[].LatestRestorableTime", "nothing here reads it"),
    ("DescribeDBClusters", "DBClusters[].EarliestRestorableTime", "nothing here reads it"),
    ("DescribeKey", "KeyMetadata.KeyState = Disabled", "no key of this test is disabled"),
    ("DescribeKey", "KeyMetadata.SigningAlgorithms", "of keys that sign; secrets are encrypted"),
    ("DescribeKey", "KeyMetadata.SigningAlgorithms[]", "of keys that sign; secrets are encrypted"),
    ("DescribeNetworkAcls", "networkAclSet[].entrySet[].ipv6CidrBlock", "lists of the sample account have no IPv6"),
    (
        "DescribeRouteTables",
        "routeTableSet[].routeSet[].state = blackhole",
        "every route of the sample account leads somewhere",
    ),
    ("DescribeRouteTables", "routeTableSet[].routeSet[].natGatewayId", "the sample account has no NAT gateway"),
    ("DescribeSecret", "KmsKeyId", "the secrets of this test have the key of AWS"),
    ("DescribeSecret", "LastAccessedDate", "nothing here reads it"),
    ("DescribeSecret", "LastRotatedDate", "nothing here reads it"),
    ("DescribeSecret", "PrimaryRegion", "of secrets with replicas"),
    ("DescribeSecret", "ReplicationStatus", "of secrets with replicas"),
    ("DescribeSecret", "RotationLambdaARN", "the secret of this test is rotated by RDS"),
    ("DescribeSecret", "RotationRules.Duration", "the secret of this test is rotated by RDS"),
    ("DescribeSecret", "RotationRules.ScheduleExpression", "the secret of this test is rotated by RDS"),
    ("GetMetricData", "MetricDataResults[].Timestamps[]", "the proxy of this test has no load"),
    ("GetMetricData", "MetricDataResults[].Values[]", "the proxy of this test has no load"),
    ("GetRole", "Role.RoleLastUsed.LastUsedDate", "the role of this test was never used"),
    ("GetRole", "Role.RoleLastUsed.Region", "the role of this test was never used"),
    ("GetServiceQuota", "Quota.UsageMetric", "nothing here reads it"),
    ("ListEntitiesForPolicy", "PolicyGroups[]", "there are no users and groups"),
    ("ListEntitiesForPolicy", "PolicyGroups[].GroupId", "there are no users and groups"),
    ("ListEntitiesForPolicy", "PolicyGroups[].GroupName", "there are no users and groups"),
    ("ListEntitiesForPolicy", "PolicyUsers[]", "there are no users and groups"),
    ("ListEntitiesForPolicy", "PolicyUsers[].UserId", "there are no users and groups"),
    ("ListEntitiesForPolicy", "PolicyUsers[].UserName", "there are no users and groups"),
    ("ListSecrets", "SecretList[].LastAccessedDate", "nothing here reads it"),
    ("ListSecrets", "SecretList[].LastRotatedDate", "nothing here reads it"),
    ("ModifyDBProxy", "DBProxy.EngineFamily = POSTGRESQL", "the proxy that this test modifies is of MySQL"),
    (
        "SimulatePrincipalPolicy",
        "EvaluationResults[].MatchedStatements[]",
        "which statement decided is not simulated; nothing here reads it",
    ),
];

#[test]
fn the_simulated_account_answers_in_the_shape_of_real_responses() {
    let asked = simulated();
    let mut found: BTreeMap<(String, String), String> = BTreeMap::new();
    let mut unmet = BTreeSet::new();
    let mut compared = 0;
    for real in real(&root()) {
        let Some(members) = &real.members else { continue };
        let Some(simulated) = asked.shapes.get(&(real.service.clone(), real.operation.clone())) else {
            unmet.insert(real.operation.clone());
            continue;
        };
        compared += 1;
        let mut shape = Shape::default();
        shape.add("", members);
        for (place, kinds) in &shape.kinds {
            let theirs = full(kinds);
            let key = (real.operation.clone(), place.trim_start_matches('.').to_owned());
            match simulated.kinds.get(place).map(full) {
                None if !theirs.is_empty() && simulated.has_around(place) => {
                    found.insert(key, "is never there".to_owned());
                }
                Some(ours) if !theirs.is_empty() && !ours.is_empty() && !theirs.is_subset(&ours) => {
                    found.insert(key, format!("is {}, and really {}", listed(&ours), listed(&theirs)));
                }
                _ => {}
            }
        }
        for (place, words) in shape.words.iter().filter(|(place, _)| simulated.has(place)) {
            let known = simulated.words.get(place).cloned().unwrap_or_default();
            for word in words.difference(&known).filter(|word| !word.starts_with("<redacted")) {
                found.insert(
                    (real.operation.clone(), format!("{} = {word}", place.trim_start_matches('.'))),
                    "never says so".to_owned(),
                );
            }
        }
    }
    let named: BTreeSet<(String, String)> =
        KEPT.iter().map(|(operation, member, _)| ((*operation).to_owned(), (*member).to_owned())).collect();
    let new: Vec<_> = found.iter().filter(|(key, _)| !named.contains(*key)).collect();
    let gone: Vec<_> = named.iter().filter(|key| !found.contains_key(*key)).collect();
    assert!(
        new.is_empty() && gone.is_empty() && unmet.is_empty(),
        "new: {new:#?}\ngone: {gone:#?}\nnot compared: {unmet:?}"
    );
    assert!(compared >= 40, "{compared}");
    let mut text =
        String::from("| operation | member | in the simulated account it | why |\n| --- | --- | --- | --- |\n");
    for (operation, member, why) in KEPT {
        let what = &found[&((*operation).to_owned(), (*member).to_owned())];
        text.push_str(&format!("| {operation} | `{member}` | {what} | {why} |\n"));
    }
    hold("differences", &text);
}

fn listed(kinds: &BTreeSet<&'static str>) -> String {
    kinds.iter().copied().collect::<Vec<_>>().join(" or ")
}

/// Refusals that people met: the simulated account refuses the same with the same code and status.
#[test]
fn the_simulated_account_refuses_as_aws_did() {
    let mut a = simulated();
    let group = a.world.rds.instances["my-instance"].groups[0].clone();
    let policy = "arn:aws:iam::123456789012:policy/p";
    a.world.rds.instances.get_mut("my-instance").unwrap().status = "configuring-enhanced-monitoring".to_owned();
    a.must("RDS", "DeregisterDBProxyTargets", &json!({ "DBProxyName": "p", "DBInstanceIdentifiers": ["my-instance"] }));
    let f = "PUT /2015-03-31/functions/OrdersFunction/configuration";
    a.lambda("UpdateFunctionConfiguration", f, &json!({ "Timeout": 25 }));
    let mut told = BTreeMap::new();
    for (service, operation, target, members) in [
        ("RDS", "RegisterDBProxyTargets", "", json!({ "DBProxyName": "p", "DBInstanceIdentifiers": ["my-instance"] })),
        ("EC2", "DeleteSecurityGroup", "", json!({ "GroupId": group })),
        ("IAM", "DeletePolicy", "", json!({ "PolicyArn": policy })),
        ("Lambda", "UpdateFunctionConfiguration", f, json!({ "Timeout": 30 })),
    ] {
        told.insert(operation, a.ask(service, operation, target, &members).unwrap_err());
    }
    let mut held = 0;
    for real in real(&root()) {
        let Some(error) = &real.error else { continue };
        // Of an engine that no proxy takes: what is refused there depends on the model of engines, which is not
        // simulated.
        if error.code == "InvalidParameterValue" {
            continue;
        }
        assert_eq!(
            told.get(real.operation.as_str()),
            Some(&(error.code.clone(), real.status)),
            "{}: {}",
            real.source,
            error.message
        );
        held += 1;
    }
    assert!(held >= 5, "{held}");
}

/// The calls of recorded runs against the emulators of others, by emulator.
fn emulated(name: &str) -> Vec<recording::line::Call> {
    let mut calls = Vec::new();
    for verb in ["up", "teardown"] {
        let text = std::fs::read_to_string(root().join(format!("tests/recordings/{name}-{verb}.jsonl"))).unwrap();
        let read = |line: &str| -> Line {
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}-{verb}: {error}: {line}"))
        };
        let lines: Vec<Line> = text.lines().map(read).collect();
        assert!(matches!(&lines[0], Line::Header(header) if header.command == verb && header.pseudonyms));
        assert!(
            matches!(lines.last(), Some(Line::End(end)) if end.exit_code == 0),
            "{name}-{verb} did not come to its end"
        );
        calls.extend(lines.into_iter().filter_map(|line| if let Line::Call(call) = line { Some(*call) } else { None }));
    }
    calls
}

/// What emulators answer otherwise is no fault of anyone's; it is named.
#[test]
fn what_emulators_answer_otherwise_is_named() {
    let asked = simulated();
    let mut text =
        String::from("| emulator | operation | members that the simulated account never has |\n| --- | --- | --- |\n");
    let mut compared = 0;
    for emulator in ["moto", "ministack"] {
        let mut theirs: BTreeMap<(String, String), Shape> = BTreeMap::new();
        for call in emulated(emulator) {
            if let (None, Some(response)) = (&call.error, &call.response) {
                theirs.entry((call.service, call.operation)).or_default().add("", &response.members);
            }
        }
        for (operation, shape) in &theirs {
            let Some(simulated) = asked.shapes.get(operation) else { continue };
            compared += 1;
            let more = shape.kinds.iter().filter(|(place, kinds)| {
                !full(kinds).is_empty() && !simulated.has(place) && simulated.has_around(place)
            });
            let more: Vec<String> = more.map(|(place, _)| format!("`{}`", place.trim_start_matches('.'))).collect();
            if !more.is_empty() {
                text.push_str(&format!("| {emulator} | {} | {} |\n", operation.1, more.join(", ")));
            }
        }
    }
    assert!(compared >= 30, "{compared} operations were compared");
    hold("emulators", &text);
}

#[test]
fn the_sources_in_the_documents_are_those_of_the_recordings() {
    let mut text = String::from("| service | operation | status | source | note |\n| --- | --- | --- | --- | --- |\n");
    for real in real(&root()) {
        let Real { service, operation, status, source, note, error, .. } = real;
        assert!(source.starts_with("https://"), "{operation}");
        let code = error.map(|error| format!(" {}", error.code)).unwrap_or_default();
        let name = source.rsplit('/').next().unwrap_or_default();
        text.push_str(&format!("| {service} | {operation} | {status}{code} | [{name}]({source}) | {note} |\n"));
    }
    hold("sources", &text);
}

/// Holds a block of docs/fidelity.md to a text, or writes it with `UPDATE_DOCS=1`.
fn hold(name: &str, text: &str) {
    static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _guard = ONE_AT_A_TIME.lock().unwrap();
    let path = root().join("docs/fidelity.md");
    let whole = std::fs::read_to_string(&path).unwrap();
    let open = format!("<!-- generated: {name} -->\n");
    let start = whole.find(&open).unwrap() + open.len();
    let end = start + whole[start..].find("<!-- end -->").unwrap();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, format!("{}{text}{}", &whole[..start], &whole[end..])).unwrap();
    } else {
        assert_eq!(
            &whole[start..end],
            text,
            "docs/fidelity.md: the block {name} has rotted; write it with UPDATE_DOCS=1"
        );
    }
}
