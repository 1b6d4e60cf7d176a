//! Parses, runs, and turns the outcome into an exit code.

use std::process::ExitCode;

use rdsproxy_setup::cli::Cli;
use rdsproxy_setup::commands;

fn main() -> ExitCode {
    let exit = match Cli::read(std::env::args_os()) {
        Ok(cli) => commands::run(cli),
        Err(error) => commands::misused(&error, std::env::args_os()),
    };
    ExitCode::from(exit.code())
}
