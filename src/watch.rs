//! What a proxy does now: CloudWatch's metrics of the last hour, its targets, and the functions that use it.
//!
//! Nothing is changed. What cannot be read is unknown, with its reason, and never a zero.

mod metrics;

use screen::reading::HISTORY;
use screen::{Function, Proxy, Reading, Side, Target};

use crate::cloud::lambda;
use crate::cloud::metrics::Query;
use crate::cloud::rds::{self, EngineFamily};
use crate::cloud::{Cloud, Refusal};
use crate::discover::functions::FunctionUse;
use crate::discover::hosts::{HostKind, KnownHost};
use crate::discover::{Database, Problem, did_you_mean};
use crate::plain::line;
use crate::spec::DatabaseRef;

/// How often CloudWatch has new data of a proxy, in seconds
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.monitoring.html>).
pub const PACE: u64 = 60;

/// The most functions of one reading: a call takes 500 metrics, and each function has two
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>).
pub const MOST: usize = (500 - metrics::OF_PROXY) / metrics::OF_FUNCTION;

/// Whom to watch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The database.
    pub database: DatabaseRef,
    /// The proxy's name.
    pub stack: String,
    /// The functions; empty: those that use the proxy or the database.
    pub functions: Vec<String>,
}

/// A proxy that is watched.
#[derive(Debug, Clone)]
pub struct Watch {
    question: Question,
    proxy: String,
    family: EngineFamily,
    hosts: Vec<KnownHost>,
    /// How the role is spelled in the metrics of this proxy, once data have shown it.
    role: Option<&'static str>,
    asked: usize,
}

impl Watch {
    /// Looks for the proxy, and for the names that functions know it and its database by; `None` where there is no
    /// proxy.
    ///
    /// # Errors
    /// When AWS refuses, or there is no such database.
    pub async fn open(cloud: &Cloud, question: Question) -> Result<Option<Self>, Problem> {
        let stack = &question.stack;
        let (database, proxy, endpoints) =
            tokio::join!(Database::find(cloud, &question.database), cloud.rds.proxy(stack), cloud.rds.endpoints(stack));
        let doing = || format!("looking for the proxy ({stack})");
        let (database, proxy) = (database?, proxy.map_err(Problem::refused(doing()))?);
        let Some(proxy) = proxy else { return Ok(None) };
        let endpoints = endpoints.map_err(Problem::refused(doing()))?;
        if !question.functions.is_empty() {
            let all = cloud.lambda.list().await.map_err(Problem::refused("listing the functions"))?;
            let all: Vec<String> = all.into_iter().map(|found| found.name).collect();
            if let Some(name) = question.functions.iter().find(|name| !all.contains(name)) {
                let headline = format!("finding the function ({name}): there is none of this name in {}", cloud.region);
                return Err(Problem::unfit(headline, [did_you_mean("functions", name, &all)]));
            }
        }
        let own = proxy.endpoint.map(|name| KnownHost { name, kind: HostKind::Proxy });
        let more = endpoints.into_iter().filter_map(|found| found.host);
        let more = more.map(|name| KnownHost { name, kind: HostKind::ReaderProxy });
        let family = proxy.family.unwrap_or(database.family);
        let hosts = database.hosts.into_iter().chain(own).chain(more).collect();
        Ok(Some(Self { question, proxy: proxy.name, family, hosts, role: None, asked: 0 }))
    }

    /// How many metrics the last reading asked for: CloudWatch bills each.
    #[must_use]
    pub fn asked(&self) -> usize {
        self.asked
    }

    /// Reads everything once; `now` is in seconds since 1970. All metrics come with one call.
    pub async fn read(&mut self, cloud: &Cloud, now: i64) -> Reading {
        let (targets, listed) = tokio::join!(cloud.rds.targets(&self.proxy), cloud.lambda.list());
        let (mut functions, hidden) = match &listed {
            Ok(all) => self.users(all),
            Err(_) => (Vec::new(), 0),
        };
        let left_out = functions.len().saturating_sub(MOST);
        functions.truncate(MOST);
        let names: Vec<&str> = functions.iter().map(|(name, _)| name.as_str()).collect();
        let queries: Vec<Query> = metrics::queries(&self.proxy, self.role, &names);
        self.asked = queries.len();
        // The minute that has just begun would be a part of one.
        let until = now.div_euclid(60) * 60;
        let read = cloud.metrics.read(&queries, until - HISTORY * 60, until).await;
        let (metrics, of_functions) = match read {
            Err(refusal) => {
                let why = reason(&refusal);
                (Proxy::unread(&why), names.iter().map(|_| metrics::unread(&why)).collect())
            }
            Ok(all) => {
                let read = metrics::Read::of(all, self.role, self.family);
                self.role = self.role.or(read.role);
                (read.proxy, read.functions)
            }
        };
        let functions = functions.into_iter().zip(of_functions).map(|((name, side), (invocations, errors))| Function {
            name,
            side,
            invocations,
            errors,
        });
        Reading {
            proxy: line(&self.proxy).into_owned(),
            database: line(&self.question.database.id).into_owned(),
            region: line(&cloud.region).into_owned(),
            at: now,
            metrics,
            targets: targets.map(|all| all.iter().filter_map(target).collect()).map_err(|refusal| reason(&refusal)),
            functions: match &listed {
                Ok(_) => Ok(functions.collect()),
                Err(refusal) => Err(reason(refusal)),
            },
            left_out,
            hidden,
        }
    }

    /// The functions to watch with where they point, by name, and how many more may be some.
    fn users(&self, all: &[lambda::Function]) -> (Vec<(String, Side)>, usize) {
        let named = &self.question.functions;
        let mut found = Vec::new();
        let mut hidden = 0;
        for function in all.iter().filter(|found| named.is_empty() || named.contains(&found.name)) {
            if function.hidden.is_some() {
                hidden += usize::from(named.is_empty());
                if !named.is_empty() {
                    found.push((function.name.clone(), Side::Unknown));
                }
                continue;
            }
            let used = FunctionUse::of(function.clone(), &self.hosts, false);
            let proxy = !used.holding(HostKind::is_ours).is_empty();
            let database = !used.holding(|kind| !kind.is_ours()).is_empty();
            let side = match (proxy, database) {
                (true, false) => Side::Proxy,
                (false, true) => Side::Database,
                (true, true) => Side::Both,
                (false, false) if named.is_empty() => continue,
                (false, false) => Side::Neither,
            };
            found.push((function.name.clone(), side));
        }
        found.sort_by(|(one, _), (other, _)| one.cmp(other));
        (found, hidden)
    }
}

/// A refusal as one line that is safe to show.
fn reason(refusal: &Refusal) -> String {
    line(&refusal.to_string()).into_owned()
}

/// A row of the targets; that of a cluster has no health of its own.
fn target(found: &rds::Target) -> Option<Target> {
    let text = |text: &Option<String>| text.as_deref().map(|text| line(text).into_owned());
    let reason = match (&found.reason, &found.description) {
        (Some(reason), Some(description)) => Some(format!("{reason}, {description}")),
        (reason, description) => reason.clone().or_else(|| description.clone()),
    };
    (found.kind != rds::TargetKind::Cluster).then(|| Target {
        id: line(&found.id).into_owned(),
        role: text(&found.role),
        state: text(&found.state),
        reason: text(&reason),
    })
}
