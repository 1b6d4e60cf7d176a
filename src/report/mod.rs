//! Everything that people see: the only room that writes to the streams.

mod lines;
mod tables;

use std::io::Write;

use serde_json::Value;

pub use lines::Lines;
pub use tables::{Topology, plan, removals, status, topology};

/// Writes a result to stdout.
pub fn result(text: &str) {
    // A closed pipe is the reader's choice.
    let _ = writeln!(anstream::stdout(), "{text}");
}

/// Writes one JSON document to stdout.
pub fn document(value: &Value) {
    result(&serde_json::to_string_pretty(value).unwrap_or_default());
}

/// Writes what moves to stderr.
pub fn say(text: &str) {
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Asks a question on stderr and reads one line of the answer; `None` at the end of input.
#[must_use]
pub fn ask(question: &str) -> Option<String> {
    let mut stderr = anstream::stderr();
    let _ = write!(stderr, "{question} ").and_then(|()| stderr.flush());
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(read) if read > 0 => Some(answer.trim().to_lowercase()),
        _ => None,
    }
}

/// A span of time as people read it: `0:07`, `12:30`, `1:02:03`.
#[must_use]
pub fn duration(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
