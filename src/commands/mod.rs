//! One file a subcommand.

mod sandbox;
mod session;
mod status;
mod teardown;
mod up;

use crate::cli::{Cli, Command, Output};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;

/// Runs a command and says how it ended.
#[must_use]
pub fn run(cli: &Cli) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return show(cli, &Failure::new(Exit::Failed, format!("starting: {error}"), [""; 0])),
    };
    let outcome = runtime.block_on(async {
        match &cli.command {
            Command::Up(args) => Box::pin(up::run(&cli.global, args)).await,
            Command::Status(args) => Box::pin(status::run(&cli.global, args)).await,
            Command::Teardown(args) => Box::pin(teardown::run(&cli.global, args)).await,
            Command::Sandbox(command) => sandbox::run(&cli.global, command).await,
        }
    });
    match outcome {
        Ok(exit) => exit,
        Err(failure) => show(cli, &failure),
    }
}

fn show(cli: &Cli, failure: &Failure) -> Exit {
    report::say(&format!("error: {}", failure.headline));
    for hint in &failure.hints {
        report::say(&format!("  hint: {hint}"));
    }
    if let Some(id) = &failure.request_id {
        report::say(&format!("  AWS request id: {id}"));
    }
    if cli.global.output == Output::Json {
        report::document(&serde_json::json!({
            "schema": 1, "error": failure.headline, "hints": failure.hints, "exit_code": failure.exit.code(),
        }));
    }
    failure.exit
}
