//! What the product itself writes into an account: tags, and texts that prove or explain.

use super::text::{Renamer, Words};

/// What the keys of its tags begin with, and the names of its things.
pub(super) const MARK: &str = "rdsproxy-setup";

/// Its tags' keys, besides those that end in a name.
const TAGS: [&str; 22] = [
    "adopted",
    "canary",
    "client-auth",
    "connect-policy",
    "database",
    "db-users",
    "document",
    "exclude-functions",
    "exclude-variables",
    "former-version",
    "functions",
    "further",
    "handed-over",
    "iam-auth",
    "include-variables",
    "log-retention",
    "probe",
    "reader",
    "stack",
    "user",
    "users",
    "writer",
];

/// Tags whose values are words and numbers of the product's.
const STATES: [&str; 7] = ["adopted", "canary", "client-auth", "document", "further", "handed-over", "log-retention"];

/// Tags that name variables of functions, which stay as they are.
const VARIABLES: [&str; 2] = ["exclude-variables", "include-variables"];

/// The identifiers of its policies' statements.
const SIDS: [&str; 5] =
    ["ReadSecrets", "DecryptSecrets", "ConnectThroughProxy", "ConnectToDatabase", "RdsProxyReadsSecret"];

/// Descriptions that it, or AWS, gives, up to the name that follows.
const BEGINNINGS: [&str; 5] = [
    "RDS Proxy ",
    "rdsproxy-setup ",
    "AWS Lambda VPC ENI-",
    "Secret associated with primary RDS DB instance: ",
    "Secret associated with primary RDS DB cluster: ",
];

/// Descriptions without names.
const DESCRIPTIONS: [&str; 8] = [
    "RDSNetworkInterface",
    "default VPC security group",
    "A database user's login for RDS Proxy, created by rdsproxy-setup",
    "Lets RDS Proxy read the database's credentials. Made by rdsproxy-setup.",
    "Lets functions log in through an RDS Proxy. Made by rdsproxy-setup.",
    "Checks that functions can reach the database through RDS Proxy; deleted at once.",
    "Default key that protects my secretsmanager data when no other key is defined",
    "Default key that protects my lambda data when no other key is defined",
];

/// Tags by which the product sees that another tool keeps a function: keys, whose values are names.
const KEEPERS: [&str; 3] = ["STAGE", "lambda:createdBy", "pulumi:project"];

/// Keys, without `-` and `_`, and values of such tags that are no names.
const KEEPING: [&str; 5] = ["createdby", "iac", "managedby", "provisioner", "terraform"];
const TOOLS: [&str; 5] = ["opentofu", "sam", "terraform", "terragrunt", "true"];

/// What stands for a sentence that others wrote.
const MASKED: &str = "masked";

/// Whether a statement's identifier is one of the product's.
pub(super) fn is_sid(text: &str) -> bool {
    SIDS.contains(&text)
}

/// The key of a tag.
pub(super) fn tag_key(names: &mut Renamer, key: &str) -> String {
    // Only AWS writes these.
    if key.starts_with("aws:") || KEEPERS.contains(&key) || is_keeping(key) {
        return key.to_owned();
    }
    let Some(own) = own(key) else { return names.name(key) };
    let (kind, rest) = own.split_once(':').unwrap_or((own, ""));
    let numbered = rest.chars().all(|c| c.is_ascii_digit());
    if TAGS.contains(&kind) && numbered || kind == "former" {
        return key.to_owned();
    }
    match own.split_once(':') {
        // An alias, or a rule.
        Some((kind @ ("former-version" | "closed"), rest)) => format!("{MARK}:{kind}:{}", names.name(rest)),
        _ => format!("{MARK}:{}", names.name(own)),
    }
}

/// The value of a tag.
pub(super) fn tag_value(names: &mut Renamer, key: &str, value: &str) -> String {
    let of_tool = is_keeping(key) || key == "lambda:createdBy";
    if of_tool && TOOLS.contains(&value.to_ascii_lowercase().as_str()) {
        return value.to_owned();
    }
    let Some(kind) = own(key).map(|own| own.split(':').next().unwrap_or(own)) else { return names.name(value) };
    if VARIABLES.contains(&kind) {
        // `VARIABLE`, or `FUNCTION:VARIABLE`.
        let word = |word: &str| match word.rsplit_once(':') {
            Some((function, variable)) => format!("{}:{variable}", names.name(function)),
            None => word.to_owned(),
        };
        return value.split(' ').map(word).collect::<Vec<_>>().join(" ");
    }
    if kind == "closed" {
        return description(names, value);
    }
    if STATES.contains(&kind) {
        return value.split_inclusive([' ', '=', ':', '-']).map(|word| state(names, word)).collect();
    }
    names.name(value)
}

fn is_keeping(key: &str) -> bool {
    KEEPING.contains(&key.to_ascii_lowercase().replace(['-', '_'], "").as_str())
}

fn own(key: &str) -> Option<&str> {
    key.strip_prefix(MARK)?.strip_prefix(':')
}

fn state(names: &mut Renamer, word: &str) -> String {
    const WORDS: [&str; 10] = ["before", "iam", "no", "password", "since", "target", "with", "without", "yes", "."];
    let bare = word.trim_end_matches([' ', '=', ':', '-']);
    let digits = bare.strip_prefix('v').unwrap_or(bare);
    let number = digits.len() != 12 && digits.chars().all(|c| c.is_ascii_digit());
    if number || WORDS.contains(&bare) { word.to_owned() } else { names.name(word) }
}

/// A description: the product's own and AWS's stay, with other names in them.
pub(super) fn description(names: &mut Renamer, text: &str) -> String {
    if text.is_empty() || DESCRIPTIONS.contains(&text) {
        return text.to_owned();
    }
    match BEGINNINGS.iter().find(|begin| text.starts_with(**begin)) {
        Some(begin) => format!("{begin}{}", names.name(text.get(begin.len()..).unwrap_or_default())),
        None => MASKED.to_owned(),
    }
}

/// SQL that others wrote.
pub(super) fn statement(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("SELECT '{MASKED}'") }
}

/// A text of the product's in which one name stands.
pub(super) fn own_text(names: &mut Renamer, text: &str, name: &str) -> String {
    if name.is_empty() {
        return names.text(text, Words::Own);
    }
    let new = names.name(name);
    let former = names.whole.insert(name.to_owned(), new);
    let text = names.text(text, Words::Own);
    match former {
        Some(former) => names.whole.insert(name.to_owned(), former),
        None => names.whole.remove(name),
    };
    text
}
