//! Texts that others wrote, as one line of what people read: nothing in it moves a cursor, turns a line around or
//! begins a new one.

use std::borrow::Cow;

/// The most characters of one text that people are shown.
const MOST: usize = 4_000;

/// Whether a terminal acts on a character, or does not show: controls, marks of direction, characters without width.
#[must_use]
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// A text as one line without unseen characters, each of which is shown as `\u{1b}`; what is too long is cut.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    let long = text.len() > MOST && text.chars().nth(MOST).is_some();
    if !long && !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars().take(MOST) {
        if is_unseen(c) { shown.extend(c.escape_unicode()) } else { shown.push(c) }
    }
    if long {
        shown.push('…');
    }
    Cow::Owned(shown)
}

/// How many of what: `1 change`, `2 changes`.
#[must_use]
pub fn counted(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}

/// A clause with a capital letter at its beginning.
#[must_use]
pub fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// A styled text as the streams take it: lines and our color codes, and no other control. What others wrote went
/// through [`line`] before; this is the net for what was forgotten.
#[must_use]
pub fn styled(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unseen) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let codes = rest
            .strip_prefix("\u{1b}[")
            .map(|codes| codes.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';'));
        if let Some(after) = codes.and_then(|codes| codes.strip_prefix('m')) {
            shown.push_str(&rest[..rest.len() - after.len()]);
            rest = after;
            continue;
        }
        if c != '\n' && is_unseen(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    Cow::Owned(shown)
}

/// JSON as a terminal shows it safely: what JSON itself lets stand is escaped as JSON escapes, so that it reads back.
#[must_use]
pub fn json(document: &str) -> Cow<'_, str> {
    let unsafe_there = |c: char| c != '\n' && is_unseen(c);
    if !document.contains(unsafe_there) {
        return Cow::Borrowed(document);
    }
    let mut shown = String::with_capacity(document.len());
    for c in document.chars() {
        if unsafe_there(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                shown.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::{MOST, is_unseen, json, line, styled};

    #[test]
    fn no_character_makes_a_line_that_a_terminal_acts_on() {
        for c in '\0'..=char::MAX {
            let text = format!("a{c}b");
            let shown = line(&text);
            assert!(!shown.contains(is_unseen) && !shown.contains(char::is_control), "{c:?}");
            let document = serde_json::to_string(&text).unwrap();
            let safe = json(&document);
            assert!(!safe.contains(is_unseen), "{c:?}");
            assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), text);
        }
        assert_eq!(line("app\n+ 13  x\u{1b}[2K\u{202e}"), "app\\u{a}+ 13  x\\u{1b}[2K\\u{202e}");
        assert_eq!(
            styled("\u{1b}[1;31merror:\u{1b}[0m a\nb\u{1b}[2K\r"),
            "\u{1b}[1;31merror:\u{1b}[0m a\nb\\u{1b}[2K\\u{d}"
        );
        assert_eq!(line("ünïcode, 名前"), "ünïcode, 名前");
        assert_eq!(line(&"x".repeat(9_999)).chars().count(), MOST + 1);
    }
}
