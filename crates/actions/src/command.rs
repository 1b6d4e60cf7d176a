//! Commands of the runner, which are lines of the log
//! (<https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands>).

use std::borrow::Cow;

/// How serious an annotation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Something failed, or will.
    Error,
    /// Something is not as it should be.
    Warning,
    /// Worth knowing.
    Notice,
}

impl Level {
    /// The command.
    fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Notice => "notice",
        }
    }
}

/// The end of a group.
pub const END: &str = "::endgroup::";

/// The beginning of a group.
#[must_use]
pub fn group(title: &str) -> String {
    format!("::group::{}", data(title))
}

/// An annotation; the lines of its text stay lines.
#[must_use]
pub fn annotation(level: Level, title: &str, text: &str) -> String {
    format!("::{} title={}::{}", level.word(), property(title), data(text))
}

/// Has the runner replace a value in everything that the job prints from then on.
#[must_use]
pub fn mask(value: &str) -> String {
    format!("::add-mask::{}", data(value))
}

/// As the runner's own toolkit escapes what follows the second pair of colons
/// (<https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>).
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// And what stands before it.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Text of which no line is a command: neither `::NAME::` at its beginning, nor the old `##[NAME]` anywhere.
#[must_use]
pub fn defused(text: &str) -> Cow<'_, str> {
    if !text.contains("::") && !text.contains("##[") {
        return Cow::Borrowed(text);
    }
    // The runner takes a carriage return for the end of a line, too.
    let line = |line: &str| {
        let rest = line.trim_start();
        let line = match rest.strip_prefix("::") {
            Some(after) => format!("{}: :{after}", &line[..line.len() - rest.len()]),
            None => line.to_owned(),
        };
        line.replace("##[", "# #[")
    };
    Cow::Owned(text.split_inclusive(['\n', '\r']).map(line).collect())
}

/// JSON that reads back as it was, and of which no line is a command. None of its lines begins with a colon anyway.
#[must_use]
pub fn defused_json(document: &str) -> Cow<'_, str> {
    if !document.contains("##[") {
        return Cow::Borrowed(document);
    }
    // Outside of strings, JSON has no such character.
    Cow::Owned(document.replace("##[", "\\u0023#["))
}
