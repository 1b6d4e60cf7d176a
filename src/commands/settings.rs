//! What a file of settings says: that it was read, and where each value comes from.

use std::path::Path;

use config::Unused;
use documents::{SettingOrigin, SettingValue, UnusedSetting, Version};

use crate::cli::sources::{FILE, Origin, Setting, Source};
use crate::cli::{Cli, Output};
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;

/// Prints every setting with where it comes from.
pub(super) fn show(cli: &Cli) -> Result<Exit, Failure> {
    let Some(command) = &cli.sources.command else {
        let headline = "--show-config is not usable: this command takes no settings from a file";
        return Err(Failure::new(Exit::Usage, headline, ["The commands that do are in docs/config.md."]));
    };
    let file = cli.sources.file.as_ref();
    if cli.global.output == Output::Json {
        report::document(&documents::Settings {
            schema: Version,
            command: command.clone(),
            file: file.map(|file| file.name.clone()),
            settings: cli.sources.settings.iter().map(shown).collect(),
            unused: file.iter().flat_map(|file| &file.unused).map(unused).collect(),
        });
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

fn shown(setting: &Setting) -> documents::Setting {
    let (from, variable, line) = match &setting.origin {
        Origin::Flag => (SettingOrigin::Flag, None, None),
        Origin::Environment(name) => (SettingOrigin::Environment, Some(name.clone()), None),
        Origin::File(place) => (SettingOrigin::File, None, Some(place.line as u64)),
        Origin::Default => (SettingOrigin::Default, None, None),
        Origin::Unset => (SettingOrigin::Unset, None, None),
    };
    let one = || setting.values.first();
    let value = match setting.shape {
        config::Shape::Switch => Some(SettingValue::Switch(one().is_some_and(|value| value != "false"))),
        config::Shape::Texts => Some(SettingValue::Texts(setting.values.clone())),
        config::Shape::Number => one().and_then(|value| serde_json::from_str(value).ok()).map(SettingValue::Number),
        config::Shape::Text => one().cloned().map(SettingValue::Text),
    };
    documents::Setting { key: setting.key.clone(), value, from, variable, line }
}

fn unused(unused: &Unused) -> UnusedSetting {
    UnusedSetting { key: unused.entry.key.clone(), line: unused.entry.place.line as u64, why: unused.why.clone() }
}

/// Says that a file is used, and what of it is not for a reason that is not plain to see; also that one lies there
/// unused.
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
