//! The report of a rehearsal as text for a terminal, and as Markdown for a change request.

use documents::Rehearsal;

use super::{PLAN, Section, headline, sections};
use crate::plain::line;
use crate::plan::Entry;
use crate::report;
use crate::report::layout::{columns, row, sentence};

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
            text.push_str(&format!("\n{}", report::plan(entries)));
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
