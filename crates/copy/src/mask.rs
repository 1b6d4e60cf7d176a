//! What becomes of texts that others wrote.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

/// What the keys of this tool's own tags begin with.
const OWN: &str = "rdsproxy-setup:";

/// Tags that remember rules which were removed: their values are descriptions that others wrote.
const CLOSED: &str = "rdsproxy-setup:closed:";

/// The tag that names the stack.
pub(crate) const STACK: &str = "rdsproxy-setup:stack";

/// The tag on a secret that names its database user.
pub(crate) const USER: &str = "rdsproxy-setup:user";

/// Tags of other tools whose values say to whom a function belongs.
const READ: [&str; 3] = ["aws:cloudformation:stack-name", "aws:cloudformation:logical-id", "pulumi:project"];

/// Values by which other tools are known, whatever the key.
const TOOLS: [&str; 5] = ["terraform", "opentofu", "terragrunt", "true", "sam"];

/// Descriptions that this tool writes, or AWS.
const WRITTEN: [&str; 6] = [
    "Lets RDS Proxy read the database's credentials. Made by rdsproxy-setup.",
    "Lets functions log in through an RDS Proxy. Made by rdsproxy-setup.",
    "A database user's login for RDS Proxy, created by rdsproxy-setup",
    "Checks that functions can reach the database through RDS Proxy; deleted at once.",
    "default VPC security group",
    "RDSNetworkInterface",
];

/// Names in the value of a secret whose values are kept.
const PLAIN: [&str; 7] =
    ["username", "host", "port", "engine", "dbname", "dbInstanceIdentifier", "dbClusterIdentifier"];

/// As many x's as the text has characters, and one at least.
pub(crate) fn crossed(text: &str) -> String {
    "x".repeat(text.chars().count().max(1))
}

/// The value of a secret with its names, and of its values only those that say which database it is for.
pub(crate) fn secret(text: &str) -> String {
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else { return crossed(text) };
    let kept = |(name, value): (String, Value)| {
        let plain = PLAIN.contains(&name.as_str()) && (value.is_string() || value.is_number());
        let value = match value {
            value if plain => value,
            Value::String(text) => Value::String(crossed(&text)),
            other => Value::String(crossed(&other.to_string())),
        };
        (name, value)
    };
    Value::Object(members.into_iter().map(kept).collect::<Map<_, _>>()).to_string()
}

/// A parameter of a database: settings are words and numbers, and what is not may be a statement with anything in it.
pub(crate) fn parameter(text: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "_.,:;/*+-{}()=@".contains(character);
    if text.len() <= 255 && text.chars().all(plain) { text.to_owned() } else { crossed(text) }
}

/// Descriptions in a copy: equal ones stay equal, and different ones different.
///
/// A digest would let anyone who guesses a description prove the guess. So those that have the length of another one
/// are numbered, and the number stands at the end.
#[derive(Debug, Default)]
pub(crate) struct Masks {
    numbers: BTreeMap<String, usize>,
    stacks: BTreeSet<String>,
}

impl Masks {
    /// Masks for these texts, in an account with these stacks.
    pub(crate) fn of<'a>(texts: impl Iterator<Item = &'a str>, stacks: BTreeSet<String>) -> Self {
        let distinct: BTreeSet<&str> = texts.filter(|text| !is_written(text, &stacks)).collect();
        let mut lengths: BTreeSet<usize> = BTreeSet::new();
        // The first of a length needs none.
        let further = distinct.into_iter().filter(|text| !lengths.insert(text.chars().count()));
        let numbers = (2..).zip(further).map(|(number, text)| (text.to_owned(), number)).collect();
        Self { numbers, stacks }
    }

    /// A description as the copy has it.
    pub(crate) fn description(&self, text: &str) -> String {
        if text.is_empty() || is_written(text, &self.stacks) {
            return text.to_owned();
        }
        let Some(number) = self.numbers.get(text) else { return crossed(text) };
        let tail = format!("-{number}");
        let crosses = text.chars().count().saturating_sub(tail.len()).max(1);
        format!("{}{tail}", "x".repeat(crosses))
    }

    /// Tags as the copy has them: all keys, and of the values those that this tool reads.
    pub(crate) fn tags(&self, tags: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let value = |key: &str, value: &str| {
            if key.starts_with(CLOSED) {
                self.description(value)
            } else if key.starts_with(OWN)
                || READ.contains(&key)
                || TOOLS.iter().any(|tool| tool.eq_ignore_ascii_case(value))
            {
                value.to_owned()
            } else {
                crossed(value)
            }
        };
        tags.iter().map(|(key, held)| (key.clone(), value(key, held))).collect()
    }
}

/// Whether this tool or AWS wrote a description. What this tool writes names one of its stacks.
fn is_written(text: &str, stacks: &BTreeSet<String>) -> bool {
    let name = |text: &str| stacks.contains(text);
    let known = WRITTEN.contains(&text);
    // A version says which version each alias pointed at before.
    let of_stack = text.strip_prefix("rdsproxy-setup ").is_some_and(|rest| match rest.split_once(": ") {
        None => name(rest),
        Some((stack, aliases)) => name(stack) && aliases.split(", ").all(was),
    });
    known || of_stack || text.strip_prefix("RDS Proxy ").is_some_and(name)
}

/// `live was 3`.
fn was(text: &str) -> bool {
    text.split_once(" was ").is_some_and(|(alias, version)| {
        alias.chars().all(|each| is_name(each) || each == '_') && version.parse::<u64>().is_ok()
    })
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '-'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_descriptions_stay_equal_and_different_ones_different() {
        let texts =
            ["abc", "abd", "a", "b", "c", "longer", "", "rdsproxy-setup shop", "rdsproxy-setup shop: live was 3"];
        let masks = Masks::of(texts.into_iter(), BTreeSet::from(["shop".to_owned()]));
        let masked: BTreeSet<String> = texts.iter().map(|text| masks.description(text)).collect();
        assert_eq!(masked.len(), texts.len());
        for text in ["abc", "abd", "longer"] {
            assert!(masks.description(text).starts_with('x'), "{text}");
            assert_eq!(masks.description(text).len(), text.len());
        }
        assert_eq!(masks.description("rdsproxy-setup shop: live was 3"), "rdsproxy-setup shop: live was 3");
        for other in
            ["rdsproxy-setup shop and a password", "rdsproxy-setup shop: live was a password", "RDS Proxy password"]
        {
            assert!(!masks.description(other).contains('d'), "{other}");
        }
    }

    #[test]
    fn a_secret_keeps_its_names_and_the_database() {
        let text = r#"{"username":"app","password":"hunter2","port":3306,"token":{"a":"b"},"host":{"not":"a host"}}"#;
        let masked: Value = serde_json::from_str(&secret(text)).unwrap();
        assert_eq!(
            masked,
            serde_json::json!({ "username": "app", "password": "xxxxxxx", "port": 3306, "token": "xxxxxxxxx",
                "host": "xxxxxxxxxxxxxxxx" })
        );
        assert_eq!(secret("hunter2"), "xxxxxxx");
        assert_eq!(secret("[\"hunter2\"]"), "xxxxxxxxxxx");
    }

    #[test]
    fn of_tags_the_own_ones_keep_their_values() {
        let tags = [
            ("rdsproxy-setup:stack", "shop"),
            ("rdsproxy-setup:closed:sg-1:sg-2:3306", "secret"),
            ("owner", "secret"),
            ("empty", ""),
            ("ManagedBy", "Terraform"),
            ("aws:cloudformation:stack-name", "web"),
        ];
        let tags = tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        let masked = Masks::default().tags(&tags);
        let values: Vec<&str> = masked.values().map(String::as_str).collect();
        assert_eq!(values, ["Terraform", "web", "x", "xxxxxx", "xxxxxx", "shop"]);
    }

    #[test]
    fn a_parameter_that_may_be_a_statement_is_masked() {
        for kept in ["{DBInstanceClassMemory/12582880}", "ON", "0", "mysql_native_password,caching_sha2_password,,"] {
            assert_eq!(parameter(kept), kept);
        }
        assert_eq!(parameter("SET @a = 'hunter2'"), "x".repeat(18));
    }
}
