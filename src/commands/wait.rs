//! `wait`: until the proxy, its target or the functions are as they should be. It reads, and changes nothing.

use std::time::Duration;

use documents::{Version, WaitedFor};

use super::session::{Session, command, timeouts};
use crate::catalogue::StepId;
use crate::cli::{Global, Wait, WaitFor};
use crate::discover::Problem;
use crate::engine::event::{Ending, Event};
use crate::engine::{Limit, Poll, PollInterval, Row, Timeouts};
use crate::error::Failure;
use crate::exit::Exit;
use crate::plan::{Entry, Verdict};
use crate::report;
use crate::spec::{self, DatabaseRef, Spec};
use crate::survey::Survey;

const NO_PROXY: &str = "there is no proxy, and none is being created";
const UNREGISTERED: &str = "the database is not registered as the proxy's target, and no run is registering it";

/// What it waits for, as one step and the longest wait for it.
fn goal(wanted: WaitFor, timeouts: &Timeouts) -> (StepId, Limit) {
    match wanted {
        WaitFor::Available => (StepId::Proxy, timeouts.proxy),
        WaitFor::Target => (StepId::TargetHealth, timeouts.target),
        WaitFor::Functions => (StepId::Repoint, timeouts.target),
    }
}

/// Runs it.
pub(super) async fn run(global: &Global, args: &Wait) -> Result<Exit, Failure> {
    let database = DatabaseRef::parse(&args.db)?;
    let stack = spec::stack(args.name.as_deref(), &database)?;
    let timeouts = timeouts(&args.waits)?;
    let session = Session::open(global).await?;
    let spec = Spec::of(database, stack);
    let (step, limit) = goal(args.r#for, &timeouts);
    let progress = session.progress(&[step]);
    let run = session.run(timeouts, &progress);
    let doing = format!("waiting for {} ({})", args.r#for.words(), spec.stack);
    let began = session.clock.elapsed();
    let poll = Poll::begin(&run, Row::Step(step), &doing, limit, PollInterval::Minutes);
    run.tell(&Event::Began { step, detail: spec.stack.clone() });
    let mut unregistered_since = None;
    let survey = loop {
        let asked = session.clock.elapsed();
        let survey = run.unless_stopped(Box::pin(Survey::read(&session.cloud, &spec, timeouts))).await??;
        if survey.seen.proxy.is_absent() {
            return Err(idle(global, &doing, &survey, NO_PROXY, "Begin"));
        }
        let entries = survey.entries();
        let Some(state) = missing(&entries, step) else { break survey };
        // A run that is under way registers the database within moments of the proxy's end; nobody else does.
        let since = unregistered(&entries).then(|| *unregistered_since.get_or_insert(asked));
        unregistered_since = since;
        if step != StepId::Proxy && since.is_some_and(|since| asked.saturating_sub(since) >= timeouts.propagation.span)
        {
            return Err(idle(global, &doing, &survey, UNREGISTERED, "Go on"));
        }
        poll.rest_after(&run, &state, asked).await?;
    };
    let elapsed = session.clock.elapsed().saturating_sub(began);
    run.tell(&Event::Ended { step, ending: Ending::Ready, detail: args.r#for.reached().to_owned(), elapsed });
    drop(progress);
    show(global, &session, &survey, args.r#for, elapsed);
    Ok(Exit::Done)
}

/// What is still missing, in a few words. A step that is not needed is not waited for.
fn missing(entries: &[Entry], step: StepId) -> Option<String> {
    let before = |entry: &&Entry| entry.step == step || (step == StepId::Repoint && entry.step == StepId::TargetHealth);
    entries.iter().filter(before).find_map(|entry| match &entry.verdict {
        Verdict::InPlace | Verdict::NotNeeded(_) => None,
        Verdict::Await(state) | Verdict::Unknown(state) => Some(state.clone()),
        // The proxy serves while a setting of it differs; what differs is for `status` to say.
        Verdict::Update(_) if step == StepId::Proxy => None,
        Verdict::Create => Some("not there yet".to_owned()),
        Verdict::Update(fields) | Verdict::Conflict(fields) => Some(fields.join("; ")),
        Verdict::Remove => Some("to be removed".to_owned()),
    })
}

/// Whether the proxy is there, and the database is not its target yet.
fn unregistered(entries: &[Entry]) -> bool {
    let is = |step: StepId, fits: fn(&Verdict) -> bool| {
        entries.iter().any(|entry| entry.step == step && fits(&entry.verdict))
    };
    is(StepId::Proxy, |verdict| matches!(verdict, Verdict::InPlace | Verdict::Update(_)))
        && is(StepId::Target, |verdict| *verdict == Verdict::Create)
}

/// Nothing is under way that could be waited for.
fn idle(global: &Global, doing: &str, survey: &Survey, why: &str, how: &str) -> Failure {
    let up = command(global, "up", &survey.database.id, &survey.names.stack);
    Problem::unfit(format!("{doing}: {why}"), [format!("{how} with: {up}")]).into()
}

fn show(global: &Global, session: &Session, survey: &Survey, reached: WaitFor, elapsed: Duration) {
    let (stack, database) = (&survey.names.stack, &survey.database.id);
    let document = || documents::Wait {
        schema: Version,
        proxy: stack.clone(),
        database: database.clone(),
        waited_for: match reached {
            WaitFor::Available => WaitedFor::Available,
            WaitFor::Target => WaitedFor::Target,
            WaitFor::Functions => WaitedFor::Functions,
        },
        endpoint: survey.endpoint().map(str::to_owned),
        elapsed_seconds: elapsed.as_secs(),
    };
    if report::outcome(session.json, document) {
        return;
    }
    report::result(&report::sentence(&format!("{stack}, in front of {database}: {}.\n", reached.reached())));
    report::result(&report::next(&[(command(global, "status", database, stack), "look at all thirteen steps")]));
}
