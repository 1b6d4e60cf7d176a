//! Terraform's language: expressions, bodies, and their text as `terraform fmt` writes it.
//!
//! Structures are built and printed by `hcl-rs`. Two things are added: strings are escaped here, since a `$` before
//! `${` would lose its meaning otherwise, and equals signs are aligned.

use hcl::expr::{TemplateExpr, Traversal, Variable};
use hcl::format::{Format as _, Formatter};
use hcl::{Block, Body, Expression, Identifier, Object, ObjectKey, Structure};
use serde_json::Value;

use crate::stack::Tags;
use crate::{Error, one_line};

/// A part of a file: a comment, and what it is about.
pub(crate) struct Section {
    /// The comment, one line each.
    pub(crate) comment: Vec<String>,
    /// What follows.
    pub(crate) body: Body,
}

/// A string, whatever it holds.
pub(crate) fn text(text: &str) -> Expression {
    Expression::from(TemplateExpr::QuotedString(escaped(text)))
}

/// A string's characters as they stand between quotes.
fn escaped(text: &str) -> String {
    let mut all = String::new();
    for c in text.replace("${", "$${").replace("%{", "%%{").chars() {
        match c {
            '"' => all.push_str("\\\""),
            '\\' => all.push_str("\\\\"),
            '\n' => all.push_str("\\n"),
            '\r' => all.push_str("\\r"),
            '\t' => all.push_str("\\t"),
            c if c.is_control() => all.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => all.push(c),
        }
    }
    all
}

/// A list of strings.
pub(crate) fn texts(all: &[String]) -> Expression {
    Expression::Array(all.iter().map(|one| text(one)).collect())
}

/// A reference such as `aws_db_proxy.proxy.name`.
pub(crate) fn reference(path: &[&str]) -> Expression {
    let Some((first, rest)) = path.split_first() else { return Expression::Null };
    let mut built = Traversal::builder(Variable::sanitized(first));
    for part in rest {
        built = built.attr(Identifier::sanitized(part));
    }
    Expression::from(built.build())
}

/// A map of strings.
pub(crate) fn map<'a>(entries: impl IntoIterator<Item = (&'a String, Expression)>) -> Expression {
    Expression::Object(entries.into_iter().map(|(name, value)| (key(name), value)).collect::<Object<_, _>>())
}

/// A key as people write it: without quotes where it is a plain name.
fn key(name: &str) -> ObjectKey {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !matches!(name, "true" | "false" | "null" | "for" | "if");
    if plain { ObjectKey::Identifier(Identifier::sanitized(name)) } else { ObjectKey::Expression(text(name)) }
}

/// Tags.
pub(crate) fn tags(tags: &Tags) -> Expression {
    map(tags.iter().map(|(key, value)| (key, text(value))))
}

/// What takes the place of a text in a document.
pub(crate) struct Instead<'a> {
    /// The text.
    pub(crate) text: &'a str,
    /// The reference, as it stands between `${` and `}`.
    pub(crate) reference: String,
    /// Whether it takes the place of whole strings alone.
    pub(crate) whole: bool,
}

/// A policy document as an object, with references in the place of what this configuration knows.
pub(crate) fn document(value: &Value, instead: &[Instead<'_>]) -> Expression {
    match value {
        Value::Null => Expression::Null,
        Value::Bool(yes) => Expression::from(*yes),
        Value::Number(number) => number.as_i64().map_or_else(|| text(&number.to_string()), Expression::from),
        Value::String(string) => referring(string, instead),
        Value::Array(all) => Expression::Array(all.iter().map(|one| document(one, instead)).collect()),
        Value::Object(members) => map(members.iter().map(|(key, value)| (key, document(value, instead)))),
    }
}

fn referring(string: &str, instead: &[Instead<'_>]) -> Expression {
    let fits = |one: &&Instead<'_>| if one.whole { string == one.text } else { string.contains(one.text) };
    let Some(found) = instead.iter().filter(|one| !one.text.is_empty()).find(fits) else { return text(string) };
    if string == found.text {
        return reference(&found.reference.split('.').collect::<Vec<_>>());
    }
    let parts: Vec<String> = string.split(found.text).map(escaped).collect();
    Expression::from(TemplateExpr::QuotedString(parts.join(&format!("${{{}}}", found.reference))))
}

/// A block with labels.
pub(crate) fn block(kind: &str, labels: &[&str], body: impl IntoIterator<Item = Structure>) -> Block {
    let mut built = Block::builder(Identifier::sanitized(kind));
    for label in labels {
        built = built.add_label(*label);
    }
    built.add_structures(body).build()
}

/// An attribute.
pub(crate) fn attribute(key: &str, value: impl Into<Expression>) -> Structure {
    Structure::from(hcl::Attribute::new(Identifier::sanitized(key), value.into()))
}

/// The text of a file: its head as a comment, and its sections.
pub(crate) fn file(name: &'static str, head: &[String], sections: &[Section]) -> Result<String, Error> {
    let comment = |lines: &[String]| -> String {
        lines.iter().map(|line| format!("# {}", one_line(line)).trim_end().to_owned() + "\n").collect()
    };
    let mut whole = comment(head);
    for section in sections {
        let mut formatter = Formatter::builder().prefer_ident_keys(true).build_vec();
        section.body.format(&mut formatter).map_err(|source| Error::Hcl { file: name, source })?;
        let printed = String::from_utf8_lossy(&formatter.into_inner()).into_owned();
        if !whole.is_empty() {
            whole.push('\n');
        }
        whole.push_str(&comment(&section.comment));
        whole.push_str(&aligned(&printed));
    }
    Ok(whole)
}

/// Where the equals sign of an attribute stands that begins and ends on one line, as it was printed: no string holds a
/// line break.
fn assignment(line: &str) -> Option<usize> {
    if line.ends_with(['{', '[', '(']) {
        return None;
    }
    let indent = line.len() - line.trim_start().len();
    let rest = &line[indent..];
    let key = match rest.strip_prefix('"') {
        // The first quote that no backslash escapes.
        Some(quoted) => {
            let mut before = ' ';
            let end = quoted.char_indices().find(|(_, c)| {
                let ends = *c == '"' && before != '\\';
                before = if before == '\\' { ' ' } else { *c };
                ends
            });
            end?.0 + 2
        }
        None => rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-'))?,
    };
    rest[key..].starts_with(" = ").then_some(indent + key)
}

/// Aligns the equals signs of attributes on neighboring lines.
fn aligned(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut all = String::new();
    let mut at = 0;
    while at < lines.len() {
        let run: Vec<usize> = lines[at..].iter().map_while(|line| assignment(line)).collect();
        // Names are as wide as they have characters.
        let width = |line: &str, at: usize| line[..at].chars().count();
        let widest = run.iter().zip(&lines[at..]).map(|(&end, line)| width(line, end)).max().unwrap_or(0);
        for (&end, line) in run.iter().zip(&lines[at..]) {
            let gap = " ".repeat(widest - width(line, end));
            all.push_str(&format!("{}{gap}{}\n", &line[..end], &line[end..]));
        }
        at += run.len();
        if run.is_empty() {
            all.push_str(lines[at]);
            all.push('\n');
            at += 1;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::aligned;

    #[test]
    fn equals_signs_of_neighbors_are_aligned() {
        let text = "a {\n  b = 1\n  long = \"x = y\"\n  many = [\n    1\n  ]\n  c = 2\n  \"d\\\" = e\" = 3\n}\n";
        let wanted =
            "a {\n  b    = 1\n  long = \"x = y\"\n  many = [\n    1\n  ]\n  c         = 2\n  \"d\\\" = e\" = 3\n}\n";
        assert_eq!(aligned(text), wanted);
    }
}
