//! The flags of `close-direct`.

use clap::Args;

use super::Waits;

/// `close-direct`.
#[derive(Debug, Args)]
pub struct CloseDirect {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Show the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}
