//! `schema`: the JSON Schema of what commands print, and of the file of settings; makes no AWS call.

use clap::CommandFactory as _;
use documents::{ALL, ListedSchema, Version};

use crate::cli::packaging::CONFIG;
use crate::cli::settings::RULES;
use crate::cli::{Cli, Global, Output, Schema};
use crate::exit::Exit;
use crate::report;

/// Prints one schema, or lists all.
pub(super) fn run(global: &Global, args: &Schema) -> Exit {
    let name = args.name.as_deref();
    if name == Some(CONFIG) {
        report::foreign(&config::schema("rdsproxy-setup.toml", &Cli::command(), &RULES));
        return Exit::Done;
    }
    if let Some(entry) = name.and_then(documents::find) {
        report::foreign(&entry.schema());
        return Exit::Done;
    }
    let own = ("a file of settings, for editors", CONFIG, &[][..]);
    let all = ALL.iter().map(|entry| (entry.about, entry.name, entry.commands)).chain([own]);
    if global.output == Output::Json {
        let one = |(about, name, commands): (&str, &str, &[&str])| ListedSchema {
            name: name.to_owned(),
            about: about.to_owned(),
            commands: commands.iter().map(|command| (*command).to_owned()).collect(),
        };
        report::document(&documents::Schemas { schema: Version, schemas: all.map(one).collect() });
    } else {
        report::result(&report::table(all.map(|(about, name, _)| [name.to_owned(), about.to_owned()])));
    }
    Exit::Done
}
