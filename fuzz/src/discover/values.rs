//! Laws of one value.

use std::ops::Range;

use super::account::{Account, Input, LETTERS};
use super::hosts::{Host, Mention, decoded, depth, mentions, proxies_of, replace, restore, shaped};
use super::{hidden, ports};

/// Holds every law for a value.
///
/// # Panics
///
/// Where one is violated.
pub fn check(input: Input<'_>) {
    let account = input.account();
    let value = input.text;
    let found = mentions(value, &account.known);
    found_where_they_stand(value, &found, &account);
    none_is_passed_over(value, &found, &account);

    let hosts: Vec<(&Mention, Host)> =
        found.iter().filter_map(|mention| Some((mention, account.instead_of(mention.kind)?))).collect();
    let pairs: Vec<(&Mention, &Host)> = hosts.iter().map(|(mention, host)| (*mention, host)).collect();
    for ports in [(3306, 3306), (3307, 3306)] {
        let (new, former) = replace(value, &pairs, ports);
        assert_eq!(former.len(), pairs.len(), "one former host for each mention of {value:?}");
        assert_eq!(new, by_hand(value, &pairs, ports), "nothing but host and port changes in {value:?}");
        if pairs.is_empty() {
            assert_eq!(new, value, "a value that mentions no host is not changed");
            continue;
        }
        // Where the proxy was there before, its places are more than those that were replaced. A name with a full stop
        // at its end is no `Host`, so it is never written back.
        if mentions(value, &account.ours).is_empty() && !account.rooted {
            let former: Vec<&str> = former.iter().map(String::as_str).collect();
            let back = restore(&new, &account.ours, &former);
            assert_eq!(back.as_deref(), Some(value), "there and back is the same value; there it is {new:?}");
        }
    }
    nothing_is_made_up(value, &found, &account);
}

/// Mentions are in order and apart, on whole characters, and hold the name that they say.
fn found_where_they_stand(value: &str, found: &[Mention], account: &Account) {
    let mut places: Vec<&Range<usize>> = Vec::new();
    for mention in found {
        let host = value.get(mention.host.clone()).expect("a host stands on whole characters");
        let named = |name: &str| name.eq_ignore_ascii_case(host);
        let known = account.known.iter().any(|known| known.kind == mention.kind && named(&known.name));
        assert!(known, "{host:?} is no {:?} in {value:?}", mention.kind);
        places.push(&mention.host);
        if let Some(port) = &mention.port {
            let digits = value.get(port.clone()).expect("a port stands on whole characters");
            let fits = (1..=5).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
            assert!(fits, "{digits:?} is no port in {value:?}");
            assert_eq!(mention.states(value), digits.parse().ok(), "of {value:?}");
            places.push(port);
        }
    }
    let in_order = found.windows(2).all(|pair| pair[0].host.end <= pair[1].host.start);
    assert!(in_order, "mentions are in order: {found:?} in {value:?}");
    places.sort_by_key(|place| place.start);
    let apart = places.windows(2).all(|pair| pair[0].end <= pair[1].start);
    assert!(apart, "mentions are apart: {found:?} in {value:?}");
}

/// A name between signs that are part of no name and no escape is always found, and one within a longer name never is.
fn none_is_passed_over(value: &str, found: &[Mention], account: &Account) {
    let lower = value.to_ascii_lowercase();
    for known in &account.known {
        let name = known.name.to_ascii_lowercase();
        for (at, _) in lower.match_indices(&name) {
            let before = lower[..at].chars().next_back();
            let after = lower[at + name.len()..].chars().next();
            let is_found = found.iter().any(|mention| mention.host.start == at);
            if before.is_none_or(|c| "@/=:;, ('\"\n".contains(c)) && after.is_none_or(|c| "/:;, )'\"?&\n".contains(c)) {
                assert!(is_found, "{name} at {at} is passed over in {value:?}");
            }
            let rest = &lower[at + name.len()..];
            let goes_on = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if rest.strip_prefix('.').unwrap_or(rest).starts_with(goes_on) || before == Some('.') {
                let ends_there = |mention: &Mention| mention.host == (at..at + name.len());
                assert!(!found.iter().any(ends_there), "{name} at {at} is part of a longer name in {value:?}");
            }
        }
    }
}

/// What `replace` is to return, without its code.
fn by_hand(value: &str, pairs: &[(&Mention, &Host)], ports: (u16, u16)) -> String {
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    for (mention, host) in pairs {
        edits.push((mention.host.clone(), host.as_str().to_owned()));
        let stated = mention.port.clone().filter(|port| value[port.clone()].parse() == Ok(ports.0));
        edits.extend(stated.filter(|_| ports.0 != ports.1).map(|port| (port, ports.1.to_string())));
    }
    edits.sort_by_key(|(place, _)| place.start);
    let mut expected = value.to_owned();
    // From the end, so that places further in front stay where they are.
    for (place, text) in edits.into_iter().rev() {
        expected.replace_range(place, &text);
    }
    expected
}

/// What else reads a value does not panic, and reports only what stands in it.
fn nothing_is_made_up(value: &str, found: &[Mention], account: &Account) {
    let lower = value.to_ascii_lowercase();
    for shaped in shaped(LETTERS, "eu-west-1", value) {
        assert!(lower.contains(&shaped.host) && shaped.host.starts_with(&shaped.name), "{shaped:?} of {value:?}");
    }
    for host in proxies_of(&account.stack, "eu-west-1", [&value.to_owned()]) {
        assert!(!mentions(value, std::slice::from_ref(&host)).is_empty(), "{host:?} of {value:?}");
    }
    for mention in found {
        let text = decoded(value, mention);
        assert_eq!(text.is_some(), depth(value, &mention.host) > 0, "{mention:?} of {value:?}");
        for pair in ports::pairs(&lower, &mention.host, depth(&lower, &mention.host)) {
            let text = lower.get(pair).expect("a key and its port stand on whole characters");
            let fits = text.starts_with("port") && text.ends_with(|c: char| c.is_ascii_digit());
            assert!(fits, "{text:?} is no port under a key in {value:?}");
        }
    }
    let _ = hidden::form(value, &account.known);
    let _ = restore(value, &account.ours, &["db.example.com:1", value]);
}
