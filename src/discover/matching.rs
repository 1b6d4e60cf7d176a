//! How policies match: `*` stands for any run of characters, `?` for any one
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>).

use serde_json::Value;

/// The items of what policies write as a list, or as one item alone.
pub(super) fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) => items,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

/// The texts among them.
pub(super) fn texts(value: &Value) -> impl Iterator<Item = &str> {
    list(value).iter().filter_map(Value::as_str)
}

/// Whether a statement's actions, which are written in any case, cover an action in lower case.
pub(super) fn acts(statement: &Value, action: &str) -> bool {
    texts(&statement["Action"]).any(|known| covers(&known.to_ascii_lowercase(), action))
}

/// Whether a pattern of a policy fits a text.
///
/// Others write the patterns, so the work has a limit: only the last `*` is ever tried again, since what an earlier one
/// could take more of, the last one can take as well. That is at most the length of the pattern times that of the text.
pub(super) fn covers(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut rest) = (pattern.chars(), text.chars());
    // After the last `*`, and where its text ends so far.
    let mut retry: Option<(std::str::Chars<'_>, std::str::Chars<'_>)> = None;
    loop {
        let (mut wanted, mut have) = (pattern.clone(), rest.clone());
        match (wanted.next(), have.next()) {
            (Some('*'), _) => {
                retry = Some((wanted.clone(), rest.clone()));
                pattern = wanted;
            }
            (Some(one), Some(c)) if one == '?' || one == c => (pattern, rest) = (wanted, have),
            (None, None) => return true,
            _ => {
                let Some((after, mut longer)) = retry.take() else { return false };
                if longer.next().is_none() {
                    return false;
                }
                (pattern, rest) = (after.clone(), longer.clone());
                retry = Some((after, longer));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::covers;

    /// The same said plainly, in exponential time.
    fn plainly(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], text) => text.is_empty(),
            (['*', rest @ ..], text) => (0..=text.len()).any(|at| plainly(rest, &text[at..])),
            ([one, rest @ ..], [c, more @ ..]) => (*one == '?' || one == c) && plainly(rest, more),
            (_, []) => false,
        }
    }

    /// Every text of some letters, up to a length.
    fn all(letters: &[char], length: usize) -> Vec<Vec<char>> {
        let mut found = vec![Vec::new()];
        let mut last = found.clone();
        for _ in 0..length {
            last = last.iter().flat_map(|text| letters.iter().map(|c| [text.as_slice(), &[*c]].concat())).collect();
            found.extend(last.clone());
        }
        found
    }

    #[test]
    fn every_short_pattern_matches_what_it_says() {
        let texts = all(&['a', 'é', '*'], 4);
        for pattern in all(&['a', 'é', '*', '?'], 5) {
            let written: String = pattern.iter().collect();
            for text in &texts {
                assert_eq!(
                    covers(&written, &text.iter().collect::<String>()),
                    plainly(&pattern, text),
                    "{written} {text:?}"
                );
            }
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let began = Instant::now();
        let (pattern, text) = (format!("{}b", "*a".repeat(1_000)), "a".repeat(6_000));
        assert!(!covers(&pattern, &text));
        assert!(covers(&"*a".repeat(1_000), &text));
        assert!(!covers(&format!("*{}b", "a".repeat(1_000)), &text));
        // Twelve million comparisons at most; without the limit, it would never end.
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    }
}
