//! `rehearse`: read the account, and carry `up` and `teardown` out on a copy of it.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};

use documents::{
    CopyGap, Counts, Difference, Rehearsal as Shown, RehearsedChange, RehearsedDay, RehearsedKill, RehearsedRun,
    ReleasedAlias, Unasked, Version,
};

use super::session::{Session, command, timeouts};
use super::{diagnosis, sizing, up};
use crate::cli::{Global, Rehearse};
use crate::doctor::{self, Diagnosis};
use crate::error::Failure;
use crate::exit::Exit;
use crate::plan::Entry;
use crate::rehearse::capture::Capture;
use crate::rehearse::{self, Change, Kill, OneDay, Ran, Rehearsal, Released, Stopped, Subject};
use crate::report;
use crate::spec::Spec;
use crate::survey::Survey;
use crate::teardown;
use ::sandbox::Store;
use copy::{Copy, Gap};

/// From when on a person at a terminal wants to know how far it is.
const SLOW: Duration = Duration::from_secs(3);

/// Runs it.
pub(super) async fn run(global: &Global, args: &Rehearse) -> Result<Exit, Failure> {
    let mut spec = Spec { prepare: args.prepare, ..up::chosen(Some(&args.db), &args.choices)? };
    let timeouts = timeouts(&args.waits)?;
    // Said before the account is read, which may take a while.
    for file in args.report.iter().chain(&args.save) {
        absent(file)?;
    }
    let capture = Capture::default();
    let session = Session::open_heard(global, |calls| capture.listening(calls)).await?;
    capture.begin(&session.cloud.region);
    if let Some(sizing) = args.choices.sizing {
        sizing::apply(&session, sizing, &mut spec).await?;
    }
    let survey = session.reading(Box::pin(Survey::read(&session.cloud, &spec, timeouts))).await?;
    let entries = survey.entries();
    for warning in &survey.warnings {
        report::warn(session.json, warning);
    }
    let findings = diagnosis::before(global, &session, &survey).await;
    let feasible = up::feasible(global, &survey, &entries, &findings);
    let before = session.reading(Box::pin(doctor::of(&session.cloud, &survey))).await;
    // What a teardown and step 13 read, they read of the real account, too.
    let stack = session.reading(teardown::survey(&session.cloud, &spec.stack, Some(&spec.database))).await;
    session.reading(rehearse::look_closer(&session.cloud, &survey)).await?;
    let (copy, asked) = capture.finish(&survey);
    let saved = save(args, &copy);
    let rehearsal = if feasible.is_ok() {
        stack.map_err(Failure::from)?;
        if !global.quiet {
            report::note(session.json, "Rehearsing in a copy of the account…");
        }
        let (began, quiet, json) = (Instant::now(), global.quiet, session.json);
        let next = move |what: &str| {
            // What takes a second needs no account of how far it is.
            if began.elapsed() >= SLOW && !quiet {
                report::note(json, &format!("{} so far; next: {what}", report::duration(began.elapsed())));
            }
        };
        let subject = Subject {
            world: copy.world.clone(),
            asked: &asked,
            plan: &entries,
            spec: &spec,
            timeouts,
            seed: seed()?,
            kills: rehearse::KILLS,
            next: &next,
        };
        Some(Box::pin(rehearse::carry_out(&subject)).await)
    } else {
        None
    };
    let exit = match (&feasible, &rehearsal) {
        (Err(failure), _) => failure.exit,
        (_, Some(rehearsal)) if rehearsal.went_well() => Exit::Done,
        _ => Exit::Drift,
    };
    let read = Read {
        survey: &survey,
        entries: &entries,
        before: &before,
        gaps: &copy.gaps,
        infeasible: feasible.as_ref().err(),
    };
    let document = document(&read, rehearsal.as_ref(), exit);
    let written = args.report.as_ref().map_or(Ok(()), |file| {
        let program = concat!("rdsproxy-setup ", env!("CARGO_PKG_VERSION"));
        write(file, report::rehearsal_markdown(&document, program, &cloud::utc(session.clock.now())).as_bytes())
    });
    if !report::outcome(session.json, || document.clone()) {
        report::result(&report::rehearsal(&document, &entries));
        report::result(&format!("\n{}", report::next(&next(global, args, &survey, exit))));
    }
    // What was found out is shown, whatever becomes of the files.
    saved.and(written)?;
    if let Err(failure) = feasible {
        report::failure(session.json, &failure.headline, &failure.hints, failure.request_id.as_deref());
    }
    Ok(exit)
}

/// A file that is not to be overwritten, in a folder that is there. A link that leads nowhere is there, too.
fn absent(file: &Path) -> Result<(), Failure> {
    if file.symlink_metadata().is_ok() {
        let headline = format!("writing {}: the file exists already", file.display());
        return Err(Failure::new(Exit::Usage, headline, ["Name a file that does not exist yet."]));
    }
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    if folder.is_some_and(|folder| !folder.is_dir()) {
        let headline = format!("writing {}: its folder does not exist", file.display());
        return Err(Failure::new(Exit::Usage, headline, ["Name a file in a folder that exists."]));
    }
    Ok(())
}

fn unwritten(file: &Path, error: &std::io::Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::AlreadyExists => "Name a file that does not exist yet.",
        _ => "Choose a file in a folder that exists and that you may write to.",
    };
    Failure::new(Exit::Failed, format!("writing {}: {error}", file.display()), [hint])
}

fn write(file: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut new = OpenOptions::new();
    let opened = new.create_new(true).write(true).open(file);
    opened.and_then(|mut file| file.write_all(bytes)).map_err(|error| unwritten(file, &error))
}

/// Writes the copy, where that was asked for.
fn save(args: &Rehearse, copy: &Copy) -> Result<(), Failure> {
    let Some(file) = &args.save else { return Ok(()) };
    let world = if args.pseudonymize { copy::pseudonymized(&copy.world) } else { copy.world.clone() };
    Store::create(file, world).map_err(|error| unwritten(file, &error))
}

/// Where runs are killed is another place each time.
fn seed() -> Result<u64, Failure> {
    let fail =
        |error: getrandom::Error| Failure::new(Exit::Failed, format!("drawing a random number: {error}"), [""; 0]);
    getrandom::u64().map_err(fail)
}

fn next<'a>(global: &Global, args: &Rehearse, survey: &Survey, exit: Exit) -> Vec<(String, &'a str)> {
    let of = |verb: &str| command(global, verb, &survey.database.id, &survey.names.stack);
    let mut next = vec![if exit == Exit::Done {
        (of("up"), "carry it out in the account itself, with the same flags")
    } else {
        (of("doctor"), "see what is wrong with the account itself, and why")
    }];
    if args.report.is_none() {
        next.push((
            format!("{} --report rehearsal.md", of("rehearse")),
            "write this as Markdown, for a change request",
        ));
    }
    if let Some(file) = &args.save {
        let file = crate::shell::quoted(&file.to_string_lossy());
        next.push((format!("rdsproxy-setup --sandbox --sandbox-file {file} list"), "look around in the copy"));
    }
    next
}

/// What was read of the account itself.
struct Read<'a> {
    survey: &'a Survey,
    entries: &'a [Entry],
    before: &'a Diagnosis,
    gaps: &'a [Gap],
    infeasible: Option<&'a Failure>,
}

fn document(read: &Read<'_>, rehearsal: Option<&Rehearsal>, exit: Exit) -> Shown {
    let survey = read.survey;
    let plan = report::steps(read.entries);
    let usual = rehearsal.and_then(Rehearsal::usual);
    let gap = |gap: &Gap| CopyGap { what: gap.what.clone(), why: gap.why.clone() };
    let of = |found: &dyn Fn(&Rehearsal) -> Vec<Difference>| rehearsal.map(found).unwrap_or_default();
    let look = rehearsal.and_then(|found| found.look.as_ref());
    let seen = rehearsal.and_then(Rehearsal::seen);
    let again = rehearsal.and_then(|found| found.again.as_ref());
    Shown {
        schema: Version,
        account: survey.identity.account.clone(),
        region: survey.region.clone(),
        proxy: survey.names.stack.clone(),
        database: survey.database.id.clone(),
        went_well: rehearsal.is_some_and(Rehearsal::went_well),
        infeasible: read.infeasible.map(|failure| failure.headline.clone()),
        counts: Counts::of(&plan),
        plan,
        otherwise: rehearsal.iter().flat_map(|found| &found.otherwise).map(|step| step.number()).collect(),
        findings: report::findings(&read.before.findings),
        changes: usual.map(|day| changes(&day.up.changes)).unwrap_or_default(),
        days: rehearsal.iter().flat_map(|found| &found.days).map(day).collect(),
        differences: of(&|found| differences(&found.differences)),
        unread: look.and_then(|look| look.as_ref().err().cloned()),
        status: seen.map(|look| report::steps(&look.status)).unwrap_or_default(),
        again: again.map(|ran| changes(&ran.changes)).unwrap_or_default(),
        again_stopped: again.and_then(|ran| ran.stopped.as_ref()).map(Stopped::to_string),
        parts: seen.map(|look| report::path(&look.way)).unwrap_or_default(),
        findings_after: seen.map(|look| report::findings(&look.diagnosis.findings)).unwrap_or_default(),
        kills: rehearsal.iter().flat_map(|found| &found.kills).map(kill).collect(),
        removals: rehearsal.map(|found| report::removal(&found.removals)).unwrap_or_default(),
        teardown: usual.and_then(|day| day.teardown.as_ref()).map(|ran| changes(&ran.changes)).unwrap_or_default(),
        left: of(&|found| differences(&found.left)),
        scheduled: rehearsal.map(|found| found.scheduled.clone()).unwrap_or_default(),
        released: rehearsal.iter().flat_map(|found| &found.released).map(released).collect(),
        gaps: read.gaps.iter().map(gap).collect(),
        unasked: rehearsal.iter().flat_map(|found| &found.unasked).map(unasked).collect(),
        exit_code: exit.code(),
    }
}

fn released(Released { function, alias, version }: &Released) -> ReleasedAlias {
    ReleasedAlias { function: function.clone(), alias: alias.clone(), version: version.clone() }
}

fn unasked((operation, times): &(String, usize)) -> Unasked {
    Unasked { operation: operation.clone(), questions: *times as u64 }
}

fn change(change: &Change) -> RehearsedChange {
    RehearsedChange {
        step: change.step.map(str::to_owned),
        operation: change.operation.clone(),
        target: change.target.clone(),
    }
}

fn changes(changes: &[Change]) -> Vec<RehearsedChange> {
    changes.iter().map(change).collect()
}

fn day(day: &OneDay) -> RehearsedDay {
    let run = |ran: &Ran| RehearsedRun {
        seconds: ran.elapsed.as_secs(),
        calls: ran.calls as u64,
        changes: ran.changes.len() as u64,
        stopped: ran.stopped.as_ref().map(Stopped::to_string),
    };
    RehearsedDay { day: day.day.word().to_owned(), up: run(&day.up), teardown: day.teardown.as_ref().map(run) }
}

fn kill(kill: &Kill) -> RehearsedKill {
    RehearsedKill {
        at: kill.at as u64,
        change: change(&kill.change),
        after_effect: kill.after_effect,
        stopped: kill.stopped.as_ref().map(Stopped::to_string),
        differences: differences(&kill.differences),
        left: differences(&kill.left),
    }
}

fn differences(found: &[rehearse::Difference]) -> Vec<Difference> {
    let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
    let one = |found: &rehearse::Difference| Difference {
        path: found.path.clone(),
        before: text(&found.before),
        after: text(&found.after),
    };
    found.iter().map(one).collect()
}
