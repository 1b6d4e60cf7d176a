//! Words of a POSIX shell.

/// A word that a shell reads back as it is.
#[must_use]
pub fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r#"'"'"'"#))
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
        assert_eq!(quoted("--ssl-ca=AmazonRootCA1.pem"), "--ssl-ca=AmazonRootCA1.pem");
    }
}
