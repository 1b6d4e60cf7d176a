//! Names for things in files: letters, digits and underscores, no two alike.

use std::collections::{BTreeMap, BTreeSet};

/// Gives each thing a name of its own.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    taken: BTreeSet<String>,
    known: BTreeMap<String, String>,
}

impl Labels {
    /// The label of a thing, which is called by `name`; the same thing always gets the same.
    pub(crate) fn of(&mut self, thing: &str, name: &str) -> String {
        if let Some(known) = self.known.get(thing) {
            return known.clone();
        }
        let plain = plain(name);
        let numbered = (2..).map(|number| format!("{plain}_{number}"));
        let free = std::iter::once(plain.clone()).chain(numbered).find(|label| !self.taken.contains(label));
        let label = free.unwrap_or(plain);
        self.taken.insert(label.clone());
        self.known.insert(thing.to_owned(), label.clone());
        label
    }
}

/// A name of letters, digits and underscores that begins with a letter.
fn plain(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            text.push(c.to_ascii_lowercase());
        } else if !text.ends_with('_') {
            text.push('_');
        }
    }
    let text = text.trim_matches('_');
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) { text.to_owned() } else { format!("x_{text}") }
}

/// A name as CloudFormation takes it for a logical ID: letters and digits alone.
pub(crate) fn logical(label: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
    };
    label.split('_').map(word).collect()
}

#[cfg(test)]
mod tests {
    use super::{Labels, logical};

    #[test]
    fn two_things_of_like_names_stay_apart() {
        let mut labels = Labels::default();
        assert_eq!(labels.of("1", "my-app"), "my_app");
        assert_eq!(labels.of("2", "my_app"), "my_app_2");
        assert_eq!(labels.of("1", "renamed"), "my_app");
        assert_eq!(labels.of("3", "9 lives"), "x_9_lives");
        assert_eq!(labels.of("4", "%"), "x_");
    }

    #[test]
    fn a_logical_id_has_no_underscore() {
        assert_eq!(logical("my_app_2"), "MyApp2");
    }
}
