//! GitHub Actions: groups of the log, annotations, and the summary of the step, where its runner reads what we write.
//!
//! Commands of the runner go to stderr, which it reads as it reads stdout: stdout stays what other programs take.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::sync::{Mutex, PoisonError};

use actions::{Failure, Level, Run};
use serde_json::Value;

use crate::exit::Exit;
use crate::plain::line;

/// What a run has said so far; none where GitHub Actions does not read it.
static RUN: Mutex<Option<State>> = Mutex::new(None);

#[derive(Debug, Default)]
struct State {
    /// The command.
    command: String,
    /// Whether the streams hold JSON: groups are for people.
    json: bool,
    /// The group that begins with the next line.
    next: Option<String>,
    /// The group that has begun.
    open: Option<String>,
    documents: Vec<Value>,
    failures: Vec<Failure>,
    warnings: Vec<String>,
}

fn with<T>(act: impl FnOnce(&mut State) -> T) -> Option<T> {
    RUN.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(act)
}

/// Whether GitHub Actions runs this program.
#[must_use]
pub fn reads() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Begins to write for the runner.
pub fn begin(command: &str, json: bool) {
    let state = State { command: command.to_owned(), json, ..State::default() };
    *RUN.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
}

/// What moves from now on belongs to this phase: its first line begins a group.
pub fn phase(title: &str) {
    with(|state| {
        if !state.json && state.open.as_deref() != Some(title) {
            state.next = Some(title.to_owned());
        }
    });
}

/// Ends the group, so that what comes is not folded away.
pub(super) fn unfold() {
    let open = with(|state| {
        state.next = None;
        state.open.take()
    });
    if open.flatten().is_some() {
        command(actions::END);
    }
}

/// A text for stderr: none of its lines is a command, and a group begins before it where one is due.
pub(super) fn moving(text: &str) -> String {
    let due = with(|state| {
        let next = state.next.take()?;
        let ends = state.open.replace(next.clone()).is_some();
        Some((next, ends))
    });
    if let Some((title, ends)) = due.flatten() {
        if ends {
            command(actions::END);
        }
        command(&actions::group(&title));
    }
    plain(text)
}

/// A text for stdout, which no group folds away.
pub(super) fn result(text: &str) -> String {
    unfold();
    plain(text)
}

/// A text of which no line is a command.
fn plain(text: &str) -> String {
    let safe =
        with(
            |state| {
                if state.json { actions::defused_json(text).into_owned() } else { actions::defused(text).into_owned() }
            },
        );
    safe.unwrap_or_else(|| text.to_owned())
}

/// Whether documents are kept for the summary.
pub(super) fn keeps() -> bool {
    with(|_| ()).is_some()
}

/// Keeps what the summary shows of a document, and so nothing of a token.
pub(super) fn keep(document: &Value) {
    let Some(members) = document.as_object() else { return };
    let shown = members.iter().filter(|(key, _)| actions::SHOWN.contains(&key.as_str()));
    let shown: Value = shown.map(|(key, value)| (key.clone(), value.clone())).collect();
    with(|state| state.documents.push(shown));
}

/// Annotates a failure, and keeps it for the summary.
pub fn failed(headline: &str, hints: &[String]) {
    let lines = [headline].into_iter().chain(hints.iter().map(String::as_str).filter(|hint| !hint.is_empty()));
    let text = lines.map(|text| line(text).into_owned()).collect::<Vec<_>>().join("\n");
    let kept = with(|state| state.failures.push(Failure { headline: headline.to_owned(), hints: hints.to_vec() }));
    if kept.is_some() {
        command(&actions::annotation(Level::Error, "rdsproxy-setup", &text));
    }
}

/// Keeps a warning for the summary.
pub(super) fn warned(text: &str) {
    with(|state| state.warnings.push(text.to_owned()));
}

/// Has the runner hide a value in what the job prints later.
pub fn mask(value: &str) {
    if keeps() {
        command(&actions::mask(value));
    }
}

/// Annotates what was found, and appends the summary to the step's.
pub fn finish(exit: Exit) {
    unfold();
    let Some(state) = RUN.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
    let run = Run {
        command: &state.command,
        exit: exit.code(),
        meaning: exit.meaning(),
        documents: &state.documents,
        failures: &state.failures,
        warnings: &state.warnings,
        clean: |text| line(text).into_owned(),
    };
    for note in actions::annotations(&run) {
        command(&actions::annotation(note.level, &note.title, &note.text));
    }
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else { return };
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| file.write_all(actions::summary(&run).as_bytes()));
    if let Err(error) = written {
        command(&actions::annotation(
            Level::Warning,
            "rdsproxy-setup",
            &format!("writing the summary of the step: {error}"),
        ));
    }
}

/// Writes a line for the runner.
fn command(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}
