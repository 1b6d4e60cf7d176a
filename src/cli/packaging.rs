//! Flags of `completions`, `man` and `schema`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use clap_complete::Shell;

/// `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct Man {
    /// Write a page for every command into this directory [default: print the first page]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// The schema of the file of settings, which is no document.
pub const CONFIG: &str = "config";

/// `schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// The document [default: list them]
    #[arg(value_name = "NAME", hide_possible_values = true,
          value_parser = PossibleValuesParser::new(documents::ALL.iter().map(|entry| entry.name).chain([CONFIG])))]
    pub name: Option<String>,
}
