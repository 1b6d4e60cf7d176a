//! Everything of one stack that is there, found by ownership tags and by names.

use std::collections::BTreeMap;

use super::aliases::Aliases;
use super::restoring::{Restoring, Rules};
use super::served::{Wanted, served, told};
use crate::catalogue::StepId;
use crate::cloud::ec2::{Direction, Group, Rule};
use crate::cloud::iam::{Policy, Role};
use crate::cloud::lambda::{Function, Variables};
use crate::cloud::rds::Endpoint;
use crate::cloud::{Answer, Cloud, Kind, Owner, tags};
use crate::discover::home::Home;
use crate::discover::hosts::{HostKind, KnownHost, mentions, proxies_of};
use crate::discover::{Database, Problem};
use crate::engine::crowd;
use crate::engine::ledger::Redirect;
use crate::names::{Names, secret_prefix};
use crate::ownership;
use crate::probe::left_over;
use crate::spec::DatabaseRef;
use crate::steps::proxy::{self, Owned};

/// For how many days a secret that goes can be taken back: AWS's own default, and its most.
pub(super) const RECOVERY_DAYS: i64 = 30;

/// Everything of one stack that is there.
#[derive(Debug, Clone)]
pub struct Stack {
    /// Its names.
    pub names: Names,
    /// The functions that go back to the database.
    pub functions: Vec<Restoring>,
    /// What would be left at the proxy, and why it cannot be pointed elsewhere.
    pub other_users: Vec<String>,
    /// What was found under our names but is not ours.
    pub foreign: Vec<String>,
    /// The database that the stack serves.
    pub database: Option<String>,
    pub(super) way_back: Rules,
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

/// Finds everything of a stack, whose database a flag may name.
///
/// # Errors
/// When AWS refuses a read: a teardown that does not see everything must not begin.
pub async fn survey(cloud: &Cloud, stack: &str, database: Option<&DatabaseRef>) -> Result<Stack, Problem> {
    Box::pin(read(cloud, stack, Wanted::Asked(database))).await
}

/// Finds everything of a stack whose database no flag names: a tag does, and is held to the registered target.
///
/// # Errors
/// As [`survey`], and where tags and target contradict each other.
pub async fn survey_as_tagged(cloud: &Cloud, stack: &str, tag: Option<&str>) -> Result<Stack, Problem> {
    Box::pin(read(cloud, stack, Wanted::Tagged(tag))).await
}

#[expect(
    clippy::too_many_lines,
    reason = "one reading of the account, in the order in which its parts depend on each other"
)]
async fn read(cloud: &Cloud, stack: &str, wanted: Wanted<'_>) -> Result<Stack, Problem> {
    let database = wanted.database();
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
        cloud.lambda.list_with_versions(),
        cloud.secrets.beginning_with(&prefix),
        of_database(cloud, database.as_ref(), &identity.account, stack),
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
    let (iam_auth, home, mut known) = hosts?;
    let iam_auth = iam_auth.filter(|found| {
        let what = format!("IAM authentication of {} (only a tag says that this stack turned it on)", found.database);
        ours(found.is_confirmed_by(role.as_ref()), what)
    });
    let role_tags = role.as_ref().map(|role| role.tags.clone());
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
    let tags = told(proxy.as_ref(), groups.first().map(|group| &group.tags), role_tags.as_ref());
    let served = served(cloud, stack, wanted, proxy.as_ref(), tags).await?;
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
    let probes = left_over(cloud, &owner, &listed.functions).await.map_err(Problem::refused("looking for probes"))?;

    let Endpoints { hosts: endpoints, readers, mut other_users } = match &proxy {
        Some(found) => Endpoints::of(cloud, found, &owner).await.map_err(Problem::refused(doing))?,
        None => Endpoints::default(),
    };
    let adopted = proxy.as_ref().is_some_and(|found| found.tags.contains_key(tags::ADOPTED));
    let remembered =
        || proxy.as_ref().and_then(|found| Home::remembered(&found.tags, found.proxy.family, &cloud.region));
    let home = home.or_else(remembered);
    let mut ours = endpoints;
    // A proxy that was deleted by hand left its host in the functions.
    let values = listed.functions.iter().flat_map(|function| function.variables.0.values());
    let values = values.chain(
        listed.versions.iter().flat_map(BTreeMap::values).flatten().flat_map(|version| version.variables.0.values()),
    );
    for host in proxies_of(&names.stack, &cloud.region, values) {
        if !ours.iter().any(|known| known.name.eq_ignore_ascii_case(&host.name)) {
            ours.push(host);
        }
    }
    known.extend(ours.iter().cloned());
    if let Some(home) = &home {
        let hosts = [Some(&home.writer), home.reader.as_ref()].into_iter().flatten();
        known.extend(hosts.map(|host| KnownHost { name: host.as_str().to_owned(), kind: HostKind::Writer }));
    }
    let way_back = Rules { home, ours, known, adopted };
    let role_of = |function: &Function| function.role.rsplit('/').next().unwrap_or_default().to_owned();
    let versions_of = |name: &str| listed.versions.as_ref().and_then(|all| all.get(name)).map(Vec::as_slice);
    let concerned = |function: &&Function| {
        let uses =
            |variables: &Variables| variables.0.values().any(|value| !mentions(value, &way_back.known).is_empty());
        let published = versions_of(&function.name).unwrap_or_default();
        uses(&function.variables)
            || published.iter().any(|version| uses(&version.variables))
            || attached.contains(&role_of(function))
    };
    let reads = listed.functions.iter().filter(concerned).map(|function| cloud.lambda.get(&function.name)).collect();
    let read: Answer<Vec<Option<Function>>> = crowd(reads).await.into_iter().collect();
    let looks = read.map_err(Problem::refused("reading the functions"))?.into_iter().flatten().map(async |function| {
        let mut found = way_back.of(function);
        let mark = names.version_mark();
        let versions = versions_of(&found.function.name);
        found.aliases = Aliases::find(cloud, &found.function, &mark, &way_back, versions).await?;
        Ok(found)
    });
    let looked: Answer<Vec<Restoring>> = crowd(looks.collect()).await.into_iter().collect();
    let mut functions = Vec::new();
    for mut found in looked.map_err(Problem::refused("reading the functions' versions and aliases"))? {
        let name = found.function.name.clone();
        let moves = !found.is_empty();
        if let Some(why) = found.function.unread_tags.as_ref().filter(|_| moves) {
            return Err(unread_tags(&name, why));
        }
        other_users.extend(found.aliases.stuck.iter().map(|alias| format!("{name}:{alias}")));
        if !found.stuck.is_empty() {
            let held = found.stuck.join(", ");
            other_users.push(format!("{name} ({held}), since nothing tells the database's host any more"));
        }
        let roles = policy.as_ref().map(|(_, roles)| roles);
        let granted = roles.is_none_or(|roles| roles.contains(&role_of(&found.function)));
        found.by_others = (!found.back.is_empty() && !granted)
            .then(|| "its role was never given the proxy's connect policy".to_owned());
        if moves {
            functions.push(found);
        }
    }
    if adopted {
        // One that is only handed back serves whoever else uses it as before.
        other_users.clear();
    }
    Ok(Stack {
        names,
        functions,
        other_users,
        foreign,
        database: served,
        way_back,
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
) -> Result<(Option<IamAuth>, Option<Home>, Vec<KnownHost>), Problem> {
    let Some(database) = database else { return Ok((None, None, Vec::new())) };
    let found = match Database::in_this_account(database, account) {
        Ok(()) => Database::find(cloud, database).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok(found) => Ok((IamAuth::of(&found, stack), Home::of(&found), found.hosts)),
        Err(problem @ Problem::Refused { .. }) => Err(problem),
        // A database that is gone does not stand in the way of its proxy's removal.
        Err(Problem::Unfit { .. }) => Ok((None, None, Vec::new())),
    }
}

/// What a function remembers decides how it goes back, so tags that are not shown are no tags that are not there.
fn unread_tags(function: &str, why: &str) -> Problem {
    Problem::unfit(
        format!("reading the tags of the function ({function}): AWS does not show them: {why}"),
        ["They may say what its variables held. Allow lambda:ListTags on the functions to these credentials."],
    )
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

/// One line of what goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The plan's mark.
    pub mark: char,
    /// What goes, or goes back.
    pub what: String,
    /// How.
    pub detail: String,
    /// Variables that go back.
    pub redirects: Vec<Redirect>,
}

impl Line {
    fn of(mark: char, what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { mark, what: what.into(), detail: detail.into(), redirects: Vec::new() }
    }
}

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
        let probe = |name: &String| Line::of('-', format!("function {name}"), "left behind by a probe");
        let mut lines: Vec<Line> = self.probes.iter().map(probe).collect();
        for found in &self.functions {
            let what = format!("function {}", found.function.name);
            if !found.back.is_empty() {
                let redirects = self.way_back.redirects(found);
                lines.push(Line { redirects, ..Line::of('~', &what, format!("put back {}", found.back.join(", "))) });
                let by_others = found.by_others.as_ref().map(|why| format!("not pointed there by this tool: {why}"));
                lines.extend(by_others.into_iter().chain(found.advice()).map(|text| Line::of('!', &what, text)));
            } else if found.aliases.words().is_empty() {
                lines.push(Line::of('~', &what, "forget the former host; no variable holds the proxy"));
            }
            lines.extend(found.aliases.words().into_iter().map(|word| Line::of('~', &what, word)));
        }
        for reader in &self.readers {
            lines.push(Line::of('-', format!("read-only endpoint {}", reader.name), &reader.status));
        }
        if let Some(found) = self.proxy.as_ref().filter(|_| self.adopted()) {
            lines.push(Line::of('~', format!("proxy {}", found.proxy.name), "handed back to who made it; it stays"));
        } else if let Some(found) = &self.proxy {
            lines.push(Line::of('-', format!("proxy {}", found.proxy.name), &found.proxy.status));
        }
        for rule in &self.rules {
            let way = if rule.direction == Direction::Ingress { "ingress" } else { "egress" };
            let port = rule.port.unwrap_or_default();
            lines.push(Line::of('-', format!("{way} rule {}", rule.id), format!("port {port} of {}", rule.group)));
        }
        if let Some((policy, roles)) = &self.policy {
            let of = if roles.is_empty() {
                "attached to no role".to_owned()
            } else {
                format!("attached to {}", roles.join(", "))
            };
            lines.push(Line::of('-', format!("policy {}", policy.arn.rsplit('/').next().unwrap_or_default()), of));
        }
        if self.role.is_some() {
            lines.push(Line::of('-', format!("role {}", self.names.role), "with its right to read the secret"));
        }
        for (_, name) in &self.secrets {
            lines.push(Line::of(
                '-',
                format!("secret {name}"),
                format!("gone after {RECOVERY_DAYS} days, restorable until then"),
            ));
        }
        if let Some(found) = &self.iam_auth {
            let how = if found.on { "turn off again, as it was" } else { "forget that this stack had it on" };
            lines.push(Line::of('~', format!("IAM authentication of {}", found.database), how));
        }
        for group in &self.groups {
            lines.push(Line::of('-', format!("security group {}", group.name), &group.id));
        }
        lines
    }
}
