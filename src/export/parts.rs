//! One part of a stack after another, as it is read.

use std::collections::BTreeMap;

use ::export::stack::{
    Auth, Endpoint, Function, Group, Holds, LogGroup, Peer, Policy, Pool, Role, Rule, Secret, Variable,
};

use crate::cloud::ec2::{Direction, Group as FoundGroup, Rule as FoundRule};
use crate::cloud::logs::LogGroup as FoundLogGroup;
use crate::cloud::rds::{Pool as FoundPool, ProxyAuth};
use crate::cloud::{Answer, Cloud, Refusal};
use crate::discover::Problem;
use crate::discover::hosts::{HostKind, mentions};
use crate::resources::proxy::ProxyRemoval;
use crate::resources::repoint::Restoring;
use crate::teardown::Stack;

pub(super) fn auth(found: &ProxyAuth) -> Auth {
    let iam = match (found.either, found.iam) {
        (true, _) => "ENABLED",
        (false, true) => "REQUIRED",
        (false, false) => "DISABLED",
    };
    Auth {
        secret: found.secret.clone(),
        iam: iam.to_owned(),
        description: found.description.clone().filter(|text| !text.is_empty()),
        client_password: found.client_password.clone(),
    }
}

pub(super) fn pool(found: FoundPool) -> Pool {
    Pool {
        max_connections_percent: found.max_connections_percent,
        max_idle_connections_percent: found.max_idle_connections_percent,
        connection_borrow_timeout: found.connection_borrow_timeout,
        init_query: found.init_query.filter(|sql| !sql.is_empty()),
        session_pinning_filters: found.session_pinning_filters.into_iter().flatten().collect(),
    }
}

/// The read-only endpoint that is the stack's own.
pub(super) async fn reader(cloud: &Cloud, proxy: &ProxyRemoval) -> Answer<Option<Endpoint>> {
    let Some(found) = proxy.readers.first() else { return Ok(None) };
    let tags = cloud.rds.tags(&found.arn).await?;
    let (subnets, groups) = (found.subnets.clone(), found.security_groups.clone());
    Ok(Some(Endpoint { name: found.name.clone(), subnets, groups, tags }))
}

/// The role with its inline policies.
pub(super) async fn role(cloud: &Cloud, stack: &Stack) -> Answer<Option<Role>> {
    let Some(found) = &stack.role else { return Ok(None) };
    let mut inline = BTreeMap::new();
    for name in &found.policies {
        let document = cloud.iam.role_policy(&found.role.name, name).await?;
        inline.extend(document.map(|document| (name.clone(), document)));
    }
    let role = &found.role;
    Ok(Some(Role {
        name: role.name.clone(),
        arn: role.arn.clone(),
        description: role.description.clone(),
        trust: role.trust.clone(),
        boundary: role.boundary.clone(),
        inline,
        tags: role.tags.clone(),
    }))
}

/// The connect policies, each with the document of its default version.
pub(super) async fn policies(cloud: &Cloud, stack: &Stack) -> Answer<Vec<Policy>> {
    let mut all = Vec::new();
    // The last to go is the first one.
    for found in stack.policies.iter().rev() {
        let policy = &found.policy;
        let document = cloud.iam.policy_document(&policy.arn, &policy.version).await?;
        if document.is_null() {
            return Err(Refusal::incomplete("iam:GetPolicyVersion", "a document in JSON"));
        }
        all.push(Policy {
            arn: policy.arn.clone(),
            description: policy.description.clone(),
            document,
            roles: found.roles.clone(),
            tags: policy.tags.clone(),
        });
    }
    Ok(all)
}

/// The secrets that the stack created, without their values.
pub(super) async fn secrets(cloud: &Cloud, stack: &Stack) -> Result<Vec<Secret>, Problem> {
    let mut all = Vec::new();
    for found in &stack.secrets {
        let doing = format!("looking at the secret ({})", found.arn());
        let secret = cloud.secrets.describe(found.arn()).await.map_err(Problem::refused(doing.as_str()))?;
        let secret =
            secret.ok_or_else(|| Problem::unfit(format!("{doing}: it does not exist any more"), ["Try again."]))?;
        all.push(Secret {
            arn: secret.arn,
            name: secret.name,
            description: secret.description,
            kms_key: secret.kms_key,
            tags: secret.tags,
        });
    }
    Ok(all)
}

pub(super) fn group(found: &FoundGroup) -> Group {
    Group {
        id: found.id.clone(),
        name: found.name.clone(),
        description: found.description.clone(),
        vpc: found.vpc.clone(),
        tags: found.tags.clone(),
    }
}

/// The stack's rules, and the outbound rule that EC2 gives to each new group
/// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html>): a group that is created again
/// from the files would lack it otherwise. Rules that others added to the group are theirs.
pub(super) async fn rules(cloud: &Cloud, stack: &Stack, own: &[String]) -> Answer<Vec<Rule>> {
    let marked = stack.rules.iter().flat_map(|found| &found.rules);
    let mut all: Vec<Rule> = marked.filter_map(rule).collect();
    for group in own {
        let found = cloud.ec2.rules_of(group).await?;
        let given = |rule: &&FoundRule| {
            let whole = matches!(rule.range.as_deref(), Some("0.0.0.0/0" | "::/0")) && rule.protocol == "-1";
            rule.direction == Direction::Egress && whole && rule.tags.is_empty()
        };
        all.extend(found.iter().filter(given).filter_map(rule));
    }
    Ok(all)
}

/// A rule; those of a kind that the stack never adds are left out.
fn rule(found: &FoundRule) -> Option<Rule> {
    let peer = match (&found.peer, &found.range) {
        (Some(group), _) => Peer::Group(group.clone()),
        (None, Some(block)) if block.contains(':') => Peer::Ipv6(block.clone()),
        (None, Some(block)) => Peer::Ipv4(block.clone()),
        (None, None) => return None,
    };
    let ports = found.port.zip(found.last_port).filter(|_| found.protocol != "-1");
    Some(Rule {
        id: found.id.clone(),
        group: found.group.clone(),
        egress: found.direction == Direction::Egress,
        protocol: found.protocol.clone(),
        peer,
        ports,
        description: found.description.clone().filter(|text| !text.is_empty()),
        tags: found.tags.clone(),
    })
}

pub(super) fn log_group(found: &FoundLogGroup) -> LogGroup {
    LogGroup { name: found.name.clone(), retention: found.retention, tags: found.tags.clone() }
}

/// The functions at the proxy, with the variables that lead there and what kind of value each holds: never the value.
pub(super) fn functions(stack: &Stack) -> Vec<Function> {
    let of = |found: &Restoring| Function {
        name: found.function.name.clone(),
        variables: found.back.iter().filter_map(|name| variable(found, name)).collect(),
    };
    stack.functions.iter().map(of).filter(|function| !function.variables.is_empty()).collect()
}

fn variable(found: &Restoring, name: &str) -> Option<Variable> {
    let value = found.function.variables.0.get(name)?;
    let held = mentions(value, &found.rules.ours);
    let holds = match held.first() {
        Some(only) if only.host == (0..value.len()) => Holds::Host,
        None if value.chars().all(|c| c.is_ascii_digit()) => Holds::Port,
        Some(_) | None => Holds::More,
    };
    let reader = held.first().is_some_and(|mention| mention.kind == HostKind::ReaderProxy);
    Some(Variable { name: name.to_owned(), holds, reader })
}
