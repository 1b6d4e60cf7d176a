//! Settings as further arguments, so that clap judges them as it judges what was typed.

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{ArgMatches, Command, Error};

use crate::{Entry, Wrong};

/// A command line with what a file adds to it.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The whole command line.
    pub arguments: Vec<OsString>,
    /// What of the file counts.
    pub used: Vec<Entry>,
    /// What of it does not.
    pub unused: Vec<Unused>,
}

/// A setting that does not count.
#[derive(Debug, Clone)]
pub struct Unused {
    /// The setting.
    pub entry: Entry,
    /// What comes before it, or what it needs.
    pub why: String,
    /// Whether something on the command line excludes it, which is not plain to see.
    pub excluded: bool,
}

/// Adds settings to a command line: those that it does not give itself, that nothing in it excludes, and whose
/// conditions hold.
///
/// A command line that is wrong by itself is left as it is. `outranked` says what in the environment comes before a
/// key.
///
/// # Errors
/// When a value is not what its flag takes, or two keys of one table exclude each other.
pub fn apply(
    program: &Command,
    command: &str,
    arguments: &[OsString],
    entries: Vec<Entry>,
    outranked: impl Fn(&str) -> Option<String>,
) -> Result<Applied, Wrong> {
    let trial = Trial { program, command, arguments };
    let alone = trial.parse(&[]);
    if alone.is_err_and(|error| error.kind() != ErrorKind::MissingRequiredArgument) {
        return Ok(Applied { arguments: arguments.to_vec(), used: Vec::new(), unused: Vec::new() });
    }
    let given = trial.given(&trial.leniently()?);
    let (mut used, mut unused, mut rest): (Vec<Entry>, Vec<Unused>, Vec<Entry>) = Default::default();
    for entry in entries {
        let outranked = outranked(&entry.key);
        if given.contains_key(&entry.key) {
            let why = format!("--{} on the command line comes first", entry.key);
            unused.push(Unused { entry, why, excluded: false });
        } else if let Some(why) = outranked {
            unused.push(Unused { entry, why, excluded: false });
        } else {
            rest.push(entry);
        }
    }
    // A key may need another one, which comes later.
    loop {
        let before = rest.len();
        let mut waiting = Vec::new();
        for entry in rest {
            match trial.parse(&[&used[..], std::slice::from_ref(&entry)].concat()) {
                Ok(matches) if given.iter().all(|(key, values)| trial.given(&matches).get(key) == Some(values)) => {
                    used.push(entry);
                }
                Ok(_) => {
                    let why = "another flag on the command line takes its place".to_owned();
                    unused.push(Unused { entry, why, excluded: true });
                }
                Err(error) => match error.kind() {
                    ErrorKind::MissingRequiredArgument => waiting.push((entry, named(&error))),
                    ErrorKind::ArgumentConflict => {
                        unused.push(excluded(entry, &used, named(&error))?);
                    }
                    _ => return Err(refused(&entry, &error)),
                },
            }
        }
        if waiting.is_empty() || waiting.len() == before {
            for (entry, needed) in waiting {
                let needed = needed.iter().map(|flag| format!("--{flag}")).collect::<Vec<_>>().join(", ");
                unused.push(Unused { entry, why: format!("it needs {needed}"), excluded: false });
            }
            break;
        }
        rest = waiting.into_iter().map(|(entry, _)| entry).collect();
    }
    Ok(Applied { arguments: trial.with(&used), used, unused })
}

/// A setting that another one excludes: an error in the same table, and otherwise the more specific one counts.
fn excluded(entry: Entry, used: &[Entry], mut others: Vec<String>) -> Result<Unused, Wrong> {
    others.retain(|other| *other != entry.key);
    let Some(other) = used.iter().find(|other| others.contains(&other.key)) else {
        let flags = others.iter().map(|flag| format!("--{flag}")).collect::<Vec<_>>().join(", ");
        let why = format!("{flags} on the command line excludes it");
        return Ok(Unused { entry, why, excluded: true });
    };
    if other.table == entry.table {
        let text = format!("{:?} cannot be used with {:?} (line {})", entry.key, other.key, other.place.line);
        return Err(Wrong::at(entry.place, text).tip("leave one of them out"));
    }
    let why = format!("{} of {} excludes it", other.key, other.table);
    Ok(Unused { entry, why, excluded: false })
}

/// What clap says of a value, at the line of the file.
fn refused(entry: &Entry, error: &Error) -> Wrong {
    let text = error.render().to_string();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let headline = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    let rest = lines.take_while(|line| !line.starts_with("Usage") && !line.starts_with("For more"));
    let tips = rest.map(|line| line.trim_start_matches("tip: ").trim_matches(['[', ']']).to_owned()).collect();
    Wrong { place: entry.place.clone(), text: headline, tips }
}

/// The long names of the flags that an error names.
fn named(error: &Error) -> Vec<String> {
    let kinds = [ContextKind::InvalidArg, ContextKind::PriorArg];
    let texts = kinds.into_iter().filter_map(|kind| error.get(kind)).flat_map(|value| match value {
        ContextValue::String(text) => vec![text.clone()],
        ContextValue::Strings(texts) => texts.clone(),
        _ => Vec::new(),
    });
    let long = |text: String| {
        let name = text.strip_prefix("--")?;
        Some(name.split([' ', '=', '[']).next().unwrap_or(name).to_owned())
    };
    texts.filter_map(long).collect()
}

/// A command line that can be tried with more than it has.
struct Trial<'a> {
    program: &'a Command,
    command: &'a str,
    arguments: &'a [OsString],
}

impl Trial<'_> {
    fn with(&self, entries: &[Entry]) -> Vec<OsString> {
        let mut arguments = self.arguments.to_vec();
        // Nothing after it is a flag.
        let end = arguments.iter().rposition(|word| word == "--").unwrap_or(arguments.len());
        let words = entries.iter().flat_map(|entry| &entry.words).map(OsString::from);
        arguments.splice(end..end, words);
        arguments
    }

    fn parse(&self, entries: &[Entry]) -> Result<ArgMatches, Error> {
        self.program.clone().try_get_matches_from(self.with(entries))
    }

    /// What can be read of a command line that may still lack something.
    fn leniently(&self) -> Result<ArgMatches, Wrong> {
        let program = self.program.clone().ignore_errors(true);
        program.try_get_matches_from(self.arguments).map_err(|error| {
            Wrong::at(crate::Place { file: "the command line".to_owned(), line: 1 }, error.to_string())
        })
    }

    /// The flags that the command line or a variable of their own gives, each with its values.
    fn given(&self, matches: &ArgMatches) -> BTreeMap<String, Vec<OsString>> {
        let Some((_, matches)) = matches.subcommand() else { return BTreeMap::new() };
        let own = self.program.find_subcommand(self.command).into_iter().flat_map(Command::get_arguments);
        let flags = own.chain(self.program.get_arguments().filter(|flag| flag.is_global_set()));
        let mut given = BTreeMap::new();
        for flag in flags {
            let (Some(long), id) = (flag.get_long(), flag.get_id().as_str()) else { continue };
            let known = matches.try_contains_id(id).is_ok();
            if known && matches!(matches.value_source(id), Some(ValueSource::CommandLine | ValueSource::EnvVariable)) {
                let values = matches.get_raw(id).into_iter().flatten().map(OsString::from).collect();
                given.insert(long.to_owned(), values);
            }
        }
        given
    }
}
