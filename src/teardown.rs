//! The reverse: variables first, then what we made, in the order that AWS allows.
//!
//! What is to go is found by ownership tags and by the stack's names, never from memory, so a
//! teardown works from any point that an `up` was killed at, and after the database is gone.

mod aliases;
mod back;
mod found;
mod restoring;
mod served;

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalogue::StepId;
use crate::cloud::ec2::{Direction, Group};
use crate::cloud::iam::Policy;
use crate::cloud::rds::TargetKind;
use crate::cloud::tags;
use crate::discover::selection;
use crate::engine::event::{Ending, Event};
use crate::engine::poll::refused;
use crate::engine::{Pace, Poll, Row, Run, Stop, all2, crowd};
use crate::names::{DATABASE_POLICY, SECRET_POLICY};
use crate::steps::proxy::{Owned, WITHOUT_TARGET};

pub use aliases::Aliases;
use back::put_back;
use found::{IamAuth, RECOVERY_DAYS};
pub use found::{Line, Stack, survey, survey_as_tagged};
pub use restoring::{Restoring, Rules};

/// Carries the teardown out.
///
/// # Errors
/// When AWS refuses, patience ends, or the run is told to stop; running it again goes on.
pub async fn carry_out(run: &Run<'_>, stack: &Stack) -> Result<(), Stop> {
    for name in &stack.probes {
        // Made by a probe that was killed; it may still be on its way.
        delete_probe(run, name).await?;
    }
    let back = stack
        .functions
        .iter()
        .map(|found| step(run, StepId::Repoint, &found.function.name, put_back(run, &stack.way_back, found)));
    crowd(back.collect()).await.into_iter().reduce(|one, other| all2(one, other).map(drop)).transpose()?;
    let gone = async {
        if let Some(found) = &stack.proxy {
            let work = async {
                if stack.adopted() {
                    hand_back(run, stack, found).await
                } else {
                    delete_proxy(run, stack, &found.proxy.name).await
                }
            };
            step(run, StepId::Proxy, &found.proxy.name, Box::pin(work)).await?;
        }
        // Not before the proxy is gone: it still reads its secret, and logs in, until then.
        for (arn, name) in &stack.secrets {
            step(run, StepId::SecretAccess, name, Box::pin(delete_secret(run, arn, name))).await?;
        }
        if let Some(found) = &stack.iam_auth {
            step(run, StepId::SecretAccess, &found.database, Box::pin(turn_off(run, found))).await?;
        }
        if let Some(policies) = &stack.role {
            // After IAM authentication is off again: the role remembers that this stack turned it on.
            step(run, StepId::ProxyRole, &stack.names.role, Box::pin(delete_role(run, stack, policies))).await?;
        }
        Ok::<_, Stop>(())
    };
    let rights = async {
        if let Some((policy, roles)) = &stack.policy {
            step(run, StepId::ConnectPolicy, &stack.names.policy, Box::pin(delete_policy(run, policy, roles))).await?;
        }
        Ok::<_, Stop>(())
    };
    let rules = async {
        if !stack.rules.is_empty() {
            step(run, StepId::DatabaseIngress, &format!("{} rules", stack.rules.len()), revoke(run, stack)).await?;
        }
        Ok::<_, Stop>(())
    };
    let (gone, rights, rules) = tokio::join!(gone, rights, rules);
    all2(gone, all2(rights, rules))?;
    for group in &stack.groups {
        step(run, StepId::ProxyGroup, &group.name, Box::pin(delete_group(run, stack, group))).await?;
    }
    Ok(())
}

async fn step(
    run: &Run<'_>,
    step: StepId,
    detail: &str,
    work: impl Future<Output = Result<(), Stop>>,
) -> Result<(), Stop> {
    let began = run.clock.elapsed();
    run.tell(&Event::Began { step, detail: detail.to_owned() });
    let result = work.await;
    let elapsed = run.clock.elapsed().saturating_sub(began);
    match &result {
        Ok(()) => {
            let ending = if step == StepId::Repoint { Ending::PutBack } else { Ending::Removed };
            run.tell(&Event::Ended { step, ending, detail: detail.to_owned(), elapsed });
        }
        Err(Stop::Interrupted | Stop::Abandoned) => {}
        Err(stop) => {
            run.stop.fail();
            run.tell(&Event::Ended { step, ending: Ending::Failed, detail: stop.to_string(), elapsed });
        }
    }
    result
}

async fn delete_probe(run: &Run<'_>, name: &str) -> Result<(), Stop> {
    let doing = format!("deleting a probe that was left behind ({name})");
    let limit = run.patience.probe;
    let wait = Poll::begin(run, Row::Step(StepId::Repoint), &doing, limit, Pace::Seconds);
    wait.insist(run, async || run.cloud.lambda.delete(name).await).await?;
    run.tell(&Event::Probe { seat: name.to_owned(), state: "removed".to_owned(), wait: None });
    Ok(())
}

async fn delete_proxy(run: &Run<'_>, stack: &Stack, name: &str) -> Result<(), Stop> {
    let doing = format!("deleting the proxy ({name})");
    let wait = Poll::begin(run, Row::Step(StepId::Proxy), &doing, run.patience.deletion, Pace::Minutes);
    delete_readers(run, stack, &wait).await?;
    wait.insist(run, async || run.cloud.rds.delete_proxy(name).await).await?;
    while let Some(proxy) = wait.look(run, async || run.cloud.rds.proxy(name).await).await? {
        // A refusal that only mentions a deletion is no proof of one: the status is.
        if proxy.status != "deleting" {
            wait.insist(run, async || run.cloud.rds.delete_proxy(name).await).await?;
        }
        wait.rest(run, &proxy.status).await?;
    }
    Ok(())
}

async fn delete_readers(run: &Run<'_>, stack: &Stack, wait: &Poll<'_>) -> Result<(), Stop> {
    for reader in stack.readers.iter().filter(|reader| reader.status != "deleting") {
        wait.insist(run, async || run.cloud.rds.delete_endpoint(&reader.name).await).await?;
    }
    Ok(())
}

/// Leaves an adopted proxy as it was found: without the target that it did not have, and without our tags.
async fn hand_back(run: &Run<'_>, stack: &Stack, found: &Owned) -> Result<(), Stop> {
    let name = found.proxy.name.as_str();
    let doing = format!("handing the proxy back ({name})");
    let wait = Poll::begin(run, Row::Step(StepId::Proxy), &doing, run.patience.proxy, Pace::Minutes);
    let rds = &run.cloud.rds;
    delete_readers(run, stack, &wait).await?;
    if found.tags.get(tags::ADOPTED).is_some_and(|memory| memory == WITHOUT_TARGET) {
        for row in wait.look_once_settled(run, async || rds.targets(name).await).await? {
            // The rows of a cluster's members go with the cluster's.
            let (cluster, database) = (row.kind == TargetKind::Cluster, found.tags.get(tags::DATABASE));
            if database.is_some_and(|database| database.eq_ignore_ascii_case(&row.id)) {
                wait.insist(run, async || rds.deregister(name, &row.id, cluster).await).await?;
            }
        }
    }
    let ours = [tags::STACK, tags::DATABASE, tags::ADOPTED, tags::WRITER, tags::READER].map(str::to_owned);
    let chosen = found.tags.keys().filter(|key| selection::is_memory(key)).cloned();
    let ours: Vec<String> = ours.into_iter().chain(chosen).collect();
    wait.insist(run, async || rds.remove_tags(&found.proxy.arn, &ours).await).await
}

async fn delete_role(run: &Run<'_>, stack: &Stack, policies: &[String]) -> Result<(), Stop> {
    let role = stack.names.role.as_str();
    let doing = format!("deleting the proxy's role ({role})");
    if let Some(foreign) = policies.iter().find(|name| ![SECRET_POLICY, DATABASE_POLICY].contains(&name.as_str())) {
        let reasons = vec![format!("someone added the policy {foreign} to it")];
        return Err(Stop::Conflict { doing, reasons });
    }
    let (iam, limit) = (&run.cloud.iam, run.patience.propagation);
    let wait = Poll::begin(run, Row::Step(StepId::ProxyRole), &doing, limit, Pace::Dense);
    for policy in policies {
        wait.insist(run, async || iam.delete_role_policy(role, policy).await).await?;
    }
    wait.insist_on(run, async || iam.delete_role(role).await, async || role_user(run, role).await).await
}

/// What keeps a role from being deleted: its policies that went a moment ago, which IAM forgets in its own time, or one
/// that an `up` at the same time has written since.
async fn role_user(run: &Run<'_>, role: &str) -> String {
    match run.cloud.iam.role_policies(role).await {
        Ok(policies) if !policies.is_empty() => {
            format!(
                "in use: it has the policy {}, which was written while this teardown was at work",
                policies.join(", ")
            )
        }
        _ => "in use".to_owned(),
    }
}

/// Turns IAM authentication of the database off again: by its tag, this stack turned it on.
async fn turn_off(run: &Run<'_>, found: &IamAuth) -> Result<(), Stop> {
    let doing = format!("turning IAM authentication off ({})", found.database);
    let (rds, limit) = (&run.cloud.rds, run.patience.database);
    let wait = Poll::begin(run, Row::Step(StepId::SecretAccess), &doing, limit, Pace::Minutes);
    if found.on {
        wait.insist(run, async || rds.set_iam_authentication(&found.database, found.cluster, false).await).await?;
    }
    wait.insist(run, async || rds.remove_tags(&found.arn, &[tags::IAM_AUTH.to_owned()]).await).await
}

async fn delete_secret(run: &Run<'_>, arn: &str, name: &str) -> Result<(), Stop> {
    let doing = format!("deleting the secret ({name})");
    let (secrets, limit) = (&run.cloud.secrets, run.patience.propagation);
    let wait = Poll::begin(run, Row::Step(StepId::SecretAccess), &doing, limit, Pace::Dense);
    wait.insist(run, async || secrets.delete(arn, RECOVERY_DAYS).await).await
}

async fn delete_policy(run: &Run<'_>, policy: &Policy, roles: &[String]) -> Result<(), Stop> {
    let doing = format!("deleting the connect policy ({})", policy.arn.rsplit('/').next().unwrap_or_default());
    let (iam, arn, limit) = (&run.cloud.iam, &policy.arn, run.patience.propagation);
    let wait = Poll::begin(run, Row::Step(StepId::ConnectPolicy), &doing, limit, Pace::Dense);
    for role in roles {
        wait.insist(run, async || iam.detach(role, arn).await).await?;
    }
    for version in wait.look(run, async || iam.idle_policy_versions(arn).await).await? {
        wait.insist(run, async || iam.delete_policy_version(arn, &version).await).await?;
    }
    wait.insist(run, async || iam.delete_policy(arn).await).await
}

async fn revoke(run: &Run<'_>, stack: &Stack) -> Result<(), Stop> {
    let mut calls: BTreeMap<(Direction, &str), Vec<String>> = BTreeMap::new();
    for rule in &stack.rules {
        calls.entry((rule.direction, rule.group.as_str())).or_default().push(rule.id.clone());
    }
    for ((direction, group), rules) in calls {
        run.sleep(Duration::ZERO).await?;
        run.cloud.ec2.revoke(direction, group, rules).await.map_err(refused("taking away the rules"))?;
    }
    Ok(())
}

async fn delete_group(run: &Run<'_>, stack: &Stack, group: &Group) -> Result<(), Stop> {
    let doing = format!("deleting the proxy's security group ({})", group.name);
    let (ec2, limit) = (&run.cloud.ec2, run.patience.deletion);
    let wait = Poll::begin(run, Row::Step(StepId::ProxyGroup), &doing, limit, Pace::Minutes);
    let user = async || group_user(run, stack, group).await;
    wait.insist_on(run, async || ec2.delete_group(&group.id).await, user).await
}

/// What keeps a group from being deleted: the interfaces of the proxy that just went, which AWS removes in its own time,
/// or a proxy that an `up` at the same time has created since.
async fn group_user(run: &Run<'_>, stack: &Stack, group: &Group) -> String {
    if stack.proxy.is_none() {
        let name = stack.names.stack.as_str();
        let proxy = run.cloud.rds.proxy(name).await.ok().flatten();
        if proxy.is_some_and(|proxy| proxy.security_groups.contains(&group.id)) {
            return format!("in use by the proxy {name}, which was not there, or not ours, when this teardown began");
        }
    }
    "in use by network interfaces or by rules of other groups".to_owned()
}
