//! Readings without a terminal: one line each, and one as a list.

use crate::reading::{Now, Reading, Series, Target};
use crate::rows::{rows, sum};
use crate::text::{age, count, counted, left, minute, right, second};

/// The columns of a line after the time: what each is called, how wide it is, and which metric it holds.
const COLUMNS: [(&str, usize, &str); 9] = [
    ("clients", 9, "client_connections"),
    ("database", 10, "database_connections"),
    ("borrowed", 10, "borrowed"),
    ("pinned", 8, "pinned"),
    ("wait", 10, "wait_microseconds"),
    ("refused", 9, "logins_refused"),
    ("failed", 8, "database_logins_failed"),
    ("queries", 9, "queries"),
    ("available", 11, "availability_percent"),
];

/// What stands for a value that is unknown; [`reasons`] has why.
const UNKNOWN: &str = "?";

/// The names over the columns of [`line`].
#[must_use]
pub fn heading() -> String {
    let mut text = left("minute", 10);
    for (name, width, _) in COLUMNS {
        text.push_str(&right(name, width));
        if name == "database" {
            text.push_str(&right("allowed", 9));
        }
    }
    text + &right("invoked", 9) + &right("errors", 8) + "  targets"
}

/// A reading as one line under [`heading`].
#[must_use]
pub fn line(reading: &Reading) -> String {
    let newest = reading.newest();
    let rows = rows(reading);
    let mut text = left(&newest.map_or_else(|| UNKNOWN.to_owned(), minute), 10);
    let known = |series: &Series| match series.now(newest) {
        Now::Known(point) => count(point.value),
        Now::Unknown(_) => UNKNOWN.to_owned(),
    };
    for (_, width, key) in COLUMNS {
        let value = rows.iter().find(|row| row.key == key).and_then(|row| row.value.clone().ok());
        text.push_str(&right(value.as_deref().unwrap_or(UNKNOWN), width));
        if key == "database_connections" {
            text.push_str(&right(&known(&reading.metrics.allowed), 9));
        }
    }
    let functions = reading.functions.as_deref().unwrap_or_default();
    let of = |pick: fn(&crate::reading::Function) -> &Series| {
        // A function that nobody invoked has no data; [`reasons`] names it.
        match sum(functions.iter().map(pick), newest) {
            (Some(sum), _) if reading.functions.is_ok() => count(sum),
            _ => UNKNOWN.to_owned(),
        }
    };
    text.push_str(&right(&of(|found| &found.invocations), 9));
    text.push_str(&right(&of(|found| &found.errors), 8));
    text.push_str("  ");
    text.push_str(&targets(reading));
    text
}

fn targets(reading: &Reading) -> String {
    let Ok(all) = &reading.targets else { return UNKNOWN.to_owned() };
    if all.is_empty() {
        return "none".to_owned();
    }
    let one = |target: &Target| target.state.as_deref().unwrap_or(UNKNOWN).to_owned();
    all.iter().map(one).collect::<Vec<_>>().join(", ")
}

/// Why what is unknown in a reading is unknown, a sentence each.
#[must_use]
pub fn reasons(reading: &Reading) -> Vec<String> {
    let newest = reading.newest();
    let mut found: Vec<String> = rows(reading)
        .into_iter()
        .filter_map(|row| row.value.err().map(|why| format!("{} unknown: {why}", row.label.trim())))
        .collect();
    if let Now::Unknown(why) = reading.metrics.allowed.now(newest) {
        found.push(format!("Allowed database connections unknown: {why}"));
    }
    if let Err(why) = &reading.targets {
        found.push(format!("Targets unknown: {why}"));
    }
    match &reading.functions {
        Err(why) => found.push(format!("Functions unknown: {why}")),
        Ok(all) => found.extend(all.iter().filter_map(|function| match function.invocations.now(newest) {
            Now::Unknown(why) => Some(format!("Invocations and errors of {} unknown: {why}", function.name)),
            Now::Known(_) => None,
        })),
    }
    let beyond = beyond(reading);
    found.extend((!beyond.is_empty()).then_some(beyond));
    found
}

/// What is known of functions that are not in a reading; empty where there are none.
pub(crate) fn beyond(reading: &Reading) -> String {
    let one = |number: usize, what: &str| (number > 0).then(|| format!("{number} more {what}"));
    let left_out = one(reading.left_out, "not watched (--function NAME)");
    let hidden = one(reading.hidden, "with hidden variables");
    [left_out, hidden].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A reading as a list: each thing, and what is known of it.
#[must_use]
pub fn once(reading: &Reading) -> Vec<(String, String)> {
    let newest = reading.newest();
    let head = match newest {
        None => "no data".to_owned(),
        Some(newest) => format!("{}, {}", minute(newest), age(reading.at.saturating_sub(newest))),
    };
    let mut list = vec![("Newest data".to_owned(), head), ("Read at".to_owned(), second(reading.at))];
    match &reading.targets {
        Err(why) => list.push(("Targets".to_owned(), format!("unknown: {why}"))),
        Ok(all) if all.is_empty() => list.push(("Targets".to_owned(), "none is registered".to_owned())),
        Ok(all) => list.extend(all.iter().map(|target| {
            let role = target.role.as_deref().map(|role| format!(" ({role})")).unwrap_or_default();
            let state = target.state.as_deref().unwrap_or("state unknown");
            let why = target.reason.as_deref().filter(|_| !target.is_available());
            (
                format!("Target {}{role}", target.id),
                [Some(state), why].into_iter().flatten().collect::<Vec<_>>().join(": "),
            )
        })),
    }
    for row in rows(reading) {
        let value = match row.value {
            Err(why) => format!("unknown: {why}"),
            Ok(value) if row.beside.starts_with(|c: char| c.is_ascii_digit() || c == '<') => {
                format!("{value}, {}", row.beside)
            }
            Ok(value) => [value, row.beside].join(" ").trim_end().to_owned(),
        };
        list.push((row.label.to_owned(), value));
    }
    match &reading.functions {
        Err(why) => list.push(("Functions".to_owned(), format!("unknown: {why}"))),
        Ok(all) if all.is_empty() => {
            list.push(("Functions".to_owned(), "none uses the proxy or the database".to_owned()));
        }
        Ok(all) => list.extend(all.iter().map(|function| {
            let said = |series: &Series, what: &str| match series.now(newest) {
                Now::Known(point) => counted(point.value, what),
                Now::Unknown(why) => format!("{what}s unknown ({why})"),
            };
            let hour = function.errors.total().map(|errors| format!(", {} in the last hour", count(errors)));
            let text = format!(
                "at {}: {}, {}{}",
                function.side.place(),
                said(&function.invocations, "invocation"),
                said(&function.errors, "error"),
                hour.unwrap_or_default()
            );
            (format!("Function {}", function.name), text)
        })),
    }
    let beyond = beyond(reading);
    list.extend((!beyond.is_empty()).then(|| ("Functions".to_owned(), beyond)));
    list
}
