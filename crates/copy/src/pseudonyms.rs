//! An account under pseudonyms: the same one, with other ids, names, hosts and addresses.

mod aws;
mod blocks;
mod derived;
mod policy;
mod product;
mod settings;
#[cfg(test)]
mod tests;
mod text;
mod tokens;
mod values;
mod walk;

use std::collections::{BTreeMap, BTreeSet};

use sandbox::World;
use serde_json::Value;

use blocks::Blocks;
use text::Renamer;
use tokens::Tokens;

/// The account with other ids, names, hosts and addresses, the same one for the same thing wherever it stands, so that
/// a file of it may be attached to an issue.
///
/// What stays: the Region and its zones, AWS's words and AWS's own policies, names of variables, what the product reads
/// of their values besides names (ports, the form of a connection string), single letters, numbers of up to five
/// digits, and the product's own texts.
///
/// # Panics
/// When an account cannot be written as JSON or read again, which no input brings about.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "an account is maps by name all the way down, which the tests hold: no input changes that"
)]
pub fn pseudonymized(world: &World) -> World {
    let old = serde_json::to_value(world).expect("an account can be written");
    let mut originals = BTreeSet::new();
    words(&old, &mut originals);
    let mut names = Renamer {
        tokens: Tokens::beside(originals),
        blocks: Blocks::of(&old.to_string()),
        whole: BTreeMap::new(),
        passwords: BTreeMap::new(),
    };
    // A word of a sentence may be a name that is met later, and what a document becomes is part of a name.
    walk::account(&mut names, &old, &world.region);
    names.blocks.settle();
    derived::prescribe(&mut names, world);
    let new = walk::account(&mut names, &old, &world.region);
    let mut new: World = serde_json::from_value(new).expect("an account under pseudonyms is one");
    (new.log_length, new.role_quota) = (world.log_length, world.role_quota);
    new
}

/// The words of all texts, in lower case.
fn words(value: &Value, all: &mut BTreeSet<String>) {
    let mut add = |text: &str| {
        all.extend(text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase));
    };
    match value {
        Value::String(text) => add(text),
        Value::Array(items) => items.iter().for_each(|item| words(item, all)),
        Value::Object(members) => {
            members.keys().for_each(|name| add(name));
            members.values().for_each(|value| words(value, all));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
