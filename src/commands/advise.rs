//! `advise`: whether a proxy helps, how large it is to be, and what it costs.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use advice::verdict::Kind;
use advice::{Advice, advise};
use serde_json::json;

use super::session::{Session, command};
use crate::advise::{Question, read};
use crate::cli::{Advise, Global};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{self, SCHEMA};
use crate::spec::{self, DatabaseRef};

/// Runs it.
pub(super) async fn run(global: &Global, args: &Advise) -> Result<Exit, Failure> {
    let database = DatabaseRef::parse(&args.db)?;
    let question = Question {
        stack: spec::stack(args.name.as_deref(), &database)?,
        database,
        functions: args.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?,
        days: args.days,
        concurrency: args
            .concurrency
            .iter()
            .map(|text| spec::concurrency(text))
            .collect::<Result<BTreeMap<_, _>, _>>()?,
        connections: args.connections,
        hold: args.hold.as_deref().map(spec::short_span).transpose()?,
        pinned: args.pinned,
    };
    let session = Session::open(global).await?;
    let facts = Box::pin(read(&session.cloud, &question, now())).await?;
    let advice = advise(&facts);
    let next = next(global, &question, &advice);
    if session.json {
        report::document(&json!({"schema": SCHEMA, "advice": advice, "next": next.first().map(|(line, _)| line)}));
        return Ok(Exit::Done);
    }
    report::result(&report::advice(&advice, args.explain));
    if !next.is_empty() {
        report::result(&format!("\n{}", report::next(&next)));
    }
    Ok(Exit::Done)
}

fn now() -> i64 {
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
                line.push_str(&format!(" --function {}", crate::shell::quoted(function)));
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
            let limit = |limit: &advice::verdict::Limit| report::limit_command(limit, region);
            advice.verdict.limits.iter().map(|found| (limit(found), "limit the concurrency")).collect()
        }
        Kind::CannotTell => vec![(of("advise") + " --explain", "see what is missing")],
        Kind::NotNeeded | Kind::WillNotHelp | Kind::Harmful => Vec::new(),
    }
}
