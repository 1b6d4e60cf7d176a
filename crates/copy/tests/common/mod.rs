//! A simulated account that is asked over its wire, and a copy that listens.
#![allow(dead_code, reason = "each test uses what it needs")]

pub(crate) mod accounts;
#[path = "../../../../tests/recordings/wire.rs"]
pub(crate) mod questions;
pub(crate) mod recorded;
pub(crate) mod vary;

use copy::{Copying, Heard};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
pub(crate) use questions::{request, scope};
use recording::wire;
use sandbox::{Moment, Reply, Request, World};
use serde_json::{Map, Value, json};

/// A call and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Traffic {
    pub(crate) request: Request,
    pub(crate) status: u16,
    pub(crate) answered_as: String,
    pub(crate) error_type: Option<String>,
    pub(crate) answered: Vec<u8>,
}

impl Traffic {
    pub(crate) fn heard(&self) -> Heard<'_> {
        Heard {
            request: &self.request,
            status: self.status,
            answered_as: &self.answered_as,
            error_type: self.error_type.as_deref(),
            answered: &self.answered,
        }
    }
}

/// A copy of what was heard.
pub(crate) fn heard(traffic: &[Traffic]) -> Copying {
    let mut copying = Copying::new("eu-central-1");
    for call in traffic {
        copying.hear(&call.heard());
    }
    copying
}

/// The wire of a simulated account.
pub(crate) struct Line {
    pub(crate) world: World,
    pub(crate) now: Moment,
    pub(crate) key: &'static str,
    pub(crate) traffic: Vec<Traffic>,
}

impl Line {
    pub(crate) fn to(world: World) -> Self {
        let now = world.now.max(Moment(1));
        Self { world, now, key: "AKIATEST", traffic: Vec::new() }
    }

    /// Asks and returns the members of the answer, or of the refusal.
    pub(crate) fn ask(&mut self, scope: &str, action: &str, members: &Value) -> Map<String, Value> {
        let request = request(self.key, scope, action, members);
        self.send(scope, request)
    }

    /// Asks Lambda.
    pub(crate) fn get(&mut self, path: &str) -> Map<String, Value> {
        let request = questions::rest(self.key, path, &Value::Null);
        self.send("lambda", request)
    }

    pub(crate) fn send(&mut self, scope: &str, request: Request) -> Map<String, Value> {
        let handled = self.world.handle(self.now, &request);
        let Reply::Answer(answer) = handled.reply else { panic!("{request:?} was not answered") };
        let header = |name: &str| answer.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.clone());
        let call = Traffic {
            request,
            status: answer.status,
            answered_as: header("content-type").unwrap_or_default(),
            error_type: header("x-amzn-errortype"),
            answered: answer.body,
        };
        let (_, read) = wire::response(scope, &call.answered_as, &call.answered);
        self.traffic.push(call);
        read.as_object().cloned().unwrap_or_default()
    }

    /// Asks and follows the pages by a token.
    pub(crate) fn pages(&mut self, scope: &str, action: &str, members: &Value, token: [&str; 2]) {
        let mut members = members.clone();
        for _ in 0..100 {
            let answer = self.ask(scope, action, &members);
            let Some(next) = answer.get(token[0]).and_then(Value::as_str).filter(|next| !next.is_empty()) else {
                return;
            };
            members[token[1]] = json!(next);
        }
        panic!("{action} has no end");
    }
}

/// Every read that this tool makes, of everything that is in an account.
pub(crate) fn read_all(line: &mut Line) {
    let none = json!({});
    let world = line.world.clone();
    line.ask("sts", "GetCallerIdentity", &none);
    for action in [
        "DescribeVpcs",
        "DescribeSubnets",
        "DescribeSecurityGroups",
        "DescribeSecurityGroupRules",
        "DescribeNetworkAcls",
        "DescribeRouteTables",
        "DescribeNetworkInterfaces",
    ] {
        line.pages("ec2", action, &none, ["nextToken", "NextToken"]);
    }
    read_rds(line, &world);
    read_iam(line, &world);
    read_lambda(line, &world);
    line.pages("secretsmanager", "ListSecrets", &json!({ "IncludePlannedDeletion": true }), ["NextToken", "NextToken"]);
    for name in world.secrets.secrets.keys() {
        for action in ["DescribeSecret", "GetSecretValue", "GetResourcePolicy"] {
            line.ask("secretsmanager", action, &json!({ "SecretId": name }));
        }
    }
    line.pages("kms", "ListAliases", &none, ["NextMarker", "Marker"]);
    for key in world.kms.keys.values() {
        line.ask("kms", "DescribeKey", &json!({ "KeyId": key.arn }));
        line.ask("kms", "GetKeyPolicy", &json!({ "KeyId": key.id }));
    }
    line.pages("logs", "DescribeLogGroups", &none, ["nextToken", "nextToken"]);
    for name in world.logs.groups.keys().chain(world.logs.by_services.keys()) {
        let arn = format!("arn:aws:logs:eu-central-1:{}:log-group:{name}", world.account);
        line.ask("logs", "ListTagsForResource", &json!({ "resourceArn": arn }));
    }
    line.pages("monitoring", "DescribeAlarms", &none, ["NextToken", "NextToken"]);
    for name in world.monitoring.alarms.keys() {
        let arn = format!("arn:aws:cloudwatch:eu-central-1:{}:alarm:{name}", world.account);
        line.ask("monitoring", "ListTagsForResource", &json!({ "ResourceARN": arn }));
    }
    for name in world.monitoring.dashboards.keys() {
        line.ask("monitoring", "GetDashboard", &json!({ "DashboardName": name }));
    }
    for (service, code) in [("rds", "L-D94C7EA3"), ("lambda", "L-B99A9384")] {
        line.ask("servicequotas", "GetServiceQuota", &json!({ "ServiceCode": service, "QuotaCode": code }));
    }
}

fn read_rds(line: &mut Line, world: &World) {
    let marker = ["Marker", "Marker"];
    for action in [
        "DescribeDBInstances",
        "DescribeDBClusters",
        "DescribeDBClusterEndpoints",
        "DescribeDBSubnetGroups",
        "DescribeDBProxies",
        "DescribeDBProxyEndpoints",
    ] {
        line.pages("rds", action, &json!({}), marker);
    }
    for group in world.rds.parameters.keys() {
        line.pages("rds", "DescribeDBParameters", &json!({ "DBParameterGroupName": group }), marker);
        line.pages("rds", "DescribeDBClusterParameters", &json!({ "DBClusterParameterGroupName": group }), marker);
    }
    for proxy in world.rds.proxies.keys() {
        for action in ["DescribeDBProxyTargetGroups", "DescribeDBProxyTargets"] {
            line.pages("rds", action, &json!({ "DBProxyName": proxy }), marker);
        }
    }
    let arn = |kind: &str, id: &str| format!("arn:aws:rds:eu-central-1:{}:{kind}:{id}", world.account);
    let proxies = world.rds.proxies.values().map(|proxy| arn("db-proxy", &proxy.id));
    let endpoints = world.rds.endpoints.values().map(|endpoint| arn("db-proxy-endpoint", &endpoint.id));
    for arn in proxies.chain(endpoints) {
        line.ask("rds", "ListTagsForResource", &json!({ "ResourceName": arn }));
    }
}

fn read_iam(line: &mut Line, world: &World) {
    let marker = ["Marker", "Marker"];
    line.pages("iam", "ListRoles", &json!({}), marker);
    line.pages("iam", "ListPolicies", &json!({}), marker);
    for (name, role) in &world.iam.roles {
        for action in ["GetRole", "ListRolePolicies", "ListAttachedRolePolicies"] {
            line.ask("iam", action, &json!({ "RoleName": name }));
        }
        for policy in role.inline.keys() {
            line.ask("iam", "GetRolePolicy", &json!({ "RoleName": name, "PolicyName": policy }));
        }
    }
    for (arn, policy) in &world.iam.policies {
        for action in ["GetPolicy", "ListEntitiesForPolicy", "ListPolicyVersions"] {
            line.ask("iam", action, &json!({ "PolicyArn": arn }));
        }
        for version in &policy.versions {
            line.ask(
                "iam",
                "GetPolicyVersion",
                &json!({ "PolicyArn": arn, "VersionId": format!("v{}", version.number) }),
            );
        }
    }
}

fn read_lambda(line: &mut Line, world: &World) {
    for list in
        ["/2015-03-31/functions?", "/2015-03-31/functions?FunctionVersion=ALL&", "/2015-03-31/event-source-mappings?"]
    {
        let mut path = list.to_owned();
        while let Some(next) = line.get(&path).get("NextMarker").and_then(Value::as_str) {
            path = format!("{list}Marker={}", utf8_percent_encode(next, NON_ALPHANUMERIC));
        }
    }
    line.get("/2016-08-19/account-settings");
    for (name, function) in &world.lambda.functions {
        for path in ["", "/configuration", "/versions", "/aliases", "/policy"] {
            line.get(&format!("/2015-03-31/functions/{name}{path}"));
        }
        line.get(&format!("/2019-09-30/functions/{name}/concurrency"));
        line.get(&format!("/2019-09-30/functions/{name}/provisioned-concurrency?List=ALL"));
        line.get(&format!("/2017-03-31/tags/{}", utf8_percent_encode(&function.latest.arn, NON_ALPHANUMERIC)));
    }
}
