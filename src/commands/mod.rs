//! One file a subcommand.

mod connect;
mod diagnosis;
mod doctor;
mod passwords;
mod permissions;
mod sandbox;
mod session;
mod status;
mod teardown;
mod token;
mod up;
mod verify;

use crate::cli::{Cli, Color, Command, Output};
use crate::error::Failure;
use crate::exit::Exit;
use crate::password;
use crate::report::{self, SCHEMA};

/// Runs a command and says how it ended.
#[must_use]
pub fn run(cli: &Cli) -> Exit {
    password::without_core_dumps();
    report::use_colour(match cli.global.color {
        Color::Auto => None,
        Color::Always => Some(true),
        Color::Never => Some(false),
    });
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return show(cli, &Failure::new(Exit::Failed, format!("starting: {error}"), [""; 0])),
    };
    let outcome = runtime.block_on(async {
        match &cli.command {
            Command::Up(args) => Box::pin(up::run(&cli.global, args)).await,
            Command::Status(args) => Box::pin(status::run(&cli.global, args)).await,
            Command::Teardown(args) => Box::pin(teardown::run(&cli.global, args)).await,
            Command::Doctor(args) => Box::pin(doctor::run(&cli.global, args)).await,
            Command::Verify(args) => Box::pin(verify::run(&cli.global, args)).await,
            Command::Token(args) => Box::pin(token::run(&cli.global, args)).await,
            Command::Connect(args) => Box::pin(connect::run(&cli.global, args)).await,
            Command::Permissions(args) => permissions::run(&cli.global, args),
            Command::Sandbox(command) => sandbox::run(&cli.global, command).await,
        }
    });
    match outcome {
        Ok(exit) => exit,
        Err(failure) => show(cli, &failure),
    }
}

fn show(cli: &Cli, failure: &Failure) -> Exit {
    let json = cli.global.output == Output::Json;
    report::failure(json, &failure.headline, &failure.hints, failure.request_id.as_deref());
    if json {
        report::document(&serde_json::json!({
            "schema": SCHEMA, "error": failure.headline, "hints": failure.hints,
            "request_id": failure.request_id, "exit_code": failure.exit.code(),
        }));
    }
    failure.exit
}
