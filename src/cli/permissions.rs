//! The flags of `permissions`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// `permissions`.
#[derive(Debug, Args)]
pub struct Permissions {
    /// For which command.
    #[arg(long = "for", value_enum, default_value_t = For::All)]
    pub verb: For,
    /// Only as far as this database needs it.
    #[arg(long, value_name = "ID|ARN")]
    pub db: Option<String>,
    /// The proxy's name, where up was given one.
    #[arg(long, value_name = "NAME", requires = "db")]
    pub name: Option<String>,
    /// The account's twelve digits; without them, any account.
    #[arg(long, value_name = "ACCOUNT", value_parser = super::account)]
    pub account: Option<String>,
    /// Write each policy to a file of its own in this folder; a file that holds something else is never overwritten.
    #[arg(long, value_name = "DIR")]
    pub output_dir: Option<PathBuf>,
}

/// For which command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum For {
    /// up
    Up,
    /// status, and up --dry-run
    Status,
    /// teardown
    Teardown,
    /// doctor
    Doctor,
    /// verify --probe, and up --verify probe besides what up needs
    Verify,
    /// All of them.
    All,
}
