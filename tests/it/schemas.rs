//! Everything that a test sees as JSON is held to its type, and the files of schemas are those of the types.

use std::collections::BTreeSet;
use std::path::Path;

use clap::CommandFactory as _;
use documents::{ALL, Entry};
use rdsproxy_setup::cli::Cli;
use serde_json::Value;

use crate::desk::Desk;
use crate::docs::hold;

/// Holds what a command printed to the types of its documents, where it was asked for JSON.
pub(crate) fn check(arguments: &[&str], stdout: &str, stderr: &str) {
    let json = arguments.contains(&"--output=json") || arguments.windows(2).any(|pair| pair == ["--output", "json"]);
    if !json {
        return;
    }
    let event = documents::find("event").unwrap();
    // What GitHub Actions reads stands between the events: see `github`.
    for line in stderr.lines().filter(|line| !line.starts_with("::")) {
        let value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {line}"));
        event.check(&value).unwrap_or_else(|why| panic!("{arguments:?}: {line} is no event: {why}"));
    }
    let words = ["rdsproxy-setup"].into_iter().chain(arguments.iter().copied());
    let verb = Cli::command().try_get_matches_from(words).ok().and_then(|all| all.subcommand_name().map(str::to_owned));
    let verb = verb.unwrap_or_default();
    // What others define, and what is no JSON.
    if ["completions", "man"].contains(&verb.as_str()) || arguments.ends_with(&["show"]) || stdout.is_empty() {
        return;
    }
    let settings = arguments.contains(&"--show-config");
    let of_verb = |entry: &&Entry| {
        let settings = settings && entry.name == "settings";
        entry.name == "error"
            || settings
            || entry.commands.iter().any(|command| command.split(' ').next() == Some(&verb))
    };
    let of_verb: Vec<&Entry> = ALL.iter().filter(of_verb).collect();
    let values: Vec<Value> = match serde_json::from_str(stdout) {
        Ok(value) => vec![value],
        Err(_) => stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    };
    for value in values {
        let reasons: Vec<String> = of_verb
            .iter()
            .filter_map(|entry| entry.check(&value).err().map(|why| format!("{}: {why}", entry.name)))
            .collect();
        assert!(reasons.len() < of_verb.len(), "{arguments:?} printed {value}, which is none of {reasons:#?}");
    }
}

#[test]
fn the_files_of_schemas_are_what_the_command_prints() {
    let desk = Desk::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas");
    let listed = desk.run(&["schema"]).stdout;
    let mut table = String::from("| schema | printed by | what it is |\n| --- | --- | --- |\n");
    let mut wanted = BTreeSet::new();
    for entry in ALL {
        let shown = desk.run(&["schema", entry.name]);
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""), "{shown}");
        let file = folder.join(format!("{}.json", entry.name));
        if std::env::var_os("UPDATE_DOCS").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&file, &shown.stdout).unwrap();
        }
        let held = std::fs::read_to_string(&file).unwrap_or_default();
        assert_eq!(held, shown.stdout, "{}: write it with UPDATE_DOCS=1", file.display());
        assert!(listed.lines().any(|line| line.split_whitespace().next() == Some(entry.name)), "{listed}");
        let commands: Vec<String> = entry.commands.iter().map(|command| format!("`{command}`")).collect();
        let commands = if commands.is_empty() { "every command".to_owned() } else { commands.join(", ") };
        let (name, about) = (entry.name, entry.about);
        table.push_str(&format!("| [{name}](schemas/{name}.json) | {commands} | {about} |\n"));
        wanted.insert(format!("{name}.json"));
    }
    // The file of settings is no document; its schema is held to the flags elsewhere.
    let config = desk.run(&["schema", "config"]).stdout;
    assert_eq!(config, std::fs::read_to_string(folder.join("config.json")).unwrap());
    table.push_str(
        "| [config](schemas/config.json) | | a file of settings, for editors: see [config.md](config.md) |\n",
    );
    wanted.insert("config.json".to_owned());
    assert_eq!(listed.lines().count(), ALL.len() + 1, "{listed}");
    hold("docs/json.md", "schemas", &table);
    let there = std::fs::read_dir(&folder).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap());
    assert_eq!(there.collect::<BTreeSet<_>>(), wanted);
}

#[test]
fn a_schema_that_does_not_exist_is_refused_with_the_one_that_is_meant() {
    let shown = Desk::new().run(&["schema", "statsu"]);
    assert_eq!(shown.code, Some(64), "{shown}");
    assert!(shown.stderr.contains("status"), "{shown}");
}

#[test]
fn the_list_of_schemas_is_a_document_too() {
    let shown = Desk::new().run(&["schema", "--output", "json"]);
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(document["schemas"].as_array().unwrap().len(), ALL.len() + 1, "{shown}");
}

/// The names of the keys in a schema.
pub(crate) fn keys(schema: &Value, found: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                found.extend(properties.keys().cloned());
            }
            members.values().for_each(|member| keys(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
        _ => {}
    }
}

/// The keys that a program of jq reads: `.plan[].title`, `has("error")`.
fn read_by(program: &str) -> BTreeSet<String> {
    let word = |text: &str| -> String {
        text.chars().take_while(|letter| letter.is_ascii_lowercase() || *letter == '_').collect()
    };
    let dotted = program.split('.').skip(1).map(word);
    let asked = program.split("has(\"").skip(1).map(word);
    dotted.chain(asked).filter(|key| !key.is_empty()).collect()
}

/// The keys that the summary of a step reads: `stack["in_place"]`, `list(document, "plan")`.
fn read_by_the_summary(source: &str) -> BTreeSet<String> {
    let ends = |begin: &str, end: &str| -> Vec<String> {
        let words = source.split(begin).skip(1).filter_map(|rest| rest.split_once(end));
        let is_key = |word: &&str| word.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        words.map(|(word, _)| word).filter(|word| !word.is_empty()).filter(is_key).map(str::to_owned).collect()
    };
    [ends("[\"", "\"]"), ends(", \"", "\")")].concat().into_iter().collect()
}

#[test]
fn the_action_and_the_summary_read_no_key_that_no_document_has() {
    let mut known = BTreeSet::new();
    for entry in ALL.iter().filter(|entry| entry.name != "event") {
        keys(&entry.schema(), &mut known);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/action");
    let script = std::fs::read_to_string(folder.join("run")).unwrap();
    // The programs stand in quotes behind `jq`; the shell's own words do not.
    let programs =
        script.lines().filter(|line| line.contains("jq ")).flat_map(|line| line.split('\'').skip(1).step_by(2));
    let mut read: BTreeSet<String> = programs.flat_map(read_by).collect();
    assert!(read.contains("endpoint") && read.contains("hints") && read.contains("changed"), "{read:?}");
    let page = std::fs::read_to_string(folder.join("markdown.jq")).unwrap();
    let lines = page.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n");
    read.extend(read_by(&lines));
    // A group of a regular expression.
    read.remove("c");
    let source = std::fs::read_to_string(folder.join("../../crates/actions/src/summary.rs")).unwrap();
    let of_summary = read_by_the_summary(&source);
    assert!(["in_place", "severity", "feasible", "open"].iter().all(|key| of_summary.contains(*key)), "{of_summary:?}");
    read.extend(of_summary);
    read.extend(actions::SHOWN.map(str::to_owned));
    let missing: Vec<&String> = read.difference(&known).collect();
    assert_eq!(missing, [""; 0], "read by packaging/action or crates/actions, and in no schema");
}
