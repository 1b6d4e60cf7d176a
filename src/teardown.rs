//! The reverse: variables first, then what we made, in the order that AWS allows.
//!
//! What is to go is found by ownership tags and by the stack's names, never from memory, so a
//! teardown works from any point that an `up` was killed at, and after the database is gone.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalogue::StepId;
use crate::cloud::ec2::{Direction, Group, Rule};
use crate::cloud::iam::Policy;
use crate::cloud::lambda::{Function, Update};
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal, tags};
use crate::discover::hosts::{HostKind, KnownHost, mentions, proxies_of, restore};
use crate::discover::{Database, Problem};
use crate::engine::event::{Ending, Event};
use crate::engine::{Limit, Pace, Run, Seen, Stop, all2};
use crate::names::{Names, SECRET_POLICY};
use crate::spec::DatabaseRef;
use crate::steps::proxy::{self, Owned};

/// What a port variable can hold of a proxy that is gone already.
const PROXY_PORTS: [&str; 3] = ["3306", "5432", "1433"];

/// Everything of one stack that is there.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its names.
    pub names: Names,
    /// The functions that remember a former host.
    pub functions: Vec<Restoring>,
    /// Functions that use the proxy and remember nothing: someone else pointed them there.
    pub other_users: Vec<String>,
    /// What was found under our names but is not ours.
    pub foreign: Vec<String>,
    /// The database that the stack serves, as its tags tell.
    pub database: Option<String>,
    proxy: Option<Owned>,
    role: Option<Vec<String>>,
    policy: Option<(Policy, Vec<String>)>,
    groups: Vec<Group>,
    rules: Vec<Rule>,
}

/// One function on its way back.
#[derive(Debug, Clone)]
pub struct Restoring {
    /// The function as it is.
    pub function: Function,
    /// The variables that get their former value.
    pub back: Vec<String>,
    /// Variables that were changed since; they stay as they are.
    pub changed: Vec<String>,
    edited: crate::cloud::lambda::Variables,
    memory: Vec<String>,
}

/// Finds everything of a stack.
///
/// # Errors
/// When AWS refuses a read: a teardown that does not see everything must not begin.
pub async fn survey(cloud: &Cloud, stack: &str, database: Option<&DatabaseRef>) -> Result<Stack, Problem> {
    let identity = cloud.sts.identity().await.map_err(Problem::refused("asking AWS who is calling"))?;
    let names = Names::new(stack, &cloud.region);
    let owner = Owner { stack: stack.to_owned(), database: String::new(), extra: tags::Tags::new() };
    let arn = names.policy_arn(&identity.partition, &identity.account);
    let (proxy, role, inline, policy, attached, groups, rules, listed, hosts) = tokio::join!(
        proxy::observe(cloud, stack, None),
        cloud.iam.role(&names.role),
        cloud.iam.role_policies(&names.role),
        cloud.iam.policy(&arn),
        cloud.iam.attached_roles(&arn),
        cloud.ec2.groups_tagged_with(tags::STACK, stack),
        cloud.ec2.rules_tagged_with(tags::STACK, stack),
        cloud.lambda.list(),
        async {
            match database {
                Some(database) => match Database::find(cloud, database, &identity.account).await {
                    Ok(found) => Ok(found.hosts),
                    Err(problem @ Problem::Refused { .. }) => Err(problem),
                    // A database that is gone does not stand in the way of its proxy's removal.
                    Err(Problem::Unfit { .. }) => Ok(Vec::new()),
                },
                None => Ok(Vec::new()),
            }
        },
    );
    let doing = "looking for what belongs to the stack";
    let mut foreign = Vec::new();
    let proxy = match proxy.map_err(Problem::refused(doing))? {
        Seen::Present(found) if owner.owns(&found.tags) => Some(found),
        Seen::Present(found) => {
            foreign.push(format!("the proxy {}", found.proxy.name));
            None
        }
        _ => None,
    };
    let role = match role.map_err(Problem::refused(doing))? {
        Some(role) if owner.owns(&role.tags) => Some(inline.map_err(Problem::refused(doing))?),
        Some(role) => {
            foreign.push(format!("the role {}", role.name));
            None
        }
        None => None,
    };
    let attached = attached.map_err(Problem::refused(doing))?;
    let policy = match policy.map_err(Problem::refused(doing))? {
        Some(policy) if owner.owns(&policy.tags) => Some((policy, attached.clone())),
        Some(_) => {
            foreign.push(format!("the policy {}", names.policy));
            None
        }
        None => None,
    };
    let groups = groups.map_err(Problem::refused(doing))?;
    let rules = rules.map_err(Problem::refused(doing))?;
    let listed = listed.map_err(Problem::refused("listing the functions"))?;

    let endpoint = proxy.as_ref().and_then(|found| found.proxy.endpoint.clone());
    let port = proxy.as_ref().and_then(|found| found.proxy.family).map(|family| family.proxy_port().to_string());
    let mut known = hosts?;
    known.extend(endpoint.clone().map(|name| KnownHost { name, kind: HostKind::Proxy }));
    let mut functions = Vec::new();
    let mut other_users = Vec::new();
    for function in listed {
        // A proxy that was deleted by hand left its host in the functions.
        let left = proxies_of(&names.stack, &cloud.region, function.variables.0.values());
        let uses = !left.is_empty() || function.variables.0.values().any(|value| !mentions(value, &known).is_empty());
        let role = function.role.rsplit('/').next().unwrap_or_default();
        if !uses && !attached.iter().any(|name| name == role) {
            continue;
        }
        let read = cloud.lambda.get(&function.name).await.map_err(Problem::refused("reading the functions"))?;
        let Some(function) = read else { continue };
        let name = function.name.clone();
        let host = endpoint.as_ref().or_else(|| left.first().map(|host| &host.name));
        let restoring = Restoring::of(function, host.map(String::as_str), port.as_deref());
        let still = endpoint.as_ref().is_some_and(|endpoint| {
            let proxy = [KnownHost { name: endpoint.clone(), kind: HostKind::Proxy }];
            restoring.edited.0.values().any(|value| !mentions(value, &proxy).is_empty())
        });
        if still {
            other_users.push(name);
        }
        if !restoring.memory.is_empty() {
            functions.push(restoring);
        }
    }
    let tagged = proxy.as_ref().map(|found| &found.tags).or_else(|| groups.first().map(|group| &group.tags));
    let database = tagged.and_then(|tags| tags.get(tags::DATABASE)).cloned();
    Ok(Stack { names, functions, other_users, foreign, database, proxy, role, policy, groups, rules })
}

impl Restoring {
    fn of(function: Function, endpoint: Option<&str>, port: Option<&str>) -> Self {
        let mut restoring = Self {
            edited: function.variables.clone(),
            back: Vec::new(),
            changed: Vec::new(),
            memory: Vec::new(),
            function,
        };
        let memory = restoring.function.tags.clone().unwrap_or_default();
        for (key, former) in memory {
            let Some(name) = key.strip_prefix(tags::FORMER) else { continue };
            restoring.memory.push(key.clone());
            let Some(value) = restoring.function.variables.0.get(name) else {
                restoring.changed.push(name.to_owned());
                continue;
            };
            let hosts: Vec<&str> = former.split(' ').collect();
            let is_port = former.chars().all(|c| c.is_ascii_digit());
            let old = match endpoint {
                _ if is_port && port.map_or(PROXY_PORTS.contains(&value.as_str()), |port| port == value) => {
                    Some(former.clone())
                }
                Some(endpoint) if !is_port => {
                    restore(value, &KnownHost { name: endpoint.to_owned(), kind: HostKind::Proxy }, &hosts)
                }
                _ => None,
            };
            match old {
                Some(old) => {
                    restoring.edited.0.insert(name.to_owned(), old);
                    restoring.back.push(name.to_owned());
                }
                // Never written, put back already, or someone else's by now: only the memory goes.
                None if is_port && *value == former => {}
                None if hosts.iter().all(|host| value.contains(host)) => {}
                None => restoring.changed.push(name.to_owned()),
            }
        }
        restoring
    }
}

/// One line of what goes: a mark, what, and a detail.
pub type Line = (char, String, String);

impl Stack {
    /// Whether nothing of the stack is there.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.functions.is_empty()
            && self.proxy.is_none()
            && self.role.is_none()
            && self.policy.is_none()
            && self.groups.is_empty()
            && self.rules.is_empty()
    }

    /// The steps that a teardown takes back, in its order.
    #[must_use]
    pub fn steps(&self) -> Vec<StepId> {
        [
            (StepId::Repoint, !self.functions.is_empty()),
            (StepId::Proxy, self.proxy.is_some()),
            (StepId::ConnectPolicy, self.policy.is_some()),
            (StepId::DatabaseIngress, !self.rules.is_empty()),
            (StepId::ProxyRole, self.role.is_some()),
            (StepId::ProxyGroup, !self.groups.is_empty()),
        ]
        .into_iter()
        .filter_map(|(step, there)| there.then_some(step))
        .collect()
    }

    /// What a teardown would do, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        for found in &self.functions {
            let what = format!("function {}", found.function.name);
            if found.back.is_empty() {
                lines.push(('~', what, "forget the former host; no variable holds the proxy".to_owned()));
            } else {
                lines.push(('~', what, format!("put back {}", found.back.join(", "))));
            }
        }
        if let Some(found) = &self.proxy {
            lines.push(('-', format!("proxy {}", found.proxy.name), found.proxy.status.clone()));
        }
        for rule in &self.rules {
            let way = if rule.direction == Direction::Ingress { "ingress" } else { "egress" };
            let port = rule.port.unwrap_or_default();
            lines.push(('-', format!("{way} rule {}", rule.id), format!("port {port} of {}", rule.group)));
        }
        if let Some((policy, roles)) = &self.policy {
            let of = if roles.is_empty() {
                "attached to no role".to_owned()
            } else {
                format!("attached to {}", roles.join(", "))
            };
            lines.push(('-', format!("policy {}", policy.arn.rsplit('/').next().unwrap_or_default()), of));
        }
        if self.role.is_some() {
            lines.push(('-', format!("role {}", self.names.role), "with its right to read the secret".to_owned()));
        }
        for group in &self.groups {
            lines.push(('-', format!("security group {}", group.name), group.id.clone()));
        }
        lines
    }
}

/// Carries the teardown out.
///
/// # Errors
/// When AWS refuses, patience ends, or the run is told to stop; running it again goes on.
pub async fn carry_out(run: &Run<'_>, stack: &Stack) -> Result<(), Stop> {
    for found in &stack.functions {
        step(run, StepId::Repoint, &found.function.name, Box::pin(put_back(run, found))).await?;
    }
    let gone = async {
        if let Some(found) = &stack.proxy {
            step(run, StepId::Proxy, &found.proxy.name, delete_proxy(run, &found.proxy.name)).await?;
        }
        if let Some(policies) = &stack.role {
            // Not before the proxy is gone: it still reads its secret until then.
            step(run, StepId::ProxyRole, &stack.names.role, delete_role(run, stack, policies)).await?;
        }
        Ok::<_, Stop>(())
    };
    let rights = async {
        if let Some((policy, roles)) = &stack.policy {
            step(run, StepId::ConnectPolicy, &stack.names.policy, delete_policy(run, policy, roles)).await?;
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
        step(run, StepId::ProxyGroup, &group.name, delete_group(run, group)).await?;
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

fn refused(doing: &str) -> impl FnOnce(Refusal) -> Stop {
    let doing = doing.to_owned();
    move |refusal| Stop::Refused { doing, refusal }
}

/// One wait of the teardown.
struct Waiting<'a> {
    step: StepId,
    doing: &'a str,
    since: Duration,
    limit: Limit,
    pace: Pace,
}

impl Waiting<'_> {
    async fn rest(&self, run: &Run<'_>, state: &str) -> Result<(), Stop> {
        let elapsed = run.clock.elapsed().saturating_sub(self.since);
        if elapsed >= self.limit.span {
            return Err(Stop::Patience { doing: self.doing.to_owned(), state: state.to_owned(), limit: self.limit });
        }
        let (state, limit) = (state.to_owned(), self.limit.span);
        run.tell(&Event::Waiting { step: self.step, state, elapsed, limit });
        run.sleep(self.pace.next(elapsed)).await
    }

    /// Makes a change, again and again while something still refers to the thing or another change is under way.
    async fn insist(&self, run: &Run<'_>, call: impl AsyncFn() -> Answer<()>) -> Result<(), Stop> {
        loop {
            run.sleep(Duration::ZERO).await?;
            match call().await {
                Err(refusal) if refusal.kind == Kind::InUse => self.rest(run, "still in use").await?,
                Err(refusal) if refusal.kind == Kind::NotYet => self.rest(run, "busy").await?,
                answer => return answer.map_err(refused(self.doing)),
            }
        }
    }

    /// Reads, again and again while AWS fails in passing: that must not end a wait.
    async fn look<T>(&self, run: &Run<'_>, call: impl AsyncFn() -> Answer<T>) -> Result<T, Stop> {
        loop {
            match call().await {
                Err(refusal) if refusal.passes() => self.rest(run, "no answer").await?,
                answer => return answer.map_err(refused(self.doing)),
            }
        }
    }
}

async fn put_back(run: &Run<'_>, found: &Restoring) -> Result<(), Stop> {
    let name = found.function.name.as_str();
    let doing = format!("putting back the variables ({name})");
    let lambda = &run.cloud.lambda;
    let wait = Waiting {
        step: StepId::Repoint,
        doing: &doing,
        since: run.clock.elapsed(),
        limit: run.patience.function,
        pace: Pace::Seconds,
    };
    let mut current = found.clone();
    while !current.back.is_empty() {
        run.sleep(Duration::ZERO).await?;
        match lambda.set_variables(&current.function, &current.edited).await {
            Ok(_) => break,
            Err(refusal) if matches!(refusal.kind, Kind::Stale | Kind::NotYet) => {
                wait.rest(run, "changed meanwhile").await?;
                let Some(function) = lambda.get(name).await.map_err(refused(&doing))? else { return Ok(()) };
                // Only our variables are taken back; what a deploy changed meanwhile stays.
                for variable in std::mem::take(&mut current.back) {
                    let same = function.variables.0.get(&variable) == found.function.variables.0.get(&variable);
                    if same {
                        current.back.push(variable);
                    }
                }
                let mut edited = function.variables.clone();
                for variable in &current.back {
                    edited.0.extend(found.edited.0.get(variable).map(|old| (variable.clone(), old.clone())));
                }
                (current.function, current.edited) = (function, edited);
            }
            Err(refusal) => return Err(refused(&doing)(refusal)),
        }
    }
    loop {
        let Some(function) = wait.look(run, async || lambda.get(name).await).await? else { return Ok(()) };
        match function.update {
            Update::InProgress => wait.rest(run, "update in progress").await?,
            Update::Failed(why) if !found.back.is_empty() => {
                return Err(Stop::Conflict { doing, reasons: vec![format!("the update failed: {why}")] });
            }
            _ => break,
        }
    }
    wait.insist(run, async || lambda.untag(&found.function.arn, found.memory.clone()).await).await
}

async fn delete_proxy(run: &Run<'_>, name: &str) -> Result<(), Stop> {
    let doing = format!("deleting the proxy ({name})");
    let wait = Waiting {
        step: StepId::Proxy,
        doing: &doing,
        since: run.clock.elapsed(),
        limit: run.patience.deletion,
        pace: Pace::Minutes,
    };
    wait.insist(run, async || run.cloud.rds.delete_proxy(name).await).await?;
    while let Some(proxy) = wait.look(run, async || run.cloud.rds.proxy(name).await).await? {
        wait.rest(run, &proxy.status).await?;
    }
    Ok(())
}

async fn delete_role(run: &Run<'_>, stack: &Stack, policies: &[String]) -> Result<(), Stop> {
    let role = stack.names.role.as_str();
    let doing = format!("deleting the proxy's role ({role})");
    if let Some(foreign) = policies.iter().find(|name| *name != SECRET_POLICY) {
        let reasons = vec![format!("someone added the policy {foreign} to it")];
        return Err(Stop::Conflict { doing, reasons });
    }
    let (iam, limit) = (&run.cloud.iam, run.patience.propagation);
    let wait = Waiting { step: StepId::ProxyRole, doing: &doing, since: run.clock.elapsed(), limit, pace: Pace::Dense };
    wait.insist(run, async || iam.delete_role_policy(role, SECRET_POLICY).await).await?;
    wait.insist(run, async || iam.delete_role(role).await).await
}

async fn delete_policy(run: &Run<'_>, policy: &Policy, roles: &[String]) -> Result<(), Stop> {
    let doing = format!("deleting the connect policy ({})", policy.arn.rsplit('/').next().unwrap_or_default());
    let (iam, arn, limit) = (&run.cloud.iam, &policy.arn, run.patience.propagation);
    let since = run.clock.elapsed();
    let wait = Waiting { step: StepId::ConnectPolicy, doing: &doing, since, limit, pace: Pace::Dense };
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

async fn delete_group(run: &Run<'_>, group: &Group) -> Result<(), Stop> {
    let doing = format!("deleting the proxy's security group ({})", group.name);
    let (ec2, limit) = (&run.cloud.ec2, run.patience.deletion);
    let since = run.clock.elapsed();
    let wait = Waiting { step: StepId::ProxyGroup, doing: &doing, since, limit, pace: Pace::Minutes };
    wait.insist(run, async || ec2.delete_group(&group.id).await).await
}
