//! Plan, status, removals and topology as text.

use super::Done;
use super::style::{mark_of, marked, word_of};
use crate::engine::ledger::{Entry, Redirect, Verdict};
use crate::plain::line;
use crate::resources::Line;

/// The width that a line with two hosts is broken at.
const WIDTH: usize = 100;

fn mark(verdict: &Verdict) -> char {
    match verdict {
        Verdict::Create => '+',
        Verdict::Update(_) => '~',
        Verdict::Remove => '-',
        Verdict::Conflict(_) => '!',
        Verdict::Unknown(_) => '?',
        Verdict::InPlace => '=',
        Verdict::Await(_) | Verdict::NotNeeded(_) => ' ',
    }
}

fn title_width(entries: &[Entry]) -> usize {
    entries.iter().map(|entry| entry.step.info().title.len()).max().unwrap_or(0)
}

/// What a step would do, the first line and those that follow it; all of them begin `indent` columns from the left.
fn intention(entry: &Entry, indent: usize) -> Vec<String> {
    let subject = &entry.subject;
    let one = |text: String| vec![text];
    let lines = match &entry.verdict {
        Verdict::InPlace => one(format!("in place: {subject}")),
        Verdict::Create => one(format!("{} {subject}", entry.step.info().verb)),
        Verdict::Update(fields) => fields.iter().flat_map(|field| update(field, &entry.redirects, indent)).collect(),
        Verdict::Remove => one(format!("remove {subject}")),
        Verdict::Await(state) => one(format!("wait for {subject} ({state})")),
        Verdict::Conflict(reasons) => reasons.iter().map(|reason| format!("conflict: {reason}")).collect(),
        Verdict::NotNeeded(why) => one(format!("not needed: {why}")),
        Verdict::Unknown(why) => one(format!("not checked: {why}")),
    };
    lines.iter().map(|text| line(text).into_owned()).collect()
}

/// What an update does: where it is a function's variables, one after another.
fn update(field: &str, redirects: &[Redirect], indent: usize) -> Vec<String> {
    let of_function =
        |found: &&Redirect| field.strip_prefix(&found.function).is_some_and(|rest| rest.starts_with(": "));
    let moved: Vec<&Redirect> = redirects.iter().filter(of_function).collect();
    // Aliases of the same function are fields of their own.
    let rest = moved.first().and_then(|first| field.strip_prefix(&format!("{}: ", first.function)));
    let named = rest.is_some_and(|rest| rest.split(", ").any(|name| moved.iter().any(|moved| moved.variable == name)));
    match moved.first() {
        Some(first) if named => {
            let rows = redirect_rows(&moved, indent + 2).into_iter().map(|row| format!("  {row}"));
            [format!("change {}", first.function)].into_iter().chain(rows).collect()
        }
        _ => vec![format!("change {field}")],
    }
}

/// Variables of one function: `NAME: from -> to`, with the values in one column, and broken before the arrow where that
/// is wider than the page.
fn redirect_rows(redirects: &[&Redirect], indent: usize) -> Vec<String> {
    let width = redirects.iter().map(|found| found.variable.chars().count()).max().unwrap_or(0) + 1;
    let rows = |found: &&Redirect| {
        let Redirect { from, to, variable, .. } = found;
        let name = format!("{variable}:");
        let row = format!("{name:<width$} {from} -> {to}");
        if indent + row.chars().count() <= WIDTH {
            return vec![row];
        }
        vec![format!("{name:<width$} {from}"), format!("{:width$} -> {to}", "")]
    };
    redirects.iter().flat_map(rows).collect()
}

/// The plan: all thirteen steps and counts.
#[must_use]
pub fn plan(entries: &[Entry]) -> String {
    let width = title_width(entries);
    let mut text = String::new();
    for entry in entries {
        let (mark, info) = (mark(&entry.verdict), entry.step.info());
        let lines = intention(entry, width + 8);
        let first = lines.first().map(String::as_str).unwrap_or_default();
        let row = format!("{mark} {:>2}  {:<width$}  {first}", info.number, info.title);
        text.push_str(&format!("{}\n", marked(mark, &row)));
        for more in lines.iter().skip(1) {
            text.push_str(&format!("{}\n", marked(mark, &format!("      {:<width$}  {more}", ""))));
        }
        let shown = !matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_));
        for detail in entry.details.iter().filter(|_| shown) {
            text.push_str(&format!("      {:<width$}  {}\n", "", line(detail)));
        }
    }
    let count = |wanted: fn(&Verdict) -> bool| entries.iter().filter(|entry| wanted(&entry.verdict)).count();
    let create = count(|verdict| *verdict == Verdict::Create);
    let update = count(|verdict| matches!(verdict, Verdict::Update(_)));
    let conflicts = count(|verdict| matches!(verdict, Verdict::Conflict(_)));
    let unknown = count(|verdict| matches!(verdict, Verdict::Unknown(_)));
    // A wait is neither a change nor in place.
    let waits = count(|verdict| matches!(verdict, Verdict::Await(_)));
    let same = entries.len() - create - update - conflicts - unknown - waits;
    let mut more = String::new();
    let all =
        [(conflicts, "in conflict (!)"), (unknown, "not checked (?)"), (waits, "to wait for"), (same, "as they are")];
    for (number, what) in all {
        if number > 0 {
            more.push_str(&format!(", {number} {what}"));
        }
    }
    let counts = if create + update + conflicts + unknown == 0 {
        "Nothing to change.".to_owned()
    } else {
        let rest = if conflicts + unknown == 0 { "" } else { "\nThis plan cannot be carried out." };
        format!("Plan: {create} to create (+), {update} to change (~), 0 to remove (-){more}.{rest}")
    };
    format!("{text}\n{counts}")
}

/// How a step stands: a word, and what is behind it.
fn standing(entry: &Entry) -> (String, Vec<String>) {
    let subject = || vec![entry.subject.clone()];
    let (word, lines) = match &entry.verdict {
        Verdict::InPlace => ("in place".to_owned(), subject()),
        Verdict::Create | Verdict::Remove => ("missing".to_owned(), subject()),
        Verdict::Update(fields) => ("differs".to_owned(), fields.clone()),
        Verdict::Await(state) => ("waiting".to_owned(), vec![format!("{}: {state}", entry.subject)]),
        Verdict::Conflict(reasons) => ("conflict".to_owned(), reasons.clone()),
        Verdict::NotNeeded(why) => ("not needed".to_owned(), vec![why.clone()]),
        Verdict::Unknown(why) => ("not checked".to_owned(), vec![why.clone()]),
    };
    (word, lines.iter().map(|text| line(text).into_owned()).collect())
}

/// The status: all thirteen steps as they are.
#[must_use]
pub fn status(entries: &[Entry]) -> String {
    let width = title_width(entries);
    let mut rows = Vec::new();
    for entry in entries {
        let info = entry.step.info();
        let (word, lines) = standing(entry);
        let first = lines.first().map(String::as_str).unwrap_or_default();
        let row = format!("{:>2}  {:<width$}  {word:<11}  {first}", info.number, info.title);
        let mark = match &entry.verdict {
            Verdict::Create | Verdict::Await(_) => '~',
            verdict => mark(verdict),
        };
        rows.push(marked(mark, &row));
        for more in lines.iter().skip(1) {
            rows.push(marked(mark, &format!("    {:<width$}  {:<11}  {more}", "", "")));
        }
    }
    rows.join("\n")
}

/// What a run changed.
#[must_use]
pub fn changes(done: &[Done]) -> String {
    let title = done.iter().map(|done| done.step.info().title.len()).max().unwrap_or(0);
    let row = |done: &Done| {
        let (mark, info) = (mark_of(done.ending), done.step.info());
        let row = format!(
            "{mark} {:>2}  {:<title$}  {}: {}",
            info.number,
            info.title,
            word_of(done.ending),
            line(&done.detail)
        );
        marked(mark, &row)
    };
    let mut done = done.to_vec();
    done.sort_by_key(|done| done.step);
    done.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Commands that make sense next, with what each is for.
#[must_use]
pub fn next(commands: &[(String, &str)]) -> String {
    let width = commands.iter().map(|(command, _)| command.len()).max().unwrap_or(0);
    let rows: Vec<String> = commands.iter().map(|(command, what)| format!("  {command:<width$}  {what}")).collect();
    format!("Next:\n{}", rows.join("\n"))
}

/// What a teardown does.
#[must_use]
pub fn removals(lines: &[Line]) -> String {
    let width = lines.iter().map(|row| row.what.len()).max().unwrap_or(0);
    let row = |Line { mark, what, detail, redirects }: &Line| {
        let first = format!("{mark} {:<width$}  {}", line(what), line(detail));
        let redirects: Vec<&Redirect> = redirects.iter().collect();
        let more = redirect_rows(&redirects, width + 6).into_iter().map(|row| format!("  {:width$}    {row}", ""));
        [first].into_iter().chain(more).map(|row| marked(*mark, &row)).collect::<Vec<_>>()
    };
    lines.iter().flat_map(row).collect::<Vec<_>>().join("\n")
}

/// Who connects to what.
#[derive(Debug, Clone)]
pub struct Topology {
    /// The functions.
    pub functions: Vec<String>,
    /// The proxy's endpoint and port.
    pub proxy: String,
    /// The database's endpoint and port.
    pub database: String,
    /// How functions log in.
    pub login: String,
}

/// The path from the functions to the database.
#[must_use]
pub fn topology(path: &Topology) -> String {
    let functions = if path.functions.is_empty() {
        "(no function)".to_owned()
    } else {
        line(&path.functions.join(", ")).into_owned()
    };
    format!(
        "  {functions}\n    -> proxy     {}\n                 {}\n    -> database  {}",
        line(&path.proxy),
        line(&path.login),
        line(&path.database)
    )
}
