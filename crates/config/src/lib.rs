//! Settings of a command line that stand in a TOML file.
//!
//! A key is the long name of a flag, and its value is what the flag would take. [`File::parse`] holds a file to the
//! flags of a [`clap::Command`] and to [`Rules`]; [`File::entries`] chooses what counts for one command and one
//! database; [`apply`] turns that into further arguments, so that clap checks a value from a file as it checks one that
//! was typed. [`schema`] describes the file for editors, from the same flags and rules.
//!
//! What no rule allows is refused: a new flag is not a key of the file until someone decides so.

mod apply;
mod file;
mod flags;
mod schema;
#[cfg(test)]
mod tests;
mod wrong;

pub use apply::{Applied, Unused, apply};
pub use file::{Entry, File};
pub use flags::Shape;
pub use schema::schema;
pub use wrong::{Place, Wrong};

/// Which flags may stand in a file, and where.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Flags of many commands, which may also stand right in the table of a database or among the defaults.
    pub common: &'static [&'static str],
    /// Those of `common` that no two databases share, so that they are no defaults.
    pub own: &'static [&'static str],
    /// The commands that take settings, each with its flags that may stand in its table; what commands share is a list
    /// of its own.
    pub commands: &'static [(&'static str, &'static [&'static [&'static str]])],
    /// Flags that are for the command line alone: the command (empty for all), the flag, and why.
    pub refused: &'static [(&'static str, &'static str, &'static str)],
    /// Values that are for the command line alone: the flag, its value, and why.
    pub values: &'static [(&'static str, &'static str, &'static str)],
    /// Reads the name of a table as the name of a database, or says what is wrong with it.
    pub database: fn(&str) -> Result<Database, String>,
}

/// A database as a table or a flag names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Database {
    /// Its ARN, where it is named by one.
    pub arn: Option<String>,
    /// Its identifier.
    pub id: String,
}

impl Rules {
    /// Returns the flags that may stand in the table of a command, without those of all commands.
    pub fn keys(&self, command: &str) -> impl Iterator<Item = &'static str> + use<> {
        let lists = self.commands.iter().find(|(name, _)| *name == command).map(|(_, lists)| *lists);
        lists.unwrap_or_default().iter().copied().flatten().copied()
    }

    /// Returns the commands that take settings.
    pub fn commands(&self) -> impl Iterator<Item = &'static str> + use<> {
        self.commands.iter().map(|(name, _)| *name)
    }

    /// Whether a command takes settings from a file.
    #[must_use]
    pub fn takes(&self, command: &str) -> bool {
        self.commands().any(|name| name == command)
    }

    /// Why a flag is for the command line alone, if it is.
    #[must_use]
    pub fn refusal(&self, command: &str, key: &str) -> Option<&'static str> {
        let fits = |of: &str| of.is_empty() || of == command;
        self.refused.iter().find(|(of, flag, _)| fits(of) && *flag == key).map(|(_, _, why)| *why)
    }
}
