//! Colors: few, and never the only bearer of a meaning.

use anstyle::{AnsiColor, Effects, Style};

use crate::engine::event::Ending;

/// Done, or to be created.
const GOOD: Style = AnsiColor::Green.on_default();
/// To be changed, or on its way.
const CHANGE: Style = AnsiColor::Yellow.on_default();
/// Failed, or in the way.
const BAD: Style = AnsiColor::Red.on_default().effects(Effects::BOLD);
/// What needs no eye.
const QUIET: Style = Style::new().effects(Effects::DIMMED);

/// Wraps a text in a color. Every stream takes the codes out again where color is not wanted.
fn wrap(style: Style, text: &str) -> String {
    format!("{style}{text}{style:#}")
}

/// The word before a failure.
pub(super) fn bad(text: &str) -> String {
    wrap(BAD, text)
}

/// The word before a hint or a warning.
pub(super) fn change(text: &str) -> String {
    wrap(CHANGE, text)
}

/// What needs no eye.
pub(super) fn quiet(text: &str) -> String {
    wrap(QUIET, text)
}

/// A row that begins with one of the plan's marks.
pub(super) fn marked(mark: char, row: &str) -> String {
    match mark {
        '+' => wrap(GOOD, row),
        '~' | '?' => wrap(CHANGE, row),
        '-' | '!' => wrap(BAD, row),
        _ => row.to_owned(),
    }
}

/// The mark of a step that ended.
pub(super) fn mark_of(ending: Ending) -> char {
    match ending {
        Ending::Created => '+',
        Ending::Updated | Ending::PutBack | Ending::Pending => '~',
        Ending::Unchanged | Ending::Ready => '=',
        Ending::NotNeeded => ' ',
        Ending::Removed => '-',
        Ending::Failed => '!',
    }
}

/// How a step ended, in a word.
pub(super) fn word_of(ending: Ending) -> &'static str {
    match ending {
        Ending::Created => "created",
        Ending::Updated => "changed",
        Ending::Unchanged => "in place",
        Ending::Ready => "ready",
        Ending::NotNeeded => "not needed",
        Ending::Removed => "removed",
        Ending::PutBack => "restored",
        Ending::Pending => "pending",
        Ending::Failed => "failed",
    }
}
