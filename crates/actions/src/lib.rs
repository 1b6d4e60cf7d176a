//! What GitHub Actions reads of a run: commands of its runner, and the Markdown of a step's summary.
//!
//! Names and values in both were written by others. In a command they can neither end the line nor begin a property; in
//! Markdown they can be no table, link, mention, image or HTML. What a terminal would act on is the caller's to replace
//! (`clean`), so that people see the same text everywhere.

mod command;
mod markdown;
mod summary;
#[cfg(test)]
mod tests;

pub use command::{END, Level, annotation, defused, defused_json, group, mask};
pub use markdown::text;
pub use summary::{Annotation, Failure, Run, SHOWN, annotations, summary};
