//! The recording of a run: begun with the command, offered after a failure.

use std::io::IsTerminal;
use std::path::Path;

use recording::{Run, Tape};

use super::interrupt::{Signals, blocking};
use crate::cli::{Global, Output};
use crate::clock::Clock;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;

/// Begins to record: to the file that was asked for, or in memory.
pub(super) fn begin(global: &Global) -> Result<Tape, Failure> {
    let run = Run {
        program: env!("CARGO_PKG_VERSION").to_owned(),
        time: cloud::utc(Clock::real().now()),
        command: global.line.command.clone(),
        flags: global.line.flags.clone(),
    };
    let Some(path) = &global.record else { return Ok(Tape::memory(&run)) };
    Tape::file(&run, path, global.record_plain).map_err(|error| unwritten(path, &error))
}

/// After a failure of which a recording shows more: offers to write it where a person is asked, and names the flag
/// elsewhere.
pub(super) async fn offer(global: &Global, exit: Exit) {
    let worth = matches!(exit, Exit::Failed | Exit::TimedOut) && global.tape.calls() > 0;
    if !worth || global.tape.on_file() || global.quiet {
        return;
    }
    let json = global.output == Output::Json;
    let asked = report::unattended().is_none() && std::io::stderr().is_terminal() && !json && !global.yes;
    if !asked {
        let text = "To record every AWS call and its response, redacted for an issue, run it again with --record FILE.";
        return report::note(json, text);
    }
    let path = format!("rdsproxy-setup-{}.jsonl", cloud::utc(Clock::real().now()).replace([':', '-'], ""));
    let question = format!(
        "Write a recording of this run to {path}? Values are redacted and names replaced, so that it is safe to attach to an issue. \
         [yes/no]"
    );
    let answer = tokio::select! {
        biased;
        () = signal() => None,
        answer = blocking(move || report::ask(&question)) => answer.unwrap_or_default(),
    };
    if !matches!(answer.as_deref(), Some("yes" | "y")) {
        return;
    }
    let _ = global.tape.end(exit.code());
    match global.tape.write(Path::new(&path)) {
        Ok(()) => report::say(&format!("Written: {path}")),
        Err(error) => {
            let failure = unwritten(Path::new(&path), &error);
            report::failure(json, &failure.headline, &failure.hints, None);
        }
    }
}

/// Ends a recording that goes to a file, and warns where lines of it are missing.
pub(super) fn end(global: &Global, exit: Exit) {
    if !global.tape.on_file() {
        return;
    }
    if let Some(why) = global.tape.end(exit.code()) {
        report::warn(global.output == Output::Json, &format!("the recording is not complete: {why}"));
    }
}

async fn signal() {
    match Signals::listen() {
        Ok(mut signals) => {
            signals.next().await;
        }
        Err(_) => std::future::pending().await,
    }
}

fn unwritten(path: &Path, error: &std::io::Error) -> Failure {
    let hint = if error.kind() == std::io::ErrorKind::AlreadyExists {
        "Nothing is overwritten: choose another file."
    } else {
        "Choose another file."
    };
    Failure::new(Exit::Decide, format!("writing the recording ({}): {error}", path.display()), [hint])
}
