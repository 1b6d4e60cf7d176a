//! A rehearsal, as text for a terminal and as Markdown for a change request.

use documents::{Difference, Rehearsal, RehearsedChange, RehearsedRun, StepState};

use super::layout::{columns, row, sentence};
use serde_json::Value;

use crate::engine::ledger::Entry;
use crate::plain::line;
use crate::report::duration;
use std::time::Duration;

/// The part that a terminal shows in its own way.
const PLAN: &str = "Plan";
/// How a copy gathers things that are alike.
const GATHERED: &str = " (and ";
/// How many names of the same kind are shown.
const SHOWN: usize = 3;

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

fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
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

fn change_rows(changes: &[RehearsedChange]) -> Vec<Vec<String>> {
    let one = |(number, change): (usize, &RehearsedChange)| {
        vec![(number + 1).to_string(), change.operation.clone(), change.target.clone()]
    };
    changes.iter().enumerate().map(one).collect()
}

fn changes(found: &Rehearsal) -> Section {
    let said = match found.days.iter().find(|day| day.day == "usual").and_then(|day| day.up.stopped.as_ref()) {
        Some(why) => format!("up makes {} and stops: {why}.", count(found.changes.len(), "change")),
        None if found.changes.is_empty() => "up makes no changes.".to_owned(),
        None => format!("up makes {}, in this order:", count(found.changes.len(), "change")),
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
    let status = match (found.status.is_empty(), missing.is_empty()) {
        (true, _) => "not reached".to_owned(),
        (false, true) => "all thirteen steps are in place".to_owned(),
        (false, false) => format!("not in place: {}", missing.join(", ")),
    };
    let again = match found.again.len() {
        0 => "nothing to change".to_owned(),
        number => format!("{} more, which is wrong", count(number, "change")),
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
            count(bad, "run")
        ),
    };
    Section::of("Killed and run again", [said]).with(&["change", "killed", "then"], bad)
}

fn teardown(found: &Rehearsal) -> Section {
    let said = if found.teardown.is_empty() {
        "teardown was not reached.".to_owned()
    } else if found.left.is_empty() {
        let there = found.plan.iter().any(|step| step.slug == "proxy" && step.state == StepState::InPlace);
        let how = if there { "as it would be without the stack" } else { "as it was" };
        format!("teardown makes {}, and leaves the account {how}.", count(found.teardown.len(), "change"))
    } else {
        format!("teardown makes {}, and leaves this different:", count(found.teardown.len(), "change"))
    };
    let scheduled = found.scheduled.iter().map(|name| {
        format!("The secret {name} is scheduled for deletion after its recovery window, as teardown leaves secrets that up created.")
    });
    Section::of("Teardown", scheduled.chain([said])).with(&["", "what"], difference_rows(&found.left))
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

fn gaps(found: &Rehearsal) -> Section {
    // Of many functions, the same is said of each.
    let mut alike: Vec<(&str, Vec<&str>)> = Vec::new();
    for gap in &found.gaps {
        match alike.iter_mut().find(|(why, _)| *why == gap.why) {
            Some((_, all)) => all.push(&gap.what),
            None => alike.push((&gap.why, vec![&gap.what])),
        }
    }
    let gaps = alike.into_iter().map(|(why, all)| {
        let many = all.len() > 1 || all.iter().any(|what| what.contains(GATHERED));
        let why = if many { of_many(why) } else { why.to_owned() };
        vec![format!("{} {why}.", upper(&together(&all)))]
    });
    let unasked = found.unasked.iter().map(|asked| {
        let number = usize::try_from(asked.questions).unwrap_or(usize::MAX);
        vec![format!("{} ({}) was answered from what other answers said.", asked.operation, count(number, "question"))]
    });
    let said = "A rehearsal is as good as its copy. What the copy does not have as the account has it:".to_owned();
    Section::of("What the copy does not have", [said]).with(&["what"], gaps.chain(unasked).collect())
}

/// Things in one phrase: those that differ in their names alone share what they are, and only the first few are named.
fn together(all: &[&str]) -> String {
    // What was gathered already has no name at its end.
    let kind = |what: &&str| {
        let named = what.rsplit_once(' ').filter(|_| !what.contains(GATHERED));
        named.map_or("", |(kind, _)| kind).to_owned()
    };
    let shared = all
        .first()
        .map(kind)
        .filter(|first| !first.is_empty() && all.len() > 1 && all.iter().all(|what| kind(what) == *first));
    let name = |what: &&str| match &shared {
        Some(_) => what.rsplit(' ').next().unwrap_or(what).to_owned(),
        None => (*what).to_owned(),
    };
    let shown: Vec<String> = all.iter().take(SHOWN).map(name).collect();
    let names = match (shown.split_last(), all.len().saturating_sub(SHOWN)) {
        (Some((last, first)), 0) if !first.is_empty() => format!("{} and {last}", first.join(", ")),
        (_, 0) => shown.concat(),
        (_, more) => format!("{} and {more} more", shown.join(", ")),
    };
    shared.map_or_else(|| names.clone(), |kind| format!("{kind}s {names}"))
}

/// What is said of one thing, said of many.
fn of_many(why: &str) -> String {
    let verbs = [("was ", "were "), ("is ", "are "), ("has ", "have "), ("follows ", "follow ")];
    let found = verbs.iter().find_map(|(one, many)| Some(format!("{many}{}", why.strip_prefix(one)?)));
    found.unwrap_or_else(|| why.to_owned()).replace("in the copy it trusts", "in the copy they trust")
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// The report for a terminal.
#[must_use]
pub fn rehearsal(found: &Rehearsal, entries: &[Entry]) -> String {
    let columns = columns();
    let mut text = sentence(&headline(found));
    for mut section in sections(found) {
        text.push_str(&format!("\n\n{}", section.title));
        if section.title == PLAN {
            // As up shows it.
            section.rows.clear();
            text.push_str(&format!("\n{}", super::plan(entries)));
            text.push_str(if section.said.is_empty() { "" } else { "\n" });
        }
        for said in &section.said {
            text.push_str(&format!("\n{}", sentence(&line(said))));
        }
        for shown in rows(&section, columns) {
            text.push_str(&format!("\n{shown}"));
        }
    }
    text
}

/// The rows of a section. A sentence, or what has no more than a sign before it, hangs from that.
fn rows(section: &Section, columns: Option<usize>) -> Vec<String> {
    let places = section.head.len();
    let width = |place: usize| {
        section.rows.iter().filter_map(|row| row.get(place)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let beside = 4 + (0..places.saturating_sub(1)).map(width).sum::<usize>() + 2 * places.saturating_sub(2);
    let one = |cells: &Vec<String>| match cells.as_slice() {
        [said] => vec![sentence(&format!("  - {}", line(said)))],
        [sign, said] if width(0) == 1 => vec![sentence(&format!("  {sign} {}", line(said)))],
        [first @ .., last] => {
            let cell = |(place, cell): (usize, &String)| format!("{:<1$}", line(cell), width(place));
            let title = first.iter().enumerate().map(cell).collect::<Vec<_>>().join("  ");
            row(&format!("  {title}  "), beside, columns, |_| vec![line(last).into_owned()])
        }
        [] => Vec::new(),
    };
    section.rows.iter().flat_map(one).map(|shown| shown.trim_end().to_owned()).collect()
}

/// A text of somebody's as nothing but text: a group may be called `![x](https://…)`.
fn cell(text: &str) -> String {
    actions::text(&line(text))
}

/// The report as Markdown.
#[must_use]
pub fn rehearsal_markdown(found: &Rehearsal, program: &str, time: &str) -> String {
    let mut text = format!(
        "# Rehearsal of {} for {}\n\n{}\n\n",
        cell(&found.proxy),
        cell(&found.database),
        cell(&headline(found))
    );
    text.push_str(&format!("Written by {program} at {time}.\n"));
    for section in sections(found) {
        text.push_str(&format!("\n## {}\n", section.title));
        for said in &section.said {
            text.push_str(&format!("\n{}\n", cell(said)));
        }
        if section.rows.is_empty() {
            continue;
        }
        if section.head.len() == 1 {
            let items: Vec<String> = section.rows.iter().flatten().map(|text| format!("- {}\n", cell(text))).collect();
            text.push_str(&format!("\n{}", items.concat()));
            continue;
        }
        let rule: Vec<&str> = section.head.iter().map(|_| "---").collect();
        text.push_str(&format!("\n| {} |\n| {} |\n", section.head.join(" | "), rule.join(" | ")));
        for cells in &section.rows {
            let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
    text
}
