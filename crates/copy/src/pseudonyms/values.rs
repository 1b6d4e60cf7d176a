//! Values of variables and secrets under pseudonyms.

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::text::{Renamer, Words};

/// The value of a function's variable.
pub(super) fn variable(names: &mut Renamer, name: &str, value: &str) -> String {
    let upper = name.to_ascii_uppercase();
    let of_password = ["PASS", "PWD"].iter().any(|word| upper.contains(word));
    let leads_elsewhere = value.contains("arn:") || value.contains(".amazonaws.com") || value.contains("://");
    if names.passwords.contains_key(value) || of_password && !leads_elsewhere {
        return password(names, value);
    }
    connection(names, value)
}

/// A text that may be an address with a user and a password in it.
fn connection(names: &mut Renamer, value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else { return names.text(value, Words::Connection) };
    let end = rest.find(|c: char| "/?#\"'".contains(c) || c.is_whitespace()).unwrap_or(rest.len());
    let Some((login, rest)) = rest.get(..end).and_then(|authority| {
        let at = authority.rfind('@')?;
        Some((authority.get(..at)?, rest.get(at..)?))
    }) else {
        let scheme = names.text(&format!("{scheme}://"), Words::Connection);
        return format!("{scheme}{}", connection(names, rest));
    };
    let scheme = names.text(&format!("{scheme}://"), Words::Connection);
    let login = match login.split_once(':') {
        Some((user, secret)) => {
            let secret = percent_decode_str(secret).decode_utf8_lossy().into_owned();
            format!("{}:{}", names.name(user), password(names, &secret))
        }
        None => names.name(login),
    };
    format!("{scheme}{login}{}", connection(names, rest))
}

/// A password: letters that say nothing of it but how long it is, within limits.
pub(super) fn password(names: &mut Renamer, old: &str) -> String {
    if old.is_empty() {
        return String::new();
    }
    if let Some(new) = names.passwords.get(old) {
        return new.clone();
    }
    let new = names.tokens.fresh(old.chars().count().clamp(12, 32));
    names.passwords.insert(old.to_owned(), new.clone());
    new
}

/// What a secret holds.
pub(super) fn secret(names: &mut Renamer, text: &str) -> String {
    let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) else { return password(names, text) };
    let member = |(name, value): (&String, &Value)| {
        const PLAIN: [&str; 9] = [
            "username",
            "password",
            "engine",
            "host",
            "port",
            "dbname",
            "dbInstanceIdentifier",
            "dbClusterIdentifier",
            "masterarn",
        ];
        const ENGINES: [&str; 6] = ["aurora", "mariadb", "mysql", "postgres", "postgresql", "sqlserver"];
        let known = PLAIN.contains(&name.as_str());
        let new = match (name.as_str(), value) {
            ("password", Value::String(text)) => Value::String(password(names, text)),
            ("engine", Value::String(text)) if ENGINES.contains(&text.as_str()) => value.clone(),
            (_, Value::String(text)) => Value::String(variable(names, name, text)),
            ("port", Value::Number(_)) | (_, Value::Null | Value::Bool(_)) => value.clone(),
            (_, other) => Value::String(password(names, &other.to_string())),
        };
        (if known { name.clone() } else { names.name(name) }, new)
    };
    Value::Object(members.iter().map(member).collect::<Map<_, _>>()).to_string()
}
