//! `advise`: whether a proxy helps, how large it is to be, and what it costs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use advice::verdict::{Kind, Need};
use advice::{Advice, advise};
use documents::{AdviseAll, Version};

use super::session::{Session, command};
use crate::advise::{Question, Region, read, read_in};
use crate::cli::{Advise, Global};
use crate::discover::Problem;
use crate::error::Failure;
use crate::exit::Exit;
use crate::names;
use crate::report;
use crate::shell::quoted;
use crate::spec::{self, DatabaseRef, SpecError};

/// Runs it.
pub(super) async fn run(global: &Global, args: &Advise) -> Result<Exit, Failure> {
    let Some(db) = &args.db else { return all(global, args).await };
    let question = question(args, DatabaseRef::parse(db)?, args.name.as_deref())?;
    let session = Session::open(global).await?;
    let facts = Box::pin(read(&session.cloud, &question, now())).await?;
    let advice = advise(&facts);
    let next = next(global, &question, &advice);
    if session.json {
        let next = next.into_iter().map(|(line, _)| line).collect();
        report::document(&documents::Advise { schema: Version, advice, next });
        return Ok(Exit::Done);
    }
    report::result(&report::advice(&advice, args.explain));
    if !next.is_empty() {
        report::result(&format!("\n{}", report::next(&next)));
    }
    Ok(Exit::Done)
}

fn question(args: &Advise, database: DatabaseRef, name: Option<&str>) -> Result<Question, SpecError> {
    Ok(Question {
        stack: spec::stack(name, &database)?,
        database,
        functions: args.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?,
        days: args.days,
        concurrency: args.concurrency.iter().map(|text| spec::concurrency(text)).collect::<Result<_, _>>()?,
        shards: args.shards.iter().map(|text| spec::shards(text)).collect::<Result<_, _>>()?,
        connections: args.connections,
        hold: args.hold.as_deref().map(spec::short_span).transpose()?,
        pinned: args.pinned,
    })
}

/// Databases that are looked at: each takes some ten calls.
const MOST: usize = 50;

/// Every database of the Region that functions use, those first that need something most.
async fn all(global: &Global, args: &Advise) -> Result<Exit, Failure> {
    let session = Session::open(global).await?;
    let (instances, clusters) = tokio::join!(session.cloud.rds.instances(None), session.cloud.rds.clusters());
    let instances = instances.map_err(Problem::refused("listing the databases"))?;
    let clusters = clusters.map_err(Problem::refused("listing the clusters"))?;
    let single = instances.iter().filter(|found| found.cluster.is_none() && found.replica_of.is_none());
    let ids: Vec<&String> = clusters.iter().map(|found| &found.id).chain(single.map(|found| &found.id)).collect();
    let region = Region::read(&session.cloud, &[]).await?;
    let (mut found, mut left_out) = (Vec::new(), Vec::new());
    for (at, id) in ids.iter().take(MOST).enumerate() {
        report::note(session.json, &format!("Reading {id} ({} of {})…", at + 1, ids.len().min(MOST)));
        let question = question(args, DatabaseRef { id: (*id).clone(), place: None }, None)?;
        match Box::pin(read_in(&session.cloud, &region, &question, now())).await {
            Ok(None) => {}
            Ok(Some(facts)) => found.push(advise(&facts)),
            Err(problem) => left_out.push(format!("{id}: {problem}")),
        }
    }
    if ids.len() > MOST {
        left_out.push(format!("{} further databases were not looked at, after {MOST}", ids.len() - MOST));
    }
    found.sort_by(|one, other| urgency(other).cmp(&urgency(one)).then_with(|| one.database.cmp(&other.database)));
    if session.json {
        report::document(&AdviseAll { schema: Version, databases: found, left_out });
        return Ok(Exit::Done);
    }
    if found.is_empty() {
        report::result(&format!("No function of {} uses a database that was found.", session.cloud.region));
    } else {
        report::result(&report::ranking(&found));
    }
    for line in &left_out {
        report::result(&report::sentence(&format!("Left out: {line}.")));
    }
    if let Some(first) = found.first() {
        let line = command(global, "advise", &first.database, &names::stack_of(&first.database));
        report::result(&format!("\n{}", report::next(&[(line, "see why")])));
    }
    Ok(Exit::Done)
}

/// How much a database needs something: what it needs, and then its peak in thousandths of its limit.
fn urgency(advice: &Advice) -> (Need, u64) {
    let peak = advice.demand.expected.amount.high().or(advice.demand.expected.amount.low()).unwrap_or(0);
    let limit = advice.supply.limit.amount.low().unwrap_or(0).max(1);
    (advice.verdict.need, peak.saturating_mul(1_000) / limit)
}

/// This moment, in seconds since 1970.
pub(super) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// The commands that follow from the verdict.
fn next(global: &Global, question: &Question, advice: &Advice) -> Vec<(String, &'static str)> {
    let of = |verb: &str| command(global, verb, &question.database.id, &question.stack);
    match advice.verdict.kind {
        Kind::Helps | Kind::FailoverOnly => {
            let settings = &advice.settings;
            let mut line = of("up");
            for function in &question.functions {
                line.push_str(&format!(" --function {}", quoted(function)));
            }
            line.push_str(&format!(
                " --max-connections-percent {} --max-idle-connections-percent {} --connection-borrow-timeout {} \
                 --idle-client-timeout {}",
                settings.max_connections_percent.value,
                settings.max_idle_connections_percent.value,
                settings.connection_borrow_timeout_seconds.value,
                settings.idle_client_timeout_seconds.value,
            ));
            vec![(line, "put a proxy with these settings in front of the database")]
        }
        Kind::NotNeededIfLimited => {
            let region = &advice.region;
            let limit = |limit: &advice::verdict::Limit| format!("{} --region {region}", limit.command(quoted));
            advice.verdict.limits.iter().map(|found| (limit(found), "limit the concurrency")).collect()
        }
        Kind::CannotTell => vec![(of("advise") + " --explain", "see what is missing")],
        Kind::NotNeeded | Kind::WillNotHelp | Kind::Harmful => Vec::new(),
    }
}
