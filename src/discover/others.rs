//! Other proxies that have the database as their target already.

use super::Database;
use super::hosts::{HostKind, KnownHost, mentions};
use super::problem::Problem;
use crate::cloud::lambda::Function;
use crate::cloud::rds::{Proxy, TargetKind};
use crate::cloud::{Answer, Cloud};
use crate::engine::crowd;
use crate::names::{Names, region_path};

/// How many proxies are looked at: AWS's default quota of a region
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html>).
const MOST: usize = 20;

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// The proxies that serve the database.
    pub serving: Vec<Other>,
    /// Proxies whose targets AWS did not show, each with the reason.
    pub unread: Vec<(String, String)>,
    /// How many proxies could serve it and were not looked at.
    pub beyond: usize,
}

/// A proxy that serves the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Other {
    /// Its name.
    pub name: String,
    /// Whether it has the role of a stack of this tool.
    pub of_a_stack: bool,
    /// Its host, once it has one.
    pub host: Option<String>,
}

impl Others {
    /// Looks at the targets of those of the region's proxies that could serve the database: a proxy is in its
    /// database's VPC, and of its engine family (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.limits.html>).
    pub async fn find(cloud: &Cloud, all: &[Proxy], names: &Names, database: &Database) -> Self {
        let could = |other: &&Proxy| {
            other.vpc == database.vpc
                && other.family == Some(database.family)
                && !other.name.eq_ignore_ascii_case(&names.stack)
                && other.status != "deleting"
        };
        let could: Vec<&Proxy> = all.iter().filter(could).collect();
        let mut found = Self { beyond: could.len().saturating_sub(MOST), ..Self::default() };
        let reads = could.into_iter().take(MOST).map(async |other| (other, cloud.rds.targets(&other.name).await));
        for (other, rows) in crowd(reads.collect()).await {
            let kind = if database.cluster { TargetKind::Cluster } else { TargetKind::Instance };
            match rows {
                Err(refusal) => found.unread.push((other.name.clone(), refusal.to_string())),
                Ok(rows) if rows.iter().any(|row| row.kind == kind && row.id.eq_ignore_ascii_case(&database.id)) => {
                    let path = format!(":role{}", region_path(&cloud.region));
                    let of_a_stack = other.role.contains(&path);
                    found.serving.push(Other { name: other.name.clone(), of_a_stack, host: other.endpoint.clone() });
                }
                Ok(_) => {}
            }
        }
        found
    }

    /// The share of the database's connections that each of them may use, in percent.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn shares(&self, cloud: &Cloud) -> Answer<Vec<(String, i32)>> {
        let reads = self.serving.iter().map(async |other| {
            let group = cloud.rds.target_group(&other.name).await?;
            Ok(group.and_then(|group| group.pool.max_connections_percent).map(|share| (other.name.clone(), share)))
        });
        let read: Answer<Vec<Option<(String, i32)>>> = crowd(reads.collect()).await.into_iter().collect();
        Ok(read?.into_iter().flatten().collect())
    }

    /// What a plan says of them, one sentence each.
    #[must_use]
    pub fn told(&self, database: &str) -> Vec<String> {
        let serving = self.serving.iter().map(|Other { name, of_a_stack, .. }| {
            let instead = if *of_a_stack { "a stack of this tool: --name" } else { "take it over with --adopt --name" };
            format!("{database} is behind the proxy {name} already; {instead} {name}")
        });
        serving.chain(self.unknown(database)).collect()
    }

    /// What to say where no function is left for a new proxy, since some hold the host of one of these.
    #[must_use]
    pub fn with_the_functions<'a>(
        &self,
        functions: &(impl Iterator<Item = &'a Function> + Clone),
        (stack, database): (&str, &str),
    ) -> Vec<String> {
        let told = |other: &Other| {
            let host = KnownHost { name: other.host.clone()?, kind: HostKind::Proxy };
            let known = std::slice::from_ref(&host);
            let holds =
                |function: &&Function| function.variables.0.values().any(|text| !mentions(text, known).is_empty());
            let users: Vec<&str> = functions.clone().filter(holds).map(|function| function.name.as_str()).collect();
            let (of, take) = if other.of_a_stack {
                ("a stack of this tool", format!("To change that one, run with --name {}.", other.name))
            } else {
                ("which this tool did not create", format!("To take that one over: --adopt --name {}.", other.name))
            };
            (!users.is_empty()).then(|| {
                format!(
                    "{database} is behind the proxy {} already, {of}: its host is in variables of {}, and no other function is \
                     left for {stack}. {take}",
                    other.name,
                    users.join(", "),
                )
            })
        };
        self.serving.iter().filter_map(told).collect()
    }

    /// What is not known.
    fn unknown(&self, database: &str) -> Vec<String> {
        let unread = self.unread.iter();
        let unread = unread.map(|(name, why)| format!("whether {name} serves {database} is not known: {why}"));
        let beyond = (self.beyond > 0)
            .then(|| format!("{} further proxies of its VPC were not looked at, after {MOST}", self.beyond));
        unread.chain(beyond).collect()
    }

    /// That there is no proxy of the name that was to be taken over, and which there are.
    #[must_use]
    pub fn nothing_to_adopt(&self, stack: &str, database: &str, region: &str) -> Problem {
        let (ours, theirs): (Vec<&Other>, Vec<&Other>) = self.serving.iter().partition(|other| other.of_a_stack);
        let take = |other: &&Other| {
            format!("{0} serves {database}; to take it over: up --db {database} --adopt --name {0}", other.name)
        };
        let mut hints: Vec<String> = theirs.iter().map(take).collect();
        hints
            .extend(ours.iter().map(|other| format!("{} serves {database}, and is a stack of this tool.", other.name)));
        hints.extend(self.unknown(database).into_iter().map(|text| format!("Besides, {text}.")));
        if self.serving.is_empty() {
            hints.insert(
                0,
                format!("No proxy serves {database} yet. To create one: up --db {database} without --adopt."),
            );
        }
        Problem::unfit(
            format!("looking for the proxy to take over ({stack}): {region} has no proxy of that name"),
            hints,
        )
    }
}
