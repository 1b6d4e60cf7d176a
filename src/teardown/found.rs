//! Everything of one stack that is there, found by ownership tags and by names.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::served::{Wanted, served, told};
use crate::catalogue::StepId;
use crate::cloud::ec2::{Group, Rule};
use crate::cloud::lambda::{Function, Variables};
use crate::cloud::{Answer, Cloud, Owner, tags};
use crate::discover::evidence::takes;
use crate::discover::home::Home;
use crate::discover::hosts::{HostKind, KnownHost, mentions, proxies_of};
use crate::discover::{Database, Problem};
use crate::engine::crowd;
use crate::names::{Names, secret_prefix};
use crate::probe::left_over;
use crate::resources::connect_policy::PolicyRemoval;
use crate::resources::ingress::RulesRemoval;
use crate::resources::probe::LeftBehind;
use crate::resources::proxy::{self, ProxyRemoval};
use crate::resources::proxy_group::GroupRemoval;
use crate::resources::proxy_role::RoleRemoval;
use crate::resources::release::{Aliases, Events};
use crate::resources::repoint::{Restoring, Rules};
use crate::resources::secret_access::{IamAuthRemoval, SecretRemoval};
use crate::resources::{Line, Removal};
use crate::spec::DatabaseRef;

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
    pub(super) probes: Vec<LeftBehind>,
    pub(super) proxy: Option<ProxyRemoval>,
    /// The connect policies; the one that names the others is the last to go.
    pub(super) policies: Vec<PolicyRemoval>,
    pub(super) rules: Option<RulesRemoval>,
    pub(super) secrets: Vec<SecretRemoval>,
    pub(super) iam_auth: Option<IamAuthRemoval>,
    pub(super) role: Option<RoleRemoval>,
    pub(super) groups: Vec<GroupRemoval>,
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
    let (proxy, role, groups, rules, listed, secrets, hosts) = tokio::join!(
        proxy::observe(cloud, stack, None),
        RoleRemoval::find(cloud, &owner, &names),
        cloud.ec2.groups_tagged_with(tags::STACK, stack),
        cloud.ec2.rules_tagged_with(tags::STACK, stack),
        cloud.lambda.list_with_versions(),
        cloud.secrets.beginning_with(&prefix),
        of_database(cloud, database.as_ref(), &identity.account, stack),
    );
    let doing = "looking for what belongs to the stack";
    let secrets = secrets.map_err(Problem::refused(doing))?;
    let mut foreign = Vec::new();
    let proxy = proxy.map_err(Problem::refused(doing))?.present().cloned();
    let was_there = proxy.is_some();
    // Also of one that was handed back already: its rules may still be there.
    let proxy_groups = proxy.as_ref().map(|found| found.proxy.security_groups.clone()).unwrap_or_default();
    let role = role.map_err(Problem::refused(doing))?.ours(&mut foreign);
    let (iam_auth, home, mut known) = hosts?;
    let iam_auth = IamAuthRemoval::judge(iam_auth, role.as_ref().map(|found| &found.role)).ours(&mut foreign);
    // A proxy that takes passwords alone, or has an administrator's policy, came to need none.
    let needs_none = proxy
        .as_ref()
        .is_some_and(|found| found.tags.contains_key(tags::CONNECT_POLICY) || takes(&found.proxy) == Some(false));
    let policies = PolicyRemoval::find(cloud, &owner, &names, &arn, needs_none).await;
    let policies = policies.map_err(Problem::refused(doing))?.into_iter();
    let policies: Vec<PolicyRemoval> = policies.filter_map(|found| found.ours(&mut foreign)).collect();
    let attached: Vec<String> = policies.iter().flat_map(|found| found.roles.clone()).collect();
    let groups = groups.map_err(Problem::refused(doing))?;
    let groups: Vec<Group> =
        groups.into_iter().filter_map(|group| GroupRemoval::judge(&owner, &names, group).ours(&mut foreign)).collect();
    let own_groups: Vec<String> = groups.iter().map(|group| group.id.clone()).collect();
    let proxy = ProxyRemoval::judge(&owner, &names, proxy, &own_groups).ours(&mut foreign);
    let role_tags = role.as_ref().map(|found| &found.role.tags);
    let tags = told(proxy.as_ref(), groups.first().map(|group| &group.tags), role_tags);
    let served = served(cloud, stack, wanted, proxy.as_ref(), tags).await?;
    let secrets = SecretRemoval::find(cloud, &owner, secrets, proxy.as_ref()).await?;
    let rules = rules.map_err(Problem::refused(doing))?;
    let proxy_groups: Vec<String> = own_groups.into_iter().chain(proxy_groups).collect();
    let rules: Vec<Rule> = rules
        .into_iter()
        .filter_map(|rule| RulesRemoval::judge(&owner, rule, &proxy_groups).ours(&mut foreign))
        .collect();
    let listed = listed.map_err(Problem::refused("listing the functions"))?;
    let probes = left_over(cloud, &owner, &listed.functions).await.map_err(Problem::refused("looking for probes"))?;

    let proxy = match proxy {
        Some(found) => Some(ProxyRemoval::with_endpoints(cloud, &owner, found).await.map_err(Problem::refused(doing))?),
        None => None,
    };
    let mut other_users = proxy.as_ref().map(|found| found.other_users.clone()).unwrap_or_default();
    let adopted = proxy.as_ref().is_some_and(ProxyRemoval::adopted);
    let remembered = || {
        let found = &proxy.as_ref()?.found;
        Home::remembered(&found.tags, found.proxy.family, &cloud.region)
    };
    let home = home.or_else(remembered);
    let mut ours = proxy.as_ref().map(|found| found.hosts.clone()).unwrap_or_default();
    // A proxy that was deleted by hand left its host in the functions. One that is there and is not ours, or was handed
    // back, is its owner's, and so are its users.
    let may_be_left = proxy.is_some() || !was_there;
    let values = listed.functions.iter().flat_map(|function| function.variables.0.values());
    let values = values.chain(
        listed.versions.iter().flat_map(BTreeMap::values).flatten().flat_map(|version| version.variables.0.values()),
    );
    for host in proxies_of(&names.stack, &cloud.region, values) {
        if may_be_left && !ours.iter().any(|known| known.name.eq_ignore_ascii_case(&host.name)) {
            ours.push(host);
        }
    }
    known.extend(ours.iter().cloned());
    if let Some(home) = &home {
        let hosts = [Some(&home.writer), home.reader.as_ref()].into_iter().flatten();
        known.extend(hosts.map(|host| KnownHost { name: host.as_str().to_owned(), kind: HostKind::Writer }));
    }
    let way_back = Arc::new(Rules { home, ours, known, adopted });
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
    let events = Events::default();
    let looks = read.map_err(Problem::refused("reading the functions"))?.into_iter().flatten().map(async |function| {
        let mut found = way_back.of(function);
        let mark = names.version_mark();
        let versions = versions_of(&found.function.name);
        found.aliases = Aliases::find(cloud, &found.function, &mark, &way_back, versions, &events).await?;
        Ok(found)
    });
    let looked: Answer<Vec<Restoring>> = crowd(looks.collect()).await.into_iter().collect();
    if let Some(found) = &proxy {
        other_users.extend(listed.functions.iter().filter_map(|function| hidden(function, &found.found.proxy.vpc)));
    }
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
            other_users.push(format!("{name} ({held}), because the database's host is no longer known"));
        }
        let granted = policies.is_empty() || attached.contains(&role_of(&found.function));
        found.by_others = (!found.back.is_empty() && !granted)
            .then(|| "its role was never given the proxy's connect policy".to_owned());
        if moves {
            functions.push(found);
        }
    }
    if adopted {
        // One that is only handed back serves its other users as before.
        other_users.clear();
    }
    let without_proxy = proxy.is_none().then(|| names.stack.clone());
    let own = groups.iter().map(|group| (group.id.clone(), group.name.clone())).collect();
    let groups = groups.into_iter().map(|group| GroupRemoval { group, without_proxy: without_proxy.clone() }).collect();
    Ok(Stack {
        names,
        functions,
        other_users,
        foreign,
        database: served,
        probes: probes.into_iter().map(|name| LeftBehind { name }).collect(),
        proxy,
        policies,
        rules: (!rules.is_empty()).then_some(RulesRemoval { rules, own }),
        secrets,
        iam_auth,
        role,
        groups,
    })
}

/// What this stack turned on at the database, and the hosts that it is known by.
async fn of_database(
    cloud: &Cloud,
    database: Option<&DatabaseRef>,
    account: &str,
    stack: &str,
) -> Result<(Option<IamAuthRemoval>, Option<Home>, Vec<KnownHost>), Problem> {
    let Some(database) = database else { return Ok((None, None, Vec::new())) };
    let found = match Database::in_this_account(database, account) {
        Ok(()) => Database::find(cloud, database).await,
        Err(problem) => Err(problem),
    };
    match found {
        Ok(found) => Ok((IamAuthRemoval::of(&found, stack), Home::of(&found), found.hosts)),
        Err(problem @ Problem::Refused { .. }) => Err(problem),
        // A database that is gone does not prevent the deletion of its proxy.
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

/// A function that may use the proxy unseen: AWS does not show its variables, and they were shown to the person who ran `up`.
fn hidden(function: &Function, vpc: &str) -> Option<String> {
    function.hidden.as_ref().filter(|_| function.vpc.as_deref() == Some(vpc))?;
    Some(format!("perhaps {}, whose variables AWS does not show without kms:Decrypt on its key", function.name))
}

impl Stack {
    /// Whether the proxy is one that someone else made.
    #[must_use]
    pub fn adopted(&self) -> bool {
        self.proxy.as_ref().is_some_and(ProxyRemoval::adopted)
    }

    /// Whether the proxy is there and is deleted.
    #[must_use]
    pub fn deletes_proxy(&self) -> bool {
        self.proxy.is_some() && !self.adopted()
    }

    /// Everything that goes or goes back, in the order of the teardown.
    fn removals(&self) -> Vec<&dyn Removal> {
        fn all<'a, T: Removal + 'a>(of: impl IntoIterator<Item = &'a T>) -> impl Iterator<Item = &'a dyn Removal> {
            of.into_iter().map(|one| one as &dyn Removal)
        }
        all(&self.probes)
            .chain(all(&self.functions))
            .chain(all(&self.proxy))
            .chain(all(&self.policies))
            .chain(all(&self.rules))
            .chain(all(&self.secrets))
            .chain(all(&self.iam_auth))
            .chain(all(&self.role))
            .chain(all(&self.groups))
            .collect()
    }

    /// Whether nothing of the stack exists.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.removals().is_empty()
    }

    /// The steps that a teardown takes back, in its order.
    #[must_use]
    pub fn steps(&self) -> Vec<StepId> {
        let mut steps: Vec<StepId> = self.removals().iter().filter_map(|removal| removal.step()).collect();
        // Several things of one step stand next to each other.
        steps.dedup();
        steps
    }

    /// What a teardown would do, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.removals().iter().flat_map(|removal| removal.lines()).collect()
    }
}
