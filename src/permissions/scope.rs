//! Where a policy holds: what its kinds of resources and conditions are as ARNs and condition blocks.

use serde_json::{Value, json};

use crate::cloud::tags::STACK;
use crate::names::{Names, PROBE_PREFIX, last_of_path, region_path, secret_prefix, stack_of};
use crate::templates::{via_lambda, via_secrets_manager};

/// What an action is allowed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// AWS knows no narrower resource for it.
    All,
    /// Our roles, under their path.
    Roles,
    /// The role that goes to the proxy: one of ours, or the one that an administrator created.
    ProxyRole,
    /// Roles to look for: one that is not there has no path.
    RolesByName,
    /// The functions' roles: those that are named, or any, since they have names of their own.
    FunctionRoles,
    /// The functions' roles, and ours.
    JudgedRoles,
    /// Our policies, under their path.
    Policies,
    /// RDS's service-linked role.
    ServiceRole,
    /// Functions and their versions.
    Functions,
    /// Functions, their versions and our temporary functions.
    FunctionsAndProbes,
    /// Our temporary functions.
    Probes,
    /// Security groups.
    Groups,
    /// Security groups, and the VPCs in which they are created.
    GroupsAndVpcs,
    /// Security groups and rules, which a call can tag as it creates them.
    GroupsAndRules,
    /// Proxies.
    Proxies,
    /// Further endpoints of proxies, and the proxies.
    Endpoints,
    /// Proxies with their target groups.
    Pools,
    /// Target groups of proxies alone.
    TargetGroups,
    /// Proxies and their target groups, and databases as their targets.
    Targets,
    /// Databases.
    Databases,
    /// The database alone.
    Database,
    /// Parameter groups.
    ParameterGroups,
    /// Whatever RDS tags: proxies, endpoints, databases.
    RdsTagged,
    /// Secrets: those that are named and ours, or any.
    Secrets,
    /// The secrets that a stack creates.
    OwnSecrets,
    /// Customer keys.
    Keys,
    /// The log groups that proxies write to.
    LogGroups,
    /// Our alarms.
    Alarms,
    /// Every alarm: a list is of all.
    AllAlarms,
    /// Our dashboards, which have no Region.
    Dashboards,
}

impl On {
    /// The resources in a few words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Roles => "our roles",
            Self::ProxyRole => "the proxy's role",
            Self::RolesByName => "our roles, and their names",
            Self::FunctionRoles => "the functions' roles",
            Self::JudgedRoles => "the functions' roles, and ours",
            Self::Policies => "our policies",
            Self::ServiceRole => "RDS's service-linked role",
            Self::Functions => "functions and their versions",
            Self::FunctionsAndProbes => "functions, their versions, our probes",
            Self::Probes => "our probes",
            Self::Groups => "security groups",
            Self::GroupsAndVpcs => "security groups, VPCs",
            Self::GroupsAndRules => "security groups and rules",
            Self::Proxies => "proxies",
            Self::Endpoints => "proxies and their endpoints",
            Self::Pools => "proxies and their target groups",
            Self::TargetGroups => "target groups",
            Self::Targets => "proxies, target groups, the database",
            Self::Databases => "databases",
            Self::Database => "the database",
            Self::ParameterGroups => "parameter groups",
            Self::RdsTagged => "proxies, endpoints, the database",
            Self::Secrets => "secrets",
            Self::OwnSecrets => "our secrets",
            Self::Keys => "keys",
            Self::LogGroups => "log groups of proxies",
            Self::Alarms => "our alarms",
            Self::AllAlarms => "alarms",
            Self::Dashboards => "our dashboards",
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
    /// The request puts our tag on what it creates.
    MadeOurs,
    /// The same, and with the boundary where one is given.
    MadeOursBounded,
    /// The resource carries our tag, and the boundary where one is given.
    OursBounded,
    /// The policy that is attached is one of ours.
    OurPolicy,
    /// The role goes to RDS.
    PassedToRds,
    /// The role goes to Lambda.
    PassedToLambda,
    /// The role is RDS's.
    RdsService,
    /// The tags belong to a call that creates a group or a rule.
    TagsOnCreate,
    /// The key is used by Secrets Manager, for the caller.
    ThroughSecretsManager,
    /// The key is used by Lambda, for the caller.
    ThroughLambda,
}

/// What no flag names, and the account shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The VPC's ID.
    pub vpc: String,
    /// The IDs of the security groups of the database and of its functions.
    pub groups: Vec<String>,
    /// The ARNs of the customer keys of its secrets and functions.
    pub keys: Vec<String>,
}

/// What a statement is about: resources, and a condition.
pub(super) type Part = (Vec<String>, Option<Value>);

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
    /// The names of the functions; none is any.
    pub functions: Vec<String>,
    /// The ARNs of the functions' roles; none is any.
    pub function_roles: Vec<String>,
    /// The ARNs of secrets of someone else's; none is any.
    pub secrets: Vec<String>,
    /// What was read from the account; then functions, roles and secrets are those of the account, too, and none is
    /// none.
    pub known: Option<Known>,
    /// The ARN of the permissions boundary that new roles must carry.
    pub boundary: Option<String>,
    /// The ARN of the proxy's role, where an administrator created it.
    pub role: Option<String>,
    /// The ARN of the connect policy, where an administrator created it.
    pub connect_policy: Option<String>,
}

impl Scope {
    /// The stack, where it is known.
    #[must_use]
    pub fn stack(&self) -> Option<String> {
        self.stack.clone().or_else(|| self.database.as_deref().map(stack_of))
    }

    fn names(&self) -> Option<Names> {
        self.stack().map(|stack| Names::new(&stack, &self.region))
    }

    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account)
    }

    pub(super) fn iam(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.account)
    }

    /// The functions with their versions and aliases.
    fn functions(&self) -> Vec<String> {
        if self.functions.is_empty() {
            return vec![self.arn("lambda", "function:*")];
        }
        let both = |name: &String| [format!("function:{name}"), format!("function:{name}:*")];
        self.functions.iter().flat_map(both).map(|resource| self.arn("lambda", &resource)).collect()
    }

    /// What the statements of these actions are about: one, or two where some groups are known and the stack's own,
    /// which does not exist yet, is known by its tag; none where no key is in use.
    ///
    /// AWS takes `aws:ResourceTag` for a group's rules
    /// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html>).
    pub(super) fn parts(&self, on: On, condition: If) -> Vec<Part> {
        match (on, condition, &self.known) {
            (On::Groups | On::GroupsAndRules, If::Always, Some(known)) => {
                let mut named: Vec<String> =
                    known.groups.iter().map(|id| self.arn("ec2", &format!("security-group/{id}"))).collect();
                if on == On::GroupsAndRules {
                    named.push(self.arn("ec2", "security-group-rule/*"));
                }
                let own = (vec![self.arn("ec2", "security-group/*")], self.condition(If::Ours));
                if named.is_empty() { vec![own] } else { vec![(named, None), own] }
            }
            (On::Keys, _, Some(known)) if known.keys.is_empty() => Vec::new(),
            _ => vec![(self.resources(on), self.condition(condition))],
        }
    }

    pub(super) fn resources(&self, on: On) -> Vec<String> {
        let path = self.names().map_or_else(|| region_path(&self.region), |names| names.path);
        let database = |kind: &str| self.arn("rds", &format!("{kind}:{}", self.database.as_deref().unwrap_or("*")));
        match on {
            On::All => vec!["*".to_owned()],
            On::Roles => vec![self.iam(&format!("role{path}*"))],
            On::RolesByName => {
                let name = self.names().map_or_else(|| "*".to_owned(), |names| names.role);
                let own = [self.iam(&format!("role{path}*")), self.iam(&format!("role/{name}"))];
                own.into_iter().chain(self.role.clone()).collect()
            }
            On::ProxyRole => self.role.clone().map_or_else(|| self.resources(On::Roles), |role| vec![role]),
            On::FunctionRoles | On::JudgedRoles if self.function_roles.is_empty() => vec![self.iam("role/*")],
            On::FunctionRoles => self.function_roles.clone(),
            On::JudgedRoles => {
                [self.function_roles.clone(), self.resources(On::Roles), self.role.iter().cloned().collect()].concat()
            }
            On::Policies => {
                [self.iam(&format!("policy{path}*"))].into_iter().chain(self.connect_policy.clone()).collect()
            }
            On::ServiceRole => vec![self.iam("role/aws-service-role/rds.amazonaws.com/AWSServiceRoleForRDS")],
            On::Functions => self.functions(),
            On::FunctionsAndProbes if self.functions.is_empty() => self.functions(),
            On::FunctionsAndProbes => [self.functions(), self.resources(On::Probes)].concat(),
            On::Probes => vec![self.arn("lambda", &format!("function:{PROBE_PREFIX}*"))],
            On::Groups => vec![self.arn("ec2", "security-group/*")],
            On::GroupsAndVpcs => {
                let vpc = self.known.as_ref().map_or("*", |known| known.vpc.as_str());
                vec![self.arn("ec2", "security-group/*"), self.arn("ec2", &format!("vpc/{vpc}"))]
            }
            On::GroupsAndRules => {
                vec![self.arn("ec2", "security-group/*"), self.arn("ec2", "security-group-rule/*")]
            }
            On::Proxies => vec![self.arn("rds", "db-proxy:*")],
            On::Endpoints => vec![self.arn("rds", "db-proxy-endpoint:*"), self.arn("rds", "db-proxy:*")],
            On::Pools => vec![self.arn("rds", "db-proxy:*"), self.arn("rds", "target-group:*")],
            On::TargetGroups => vec![self.arn("rds", "target-group:*")],
            On::Targets => vec![
                self.arn("rds", "db-proxy:*"),
                self.arn("rds", "target-group:*"),
                database("db"),
                database("cluster"),
            ],
            On::Database => vec![database("db"), database("cluster")],
            // Near names are offered, and members of a cluster are read, so the list stays open.
            On::Databases => vec![self.arn("rds", "db:*"), self.arn("rds", "cluster:*")],
            On::ParameterGroups => vec![self.arn("rds", "pg:*"), self.arn("rds", "cluster-pg:*")],
            On::RdsTagged => vec![
                self.arn("rds", "db-proxy:*"),
                self.arn("rds", "db-proxy-endpoint:*"),
                database("db"),
                database("cluster"),
            ],
            On::Secrets if self.secrets.is_empty() && self.known.is_none() => {
                vec![self.arn("secretsmanager", "secret:*")]
            }
            On::Secrets => [self.secrets.clone(), self.resources(On::OwnSecrets)].concat(),
            On::OwnSecrets => {
                let stack = self.stack().unwrap_or_else(|| "*".to_owned());
                vec![self.arn("secretsmanager", &format!("secret:{}*", secret_prefix(&stack)))]
            }
            On::Keys => match &self.known {
                Some(known) => known.keys.clone(),
                None => vec![self.arn("kms", "key/*")],
            },
            On::Alarms => {
                let stack = self.stack().unwrap_or_else(|| "*".to_owned());
                vec![self.arn("cloudwatch", &format!("alarm:{}*", observe::alarms::prefix(&stack)))]
            }
            On::AllAlarms => vec![self.arn("cloudwatch", "alarm:*")],
            On::Dashboards => {
                let name = observe::dashboard::name(&self.stack().unwrap_or_else(|| "*".to_owned()), &self.region);
                vec![format!("arn:{}:cloudwatch::{}:dashboard/{name}", self.partition, self.account)]
            }
            On::LogGroups => {
                let stack = self.stack().unwrap_or_else(|| "*".to_owned());
                // Calls that tag need the ARN without `:*`, the others with it.
                let group = self.arn("logs", &format!("log-group:/aws/rds/proxy/{stack}"));
                vec![format!("{group}:*"), group]
            }
        }
    }

    /// The condition that it amounts to here, so that equal ones share a statement.
    pub(super) fn effective(&self, condition: If) -> If {
        match (condition, &self.boundary) {
            (If::MadeOursBounded, None) => If::MadeOurs,
            (If::OursBounded, None) => If::Ours,
            (other, _) => other,
        }
    }

    /// The condition, and with it the boundary.
    fn bounded(&self, condition: If) -> Option<Value> {
        let mut both = self.condition(condition)?;
        if let Some(boundary) = &self.boundary {
            both["ArnEquals"] = json!({ "iam:PermissionsBoundary": boundary });
        }
        Some(both)
    }

    pub(super) fn condition(&self, condition: If) -> Option<Value> {
        let stack = self.stack().unwrap_or_else(|| "*".to_owned());
        let path = self.names().map_or_else(|| region_path(&self.region), |names| names.path);
        match condition {
            If::Always => None,
            If::Ours => Some(json!({ "StringLike": { format!("aws:ResourceTag/{STACK}"): stack } })),
            If::MadeOurs => Some(json!({ "StringLike": { format!("aws:RequestTag/{STACK}"): stack } })),
            If::MadeOursBounded => self.bounded(If::MadeOurs),
            If::OursBounded => self.bounded(If::Ours),
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
            If::ThroughLambda => Some(json!({ "StringLike": {
                "kms:ViaService": via_lambda(&self.region, &self.partition),
            } })),
        }
    }
}

/// The last part of a role's ARN, by which IAM's calls name it.
pub(super) fn bare_name(arn: &str) -> &str {
    last_of_path(arn)
}
