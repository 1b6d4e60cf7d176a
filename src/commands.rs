//! One file a subcommand.

mod advise;
mod alarms;
mod canary;
mod close_direct;
mod connect;
mod diagnosis;
mod doctor;
mod export;
mod interrupt;
mod list;
mod packaging;
mod passwords;
mod pending;
mod permissions;
mod recorded;
mod rehearse;
mod restore;
mod sandbox;
mod saved;
mod schema;
mod session;
mod settings;
mod sizing;
mod status;
mod teardown;
mod token;
mod up;
mod verify;
mod wait;
mod watch;

use std::ffi::OsString;

use clap::error::ErrorKind;

use clap::CommandFactory as _;

use crate::cli::{Cli, Color, Command, GitHub, Global, Output};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{self, github};

/// Runs a command and says how it ended.
#[must_use]
pub fn run(mut cli: Cli) -> Exit {
    cloud::password::without_core_dumps();
    report::use_colour(match cli.global.color {
        Color::Auto => None,
        Color::Always => Some(true),
        Color::Never => Some(false),
    });
    if cli.global.github_actions == GitHub::Auto && github::reads() {
        github::begin(&cli.verb, cli.global.output == Output::Json);
    }
    // What fails before there is a recording has nothing to record.
    let exit = match recorded::begin(&cli.global) {
        Ok(tape) => {
            cli.global.tape = tape;
            carried_out(&cli)
        }
        Err(failure) => show(&cli, &failure),
    };
    github::finish(exit);
    exit
}

/// Runs a command, and shows what came of it.
fn carried_out(cli: &Cli) -> Exit {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return show(cli, &Failure::new(Exit::Failed, format!("starting: {error}"), [""; 0])),
    };
    let global = &cli.global;
    if !global.show_config {
        settings::announce(cli);
    }
    let outcome = match &cli.command {
        _ if global.show_config => settings::show(cli),
        Command::Permissions(args) if !args.discover => permissions::run(global, args),
        Command::Completions(args) => Ok(packaging::completions(args)),
        Command::Man(args) => packaging::man(args),
        Command::Schema(args) => Ok(schema::run(global, args)),
        // A server ends by a signal, and well.
        Command::Sandbox(command) => runtime.block_on(sandbox::run(global, command)),
        command => {
            let json = global.output == Output::Json;
            runtime.block_on(interrupt::unless_interrupted(json, of_account(global, command)))
        }
    };
    let exit = match outcome {
        Ok(exit) => exit,
        Err(failure) => {
            let failure = settings::blame(cli, failure);
            global.tape.failure(&failure.headline, &failure.hints);
            let exit = show(cli, &failure);
            runtime.block_on(recorded::offer(global, exit));
            exit
        }
    };
    // A question that nobody answered still waits in a thread of its own.
    runtime.shutdown_background();
    recorded::end(global, exit);
    written(global.output == Output::Json, exit)
}

/// The commands that look at an account.
async fn of_account(global: &Global, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Up(args) => Box::pin(up::run(global, args)).await,
        Command::Rehearse(args) => Box::pin(rehearse::run(global, args)).await,
        Command::Advise(args) => Box::pin(advise::run(global, args)).await,
        Command::Alarms(args) => Box::pin(alarms::run(global, args)).await,
        Command::Status(args) => Box::pin(status::run(global, args)).await,
        Command::List => Box::pin(list::run(global)).await,
        Command::Wait(args) => Box::pin(wait::run(global, args)).await,
        Command::CloseDirect(args) => Box::pin(close_direct::run(global, args)).await,
        Command::Restore(args) => Box::pin(restore::run(global, args)).await,
        Command::Teardown(args) => Box::pin(teardown::run(global, args)).await,
        Command::Export(args) => Box::pin(export::run(global, args)).await,
        Command::Watch(args) => Box::pin(watch::run(global, args)).await,
        Command::Doctor(args) => Box::pin(doctor::run(global, args)).await,
        Command::Verify(args) => Box::pin(verify::run(global, args)).await,
        Command::Token(args) => Box::pin(token::run(global, args)).await,
        Command::Connect(args) => Box::pin(connect::run(global, args)).await,
        Command::Permissions(args) => Box::pin(permissions::discovered(global, args)).await,
        Command::Sandbox(command) => sandbox::run(global, command).await,
        Command::Completions(args) => Ok(packaging::completions(args)),
        Command::Man(args) => packaging::man(args),
        Command::Schema(args) => Ok(schema::run(global, args)),
    }
}

/// A result that did not get out is a failure, whatever else was done.
fn written(json: bool, exit: Exit) -> Exit {
    let Some(error) = report::unwritten() else { return exit };
    report::failure(json, &format!("writing the result: {error}"), &[], None);
    Exit::Failed
}

/// Answers a command line that cannot be understood, or that asks for help.
#[must_use]
pub fn misused(error: &clap::Error, arguments: impl IntoIterator<Item = OsString>) -> Exit {
    if !error.use_stderr() {
        let arguments: Vec<OsString> = arguments.into_iter().collect();
        if error.kind() == ErrorKind::DisplayVersion && arguments.iter().any(|word| word == "--verbose" || word == "-v")
        {
            report::result(&packaging::version());
            return written(false, Exit::Done);
        }
        report::keep(error.print());
        return written(false, Exit::Done);
    }
    let words: Vec<OsString> = arguments.into_iter().collect();
    let json = wants(&words, "output", "json", "RDSPROXY_OUTPUT");
    if github::reads() && !wants(&words, "github-actions", "never", "RDSPROXY_GITHUB_ACTIONS") {
        let program = Cli::command();
        let named = words.iter().filter_map(|word| word.to_str()).find(|word| program.find_subcommand(word).is_some());
        github::begin(named.unwrap_or_default(), json);
    }
    let text = error.render().to_string();
    let (headline, hints) = text.split_once('\n').unwrap_or((&text, ""));
    let headline = headline.trim_start_matches("error: ").to_owned();
    let hints: Vec<String> = hints.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    let exit = if json {
        written(true, shown(true, &Failure::new(Exit::Usage, headline, hints)))
    } else {
        // Nobody is left to hear why stderr cannot be written.
        let _ = error.print();
        github::failed(&headline, &hints);
        Exit::Usage
    };
    github::finish(exit);
    exit
}

/// Whether a command line that could not be parsed, or else the environment, gives a flag this value.
fn wants(words: &[OsString], flag: &str, value: &str, variable: &str) -> bool {
    let (flag, whole) = (format!("--{flag}"), format!("--{flag}={value}"));
    let apart = words.windows(2).any(|pair| pair[0] == *flag && pair[1] == *value);
    let given = |word: &OsString| {
        let rest = word.to_str().and_then(|word| word.strip_prefix(&flag));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    let flagged = words.iter().any(given);
    apart
        || words.iter().any(|word| *word == *whole)
        || (!flagged && std::env::var_os(variable).is_some_and(|wanted| wanted == value))
}

fn show(cli: &Cli, failure: &Failure) -> Exit {
    shown(cli.global.output == Output::Json, failure)
}

fn shown(json: bool, failure: &Failure) -> Exit {
    report::failure(json, &failure.headline, &failure.hints, failure.request_id.as_deref());
    if json {
        report::document(&documents::Failure {
            schema: documents::Version,
            error: failure.headline.clone(),
            hints: failure.hints.clone(),
            request_id: failure.request_id.clone(),
            exit_code: failure.exit.code(),
        });
    }
    failure.exit
}
