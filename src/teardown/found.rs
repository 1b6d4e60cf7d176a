//! Everything of one stack that is there, found by ownership tags and by names.

use super::aliases::Aliases;
use crate::catalogue::StepId;
use crate::cloud::ec2::{Direction, Group, Rule};
use crate::cloud::iam::{Policy, Role};
use crate::cloud::lambda::Function;
use crate::cloud::rds::Endpoint;
use crate::cloud::{Answer, Cloud, Kind, Owner, tags};
use crate::discover::hosts::{HostKind, KnownHost, mentions, proxies_of, restore};
use crate::discover::{Database, Problem};
use crate::engine::crowd;
use crate::names::{Names, secret_prefix};
use crate::ownership;
use crate::probe::left_over;
use crate::spec::DatabaseRef;
use crate::steps::proxy::{self, Owned};

/// What a port variable can hold of a proxy that is gone already.
const PROXY_PORTS: [&str; 3] = ["3306", "5432", "1433"];

/// For how many days a secret that goes can be taken back: AWS's own default, and its most.
pub(super) const RECOVERY_DAYS: i64 = 30;

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
    pub(super) iam_auth: Option<IamAuth>,
    pub(super) secrets: Vec<(String, String)>,
    pub(super) proxy: Option<Owned>,
    pub(super) readers: Vec<Endpoint>,
    pub(super) role: Option<Vec<String>>,
    pub(super) policy: Option<(Policy, Vec<String>)>,
    pub(super) groups: Vec<Group>,
    pub(super) rules: Vec<Rule>,
    pub(super) probes: Vec<String>,
}

/// IAM authentication of the database, which this stack turned on.
#[derive(Debug, Clone)]
pub(super) struct IamAuth {
    pub(super) database: String,
    pub(super) arn: String,
    pub(super) cluster: bool,
    pub(super) on: bool,
}

impl IamAuth {
    fn of(database: &Database, stack: &str) -> Option<Self> {
        (database.tags.get(tags::IAM_AUTH).map(String::as_str) == Some(stack)).then(|| Self {
            database: database.id.clone(),
            arn: database.arn.clone(),
            cluster: database.cluster,
            on: database.iam_authentication,
        })
    }

    /// Whether the stack's own role remembers the same as the database's tag.
    fn is_confirmed_by(&self, role: Option<&Role>) -> bool {
        role.is_some_and(|role| role.tags.get(tags::IAM_AUTH) == Some(&self.database))
    }
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
    /// Aliases and versions.
    pub aliases: Aliases,
    pub(super) edited: crate::cloud::lambda::Variables,
    pub(super) memory: Vec<String>,
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
    let prefix = secret_prefix(stack);
    let (proxy, role, inline, policy, attached, groups, rules, listed, secrets, hosts) = tokio::join!(
        proxy::observe(cloud, stack, None),
        cloud.iam.role(&names.role),
        cloud.iam.role_policies(&names.role),
        cloud.iam.policy(&arn),
        cloud.iam.attached_roles(&arn),
        cloud.ec2.groups_tagged_with(tags::STACK, stack),
        cloud.ec2.rules_tagged_with(tags::STACK, stack),
        cloud.lambda.list(),
        cloud.secrets.beginning_with(&prefix),
        of_database(cloud, database, &identity.account, stack),
    );
    let doing = "looking for what belongs to the stack";
    let secrets = secrets.map_err(Problem::refused(doing))?;
    let mut foreign = Vec::new();
    let mut ours = |owns: bool, what: String| {
        if !owns {
            foreign.push(what);
        }
        owns
    };
    let proxy = proxy.map_err(Problem::refused(doing))?.present().cloned();
    // Also of one that was handed back already: its rules may still be there.
    let proxy_groups = proxy.as_ref().map(|found| found.proxy.security_groups.clone()).unwrap_or_default();
    let role = role.map_err(Problem::refused(doing))?;
    let is_ours = |role: &Role| ours(ownership::role(&owner, &names, role), format!("the role {}", role.name));
    let role = role.filter(is_ours);
    let (iam_auth, mut known) = hosts?;
    let iam_auth = iam_auth.filter(|found| {
        let what = format!("IAM authentication of {} (only a tag says that this stack turned it on)", found.database);
        ours(found.is_confirmed_by(role.as_ref()), what)
    });
    let role = match role {
        Some(_) => Some(inline.map_err(Problem::refused(doing))?),
        None => None,
    };
    let attached = attached.map_err(Problem::refused(doing))?;
    let policy = policy.map_err(Problem::refused(doing))?;
    let policy = policy.filter(|policy| ours(owner.owns(&policy.tags), format!("the policy {}", names.policy)));
    let policy = policy.map(|policy| (policy, attached.clone()));
    let mut groups = groups.map_err(Problem::refused(doing))?;
    groups.retain(|group| {
        ours(ownership::group(&owner, &names, group), format!("the security group {} ({})", group.name, group.id))
    });
    let own_groups: Vec<String> = groups.iter().map(|group| group.id.clone()).collect();
    let proxy = proxy.filter(|found| {
        let adopted = owner.owns(&found.tags) && found.tags.contains_key(tags::ADOPTED);
        let is_ours = adopted || ownership::proxy(&owner, &names, found, &own_groups);
        ours(is_ours, format!("the proxy {}", found.proxy.name))
    });
    let secrets = secrets_of(cloud, &owner, secrets, proxy.as_ref()).await?;
    let mut rules = rules.map_err(Problem::refused(doing))?;
    let proxy_groups: Vec<String> = own_groups.into_iter().chain(proxy_groups).collect();
    rules.retain(|rule| {
        ours(
            ownership::rule(&owner, rule, &proxy_groups),
            format!("the rule {} of the security group {}", rule.id, rule.group),
        )
    });
    let listed = listed.map_err(Problem::refused("listing the functions"))?;
    let probes = left_over(cloud, &owner, &listed).await.map_err(Problem::refused("looking for probes"))?;

    let Endpoints { hosts: endpoints, readers, mut other_users } = match &proxy {
        Some(found) => Endpoints::of(cloud, found, &owner).await.map_err(Problem::refused(doing))?,
        None => Endpoints::default(),
    };
    let port = proxy.as_ref().and_then(|found| found.proxy.family).map(|family| family.proxy_port().to_string());
    known.extend(endpoints.iter().cloned());
    // A proxy that was deleted by hand left its host in the functions.
    let left_in = |function: &Function| proxies_of(&names.stack, &cloud.region, function.variables.0.values());
    let concerned = |function: &&Function| {
        let uses = function.variables.0.values().any(|value| !mentions(value, &known).is_empty());
        let role = function.role.rsplit('/').next().unwrap_or_default();
        uses || !left_in(function).is_empty() || attached.iter().any(|name| name == role)
    };
    let reads = listed.iter().filter(concerned).map(|function| cloud.lambda.get(&function.name)).collect();
    let read: Answer<Vec<Option<Function>>> = crowd(reads).await.into_iter().collect();
    let mut functions = Vec::new();
    for function in read.map_err(Problem::refused("reading the functions"))?.into_iter().flatten() {
        let name = function.name.clone();
        let mut ours = endpoints.clone();
        ours.extend(left_in(&function).into_iter().filter(|host| !endpoints.contains(host)));
        let mut restoring = Restoring::of(function, &ours, port.as_deref(), &known);
        let aliases = Aliases::find(cloud, &restoring.function, &names.version_mark(), &ours).await;
        restoring.aliases = aliases.map_err(Problem::refused("reading the functions' versions and aliases"))?;
        other_users.extend(restoring.aliases.stuck.iter().map(|alias| format!("{name}:{alias}")));
        if restoring.edited.0.values().any(|value| !mentions(value, &endpoints).is_empty()) {
            other_users.push(name);
        }
        if !restoring.memory.is_empty() || !restoring.aliases.is_empty() {
            functions.push(restoring);
        }
    }
    let tagged = proxy.as_ref().map(|found| &found.tags).or_else(|| groups.first().map(|group| &group.tags));
    let database = tagged.and_then(|tags| tags.get(tags::DATABASE)).cloned();
    if proxy.as_ref().is_some_and(|found| found.tags.contains_key(tags::ADOPTED)) {
        // One that is only handed back serves whoever else uses it as before.
        other_users.clear();
    }
    Ok(Stack {
        names,
        functions,
        other_users,
        foreign,
        database,
        iam_auth,
        secrets,
        proxy,
        readers,
        role,
        policy,
        groups,
        rules,
        probes,
    })
}

/// What this stack turned on at the database, and the hosts that it is known by.
async fn of_database(
    cloud: &Cloud,
    database: Option<&DatabaseRef>,
    account: &str,
    stack: &str,
) -> Result<(Option<IamAuth>, Vec<KnownHost>), Problem> {
    let Some(database) = database else { return Ok((None, Vec::new())) };
    match Database::find(cloud, database, account).await {
        Ok(found) => Ok((IamAuth::of(&found, stack), found.hosts)),
        Err(problem @ Problem::Refused { .. }) => Err(problem),
        // A database that is gone does not stand in the way of its proxy's removal.
        Err(Problem::Unfit { .. }) => Ok((None, Vec::new())),
    }
}

/// The secrets that the stack made, by ARN and name.
async fn secrets_of(
    cloud: &Cloud,
    owner: &Owner,
    listed: Vec<(String, String, tags::Tags)>,
    proxy: Option<&Owned>,
) -> Result<Vec<(String, String)>, Problem> {
    let ours = listed.into_iter().filter(|(_, _, tags)| owner.owns(tags));
    let mut found: Vec<(String, String)> = ours.map(|(arn, name, _)| (arn, name)).collect();
    let prefix = format!(":secret:{}", secret_prefix(&owner.stack));
    // Lists of secrets lag minutes behind
    // (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>).
    for auth in proxy.iter().flat_map(|found| &found.proxy.auth) {
        if !auth.secret.contains(&prefix) || found.iter().any(|(arn, _)| *arn == auth.secret) {
            continue;
        }
        let doing = format!("looking at the secret ({})", auth.secret);
        let secret = cloud.secrets.describe(&auth.secret).await.map_err(Problem::refused(doing))?;
        let secret = secret.filter(|secret| !secret.deleted && owner.owns(&secret.tags));
        found.extend(secret.map(|secret| (secret.arn, secret.name)));
    }
    Ok(found)
}

/// The endpoints of our proxy.
#[derive(Debug, Default)]
struct Endpoints {
    hosts: Vec<KnownHost>,
    readers: Vec<Endpoint>,
    other_users: Vec<String>,
}

impl Endpoints {
    async fn of(cloud: &Cloud, found: &Owned, owner: &Owner) -> Answer<Self> {
        let mut all = Self::default();
        all.hosts.extend(found.proxy.endpoint.clone().map(|name| KnownHost { name, kind: HostKind::Proxy }));
        for further in cloud.rds.endpoints(&found.proxy.name).await? {
            let tags = match cloud.rds.tags(&further.arn).await {
                // Another teardown at the same time was faster.
                Err(refusal) if refusal.kind == Kind::NotFound => continue,
                answer => answer?,
            };
            if owner.owns(&tags) {
                all.hosts.extend(further.host.clone().map(|name| KnownHost { name, kind: HostKind::ReaderProxy }));
                all.readers.push(further);
            } else {
                all.other_users.push(format!("whoever uses its endpoint {}", further.name));
            }
        }
        Ok(all)
    }
}

impl Restoring {
    fn of(function: Function, ours: &[KnownHost], port: Option<&str>, known: &[KnownHost]) -> Self {
        let mut restoring = Self {
            edited: function.variables.clone(),
            back: Vec::new(),
            changed: Vec::new(),
            aliases: Aliases::default(),
            memory: Vec::new(),
            function,
        };
        for (name, former) in restoring.remembered(ours, known) {
            let name = name.as_str();
            restoring.memory.push(format!("{}{name}", tags::FORMER));
            let Some(value) = restoring.function.variables.0.get(name) else {
                restoring.changed.push(name.to_owned());
                continue;
            };
            let hosts: Vec<&str> = former.split(' ').collect();
            let is_port = former.chars().all(|c| c.is_ascii_digit());
            let old = match is_port {
                true if port.map_or(PROXY_PORTS.contains(&value.as_str()), |port| port == value) => {
                    Some(former.clone())
                }
                true => None,
                false => restore(value, ours, &hosts),
            };
            match old {
                Some(old) => {
                    restoring.edited.0.insert(name.to_owned(), old);
                    restoring.back.push(name.to_owned());
                }
                // Never written, put back already, or someone else's by now: only the memory goes.
                None if is_port && *value == former => {}
                None if hosts.iter().all(|host| value.contains(host.split(':').next().unwrap_or(host))) => {}
                None => restoring.changed.push(name.to_owned()),
            }
        }
        restoring
    }

    /// What the function remembers of this stack: another stack's proxy may serve it too, for another database.
    fn remembered(&self, ours: &[KnownHost], known: &[KnownHost]) -> Vec<(String, String)> {
        let tags = self.function.tags.iter().flatten();
        let memory: Vec<(String, String)> = tags
            .filter_map(|(key, former)| Some((key.strip_prefix(tags::FORMER)?.to_owned(), former.clone())))
            .collect();
        let is_ours = |(name, former): &(String, String)| {
            let value = self.function.variables.0.get(name);
            value.is_some_and(|value| !mentions(value, ours).is_empty()) || !mentions(former, known).is_empty()
        };
        let any = memory.iter().any(is_ours);
        // A port tells nothing by itself: it goes with its function's host.
        let port = |former: &str| former.chars().all(|c| c.is_ascii_digit());
        memory.into_iter().filter(|found| is_ours(found) || (any && port(&found.1))).collect()
    }
}

/// One line of what goes: a mark, what, and a detail.
pub type Line = (char, String, String);

impl Stack {
    /// Whether the proxy is one that someone else made.
    #[must_use]
    pub fn adopted(&self) -> bool {
        self.proxy.as_ref().is_some_and(|found| found.tags.contains_key(tags::ADOPTED))
    }

    /// Whether the proxy is there and is deleted.
    #[must_use]
    pub fn deletes_proxy(&self) -> bool {
        self.proxy.is_some() && !self.adopted()
    }

    /// Whether nothing of the stack is there.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.functions.is_empty()
            && self.iam_auth.is_none()
            && self.secrets.is_empty()
            && self.proxy.is_none()
            && self.role.is_none()
            && self.policy.is_none()
            && self.groups.is_empty()
            && self.rules.is_empty()
            && self.probes.is_empty()
    }

    /// The steps that a teardown takes back, in its order.
    #[must_use]
    pub fn steps(&self) -> Vec<StepId> {
        [
            (StepId::Repoint, !self.functions.is_empty()),
            (StepId::Proxy, self.proxy.is_some()),
            (StepId::ConnectPolicy, self.policy.is_some()),
            (StepId::DatabaseIngress, !self.rules.is_empty()),
            (StepId::SecretAccess, self.iam_auth.is_some() || !self.secrets.is_empty()),
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
        let probe = |name: &String| ('-', format!("function {name}"), "left behind by a probe".to_owned());
        let mut lines: Vec<Line> = self.probes.iter().map(probe).collect();
        for found in &self.functions {
            let what = format!("function {}", found.function.name);
            if !found.back.is_empty() {
                lines.push(('~', what.clone(), format!("put back {}", found.back.join(", "))));
            } else if found.aliases.words().is_empty() {
                lines.push(('~', what.clone(), "forget the former host; no variable holds the proxy".to_owned()));
            }
            lines.extend(found.aliases.words().into_iter().map(|word| ('~', what.clone(), word)));
        }
        for reader in &self.readers {
            lines.push(('-', format!("read-only endpoint {}", reader.name), reader.status.clone()));
        }
        if let Some(found) = self.proxy.as_ref().filter(|_| self.adopted()) {
            lines.push(('~', format!("proxy {}", found.proxy.name), "handed back to who made it; it stays".to_owned()));
        } else if let Some(found) = &self.proxy {
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
        for (_, name) in &self.secrets {
            lines.push((
                '-',
                format!("secret {name}"),
                format!("gone after {RECOVERY_DAYS} days, restorable until then"),
            ));
        }
        if let Some(found) = &self.iam_auth {
            let how = if found.on { "turn off again, as it was" } else { "forget that this stack had it on" };
            lines.push(('~', format!("IAM authentication of {}", found.database), how.to_owned()));
        }
        for group in &self.groups {
            lines.push(('-', format!("security group {}", group.name), group.id.clone()));
        }
        lines
    }
}
