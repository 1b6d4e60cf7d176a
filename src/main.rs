//! Parses, runs, and turns the outcome into an exit code.

use std::process::ExitCode;

use clap::Parser;
use rdsproxy_setup::cli::Cli;
use rdsproxy_setup::commands;
use rdsproxy_setup::exit::Exit;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let code = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            // A closed pipe behind --help is no failure of ours.
            let _ = error.print();
            return ExitCode::from(code.code());
        }
    };
    ExitCode::from(commands::run(&cli).code())
}
