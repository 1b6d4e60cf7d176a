//! The IAM permissions that each command needs: the least that makes it work.
//!
//! One table; the policy, the document and the tests are drawn from it. Each action with the resources and condition
//! keys that AWS's service authorization reference gives it
//! (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).

mod pack;
mod scope;
mod split;

pub use pack::{LIMIT, documents, policies, size};
pub use scope::{If, Known, On, Scope};
pub use split::{GIVEN_PATH, Given, as_cloudformation, as_terraform};

/// A command that needs permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// `up`, and what it looks at before.
    Up,
    /// `status`, and `up --dry-run`.
    Status,
    /// `teardown`.
    Teardown,
    /// `restore`: of `teardown`, what it reads and what concerns the functions.
    Restore,
    /// `close-direct`, besides what `status` needs.
    CloseDirect,
    /// `rehearse`: of `up`, `status`, `teardown` and `doctor`, what they read.
    Rehearse,
    /// `advise`.
    Advise,
    /// `export`: of `teardown`, what it reads, and what the files say besides.
    Export,
    /// `watch`.
    Watch,
    /// `alarms`.
    Alarms,
    /// `doctor`, besides what `status` needs.
    Doctor,
    /// `verify --probe`, and `up --verify probe` besides what `up` needs; `verify` alone needs what `status` does.
    Verify,
}

/// What a command does only where a flag asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Feature {
    /// up --enable-iam-auth, and a teardown that turns IAM authentication off again
    EnableIamAuth,
    /// up --inspect-secret and doctor --inspect-secret
    InspectSecret,
    /// up --create-secret, and a teardown that deletes the secrets
    CreateSecret,
    /// up --generate-password
    GeneratePassword,
    /// up --adopt, and a teardown that hands the proxy back
    Adopt,
    /// up --verify probe and verify --probe
    Probe,
    /// up --log-retention, and a teardown that deletes the log group
    LogRetention,
    /// export --hand-over and --take-back
    HandOver,
    /// up --canary, which reads CloudWatch and goes back by itself
    Canary,
    /// A teardown that deletes the alarms and the dashboard that alarms created
    Alarms,
    /// A restore or teardown that opens what close-direct closed
    CloseDirect,
    /// doctor --logs
    ReadLog,
    /// Functions whose variables are encrypted with a customer KMS key
    EncryptedVariables,
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
    /// Which features need it, any of them; without one, every run does.
    pub features: &'static [Feature],
}

impl Permission {
    /// Whether a command with these features needs it.
    #[must_use]
    pub fn needed(&self, verbs: &[Verb], features: &[Feature]) -> bool {
        // A canary that is worse goes back as restore does.
        let goes_back =
            verbs.contains(&Verb::Restore) || (verbs.contains(&Verb::Up) && features.contains(&Feature::Canary));
        let of_restore = || goes_back && self.verbs.contains(&Verb::Teardown) && restores(self.action);
        let of_export = || verbs.contains(&Verb::Export) && self.verbs.contains(&Verb::Teardown) && reads(self.action);
        let of_rehearse = || {
            verbs.contains(&Verb::Rehearse)
                && self.verbs.iter().any(|verb| REHEARSED.contains(verb))
                && looks(self.action)
        };
        (self.verbs.iter().any(|verb| verbs.contains(verb)) || of_restore() || of_export() || of_rehearse())
            && (self.features.is_empty() || self.features.iter().any(|feature| features.contains(feature)))
    }
}

/// Whether an action of a teardown reads.
fn reads(action: &str) -> bool {
    let verb = action.split_once(':').map_or(action, |(_, verb)| verb);
    action == "kms:Decrypt" || ["Describe", "Get", "List"].iter().any(|read| verb.starts_with(read))
}

/// The commands that are rehearsed.
const REHEARSED: [Verb; 4] = [Verb::Up, Verb::Status, Verb::Teardown, Verb::Doctor];

/// Whether an action reads what the account is; what happened in it, and when, is not part of a copy.
fn looks(action: &str) -> bool {
    const HAPPENED: [&str; 2] = ["cloudwatch:GetMetricData", "logs:FilterLogEvents"];
    (reads(action) || action == "iam:SimulatePrincipalPolicy") && !HAPPENED.contains(&action)
}

/// Whether an action of a teardown reads, or points functions back.
fn restores(action: &str) -> bool {
    const BACK: [&str; 9] = [
        // What close-direct removed comes back first.
        "ec2:AuthorizeSecurityGroupIngress",
        "ec2:DeleteTags",
        "kms:CreateGrant",
        "kms:Encrypt",
        // Versions that `up` published for callers of an alias.
        "lambda:DeleteFunction",
        "lambda:PublishVersion",
        "lambda:UntagResource",
        "lambda:UpdateAlias",
        "lambda:UpdateFunctionConfiguration",
    ];
    reads(action) || BACK.contains(&action)
}

const U: &[Verb] = &[Verb::Up];
const T: &[Verb] = &[Verb::Teardown];
const US: &[Verb] = &[Verb::Up, Verb::Status];
const UT: &[Verb] = &[Verb::Up, Verb::Teardown];
const UST: &[Verb] = &[Verb::Up, Verb::Status, Verb::Teardown];
const ST: &[Verb] = &[Verb::Status, Verb::Teardown];
const UD: &[Verb] = &[Verb::Up, Verb::Doctor];
const USD: &[Verb] = &[Verb::Up, Verb::Status, Verb::Doctor];
const D: &[Verb] = &[Verb::Doctor];
const V: &[Verb] = &[Verb::Verify];
const A: &[Verb] = &[Verb::Advise];
const C: &[Verb] = &[Verb::CloseDirect];
const TC: &[Verb] = &[Verb::Teardown, Verb::CloseDirect];
const X: &[Verb] = &[Verb::Export];
const USX: &[Verb] = &[Verb::Up, Verb::Status, Verb::Export];
const USDX: &[Verb] = &[Verb::Up, Verb::Status, Verb::Doctor, Verb::Export];
const W: &[Verb] = &[Verb::Watch];
const M: &[Verb] = &[Verb::Alarms];
const STM: &[Verb] = &[Verb::Status, Verb::Teardown, Verb::Alarms];
const AD: &[Verb] = &[Verb::Advise, Verb::Doctor];
const ALL_BUT_T: &[Verb] = &[Verb::Up, Verb::Status, Verb::Doctor, Verb::Verify];

const fn may(action: &'static str, verbs: &'static [Verb], on: On, condition: If, why: &'static str) -> Permission {
    Permission { action, verbs, on, condition, why, features: &[] }
}

/// A permission that only these features need.
const fn with(features: &'static [Feature], permission: Permission) -> Permission {
    Permission { features, ..permission }
}

const PROBE: &[Feature] = &[Feature::Probe];
const IAM_AUTH: &[Feature] = &[Feature::EnableIamAuth];
const CREATE: &[Feature] = &[Feature::CreateSecret];
const ENCRYPTED: &[Feature] = &[Feature::EncryptedVariables];
const LOGS: &[Feature] = &[Feature::LogRetention];
const HAND_OVER: &[Feature] = &[Feature::HandOver];
const CANARY: &[Feature] = &[Feature::Canary];
const ALARMS: &[Feature] = &[Feature::Alarms];
const DIRECT: &[Feature] = &[Feature::CloseDirect];

/// All permissions. `sts:GetCallerIdentity` is not among them: AWS allows it to everyone
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
pub const PERMISSIONS: &[Permission] = &[
    // Reading.
    may("rds:DescribeDBInstances", UST, On::Databases, If::Always, "find the database and the members of a cluster"),
    may("rds:DescribeDBClusters", UST, On::Databases, If::Always, "find the cluster"),
    may("rds:DescribeDBProxies", UST, On::Proxies, If::Always, "look for the proxy, and wait for it"),
    may("rds:DescribeDBProxyEndpoints", UST, On::Endpoints, If::Always, "look for the read-only endpoint"),
    may("rds:DescribeDBProxyTargets", UST, On::Pools, If::Always, "read the target's health, and which database it is"),
    may("rds:DescribeDBProxyTargetGroups", USDX, On::Proxies, If::Always, "compare pool settings, and add shares up"),
    may("rds:ListTagsForResource", UST, On::RdsTagged, If::Always, "know our own proxy"),
    may("iam:GetRole", UST, On::RolesByName, If::Always, "look for the proxy's role"),
    may("iam:GetRolePolicy", USX, On::Roles, If::Always, "compare the right to read the secret"),
    may("iam:ListRolePolicies", T, On::RolesByName, If::Always, "see what else the role carries"),
    may("iam:ListRoles", ST, On::All, If::Always, "list our stacks"),
    may("iam:ListPolicies", UST, On::All, If::Always, "find the connect policies of functions with other users"),
    may("iam:GetPolicy", UST, On::Policies, If::Always, "look for the connect policy"),
    may("iam:GetPolicyVersion", USX, On::Policies, If::Always, "compare its document"),
    may("iam:ListEntitiesForPolicy", UST, On::Policies, If::Always, "see which roles carry it"),
    may("ec2:DescribeSecurityGroups", UST, On::All, If::Always, "compare groups and rules"),
    may("ec2:DescribeSecurityGroupRules", TC, On::All, If::Always, "find our rules"),
    may("ec2:DescribeNetworkInterfaces", C, On::All, If::Always, "see who else is in the functions' groups"),
    may("rds:DescribeDBParameters", USD, On::ParameterGroups, If::Always, "see parameters that a proxy does not bear"),
    may("rds:DescribeDBClusterParameters", USD, On::ParameterGroups, If::Always, "the same of a cluster"),
    may("rds:DescribeEvents", D, On::All, If::Always, "read the RDS events of the proxy"),
    may("iam:SimulatePrincipalPolicy", UD, On::JudgedRoles, If::Always, "see what the roles may do"),
    may(
        "ec2:DescribeVpcs",
        ALL_BUT_T,
        On::All,
        If::Always,
        "see whether the VPC bears a proxy; Lambda asks it for a probe",
    ),
    may("ec2:DescribeRouteTables", UD, On::All, If::Always, "see routes in the way"),
    may("ec2:DescribeSubnets", ALL_BUT_T, On::All, If::Always, "choose subnets; Lambda asks it for a probe"),
    may("ec2:DescribeNetworkAcls", UD, On::All, If::Always, "warn of ACLs in the way of subnets that were named"),
    may("lambda:ListFunctions", UST, On::All, If::Always, "find the functions that use the database"),
    may("lambda:GetFunction", UST, On::FunctionsAndProbes, If::Always, "read tags, and where an update stands"),
    may("lambda:ListTags", UST, On::FunctionsAndProbes, If::Always, "have GetFunction show the tags"),
    may("lambda:ListVersionsByFunction", UST, On::Functions, If::Always, "see what is frozen with the old host"),
    may("lambda:ListAliases", UST, On::Functions, If::Always, "see who calls it"),
    may("lambda:ListEventSourceMappings", UST, On::All, If::Always, "see who calls it"),
    may("lambda:ListProvisionedConcurrencyConfigs", UST, On::Functions, If::Always, "see what is bound to it"),
    may("secretsmanager:DescribeSecret", UST, On::Secrets, If::Always, "look at a secret, without its value"),
    may("secretsmanager:ListSecrets", UST, On::All, If::Always, "offer near names; find our secrets"),
    with(
        &[Feature::InspectSecret],
        may("secretsmanager:GetSecretValue", UD, On::Secrets, If::Always, "check its keys, on --inspect-secret alone"),
    ),
    with(LOGS, may("logs:DescribeLogGroups", US, On::All, If::Always, "look for the proxy's log group")),
    may("logs:DescribeLogGroups", T, On::All, If::Always, "say that the proxy's log group stays, or delete it"),
    with(LOGS, may("logs:ListTagsForResource", US, On::LogGroups, If::Always, "know our own log group")),
    may("logs:ListTagsForResource", T, On::LogGroups, If::Always, "know our own log group"),
    may("kms:DescribeKey", US, On::Keys, If::Always, "turn an alias into the key's ARN"),
    may("kms:GetKeyPolicy", US, On::Keys, If::Always, "warn of a key that lets the proxy's role not in"),
    with(
        &[Feature::InspectSecret, Feature::CreateSecret],
        may(
            "kms:Decrypt",
            UD,
            On::Keys,
            If::ThroughSecretsManager,
            "--inspect-secret and --create-secret, with a customer key",
        ),
    ),
    with(
        ENCRYPTED,
        may(
            "kms:Decrypt",
            UST,
            On::Keys,
            If::ThroughLambda,
            "read variables under a customer key, so that none is lost",
        ),
    ),
    // Reading what happened, and what things cost.
    may("rds:DescribeDBInstances", A, On::Databases, If::Always, "find the database and the members of a cluster"),
    may("rds:DescribeDBClusters", A, On::Databases, If::Always, "find the cluster"),
    may("rds:DescribeDBProxies", A, On::Proxies, If::Always, "look for a proxy, and count them"),
    may("rds:DescribeDBProxyTargets", A, On::Pools, If::Always, "see whether it serves the database"),
    may("rds:DescribeDBProxyEndpoints", A, On::Endpoints, If::Always, "count its further endpoints, which are billed"),
    may("rds:DescribeDBParameters", A, On::ParameterGroups, If::Always, "read max_connections"),
    may("rds:DescribeDBClusterParameters", A, On::ParameterGroups, If::Always, "the same of a cluster"),
    may("ec2:DescribeInstanceTypes", A, On::All, If::Always, "read vCPUs and memory of a class that has no price"),
    may("lambda:ListFunctions", A, On::All, If::Always, "find the functions that use the database"),
    may("lambda:GetFunction", A, On::Functions, If::Always, "read functions that are named"),
    may("lambda:ListTags", A, On::Functions, If::Always, "have GetFunction show the tags"),
    may("lambda:ListEventSourceMappings", A, On::All, If::Always, "see what limits their concurrency"),
    may("lambda:GetAccountSettings", A, On::All, If::Always, "read the account's concurrency"),
    may("lambda:GetFunctionConcurrency", A, On::Functions, If::Always, "read reserved concurrency"),
    may("lambda:ListProvisionedConcurrencyConfigs", A, On::Functions, If::Always, "read provisioned concurrency"),
    may("cloudwatch:GetMetricData", AD, On::All, If::Always, "read peaks, durations and throttles; judge the proxy"),
    with(CANARY, may("cloudwatch:GetMetricData", U, On::All, If::Always, "--canary: read errors and durations")),
    may("servicequotas:GetServiceQuota", UD, On::All, If::Always, "read how many proxies there may be, from 20 on"),
    may("servicequotas:GetServiceQuota", A, On::All, If::Always, "read how many proxies there may be"),
    may(
        "pricing:GetProducts",
        A,
        On::All,
        If::Always,
        "read what a proxy, the database, larger classes and functions cost",
    ),
    // Watching.
    may("rds:DescribeDBInstances", W, On::Databases, If::Always, "find the database"),
    may("rds:DescribeDBClusters", W, On::Databases, If::Always, "find the cluster"),
    may("rds:DescribeDBProxies", W, On::Proxies, If::Always, "look for the proxy"),
    may("rds:DescribeDBProxyEndpoints", W, On::Endpoints, If::Always, "know its read-only endpoint"),
    may("rds:DescribeDBProxyTargets", W, On::Pools, If::Always, "read the target's health"),
    may("lambda:ListFunctions", W, On::All, If::Always, "find the functions that use it"),
    may("cloudwatch:GetMetricData", W, On::All, If::Always, "read what it does"),
    may("cloudwatch:DescribeAlarms", STM, On::AllAlarms, If::Always, "find our alarms"),
    may("cloudwatch:ListTagsForResource", STM, On::Alarms, If::Always, "know our own alarms"),
    may("cloudwatch:GetDashboard", STM, On::Dashboards, If::Always, "find our dashboard"),
    may("cloudwatch:ListMetrics", M, On::All, If::Always, "see how AWS spells the writer's role"),
    may("rds:DescribeDBProxies", M, On::Proxies, If::Always, "look at the proxy that is watched"),
    may("rds:ListTagsForResource", M, On::RdsTagged, If::Always, "know our own proxy"),
    may("rds:DescribeDBProxyTargets", M, On::Pools, If::Always, "see whether it serves a cluster"),
    may("cloudwatch:PutMetricAlarm", M, On::Alarms, If::Always, "create and change our alarms"),
    may("cloudwatch:TagResource", M, On::Alarms, If::MadeOurs, "the ownership tag"),
    may("cloudwatch:PutDashboard", M, On::Dashboards, If::Always, "create and change our dashboard"),
    may("cloudwatch:DeleteAlarms", M, On::Alarms, If::Always, "alarms --remove"),
    may("cloudwatch:DeleteDashboards", M, On::Dashboards, If::Always, "alarms --remove"),
    with(
        &[Feature::ReadLog],
        may("logs:FilterLogEvents", D, On::LogGroups, If::Always, "read why sessions are pinned, and who is refused"),
    ),
    // Making and changing.
    may("iam:CreateRole", U, On::Roles, If::MadeOursBounded, "step 1"),
    may("iam:TagRole", U, On::Roles, If::MadeOurs, "step 1: the ownership tag"),
    may("iam:UpdateAssumeRolePolicy", U, On::Roles, If::Ours, "step 1, after a change by hand"),
    may(
        "iam:PutRolePermissionsBoundary",
        U,
        On::Roles,
        If::OursBounded,
        "step 1, where --permissions-boundary was changed",
    ),
    may("iam:PutRolePolicy", U, On::Roles, If::OursBounded, "step 8"),
    may("iam:PassRole", U, On::ProxyRole, If::PassedToRds, "step 3: the proxy takes the role"),
    may("iam:CreateServiceLinkedRole", U, On::ServiceRole, If::RdsService, "step 3, in an account that never used RDS"),
    may("ec2:CreateSecurityGroup", U, On::GroupsAndVpcs, If::Always, "step 2"),
    may("ec2:CreateTags", U, On::GroupsAndRules, If::TagsOnCreate, "steps 2, 9, 12: the ownership tag"),
    may("ec2:AuthorizeSecurityGroupIngress", U, On::GroupsAndRules, If::Always, "steps 9 and 12"),
    may(
        "ec2:AuthorizeSecurityGroupEgress",
        U,
        On::GroupsAndRules,
        If::Always,
        "steps 9 and 12, where the way out is closed",
    ),
    may("ec2:CreateTags", C, On::Groups, If::Ours, "remember a rule before it goes"),
    may(
        "ec2:AuthorizeSecurityGroupIngress",
        C,
        On::Groups,
        If::Always,
        "open the direct path again, where a restore came in between",
    ),
    may("ec2:DeleteTags", C, On::Groups, If::Ours, "the same: forget the rule"),
    may("rds:CreateDBProxy", U, On::All, If::MadeOurs, "step 3"),
    may(
        "rds:AddTagsToResource",
        U,
        On::RdsTagged,
        If::Always,
        "steps 3 and 8: the ownership tag, and what is remembered",
    ),
    with(HAND_OVER, may("rds:AddTagsToResource", X, On::Proxies, If::Ours, "--hand-over: the mark")),
    may("rds:ModifyDBProxy", U, On::Proxies, If::Ours, "step 3, after a change"),
    may("rds:CreateDBProxyEndpoint", U, On::Endpoints, If::MadeOurs, "step 3: the read-only endpoint"),
    may("rds:RegisterDBProxyTargets", U, On::Targets, If::Always, "step 10"),
    may("rds:ModifyDBProxyTargetGroup", U, On::TargetGroups, If::Always, "step 10: pool settings that were asked for"),
    with(IAM_AUTH, may("rds:ModifyDBInstance", UT, On::Database, If::Always, "--enable-iam-auth, and back")),
    with(IAM_AUTH, may("rds:ModifyDBCluster", UT, On::Database, If::Always, "--enable-iam-auth, and back")),
    may("iam:CreatePolicy", U, On::Policies, If::MadeOurs, "step 6"),
    may(
        "iam:TagPolicy",
        U,
        On::Policies,
        If::Always,
        "step 6: the ownership tag, and which document is the default version",
    ),
    may("iam:CreatePolicyVersion", U, On::Policies, If::Ours, "step 6, when the document changed"),
    may("iam:ListPolicyVersions", UT, On::Policies, If::Always, "make room for a version; delete all of them"),
    may("iam:DeletePolicyVersion", UT, On::Policies, If::Ours, "make room for a version; delete all of them"),
    may("iam:AttachRolePolicy", U, On::FunctionRoles, If::OurPolicy, "step 7"),
    with(CREATE, may("secretsmanager:CreateSecret", U, On::OwnSecrets, If::MadeOurs, "--create-secret")),
    with(
        CREATE,
        may("secretsmanager:TagResource", U, On::OwnSecrets, If::MadeOurs, "--create-secret: the ownership tag"),
    ),
    with(
        CREATE,
        may("kms:GenerateDataKey", U, On::Keys, If::ThroughSecretsManager, "--create-secret, with a customer key"),
    ),
    with(
        &[Feature::GeneratePassword],
        may("secretsmanager:GetRandomPassword", U, On::All, If::Always, "--generate-password"),
    ),
    with(CREATE, may("secretsmanager:RestoreSecret", U, On::OwnSecrets, If::Ours, "--create-secret, after a teardown")),
    with(LOGS, may("logs:CreateLogGroup", U, On::LogGroups, If::MadeOurs, "step 3: the log group")),
    with(LOGS, may("logs:TagResource", U, On::LogGroups, If::MadeOurs, "step 3: the ownership tag")),
    with(LOGS, may("logs:PutRetentionPolicy", U, On::LogGroups, If::Ours, "step 3: for how long it keeps events")),
    may("lambda:TagResource", U, On::Functions, If::Always, "step 13: remember an odd spelling, say"),
    may("lambda:UpdateFunctionConfiguration", UT, On::Functions, If::Always, "step 13, and back"),
    with(
        ENCRYPTED,
        may("kms:Encrypt", UT, On::Keys, If::ThroughLambda, "step 13, and back, of a function under a customer key"),
    ),
    with(
        ENCRYPTED,
        may(
            "kms:CreateGrant",
            UT,
            On::Keys,
            If::ThroughLambda,
            "the same: Lambda lets the function's role use the key",
        ),
    ),
    may("lambda:PublishVersion", UT, On::Functions, If::Always, "step 13, for callers of an alias"),
    may("lambda:UpdateAlias", UT, On::Functions, If::Always, "step 13, for callers of an alias, and back"),
    // Proving.
    with(PROBE, may("lambda:CreateFunction", V, On::Probes, If::MadeOurs, "verify --probe: the temporary function")),
    with(PROBE, may("lambda:TagResource", V, On::Probes, If::MadeOurs, "verify --probe: the ownership tag")),
    with(
        PROBE,
        may("iam:PassRole", V, On::FunctionRoles, If::PassedToLambda, "verify --probe: it takes the function's role"),
    ),
    with(PROBE, may("lambda:InvokeFunction", V, On::Probes, If::Always, "verify --probe: ask it")),
    with(PROBE, may("lambda:DeleteFunction", V, On::Probes, If::Always, "verify --probe: remove it")),
    // Taking away.
    may("lambda:UntagResource", T, On::Functions, If::Always, "forget what was remembered"),
    may(
        "lambda:DeleteFunction",
        T,
        On::FunctionsAndProbes,
        If::Always,
        "delete the versions that we published; and probes left behind",
    ),
    may("rds:DeleteDBProxy", T, On::Proxies, If::Ours, "delete the proxy"),
    may("rds:DeleteDBProxyEndpoint", T, On::Endpoints, If::Ours, "delete the read-only endpoint"),
    with(
        &[Feature::Adopt],
        may("rds:DeregisterDBProxyTargets", T, On::Targets, If::Always, "hand an adopted proxy back"),
    ),
    may(
        "rds:RemoveTagsFromResource",
        T,
        On::RdsTagged,
        If::Always,
        "hand an adopted proxy back; forget what was remembered",
    ),
    with(HAND_OVER, may("rds:RemoveTagsFromResource", X, On::Proxies, If::Ours, "--take-back: the mark")),
    may("iam:DetachRolePolicy", UT, On::FunctionRoles, If::OurPolicy, "take connect policies off the functions' roles"),
    may("iam:DeletePolicy", UT, On::Policies, If::Ours, "delete connect policies that no role needs"),
    may("iam:DeleteRolePolicy", T, On::Roles, If::Ours, "delete the proxy's role"),
    may("iam:DeleteRole", T, On::Roles, If::Ours, "delete the proxy's role"),
    may("ec2:RevokeSecurityGroupIngress", TC, On::Groups, If::Always, "take our rules away; close the direct path"),
    with(DIRECT, may("ec2:AuthorizeSecurityGroupIngress", T, On::Groups, If::Always, "open what close-direct closed")),
    with(DIRECT, may("ec2:DeleteTags", T, On::Groups, If::Ours, "forget what close-direct closed")),
    may("ec2:RevokeSecurityGroupEgress", T, On::Groups, If::Always, "take our rules away"),
    may("ec2:DeleteSecurityGroup", T, On::Groups, If::Ours, "delete the proxy's group"),
    with(ALARMS, may("cloudwatch:DeleteAlarms", T, On::Alarms, If::Always, "delete our alarms")),
    with(ALARMS, may("cloudwatch:DeleteDashboards", T, On::Dashboards, If::Always, "delete our dashboard")),
    with(LOGS, may("logs:DeleteLogGroup", T, On::LogGroups, If::Ours, "delete the log group")),
    with(CREATE, may("secretsmanager:DeleteSecret", T, On::OwnSecrets, If::Ours, "schedule our secrets for deletion")),
];
