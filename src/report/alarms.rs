//! Alarms and a dashboard as text: one row each.

use super::layout::{columns, row};
use super::style::marked;
use crate::plain::line;
use crate::resources::alarms::{Action, Intention};

/// The rows of a plan, or of what is in place.
#[must_use]
pub fn alarms(rows: &[Intention]) -> String {
    let title = |row: &Intention| row.kind.map_or("dashboard", |kind| kind.info().key);
    let width = rows.iter().map(|row| title(row).len()).max().unwrap_or(0);
    let (columns, indent) = (columns(), width + 4);
    let text = |one: &Intention| {
        let (mark, words) = words(one);
        let title = format!("{mark} {:<width$}  ", title(one));
        let rows = row(&title, indent, columns, |_| vec![line(&words).into_owned()]);
        rows.iter().map(|row| marked(mark, row)).collect::<Vec<_>>()
    };
    rows.iter().flat_map(text).collect::<Vec<_>>().join("\n")
}

fn words(row: &Intention) -> (char, String) {
    let info = row.kind.map(observe::alarms::Kind::info);
    let when = info.zip(row.threshold.as_ref()).map(|(info, threshold)| {
        let side = match info.comparison {
            "LessThanThreshold" => format!("below {threshold}"),
            "GreaterThanUpperThreshold" => format!("more than {threshold} above what is expected"),
            _ => format!("above {threshold}"),
        };
        let span = info.period * info.evaluated / 60;
        format!("{}: {side}, {} of {} times within {span} min", info.title, info.needed, info.evaluated)
    });
    let when = when.unwrap_or_else(|| row.name.clone());
    let state = row.state.as_ref().map(|state| format!("; {state}")).unwrap_or_default();
    let silenced = if row.silenced { "; silenced by someone" } else { "" };
    match &row.action {
        Action::Create => ('+', when),
        Action::Change(clauses) => ('~', format!("change {}", clauses.join("; "))),
        Action::Keep => ('=', format!("{when}{state}{silenced}")),
        Action::Later(why) => ('?', format!("not yet: {why}")),
        Action::NotNeeded(why) => (' ', format!("not needed: {why}")),
        Action::Conflict => ('!', format!("conflict: {} exists, but this stack did not create it", row.name)),
    }
}
