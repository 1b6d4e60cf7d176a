//! What a flag takes, read from its definition.

use std::any::TypeId;

use clap::{Arg, ArgAction, Command};

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Nothing: it is there or not.
    Switch,
    /// A number.
    Number,
    /// A text.
    Text,
    /// Several texts.
    Texts,
}

impl Shape {
    /// Reads it from a definition.
    #[must_use]
    pub fn of(flag: &Arg) -> Self {
        let kind = flag.get_value_parser().type_id();
        let numbers = [
            TypeId::of::<i32>(),
            TypeId::of::<i64>(),
            TypeId::of::<u16>(),
            TypeId::of::<u32>(),
            TypeId::of::<u64>(),
            TypeId::of::<f64>(),
        ];
        match flag.get_action() {
            ArgAction::SetTrue => Self::Switch,
            ArgAction::Append => Self::Texts,
            _ if numbers.iter().any(|number| kind == *number) => Self::Number,
            _ => Self::Text,
        }
    }
}

/// The flag of this long name, of a command or of all commands.
pub(crate) fn find<'a>(program: &'a Command, command: &str, key: &str) -> Option<&'a Arg> {
    let own = program.find_subcommand(command).into_iter().flat_map(Command::get_arguments);
    let global = program.get_arguments().filter(|flag| flag.is_global_set());
    own.chain(global).find(|flag| flag.get_long() == Some(key))
}

/// The values that a flag may have, where they are few and named.
pub(crate) fn choices(flag: &Arg) -> Vec<String> {
    let shown = flag.get_possible_values().into_iter().filter(|value| !value.is_hide_set());
    shown.map(|value| value.get_name().to_owned()).collect()
}
