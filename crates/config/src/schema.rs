//! A JSON Schema of the file, for editors.

use clap::{Arg, Command};
use serde_json::{Map, Value, json};

use crate::Rules;
use crate::flags::{self, Shape};

/// Describes the file, in the draft that editors of TOML read.
#[must_use]
pub fn schema(title: &str, program: &Command, rules: &Rules) -> Value {
    let mut definitions = Map::new();
    let mut tables = [Map::new(), Map::new()];
    for key in rules.common {
        let flag = rules.commands().find_map(|command| flags::find(program, command, key));
        let Some(flag) = flag else { continue };
        for (at, table) in tables.iter_mut().enumerate() {
            if at == 0 || !rules.own.contains(key) {
                table.insert((*key).to_owned(), property(flag, rules));
            }
        }
    }
    for command in rules.commands() {
        for (at, table) in tables.iter_mut().enumerate() {
            let mut properties = Map::new();
            for key in rules.keys(command).chain(rules.common.iter().copied()) {
                let own = at == 1 && rules.own.contains(&key);
                if let Some(flag) = flags::find(program, command, key).filter(|_| !own) {
                    properties.insert(key.to_owned(), property(flag, rules));
                }
            }
            let name = if at == 0 { command.to_owned() } else { format!("defaults.{command}") };
            table.insert(command.to_owned(), json!({"$ref": format!("#/definitions/{name}")}));
            let about = program.find_subcommand(command).and_then(Command::get_about).map(ToString::to_string);
            definitions.insert(name, object(about.as_deref(), &properties));
        }
    }
    let [database, defaults] = tables;
    definitions.insert("database".to_owned(), object(Some("Settings for one database"), &database));
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": title,
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "defaults": object(Some("Settings for every database of this file"), &defaults),
            "database": {
                "description": "Settings by database: its identifier or ARN, as --db has it",
                "type": "object",
                "additionalProperties": {"$ref": "#/definitions/database"},
            },
        },
        "definitions": definitions,
    })
}

fn object(description: Option<&str>, properties: &Map<String, Value>) -> Value {
    json!({"description": description.unwrap_or_default(), "type": "object", "additionalProperties": false, "properties": properties})
}

fn property(flag: &Arg, rules: &Rules) -> Value {
    let mut text = json!({"type": "string"});
    let choices = flags::choices(flag);
    let refused =
        |choice: &String| rules.values.iter().any(|(key, value, _)| flag.get_long() == Some(key) && value == choice);
    if !choices.is_empty() {
        text["enum"] = choices.into_iter().filter(|choice| !refused(choice)).collect::<Vec<_>>().into();
    }
    let mut property = match Shape::of(flag) {
        Shape::Switch => json!({"type": "boolean"}),
        Shape::Number => json!({"type": "number"}),
        Shape::Text => text,
        Shape::Texts => json!({"oneOf": [text.clone(), {"type": "array", "items": text}]}),
    };
    property["description"] = flag.get_help().map(ToString::to_string).unwrap_or_default().into();
    property
}
