//! What of a call may be kept.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::members::{Class, also_kept, also_name, class};
use crate::pseudonyms::{Pseudonyms, is_known, is_plain_word};
use crate::wire::unescaped;

/// The tags of this program, whose values are names.
const OURS: &str = "rdsproxy-setup:";
/// The longest name: an ARN of a long resource.
const LONGEST: usize = 1_024;
/// Nothing of AWS's nests deeper.
const DEEPEST: usize = 24;

/// The services whose members the allow-list knows.
const SERVICES: [&str; 11] = [
    "rds",
    "ec2",
    "iam",
    "sts",
    "lambda",
    "kms",
    "secretsmanager",
    "cloudwatch",
    "cloudwatchlogs",
    "pricing",
    "servicequotas",
];

/// The ends of AWS's hosts of databases and proxies.
const ENDS: [&str; 2] = [".rds.amazonaws.com", ".rds.amazonaws.com.cn"];

/// Settings of a database whose values are numbers, switches or formulas of AWS's.
const PARAMETERS: [&str; 8] = [
    "idle_in_transaction_session_timeout",
    "interactive_timeout",
    "max_connections",
    "max_user_connections",
    "rds.force_ssl",
    "require_secure_transport",
    "superuser_reserved_connections",
    "wait_timeout",
];

/// Redacts and renames; one for a whole recording.
#[derive(Debug)]
pub struct Redactor {
    names: Pseudonyms,
    /// Hosts that AWS named as those of databases and proxies.
    hosts: BTreeSet<String>,
}

/// What stands in the place of a value.
#[must_use]
pub fn mark(value: &Value) -> String {
    let count = |count: usize, one: &str| format!("{count} {one}{}", if count == 1 { "" } else { "s" });
    match value {
        Value::Null => "<redacted: null>".to_owned(),
        Value::Bool(_) => "<redacted: boolean>".to_owned(),
        Value::Number(_) => "<redacted: number>".to_owned(),
        Value::String(text) => format!("<redacted: string, {}>", count(text.chars().count(), "character")),
        Value::Array(items) => format!("<redacted: list, {}>", count(items.len(), "item")),
        Value::Object(members) => format!("<redacted: object, {}>", count(members.len(), "member")),
    }
}

fn redacted(value: &Value) -> Value {
    match value {
        Value::Null => Value::Null,
        // XML has an empty element for an empty list and for nothing.
        Value::String(text) if text.is_empty() => Value::String(String::new()),
        value => Value::String(mark(value)),
    }
}

impl Redactor {
    /// One that gives pseudonyms, or with `plain` one that leaves names as they are.
    #[must_use]
    pub fn new(plain: bool) -> Self {
        Self { names: Pseudonyms::new(plain), hosts: BTreeSet::new() }
    }

    /// A request's or a response's members.
    pub fn members(&mut self, service: &str, members: &Value) -> Value {
        let service = service.to_lowercase().replace(' ', "");
        match members {
            _ if !SERVICES.contains(&service.as_str()) => redacted(members),
            Value::Object(_) => self.structure(&service, "", members, 0),
            Value::Null => Value::Null,
            other => redacted(other),
        }
    }

    /// A name, id, host or path of the program's own.
    pub fn name(&mut self, text: &str) -> String {
        if is_name(text) { self.names.name(text) } else { mark(&Value::String(text.to_owned())) }
    }

    /// The path of a request.
    pub fn path(&mut self, text: &str) -> String {
        self.names.path(&unescaped(text))
    }

    /// A sentence of AWS's or of the program's.
    pub fn sentence(&mut self, text: &str) -> String {
        self.names.sentence(text)
    }

    /// A word of AWS's or of the program's.
    pub fn word(&mut self, text: &str) -> String {
        let known = text.split(|c: char| !c.is_alphanumeric()).filter(|token| !token.is_empty()).all(is_plain_word);
        if is_word(text) && known { text.to_owned() } else { mark(&Value::String(text.to_owned())) }
    }

    fn structure(&mut self, service: &str, around: &str, value: &Value, depth: usize) -> Value {
        if depth > DEEPEST {
            return redacted(value);
        }
        match value {
            Value::Object(members) => {
                let parameter = members.get("ParameterName").and_then(Value::as_str);
                let known = parameter.is_some_and(|name| PARAMETERS.contains(&name));
                let one = |(name, held): (&String, &Value)| {
                    let key = name.to_lowercase();
                    let class = match class(service, around, &key) {
                        Class::Parameter if known => Class::Kept,
                        class => class,
                    };
                    let shown = if class == Class::Redacted { self.unknown(name) } else { name.clone() };
                    (shown, self.held(service, &key, class, held, depth + 1))
                };
                Value::Object(members.iter().map(one).collect())
            }
            Value::Array(items) => items.iter().map(|item| self.structure(service, around, item, depth + 1)).collect(),
            Value::String(text) if text.is_empty() => value.clone(),
            text @ Value::String(_) if also_name(around) => self.held(service, around, Class::Name, text, depth + 1),
            text @ Value::String(_) if also_kept(around) => self.held(service, around, Class::Kept, text, depth + 1),
            other => redacted(other),
        }
    }

    /// The name of a member that is on no list: AWS's words stay, anything else does not.
    fn unknown(&mut self, name: &str) -> String {
        if is_known(name) { name.to_owned() } else { self.names.sentence(name) }
    }

    fn held(&mut self, service: &str, key: &str, class: Class, value: &Value, depth: usize) -> Value {
        match (class, value) {
            (_, Value::Null) => Value::Null,
            (Class::Structure, value) | (Class::Policy | Class::Host, value @ Value::Object(_)) => {
                self.structure(service, key, value, depth)
            }
            (Class::Policy, Value::String(text)) => Value::String(self.policy(text)),
            (Class::Kept | Class::Number, Value::Bool(_) | Value::Number(_)) => value.clone(),
            // A moment.
            (Class::Kept, Value::Object(members)) if members.len() == 1 && members.contains_key("@time") => {
                if members["@time"].is_number() {
                    value.clone()
                } else {
                    redacted(value)
                }
            }
            (Class::Kept, Value::String(text)) => Value::String(self.word(text)),
            (Class::Name, Value::String(text)) => Value::String(self.name(text)),
            (Class::Host, Value::String(text)) => Value::String(self.host(text)),
            (Class::Sentence, Value::String(text)) => Value::String(self.sentence(text)),
            (Class::Kept | Class::Name | Class::Host | Class::Number, Value::Array(items)) => {
                items.iter().map(|item| self.held(service, key, class, item, depth + 1)).collect()
            }
            (Class::Variables, Value::Object(variables)) => self.variables(variables),
            (Class::Tags, Value::Object(tags)) => self.tag_map(tags),
            (Class::Tags, Value::Array(tags)) => tags.iter().map(|tag| self.tag(tag)).collect(),
            (Class::Stages, Value::Object(stages)) => {
                let one = |(name, held): (&String, &Value)| {
                    (self.name(name), self.held(service, key, Class::Kept, held, depth + 1))
                };
                Value::Object(stages.iter().map(one).collect())
            }
            (_, other) => redacted(other),
        }
    }

    fn host(&mut self, text: &str) -> String {
        if ENDS.iter().any(|end| text.ends_with(end)) && is_name(text) {
            self.hosts.insert(text.to_lowercase());
        }
        self.name(text)
    }

    fn variables(&mut self, variables: &Map<String, Value>) -> Value {
        let one = |(name, held): (&String, &Value)| (self.name(name), Value::String(self.variable(name, held)));
        Value::Object(variables.iter().map(one).collect())
    }

    /// Of a variable's value, the parts that the program reads: a host that AWS named, and a port.
    fn variable(&mut self, name: &str, value: &Value) -> String {
        let Value::String(text) = value else { return mark(value) };
        let lower = text.to_lowercase();
        let mut parts = String::new();
        let mut port = None;
        for (host, after) in hosts(&lower) {
            // Under a pseudonym no host says anything; as it is, it must be one that AWS named.
            if self.names.is_plain() && !self.hosts.contains(host) {
                continue;
            }
            parts.push_str(&format!("; host {}", self.names.name(host)));
            let digits = after.strip_prefix(':').unwrap_or_default();
            port =
                port.or_else(|| as_port(&digits[..digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len())]));
        }
        if name.to_lowercase().contains("port") {
            port = port.or_else(|| as_port(text));
        }
        if let Some(port) = port {
            parts.push_str(&format!("; port {port}"));
        }
        mark(value).replace('>', &format!("{parts}>"))
    }

    fn tag_map(&mut self, tags: &Map<String, Value>) -> Value {
        let one = |(key, held): (&String, &Value)| (self.name(key), self.tag_value(key, held));
        Value::Object(tags.iter().map(one).collect())
    }

    fn tag(&mut self, tag: &Value) -> Value {
        let Value::Object(members) = tag else { return redacted(tag) };
        let key = members.iter().find(|(name, _)| name.eq_ignore_ascii_case("key")).and_then(|(_, key)| key.as_str());
        let key = key.unwrap_or_default().to_owned();
        let one = |(name, held): (&String, &Value)| match name.to_lowercase().as_str() {
            "key" => (name.clone(), held.as_str().map_or_else(|| redacted(held), |key| Value::String(self.name(key)))),
            "value" => (name.clone(), self.tag_value(&key, held)),
            "resourceid" | "resourcetype" => {
                (name.clone(), held.as_str().map_or_else(|| redacted(held), |text| Value::String(self.name(text))))
            }
            _ => (self.unknown(name), redacted(held)),
        };
        Value::Object(members.iter().map(one).collect())
    }

    fn tag_value(&mut self, key: &str, held: &Value) -> Value {
        match held {
            // What the program itself writes: names, hosts, words.
            Value::String(text) if key.starts_with(OURS) && is_name(text) => Value::String(self.names.name(text)),
            other => redacted(other),
        }
    }

    /// A policy: who may do what to what. Its names of statements and its conditions' values are somebody's own.
    fn policy(&mut self, text: &str) -> String {
        let plain = if text.trim_start().starts_with('{') { text.to_owned() } else { unescaped(text) };
        match serde_json::from_str::<Value>(&plain) {
            Ok(document @ Value::Object(_)) => self.part(&document, "").to_string(),
            _ => mark(&Value::String(text.to_owned())),
        }
    }

    fn part(&mut self, value: &Value, under: &str) -> Value {
        match (under, value) {
            ("" | "Statement", Value::Object(members)) => {
                let one = |(name, held): (&String, &Value)| {
                    const KNOWN: [&str; 11] = [
                        "Version",
                        "Statement",
                        "Effect",
                        "Action",
                        "NotAction",
                        "Principal",
                        "NotPrincipal",
                        "Resource",
                        "NotResource",
                        "Condition",
                        "Sid",
                    ];
                    if KNOWN.contains(&name.as_str()) {
                        (name.clone(), self.part(held, name))
                    } else {
                        (self.unknown(name), redacted(held))
                    }
                };
                Value::Object(members.iter().map(one).collect())
            }
            ("Principal" | "NotPrincipal", Value::Object(members)) => {
                let one = |(name, held): (&String, &Value)| (self.word(name), self.part(held, "Resource"));
                Value::Object(members.iter().map(one).collect())
            }
            ("Condition", Value::Object(operators)) => {
                let inner = |keys: &Value, names: &mut Self| match keys {
                    Value::Object(keys) => {
                        Value::Object(keys.iter().map(|(key, held)| (names.name(key), redacted(held))).collect())
                    }
                    other => redacted(other),
                };
                Value::Object(
                    operators.iter().map(|(operator, keys)| (operator_name(operator), inner(keys, self))).collect(),
                )
            }
            (under, Value::Array(items)) if under != "Condition" => {
                items.iter().map(|item| self.part(item, under)).collect()
            }
            ("Version" | "Effect", Value::String(text)) => Value::String(self.word(text)),
            ("Action" | "NotAction", Value::String(text)) if is_action(text) => value.clone(),
            ("Principal" | "NotPrincipal" | "Resource" | "NotResource", Value::String(text)) => {
                Value::String(self.name(text))
            }
            (_, other) => redacted(other),
        }
    }
}

/// The hosts of databases and proxies in a text, each with what follows it.
fn hosts(text: &str) -> Vec<(&str, &str)> {
    let mut found = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find(".rds.amazonaws.com").map(|at| from + at) {
        let end = ENDS.iter().filter(|end| text[at..].starts_with(**end)).map(|end| at + end.len()).max().unwrap_or(at);
        let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let start = text[..at]
            .rfind(|c: char| !inside(c))
            .map_or(0, |before| before + text[before..].chars().next().map_or(1, char::len_utf8));
        let whole = !text[end..].starts_with(|c: char| inside(c));
        if whole && start < at && end - start <= 255 {
            found.push((&text[start..end], &text[end..]));
        }
        from = end.max(at + 1);
    }
    found
}

/// An operator of a condition, as IAM has them.
fn operator_name(operator: &str) -> String {
    const PARTS: [&str; 18] = [
        "ForAllValues:",
        "ForAnyValue:",
        "String",
        "Numeric",
        "Date",
        "Bool",
        "Binary",
        "Ip",
        "Arn",
        "Null",
        "Not",
        "Equals",
        "Like",
        "IgnoreCase",
        "LessThan",
        "GreaterThan",
        "Address",
        "IfExists",
    ];
    let mut rest = operator;
    while let Some(part) = PARTS.iter().find(|part| rest.starts_with(**part)) {
        rest = &rest[part.len()..];
    }
    if rest.is_empty() { operator.to_owned() } else { mark(&Value::String(operator.to_owned())) }
}

fn as_port(text: &str) -> Option<u16> {
    text.parse().ok().filter(|port| *port != 0)
}

/// A form that names, ids and ARNs have, and sentences and documents do not.
fn is_name(text: &str) -> bool {
    text.len() <= LONGEST
        && !text.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '{' | '}' | '<' | '>' | '"'))
}

/// A form that AWS's words, versions, times and formulas have.
fn is_word(text: &str) -> bool {
    text.len() <= 64 && text.chars().all(|c| c.is_ascii_alphanumeric() || " ._:/$+-*,(){}".contains(c))
}

fn is_action(text: &str) -> bool {
    let letters = |text: &str| text.chars().all(|c| c.is_ascii_alphabetic() || matches!(c, '*' | '?'));
    let service = |text: &str| {
        !text.is_empty()
            && text.len() <= 24
            && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
    };
    text == "*" || text.split_once(':').is_some_and(|(of, action)| service(of) && action.len() <= 64 && letters(action))
}
