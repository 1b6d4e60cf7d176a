//! Where a value keeps the port of a host: right behind it, or under a key of its own.

use std::ops::Range;

use super::escapes;

/// The port right behind a host: `host:3307`, or `host,1433` as SQL Server writes it.
pub(super) fn behind(text: &str, end: usize) -> Option<Range<usize>> {
    let sign = escapes::after(text, end).filter(|sign| matches!(sign.char, ':' | ','))?;
    let start = end + sign.len;
    let port = start..start + digits(&text[start..])?;
    // `10.0.0.1,2.example` and the like are no ports.
    let ends = escapes::after(text, port.end).is_none_or(|next| !next.is_of_a_name() && next.char != '.');
    ends.then_some(port)
}

/// The only port that the value names under a key: `port=3307` in libpq, ADO, JDBC and PHP, `"port": 3307` in JSON.
///
/// Where the host's surroundings are encoded `depth` times, so is the key's: a key outside of the encoded text is of
/// something else. `None` where there are several: which of them belongs to the host is not known then.
pub(super) fn beside(text: &str, host: &Range<usize>, depth: usize) -> Option<Range<usize>> {
    let mut ports = under_keys(text, host, depth);
    match (ports.next(), ports.next()) {
        (Some((_, port)), None) => Some(port),
        _ => None,
    }
}

/// Every key that names a port, from its first letter to the port's last digit.
pub(super) fn pairs(text: &str, host: &Range<usize>, depth: usize) -> Vec<Range<usize>> {
    under_keys(text, host, depth).map(|(key, port)| key..port.end).collect()
}

fn under_keys(text: &str, host: &Range<usize>, depth: usize) -> impl Iterator<Item = (usize, Range<usize>)> {
    let keys = text.match_indices("port").filter(|(at, _)| !host.contains(at));
    keys.filter_map(move |(at, word)| Some((at, under_key(text, at, at + word.len(), depth)?)))
}

/// The digits that a key's value consists of.
fn under_key(text: &str, start: usize, end: usize, depth: usize) -> Option<Range<usize>> {
    // What encloses the encoded text is less encoded.
    let begins =
        escapes::before(text, start).is_none_or(|last| !last.is_of_a_name() && last.char != '.' && last.depth <= depth);
    let at = past_quotes_and_spaces(text, end, depth);
    let sign = escapes::after(text, at).filter(|sign| matches!(sign.char, '=' | ':') && sign.depth == depth)?;
    let at = past_quotes_and_spaces(text, at + sign.len, depth);
    let port = at..at + digits(&text[at..])?;
    let ends = escapes::after(text, port.end).is_none_or(|next| !next.is_of_a_name());
    (begins && ends).then_some(port)
}

fn past_quotes_and_spaces(text: &str, mut at: usize, depth: usize) -> usize {
    while let Some(next) = escapes::after(text, at) {
        // In an encoded form, a space may be a plus.
        let space = matches!(next.char, '"' | '\'' | ' ') || (depth > 0 && next.char == '+');
        if !space || next.depth > depth {
            break;
        }
        at += next.len;
    }
    at
}

/// How many digits a text begins with, if they could be a port.
fn digits(text: &str) -> Option<usize> {
    let count = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    (1..=5).contains(&count).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_found_under_its_key() {
        for (text, found) in [
            ("server=h;port=3307;uid=a", Some("3307")),
            ("host=h port=5433 dbname=a", Some("5433")),
            ("port=5433 host=h", Some("5433")),
            ("mysql:host=h;port=3307;dbname=a", Some("3307")),
            ("{\"host\": \"h\", \"port\": 3307}", Some("3307")),
            ("{\"host\":\"h\",\"port\":\"3307\"}", Some("3307")),
            ("host=h", None),
            ("host=h transport=1234", None),
            ("host=h port=abc", None),
            ("host=h port=123456", None),
            ("host=h port=1 port=2", None),
            ("host=h report: 12", None),
        ] {
            let at = text.find('h').unwrap_or_default();
            let port = beside(text, &(at..at + 1), 0).map(|range| &text[range]);
            assert_eq!(port, found, "{text}");
        }
        for (text, depth, found) in [
            ("host%3dh%3bport%3d3307", 1, Some("3307")),
            ("port%3d3307%3bhost%3dh", 1, Some("3307")),
            ("host%3dh+port+%3d+3307", 1, Some("3307")),
            ("%22port%22%3a3307%2c%22host%22%3a%22h%22", 1, Some("3307")),
            ("host%253dh%253bport%253d3307", 2, Some("3307")),
            // A port outside of the encoded text, and one within an encoded password.
            ("to=host%3dh&port=443", 1, None),
            ("mysql://a:x%3bport%3d12@h/db", 0, None),
            ("mysql://a:x%3bport=12@h/db", 0, None),
        ] {
            let at = text.find('h').unwrap_or_default();
            let port = beside(text, &(at..at + 1), depth).map(|range| &text[range]);
            assert_eq!(port, found, "{text}");
        }
    }

    #[test]
    fn a_port_right_behind_is_one_only_where_it_ends() {
        for (text, found) in [
            ("h:3307", Some("3307")),
            ("h:3307/app", Some("3307")),
            ("h,1433;user", Some("1433")),
            ("h,1433", Some("1433")),
            ("h:", None),
            ("h:330x", None),
            ("h,10.0.0.1", None),
            ("h%3A3307%2Fapp", Some("3307")),
            ("h%253a3307", Some("3307")),
            ("h%2C1433%3Buser", Some("1433")),
            ("h%3A3307%31", None),
            ("h%3A%33307", None),
            ("h", None),
        ] {
            assert_eq!(behind(text, 1).map(|range| &text[range]), found, "{text}");
        }
    }
}
