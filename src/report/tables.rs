//! Plan, status, removals and topology as text.

use crate::engine::ledger::{Entry, Verdict};
use crate::teardown::Line;

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

fn words(verdict: &Verdict, create: &str) -> String {
    match verdict {
        Verdict::InPlace => "in place".to_owned(),
        Verdict::Create => create.to_owned(),
        Verdict::Update(fields) => format!("differs: {}", fields.join("; ")),
        Verdict::Remove => "to be removed".to_owned(),
        Verdict::Await(state) => state.clone(),
        Verdict::Conflict(reasons) => format!("conflict: {}", reasons.join("; ")),
        Verdict::NotNeeded(why) => format!("not needed: {why}"),
        Verdict::Unknown(why) => format!("not checked: {why}"),
    }
}

fn rows(entries: &[Entry], create: &str, details: bool) -> String {
    let width = entries.iter().map(|entry| entry.step.info().title.len()).max().unwrap_or(0);
    let mut text = String::new();
    for entry in entries {
        let info = entry.step.info();
        let words = words(&entry.verdict, create);
        let named = matches!(entry.verdict, Verdict::NotNeeded(_));
        let what = if named { words } else { format!("{}: {words}", entry.subject) };
        text.push_str(&format!("{} {:>2}  {:<width$}  {what}\n", mark(&entry.verdict), info.number, info.title));
        let shown = details && !matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_));
        for detail in entry.details.iter().filter(|_| shown) {
            text.push_str(&format!("      {:<width$}  {detail}\n", ""));
        }
    }
    text
}

/// The plan: all thirteen steps and counts.
#[must_use]
pub fn plan(entries: &[Entry]) -> String {
    let count = |wanted: fn(&Verdict) -> bool| entries.iter().filter(|entry| wanted(&entry.verdict)).count();
    let create = count(|verdict| *verdict == Verdict::Create);
    let update = count(|verdict| matches!(verdict, Verdict::Update(_)));
    let counts = if create + update == 0 {
        "Nothing to change.".to_owned()
    } else {
        format!("Plan: {create} to create, {update} to change, {} others.", entries.len() - create - update)
    };
    format!("{}\n{counts}", rows(entries, "to be created", true))
}

/// The status: all thirteen steps as they are.
#[must_use]
pub fn status(entries: &[Entry]) -> String {
    rows(entries, "missing", false).trim_end().to_owned()
}

/// What a teardown does.
#[must_use]
pub fn removals(lines: &[Line]) -> String {
    let width = lines.iter().map(|(_, what, _)| what.len()).max().unwrap_or(0);
    let rows: Vec<String> =
        lines.iter().map(|(mark, what, detail)| format!("{mark} {what:<width$}  {detail}")).collect();
    rows.join("\n")
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
    let functions = if path.functions.is_empty() { "(no function)".to_owned() } else { path.functions.join(", ") };
    format!("  {functions}\n    -> proxy     {} ({})\n    -> database  {}", path.proxy, path.login, path.database)
}
