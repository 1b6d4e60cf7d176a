//! Plan, status, removals and topology as text.

use super::Done;
use super::layout::{columns, page, row, within};
use super::style::{mark_of, marked, word_of};
use crate::plain::line;
use crate::plan::{Entry, Redirect, Verdict};
use crate::resources::Line;

/// The width from which on a variable's name and one host are in one line.
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
fn intention(entry: &Entry, indent: usize, page: usize) -> Vec<String> {
    let subject = &entry.subject;
    let one = |text: String| vec![text];
    let lines = match &entry.verdict {
        Verdict::InPlace => one(format!("in place: {subject}")),
        Verdict::Create => one(format!("{} {subject}", entry.step.info().verb)),
        Verdict::Update(fields) => {
            fields.iter().flat_map(|field| update(field, &entry.redirects, indent, page)).collect()
        }
        Verdict::Remove => one(format!("remove {subject}")),
        Verdict::Await(state) => one(format!("wait for {subject} ({state})")),
        Verdict::Conflict(reasons) => reasons.iter().map(|reason| format!("conflict: {reason}")).collect(),
        Verdict::NotNeeded(why) => one(format!("not needed: {why}")),
        Verdict::Unknown(why) => one(format!("not checked: {why}")),
    };
    lines.iter().map(|text| line(text).into_owned()).collect()
}

/// What an update does: where it is a function's variables, one after another.
fn update(field: &str, redirects: &[Redirect], indent: usize, page: usize) -> Vec<String> {
    let of_function =
        |found: &&Redirect| field.strip_prefix(&found.function).is_some_and(|rest| rest.starts_with(": "));
    let moved: Vec<&Redirect> = redirects.iter().filter(of_function).collect();
    // Aliases of the same function are fields of their own.
    let rest = moved.first().and_then(|first| field.strip_prefix(&format!("{}: ", first.function)));
    let named = rest.is_some_and(|rest| rest.split(", ").any(|name| moved.iter().any(|moved| moved.variable == name)));
    match moved.first() {
        Some(first) if named => {
            let rows = redirect_rows(&moved, indent + 2, page).into_iter().map(|row| format!("  {row}"));
            [format!("change {}", first.function)].into_iter().chain(rows).collect()
        }
        _ => vec![format!("change {field}")],
    }
}

/// Variables of one function: `NAME: from -> to`, with the values in one column, and broken before the arrow, or after
/// the name as well, where that is wider than the page.
fn redirect_rows(redirects: &[&Redirect], indent: usize, page: usize) -> Vec<String> {
    let width = redirects.iter().map(|found| found.variable.chars().count()).max().unwrap_or(0) + 1;
    let fits = |row: &String| indent + row.chars().count() <= page;
    let rows = |found: &&Redirect| {
        let Redirect { from, to, variable, .. } = found;
        let name = format!("{variable}:");
        let row = format!("{name:<width$} {from} -> {to}");
        if fits(&row) {
            return vec![row];
        }
        let two = vec![format!("{name:<width$} {from}"), format!("{:width$} -> {to}", "")];
        if page >= WIDTH || two.iter().all(fits) {
            return two;
        }
        vec![name, format!("  {from}"), format!("  -> {to}")]
    };
    redirects.iter().flat_map(rows).collect()
}

/// The plan: all thirteen steps and counts.
#[must_use]
pub fn plan(entries: &[Entry]) -> String {
    plan_at(entries, columns())
}

fn plan_at(entries: &[Entry], columns: Option<usize>) -> String {
    let width = title_width(entries);
    let mut text = String::new();
    for entry in entries {
        let (mark, info) = (mark(&entry.verdict), entry.step.info());
        let shown = !matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_));
        let cells = |indent| {
            let details = entry.details.iter().filter(|_| shown).map(|detail| line(detail).into_owned());
            intention(entry, indent, page(columns)).into_iter().chain(details).collect()
        };
        let title = format!("{mark} {:>2}  {:<width$}  ", info.number, info.title);
        for row in row(&title, width + 8, columns, cells) {
            text.push_str(&format!("{}\n", marked(mark, &row)));
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
        let counts = format!("Plan: {create} to create (+), {update} to change (~){more}.");
        within(&counts, columns) + rest
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
    status_at(entries, columns())
}

fn status_at(entries: &[Entry], columns: Option<usize>) -> String {
    let width = title_width(entries);
    let mut rows = Vec::new();
    for entry in entries {
        let info = entry.step.info();
        let (word, lines) = standing(entry);
        let title = format!("{:>2}  {:<width$}  {word:<11}  ", info.number, info.title);
        let mark = match &entry.verdict {
            Verdict::Create | Verdict::Await(_) => '~',
            verdict => mark(verdict),
        };
        rows.extend(row(&title, width + 19, columns, |_| lines.clone()).iter().map(|row| marked(mark, row)));
    }
    rows.join("\n")
}

/// What a run changed.
#[must_use]
pub fn changes(done: &[Done]) -> String {
    let (columns, width) = (columns(), done.iter().map(|done| done.step.info().title.len()).max().unwrap_or(0));
    let rows = |done: &Done| {
        let (mark, info) = (mark_of(done.ending), done.step.info());
        let title = format!("{mark} {:>2}  {:<width$}  ", info.number, info.title);
        let text = format!("{}: {}", word_of(done.ending), line(&done.detail));
        let rows = row(&title, width + 8, columns, |_| vec![text.clone()]);
        rows.iter().map(|row| marked(mark, row)).collect::<Vec<_>>()
    };
    let mut done = done.to_vec();
    done.sort_by_key(|done| done.step);
    done.iter().flat_map(rows).collect::<Vec<_>>().join("\n")
}

/// Rows in aligned columns; the first is the head.
#[must_use]
pub fn table<const COLUMNS: usize>(rows: impl IntoIterator<Item = [String; COLUMNS]>) -> String {
    let rows: Vec<[String; COLUMNS]> = rows.into_iter().collect();
    let width = |place: usize| rows.iter().map(|row| row[place].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..COLUMNS).map(width).collect();
    let row = |row: &[String; COLUMNS]| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{:<width$}", line(cell)));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Commands that make sense next, with what each is for.
#[must_use]
pub fn next(commands: &[(String, &str)]) -> String {
    let (columns, width) = (columns(), commands.iter().map(|(command, _)| command.len()).max().unwrap_or(0));
    let rows = |(command, what): &(String, &str)| {
        row(&format!("  {command:<width$}  "), width + 4, columns, |_| vec![(*what).to_owned()])
    };
    format!("Next:\n{}", commands.iter().flat_map(rows).collect::<Vec<_>>().join("\n"))
}

/// Names, and what is said of each.
#[must_use]
pub fn list(pairs: &[(String, String)]) -> String {
    let (columns, width) = (columns(), pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0));
    let rows = |(name, text): &(String, String)| {
        row(&format!("  {:<width$}  ", line(name)), width + 4, columns, |_| vec![line(text).into_owned()])
    };
    pairs.iter().flat_map(rows).collect::<Vec<_>>().join("\n")
}

/// What a teardown does.
#[must_use]
pub fn removals(lines: &[Line]) -> String {
    removals_at(lines, columns())
}

fn removals_at(lines: &[Line], columns: Option<usize>) -> String {
    let width = lines.iter().map(|row| row.what.chars().count()).max().unwrap_or(0);
    let rows = |Line { mark, what, detail, redirects }: &Line| {
        let title = format!("{mark} {:<width$}  ", line(what));
        let redirects: Vec<&Redirect> = redirects.iter().collect();
        let cells = |indent| {
            let more = redirect_rows(&redirects, indent + 2, page(columns)).into_iter().map(|row| format!("  {row}"));
            std::iter::once(line(detail).into_owned()).chain(more).collect()
        };
        row(&title, width + 4, columns, cells).iter().map(|row| marked(*mark, row)).collect::<Vec<_>>()
    };
    lines.iter().flat_map(rows).collect::<Vec<_>>().join("\n")
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
    let columns = columns();
    let functions = if path.functions.is_empty() { "(no function)".to_owned() } else { path.functions.join(", ") };
    let [functions, proxy, login, database] =
        [&functions, &path.proxy, &path.login, &path.database].map(|text| line(text).into_owned());
    let mut rows = row("", 2, columns, |_| vec![functions.clone()]);
    rows.extend(row("    -> proxy     ", 17, columns, |_| vec![proxy.clone(), login.clone()]));
    rows.extend(row("    -> database  ", 17, columns, |_| vec![database.clone()]));
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::STEPS;

    const HOST: &str = "my-instance.c9akciq32abc.eu-central-1.rds.amazonaws.com";

    fn entries() -> Vec<Entry> {
        let redirect = Redirect {
            function: "DBAppFunction".to_owned(),
            variable: "DB_HOST".to_owned(),
            from: HOST.to_owned(),
            to: "my-instance-proxy.proxy-….eu-central-1.rds.amazonaws.com".to_owned(),
        };
        let entry = |info: &crate::catalogue::StepInfo| Entry {
            step: info.id,
            verdict: Verdict::Update(vec!["DBAppFunction: DB_HOST".to_owned()]),
            subject: HOST.to_owned(),
            details: vec!["why: DBAppFunction: DB_HOST holds the database's endpoint, as the documents say".to_owned()],
            redirects: vec![redirect.clone()],
        };
        STEPS.iter().map(entry).collect()
    }

    /// Every word is there, none is broken, and nothing is wider than the terminal.
    #[test]
    fn tables_fit_80_columns_word_by_word() {
        let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
        let lines = [Line {
            mark: '~',
            what: "function DBAppFunction".to_owned(),
            detail: "restore DB_HOST".to_owned(),
            redirects: entries().swap_remove(0).redirects,
        }];
        for (wide, narrow) in [
            (plan_at(&entries(), None), plan_at(&entries(), Some(80))),
            (status_at(&entries(), None), status_at(&entries(), Some(80))),
            (removals_at(&lines, None), removals_at(&lines, Some(80))),
        ] {
            let (wide, narrow) = (plain(&wide), plain(&narrow));
            let long: Vec<&str> = narrow.lines().filter(|line| line.chars().count() > 80).collect();
            assert_eq!(long, [""; 0], "{narrow}");
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&narrow), words(&wide));
        }
    }
}
