//! A file, held to the flags of a program.

use clap::Command;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::flags::{self, Shape};
use crate::wrong::nearest;
use crate::{Database, Place, Rules, Wrong};

/// A file that holds only what it may hold.
#[derive(Debug, Clone)]
pub struct File {
    /// The file as it was named.
    pub name: String,
    tables: Vec<Table>,
}

/// The settings of one table.
#[derive(Debug, Clone)]
struct Table {
    /// The database that it is for; unset: every one.
    of: Option<Database>,
    /// The command that it is for; unset: every one.
    command: Option<String>,
    line: usize,
    entries: Vec<Entry>,
}

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The long name of its flag.
    pub key: String,
    /// Where it stands.
    pub place: Place,
    /// The heading of its table.
    pub table: String,
    /// The arguments that say the same; none for a switch that is off.
    pub words: Vec<String>,
}

impl File {
    /// Reads a file's text.
    ///
    /// # Errors
    /// When it is not TOML, has a table or key that there is not, a key that is for the command line alone, or a value
    /// of another kind than the flag takes.
    pub fn parse(name: &str, text: &str, program: &Command, rules: &Rules) -> Result<Self, Wrong> {
        let parser = Parser { name, text, program, rules };
        let root = DeTable::parse(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            Wrong::at(parser.place(at), error.message().trim().replace('\n', "; "))
        })?;
        let mut tables = Vec::new();
        for (key, value) in root.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("defaults", DeValue::Table(table)) => parser.table(None, key, table, &mut tables)?,
                ("database", DeValue::Table(databases)) => {
                    for (name, value) in databases {
                        parser.database(name, value, &mut tables)?;
                    }
                }
                _ => return Err(parser.stray(key)),
            }
        }
        Ok(Self { name: name.to_owned(), tables })
    }

    /// What counts for a command and a database: the most specific table first, and each key once.
    ///
    /// # Errors
    /// When the database is named by its identifier, and the file has it under an ARN alone: which one is meant is then
    /// unknown.
    pub fn entries(&self, command: &str, database: Option<&Database>, program: &Command) -> Result<Vec<Entry>, Wrong> {
        let chosen = database.map(|database| self.chosen(database)).transpose()?.flatten();
        let mut found: Vec<&Entry> = Vec::new();
        for of in chosen.as_ref().map(Some).into_iter().chain([None]) {
            for command in [Some(command), None] {
                let fits = |table: &&Table| table.of.as_ref() == of && table.command.as_deref() == command;
                found.extend(self.tables.iter().filter(fits).flat_map(|table| &table.entries));
            }
        }
        let mut entries: Vec<Entry> = Vec::new();
        for entry in found {
            let known = flags::find(program, command, &entry.key).is_some();
            if known && entries.iter().all(|other| other.key != entry.key) {
                entries.push(entry.clone());
            }
        }
        Ok(entries)
    }

    /// Whether the file has tables of databases, and none for this one.
    #[must_use]
    pub fn misses(&self, database: &Database) -> bool {
        let named = self.tables.iter().any(|table| table.of.is_some());
        named && self.chosen(database).is_ok_and(|chosen| chosen.is_none())
    }

    /// The database as the tables for it name it.
    fn chosen(&self, database: &Database) -> Result<Option<Database>, Wrong> {
        let named = |of: &Database| self.tables.iter().find(|table| table.of.as_ref() == Some(of));
        let by_id = Database { arn: None, id: database.id.clone() };
        if let Some(table) = named(database).or_else(|| named(&by_id)) {
            return Ok(table.of.clone());
        }
        let alike = |table: &&Table| table.of.as_ref().is_some_and(|of| of.id == database.id);
        match self.tables.iter().find(alike) {
            Some(table) if database.arn.is_none() => {
                let arn = table.of.as_ref().and_then(|of| of.arn.clone()).unwrap_or_default();
                let place = Place { file: self.name.clone(), line: table.line };
                let text = format!("this table is for {arn}, and --db names only {}", database.id);
                Err(Wrong::at(place, text)
                    .tip(format!("give the ARN to --db, or call the table [database.{:?}]", database.id)))
            }
            _ => Ok(None),
        }
    }
}

/// What reading a file needs.
struct Parser<'a> {
    name: &'a str,
    text: &'a str,
    program: &'a Command,
    rules: &'a Rules,
}

type Key<'a> = Spanned<std::borrow::Cow<'a, str>>;

impl Parser<'_> {
    fn place(&self, at: usize) -> Place {
        let before = self.text.get(..at).unwrap_or(self.text);
        Place { file: self.name.to_owned(), line: before.matches('\n').count() + 1 }
    }

    fn wrong(&self, key: &Key<'_>, text: impl Into<String>) -> Wrong {
        Wrong::at(self.place(key.span().start), text)
    }

    /// Whether a flag may stand in the table of a command.
    fn may(&self, command: &str, name: &str) -> bool {
        self.rules.keys(command).any(|key| key == name)
    }

    /// What stands in no table, or in one that there is not.
    fn stray(&self, key: &Key<'_>) -> Wrong {
        let name = key.get_ref().as_ref();
        let flag = self.rules.common.contains(&name) || self.rules.commands().any(|command| self.may(command, name));
        if flag {
            let wrong = self.wrong(key, format!("{name:?} stands in no table"));
            return wrong.tip("settings stand below [defaults] or [database.\"NAME\"]");
        }
        if matches!(name, "defaults" | "database") {
            return self.wrong(key, format!("{name:?} is a table, such as [{name}]"));
        }
        let wrong = self.wrong(key, format!("there is no table {name:?}"));
        match nearest(name, ["defaults", "database"]) {
            Some("database") => wrong.tip("a similar table exists: [database.\"NAME\"]"),
            Some(near) => wrong.tip(format!("a similar table exists: [{near}]")),
            None => wrong.tip("the tables are [defaults] and [database.\"NAME\"]"),
        }
    }

    fn database(&self, name: &Key<'_>, value: &Spanned<DeValue<'_>>, tables: &mut Vec<Table>) -> Result<(), Wrong> {
        let text = name.get_ref().as_ref();
        let DeValue::Table(table) = value.get_ref() else {
            return Err(self.wrong(name, format!("a database is a table: [database.{text:?}]")));
        };
        let of = (self.rules.database)(text)
            .map_err(|why| self.wrong(name, format!("[database.{text:?}] names no database: {why}")))?;
        if tables.iter().any(|table| table.of.as_ref() == Some(&of)) {
            return Err(self.wrong(name, format!("{text:?} has a table already")));
        }
        self.table(Some(&of), name, table, tables)
    }

    /// The settings for every database or for one, and its tables of commands.
    fn table(
        &self,
        of: Option<&Database>,
        heading: &Key<'_>,
        table: &DeTable<'_>,
        tables: &mut Vec<Table>,
    ) -> Result<(), Wrong> {
        let line = self.place(heading.span().start).line;
        let mut entries = Vec::new();
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            let DeValue::Table(inner) = value.get_ref() else {
                entries.push(self.entry(of, None, key, value)?);
                continue;
            };
            if !self.rules.takes(name) {
                let wrong = self.wrong(key, format!("no command {name:?} takes settings"));
                let tip =
                    nearest(name, self.rules.commands()).map(|near| format!("a similar command exists: {near:?}"));
                return Err(tip.map_or_else(|| wrong.clone(), |tip| wrong.clone().tip(tip)));
            }
            let line = self.place(key.span().start).line;
            let entries =
                inner.iter().map(|(key, value)| self.entry(of, Some(name), key, value)).collect::<Result<_, _>>()?;
            tables.push(Table { of: of.cloned(), command: Some(name.to_owned()), line, entries });
        }
        tables.push(Table { of: of.cloned(), command: None, line, entries });
        Ok(())
    }

    fn entry(
        &self,
        of: Option<&Database>,
        command: Option<&str>,
        key: &Key<'_>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<Entry, Wrong> {
        let name = key.get_ref().as_ref();
        self.allowed(of, command, key)?;
        let find = |command: &str| flags::find(self.program, command, name);
        let flag = command.and_then(find).or_else(|| self.rules.commands().find_map(find));
        let Some(flag) = flag else {
            return Err(self.wrong(key, format!("no command has a flag --{name}")));
        };
        let place = self.place(key.span().start);
        let words = self.words(name, Shape::of(flag), key, value.get_ref())?;
        let refused = |word: &String, value: &str| word.strip_prefix(&format!("--{name}=")) == Some(value);
        for (_, value, why) in self.rules.values.iter().filter(|(flag, _, _)| *flag == name) {
            if words.iter().any(|word| refused(word, value)) {
                let text = format!("{name} = {value:?} is not for a file: {why}");
                return Err(Wrong::at(place, text).tip(format!("give --{name} on the command line")));
            }
        }
        Ok(Entry { key: name.to_owned(), place, table: heading(of, command), words })
    }

    /// Whether a key may stand in this table.
    fn allowed(&self, of: Option<&Database>, command: Option<&str>, key: &Key<'_>) -> Result<(), Wrong> {
        let (name, rules) = (key.get_ref().as_ref(), self.rules);
        let has = |command: &str| flags::find(self.program, command, name).is_some();
        let common = rules.common.contains(&name) && command.is_none_or(has);
        if common && of.is_none() && rules.own.contains(&name) {
            let wrong = self.wrong(key, format!("{name:?} would be the same for every database"));
            return Err(wrong.tip("put it below [database.\"NAME\"]"));
        }
        if common || command.is_some_and(|command| self.may(command, name)) {
            return Ok(());
        }
        if let Some(why) = rules.refusal(command.unwrap_or_default(), name) {
            let wrong = self.wrong(key, format!("{name:?} is not for a file: {why}"));
            // What the program itself does not read from a flag needs no advice.
            return Err(if name == "db" { wrong } else { wrong.tip(format!("give --{name} on the command line")) });
        }
        let homes: Vec<&str> = rules.commands().filter(|command| self.may(command, name)).collect();
        if command.is_none() && !homes.is_empty() {
            let wrong = self.wrong(key, format!("{name:?} is a setting of single commands"));
            let tables = homes.iter().map(|home| heading(of, Some(home))).collect::<Vec<_>>().join(" or ");
            return Err(wrong.tip(format!("put it below {tables}")));
        }
        let table = heading(of, command);
        let wrong = self.wrong(key, format!("{table} has no key {name:?}"));
        let known: Vec<&str> = match command {
            Some(command) => rules
                .keys(command)
                .chain(rules.common.iter().copied())
                .filter(|key| flags::find(self.program, command, key).is_some())
                .collect(),
            None => {
                rules.common.iter().copied().chain(rules.commands().flat_map(|command| rules.keys(command))).collect()
            }
        };
        Err(match nearest(name, known) {
            Some(near) => wrong.tip(format!("a similar key exists: {near:?}")),
            None => wrong.tip("a key is the long name of a flag, such as max-connections-percent"),
        })
    }

    /// The arguments that say what a value says.
    fn words(&self, name: &str, shape: Shape, key: &Key<'_>, value: &DeValue<'_>) -> Result<Vec<String>, Wrong> {
        let word = |text: &str| format!("--{name}={text}");
        let kind = |wanted: &str| self.wrong(key, format!("{name:?} takes {wanted}, not {}", kind_of(value)));
        match (shape, value) {
            (Shape::Switch, DeValue::Boolean(on)) => Ok(on.then(|| format!("--{name}")).into_iter().collect()),
            (Shape::Switch, _) => Err(kind("true or false")),
            (Shape::Number, DeValue::Integer(number)) => {
                let read = i64::from_str_radix(number.as_str(), number.radix());
                let read = read.map_err(|_| self.wrong(key, format!("{name:?} is too large: {}", number.as_str())))?;
                Ok(vec![word(&read.to_string())])
            }
            (Shape::Number, DeValue::Float(number)) => Ok(vec![word(number.as_str())]),
            (Shape::Number, _) => Err(kind("a number")),
            (Shape::Text | Shape::Texts, DeValue::String(text)) => Ok(vec![word(text)]),
            (Shape::Text, _) => Err(kind("a text in quotes")),
            (Shape::Texts, DeValue::Array(items)) => {
                let one = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
                    DeValue::String(text) => Ok(word(text)),
                    other => Err(self.wrong(key, format!("{name:?} takes texts in quotes, not {}", kind_of(other)))),
                };
                items.iter().map(one).collect()
            }
            (Shape::Texts, _) => Err(kind("a list of texts in quotes")),
        }
    }
}

fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The heading of a table.
fn heading(of: Option<&Database>, command: Option<&str>) -> String {
    let database =
        of.map_or_else(|| "defaults".to_owned(), |of| format!("database.{:?}", of.arn.as_ref().unwrap_or(&of.id)));
    match command {
        Some(command) => format!("[{database}.{command}]"),
        None => format!("[{database}]"),
    }
}
