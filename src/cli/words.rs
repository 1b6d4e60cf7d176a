//! The command line as it stands: which command, and which flags with which values.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command};

/// A command with its flags, without defaults and without what the environment says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommandLine {
    /// The command: `up`, `sandbox load`.
    pub command: String,
    /// Each flag with its values; a value without a flag stands under its own name.
    pub flags: Vec<(String, Vec<String>)>,
}

/// Reads it back from what was understood.
pub(super) fn of(command: &Command, matches: &ArgMatches) -> CommandLine {
    let mut line = CommandLine::default();
    let (mut command, mut matches) = (command, matches);
    loop {
        for argument in command.get_arguments() {
            let id = argument.get_id().as_str();
            if matches.value_source(id) != Some(ValueSource::CommandLine) {
                continue;
            }
            let name = argument.get_long().map_or_else(|| id.to_owned(), |long| format!("--{long}"));
            let raw = matches.get_raw(id).filter(|_| argument.get_action().takes_values());
            let values = raw.into_iter().flatten().map(|value| value.to_string_lossy().into_owned()).collect();
            // Flags of every command are known to each level.
            if !line.flags.iter().any(|(known, _)| *known == name) {
                line.flags.push((name, values));
            }
        }
        let Some((name, below)) = matches.subcommand() else { return line };
        let Some(inner) = command.find_subcommand(name) else { return line };
        if !line.command.is_empty() {
            line.command.push(' ');
        }
        line.command.push_str(name);
        (command, matches) = (inner, below);
    }
}
