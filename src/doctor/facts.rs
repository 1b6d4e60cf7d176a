//! What the checks look at: the survey, and what a plan has no need of.

use std::collections::BTreeMap;

use super::Finding;
use super::log::{self, Told};
use super::metrics::{self, Measured};
use crate::catalogue::StepId;
use crate::catalogue::checks::CheckId;
use crate::cloud::ec2::{Acl, RouteTable, Subnet, Vpc};
use crate::cloud::iam::{self, Judgement};
use crate::cloud::kms::Key;
use crate::cloud::rds::{EngineFamily, Pool, Proxy, TargetKind};
use crate::cloud::{Answer, Cloud, Kind};
use crate::discover::others::Others;
use crate::discover::{keys, parameters};
use crate::engine::crowd;
use crate::plan::Verdict;
use crate::survey::Survey;
use crate::templates;

/// What was read, or why it was not.
pub(super) type Known<T> = Result<T, Unread>;

/// Why something was not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unread {
    /// AWS refused: what it said.
    Refused(String),
    /// Nobody asked: it would say nothing as things stand, or costs a call.
    Unasked,
}

/// Everything that a check may look at.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    pub(super) survey: &'a Survey,
    /// The thirteen steps as they are.
    verdicts: BTreeMap<StepId, Verdict>,
    pub(super) vpc: Known<Option<Vpc>>,
    pub(super) subnets: Known<Vec<Subnet>>,
    pub(super) acls: Known<Vec<Acl>>,
    pub(super) routes: Known<Vec<RouteTable>>,
    /// The parameters that someone set, of each group.
    pub(super) parameters: Known<parameters::Set>,
    pub(super) events: Known<Vec<String>>,
    pub(super) proxies: Known<usize>,
    /// How many proxies the account may have here, asked for where it has as many as every account may have; or why it
    /// could not be read.
    pub(super) quota: Option<Result<u64, String>>,
    /// What share of the database's connections each of its other proxies may use, in percent.
    pub(super) shares: Known<Vec<(String, i32)>>,
    pub(super) pool: Known<Pool>,
    /// What the functions' roles may do on the proxy, by role.
    pub(super) connects: Known<Vec<(String, Judgement)>>,
    /// What the proxy's role may do on the secrets, or on the database.
    pub(super) reads: Known<Vec<Judgement>>,
    /// What the proxy's role may do with the customer keys.
    pub(super) decrypts: Known<Vec<Judgement>>,
    pub(super) keys: Known<Vec<(String, Option<Key>)>>,
    /// What is wrong with the customer keys' policies.
    pub(super) closed: Vec<String>,
    /// What CloudWatch has of the proxy.
    pub(super) measured: Known<Measured>,
    /// What the proxy's log of the last hour says; none where there is no log.
    pub(super) told: Known<Option<Told>>,
}

/// Why a target is unhealthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symptom {
    /// The instance.
    pub target: String,
    /// `UNAVAILABLE`, `REGISTERING`.
    pub state: String,
    /// `AUTH_FAILURE`, …
    pub reason: Option<String>,
    /// AWS's sentence.
    pub description: Option<String>,
}

impl Symptom {
    /// The word that checks name it by.
    fn word(&self) -> &str {
        self.reason.as_deref().unwrap_or("INTERNAL")
    }

    /// Whether a failure would explain it.
    #[must_use]
    pub fn is_explained_by(&self, check: CheckId) -> bool {
        self.state == "UNAVAILABLE" && check.info().explains.contains(&self.word())
    }

    /// The finding where no cause was found.
    pub(super) fn unexplained(&self, stack: &str) -> Finding {
        let passing = self.state == "REGISTERING" || self.word() == "PENDING_PROXY_CAPACITY";
        let check = if passing { CheckId::Scaling } else { CheckId::Unexplained };
        Finding::of(check, [self.to_string()]).with("NAME", stack)
    }
}

impl std::fmt::Display for Symptom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "The target {} is {}", self.target, self.state)?;
        if let Some(reason) = &self.reason {
            write!(f, " ({reason})")?;
        }
        match &self.description {
            Some(text) => write!(f, ": {}.", text.trim_end_matches('.')),
            None => write!(f, "."),
        }
    }
}

pub(super) fn known<T>(answer: Answer<T>) -> Known<T> {
    answer.map_err(|refusal| {
        Unread::Refused(match refusal.kind {
            Kind::Denied => format!("{} is not allowed to these credentials", refusal.operation),
            _ => refusal.to_string(),
        })
    })
}

impl<'a> Facts<'a> {
    /// No more than the survey.
    fn of(survey: &'a Survey) -> Self {
        Self {
            survey,
            verdicts: survey.entries().into_iter().map(|entry| (entry.step, entry.verdict)).collect(),
            vpc: Err(Unread::Unasked),
            subnets: Err(Unread::Unasked),
            acls: Err(Unread::Unasked),
            routes: Err(Unread::Unasked),
            parameters: Err(Unread::Unasked),
            events: Err(Unread::Unasked),
            proxies: Err(Unread::Unasked),
            quota: None,
            shares: Err(Unread::Unasked),
            pool: Err(Unread::Unasked),
            connects: Err(Unread::Unasked),
            reads: Err(Unread::Unasked),
            decrypts: Err(Unread::Unasked),
            keys: Err(Unread::Unasked),
            closed: Vec::new(),
            measured: Err(Unread::Unasked),
            told: Err(Unread::Unasked),
        }
    }

    /// What a plan can be judged by: where a proxy is to be made, what would refuse it is asked for.
    pub(super) async fn before(cloud: &Cloud, survey: &'a Survey) -> Self {
        let mut facts = Self::of(survey);
        if survey.seen.proxy.is_absent() {
            (facts.vpc, facts.parameters, facts.proxies) =
                (vpc(cloud, survey).await, parameters(cloud, survey).await, proxies(survey));
            facts.quota = quota(cloud, survey).await;
        }
        if survey.ground.others.as_ref().is_some_and(|others| !others.serving.is_empty()) {
            (facts.shares, facts.pool) = (shares(cloud, survey).await, Ok(pool_to_come(survey)));
        }
        if survey.given.is_some() {
            // Nothing here grants it the right, so it must have it.
            (facts.reads, facts.decrypts) = tokio::join!(reads(cloud, survey), decrypts(cloud, survey));
        }
        facts
    }

    /// What the functions' way to the proxy can be judged by.
    pub(super) async fn of_clients(cloud: &Cloud, survey: &'a Survey) -> Self {
        let (subnets, acls, routes) = network(cloud, survey).await;
        Self { subnets, acls, routes, ..Self::of(survey) }
    }

    /// Everything, and where it is asked for, what happened of late.
    pub(super) async fn read(cloud: &Cloud, survey: &'a Survey, late: bool) -> Self {
        let facts = Self::of(survey);
        let there = facts.proxy().is_some();
        let of_proxy = async {
            if !there {
                return (Err(Unread::Unasked), Err(Unread::Unasked), Err(Unread::Unasked), OfLate::default());
            }
            let name = &survey.names.stack;
            let (events, shares, group, late) = tokio::join!(
                cloud.rds.proxy_events(name),
                shares(cloud, survey),
                cloud.rds.target_group(name),
                async { if late { OfLate::read(cloud, survey).await } else { OfLate::default() } },
            );
            let pool = known(group).and_then(|group| group.map(|group| group.pool).ok_or(Unread::Unasked));
            (known(events), shares, pool, late)
        };
        let (
            vpc,
            (subnets, acls, routes),
            parameters,
            (proxies, quota),
            (events, shares, pool, late),
            (connects, reads, decrypts),
            (keys, closed),
        ) = tokio::join!(
            vpc(cloud, survey),
            network(cloud, survey),
            parameters(cloud, survey),
            async { (proxies(survey), quota(cloud, survey).await) },
            of_proxy,
            async {
                tokio::join!(connects(cloud, survey, survey.proxy_id()), reads(cloud, survey), decrypts(cloud, survey))
            },
            async { tokio::join!(customer_keys(cloud, survey), closed(cloud, survey)) },
        );
        Self {
            vpc,
            subnets,
            acls,
            routes,
            parameters,
            events,
            proxies,
            quota,
            shares,
            pool,
            connects,
            reads,
            decrypts,
            keys,
            closed,
            measured: late.measured,
            told: late.told,
            ..facts
        }
    }

    /// The proxy, if there is one.
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        self.survey.seen.proxy.present().map(|found| &found.proxy)
    }

    /// How a step stands.
    pub(super) fn verdict(&self, step: StepId) -> &Verdict {
        self.verdicts.get(&step).unwrap_or(&Verdict::InPlace)
    }

    /// The subnet of that id, where it was read.
    pub(super) fn subnet(&self, id: &str) -> Option<&Subnet> {
        self.subnets.as_ref().ok()?.iter().find(|subnet| subnet.id == id)
    }

    /// Whether the proxy is in a state that does not heal.
    pub(super) fn is_dead(&self) -> bool {
        self.proxy().is_some_and(Proxy::is_stuck)
    }

    /// Why the target's instances are unhealthy; behind a dead proxy that says nothing about them.
    pub(super) fn symptoms(&self) -> Vec<Symptom> {
        if self.is_dead() {
            return Vec::new();
        }
        let rows = self.survey.seen.registered.present().map(|found| found.rows.as_slice()).unwrap_or_default();
        let ill = rows.iter().filter(|row| row.kind != TargetKind::Cluster).filter_map(|row| {
            let state = row.state.clone().filter(|state| state != "AVAILABLE")?;
            Some(Symptom {
                target: row.id.clone(),
                state,
                reason: row.reason.clone(),
                description: row.description.clone(),
            })
        });
        ill.collect()
    }
}

/// What happened of late.
struct OfLate {
    measured: Known<Measured>,
    told: Known<Option<Told>>,
}

impl Default for OfLate {
    fn default() -> Self {
        Self { measured: Err(Unread::Unasked), told: Err(Unread::Unasked) }
    }
}

impl OfLate {
    async fn read(cloud: &Cloud, survey: &Survey) -> Self {
        let measured = async {
            if survey.seen.registered.present().is_none_or(|found| found.rows.is_empty()) {
                // Without a target, a proxy has no metrics.
                return Err(Unread::Unasked);
            }
            metrics::read(cloud, &survey.names.stack).await
        };
        let told = async { if survey.spec.read_log { log::read(cloud, survey).await } else { Err(Unread::Unasked) } };
        let (measured, told) = tokio::join!(measured, told);
        Self { measured, told }
    }
}

/// The subnets of database, proxy and functions, and what their VPC puts between them.
async fn network(cloud: &Cloud, survey: &Survey) -> (Known<Vec<Subnet>>, Known<Vec<Acl>>, Known<Vec<RouteTable>>) {
    let proxy = survey.seen.proxy.present().map(|found| found.proxy.subnets.as_slice()).unwrap_or_default();
    let chosen = survey.subnets.as_ref().map(|subnets| subnets.ids.as_slice()).unwrap_or_default();
    let functions = survey.functions.iter().flat_map(|found| &found.function.subnets);
    let mut ids: Vec<String> =
        survey.database.subnets.iter().chain(proxy).chain(chosen).chain(functions).cloned().collect();
    ids.sort();
    ids.dedup();
    let vpc = &survey.database.vpc;
    let read = async {
        match &survey.ground.subnets {
            // All that matter here are in the database's VPC.
            Some(read) => read.clone(),
            None => cloud.ec2.subnets(&ids).await,
        }
    };
    let (subnets, acls, routes) = tokio::join!(read, cloud.ec2.acls_of_vpc(vpc), cloud.ec2.routes_of_vpc(vpc));
    (known(subnets), known(acls), known(routes))
}

async fn vpc(cloud: &Cloud, survey: &Survey) -> Known<Option<Vpc>> {
    match &survey.ground.vpc {
        Some(read) => known(read.clone()),
        None => known(cloud.ec2.vpc(&survey.database.vpc).await),
    }
}

fn proxies(survey: &Survey) -> Known<usize> {
    survey.ground.proxies.clone().map_or(Err(Unread::Unasked), known)
}

/// The account's own quota of proxies, where what every account may have is used up.
async fn quota(cloud: &Cloud, survey: &Survey) -> Option<Result<u64, String>> {
    let count = proxies(survey).ok()?;
    if (count as u64) < advice::quotas::PROXIES {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count of proxies")]
    let whole = |quota: f64| quota as u64;
    Some(cloud.quotas.proxies().await.map(whole).map_err(|refusal| refusal.to_string()))
}

/// What the database's other proxies may use.
async fn shares(cloud: &Cloud, survey: &Survey) -> Known<Vec<(String, i32)>> {
    let others = if let Some(others) = &survey.ground.others {
        others.clone()
    } else {
        let all = known(cloud.rds.proxies().await)?;
        Others::find(cloud, &all, &survey.names, &survey.database).await
    };
    // A sum without one of them would say that there is room.
    if let Some((name, why)) = others.unread.first() {
        return Err(Unread::Refused(format!("the targets of {name} were not shown: {why}")));
    }
    known(others.shares(cloud).await)
}

/// The pool that a new proxy gets: AWS's own choice, where nothing was asked for
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ConnectionPoolConfiguration.html>).
fn pool_to_come(survey: &Survey) -> Pool {
    let of_aws = if survey.database.family == EngineFamily::SqlServer { 10 } else { 100 };
    let percent = survey.spec.pool.max_connections_percent.unwrap_or(of_aws);
    Pool { max_connections_percent: Some(percent), ..survey.spec.pool.clone() }
}

async fn parameters(cloud: &Cloud, survey: &Survey) -> Known<parameters::Set> {
    match &survey.ground.parameters {
        Some(read) => known(read.clone()),
        None => known(parameters::read(cloud, &survey.database).await),
    }
}

/// The ARNs of the users that are granted.
pub(super) fn users_on(survey: &Survey, resource: &str) -> Vec<String> {
    let who = &survey.identity;
    templates::db_users(&who.partition, &survey.region, &who.account, resource, &survey.grants.users())
}

/// What is known of the requests that are simulated.
fn request<'a>(survey: &'a Survey, further: Option<(&'a str, &'a str)>) -> iam::Known<'a> {
    iam::Known { region: &survey.region, account: &survey.identity.account, further }
}

/// What the functions' roles may do on a proxy.
pub(super) async fn connects(
    cloud: &Cloud,
    survey: &Survey,
    proxy_id: Option<&str>,
) -> Known<Vec<(String, Judgement)>> {
    let Some(id) = proxy_id.filter(|_| survey.login.iam) else { return Err(Unread::Unasked) };
    let mut roles: Vec<&str> = survey.functions.iter().map(|found| found.function.role.as_str()).collect();
    roles.sort_unstable();
    roles.dedup();
    let who = &survey.identity;
    let of_role = roles.into_iter().map(async |role| {
        let users = survey.grants.of_role(role);
        let resources = templates::db_users(&who.partition, &survey.region, &who.account, id, &users);
        let judged = known(cloud.iam.simulate(role, "rds-db:connect", &resources, request(survey, None)).await)?;
        Ok(judged.into_iter().map(|judgement| (role.to_owned(), judgement)).collect::<Vec<_>>())
    });
    let judged: Known<Vec<Vec<(String, Judgement)>>> = crowd(of_role.collect()).await.into_iter().collect();
    Ok(judged?.into_iter().flatten().collect())
}

/// The role that the proxy assumes, once there is one.
fn role(survey: &Survey) -> Option<&str> {
    if let Some(given) = &survey.given {
        return Some(&given.arn);
    }
    let proxy = survey.seen.proxy.present().map(|found| found.proxy.role.as_str());
    proxy.or_else(|| survey.seen.role.present().map(|role| role.arn.as_str()))
}

async fn reads(cloud: &Cloud, survey: &Survey) -> Known<Vec<Judgement>> {
    let Some(role) = role(survey) else { return Err(Unread::Unasked) };
    let (action, resources): (_, Vec<String>) = if survey.login.end_to_end {
        ("rds-db:connect", users_on(survey, &survey.database.resource_id))
    } else {
        let arns = survey.secrets.found.iter().map(|secret| secret.arn.clone());
        ("secretsmanager:GetSecretValue", arns.collect())
    };
    if resources.is_empty() {
        return Err(Unread::Unasked);
    }
    known(cloud.iam.simulate(role, action, &resources, request(survey, None)).await)
}

async fn decrypts(cloud: &Cloud, survey: &Survey) -> Known<Vec<Judgement>> {
    let (Some(role), keys) = (role(survey), keys::customers(&survey.secrets.found)) else {
        return Err(Unread::Unasked);
    };
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let through = templates::via_secrets_manager(&survey.region, &survey.identity.partition);
    let request = request(survey, Some(("kms:ViaService", &through)));
    known(cloud.iam.simulate(role, "kms:Decrypt", &keys, request).await)
}

async fn customer_keys(cloud: &Cloud, survey: &Survey) -> Known<Vec<(String, Option<Key>)>> {
    let mut found = Vec::new();
    for arn in keys::customers(&survey.secrets.found) {
        let key = known(cloud.kms.key(&arn).await)?;
        found.push((arn, key));
    }
    Ok(found)
}

async fn closed(cloud: &Cloud, survey: &Survey) -> Vec<String> {
    let Some(role) = role(survey) else { return Vec::new() };
    keys::closed(cloud, &survey.secrets.found, &survey.identity.account, role).await
}
