//! The flags of `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::Waits;

/// `export`.
#[derive(Debug, Args)]
pub struct Export {
    /// The database: identifier or ARN [default: that of the Region's only stack]
    #[arg(long, value_name = "ID|ARN")]
    pub db: Option<String>,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// What to write: terraform or cloudformation
    ///
    /// terraform is a configuration for the AWS provider 6, with import blocks. cloudformation is a template with the
    /// list of resources to import, and a second one with parameters for other accounts and Regions.
    #[arg(long, value_enum, value_name = "FORMAT", required_unless_present_any = ["hand_over", "take_back"],
          conflicts_with_all = ["hand_over", "take_back"], hide_possible_values = true)]
    pub to: Option<To>,
    /// The folder for the files [default: <name>-<format>]
    #[arg(long, value_name = "DIR", conflicts_with_all = ["hand_over", "take_back"])]
    pub dir: Option<PathBuf>,
    /// Overwrite files that hold something else
    #[arg(long, conflicts_with_all = ["hand_over", "take_back"])]
    pub force: bool,
    /// Mark the stack as handed over, after the import
    ///
    /// A tag on the proxy. From then on up, restore and teardown change nothing of this stack and exit with 4; status,
    /// doctor and verify go on working.
    #[arg(long, help_heading = "After the import")]
    pub hand_over: bool,
    /// Take the mark off: up, restore and teardown work again
    #[arg(long, conflicts_with = "hand_over", help_heading = "After the import")]
    pub take_back: bool,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}

/// What to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum To {
    /// A Terraform configuration.
    Terraform,
    /// CloudFormation templates.
    Cloudformation,
}

impl To {
    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Terraform => "terraform",
            Self::Cloudformation => "cloudformation",
        }
    }
}
