//! Words of a POSIX shell.

use crate::plain::is_unseen;

/// A word that a shell reads back as it is.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    if word.contains(is_unseen) {
        return seen(word);
    }
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
}

/// A word with unseen characters, in the notation for which bash, zsh and ksh know escapes: a person who copies the
/// line sees all that it holds, and the terminal acts on none of it.
fn seen(word: &str) -> String {
    let mut text = String::from("$'");
    for c in word.chars() {
        match c {
            '\'' | '\\' => text.extend(['\\', c]),
            c if is_unseen(c) => {
                for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                    text.push_str(&format!("\\{byte:03o}"));
                }
            }
            c => text.push(c),
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn every_word_comes_back_as_it_was() {
        for word in [
            "plain",
            "",
            "two words",
            "it's",
            "$HOME `id` $(id)",
            "!history",
            "a\\b",
            "\"x\"",
            "--ca=a b",
            "ü~*?[#;&|<>",
        ] {
            let line = format!("x {} y", quoted(word));
            assert_eq!(shlex::split(&line).as_deref(), Some(["x", word, "y"].map(str::to_owned).as_slice()), "{line}");
        }
        assert_eq!(quoted("a'\u{1b}]0;x\u{7}\n\u{202e}\\"), "$'a\\'\\033]0;x\\007\\012\\342\\200\\256\\\\'");
        assert_eq!(quoted("--ssl-ca=AmazonRootCA1.pem"), "--ssl-ca=AmazonRootCA1.pem");
    }
}
