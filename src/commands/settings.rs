//! What a file of settings says: that it was read, and where each value comes from.

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::cli::sources::{FILE, Origin, Setting, Source};
use crate::cli::{Cli, Output};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{self, SCHEMA};

/// The settings of a command line.
#[derive(Debug, Serialize)]
struct Shown<'a> {
    /// The version of this document.
    schema: u32,
    /// The command.
    command: &'a str,
    /// The file that was read.
    file: Option<&'a str>,
    /// Every setting.
    settings: Vec<ShownSetting<'a>>,
    /// What of the file does not count.
    unused: Vec<ShownUnused<'a>>,
}

/// One setting.
#[derive(Debug, Serialize)]
struct ShownSetting<'a> {
    /// The long name of its flag.
    key: &'a str,
    /// Its value; null where it is not set.
    value: Value,
    /// `flag`, `environment`, `file`, `default` or `unset`.
    from: &'static str,
    /// The variable of the environment.
    variable: Option<&'a str>,
    /// The line of the file.
    line: Option<usize>,
}

/// A setting of the file that does not count.
#[derive(Debug, Serialize)]
struct ShownUnused<'a> {
    /// The long name of its flag.
    key: &'a str,
    /// The line of the file.
    line: usize,
    /// What comes before it, or what it needs.
    why: &'a str,
}

/// Prints every setting with where it comes from.
pub(super) fn show(cli: &Cli) -> Result<Exit, Failure> {
    let Some(command) = &cli.sources.command else {
        let headline = "--show-config is not usable: this command takes no settings from a file";
        return Err(Failure::new(Exit::Usage, headline, ["The commands that do are in docs/config.md."]));
    };
    let file = cli.sources.file.as_ref();
    if cli.global.output == Output::Json {
        let document = Shown {
            schema: SCHEMA,
            command,
            file: file.map(|file| file.name.as_str()),
            settings: cli.sources.settings.iter().map(shown).collect(),
            unused: file
                .iter()
                .flat_map(|file| &file.unused)
                .map(|unused| ShownUnused { key: &unused.entry.key, line: unused.entry.place.line, why: &unused.why })
                .collect(),
        };
        let document = serde_json::to_value(&document);
        let document =
            document.map_err(|error| Failure::new(Exit::Failed, format!("writing the settings: {error}"), [""; 0]))?;
        report::document(&document);
        return Ok(Exit::Done);
    }
    let head = ["setting", "value", "from"].map(str::to_owned);
    let set = |setting: &&Setting| !is_off(setting);
    let rows = cli.sources.settings.iter().filter(set).map(|setting| {
        let value = if setting.shape == config::Shape::Switch { "on".to_owned() } else { setting.values.join(", ") };
        [setting.key.clone(), value, from(setting)]
    });
    report::result(&report::table([head].into_iter().chain(rows)));
    let off: Vec<&str> =
        cli.sources.settings.iter().filter(|setting| is_off(setting)).map(|setting| setting.key.as_str()).collect();
    report::result(&report::sentence(&format!("\nNot set: {}.", off.join(", "))));
    for unused in file.iter().flat_map(|file| &file.unused) {
        let text = format!("Not used: {} ({}): {}.", unused.entry.key, unused.entry.place, unused.why);
        report::result(&report::sentence(&text));
    }
    Ok(Exit::Done)
}

/// Whether a setting has no value, or is a switch that nobody has turned.
fn is_off(setting: &Setting) -> bool {
    let off = setting.shape == config::Shape::Switch && setting.values.iter().all(|value| value == "false");
    setting.origin == Origin::Unset || (off && setting.origin == Origin::Default)
}

/// Where a setting comes from, for people.
fn from(setting: &Setting) -> String {
    match &setting.origin {
        Origin::Flag => format!("--{}", setting.key),
        Origin::Environment(name) => name.clone(),
        Origin::File(place) => place.to_string(),
        Origin::Default => "default".to_owned(),
        Origin::Unset => String::new(),
    }
}

fn shown(setting: &Setting) -> ShownSetting<'_> {
    let (from, variable, line) = match &setting.origin {
        Origin::Flag => ("flag", None, None),
        Origin::Environment(name) => ("environment", Some(name.as_str()), None),
        Origin::File(place) => ("file", None, Some(place.line)),
        Origin::Default => ("default", None, None),
        Origin::Unset => ("unset", None, None),
    };
    let one = || setting.values.first().cloned();
    let value = match setting.shape {
        config::Shape::Switch => Value::Bool(one().is_some_and(|value| value != "false")),
        config::Shape::Texts => setting.values.clone().into(),
        config::Shape::Number => one().and_then(|value| serde_json::from_str(&value).ok()).unwrap_or(Value::Null),
        config::Shape::Text => one().map_or(Value::Null, Value::String),
    };
    ShownSetting { key: &setting.key, value, from, variable, line }
}

/// Says that a file is used, and what of it is not for a reason that is not plain to see; also that one lies there unused.
pub(super) fn announce(cli: &Cli) {
    let json = cli.global.output == Output::Json;
    let Some(file) = &cli.sources.file else {
        let asked = cli.global.config.is_some() || cli.sources.command.is_none() || cli.global.quiet;
        if !asked && Path::new(FILE).is_file() {
            report::note(json, &format!("{FILE} in this directory is not used; to use it: --config {FILE}"));
        }
        return;
    };
    for unused in file.unused.iter().filter(|unused| unused.excluded) {
        let (key, place) = (&unused.entry.key, &unused.entry.place);
        report::warn(json, &format!("{place}: {key} is not used: {}.", unused.why));
    }
    if cli.global.quiet {
        return;
    }
    report::note(json, &used(file));
}

fn used(file: &Source) -> String {
    let keys: Vec<&str> = file.used.iter().map(|entry| entry.key.as_str()).collect();
    let mut text = format!("Settings from {}: ", file.name);
    text.push_str(&if keys.is_empty() { "none".to_owned() } else { keys.join(", ") });
    if let Some(database) = &file.misses {
        text.push_str(&format!("; it has no table for {database}"));
    }
    text + "."
}

/// A failure over a setting names the line that it comes from.
pub(super) fn blame(cli: &Cli, mut failure: Failure) -> Failure {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '-');
    for entry in cli.sources.file.iter().flat_map(|file| &file.used) {
        let flag = format!("--{}", entry.key);
        if failure.headline.match_indices(&flag).any(|(at, _)| ends(&failure.headline[at + flag.len()..])) {
            failure.hints.push(format!("{flag} is set in {}.", entry.place));
        }
    }
    failure
}
