//! A diagnosis as text: the symptom, the most likely cause first, what is ruled out, what was not checked.

use super::{layout, style};
use crate::catalogue::checks::{CheckId, Severity};
use crate::doctor::path::{Aspect, Standing};
use crate::doctor::{Diagnosis, Finding};
use crate::plain::{counted, line};

/// Where the words of a finding begin.
const INDENT: usize = 11;

/// How many of what, in a few words.
fn counts(diagnosis: &Diagnosis) -> String {
    let of = |severity| diagnosis.findings.iter().filter(|finding| finding.severity == severity).count();
    let kinds = [Severity::Error, Severity::Warning, Severity::Notice];
    let told: Vec<String> =
        kinds.into_iter().filter(|kind| of(*kind) > 0).map(|kind| counted(of(kind), kind.word())).collect();
    if told.is_empty() { "nothing found".to_owned() } else { told.join(", ") }
}

/// Breaks a text into lines, all but the first indented.
fn wrapped(label: &str, text: &str) -> String {
    let gap = if label.len() < INDENT { "" } else { "  " };
    let start = format!("{label:<INDENT$}{gap}");
    layout::hang(&start, &line(text), INDENT, layout::page(layout::columns())).join("\n")
}

fn severity(finding: &Finding) -> String {
    let word = finding.severity.word();
    match finding.severity {
        Severity::Error => style::bad(word),
        Severity::Warning => style::change(word),
        Severity::Notice => word.to_owned(),
    }
}

/// One finding: what is wrong, what was read, why, and what helps.
#[must_use]
pub fn finding(finding: &Finding) -> String {
    let info = finding.check.info();
    let gap = " ".repeat(INDENT - 2 - info.name().len() + 1);
    let mut lines = vec![format!("{}{gap} {}: {}", info.name(), severity(finding), info.title)];
    let rows = [("  found", &finding.evidence), ("  cause", &vec![info.cause.to_owned()]), ("  fix", &finding.fixes)];
    for (label, texts) in rows {
        for (at, text) in texts.iter().enumerate() {
            lines.push(wrapped(if at == 0 { label } else { "" }, text));
        }
    }
    lines.push(format!("{:<INDENT$}{}", "  see", info.url()));
    lines.join("\n")
}

/// One row a check; many with the same reason in one row.
fn rows(list: &[(CheckId, String)]) -> Vec<String> {
    let mut rows: Vec<(usize, String, &str)> = Vec::new();
    for (check, why) in list {
        match rows.iter_mut().find(|(_, _, other)| other == why) {
            Some((number, label, _)) => {
                *number += 1;
                *label = format!("  {number} checks");
            }
            None => rows.push((1, format!("  {}", check.info().name()), why)),
        }
    }
    rows.into_iter().map(|(_, label, why)| wrapped(&label, why)).collect()
}

/// All of it.
#[must_use]
pub fn diagnosis(diagnosis: &Diagnosis) -> String {
    let mut parts = vec![layout::sentence(&format!(
        "{}: {}; {} fine, {} not checked.",
        if diagnosis.proxy {
            format!("{}, in front of {}", diagnosis.stack, diagnosis.database)
        } else {
            format!("{}, without a proxy", diagnosis.database)
        },
        counts(diagnosis),
        counted(diagnosis.fine, "check"),
        diagnosis.unchecked.len()
    ))];
    if !diagnosis.symptoms.is_empty() {
        parts.push(
            diagnosis
                .symptoms
                .iter()
                .map(|symptom| layout::sentence(&line(&symptom.to_string())))
                .collect::<Vec<_>>()
                .join("\n"),
        );
    }
    parts.extend(diagnosis.findings.iter().map(finding));
    for (title, list) in [("Ruled out:", &diagnosis.ruled_out), ("Not checked:", &diagnosis.unchecked)] {
        if !list.is_empty() {
            parts.push(std::iter::once(title.to_owned()).chain(rows(list)).collect::<Vec<_>>().join("\n"));
        }
    }
    parts.join("\n\n")
}

/// The way from the functions to the database, a row a part.
#[must_use]
pub fn aspects(aspects: &[Aspect]) -> String {
    let width = aspects.iter().map(|aspect| aspect.title.len()).max().unwrap_or(0);
    let row = |aspect: &Aspect| {
        let word = match aspect.standing {
            Standing::Open => aspect.standing.word().to_owned(),
            Standing::Broken => style::bad(aspect.standing.word()),
            Standing::Unchecked => style::change(aspect.standing.word()),
        };
        // What was found is shown in full below.
        let names: Vec<String> = aspect.found.iter().map(|check| check.info().name()).collect();
        let names = if names.is_empty() { String::new() } else { format!(": {}", names.join(", ")) };
        let because = aspect.because.iter().filter(|_| aspect.found.is_empty()).map(|why| format!("  {}", line(why)));
        let first = format!("{:<width$}  {word}{names}", aspect.title);
        std::iter::once(first).chain(because).collect::<Vec<_>>().join("\n")
    };
    aspects.iter().map(row).collect::<Vec<_>>().join("\n")
}
