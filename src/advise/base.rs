//! First: the database, the functions that use it, and the proxy before it.

use std::collections::BTreeSet;

use advice::figure::{Gap, Room};

use super::Question;
use super::region::Region;
use crate::cloud::lambda::Function;
use crate::cloud::rds::{Cluster, Instance, Proxy, TargetKind};
use crate::cloud::{Answer, Cloud};
use crate::discover::functions::FunctionUse;
use crate::discover::hosts::{HostKind, KnownHost};
use crate::discover::{Database, Problem, auth};

/// The database, its functions, and its proxy.
pub(super) struct Base<'a> {
    /// What was read once for the Region.
    pub(super) region: &'a Region,
    /// The database.
    pub(super) database: Database,
    /// Its instances, the writer first.
    pub(super) instances: Vec<Instance>,
    /// The cluster, where it is one.
    pub(super) cluster: Option<Cluster>,
    /// The functions that use it.
    pub(super) functions: Vec<Function>,
    /// Those of them whose variables say that they log in with IAM tokens.
    pub(super) iam_logins: BTreeSet<String>,
    /// The one that serves the database, where there is one.
    pub(super) proxy: Option<Proxy>,
    /// What could not be read.
    pub(super) gaps: Vec<Gap>,
}

impl<'a> Base<'a> {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, question: &Question, region: &'a Region) -> Result<Self, Problem> {
        if question.database.place.is_some() {
            let identity = cloud.sts.identity().await.map_err(Problem::refused("asking AWS who is calling"))?;
            Database::in_this_account(&question.database, &identity.account)?;
        }
        let found = Database::with_members(cloud, &question.database).await?;
        let (all, proxies) = (&region.functions, &region.proxies);
        let mut gaps = Vec::new();
        for hidden in all.iter().filter(|function| function.hidden.is_some()) {
            let what = format!("whether the function {} uses the database", hidden.name);
            gaps.push(Gap::new(Room::Demand, what, "AWS does not show its variables without kms:Decrypt on its key"));
        }
        let candidates = could_serve(&found.database, proxies);
        let (proxy, unread) = serving(cloud, &found.database, &question.stack, candidates, all).await;
        gaps.extend(unread);
        if let Err(refusal) = proxies {
            gaps.push(Gap::new(Room::Supply, "whether a proxy serves the database", refusal.to_string()));
        }
        if let Err(refusal) = &region.concurrency {
            gaps.push(Gap::new(Room::Demand, "the account's concurrency", refusal.to_string()));
        }
        let mut known = found.database.hosts.clone();
        let endpoint = proxy.as_ref().and_then(|proxy| proxy.endpoint.clone());
        known.extend(endpoint.map(|name| KnownHost { name, kind: HostKind::Proxy }));
        let named = !question.functions.is_empty();
        let all = all.iter().map(|function| FunctionUse::of(function.clone(), &known, named));
        let uses = |found: &FunctionUse| named || !found.variables.is_empty() || !found.staying.is_empty();
        let used: Vec<FunctionUse> = all.filter(uses).collect();
        let iam = used.iter().filter(|found| auth::asks_for_iam(found)).map(|found| found.function.name.clone());
        let iam_logins = iam.collect();
        let functions = used.into_iter().map(|found| found.function).collect();
        let mut instances = found.instances;
        let writer = found.cluster.iter().flat_map(|cluster| &cluster.members).find(|member| member.writer);
        let writer = writer.map(|member| member.instance.clone());
        instances.sort_by_key(|instance| Some(&instance.id) != writer.as_ref());
        let (database, cluster) = (found.database, found.cluster);
        Ok(Self { region, database, instances, cluster, functions, iam_logins, proxy, gaps })
    }

    /// Whether instances of it are of Serverless v2.
    pub(super) fn serverless(&self) -> bool {
        self.instances.iter().any(|instance| instance.class == SERVERLESS)
    }
}

/// The class of Aurora Serverless v2.
pub(super) const SERVERLESS: &str = "db.serverless";

/// The proxies that could serve a database: they are in its VPC, and of its engine family.
fn could_serve<'a>(database: &Database, proxies: &'a Answer<Vec<Proxy>>) -> Vec<&'a Proxy> {
    let fits = |proxy: &&Proxy| proxy.vpc == database.vpc && proxy.family == Some(database.family);
    proxies.iter().flatten().filter(fits).collect()
}

/// The proxy that serves the database: the one of the stack's name, or else one that a function's variables name. Each
/// is asked for its target, which is one call.
async fn serving(
    cloud: &Cloud,
    database: &Database,
    stack: &str,
    candidates: Vec<&Proxy>,
    functions: &[Function],
) -> (Option<Proxy>, Option<Gap>) {
    let in_use = |proxy: &Proxy| {
        proxy.endpoint.as_ref().is_some_and(|endpoint| {
            functions.iter().flat_map(|function| function.variables.0.values()).any(|value| value.contains(endpoint))
        })
    };
    let of_stack = candidates.iter().find(|proxy| proxy.name.eq_ignore_ascii_case(stack));
    let Some(proxy) = of_stack.or_else(|| candidates.iter().find(|proxy| in_use(proxy))).copied() else {
        return (None, None);
    };
    let kind = if database.cluster { TargetKind::Cluster } else { TargetKind::Instance };
    match cloud.rds.targets(&proxy.name).await {
        Ok(rows) => {
            let serves = rows.iter().any(|row| row.kind == kind && row.id.eq_ignore_ascii_case(&database.id));
            (serves.then(|| proxy.clone()), None)
        }
        Err(refusal) => {
            let what = format!("whether the proxy {} serves the database", proxy.name);
            (None, Some(Gap::new(Room::Supply, what, refusal.to_string())))
        }
    }
}
