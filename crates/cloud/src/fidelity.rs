//! Real responses, read by these wrappers: `tests/recordings/real.jsonl` has one a line with its source.
//!
//! `crates/recording/tests/fidelity.rs` holds the simulated account to the same lines.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use clock::Clock;
use recording::wire;
use sandbox::{Account, Handled, Reply, Request, Response, mount};
use serde_json::{Value, json};

use crate::Cloud;

#[path = "../../../tests/recordings/real.rs"]
#[expect(dead_code, reason = "the note is for docs/fidelity.md")]
mod real;

use self::real::{Real, real};

/// An account that says the same to everyone.
#[derive(Debug)]
struct Echo(Response);

impl Account for Echo {
    fn answer(&self, _: &Request) -> io::Result<Handled> {
        Ok(Handled { reply: Reply::Answer(self.0.clone()), latency: Duration::ZERO })
    }
}

/// Without what was redacted and is no text: the wire has a list or a structure there.
fn whole(value: &Value) -> Value {
    let other = |value: &Value| {
        let text = value.as_str().unwrap_or_default();
        text.starts_with("<redacted: ") && !text.starts_with("<redacted: string")
    };
    match value {
        Value::Object(members) => {
            let kept = members.iter().filter(|(_, value)| !other(value));
            Value::Object(kept.map(|(name, value)| (name.clone(), whole(value))).collect())
        }
        Value::Array(items) => items.iter().map(whole).collect(),
        other => other.clone(),
    }
}

impl Real {
    /// As it was on the wire.
    fn response(&self) -> Response {
        let (service, operation) = (self.service.as_str(), self.operation.as_str());
        let xml = matches!(service, "RDS" | "EC2" | "IAM" | "STS");
        let mut headers = vec![("x-amzn-requestid".to_owned(), "00000000-0000-4000-8000-000000000000".to_owned())];
        let members = self.members.as_ref().map(whole);
        let body = match (&members, &self.error) {
            (Some(members), _) if xml => wire::xml(service, operation, members).into_bytes(),
            (Some(members), _) if service == "CloudWatch" => {
                headers.push(("smithy-protocol".to_owned(), "rpc-v2-cbor".to_owned()));
                wire::cbor(members)
            }
            (Some(members), _) => members.to_string().into_bytes(),
            (None, Some(error)) if xml => wire::xml_error(service, &error.code, &error.message).into_bytes(),
            (None, Some(error)) => {
                headers.push(("x-amzn-errortype".to_owned(), error.code.clone()));
                json!({ "Message": error.message, "message": error.message }).to_string().into_bytes()
            }
            (None, None) => Vec::new(),
        };
        Response { status: self.status, headers, body }
    }
}

/// What the product, or for calls that change something the SDK, makes of a response; `None` where nothing here makes
/// that call.
async fn understood(real: &Real) -> Option<Result<(), String>> {
    let http = mount(Arc::new(Echo(real.response())), 1.0);
    let cloud = Cloud::mounted(http.clone(), "us-east-1", "AKIATEST", &Clock::real());
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .http_client(http)
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new("AKIATEST", "x", None, None, "test")))
        .build();
    let (rds, ec2, iam) =
        (aws_sdk_rds::Client::new(&config), aws_sdk_ec2::Client::new(&config), aws_sdk_iam::Client::new(&config));
    let lambda = aws_sdk_lambda::Client::new(&config);
    macro_rules! sent {
        ($call:expr) => {
            $call.send().await.map(drop).map_err(|error| format!("{error:?}"))
        };
    }
    macro_rules! read {
        ($call:expr) => {
            $call.await.map(drop).map_err(|refusal| format!("{refusal}"))
        };
    }
    let f = "arn:aws:lambda:us-east-1:123456789012:function:f";
    Some(match real.operation.as_str() {
        "DescribeDBProxies" => read!(cloud.rds.proxies()),
        "DescribeDBProxyTargets" => read!(cloud.rds.targets("p")),
        "DescribeDBProxyTargetGroups" => read!(cloud.rds.target_group("p")),
        "DescribeDBProxyEndpoints" => read!(cloud.rds.endpoints("p")),
        "RegisterDBProxyTargets" => read!(cloud.rds.register("p", "d", true)),
        "DeleteDBProxy" => read!(cloud.rds.delete_proxy("p")),
        "DeleteDBProxyEndpoint" => read!(cloud.rds.delete_endpoint("e")),
        "DescribeDBClusters" => read!(cloud.rds.clusters()),
        "DescribeEvents" => read!(cloud.rds.proxy_events("p")),
        "ListTagsForResource" => read!(cloud.rds.tags("arn:aws:rds:us-east-1:123456789012:db:d")),
        "CreateDBProxy" => sent!(rds.create_db_proxy()),
        "ModifyDBProxy" => sent!(rds.modify_db_proxy()),
        "ModifyDBProxyTargetGroup" => sent!(rds.modify_db_proxy_target_group()),
        "CreateDBProxyEndpoint" => sent!(rds.create_db_proxy_endpoint()),
        "GetFunction" => read!(cloud.lambda.get("f")),
        "GetFunctionConfiguration" => sent!(lambda.get_function_configuration().function_name("f")),
        "UpdateFunctionConfiguration" => sent!(lambda.update_function_configuration().function_name("f")),
        "PublishVersion" => sent!(lambda.publish_version().function_name("f")),
        "UpdateAlias" => sent!(lambda.update_alias().function_name("f").name("a")),
        "ListAliases" => read!(cloud.lambda.aliases("f")),
        "ListVersionsByFunction" => read!(cloud.lambda.versions(f)),
        "GetAccountSettings" => read!(cloud.lambda.concurrency()),
        "GetFunctionConcurrency" => read!(cloud.lambda.reserved("f")),
        "ListEventSourceMappings" => read!(cloud.lambda.mappings()),
        "GetRole" => read!(cloud.iam.role("r")),
        "GetPolicy" => read!(cloud.iam.policy("arn:aws:iam::123456789012:policy/p")),
        "GetPolicyVersion" => read!(cloud.iam.policy_document("arn:aws:iam::123456789012:policy/p", "v1")),
        "ListEntitiesForPolicy" => read!(cloud.iam.carriers("arn:aws:iam::123456789012:policy/p")),
        "ListPolicyVersions" => read!(cloud.iam.idle_policy_versions("arn:aws:iam::123456789012:policy/p")),
        "DeletePolicy" => read!(cloud.iam.delete_policy("arn:aws:iam::123456789012:policy/p")),
        "CreateRole" => sent!(iam.create_role()),
        "CreatePolicy" => sent!(iam.create_policy()),
        "SimulatePrincipalPolicy" => sent!(iam.simulate_principal_policy()),
        "DescribeSecurityGroups" => read!(cloud.ec2.groups_of_vpc("vpc-1")),
        "DescribeSecurityGroupRules" => read!(cloud.ec2.rules_of("sg-1")),
        "DescribeSubnets" => read!(cloud.ec2.subnets_of_vpc("vpc-1")),
        "DescribeVpcs" => read!(cloud.ec2.vpc("vpc-1")),
        "DescribeRouteTables" => read!(cloud.ec2.routes_of_vpc("vpc-1")),
        "DescribeNetworkAcls" => read!(cloud.ec2.acls_of_vpc("vpc-1")),
        "DeleteSecurityGroup" => read!(cloud.ec2.delete_group("sg-1")),
        "AuthorizeSecurityGroupIngress" => sent!(ec2.authorize_security_group_ingress()),
        "CreateSecurityGroup" => sent!(ec2.create_security_group()),
        "DescribeSecret" => read!(cloud.secrets.describe("s")),
        "ListSecrets" => read!(cloud.secrets.beginning_with("s")),
        "CreateSecret" => sent!(aws_sdk_secretsmanager::Client::new(&config).create_secret()),
        "DescribeKey" => read!(cloud.kms.key("k")),
        "GetMetricData" => sent!(aws_sdk_cloudwatch::Client::new(&config).get_metric_data()),
        "DescribeAlarms" => read!(cloud.alarms.beginning_with("a")),
        "DescribeLogGroups" => sent!(aws_sdk_cloudwatchlogs::Client::new(&config).describe_log_groups()),
        "GetServiceQuota" => read!(cloud.quotas.proxies()),
        "GetCallerIdentity" => read!(cloud.sts.identity()),
        _ => return None,
    })
}

#[tokio::test(start_paused = true)]
async fn the_product_reads_every_real_response() {
    let all = real(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    let answers = all.iter().filter(|real| real.members.is_some()).count();
    assert!(answers >= 40 && all.len() > answers, "{answers} responses, {} lines", all.len());
    for real in all {
        assert!(real.source.starts_with("https://"), "{real:?}");
        let Some(outcome) = Box::pin(understood(&real)).await else { panic!("nothing here calls {}", real.operation) };
        match (&real.error, outcome) {
            (None, outcome) => assert_eq!(outcome, Ok(()), "{real:?}"),
            (Some(error), Err(answer)) => assert!(answer.contains(&error.code), "{answer}"),
            (Some(_), Ok(())) => panic!("a refusal was read as a success: {real:?}"),
        }
    }
}
