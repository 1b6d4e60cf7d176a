//! Accounts to copy, made over the wire.

use std::collections::BTreeMap;
use std::time::Duration;

use sandbox::World;
use sandbox::parts::{Interface, Mapping};
use serde_json::{Value, json};

use super::Line;

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"rds.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;

fn must(line: &mut Line, scope: &str, action: &str, members: &Value) -> serde_json::Map<String, Value> {
    let answer = line.ask(scope, action, members);
    let status = line.traffic.last().unwrap().status;
    assert!(status < 300, "{action}: {answer:?}");
    answer
}

fn pass(line: &mut Line, seconds: u64) {
    line.now = line.now + Duration::from_secs(seconds);
}

/// Tags of this tool's own and of others.
fn tags() -> Value {
    json!([{ "Key": "rdsproxy-setup:stack", "Value": "shop-proxy" }, { "Key": "team", "Value": "shop" }])
}

/// The sample account with a stack on each database and everything else that a copy knows.
pub(crate) fn busy() -> World {
    let mut line = Line::to(World::newcomer());
    let role = stack_role(&mut line);
    proxies(&mut line, &role);
    functions(&mut line);
    secrets_and_keys(&mut line);
    watched(&mut line);
    pass(&mut line, 86_400);
    line.ask("sts", "GetCallerIdentity", &json!({}));
    let vpc = line.world.lambda.functions["DBAppFunction"].latest.vpc.clone().unwrap();
    let other = Interface {
        owner: "other".to_owned(),
        description: "RDSNetworkInterface".to_owned(),
        kind: "interface".to_owned(),
        subnet_id: vpc.subnets[0].clone(),
        groups: vpc.groups,
        address: "10.0.1.99".to_owned(),
        released: None,
    };
    line.world.ec2.interfaces.insert("eni-0123456789abcdef0".to_owned(), other);
    line.world
}

fn stack_role(line: &mut Line) -> String {
    let allow = |action: &str| {
        json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": action, "Resource": "*" }] })
            .to_string()
    };
    let boundary = json!({ "PolicyName": "boundary", "PolicyDocument": allow("*") });
    must(line, "iam", "CreatePolicy", &boundary);
    let boundary = "arn:aws:iam::123456789012:policy/boundary";
    let role = json!({ "RoleName": "shop-proxy", "Path": "/rdsproxy-setup/shop/", "AssumeRolePolicyDocument": TRUST,
        "Description": "Lets RDS Proxy read the database's credentials. Made by rdsproxy-setup.", "Tags": tags(),
        "PermissionsBoundary": boundary });
    must(line, "iam", "CreateRole", &role);
    let inline = json!({ "RoleName": "shop-proxy", "PolicyName": "read-secrets",
        "PolicyDocument": allow("secretsmanager:GetSecretValue") });
    must(line, "iam", "PutRolePolicy", &inline);
    let policy = json!({ "PolicyName": "connect", "PolicyDocument": allow("rds-db:connect"), "Tags": tags(),
        "Description": "Lets functions log in through an RDS Proxy. Made by rdsproxy-setup." });
    must(line, "iam", "CreatePolicy", &policy);
    let arn = "arn:aws:iam::123456789012:policy/connect";
    let version = json!({ "PolicyArn": arn, "PolicyDocument": allow("rds-db:*"), "SetAsDefault": "true" });
    must(line, "iam", "CreatePolicyVersion", &version);
    for role in ["DBAppFunctionRole", "InvoiceFunctionRole"] {
        must(line, "iam", "AttachRolePolicy", &json!({ "RoleName": role, "PolicyArn": arn }));
    }
    pass(line, 60);
    "arn:aws:iam::123456789012:role/rdsproxy-setup/shop/shop-proxy".to_owned()
}

fn proxies(line: &mut Line, role: &str) {
    let rds = &line.world.rds;
    let instance = rds.instances["my-instance"].clone();
    let subnets = rds.subnet_groups[&instance.subnet_group].subnets.clone();
    let vpc = rds.subnet_groups[&instance.subnet_group].vpc_id.clone();
    let cluster = rds.clusters["my-cluster"].clone();
    let own = line.world.secrets.secrets["my-cluster/app"].arn.clone();
    let specification =
        json!([{ "ResourceType": "security-group", "Tag": [{ "Key": "rdsproxy-setup:stack", "Value": "shop" }] }]);
    let group = json!({ "GroupName": "shop-proxy", "GroupDescription": "RDS Proxy shop-proxy", "VpcId": vpc,
        "TagSpecification": specification });
    let group = must(line, "ec2", "CreateSecurityGroup", &group)["groupId"].as_str().unwrap().to_owned();
    for (database, port) in [(&instance.groups[0], 3306), (&cluster.groups[0], 5432)] {
        let permission = json!({ "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
            "Groups": [{ "GroupId": group, "Description": "rdsproxy-setup shop-proxy" }],
            "IpRanges": [{ "CidrIp": "10.9.0.0/16", "Description": "the office" }],
            "Ipv6Ranges": [{ "CidrIpv6": "fd00::/8" }],
            "PrefixListIds": [{ "PrefixListId": "pl-1" }] });
        let rule = json!({ "GroupId": database, "IpPermissions": [permission], "TagSpecification": [
            { "ResourceType": "security-group-rule", "Tag": [{ "Key": "rdsproxy-setup:stack", "Value": "shop" }] }] });
        must(line, "ec2", "AuthorizeSecurityGroupIngress", &rule);
    }
    for (name, family, secret) in
        [("shop-mysql", "MYSQL", instance.master_secret.clone().unwrap()), ("shop-postgres", "POSTGRESQL", own)]
    {
        let auth =
            json!([{ "AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "REQUIRED", "Description": "the app" }]);
        let proxy = json!({ "DBProxyName": name, "EngineFamily": family, "RoleArn": role, "Auth": auth, "Tags": tags(),
            "VpcSubnetIds": subnets, "VpcSecurityGroupIds": [group], "RequireTLS": true, "IdleClientTimeout": 900 });
        must(line, "rds", "CreateDBProxy", &proxy);
    }
    pass(line, 1_800);
    let target = json!({ "DBProxyName": "shop-mysql", "DBInstanceIdentifiers": ["my-instance"] });
    must(line, "rds", "RegisterDBProxyTargets", &target);
    let target = json!({ "DBProxyName": "shop-postgres", "DBClusterIdentifiers": ["my-cluster"] });
    must(line, "rds", "RegisterDBProxyTargets", &target);
    let pool = json!({ "DBProxyName": "shop-mysql", "TargetGroupName": "default", "ConnectionPoolConfig": {
        "MaxConnectionsPercent": 70, "MaxIdleConnectionsPercent": 7, "ConnectionBorrowTimeout": 12,
        "SessionPinningFilters": ["EXCLUDE_VARIABLE_SETS"] } });
    must(line, "rds", "ModifyDBProxyTargetGroup", &pool);
    let endpoint = json!({ "DBProxyName": "shop-postgres", "DBProxyEndpointName": "shop-reader", "VpcSubnetIds": subnets,
        "TargetRole": "READ_ONLY", "VpcSecurityGroupIds": [group], "Tags": tags() });
    must(line, "rds", "CreateDBProxyEndpoint", &endpoint);
    line.world.rds.instances.get_mut("my-instance").unwrap().tags =
        BTreeMap::from([("rdsproxy-setup:iam-auth".to_owned(), "shop-proxy".to_owned())]);
    let group = BTreeMap::from([("read_only".to_owned(), "ON".to_owned())]);
    line.world.rds.parameters.insert("own".to_owned(), group);
}

fn functions(line: &mut Line) {
    let functions = &mut line.world.lambda.functions;
    let orders = functions.get_mut("OrdersFunction").unwrap();
    let mut second = orders.versions[&1].clone();
    "2".clone_into(&mut second.version);
    "rdsproxy-setup shop-proxy: live was 1".clone_into(&mut second.description);
    second.layers = vec!["arn:aws:lambda:eu-central-1:123456789012:layer:log:3".to_owned()];
    orders.versions.insert(2, second);
    orders.published = 2;
    let mut canary = orders.aliases["live"].clone();
    "canary".clone_into(&mut canary.name);
    "2".clone_into(&mut canary.version);
    canary.weights = BTreeMap::from([("1".to_owned(), 0.25)]);
    orders.aliases.insert("canary".to_owned(), canary);
    orders.provisioned = BTreeMap::from([("live".to_owned(), 5)]);
    orders.reserved = Some(20);
    orders.policy = Some(json!({ "Version": "2012-10-17", "Statement": [] }));
    let webhook = functions.get_mut("WebhookFunction").unwrap();
    webhook.latest.dead_letter = Some("arn:aws:sqs:eu-central-1:123456789012:dead".to_owned());
    webhook.latest.file_systems = vec![json!({ "Arn": "arn:aws:elasticfilesystem:x", "LocalMountPath": "/mnt/a" })];
    webhook.latest.logging = Some(json!({ "LogFormat": "JSON", "LogGroup": "/own" }));
    webhook.latest.snap_start = true;
    "Active".clone_into(&mut webhook.latest.tracing);
    webhook.tags.insert("ManagedBy".to_owned(), "terraform".to_owned());
    let thumbnail = functions.get_mut("ThumbnailFunction").unwrap();
    "Image".clone_into(&mut thumbnail.latest.package_type);
    thumbnail.latest.runtime = None;
    thumbnail.latest.handler = None;
    thumbnail.latest.image = Some(json!({ "Command": ["app.handler"] }));
    thumbnail.latest.update = sandbox::parts::Update::Failed("InvalidSubnet".to_owned());
    thumbnail.latest.environment = None;
    let mapping = Mapping {
        id: "a1b2c3d4-0000-4000-8000-000000000001".to_owned(),
        source: "arn:aws:sqs:eu-central-1:123456789012:orders".to_owned(),
        function: "arn:aws:lambda:eu-central-1:123456789012:function:OrdersFunction:live".to_owned(),
        enabled: true,
        batch: 5,
        maximum_concurrency: Some(7),
        ..Mapping::default()
    };
    line.world.lambda.mappings.push(mapping);
}

fn secrets_and_keys(line: &mut Line) {
    let key = must(line, "kms", "CreateKey", &json!({ "Description": "for secrets" }));
    let key = key["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    must(line, "kms", "CreateAlias", &json!({ "AliasName": "alias/shop", "TargetKeyId": key }));
    let value = json!({ "username": "app", "password": "hunter2" }).to_string();
    let secret = json!({ "Name": "rdsproxy-setup/shop/app", "SecretString": value, "KmsKeyId": key, "Tags": [
        { "Key": "rdsproxy-setup:user", "Value": "app" }, { "Key": "team", "Value": "shop" }],
        "Description": "A database user's login for RDS Proxy, created by rdsproxy-setup" });
    must(line, "secretsmanager", "CreateSecret", &secret);
    let put = json!({ "SecretId": "rdsproxy-setup/shop/app", "SecretString": "{\"password\":\"other\"}" });
    must(line, "secretsmanager", "PutSecretValue", &put);
    must(line, "secretsmanager", "CreateSecret", &json!({ "Name": "without-a-value", "Description": "" }));
    must(line, "secretsmanager", "CreateSecret", &json!({ "Name": "going", "SecretString": "x" }));
    must(line, "secretsmanager", "DeleteSecret", &json!({ "SecretId": "going" }));
    let own = line.world.secrets.secrets.get_mut("my-cluster/app").unwrap();
    own.policy = Some(json!({ "Version": "2012-10-17", "Statement": [] }));
    own.rotation = true;
    own.rotated_by = Some("arn:aws:lambda:eu-central-1:123456789012:function:Rotator".to_owned());
    let invoice = line.world.lambda.functions.get_mut("InvoiceFunction").unwrap();
    invoice.latest.kms_key = Some(key);
}

fn watched(line: &mut Line) {
    let arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/aws/rds/proxy/shop-mysql";
    let tags_of_group = json!({ "resourceArn": arn, "tags": { "rdsproxy-setup:stack": "shop-proxy", "team": "shop" } });
    must(line, "logs", "TagResource", &tags_of_group);
    must(line, "logs", "CreateLogGroup", &json!({ "logGroupName": "/own" }));
    let keep = json!({ "logGroupName": "/aws/rds/proxy/shop-mysql", "retentionInDays": 30 });
    must(line, "logs", "PutRetentionPolicy", &keep);
    let alarm = json!({ "AlarmName": "shop", "AlarmDescription": "what the shop needs", "Namespace": "AWS/RDS",
        "MetricName": "ClientConnections", "Statistic": "Maximum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 90.0,
        "ActionsEnabled": true, "ComparisonOperator": "GreaterThanThreshold", "TreatMissingData": "notBreaching",
        "AlarmActions": ["arn:aws:sns:eu-central-1:123456789012:page"], "Tags": tags(),
        "Dimensions": [{ "Name": "ProxyName", "Value": "shop-mysql" }] });
    must(line, "monitoring", "PutMetricAlarm", &alarm);
    let body = json!({ "widgets": [] }).to_string();
    must(line, "monitoring", "PutDashboard", &json!({ "DashboardName": "shop", "DashboardBody": body }));
    line.world.quotas.insert("L-D94C7EA3".to_owned(), 40.0);
    line.world.lambda.concurrency = 3000;
}
