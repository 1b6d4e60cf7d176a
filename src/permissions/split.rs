//! What an administrator creates once, so that a pipeline needs no right to write to IAM.

use serde_json::{Value, json};

use super::scope::bare_name;
use super::{On, Permission, Scope};
use crate::names::{Names, SECRET_POLICY};
use crate::templates::{connect, proxy_trust, read_secrets};

/// The IAM path of what an administrator creates: it is not ours, so `teardown` never looks there for what to delete.
pub const GIVEN_PATH: &str = "/rdsproxy-setup-given/";

/// Whether it is a write to IAM that an administrator made in the caller's place.
pub(super) fn is_made(permission: &Permission, scope: &Scope) -> bool {
    let stays = ["iam:Get", "iam:List", "iam:Simulate", "iam:PassRole"];
    if !permission.action.starts_with("iam:") || stays.iter().any(|verb| permission.action.starts_with(verb)) {
        return false;
    }
    match permission.on {
        On::Roles | On::ServiceRole => scope.role.is_some(),
        On::Policies | On::FunctionRoles => scope.connect_policy.is_some(),
        _ => false,
    }
}

/// The proxy's role, and the policy by which functions log in through the proxy.
#[derive(Debug)]
pub struct Given<'a> {
    scope: &'a Scope,
    names: Names,
    users: &'a [String],
    keys: &'a [String],
}

impl<'a> Given<'a> {
    /// Of a stack that is known: for log-ins with IAM as these users (none: with passwords), and for secrets under
    /// these customer keys.
    #[must_use]
    pub fn new(scope: &'a Scope, users: &'a [String], keys: &'a [String]) -> Option<Self> {
        let names = Names::new(&scope.stack()?, &scope.region);
        Some(Self { scope, names, users, keys })
    }

    /// The role's ARN.
    #[must_use]
    pub fn role_arn(&self) -> String {
        self.scope.iam(&format!("role{GIVEN_PATH}{}", self.names.given_role))
    }

    /// The connect policy's ARN, where one is needed.
    #[must_use]
    pub fn policy_arn(&self) -> Option<String> {
        (!self.users.is_empty()).then(|| self.scope.iam(&format!("policy{GIVEN_PATH}{}", self.names.given_policy)))
    }

    fn rights(&self) -> Value {
        read_secrets(&self.scope.secrets, self.keys, &self.scope.region, &self.scope.partition)
    }

    /// The proxy's id is not known before there is a proxy, so any proxy of the account and region is meant.
    fn connect(&self) -> Value {
        connect(&self.scope.partition, &self.scope.region, &self.scope.account, "prx-*", self.users)
    }

    /// As a CloudFormation template.
    #[must_use]
    pub fn cloudformation(&self) -> Value {
        let mut role = json!({
            "RoleName": self.names.given_role,
            "Path": GIVEN_PATH,
            "AssumeRolePolicyDocument": proxy_trust(),
            "Policies": [{ "PolicyName": SECRET_POLICY, "PolicyDocument": self.rights() }],
        });
        if let Some(boundary) = &self.scope.boundary {
            role["PermissionsBoundary"] = json!(boundary);
        }
        let mut template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": format!("What rdsproxy-setup uses as {} and never changes", self.names.stack),
            "Resources": { "ProxyRole": { "Type": "AWS::IAM::Role", "Properties": role } },
            "Outputs": { "RoleArn": { "Value": { "Fn::GetAtt": ["ProxyRole", "Arn"] } } },
        });
        if !self.users.is_empty() {
            let mut policy = json!({
                "ManagedPolicyName": self.names.given_policy,
                "Path": GIVEN_PATH,
                "PolicyDocument": self.connect(),
            });
            if !self.scope.function_roles.is_empty() {
                policy["Roles"] = self.scope.function_roles.iter().map(|arn| bare_name(arn)).collect();
            }
            template["Resources"]["ConnectPolicy"] = json!({ "Type": "AWS::IAM::ManagedPolicy", "Properties": policy });
            template["Outputs"]["ConnectPolicyArn"] = json!({ "Value": { "Ref": "ConnectPolicy" } });
        }
        template
    }

    /// As a Terraform configuration in its JSON syntax.
    #[must_use]
    pub fn terraform(&self) -> Value {
        let mut role = json!({
            "name": self.names.given_role,
            "path": GIVEN_PATH,
            "assume_role_policy": literal(&proxy_trust().to_string()),
        });
        if let Some(boundary) = &self.scope.boundary {
            role["permissions_boundary"] = json!(literal(boundary));
        }
        let rights = json!({
            "name": SECRET_POLICY,
            "role": "${aws_iam_role.proxy.name}",
            "policy": literal(&self.rights().to_string()),
        });
        let mut all = json!({
            "resource": { "aws_iam_role": { "proxy": role }, "aws_iam_role_policy": { "read_secrets": rights } },
            "output": { "role_arn": { "value": "${aws_iam_role.proxy.arn}" } },
        });
        if !self.users.is_empty() {
            all["resource"]["aws_iam_policy"]["connect"] = json!({
                "name": self.names.given_policy,
                "path": GIVEN_PATH,
                "policy": literal(&self.connect().to_string()),
            });
            for (number, arn) in (1..).zip(&self.scope.function_roles) {
                all["resource"]["aws_iam_role_policy_attachment"][format!("connect_{number}")] = json!({
                    "role": literal(bare_name(arn)),
                    "policy_arn": "${aws_iam_policy.connect.arn}",
                });
            }
            all["output"]["connect_policy_arn"] = json!({ "value": "${aws_iam_policy.connect.arn}" });
        }
        all
    }
}

/// Policies as managed ones in a CloudFormation template.
#[must_use]
pub fn as_cloudformation(stem: &str, documents: &[Value]) -> Value {
    let mut template = json!({ "AWSTemplateFormatVersion": "2010-09-09", "Resources": {}, "Outputs": {} });
    for (number, document) in (1..).zip(documents) {
        let id = format!("Policy{number}");
        let properties = json!({ "ManagedPolicyName": format!("{stem}-{number}"), "PolicyDocument": document });
        template["Resources"][&id] = json!({ "Type": "AWS::IAM::ManagedPolicy", "Properties": properties });
        template["Outputs"][format!("{id}Arn")] = json!({ "Value": { "Ref": id } });
    }
    template
}

/// Policies as managed ones in Terraform's JSON syntax.
#[must_use]
pub fn as_terraform(stem: &str, documents: &[Value]) -> Value {
    let mut all = json!({ "resource": { "aws_iam_policy": {} }, "output": {} });
    for (number, document) in (1..).zip(documents) {
        let id = format!("rdsproxy_setup_{number}");
        all["resource"]["aws_iam_policy"][&id] =
            json!({ "name": format!("{stem}-{number}"), "policy": literal(&document.to_string()) });
        all["output"][format!("{id}_arn")] = json!({ "value": format!("${{aws_iam_policy.{id}.arn}}") });
    }
    all
}

/// A string that Terraform takes as it stands: in its JSON syntax, strings are templates
/// (<https://developer.hashicorp.com/terraform/language/syntax/json#expression-mapping>).
fn literal(text: &str) -> String {
    text.replace("${", "$${").replace("%{", "%%{")
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn terraform_evaluates_nothing_in_a_document() {
        assert_eq!(literal("${aws:username} %{if} $ %"), "$${aws:username} %%{if} $ %");
    }
}
