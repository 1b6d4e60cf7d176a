//! `watch`: a proxy live, on a terminal or line by line.

mod live;

use std::collections::BTreeSet;
use std::time::Duration;

use documents::{Version, WatchLine};
use screen::Reading;

use super::advise::now;
use super::session::{Session, command};
use crate::cli::{Global, Output, Watch as Args};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;
use crate::shell::quoted;
use crate::spec::{self, DatabaseRef};
use crate::watch::{PACE, Question, Watch};

/// How long one reading is current.
const REFRESH: Duration = Duration::from_secs(PACE);

/// Runs it.
pub(super) async fn run(global: &Global, args: &Args) -> Result<Exit, Failure> {
    let database = DatabaseRef::parse(&args.db)?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let functions = args.functions.iter().map(|text| spec::function(text)).collect::<Result<_, _>>()?;
    let question = Question { database, stack, functions };
    let session = Session::open(global).await?;
    let (id, stack) = (question.database.id.clone(), question.stack.clone());
    let Some(mut watch) = session.reading(Box::pin(Watch::open(&session.cloud, question))).await? else {
        let headline = format!("watching the proxy ({stack}): there is none of this name in {}", session.cloud.region);
        let up = format!("To put one in front of the database: {}", command(global, "up", &id, &stack));
        return Err(Failure::new(Exit::Decide, headline, [up]));
    };
    let first = session.reading(watch.read(&session.cloud, now())).await;
    if args.once {
        let doctor = command(global, "doctor", &id, &stack);
        let next = vec![(live(global, args, &id, &stack), "see it live"), (doctor, "see what is wrong, and why")];
        once(&session, &first, &next);
        return Ok(Exit::Done);
    }
    if live::possible(global) {
        return live::run(&session, &mut watch, first).await;
    }
    lines(global, &session, &mut watch, first).await
}

/// The command that shows the same without an end.
fn live(global: &Global, args: &Args, id: &str, stack: &str) -> String {
    let mut line = command(global, "watch", id, stack);
    for function in &args.functions {
        line.push_str(&format!(" --function {}", quoted(function)));
    }
    line
}

fn once(session: &Session, reading: &Reading, next: &[(String, &'static str)]) {
    if session.json {
        let next = next.iter().map(|(line, _)| line.clone()).collect();
        let reading = screen::document(reading);
        return report::document(&documents::Watch { schema: Version, reading, next });
    }
    let head = format!("{}, in front of {}, in {}", reading.proxy, reading.database, reading.region);
    let list = report::list(&screen::once(reading));
    report::result(&format!("{}\n\n{list}\n\n{}", report::sentence(&head), report::next(next)));
}

/// A line a reading, until somebody ends it or nobody reads it any more.
async fn lines(global: &Global, session: &Session, watch: &mut Watch, first: Reading) -> Result<Exit, Failure> {
    let mut reading = first;
    let mut told = BTreeSet::new();
    if !session.json && !report::flowing(&screen::heading()) {
        return Ok(Exit::Done);
    }
    loop {
        let line = if session.json { report::json_line(&line_document(&reading)) } else { screen::line(&reading) };
        // Why something is unknown is said once, and again when it changes.
        let reasons: BTreeSet<String> = screen::reasons(&reading).into_iter().collect();
        if !global.quiet && !session.json {
            reasons.difference(&told).for_each(|reason| report::note(false, reason));
        }
        told = reasons;
        if !report::flowing(&line) {
            return Ok(Exit::Done);
        }
        session.clock.sleep(REFRESH).await;
        reading = watch.read(&session.cloud, now()).await;
    }
}

fn line_document(reading: &Reading) -> WatchLine {
    WatchLine { schema: Version, reading: screen::document(reading) }
}

/// Whether somebody who asks for text sits at a terminal.
fn wants_text(global: &Global) -> bool {
    global.output == Output::Human
}
