//! Where settings come from: the command line, the environment, a file, or a default.

use std::ffi::{OsStr, OsString};
use std::io::Read as _;
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgAction, ArgMatches, Command};
use config::{Applied, Entry, File, Place, Shape, Unused};

use super::plans;
use super::settings::RULES;
use crate::plain;

/// The file that settings have where nothing else is said of it; it is read only where `--config` names it.
pub const FILE: &str = "rdsproxy-setup.toml";

/// The most that a file may hold.
const LARGEST: u64 = 1 << 20;

/// Where the settings of a command line come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The command, where it takes settings.
    pub command: Option<String>,
    /// The file, where one was read.
    pub file: Option<Source>,
    /// Every setting of the command, in the order of its help.
    pub settings: Vec<Setting>,
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Source {
    /// As it was named.
    pub name: String,
    /// What of it counts.
    pub used: Vec<Entry>,
    /// What of it does not.
    pub unused: Vec<Unused>,
    /// The database, where the file has tables of databases and none for this one.
    pub misses: Option<String>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The long name of its flag.
    pub key: String,
    /// What kind of value it has.
    pub shape: Shape,
    /// Its values, as texts.
    pub values: Vec<String>,
    /// Where they come from.
    pub origin: Origin,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The command line.
    Flag,
    /// This variable.
    Environment(String),
    /// This line.
    File(Place),
    /// The program itself.
    Default,
    /// Nowhere: it has none, and the command decides.
    Unset,
}

/// The command line with what its file adds, and what was read; nothing where no file is named.
///
/// # Errors
/// When the file cannot be read, or something in it is wrong.
pub(super) fn read(program: &Command, arguments: &[OsString]) -> Result<Option<(Vec<OsString>, Source)>, String> {
    // What is wrong with the command line itself is said when it is parsed as it is.
    let Ok(matches) = program.clone().ignore_errors(true).try_get_matches_from(arguments) else { return Ok(None) };
    let Some((command, matches)) = matches.subcommand().filter(|(name, _)| RULES.takes(name)) else { return Ok(None) };
    let named = matches.get_one::<OsString>("config").filter(|name| !name.is_empty());
    let Some(name) = named else { return Ok(None) };
    let shown = plain::line(&name.to_string_lossy()).into_owned();
    let text = text(name).map_err(|why| format!("reading the settings ({shown}): {why}"))?;
    let wrong = |wrong: config::Wrong| wrong.to_string();
    let file = File::parse(&shown, &text, program, &RULES).map_err(wrong)?;
    let database = matches.try_get_one::<String>("db").ok().flatten().and_then(|text| (RULES.database)(text).ok());
    let entries = file.entries(command, database.as_ref(), program).map_err(wrong)?;
    let planned = matches.try_contains_id("plan").is_ok() && matches.contains_id("plan");
    let Applied { arguments, used, unused } = config::apply(program, command, arguments, entries, |key| {
        let settled = planned && plans::settles(program, command, key);
        let first = variable(key).map(|name| format!("{name} in the environment comes first"));
        if settled { Some("the saved plan has all settings".to_owned()) } else { first }
    })
    .map_err(wrong)?;
    let misses = database.filter(|database| file.misses(database)).map(|database| database.arn.unwrap_or(database.id));
    Ok(Some((arguments, Source { name: shown, used, unused, misses })))
}

fn text(name: &OsStr) -> Result<String, String> {
    let file = std::fs::File::open(Path::new(name)).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() as u64 > LARGEST {
        return Err("it is larger than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// The variable of AWS's own that says what a flag would say, where one does.
fn variable(key: &str) -> Option<&'static str> {
    let names: &[&str] = match key {
        "region" => &["AWS_REGION", "AWS_DEFAULT_REGION"],
        "profile" => &["AWS_PROFILE"],
        _ => &[],
    };
    names.iter().copied().find(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

/// Every setting of a command with where it comes from.
pub(super) fn all(program: &Command, matches: &ArgMatches, file: Option<Source>) -> Sources {
    let Some((command, matches)) = matches.subcommand().filter(|(name, _)| RULES.takes(name)) else {
        return Sources::default();
    };
    let global = program.get_arguments().filter(|flag| flag.is_global_set());
    let flags = program
        .find_subcommand(command)
        .into_iter()
        .flat_map(Command::get_arguments)
        .filter(|flag| !flag.is_global_set());
    let mut settings = Vec::new();
    for flag in flags.chain(global) {
        let Some(key) = flag.get_long() else { continue };
        let asks = matches!(flag.get_action(), ArgAction::Help | ArgAction::Version);
        if asks || matches!(key, "config" | "show-config") {
            continue;
        }
        let raw = matches.get_raw(flag.get_id().as_str()).into_iter().flatten();
        let mut values: Vec<String> = raw.map(|value| value.to_string_lossy().into_owned()).collect();
        let used = file.as_ref().and_then(|file| file.used.iter().find(|entry| entry.key == key));
        let origin = match (used, matches.value_source(flag.get_id().as_str())) {
            (Some(entry), _) => Origin::File(entry.place.clone()),
            (None, Some(ValueSource::CommandLine)) => Origin::Flag,
            (None, Some(ValueSource::EnvVariable)) => {
                Origin::Environment(flag.get_env().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
            }
            (None, _) => match variable(key) {
                Some(name) => {
                    values = std::env::var(name).into_iter().collect();
                    Origin::Environment(name.to_owned())
                }
                None if values.is_empty() => Origin::Unset,
                None => Origin::Default,
            },
        };
        settings.push(Setting { key: key.to_owned(), shape: Shape::of(flag), values, origin });
    }
    Sources { command: Some(command.to_owned()), file, settings }
}
