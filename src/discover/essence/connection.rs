//! What is read of a connection string, byte by byte.

use std::ops::Range;

use crate::discover::auth::is_login;
use crate::discover::hosts::{self, KnownHost, Mention};
use crate::discover::{escapes, phrases, ports};

/// What checks look for in a value, whatever it is, in lower case: TLS that is off, bundles of certificates, start-up
/// options.
const PHRASES: [&[&str]; 4] = [&phrases::NO_TLS, &phrases::RDS_BUNDLES, &phrases::CONNECTION, &phrases::OPTIONS];

/// What separates pairs of a key and its value.
const PAIRS: [char; 4] = [';', ' ', '?', '&'];
/// Keys of which it matters whether they have a value.
const SECRET: [&str; 2] = ["password", "pwd"];
/// Keys whose values are names, or turn IAM on.
const NAMED: [&str; 6] = ["user", "uid", "username", "dbname", "database", "plugins"];

/// Where the phrases stand that checks look for.
pub(super) fn phrases_in(value: &str) -> Vec<Range<usize>> {
    let lower = value.to_ascii_lowercase();
    PHRASES
        .iter()
        .copied()
        .flatten()
        .flat_map(|word| lower.match_indices(word))
        .map(|(at, word)| at..at + word.len())
        .collect()
}

/// What is read of a value that holds known hosts.
pub(super) fn parts(value: &str, known: &[KnownHost]) -> Vec<Range<usize>> {
    let mut kept = phrases_in(value);
    let found = hosts::mentions(value, known);
    for mention in &found {
        kept.push(around(value, &mention.host));
        kept.extend(mention.port.iter().map(|port| around(value, port)));
    }
    // Where several keys name a port, none of them is taken for the host's, so all of them stay.
    if let [only] = found.as_slice() {
        for pair in ports::pairs(&value.to_ascii_lowercase(), &only.host, hosts::depth(value, &only.host)) {
            kept.push(around(value, &pair));
        }
    }
    if let Some(first) = found.first() {
        let (text, from) = meant(value, hosts::depth(value, &first.host));
        let inner = hosts::mentions(&text, known);
        let said = inner.first().map(|first| said(&text, first)).unwrap_or_default();
        kept.extend(said.into_iter().flatten().filter_map(|at| from.get(at).cloned()));
    }
    kept
}

/// A place with what ends it on both sides, without which it would be a part of something longer.
fn around(value: &str, place: &Range<usize>) -> Range<usize> {
    let start = escapes::before(value, place.start).map_or(place.start, |last| place.start - last.len);
    let mut end = place.end;
    if let Some(next) = escapes::after(value, end) {
        end += next.len;
        // A name ends at a full stop only where no name follows.
        if next.char == '.' {
            end += escapes::after(value, end).map_or(0, |next| next.len);
        }
    }
    start..end
}

/// A value decoded that often, and where each of its bytes comes from.
fn meant(value: &str, depth: usize) -> (String, Vec<Range<usize>>) {
    let mut bytes: Vec<(u8, Range<usize>)> = value.bytes().enumerate().map(|(at, byte)| (byte, at..at + 1)).collect();
    for _ in 0..depth {
        let mut decoded = Vec::with_capacity(bytes.len());
        let mut at = 0;
        while let Some((byte, range)) = bytes.get(at) {
            let hex = |offset: usize| char::from(bytes.get(at + offset)?.0).to_digit(16);
            if let (b'%', Some(high), Some(low)) = (*byte, hex(1), hex(2)) {
                let end = bytes.get(at + 2).map_or(range.end, |last| last.1.end);
                decoded.push((u8::try_from(high * 16 + low).unwrap_or(b'?'), range.start..end));
                at += 3;
            } else {
                decoded.push((*byte, range.clone()));
                at += 1;
            }
        }
        bytes = decoded;
    }
    let (bytes, from): (Vec<u8>, Vec<Range<usize>>) = bytes.into_iter().unzip();
    // What is no text is read as nothing but its hosts.
    String::from_utf8(bytes).map_or_else(|_| (String::new(), Vec::new()), |text| (text, from))
}

/// What a text says besides hosts and ports: who logs in, to which database, and under which keys.
fn said(text: &str, first: &Mention) -> Vec<Range<usize>> {
    let mut kept: Vec<Range<usize>> = login(text, first).into_iter().chain(database(text, first)).collect();
    // Where the host is decoded, a key outside of its text counts, too.
    let ports = ports::pairs(&text.to_ascii_lowercase(), &first.host, hosts::depth(text, &first.host));
    kept.extend(ports.iter().map(|port| around(text, port)));
    for (key, value) in pairs(text) {
        let name = text.get(key.clone()).unwrap_or_default().trim().to_ascii_lowercase();
        // With what separates them from their neighbors.
        let (start, end) = (key.start.saturating_sub(1), value.end + 1);
        if SECRET.contains(&name.as_str()) {
            kept.extend([start..value.start, value.end..end]);
        } else if NAMED.contains(&name.as_str()) {
            kept.push(start..end);
        }
    }
    kept
}

/// Pairs as [`key_in`](crate::discover::auth) reads them, the sign in between.
fn pairs(text: &str) -> Vec<(Range<usize>, Range<usize>)> {
    let mut at = 0;
    let mut found = Vec::new();
    for part in text.split(PAIRS) {
        if let Some(sign) = part.find('=') {
            found.push((at..at + sign, at + sign + 1..at + part.len()));
        }
        at += part.len() + 1;
    }
    found
}

/// `://`, the user, and what stands around the password, in front of the first host.
fn login(text: &str, first: &Mention) -> Option<Range<usize>> {
    let (scheme, login) = text.get(..first.host.start)?.rsplit_once("://")?;
    let login = login.strip_suffix('@')?;
    let start = scheme.len() + "://".len();
    if !is_login(login) {
        // What shows that it is none.
        let at = start + login.find(['/', '?', '#'])?;
        return Some(at..at + 1);
    }
    let user = login.find(':').unwrap_or(login.len());
    // With the colon; the `@` stays with the host.
    let end = (user + 1).min(login.len());
    Some(scheme.len()..start + end)
}

/// The name of the database behind the first host, with what stands around it.
fn database(text: &str, first: &Mention) -> Option<Range<usize>> {
    let end = first.port.as_ref().map_or(first.host.end, |port| port.end.max(first.host.end));
    let rest = text.get(end..)?;
    let slash = rest.len() - rest.trim_start_matches(')').len();
    let name = rest.get(slash..)?.strip_prefix('/')?;
    let length = name.find(|c: char| "?#&;'\" ,".contains(c)).unwrap_or(name.len());
    Some(end..end + slash + 1 + length + 1)
}
