//! A proxy's stack as Terraform and as CloudFormation.
//!
//! [`terraform()`] and [`cloudformation()`] are functions from a [`Stack`], which somebody else reads, to named
//! [`File`]s. Nothing here reads an account, a file or a clock. A stack holds no secret and no variable's value, so no
//! file can.

pub mod cloudformation;
mod hcl_text;
mod labels;
mod policy;
pub mod stack;
pub mod terraform;

pub use cloudformation::cloudformation;
pub use stack::Stack;
pub use terraform::terraform;

/// One file of an export.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Its name, without a folder.
    pub name: &'static str,
    /// What it is for, as a short phrase.
    pub what: &'static str,
    /// Its text, which ends with a line break.
    pub text: String,
}

/// Why a stack cannot be written down.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The text of a Terraform file.
    #[error("writing {file}: {source}")]
    Hcl {
        /// The file.
        file: &'static str,
        /// Why.
        source: hcl::Error,
    },
    /// The text of a template.
    #[error("writing {file}: {source}")]
    Json {
        /// The file.
        file: &'static str,
        /// Why.
        source: serde_json::Error,
    },
}

/// A text as one line, for comments and documents: no name ends a comment early.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
