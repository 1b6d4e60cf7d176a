//! The IAM permissions that each command needs: the least that makes it work.
//!
//! One table; the policy, the document and the tests are drawn from it. Each action with the resources and condition
//! keys that AWS's service authorization reference gives it
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::cloud::tags::STACK;
use crate::names::{Names, PROBE_PREFIX, region_path, stack_of};
use crate::templates::via_secrets_manager;

/// A command that needs permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// `up`, and what it looks at before.
    Up,
    /// `status`, and `up --dry-run`.
    Status,
    /// `teardown`.
    Teardown,
    /// `doctor`, besides what `status` needs.
    Doctor,
    /// `verify --probe`, and `up --verify probe` besides what `up` needs; `verify` alone needs what `status` does.
    Verify,
}

/// What an action is allowed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// AWS knows no narrower resource for it.
    All,
    /// Our roles, under their path.
    Roles,
    /// Roles to look for: one that is not there has no path.
    RolesByName,
    /// Any role: those of functions have names of their own.
    FunctionRoles,
    /// Our policies, under their path.
    Policies,
    /// RDS's service-linked role.
    ServiceRole,
    /// Functions and their versions.
    Functions,
    /// Our short-lived functions.
    Probes,
    /// Security groups.
    Groups,
    /// VPCs, in which groups are made.
    Vpcs,
    /// Security-group rules and groups that are being made.
    NewGroupsAndRules,
    /// Proxies.
    Proxies,
    /// Further endpoints of proxies, and the proxies.
    Endpoints,
    /// Target groups of proxies, and databases as their targets.
    Targets,
    /// Databases.
    Databases,
    /// Parameter groups.
    ParameterGroups,
    /// Whatever RDS tags: proxies, endpoints, databases.
    RdsTagged,
    /// Secrets.
    Secrets,
    /// Customer keys.
    Keys,
}

impl On {
    /// The resources in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Roles => "our roles",
            Self::RolesByName => "our roles, and their names",
            Self::FunctionRoles => "any role",
            Self::Policies => "our policies",
            Self::ServiceRole => "RDS's service-linked role",
            Self::Functions => "functions and their versions",
            Self::Probes => "our probes",
            Self::Groups => "security groups",
            Self::Vpcs => "VPCs",
            Self::NewGroupsAndRules => "security groups and rules",
            Self::Proxies => "proxies",
            Self::Endpoints => "proxies and their endpoints",
            Self::Targets => "target groups, the database",
            Self::Databases => "databases",
            Self::ParameterGroups => "parameter groups",
            Self::RdsTagged => "proxies, endpoints, the database",
            Self::Secrets => "secrets",
            Self::Keys => "keys and aliases",
        }
    }
}

/// Under which condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum If {
    /// None.
    Always,
    /// The resource carries our tag.
    Ours,
    /// The request puts our tag on what it makes.
    MadeOurs,
    /// The policy that is attached is one of ours.
    OurPolicy,
    /// The role goes to RDS.
    PassedToRds,
    /// The role goes to Lambda.
    PassedToLambda,
    /// The role is RDS's.
    RdsService,
    /// The tags belong to a call that makes a group or a rule.
    TagsOnCreate,
    /// The key is used by Secrets Manager, for the caller.
    ThroughSecretsManager,
}

/// One permission.
#[derive(Debug, Clone, Copy)]
pub struct Permission {
    /// The action.
    pub action: &'static str,
    /// Which commands need it.
    pub verbs: &'static [Verb],
    /// On what.
    pub on: On,
    /// Under which condition.
    pub condition: If,
    /// What for, in a few words.
    pub why: &'static str,
}

const U: &[Verb] = &[Verb::Up];
const T: &[Verb] = &[Verb::Teardown];
const US: &[Verb] = &[Verb::Up, Verb::Status];
const UT: &[Verb] = &[Verb::Up, Verb::Teardown];
const UST: &[Verb] = &[Verb::Up, Verb::Status, Verb::Teardown];
const ST: &[Verb] = &[Verb::Status, Verb::Teardown];
const UD: &[Verb] = &[Verb::Up, Verb::Doctor];
const D: &[Verb] = &[Verb::Doctor];
const V: &[Verb] = &[Verb::Verify];
const UDV: &[Verb] = &[Verb::Up, Verb::Doctor, Verb::Verify];

const fn may(action: &'static str, verbs: &'static [Verb], on: On, condition: If, why: &'static str) -> Permission {
    Permission { action, verbs, on, condition, why }
}

/// All permissions. `sts:GetCallerIdentity` is not among them: AWS allows it to everyone
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
pub const PERMISSIONS: &[Permission] = &[
    // Reading.
    may("rds:DescribeDBInstances", UST, On::Databases, If::Always, "find the database and the members of a cluster"),
    may("rds:DescribeDBClusters", UST, On::Databases, If::Always, "find the cluster"),
    may("rds:DescribeDBProxies", UST, On::Proxies, If::Always, "look for the proxy, and wait for it"),
    may("rds:DescribeDBProxyEndpoints", UST, On::Endpoints, If::Always, "look for the read-only endpoint"),
    may("rds:DescribeDBProxyTargets", US, On::Targets, If::Always, "read the target's health"),
    may("rds:DescribeDBProxyTargetGroups", UD, On::Targets, If::Always, "compare pool settings that were asked for"),
    may("rds:ListTagsForResource", UST, On::RdsTagged, If::Always, "know our own proxy"),
    may("iam:GetRole", UST, On::RolesByName, If::Always, "look for the proxy's role"),
    may("iam:GetRolePolicy", US, On::Roles, If::Always, "compare the right to read the secret"),
    may("iam:ListRolePolicies", T, On::RolesByName, If::Always, "see what else the role carries"),
    may("iam:ListRoles", ST, On::All, If::Always, "list our stacks"),
    may("iam:GetPolicy", UST, On::Policies, If::Always, "look for the connect policy"),
    may("iam:GetPolicyVersion", US, On::Policies, If::Always, "compare its document"),
    may("iam:ListEntitiesForPolicy", UST, On::Policies, If::Always, "see which roles carry it"),
    may("ec2:DescribeSecurityGroups", UST, On::All, If::Always, "compare groups and rules"),
    may("ec2:DescribeSecurityGroupRules", T, On::All, If::Always, "find our rules"),
    may("rds:DescribeDBParameters", UD, On::ParameterGroups, If::Always, "see parameters that a proxy does not bear"),
    may("rds:DescribeDBClusterParameters", UD, On::ParameterGroups, If::Always, "the same of a cluster"),
    may("rds:DescribeEvents", D, On::All, If::Always, "see what RDS told of the proxy"),
    may("iam:SimulatePrincipalPolicy", UD, On::FunctionRoles, If::Always, "see what the roles may do"),
    may("ec2:DescribeVpcs", UDV, On::All, If::Always, "see whether the VPC bears a proxy; Lambda asks it for a probe"),
    may("ec2:DescribeRouteTables", UD, On::All, If::Always, "see routes in the way"),
    may("ec2:DescribeSubnets", UDV, On::All, If::Always, "choose subnets; Lambda asks it for a probe"),
    may("ec2:DescribeNetworkAcls", UD, On::All, If::Always, "warn of ACLs in the way of subnets that were named"),
    may("lambda:ListFunctions", UST, On::All, If::Always, "find the functions that use the database"),
    may("lambda:GetFunction", UST, On::Functions, If::Always, "read tags, and where an update stands"),
    may("lambda:ListVersionsByFunction", UST, On::Functions, If::Always, "see what is frozen with the old host"),
    may("lambda:ListAliases", UST, On::Functions, If::Always, "see who calls it"),
    may("lambda:ListEventSourceMappings", US, On::All, If::Always, "see who calls it"),
    may("lambda:ListProvisionedConcurrencyConfigs", US, On::Functions, If::Always, "see what is bound to it"),
    may("secretsmanager:DescribeSecret", UST, On::Secrets, If::Always, "look at a secret, without its value"),
    may("secretsmanager:ListSecrets", UST, On::All, If::Always, "offer near names; find our secrets"),
    may("secretsmanager:GetSecretValue", UD, On::Secrets, If::Always, "check its keys, on --inspect-secret alone"),
    may("kms:DescribeKey", US, On::Keys, If::Always, "turn an alias into the key's ARN"),
    may("kms:GetKeyPolicy", US, On::Keys, If::Always, "warn of a key that lets the proxy's role not in"),
    may(
        "kms:Decrypt",
        UD,
        On::Keys,
        If::ThroughSecretsManager,
        "--inspect-secret and --create-secret, with a customer key",
    ),
    // Making and changing.
    may("iam:CreateRole", U, On::Roles, If::MadeOurs, "step 1"),
    may("iam:TagRole", U, On::Roles, If::MadeOurs, "step 1: the ownership tag"),
    may("iam:UpdateAssumeRolePolicy", U, On::Roles, If::Ours, "step 1, after a change by hand"),
    may("iam:PutRolePermissionsBoundary", U, On::Roles, If::Ours, "step 1, where --permissions-boundary was changed"),
    may("iam:PutRolePolicy", U, On::Roles, If::Ours, "step 8"),
    may("iam:PassRole", U, On::Roles, If::PassedToRds, "step 3: the proxy takes the role"),
    may("iam:CreateServiceLinkedRole", U, On::ServiceRole, If::RdsService, "step 3, in an account that never used RDS"),
    may("ec2:CreateSecurityGroup", U, On::Groups, If::Always, "step 2"),
    may("ec2:CreateSecurityGroup", U, On::Vpcs, If::Always, "step 2"),
    may("ec2:CreateTags", U, On::NewGroupsAndRules, If::TagsOnCreate, "steps 2, 9, 12: the ownership tag"),
    may("ec2:AuthorizeSecurityGroupIngress", U, On::Groups, If::Always, "steps 9 and 12"),
    may("ec2:AuthorizeSecurityGroupEgress", U, On::Groups, If::Always, "steps 9 and 12, where the way out is closed"),
    may("rds:CreateDBProxy", U, On::Proxies, If::MadeOurs, "step 3"),
    may(
        "rds:AddTagsToResource",
        U,
        On::RdsTagged,
        If::Always,
        "steps 3 and 8: the ownership tag, and what is remembered",
    ),
    may("rds:ModifyDBProxy", U, On::Proxies, If::Ours, "step 3, after a change"),
    may("rds:CreateDBProxyEndpoint", U, On::Endpoints, If::Always, "step 3: the read-only endpoint"),
    may("rds:RegisterDBProxyTargets", U, On::Targets, If::Always, "step 10"),
    may("rds:ModifyDBProxyTargetGroup", U, On::Targets, If::Always, "step 10: pool settings that were asked for"),
    may("rds:ModifyDBInstance", UT, On::Databases, If::Always, "--enable-iam-auth, and back"),
    may("rds:ModifyDBCluster", UT, On::Databases, If::Always, "--enable-iam-auth, and back"),
    may("iam:CreatePolicy", U, On::Policies, If::MadeOurs, "step 6"),
    may("iam:TagPolicy", U, On::Policies, If::Always, "step 6: the ownership tag, and which document is in force"),
    may("iam:CreatePolicyVersion", U, On::Policies, If::Ours, "step 6, when the document changed"),
    may("iam:ListPolicyVersions", UT, On::Policies, If::Always, "make room for a version; delete all of them"),
    may("iam:DeletePolicyVersion", UT, On::Policies, If::Ours, "make room for a version; delete all of them"),
    may("iam:AttachRolePolicy", U, On::FunctionRoles, If::OurPolicy, "step 7"),
    may("secretsmanager:CreateSecret", U, On::Secrets, If::MadeOurs, "--create-secret"),
    may("secretsmanager:TagResource", U, On::Secrets, If::MadeOurs, "--create-secret: the ownership tag"),
    may("kms:GenerateDataKey", U, On::Keys, If::ThroughSecretsManager, "--create-secret, with a customer key"),
    may("secretsmanager:GetRandomPassword", U, On::All, If::Always, "--generate-password"),
    may("secretsmanager:RestoreSecret", U, On::Secrets, If::Ours, "--create-secret, after a teardown"),
    may("lambda:TagResource", U, On::Functions, If::Always, "step 13: remember the former host"),
    may("lambda:UpdateFunctionConfiguration", UT, On::Functions, If::Always, "step 13, and back"),
    may("lambda:PublishVersion", UT, On::Functions, If::Always, "step 13, for callers of an alias"),
    may("lambda:UpdateAlias", UT, On::Functions, If::Always, "step 13, for callers of an alias, and back"),
    // Proving.
    may("lambda:CreateFunction", V, On::Probes, If::MadeOurs, "verify --probe: the short-lived function"),
    may("lambda:TagResource", V, On::Probes, If::MadeOurs, "verify --probe: the ownership tag"),
    may("iam:PassRole", V, On::FunctionRoles, If::PassedToLambda, "verify --probe: it takes the function's role"),
    may("lambda:InvokeFunction", V, On::Probes, If::Always, "verify --probe: ask it"),
    may("lambda:DeleteFunction", V, On::Probes, If::Always, "verify --probe: remove it"),
    // Taking away.
    may("lambda:UntagResource", T, On::Functions, If::Always, "forget the former host"),
    may(
        "lambda:DeleteFunction",
        T,
        On::Functions,
        If::Always,
        "delete the versions that we published; and probes left behind",
    ),
    may("rds:DeleteDBProxy", T, On::Proxies, If::Ours, "delete the proxy"),
    may("rds:DeleteDBProxyEndpoint", T, On::Endpoints, If::Ours, "delete the read-only endpoint"),
    may("rds:DeregisterDBProxyTargets", T, On::Targets, If::Always, "hand an adopted proxy back"),
    may(
        "rds:RemoveTagsFromResource",
        T,
        On::RdsTagged,
        If::Always,
        "hand an adopted proxy back; forget what was remembered",
    ),
    may(
        "iam:DetachRolePolicy",
        T,
        On::FunctionRoles,
        If::OurPolicy,
        "take the connect policy off the functions' roles",
    ),
    may("iam:DeletePolicy", T, On::Policies, If::Ours, "delete the connect policy"),
    may("iam:DeleteRolePolicy", T, On::Roles, If::Ours, "delete the proxy's role"),
    may("iam:DeleteRole", T, On::Roles, If::Ours, "delete the proxy's role"),
    may("ec2:RevokeSecurityGroupIngress", T, On::Groups, If::Always, "take our rules away"),
    may("ec2:RevokeSecurityGroupEgress", T, On::Groups, If::Always, "take our rules away"),
    may("ec2:DeleteSecurityGroup", T, On::Groups, If::Ours, "delete the proxy's group"),
    may("secretsmanager:DeleteSecret", T, On::Secrets, If::Ours, "schedule our secrets for deletion"),
];

/// Where a policy is to hold; what is not known is any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The region.
    pub region: String,
    /// The account's twelve digits.
    pub account: String,
    /// The database's id.
    pub database: Option<String>,
    /// The stack, where it is not named after the database.
    pub stack: Option<String>,
}

impl Scope {
    fn stack(&self) -> Option<String> {
        self.stack.clone().or_else(|| self.database.as_deref().map(stack_of))
    }

    fn names(&self) -> Option<Names> {
        self.stack().map(|stack| Names::new(&stack, &self.region))
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    fn iam(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.account)
    }

    fn resources(&self, on: On) -> Vec<String> {
        let path = self.names().map_or_else(|| region_path(&self.region), |names| names.path);
        let database = |kind: &str| self.arn("rds", &format!("{kind}:{}", self.database.as_deref().unwrap_or("*")));
        match on {
            On::All => vec!["*".to_owned()],
            On::Roles => vec![self.iam(&format!("role{path}*"))],
            On::RolesByName => {
                let name = self.names().map_or_else(|| "*".to_owned(), |names| names.role);
                vec![self.iam(&format!("role{path}*")), self.iam(&format!("role/{name}"))]
            }
            On::FunctionRoles => vec![self.iam("role/*")],
            On::Policies => vec![self.iam(&format!("policy{path}*"))],
            On::ServiceRole => vec![self.iam("role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS")],
            On::Functions => vec![self.arn("lambda", "function:*")],
            On::Probes => vec![self.arn("lambda", &format!("function:{PROBE_PREFIX}*"))],
            On::Groups => vec![self.arn("ec2", "security-group/*")],
            On::Vpcs => vec![self.arn("ec2", "vpc/*")],
            On::NewGroupsAndRules => {
                vec![self.arn("ec2", "security-group/*"), self.arn("ec2", "security-group-rule/*")]
            }
            On::Proxies => vec![self.arn("rds", "db-proxy:*")],
            On::Endpoints => vec![self.arn("rds", "db-proxy-endpoint:*"), self.arn("rds", "db-proxy:*")],
            On::Targets => vec![self.arn("rds", "target-group:*"), database("db"), database("cluster")],
            // Near names are offered, and members of a cluster are read, so the list stays open.
            On::Databases => vec![self.arn("rds", "db:*"), self.arn("rds", "cluster:*")],
            On::ParameterGroups => vec![self.arn("rds", "pg:*"), self.arn("rds", "cluster-pg:*")],
            On::RdsTagged => vec![
                self.arn("rds", "db-proxy:*"),
                self.arn("rds", "db-proxy-endpoint:*"),
                database("db"),
                database("cluster"),
            ],
            On::Secrets => vec![self.arn("secretsmanager", "secret:*")],
            On::Keys => vec![self.arn("kms", "key/*"), self.arn("kms", "alias/*")],
        }
    }

    fn condition(&self, condition: If) -> Option<Value> {
        let stack = self.stack().unwrap_or_else(|| "*".to_owned());
        let path = self.names().map_or_else(|| region_path(&self.region), |names| names.path);
        match condition {
            If::Always => None,
            If::Ours => Some(json!({ "StringLike": { format!("aws:ResourceTag/{STACK}"): stack } })),
            If::MadeOurs => Some(json!({ "StringLike": { format!("aws:RequestTag/{STACK}"): stack } })),
            If::OurPolicy => Some(json!({ "ArnLike": { "iam:PolicyARN": self.iam(&format!("policy{path}*")) } })),
            If::PassedToRds => Some(json!({ "StringEquals": { "iam:PassedToService": "rds.amazonaws.com" } })),
            If::PassedToLambda => Some(json!({ "StringEquals": { "iam:PassedToService": "lambda.amazonaws.com" } })),
            If::RdsService => Some(json!({ "StringEquals": { "iam:AWSServiceName": "rds.amazonaws.com" } })),
            If::TagsOnCreate => Some(json!({ "StringEquals": { "ec2:CreateAction": [
                "CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress",
            ] } })),
            // The region may be `*`.
            If::ThroughSecretsManager => Some(json!({ "StringLike": {
                "kms:ViaService": via_secrets_manager(&self.region, &self.partition),
            } })),
        }
    }
}

/// The least policy for some commands: one statement for each kind of resource and condition.
#[must_use]
pub fn policy(verbs: &[Verb], scope: &Scope) -> Value {
    document(PERMISSIONS.iter().filter(|needed| needed.verbs.iter().any(|verb| verbs.contains(verb))), scope)
}

/// A policy of these permissions.
pub fn document<'a>(permissions: impl IntoIterator<Item = &'a Permission>, scope: &Scope) -> Value {
    let mut groups: BTreeMap<(On, If), Vec<&str>> = BTreeMap::new();
    for needed in permissions {
        groups.entry((needed.on, needed.condition)).or_default().push(needed.action);
    }
    let statement = |((on, condition), mut actions): ((On, If), Vec<&str>)| {
        actions.sort_unstable();
        actions.dedup();
        let mut statement = Map::new();
        statement.insert("Effect".to_owned(), json!("Allow"));
        statement.insert("Action".to_owned(), json!(actions));
        statement.insert("Resource".to_owned(), json!(scope.resources(on)));
        if let Some(condition) = scope.condition(condition) {
            statement.insert("Condition".to_owned(), condition);
        }
        Value::Object(statement)
    };
    let statements: Vec<Value> = groups.into_iter().map(statement).collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}
