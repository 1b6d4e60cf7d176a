//! Characters of a value as they are meant: `%40` within an encoded connection string is an `@`.
//!
//! A value may be a URL that was percent-encoded as a whole (<https://www.rfc-editor.org/rfc/rfc3986#section-2.1>),
//! even twice (`%2540`). A host name and a port consist of characters that no encoder touches, so they appear in it as
//! they are, and only what surrounds them is read differently.

/// One character, as it is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Glyph {
    /// The character.
    pub(super) char: char,
    /// How often it is encoded: 0 where it stands as it is.
    pub(super) depth: usize,
    /// How many bytes it takes.
    pub(super) len: usize,
}

impl Glyph {
    fn plain(char: char) -> Self {
        Self { char, depth: 0, len: char.len_utf8() }
    }

    fn escaped(hex: &str, depth: usize, len: usize) -> Option<Self> {
        let byte = u8::from_str_radix(hex, 16).ok()?;
        // A byte of a longer character; which one does not matter.
        let char = if byte.is_ascii() { char::from(byte) } else { char::REPLACEMENT_CHARACTER };
        Some(Self { char, depth, len })
    }

    /// Whether it may be part of a host name's label.
    ///
    /// The bytes of longer characters count as such: `%ab` in front of a name may be meant as it stands.
    pub(super) fn is_of_a_name(self) -> bool {
        let Self { char, depth, .. } = self;
        char.is_ascii_alphanumeric() || char == '-' || char == '_' || (depth > 0 && !char.is_ascii())
    }
}

fn is_hex(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The character that begins at a place.
pub(super) fn after(text: &str, at: usize) -> Option<Glyph> {
    let rest = text.get(at..)?;
    let escaped = rest.strip_prefix('%').and_then(|mut inner| {
        let mut depth = 1;
        while let Some(deeper) = inner.strip_prefix("25").filter(|deeper| deeper.get(..2).is_some_and(is_hex)) {
            (inner, depth) = (deeper, depth + 1);
        }
        let hex = inner.get(..2).filter(|hex| is_hex(hex))?;
        Glyph::escaped(hex, depth, 1 + 2 * depth)
    });
    escaped.or_else(|| rest.chars().next().map(Glyph::plain))
}

/// The character that ends at a place.
pub(super) fn before(text: &str, at: usize) -> Option<Glyph> {
    let rest = text.get(..at)?;
    let escaped = rest.len().checked_sub(2).and_then(|split| {
        let hex = rest.get(split..).filter(|hex| is_hex(hex))?;
        let mut outer = rest.get(..split)?;
        let mut depth = 1;
        while let Some(further) = outer.strip_suffix("25") {
            (outer, depth) = (further, depth + 1);
        }
        outer.ends_with('%').then(|| Glyph::escaped(hex, depth, 1 + 2 * depth))?
    });
    escaped.or_else(|| rest.chars().next_back().map(Glyph::plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_read_from_both_sides() {
        for (text, char, depth) in [
            ("@", '@', 0),
            ("%40", '@', 1),
            ("%2540", '@', 2),
            ("%252540", '@', 3),
            ("%25", '%', 1),
            ("%2525", '%', 2),
            ("%3a", ':', 1),
            ("%ED", char::REPLACEMENT_CHARACTER, 1),
            ("한", '한', 0),
        ] {
            let glyph = Some(Glyph { char, depth, len: text.len() });
            assert_eq!(after(text, 0), glyph, "{text}");
            assert_eq!(before(text, text.len()), glyph, "{text}");
        }
        for (text, first, last) in [("%4", '%', '4'), ("%zz", '%', 'z'), ("2540", '2', '0'), ("%한", '%', '한')] {
            assert_eq!(after(text, 0).map(|glyph| glyph.char), Some(first), "{text}");
            assert_eq!(before(text, text.len()).map(|glyph| glyph.char), Some(last), "{text}");
        }
        assert_eq!((after("", 0), before("", 0)), (None, None));
    }
}
