//! What `export` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// The files that were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Export {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The database; null where no tag names it.
    pub database: Option<String>,
    /// The form of the files.
    pub to: ExportFormat,
    /// The files.
    pub files: Vec<ExportedFile>,
    /// What the files leave out, and why.
    pub left_out: Vec<String>,
    /// Whether the stack is handed over to infrastructure as code.
    pub handed_over: bool,
}

/// The form of exported files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A Terraform configuration with `import` blocks.
    Terraform,
    /// CloudFormation templates.
    Cloudformation,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportedFile {
    /// Its name, without a folder.
    pub name: String,
    /// What it is for.
    pub what: String,
    /// Where it is.
    pub path: String,
}

/// Whether the stack is handed over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExportMark {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// The database; null where no tag names it.
    pub database: Option<String>,
    /// Whether it is handed over now.
    pub handed_over: bool,
    /// Whether this run changed that.
    pub changed: bool,
}
