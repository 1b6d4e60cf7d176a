//! Where a value keeps the port of a host: right behind it, or under a key of its own.

use std::ops::Range;

/// The port right behind a host: `host:3307`, or `host,1433` as SQL Server writes it.
pub(super) fn behind(text: &str, end: usize) -> Option<Range<usize>> {
    let rest = text[end..].strip_prefix([':', ','])?;
    let digits = digits(rest)?;
    let next = rest[digits..].chars().next();
    // `10.0.0.1,2.example` and the like are no ports.
    let ends = next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '.' && c != '-');
    ends.then(|| end + 1..end + 1 + digits)
}

/// The only port that the value names under a key: `port=3307` in libpq, ADO, JDBC and PHP, `"port": 3307` in JSON.
///
/// `None` where there are several: which of them belongs to the host is not known then.
pub(super) fn beside(text: &str, host: &Range<usize>) -> Option<Range<usize>> {
    let keys = text.match_indices("port").filter(|(at, _)| !host.contains(at));
    let mut ports = keys.filter_map(|(at, word)| under_key(text, at, at + word.len()));
    match (ports.next(), ports.next()) {
        (Some(port), None) => Some(port),
        _ => None,
    }
}

/// The digits that a key's value consists of.
fn under_key(text: &str, start: usize, end: usize) -> Option<Range<usize>> {
    let before = text[..start].chars().next_back();
    if before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '.') {
        return None;
    }
    let quote_or_space = |c: char| c == '"' || c == '\'' || c == ' ';
    let rest = text[end..].trim_start_matches(quote_or_space);
    let rest = rest.strip_prefix(['=', ':'])?.trim_start_matches(quote_or_space);
    let at = text.len() - rest.len();
    let digits = digits(rest)?;
    let ends = rest[digits..].chars().next().is_none_or(|c| !c.is_ascii_alphanumeric());
    ends.then(|| at..at + digits)
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
            let port = beside(text, &(at..at + 1)).map(|range| &text[range]);
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
            ("h", None),
        ] {
            assert_eq!(behind(text, 1).map(|range| &text[range]), found, "{text}");
        }
    }
}
