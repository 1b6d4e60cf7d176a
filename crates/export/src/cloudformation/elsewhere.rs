//! A template with parameters that makes the same proxy in another account or Region, for StackSets.
//!
//! Names that must be unique in an account are left to CloudFormation, but for the proxy's: so one template serves many
//! accounts and Regions, and two proxies of one account.

use serde_json::{Map, Value, json};

use super::fragments::{auth, object, plain, pool};
use crate::policy::{keys, users};
use crate::stack::Auth;
use crate::{Stack, one_line};

/// The template.
pub(super) fn template(stack: &Stack) -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": one_line(&format!("An RDS Proxy as {} has it, exported by {}", stack.name, stack.tool)),
        "Parameters": parameters(stack),
        "Conditions": if stack.policies.is_empty() { json!({}) } else { json!({"HasFunctionRoles": has_roles()}) },
        "Resources": resources(stack),
        "Outputs": outputs(stack),
    })
}

fn has_roles() -> Value {
    json!({"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "FunctionRoleNames"}]}, ""]}]})
}

/// Whether the proxy's role may decrypt with keys of the customer's.
fn customer_keys(stack: &Stack) -> bool {
    stack.role.iter().flat_map(|role| role.inline.values()).any(|document| !keys(document).is_empty())
}

/// The users as whom the proxy logs in at the database with IAM.
fn database_users(stack: &Stack) -> Vec<String> {
    let mut all: Vec<String> = stack.role.iter().flat_map(|role| role.inline.values()).flat_map(users).collect();
    all.sort();
    all.dedup();
    all
}

/// The database's port: that of the rule on a group of others.
fn database_port(stack: &Stack) -> i32 {
    let others = |group: &String| !stack.groups.iter().any(|own| own.id == *group);
    let of_database = stack.rules.iter().find(|rule| !rule.egress && others(&rule.group));
    of_database.and_then(|rule| rule.ports).map_or(i32::from(stack.proxy.port), |(first, _)| first)
}

fn secret_parameter(at: usize) -> String {
    format!("SecretArn{}", at + 1)
}

fn parameters(stack: &Stack) -> Value {
    let mut all = Map::new();
    let mut add = |name: &str, kind: &str, what: &str, default: Option<Value>| {
        let one = object([("Type", Some(json!(kind))), ("Description", Some(json!(what))), ("Default", default)]);
        all.insert(name.to_owned(), one);
    };
    let kind = if stack.database.cluster { "cluster" } else { "instance" };
    add("ProxyName", "String", "The proxy's name", Some(json!(stack.name)));
    add("DatabaseIdentifier", "String", &format!("The DB {kind}"), Some(json!(stack.database.id)));
    add("VpcId", "AWS::EC2::VPC::Id", "The database's VPC", None);
    add("SubnetIds", "List<AWS::EC2::Subnet::Id>", "Subnets in two Availability Zones or more", None);
    add("DatabaseSecurityGroupId", "AWS::EC2::SecurityGroup::Id", "A security group of the database", None);
    add("DatabasePort", "Number", "The database's port", Some(json!(database_port(stack))));
    add("FunctionSecurityGroupId", "AWS::EC2::SecurityGroup::Id", "A security group of the functions", None);
    for (at, _) in stack.proxy.auth.iter().enumerate() {
        add(&secret_parameter(at), "String", "The ARN of a secret with username and password of a database user", None);
    }
    if customer_keys(stack) {
        add("KmsKeyArns", "CommaDelimitedList", "The ARNs of the KMS keys of these secrets", None);
    }
    if !database_users(stack).is_empty() {
        add("DatabaseResourceId", "String", "The database's resource ID: db-... or cluster-...", None);
    }
    if stack.role.is_none() {
        add("ProxyRoleArn", "String", "The ARN of the role that the proxy assumes", None);
    }
    if !stack.policies.is_empty() {
        let what = "The names of the functions' roles, separated by commas; empty for none";
        add("FunctionRoleNames", "CommaDelimitedList", what, Some(json!("")));
    }
    Value::Object(all)
}

fn resources(stack: &Stack) -> Value {
    let mut all = Map::new();
    let mut add = |name: &str, value: Value| drop(all.insert(name.to_owned(), value));
    if let Some(role) = &stack.role {
        let properties = object([
            ("Description", Some(json!("Lets RDS Proxy log in at the database"))),
            ("AssumeRolePolicyDocument", Some(role.trust.clone())),
            ("Policies", role_policies(stack)),
        ]);
        add("ProxyRole", json!({"Type": "AWS::IAM::Role", "Properties": properties}));
    }
    let description = json!({"Fn::Sub": "RDS Proxy ${ProxyName}"});
    // With the outbound rule that EC2 gives to each group, as the exported one has it.
    let properties = json!({"GroupDescription": description, "VpcId": {"Ref": "VpcId"}});
    add("ProxyGroup", json!({"Type": "AWS::EC2::SecurityGroup", "Properties": properties}));
    let group = json!({"Fn::GetAtt": ["ProxyGroup", "GroupId"]});
    let rule = |to: Value, from: Value, port: Value, what: Value| {
        json!({"Type": "AWS::EC2::SecurityGroupIngress", "Properties": {
            "GroupId": to, "SourceSecurityGroupId": from, "IpProtocol": "tcp", "FromPort": port, "ToPort": port,
            "Description": what,
        }})
    };
    let (database, functions) = (json!({"Ref": "DatabaseSecurityGroupId"}), json!({"Ref": "FunctionSecurityGroupId"}));
    add("DatabaseFromProxy", rule(database, group.clone(), json!({"Ref": "DatabasePort"}), description.clone()));
    add("ProxyFromFunctions", rule(group.clone(), functions, json!(stack.proxy.port), json!("From the functions")));
    if let Some(found) = &stack.log_group {
        let properties = object([
            ("LogGroupName", Some(json!({"Fn::Sub": "/aws/rds/proxy/${ProxyName}"}))),
            ("RetentionInDays", found.retention.map(|days| json!(days))),
        ]);
        let policy = ("DeletionPolicy", "UpdateReplacePolicy");
        add(
            "LogGroup",
            json!({"Type": "AWS::Logs::LogGroup", policy.0: "Delete", policy.1: "Delete", "Properties": properties}),
        );
    }
    add("Proxy", proxy(stack, &group));
    let identifiers = if stack.database.cluster { "DBClusterIdentifiers" } else { "DBInstanceIdentifiers" };
    let target = object([
        ("DBProxyName", Some(json!({"Ref": "Proxy"}))),
        ("TargetGroupName", Some(json!("default"))),
        (identifiers, Some(json!([{"Ref": "DatabaseIdentifier"}]))),
        ("ConnectionPoolConfigurationInfo", pool(&stack.pool)),
    ]);
    // Otherwise the target would come before the way to it.
    add(
        "TargetGroup",
        json!({"Type": "AWS::RDS::DBProxyTargetGroup", "DependsOn": ["DatabaseFromProxy"], "Properties": target}),
    );
    if stack.reader.is_some() {
        add(
            "ReaderEndpoint",
            json!({"Type": "AWS::RDS::DBProxyEndpoint", "Properties": {
                "DBProxyName": {"Ref": "Proxy"}, "DBProxyEndpointName": {"Fn::Sub": "${ProxyName}-ro"}, "TargetRole": "READ_ONLY",
                "VpcSubnetIds": {"Ref": "SubnetIds"}, "VpcSecurityGroupIds": [group],
            }}),
        );
    }
    for (at, policy) in stack.policies.iter().enumerate() {
        let name = if at == 0 { "ConnectPolicy".to_owned() } else { format!("ConnectPolicy{}", at + 1) };
        add(&name, connect(&users(&policy.document)));
    }
    Value::Object(all)
}

fn proxy(stack: &Stack, group: &Value) -> Value {
    let proxy = &stack.proxy;
    let one = |(at, found): (usize, &Auth)| {
        // What describes a secret of this account says nothing of another's.
        auth(&Auth { description: None, ..found.clone() }, json!({"Ref": secret_parameter(at)}))
    };
    let auths: Vec<Value> = proxy.auth.iter().enumerate().map(one).collect();
    let role =
        if stack.role.is_some() { json!({"Fn::GetAtt": ["ProxyRole", "Arn"]}) } else { json!({"Ref": "ProxyRoleArn"}) };
    let network = (!matches!(proxy.network_type.as_str(), "" | "IPV4")).then(|| json!(proxy.network_type));
    let properties = object([
        ("DBProxyName", Some(json!({"Ref": "ProxyName"}))),
        ("EngineFamily", Some(json!(proxy.family))),
        ("RoleArn", Some(role)),
        ("VpcSubnetIds", Some(json!({"Ref": "SubnetIds"}))),
        ("VpcSecurityGroupIds", Some(json!([group]))),
        ("RequireTLS", Some(json!(proxy.require_tls))),
        ("IdleClientTimeout", proxy.idle_client_timeout.map(|seconds| json!(seconds))),
        ("DefaultAuthScheme", proxy.iam_to_database.then(|| json!("IAM_AUTH"))),
        ("EndpointNetworkType", network),
        ("Auth", (!auths.is_empty()).then(|| json!(auths))),
    ]);
    let mut whole = json!({"Type": "AWS::RDS::DBProxy", "Properties": properties});
    if stack.log_group.is_some() {
        // The proxy would make it itself, without a retention.
        whole["DependsOn"] = json!(["LogGroup"]);
    }
    whole
}

fn role_policies(stack: &Stack) -> Option<Value> {
    let mut statements = Vec::new();
    let secrets: Vec<Value> = (0..stack.proxy.auth.len()).map(|at| json!({"Ref": secret_parameter(at)})).collect();
    if !secrets.is_empty() {
        statements.push(json!({"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": secrets}));
    }
    if customer_keys(stack) {
        let via = json!({"Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"});
        statements.push(json!({
            "Effect": "Allow", "Action": "kms:Decrypt", "Resource": {"Ref": "KmsKeyArns"},
            "Condition": {"StringEquals": {"kms:ViaService": via}},
        }));
    }
    let users: Vec<Value> = database_users(stack).iter().map(|user| dbuser("${DatabaseResourceId}", user)).collect();
    if !users.is_empty() {
        statements.push(json!({"Effect": "Allow", "Action": "rds-db:connect", "Resource": users}));
    }
    let document = json!({"Version": "2012-10-17", "Statement": statements});
    (!statements.is_empty()).then(|| json!([{"PolicyName": "log-in", "PolicyDocument": document}]))
}

/// The resource of `rds-db:connect`.
fn dbuser(resource: &str, user: &str) -> Value {
    let arn = "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:";
    json!({"Fn::Sub": format!("{arn}{resource}/{}", plain(user))})
}

fn connect(users: &[String]) -> Value {
    let arn = "arn:${AWS::Partition}:rds-db:${AWS::Region}:${AWS::AccountId}:dbuser:";
    let id = json!({"Fn::Select": [6, {"Fn::Split": [":", {"Fn::GetAtt": ["Proxy", "DBProxyArn"]}]}]});
    let resource = |user: &String| json!({"Fn::Sub": [format!("{arn}${{ProxyId}}/{}", plain(user)), {"ProxyId": id}]});
    let resources: Vec<Value> = users.iter().map(resource).collect();
    json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": {
        "Description": "Lets functions log in through an RDS Proxy",
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "rds-db:connect", "Resource": resources}]},
        "Roles": {"Fn::If": ["HasFunctionRoles", {"Ref": "FunctionRoleNames"}, {"Ref": "AWS::NoValue"}]},
    }})
}

fn outputs(stack: &Stack) -> Value {
    let of = |resource: &str, attribute: &str, what: &str| json!({"Description": what, "Value": {"Fn::GetAtt": [resource, attribute]}});
    let reader = stack.reader.as_ref().map(|_| of("ReaderEndpoint", "Endpoint", "The host that leads to the readers"));
    object([
        ("Endpoint", Some(of("Proxy", "Endpoint", "The host that functions connect to"))),
        ("ProxyArn", Some(of("Proxy", "DBProxyArn", "The proxy's ARN"))),
        ("ReaderEndpoint", reader),
        (
            "Port",
            Some(json!({"Description": "The port that the proxy listens on", "Value": stack.proxy.port.to_string()})),
        ),
    ])
}
