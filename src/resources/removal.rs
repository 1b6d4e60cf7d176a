//! What a teardown takes back, whatever it is.

use std::pin::Pin;

use crate::catalogue::StepId;
use crate::engine::event::Ending;
use crate::engine::{Run, StepError};
use crate::plan::{Redirect, Terms};

/// What is under way.
pub type Work<'a> = Pin<Box<dyn Future<Output = Result<(), StepError>> + 'a>>;

/// One thing that goes, or goes back to what it was. The teardown's plan, its rows and its work all come from a list of
/// these.
pub trait Removal {
    /// The step that made it; `None` for what none of the thirteen makes.
    fn step(&self) -> Option<StepId>;

    /// Its name in the row of the step.
    fn subject(&self) -> String;

    /// What the plan says of it.
    fn lines(&self) -> Vec<Line>;

    /// What it comes to, thing by thing, for a plan that is saved.
    ///
    /// What only says how a thing is just now is no part of it; and what is left after a run that was killed is a part
    /// of what was there before.
    fn terms(&self) -> Vec<(String, Terms)> {
        self.lines().into_iter().filter(|line| line.mark != '!').map(Line::terms).collect()
    }

    /// How the row ends.
    fn ending(&self) -> Ending {
        Ending::Removed
    }

    /// Takes it back. It may be repeated after a crash at any point.
    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a>;
}

/// One line of what goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The plan's mark.
    pub mark: char,
    /// What goes, or goes back.
    pub what: String,
    /// How.
    pub detail: String,
    /// Variables that go back.
    pub redirects: Vec<Redirect>,
}

impl Line {
    /// What it comes to.
    fn terms(self) -> (String, Terms) {
        let verb = if self.mark == '-' { "delete: " } else { "" };
        (self.what, Terms::of([format!("{verb}{}", self.detail)]))
    }

    /// A line without variables.
    pub fn of(mark: char, what: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { mark, what: what.into(), detail: detail.into(), redirects: Vec::new() }
    }
}

/// What was found under a stack's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found<T> {
    /// Nothing.
    Absent,
    /// What the stack made.
    Ours(T),
    /// Something that does not prove to be the stack's: what it is.
    Foreign(String),
}

impl<T> Found<T> {
    /// What is there, judged by `owns`.
    pub fn judged(there: Option<T>, owns: impl FnOnce(&T) -> bool, what: impl FnOnce(&T) -> String) -> Self {
        match there {
            None => Self::Absent,
            Some(found) if owns(&found) => Self::Ours(found),
            Some(found) => Self::Foreign(what(&found)),
        }
    }

    /// What is ours; what is not is noted.
    pub fn ours(self, foreign: &mut Vec<String>) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Ours(found) => Some(found),
            Self::Foreign(what) => {
                foreign.push(what);
                None
            }
        }
    }
}
