//! The flags of a saved plan.

use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command};

/// Flags of a command that no saved plan holds: they say how a run goes, and not what it does.
pub const NOT_SAVED: [&str; 7] =
    ["plan", "plan-out", "dry-run", "detailed-exitcode", "password-stdin", "timeout", "wait"];

/// Save a plan, or carry a saved one out.
#[derive(Debug, Default, Args)]
pub struct Plans {
    /// Save the plan to a file; change nothing
    ///
    /// The file holds no secret. It is for this account, Region and version alone.
    #[arg(long, value_name = "FILE")]
    pub plan_out: Option<PathBuf>,
    /// Carry out a saved plan, and nothing else
    ///
    /// Asks for nothing: saving it was for its review. Exits with 9, and changes nothing, where the account has
    /// changed since in what the plan is about. All settings come from the file.
    #[arg(long, value_name = "FILE", conflicts_with = "plan_out")]
    pub plan: Option<PathBuf>,
}

/// Whether a flag is a command's own and settles what it does.
pub(super) fn settles(program: &Command, command: &str, key: &str) -> bool {
    own(program, command).any(|argument| argument.get_long() == Some(key) && !NOT_SAVED.contains(&key))
}

fn own<'a>(program: &'a Command, command: &str) -> impl Iterator<Item = &'a Arg> {
    let own = program.find_subcommand(command).into_iter().flat_map(Command::get_arguments);
    own.filter(|argument| !argument.is_global_set())
}

/// The flag that stands beside `--plan` and settles what only the plan may settle.
pub(super) fn contradiction(program: &Command, matches: &ArgMatches) -> Option<String> {
    let (name, given) = matches.subcommand()?;
    let said = |id: &str| given.try_contains_id(id).is_ok() && given.value_source(id) == Some(ValueSource::CommandLine);
    if !said("plan") {
        return None;
    }
    // Beside a plan that is saved, the flag itself.
    let contradicts = |argument: &&Arg| {
        argument.get_long().is_some_and(|key| settles(program, name, key) || key == "plan-out")
            && said(argument.get_id().as_str())
    };
    let flags: Vec<String> = own(program, name).filter(contradicts).map(|argument| format!("'{argument}'")).collect();
    (!flags.is_empty()).then(|| {
        format!("the argument '--plan <FILE>' cannot be used with {}: the file has all settings", flags.join(", "))
    })
}
