//! Texts that others wrote, within Markdown.

/// What means something to GitHub's Markdown, whether it is written in the middle of a line or not.
const MARKS: &str = "&<>\"`*_[]()!|~$\\#^{}";

/// A text that is nothing but text: what would mean something is an entity, which never does
/// (<https://spec.commonmark.org/0.31.2/#entity-and-numeric-character-references>).
///
/// A mention is found in what is shown and not in what is written, so an unseen character of ours stands between `@`
/// and a name.
#[must_use]
pub fn text(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        let before = shown.chars().next_back();
        match c {
            '\n' | '\r' | '\t' => shown.push(' '),
            '@' if after.starts_with(|next: char| next.is_alphanumeric()) => shown.push_str("@\u{200b}"),
            // Links without brackets: https://… and www.…
            ':' if after.starts_with("//") => shown.push_str("&#58;"),
            '.' if matches!(before, Some('w' | 'W')) => shown.push_str("&#46;"),
            c if MARKS.contains(c) => shown.push_str(&format!("&#{};", u32::from(c))),
            c => shown.push(c),
        }
        rest = after;
    }
    shown
}

/// A table of cells that are Markdown already; nothing where there are no rows.
pub(crate) fn table(head: &[&str], rows: &[Vec<String>]) -> Option<String> {
    if rows.is_empty() {
        return None;
    }
    let row = |cells: Vec<String>| format!("| {} |", cells.join(" | "));
    let line = |cell: &str| head.iter().map(|_| cell.to_owned()).collect();
    let first = row(head.iter().map(|&cell| cell.to_owned()).collect());
    let lines = [first, row(line("---"))].into_iter().chain(rows.iter().cloned().map(row));
    Some(lines.collect::<Vec<_>>().join("\n"))
}
