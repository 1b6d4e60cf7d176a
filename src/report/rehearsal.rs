//! What the report of a rehearsal says: its sections, which [`pages`] shows to a terminal and writes as Markdown.

mod gaps;
mod pages;

use std::time::Duration;

use documents::{Difference, Rehearsal, RehearsedChange, RehearsedDay, RehearsedRun, StepState};
use serde_json::Value;

use super::duration;
use crate::plain::counted;
use gaps::gaps;
pub use pages::{rehearsal, rehearsal_markdown};

/// The part that a terminal shows in its own way.
const PLAN: &str = "Plan";

/// One part of the report.
struct Section {
    title: &'static str,
    /// Sentences.
    said: Vec<String>,
    /// The names of the columns.
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Section {
    fn of(title: &'static str, said: impl IntoIterator<Item = String>) -> Self {
        Self { title, said: said.into_iter().collect(), head: Vec::new(), rows: Vec::new() }
    }

    fn with(mut self, head: &[&'static str], rows: Vec<Vec<String>>) -> Self {
        self.head = head.to_vec();
        self.rows = rows;
        self
    }
}

/// What was rehearsed, and how it ended, in a sentence.
fn headline(found: &Rehearsal) -> String {
    let Rehearsal { database, account, region, .. } = found;
    if found.infeasible.is_some() {
        return format!(
            "Nothing was rehearsed for {database} (account {account}, {region}, which was only read): up would not begin."
        );
    }
    let outcome = if found.went_well { "everything went as it should" } else { "not everything went as it should" };
    format!("Rehearsed for {database} in a copy of account {account}, {region}, which was only read: {outcome}.")
}

fn sections(found: &Rehearsal) -> Vec<Section> {
    let mut all = vec![plan(found)];
    if found.infeasible.is_none() {
        all.extend([changes(found), time(found), differences(found), afterwards(found), kills(found), teardown(found)]);
    }
    all.push(findings(found));
    if found.infeasible.is_none() {
        all.push(gaps(found));
    }
    all
}

fn plan(found: &Rehearsal) -> Section {
    let stopped = found.infeasible.iter().map(|why| format!("up would stop before its first change: {why}."));
    let other: Vec<String> = found.otherwise.iter().map(ToString::to_string).collect();
    let other = (!other.is_empty()).then(|| {
        let word = if other.len() == 1 { "step" } else { "steps" };
        format!("In the copy, the plan of {word} {} is another one: there, the copy is wrong.", other.join(", "))
    });
    let state = |state: StepState| match state {
        StepState::InPlace => "in place",
        StepState::Create => "create",
        StepState::Update => "change",
        StepState::Remove => "remove",
        StepState::Waiting => "wait",
        StepState::Conflict => "conflict",
        StepState::NotNeeded => "not needed",
        StepState::NotChecked => "not checked",
    };
    let rows = found.plan.iter().map(|step| {
        let what = match step.state {
            StepState::Create | StepState::InPlace => step.subject.clone(),
            _ if step.because.is_empty() => step.subject.clone(),
            _ => step.because.join("; "),
        };
        vec![step.step.to_string(), state(step.state).to_owned(), step.title.clone(), what]
    });
    Section::of(PLAN, stopped.chain(other)).with(&["step", "does", "what", "details"], rows.collect())
}

/// The day whose runs are looked at closely.
fn usual(found: &Rehearsal) -> Option<&RehearsedDay> {
    found.days.iter().find(|day| day.day == "usual")
}

fn change_rows(changes: &[RehearsedChange]) -> Vec<Vec<String>> {
    let one = |(number, change): (usize, &RehearsedChange)| {
        vec![(number + 1).to_string(), change.operation.clone(), change.target.clone()]
    };
    changes.iter().enumerate().map(one).collect()
}

fn changes(found: &Rehearsal) -> Section {
    let said = match usual(found).and_then(|day| day.up.stopped.as_ref()) {
        Some(why) => format!("up makes {} and stops: {why}.", counted(found.changes.len(), "change")),
        None if found.changes.is_empty() => "up makes no changes.".to_owned(),
        None => format!("up makes {}, in this order:", counted(found.changes.len(), "change")),
    };
    Section::of("Changes", [said]).with(&["", "call", "of"], change_rows(&found.changes))
}

fn time(found: &Rehearsal) -> Section {
    let run = |run: Option<&RehearsedRun>| match run {
        None => "not reached".to_owned(),
        Some(RehearsedRun { stopped: Some(why), seconds, .. }) => {
            format!("stops after {}: {why}", duration(Duration::from_secs(*seconds)))
        }
        Some(run) => {
            format!("{} ({} calls, {} changes)", duration(Duration::from_secs(run.seconds)), run.calls, run.changes)
        }
    };
    let mut rows = Vec::new();
    for day in &found.days {
        rows.push(vec![format!("{} day", day.day), "up".to_owned(), run(Some(&day.up))]);
        rows.push(vec![format!("{} day", day.day), "teardown".to_owned(), run(day.teardown.as_ref())]);
    }
    let said = "How long it takes where AWS is as quick as people saw it at best, usually, and at worst:".to_owned();
    Section::of("Time and calls", [said]).with(&["", "command", "takes"], rows)
}

fn difference_rows(differences: &[Difference]) -> Vec<Vec<String>> {
    let one = |found: &Difference| {
        let path = found.path.join(" / ");
        let (sign, text) = match (&found.before, &found.after) {
            (None, after) => ("+", format!("{path}{}", called(&path, after.as_deref()))),
            (before, None) => ("-", format!("{path}{}", called(&path, before.as_deref()))),
            (Some(before), Some(after)) => ("~", format!("{path}: {} -> {}", shortened(before), shortened(after))),
        };
        vec![sign.to_owned(), text]
    };
    differences.iter().map(one).collect()
}

/// A value without what is hidden in it.
fn shortened(value: &str) -> String {
    let mut short = String::new();
    for part in value.split_inclusive(|c| c != 'x') {
        let hidden = part.len() - part.trim_start_matches('x').len();
        let (run, rest) = part.split_at(hidden);
        short.push_str(if hidden > 3 { "…" } else { run });
        short.push_str(rest);
    }
    short
}

/// The name of a thing that goes by an id: a security group's, or what a rule lets through.
fn called(path: &str, thing: Option<&str>) -> String {
    let thing: Value = thing.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let text = |name: &str| thing.get(name).and_then(Value::as_str).filter(|text| !path.contains(text));
    let number = |name: &str| thing.get(name).and_then(Value::as_i64);
    match (text("protocol"), number("from_port"), number("to_port")) {
        (Some(protocol), Some(from), Some(to)) if from == to => format!(" ({protocol} {from})"),
        (Some(protocol), Some(from), Some(to)) => format!(" ({protocol} {from} to {to})"),
        _ => text("name").or_else(|| text("description")).map_or_else(String::new, |name| format!(" ({name})")),
    }
}

fn differences(found: &Rehearsal) -> Section {
    let said = if found.differences.is_empty() {
        "It is as it was before."
    } else {
        "What the account has after up that it did not have before (+), and what is changed (~):"
    };
    Section::of("The account after up", [said.to_owned()]).with(&["", "what"], difference_rows(&found.differences))
}

fn afterwards(found: &Rehearsal) -> Section {
    let missing: Vec<String> = found
        .status
        .iter()
        .filter(|step| !matches!(step.state, StepState::InPlace | StepState::NotNeeded))
        .map(|step| step.step.to_string())
        .collect();
    // As with --prepare.
    let spared = found.status.last().is_some_and(|step| step.state == StepState::NotNeeded);
    let status = match (&found.unread, found.status.is_empty(), missing.is_empty()) {
        (Some(why), _, _) => format!("could not be read: {why}"),
        (None, true, _) => "not reached".to_owned(),
        (None, false, true) if spared => {
            "the first twelve steps are in place; the functions are as they were".to_owned()
        }
        (None, false, true) => "all thirteen steps are in place".to_owned(),
        (None, false, false) => format!("not in place: {}", missing.join(", ")),
    };
    let ended = usual(found).is_some_and(|day| day.up.stopped.is_none());
    let again = match (ended, found.again.len(), &found.again_stopped) {
        (false, _, _) => "not reached".to_owned(),
        (true, 0, None) => "nothing to change".to_owned(),
        (true, number, None) => format!("{} more, which is wrong", counted(number, "change")),
        (true, 0, Some(why)) => format!("stops before its first change: {why}"),
        (true, number, Some(why)) => format!("stops after {}: {why}", counted(number, "change")),
    };
    let mut rows = vec![vec!["status".to_owned(), status], vec!["up again".to_owned(), again]];
    for part in &found.parts {
        let open = match part.open {
            Some(true) => "yes".to_owned(),
            Some(false) => format!("no: {}", part.because.join(" ")),
            None => format!("not known: {}", part.because.join(" ")),
        };
        rows.push(vec![format!("verify: {}", part.title), open]);
    }
    Section::of("After up", []).with(&["command", "says"], rows)
}

fn kills(found: &Rehearsal) -> Section {
    let (all, changes) = (found.kills.len(), found.changes.len());
    let bad: Vec<Vec<String>> = found
        .kills
        .iter()
        .filter(|kill| kill.stopped.is_some() || !kill.differences.is_empty() || !kill.left.is_empty())
        .map(|kill| {
            let side = if kill.after_effect { "after" } else { "before" };
            let what = kill.stopped.clone().unwrap_or_else(|| {
                let wrong = kill.differences.iter().chain(&kill.left).map(|found| found.path.join(" / "));
                format!("differs in {}", wrong.collect::<Vec<_>>().join(", "))
            });
            vec![kill.at.to_string(), format!("{side} {} of {}", kill.change.operation, kill.change.target), what]
        })
        .collect();
    let said = match (all, bad.len()) {
        (0, _) => "No run was killed.".to_owned(),
        (_, 0) => format!(
            "up was killed at {all} of its {changes} changes and carried out again: each time the account came out the same, and a \
             teardown from there left it as it was."
        ),
        (_, bad) => format!(
            "up was killed at {all} of its {changes} changes and carried out again; {} went wrong:",
            counted(bad, "run")
        ),
    };
    Section::of("Killed and run again", [said]).with(&["change", "killed", "then"], bad)
}

fn teardown(found: &Rehearsal) -> Section {
    let day = usual(found);
    let from =
        if day.is_some_and(|day| day.up.stopped.is_some()) { "From where up stops, teardown" } else { "teardown" };
    let makes = format!("{from} makes {}", counted(found.teardown.len(), "change"));
    let there = found.plan.iter().any(|step| step.slug == "proxy" && step.state == StepState::InPlace);
    let how = if there { "as it would be without the stack" } else { "as it was" };
    let leaves =
        if found.left.is_empty() { format!("leaves the account {how}.") } else { "leaves this different:".to_owned() };
    let said = match day.and_then(|day| day.teardown.as_ref()) {
        None => "teardown was not reached.".to_owned(),
        Some(RehearsedRun { stopped: Some(why), .. }) => format!("{makes} and stops: {why}. It {leaves}"),
        Some(_) => format!("{makes}, and {leaves}"),
    };
    let scheduled = found.scheduled.iter().map(|name| {
        format!("The secret {name} is scheduled for deletion after its recovery window, as teardown leaves secrets that up created.")
    });
    let released = found.released.iter().map(|found| {
        format!(
            "The alias {}:{} goes to version {}, which has the release that --publish-pending published.",
            found.function, found.alias, found.version
        )
    });
    Section::of("Teardown", scheduled.chain(released).chain([said])).with(&["", "what"], difference_rows(&found.left))
}

fn findings(found: &Rehearsal) -> Section {
    let row = |when: &str, finding: &documents::Finding| {
        vec![when.to_owned(), finding.id.clone(), format!("{}: {}", finding.title, finding.evidence.join(" "))]
    };
    let before = found.findings.iter().map(|finding| row("now", finding));
    let after = found.findings_after.iter().map(|finding| row("after up", finding));
    let rows: Vec<Vec<String>> = before.chain(after).collect();
    let said = if rows.is_empty() { "doctor finds nothing, now and after up." } else { "What doctor finds:" };
    Section::of("Findings", [said.to_owned()]).with(&["when", "check", "finding"], rows)
}
