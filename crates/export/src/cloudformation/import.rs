//! The template that takes a stack over, and the identifiers of its resources.
//!
//! It holds values and no references, since CloudFormation compares it with what is there. Each resource is identified
//! by the primary identifier of its type's schema, and has a `DeletionPolicy`, as an import requires
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html>).

use serde_json::{Map, Value, json};

use super::fragments::{auth, object, pool, tags};
use crate::labels::{Labels, logical};
use crate::policy::path_and_name;
use crate::stack::{Group, Peer, Policy, Role, Rule};
use crate::{Stack, one_line};

/// One resource of the template.
pub(super) struct Resource {
    /// Its logical ID.
    pub(super) id: String,
    /// Its type.
    pub(super) kind: &'static str,
    /// The property that identifies it, with its value.
    pub(super) identifier: (&'static str, String),
    properties: Value,
}

/// Everything that CloudFormation imports.
pub(super) fn resources(stack: &Stack) -> Vec<Resource> {
    let mut labels = Labels::default();
    let mut all = Vec::new();
    let mut add = |name: &str, kind, identifier: (&'static str, &str), properties| {
        let id = logical(&labels.of(&format!("{kind} {}", identifier.1), name));
        all.push(Resource { id, kind, identifier: (identifier.0, identifier.1.to_owned()), properties });
    };
    add("proxy", "AWS::RDS::DBProxy", ("DBProxyName", &stack.name), proxy(stack));
    if let Some(reader) = &stack.reader {
        let properties = json!({
            "DBProxyEndpointName": reader.name, "DBProxyName": stack.name, "TargetRole": "READ_ONLY",
            "VpcSubnetIds": reader.subnets, "VpcSecurityGroupIds": reader.groups, "Tags": tags(&reader.tags),
        });
        add("reader_endpoint", "AWS::RDS::DBProxyEndpoint", ("DBProxyEndpointName", &reader.name), properties);
    }
    if let Some(group) = &stack.log_group {
        let properties = object([
            ("LogGroupName", Some(json!(group.name))),
            ("RetentionInDays", group.retention.map(|days| json!(days))),
            ("Tags", Some(tags(&group.tags))),
        ]);
        add("log_group", "AWS::Logs::LogGroup", ("LogGroupName", &group.name), properties);
    }
    if let Some(found) = &stack.role {
        add("proxy_role", "AWS::IAM::Role", ("RoleName", &found.name), role(found));
    }
    for secret in &stack.secrets {
        let properties = object([
            ("Name", Some(json!(secret.name))),
            ("Description", secret.description.as_ref().map(|what| json!(what))),
            ("KmsKeyId", secret.kms_key.as_ref().map(|key| json!(key))),
            ("Tags", Some(tags(&secret.tags))),
        ]);
        let name = secret.name.rsplit('/').next().unwrap_or(&secret.name);
        add(&format!("secret_{name}"), "AWS::SecretsManager::Secret", ("Id", &secret.arn), properties);
    }
    for group in &stack.groups {
        add("proxy_group", "AWS::EC2::SecurityGroup", ("Id", &group.id), security_group(group, stack));
    }
    for found in stack.rules.iter().filter(|rule| !inline(rule, stack)) {
        let (name, kind) = if found.egress {
            ("outbound_rule", "AWS::EC2::SecurityGroupEgress")
        } else {
            ("inbound_rule", "AWS::EC2::SecurityGroupIngress")
        };
        add(name, kind, ("Id", &found.id), rule(found));
    }
    for policy in &stack.policies {
        add("connect_policy", "AWS::IAM::ManagedPolicy", ("PolicyArn", &policy.arn), managed_policy(policy));
    }
    all
}

/// The template of what is imported.
pub(super) fn template(stack: &Stack, resources: &[Resource]) -> Value {
    whole(stack, resources, Map::new())
}

/// The same with the default target group: its settings alone, so that creating it registers no target. Registering one
/// that is registered already fails; with no identifier, the handler of the type registers none
/// (<https://github.com/aws-cloudformation/aws-cloudformation-resource-providers-rds-proxy>, `CreateHandler`).
pub(super) fn with_pool(stack: &Stack, resources: &[Resource]) -> Value {
    let properties = object([
        ("DBProxyName", Some(json!(stack.name))),
        ("TargetGroupName", Some(json!("default"))),
        ("ConnectionPoolConfigurationInfo", pool(&stack.pool)),
    ]);
    let mut group = retained("AWS::RDS::DBProxyTargetGroup", &properties);
    group["DependsOn"] = json!(resources.first().map(|proxy| &proxy.id));
    let name = free("TargetGroup", resources);
    whole(stack, resources, Map::from_iter([(name, group)]))
}

fn free(name: &str, resources: &[Resource]) -> String {
    let taken = |name: &str| resources.iter().any(|one| one.id == name);
    if taken(name) { format!("{name}OfProxy") } else { name.to_owned() }
}

fn whole(stack: &Stack, resources: &[Resource], mut all: Map<String, Value>) -> Value {
    all.extend(resources.iter().map(|one| (one.id.clone(), retained(one.kind, &one.properties))));
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": one_line(&format!("The RDS Proxy {}, taken over as {} exported it", stack.name, stack.tool)),
        "Resources": all,
    })
}

fn retained(kind: &str, properties: &Value) -> Value {
    json!({"Type": kind, "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain", "Properties": properties})
}

/// The list for `--resources-to-import`.
pub(super) fn identifiers(resources: &[Resource]) -> Value {
    let one = |resource: &Resource| {
        let (key, value) = &resource.identifier;
        json!({
            "ResourceType": resource.kind, "LogicalResourceId": resource.id,
            "ResourceIdentifier": Map::from_iter([((*key).to_owned(), json!(value))]),
        })
    };
    resources.iter().map(one).collect()
}

fn proxy(stack: &Stack) -> Value {
    let proxy = &stack.proxy;
    let auths: Vec<Value> = proxy.auth.iter().map(|one| auth(one, json!(one.secret))).collect();
    let mut marked = proxy.tags.clone();
    // Otherwise the first update of the tags would take the mark off.
    marked.insert(stack.mark.0.clone(), stack.mark.1.clone());
    let network = (!matches!(proxy.network_type.as_str(), "" | "IPV4")).then(|| json!(proxy.network_type));
    object([
        ("DBProxyName", Some(json!(stack.name))),
        ("EngineFamily", Some(json!(proxy.family))),
        ("RoleArn", Some(json!(proxy.role))),
        ("VpcSubnetIds", Some(json!(proxy.subnets))),
        ("VpcSecurityGroupIds", Some(json!(proxy.groups))),
        ("RequireTLS", Some(json!(proxy.require_tls))),
        ("DebugLogging", Some(json!(proxy.debug_logging))),
        ("IdleClientTimeout", proxy.idle_client_timeout.map(|seconds| json!(seconds))),
        ("DefaultAuthScheme", proxy.iam_to_database.then(|| json!("IAM_AUTH"))),
        ("EndpointNetworkType", network),
        ("Auth", (!auths.is_empty()).then(|| json!(auths))),
        ("Tags", Some(tags(&marked))),
    ])
}

fn role(role: &Role) -> Value {
    let inline: Vec<Value> =
        role.inline.iter().map(|(name, document)| json!({"PolicyName": name, "PolicyDocument": document})).collect();
    object([
        ("RoleName", Some(json!(role.name))),
        ("Path", Some(json!(path_and_name(&role.arn).0))),
        ("Description", role.description.as_ref().map(|what| json!(what))),
        ("AssumeRolePolicyDocument", Some(role.trust.clone())),
        ("PermissionsBoundary", role.boundary.as_ref().map(|arn| json!(arn))),
        ("Policies", (!inline.is_empty()).then(|| json!(inline))),
        ("Tags", Some(tags(&role.tags))),
    ])
}

fn managed_policy(policy: &Policy) -> Value {
    let (path, name) = path_and_name(&policy.arn);
    object([
        ("ManagedPolicyName", Some(json!(name))),
        ("Path", Some(json!(path))),
        ("Description", policy.description.as_ref().map(|what| json!(what))),
        ("PolicyDocument", Some(policy.document.clone())),
        ("Roles", (!policy.roles.is_empty()).then(|| json!(policy.roles))),
    ])
}

/// Whether a rule is part of the group's own resource: what lets all out, which EC2 created with the group.
fn inline(rule: &Rule, stack: &Stack) -> bool {
    rule.egress && !matches!(rule.peer, Peer::Group(_)) && stack.groups.iter().any(|group| group.id == rule.group)
}

fn security_group(group: &Group, stack: &Stack) -> Value {
    let own = stack.rules.iter().filter(|rule| rule.group == group.id && inline(rule, stack));
    let egress: Vec<Value> = own.map(|rule| object(parts(rule))).collect();
    object([
        ("GroupName", Some(json!(group.name))),
        ("GroupDescription", Some(json!(group.description))),
        ("VpcId", Some(json!(group.vpc))),
        ("SecurityGroupEgress", (!egress.is_empty()).then(|| json!(egress))),
        ("Tags", Some(tags(&group.tags))),
    ])
}

fn rule(rule: &Rule) -> Value {
    object(parts(rule).into_iter().chain([("GroupId", Some(json!(rule.group)))]))
}

fn parts(rule: &Rule) -> Vec<(&'static str, Option<Value>)> {
    let peer = match (&rule.peer, rule.egress) {
        (Peer::Group(id), false) => ("SourceSecurityGroupId", id),
        (Peer::Group(id), true) => ("DestinationSecurityGroupId", id),
        (Peer::Ipv4(block), _) => ("CidrIp", block),
        (Peer::Ipv6(block), _) => ("CidrIpv6", block),
    };
    vec![
        ("IpProtocol", Some(json!(rule.protocol))),
        (peer.0, Some(json!(peer.1))),
        ("FromPort", rule.ports.map(|(first, _)| json!(first))),
        ("ToPort", rule.ports.map(|(_, last)| json!(last))),
        ("Description", rule.description.as_ref().map(|what| json!(what))),
    ]
}
