//! Copies of accounts of which others have published responses: what AWS really answers is understood.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::path::Path;

use common::{Traffic, heard, request, scope};
use copy::{Copy, Variables};
use recording::wire;
use sandbox::Request;
use sandbox::parts::{Peer, Status};
use serde_json::{Value, json};

#[path = "../../../tests/recordings/real.rs"]
#[expect(dead_code, reason = "the sources and refusals are read elsewhere")]
mod real;

fn all(_: &str, variables: &Variables) -> Variables {
    variables.clone()
}

/// The request that a published response answers, as far as it matters.
fn asked(service: &str, operation: &str) -> Request {
    let scope = scope(service);
    let members = match operation {
        "DescribeDBProxyTargets" => json!({ "DBProxyName": "n7" }),
        "ListTagsForResource" => {
            json!({ "ResourceName": "arn:aws:rds:us-east-1:100000000004:db-proxy:n5-00000000000000006" })
        }
        "GetPolicyVersion" | "ListEntitiesForPolicy" | "ListPolicyVersions" => {
            json!({ "PolicyArn": "arn:aws:iam::100000000001:policy/n2" })
        }
        "SimulatePrincipalPolicy" => json!({ "PolicySourceArn": "arn:aws:iam::100000000001:role/Test-Role" }),
        _ => json!({}),
    };
    let mut asked = request("AKIATEST", &scope, operation, &members);
    let functions = "/2015-03-31/functions";
    let path = match operation {
        "GetFunction" => format!("{functions}/n4-function"),
        "GetFunctionConfiguration" => format!("{functions}/n4-function:2/configuration"),
        "ListAliases" => format!("{functions}/n2-function/aliases"),
        "ListVersionsByFunction" => format!("{functions}/n5-function/versions"),
        "GetAccountSettings" => "/2016-08-19/account-settings".to_owned(),
        "GetFunctionConcurrency" => "/2019-09-30/functions/n4-function/concurrency".to_owned(),
        "ListEventSourceMappings" => "/2015-03-31/event-source-mappings".to_owned(),
        _ => return asked,
    };
    "GET".clone_into(&mut asked.method);
    asked.target = path;
    asked.body.clear();
    asked
}

/// A published response on the wire.
fn call(service: &str, operation: &str, members: &Value) -> Traffic {
    let (kind, body) = match service {
        "RDS" | "IAM" | "STS" | "EC2" => ("text/xml", wire::xml(service, operation, members).into_bytes()),
        "CloudWatch" => ("application/cbor", wire::cbor(members)),
        _ => ("application/json", members.to_string().into_bytes()),
    };
    Traffic {
        request: asked(service, operation),
        status: 200,
        answered_as: kind.to_owned(),
        error_type: None,
        answered: body,
    }
}

/// A copy of what was published of these operations of a service.
fn copied(service: &str, operations: &[&str]) -> Copy {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let real = real::real(&root).into_iter().filter(|real| real.service == service);
    let real = real.filter(|real| operations.contains(&real.operation.as_str()));
    let traffic: Vec<Traffic> =
        real.filter_map(|real| Some(call(&real.service, &real.operation, real.members.as_ref()?))).collect();
    assert!(traffic.len() >= operations.len(), "{operations:?}");
    heard(&traffic).finish(&all)
}

#[test]
fn proxies_of_rds() {
    let copy = copied("RDS", &["DescribeDBProxies", "ListTagsForResource"]);
    let proxy = &copy.world.rds.proxies["n7"];
    assert_eq!(proxy.id, "n5-00000000000000006");
    assert_eq!(
        (proxy.engine_family.as_str(), proxy.require_tls, proxy.idle_client_timeout),
        ("POSTGRESQL", false, 1800)
    );
    assert_eq!(proxy.status, Status::Settled("available".to_owned()));
    assert_eq!(proxy.groups, ["sg-n11"]);
    assert_eq!(proxy.subnets, ["subnet-1", "subnet-2"]);
    let auth = &proxy.auth[0];
    assert_eq!(auth.secret_arn, "arn:aws:secretsmanager:us-west-2:100000000001:secret:n2-n3");
    assert_eq!((auth.scheme.as_str(), auth.iam_auth.as_str()), ("SECRETS", "DISABLED"));
    // What these responses leave out, as older ones do, is as it was then.
    assert_eq!((proxy.default_auth_scheme.as_str(), proxy.endpoint_network_type.as_str()), ("NONE", "IPV4"));
    assert_eq!(proxy.tags.keys().collect::<Vec<_>>(), ["Name", "n1"]);
    assert!(proxy.tags.values().all(|value| value.chars().all(|each| each == 'x')));
    // The role, the subnets and the group are known by name alone.
    assert!(copy.world.ec2.subnets.contains_key("subnet-1") && copy.world.ec2.groups.contains_key("sg-n11"));
}

#[test]
fn what_hangs_on_proxies() {
    let target = copied("RDS", &["DescribeDBProxies", "DescribeDBProxyTargets"]);
    let registered = target.world.rds.proxies["n7"].target_group.target.clone().unwrap();
    assert_eq!((registered.cluster, registered.id.as_str()), (true, "n1"));
    assert!(target.gaps.iter().any(|gap| gap.what == "the health of n1-instance-1 behind the proxy n7"));
    // The pool and the endpoint are of other proxies.
    let copy = copied("RDS", &["DescribeDBProxyTargetGroups", "DescribeDBProxyEndpoints"]);
    assert!(copy.world.rds.proxies.is_empty() && copy.world.rds.endpoints.is_empty());
}

#[test]
fn a_cluster_of_rds() {
    let copy = copied("RDS", &["DescribeDBClusters", "DescribeEvents"]);
    assert!(!copy.world.rds.clusters.is_empty());
    for (id, cluster) in &copy.world.rds.clusters {
        assert!(cluster.engine.contains("aurora") || cluster.engine == "mysql" || cluster.engine == "postgres", "{id}");
        assert!(cluster.endpoint.ends_with(".rds.amazonaws.com"), "{id}: {}", cluster.endpoint);
        assert!(cluster.port > 1024 && !cluster.groups.is_empty() && !cluster.members.is_empty(), "{id}: {cluster:?}");
        assert_eq!(cluster.status, "available");
    }
    let messages: Vec<&str> = copy.world.rds.events.iter().map(|event| event.message.as_str()).collect();
    assert_eq!(messages, ["Backing up DB instance", "n2 DB Instance n3"]);
}

#[test]
fn functions_of_lambda() {
    let copy = copied(
        "Lambda",
        &[
            "GetFunction",
            "GetFunctionConfiguration",
            "ListVersionsByFunction",
            "ListAliases",
            "GetAccountSettings",
            "ListEventSourceMappings",
        ],
    );
    let function = &copy.world.lambda.functions["n4-function"];
    assert_eq!(function.reserved, Some(100));
    assert_eq!((function.latest.memory, function.latest.runtime.as_deref()), (128, Some("nodejs22.x")));
    assert_eq!(function.latest.vpc, None, "an empty attachment is none");
    assert_eq!((function.versions[&2].memory, function.versions[&2].runtime.as_deref()), (256, Some("nodejs10.x")));
    assert_eq!(function.versions[&2].version, "2");
    let other = &copy.world.lambda.functions["n5-function"];
    assert_eq!((other.latest.code_size, other.versions[&1].code_size, other.published), (266, 304, 2));
    assert_ne!(other.versions[&1].description, other.versions[&2].description);
    assert_eq!(copy.world.lambda.concurrency, 1000);
    let mapping = &copy.world.lambda.mappings[0];
    assert_eq!(
        (mapping.batch, mapping.enabled, mapping.source.as_str()),
        (5, true, "arn:aws:sqs:us-west-2:100000000001:n2")
    );
    // Aliases of a function that was not read are left out.
    assert!(!copy.world.lambda.functions.contains_key("n2-function"));
}

#[test]
fn roles_and_policies_of_iam() {
    let copy =
        copied("IAM", &["GetRole", "GetPolicy", "GetPolicyVersion", "ListPolicyVersions", "ListEntitiesForPolicy"]);
    let role = &copy.world.iam.roles["Test-Role"];
    assert_eq!(role.trust, r#"{"Statement":[],"Version":"2012-10-17"}"#);
    assert_eq!((role.path.as_str(), role.max_session, role.id.as_str()), ("/", 3600, "n2"));
    assert_eq!(role.description.as_deref(), Some("x".repeat("<redacted: string, 9 characters>".len()).as_str()));
    let policy = &copy.world.iam.policies["arn:aws:iam::100000000001:policy/n2"];
    // The two pages are of different policies; the policy's own page says which version is the default one.
    assert_eq!((policy.default, policy.versions.len(), policy.next), (1, 2, 3));
    assert!(policy.versions[1].document.contains(r#""Action":"iam:*""#));
}

#[test]
fn the_network_of_ec2() {
    let operations = [
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeSecurityGroups",
        "DescribeSecurityGroupRules",
        "DescribeRouteTables",
        "DescribeNetworkAcls",
    ];
    let copy = copied("EC2", &operations);
    let ec2 = &copy.world.ec2;
    assert_eq!(ec2.vpcs["vpc-n7"].cidr, "10.200.0.1/16");
    let subnet = &ec2.subnets["subnet-n6"];
    assert_eq!((subnet.zone.as_str(), subnet.free_addresses), ("us-east-1d", 4089));
    let group = &ec2.groups["sg-00000001"];
    let (inbound, outbound): (Vec<_>, Vec<_>) = group.rules.values().partition(|rule| !rule.egress);
    assert_eq!(inbound.len(), 2);
    assert!(inbound.iter().all(|rule| rule.protocol == "tcp" && (rule.from_port, rule.to_port) == (22, 22)));
    assert!(inbound.iter().any(|rule| rule.peer == Peer::Group("sg-5".to_owned())));
    assert_eq!((outbound.len(), outbound[0].from_port, outbound[0].protocol.as_str()), (1, -1, "-1"));
    assert!(ec2.route_tables["rtb-n3"].main && !ec2.route_tables["rtb-n15"].main);
    assert_eq!(ec2.route_tables["rtb-n15"].subnets, ["subnet-n16"]);
    assert!(ec2.route_tables["rtb-n3"].routes.contains(&("10.200.0.6/0".to_owned(), "nat-n7".to_owned())));
    let acl = &ec2.acls["acl-n3"];
    assert_eq!((acl.default, acl.entries.len(), acl.subnets.as_slice()), (true, 4, &["subnet-n4".to_owned()][..]));
    assert!(acl.entries.iter().any(|entry| entry.number == 32_767 && !entry.allow && entry.egress));
    assert!(copy.gaps.iter().any(|gap| gap.what.starts_with("the IPv6 entries of the network ACL")));
}

#[test]
fn secrets_and_keys() {
    let copy = copied("Secrets Manager", &["DescribeSecret", "ListSecrets"]);
    let secret = &copy.world.secrets.secrets["n2"];
    assert_eq!(secret.kms_key.as_deref(), Some("arn:aws:kms:us-west-2:100000000001:key/n4-n5-n6-n7-n8"));
    assert!(secret.rotation && secret.rotated_by.is_some());
    let stages: Vec<&str> = secret.versions.iter().flat_map(|version| &version.stages).map(String::as_str).collect();
    assert_eq!(stages, ["AWSPREVIOUS", "AWSCURRENT", "AWSPENDING"]);
    let managed = &copy.world.secrets.secrets["rds!cluster-00000002-n3-n4-n5-n6"];
    assert_eq!((managed.owner.as_deref(), managed.versions.len()), (Some("rds"), 2));
    // The key that the secret names was not read.
    assert!(copy.world.kms.keys.contains_key("n4-n5-n6-n7-n8"));
    let copy = copied("KMS", &["DescribeKey"]);
    let key = copy.world.kms.keys.values().next().unwrap();
    assert!(!key.enabled && !key.aws_managed);
}

#[test]
fn alarms_log_groups_quotas_and_the_caller() {
    let alarm = copied("CloudWatch", &["DescribeAlarms"]).world.monitoring.alarms["n4"].clone();
    assert_eq!((&alarm.configuration["Period"], &alarm.configuration["Threshold"]), (&json!(300), &json!(70.0)));
    assert_eq!((alarm.state.as_str(), alarm.configuration.get("StateValue")), ("OK", None));
    let logs = copied("CloudWatch Logs", &["DescribeLogGroups"]).world.logs;
    assert_eq!(logs.groups["n2-logs"].retention, Some(5));
    let quotas = copied("Service Quotas", &["GetServiceQuota"]).world.quotas;
    assert_eq!(quotas.values().copied().map(|value| value.to_string()).collect::<Vec<_>>(), ["1920"]);
    let copy = copied("STS", &["GetCallerIdentity"]);
    assert_eq!(copy.world.account, "100000000001");
    assert_eq!(copy.world.principals[copy::REHEARSER].arn, "arn:aws:iam::100000000001:user/n2");
}
