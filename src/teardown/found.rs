//! Everything of one stack that is there, found by ownership tags and by names.

use super::back::Back;
use super::marked::Marked;
use super::served::Wanted;
use crate::catalogue::StepId;
use crate::cloud::Cloud;
use crate::discover::Problem;
use crate::handover;
use crate::names::Names;
use crate::plan::Terms;
use crate::resources::alarms::AlarmsFound;
use crate::resources::connect_policy::PolicyRemoval;
use crate::resources::direct_rules::{Doors, RulesBack};
use crate::resources::ingress::RulesRemoval;
use crate::resources::log_group::LogGroupFound;
use crate::resources::probe::LeftBehind;
use crate::resources::proxy::ProxyRemoval;
use crate::resources::proxy_group::GroupRemoval;
use crate::resources::proxy_role::RoleRemoval;
use crate::resources::repoint::Restoring;
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
    /// Rules of the direct path that `close-direct` removed.
    pub direct: Vec<RulesBack>,
    /// What such a rule is held to.
    pub(super) doors: Doors,
    /// What would be left at the proxy, and why it cannot be pointed elsewhere.
    pub other_users: Vec<String>,
    /// What was found under our names but is not ours.
    pub foreign: Vec<String>,
    /// The proxy's log group.
    pub log_group: LogGroupFound,
    /// The alarms and the dashboard.
    pub alarms: AlarmsFound,
    /// The database that the stack serves.
    pub database: Option<String>,
    pub(super) probes: Vec<LeftBehind>,
    pub(crate) proxy: Option<ProxyRemoval>,
    /// The connect policies; the one that names the others is the last to go.
    pub(crate) policies: Vec<PolicyRemoval>,
    pub(crate) rules: Option<RulesRemoval>,
    pub(crate) secrets: Vec<SecretRemoval>,
    pub(crate) iam_auth: Option<IamAuthRemoval>,
    pub(crate) role: Option<RoleRemoval>,
    pub(crate) groups: Vec<GroupRemoval>,
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

async fn read(cloud: &Cloud, stack: &str, wanted: Wanted<'_>) -> Result<Stack, Problem> {
    let marked = Box::pin(Marked::read(cloud, stack, wanted)).await?;
    let back = Back::read(cloud, &marked).await?;
    let Marked {
        names,
        foreign,
        probes,
        proxy,
        policies,
        rules,
        secrets,
        iam_auth,
        role,
        groups,
        served,
        log_group,
        alarms,
        doors,
        ..
    } = marked;
    let doors = Doors { sources: back.sources, ..doors };
    let direct = groups.iter().filter_map(|group| RulesBack::of(group, &doors)).collect();
    let without_proxy = proxy.is_none().then(|| names.stack.clone());
    let own = groups.iter().map(|group| (group.id.clone(), group.name.clone())).collect();
    let groups = groups.into_iter().map(|group| GroupRemoval { group, without_proxy: without_proxy.clone() }).collect();
    Ok(Stack {
        names,
        functions: back.functions,
        direct,
        doors,
        other_users: back.other_users,
        foreign,
        database: served,
        probes: probes.into_iter().map(|name| LeftBehind { name }).collect(),
        proxy,
        log_group,
        alarms,
        policies,
        rules: (!rules.is_empty()).then_some(RulesRemoval { rules, own }),
        secrets,
        iam_auth,
        role,
        groups,
    })
}

/// One row a thing, in the order in which they come first.
fn together(all: impl Iterator<Item = (String, Terms)>) -> Vec<(String, Terms)> {
    let mut rows: Vec<(String, Terms)> = Vec::new();
    for (what, terms) in all {
        match rows.iter_mut().find(|(known, _)| *known == what) {
            Some((_, row)) => row.extend(terms),
            None => rows.push((what, terms)),
        }
    }
    rows
}

impl Stack {
    /// Whether the proxy is one that someone else made.
    #[must_use]
    pub fn adopted(&self) -> bool {
        self.proxy.as_ref().is_some_and(ProxyRemoval::adopted)
    }

    /// Whether the stack was handed over.
    #[must_use]
    pub fn handed_over(&self) -> bool {
        self.proxy.as_ref().is_some_and(|found| handover::marked(&found.found.tags))
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
            .chain(all(&self.direct))
            .chain(all(&self.functions))
            .chain(all(self.alarms.removal()))
            .chain(all(&self.proxy))
            .chain(all(self.log_group.removal()))
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

    /// What a teardown comes to, thing by thing, for a plan that is saved.
    #[must_use]
    pub fn terms(&self) -> Vec<(String, Terms)> {
        let mut terms = together(self.removals().into_iter().flat_map(Removal::terms));
        terms.extend(self.left());
        terms
    }

    /// The same for `restore`.
    #[must_use]
    pub fn terms_of_restore(&self) -> Vec<(String, Terms)> {
        let direct = self.direct.iter().flat_map(Removal::terms);
        let mut terms = together(direct.chain(self.functions.iter().flat_map(Removal::terms)));
        terms.extend(self.left());
        terms
    }

    /// Who is left at the proxy.
    fn left(&self) -> Option<(String, Terms)> {
        let users = self.other_users.iter().map(|user| format!("leave {user}"));
        (!self.other_users.is_empty()).then(|| ("others at the proxy".to_owned(), Terms::of(users)))
    }

    /// What a teardown would do, in order.
    #[must_use]
    pub fn lines(&self) -> Vec<Line> {
        self.removals().iter().flat_map(|removal| removal.lines()).collect()
    }
}
