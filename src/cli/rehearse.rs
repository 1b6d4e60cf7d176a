//! The flags of `rehearse`.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::{Choices, Waits};

const OUTPUT: &str = "Output";

/// `rehearse`.
#[derive(Debug, Args)]
pub struct Rehearse {
    /// The database: identifier or ARN
    ///
    /// An RDS instance, or an Aurora or Multi-AZ cluster.
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// Rehearse up --prepare, which leaves the functions as they are
    #[arg(long)]
    pub prepare: bool,
    /// Write the report to a new Markdown file, too
    ///
    /// For a change request. The file must not exist yet.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub report: Option<PathBuf>,
    /// Write the copy to a new file, for --sandbox-file
    ///
    /// A simulated account that any command runs on with --sandbox. It holds no value of a variable, secret or tag,
    /// but for what this program reads: hosts, ports and names. The file must not exist yet.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = OUTPUT)]
    pub save: Option<PathBuf>,
    /// Replace names, ids, hosts and addresses in that file
    #[arg(long, requires = "save", help_heading = OUTPUT)]
    pub pseudonymize: bool,
    /// What is wanted.
    #[command(flatten)]
    pub choices: Choices,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}
