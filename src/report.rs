//! Everything that people see: the only module, besides the commands, that writes to the streams.
//!
//! stdout carries results only; stderr everything that moves.

mod advice;
mod alarms;
mod bars;
mod canary;
mod diagnosis;
mod documents;
pub mod github;
mod json;
mod layout;
mod lines;
mod modes;
mod progress;
mod proofs;
mod rehearsal;
mod screen;
mod style;
mod tables;

use std::io::{self, IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use ::documents::Document;
use anstream::{AutoStream, ColorChoice};
use indicatif::MultiProgress;
use serde_json::Value;

use crate::cloud::Call;
use crate::doctor::Diagnosis;
use crate::plain;

pub use advice::{advice, ranking};
pub use alarms::alarms;
pub use bars::Bars;
pub use canary::{seen, shares, stand_text, wave_text};
pub use diagnosis::{aspects, diagnosis, finding};
pub use documents::{alias_shares, canary, findings, path, probes, removal, steps};
pub use json::json_line;
pub use lines::Lines;
pub use modes::{Modes, forget_typed};
pub use progress::{Done, Progress};
pub use proofs::{proof, seats};
pub use rehearsal::{rehearsal, rehearsal_markdown};
pub use screen::Screen;
pub use tables::{Topology, changes, list, next, plan, removals, status, table, topology};

/// The rows on the terminal, while there are any: what is written between them must not tear them.
static ROWS: Mutex<Option<MultiProgress>> = Mutex::new(None);

fn share(rows: Option<MultiProgress>) {
    *ROWS.lock().unwrap_or_else(PoisonError::into_inner) = rows;
}

/// Whether the rows on the terminal rest, because somebody is asked something.
static PAUSED: AtomicBool = AtomicBool::new(false);

/// Takes the rows off the terminal while somebody is asked something, or lets them come back.
pub fn pause(paused: bool) {
    PAUSED.store(paused, Ordering::SeqCst);
    let rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(rows) = rows.filter(|_| paused) {
        let _ = rows.clear();
    }
}

/// Whether somebody is asked something while rows are on the terminal.
#[must_use]
pub fn is_paused() -> bool {
    PAUSED.load(Ordering::SeqCst)
}

/// Sets when color is used; `None` leaves it to the terminal and to `NO_COLOR`.
pub fn use_colour(wanted: Option<bool>) {
    match wanted {
        Some(true) => ColorChoice::Always.write_global(),
        Some(false) => ColorChoice::Never.write_global(),
        None => {}
    }
}

/// A text for stderr as the terminal's rows take it: with color codes only where they are wanted.
fn colour(text: &str) -> String {
    if AutoStream::choice(&std::io::stderr()) == ColorChoice::Never {
        return anstream::adapter::strip_str(text).to_string();
    }
    text.to_owned()
}

/// Why a result could not be written, if one could not.
static UNWRITTEN: Mutex<Option<io::Error>> = Mutex::new(None);

/// Writes a result to stdout.
pub fn result(text: &str) {
    let text = github::result(&plain::styled(text));
    let mut stdout = anstream::stdout();
    keep(writeln!(stdout, "{text}").and_then(|()| stdout.flush()));
}

/// Writes what another program reads, a shell or `man`, to stdout as it is.
pub fn verbatim(text: &[u8]) {
    let mut stdout = io::stdout();
    keep(stdout.write_all(text).and_then(|()| stdout.flush()));
}

/// Writes a line of a result that goes on; `false` where it could not be written, since nobody reads it any more.
#[must_use]
pub fn flowing(text: &str) -> bool {
    let text = github::result(&plain::styled(text));
    let mut stdout = anstream::stdout();
    let written = writeln!(stdout, "{text}").and_then(|()| stdout.flush());
    let read = written.is_ok();
    keep(written);
    read
}

/// Keeps the first failure to write a result; a closed pipe is the reader's choice.
pub fn keep(written: io::Result<()>) {
    let Err(error) = written else { return };
    if error.kind() != io::ErrorKind::BrokenPipe {
        UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
    }
}

/// Why results are missing on stdout, if any are: asked once, at the end.
#[must_use]
pub fn unwritten() -> Option<io::Error> {
    UNWRITTEN.lock().unwrap_or_else(PoisonError::into_inner).take()
}

/// A sentence of a result, broken between words on a terminal.
#[must_use]
pub fn sentence(text: &str) -> String {
    layout::sentence(text)
}

/// Writes one document to stdout, as JSON.
pub fn document<D: Document>(document: &D) {
    match serde_json::to_value(document) {
        Ok(value) => {
            github::keep(&value);
            foreign(&value);
        }
        Err(error) => keep(Err(error.into())),
    }
}

/// Writes JSON to stdout whose form others define, such as AWS.
pub fn foreign(value: &Value) {
    result(&plain::json(&serde_json::to_string_pretty(value).unwrap_or_default()));
}

/// Writes a result as a document where stdout holds JSON; says whether it does, and so whether the text is left out.
///
/// The document is also what the summary of a step of GitHub Actions is written from.
pub fn outcome<D: Document>(json: bool, build: impl FnOnce() -> D) -> bool {
    if json {
        document(&build());
    } else {
        summarize(build);
    }
    json
}

/// Keeps a document for the summary of a step of GitHub Actions alone.
pub fn summarize<D: Document>(build: impl FnOnce() -> D) {
    if github::keeps()
        && let Ok(value) = serde_json::to_value(build())
    {
        github::keep(&value);
    }
}

/// Writes what moves to stderr.
pub fn say(text: &str) {
    let rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match rows {
        Some(rows) if !is_paused() => rows.suspend(|| raw(text)),
        _ => raw(text),
    }
}

fn raw(text: &str) {
    let text = github::moving(&plain::styled(text));
    let _ = writeln!(anstream::stderr(), "{text}");
}

/// Writes a sentence to stderr, as an event where events are JSON.
pub fn note(json: bool, text: &str) {
    say(&if json { json::note(text) } else { plain::line(text).into_owned() });
}

/// Writes a warning to stderr, as an event where events are JSON.
pub fn warn(json: bool, text: &str) {
    github::unfold();
    github::warned(text);
    say(&if json {
        json::note(&format!("warning: {text}"))
    } else {
        layout::prose(&format!("{} {}", style::change("warning:"), plain::line(text)))
    });
}

/// Writes a diagnosis among what moves: as an event where events are JSON.
pub fn aside(json: bool, intro: &str, found: &Diagnosis) {
    if json {
        return say(&json::diagnosis(intro, found));
    }
    say(&format!("\n{intro}\n\n{}\n", diagnosis(found)));
}

/// Writes a call to stderr.
pub fn call(json: bool, call: &Call) {
    if json {
        return say(&json::call(call));
    }
    let status = call.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
    let id = call.request_id.as_deref().unwrap_or("-");
    let seconds = call.elapsed.as_secs_f64();
    say(&style::quiet(&format!("aws: {} {} {status} {seconds:.2}s {id}", call.service, call.operation)));
}

/// Writes a failure and what would help to stderr.
pub fn failure(json: bool, headline: &str, hints: &[String], request_id: Option<&str>) {
    github::unfold();
    if json {
        say(&json::failure(headline, hints, request_id));
        return github::failed(headline, hints);
    }
    say(&layout::prose(&format!("{} {}", style::bad("error:"), plain::line(headline))));
    for hint in hints {
        say(&layout::prose(&format!("  {} {}", style::change("hint:"), plain::line(hint))));
    }
    if let Some(id) = request_id {
        say(&style::quiet(&format!("  AWS request id: {}", plain::line(id))));
    }
    github::failed(headline, hints);
}

/// Asks a question on stderr and reads one line of the answer; `None` at the end of input.
#[must_use]
pub fn ask(question: &str) -> Option<String> {
    let mut stderr = anstream::stderr();
    let _ = write!(stderr, "{} ", plain::line(question)).and_then(|()| stderr.flush());
    let mut answer = String::new();
    match std::io::stdin().read_line(&mut answer) {
        Ok(read) if read > 0 => Some(answer.trim().to_lowercase()),
        _ => None,
    }
}

/// Why nobody can be asked, if nobody can: where there is no terminal, and in CI, which may offer one that nobody
/// watches.
#[must_use]
pub fn unattended() -> Option<&'static str> {
    if !std::io::stdin().is_terminal() {
        Some("there is no terminal to ask on")
    } else if in_ci() {
        Some("nobody is asked where the variable CI is set")
    } else {
        None
    }
}

/// Whether the environment says that this is a CI system.
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false" && value != "0")
}

/// A span of time as people read it: `0:07`, `12:30`, `1:02:03`.
#[must_use]
pub fn duration(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}
