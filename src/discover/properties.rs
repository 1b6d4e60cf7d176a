//! Laws of hosts and ports within values, held over values that nobody thought of.

use proptest::prelude::*;

use super::hidden;
use super::hosts::{Host, HostKind, KnownHost, Mention, mentions, replace, restore, shaped};

const DB: &str = "main.abc123.eu-west-1.rds.amazonaws.com";
const PROXY: &str = "main-proxy.proxy-abc123.eu-west-1.rds.amazonaws.com";

fn database() -> [KnownHost; 1] {
    [KnownHost { name: DB.to_owned(), kind: HostKind::Writer }]
}

fn proxy() -> [KnownHost; 1] {
    [KnownHost { name: PROXY.to_owned(), kind: HostKind::Proxy }]
}

/// What may stand around a host: signs of every notation, escapes, names, and any characters.
fn around() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[a-zA-Z0-9._%=;:,/@&? +\"'{}()-]{0,6}",
        "%[0-9A-Fa-f]{2}",
        "%25[0-9A-Fa-f]{2}",
        "(%3B|;| |&)?(port|PORT|Port)(%3D|=|:|\": )(3307|[0-9]{1,6})",
        "[:,](3307|[0-9]{1,6})",
        "(%3A|%2C)(3307|[0-9]{1,6})",
        "\\PC{0,3}",
    ];
    proptest::collection::vec(piece, 0..5).prop_map(|pieces| pieces.concat())
}

fn with_host(host: &'static str) -> impl Strategy<Value = String> {
    (around(), around(), around(), any::<bool>()).prop_map(move |(first, between, last, twice)| {
        if twice { format!("{first}{host}{between}{host}{last}") } else { format!("{first}{host}{last}") }
    })
}

fn there(value: &str, ports: (u16, u16)) -> (String, Vec<String>) {
    let found = mentions(value, &database());
    let host = Host::parse(PROXY).into_iter().collect::<Vec<_>>();
    let pairs: Vec<(&Mention, &Host)> = found.iter().zip(host.iter().cycle()).collect();
    replace(value, &pairs, ports)
}

proptest! {
    #[test]
    fn a_value_without_the_host_is_never_changed(value in prop_oneof!["\\PC*", any::<String>(), around(), with_host(PROXY)]) {
        let found = mentions(&value, &database());
        if !value.to_ascii_lowercase().contains(DB) {
            prop_assert!(found.is_empty());
        }
        let (new, former) = there(&value, (3307, 3306));
        if found.is_empty() {
            prop_assert_eq!(&new, &value);
            prop_assert!(former.is_empty());
        }
    }

    #[test]
    fn there_and_back_is_the_same_value(value in with_host(DB)) {
        for ports in [(3306, 3306), (3307, 3306)] {
            let (new, former) = there(&value, ports);
            if former.is_empty() {
                prop_assert_eq!(&new, &value);
                continue;
            }
            let former: Vec<&str> = former.iter().map(String::as_str).collect();
            let back = restore(&new, &proxy(), &former);
            prop_assert_eq!(back.as_deref(), Some(value.as_str()));
        }
    }

    #[test]
    fn nothing_but_host_and_port_changes(value in with_host(DB)) {
        let found = mentions(&value, &database());
        let (new, _) = there(&value, (3307, 3306));
        let mut ranges: Vec<(std::ops::Range<usize>, String)> = Vec::new();
        for mention in &found {
            prop_assert!(value[mention.host.clone()].eq_ignore_ascii_case(DB));
            ranges.push((mention.host.clone(), PROXY.to_owned()));
            if let Some(port) = &mention.port {
                let text = &value[port.clone()];
                prop_assert!((1..=5).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()));
                if text.parse() == Ok(3307_u16) {
                    ranges.push((port.clone(), "3306".to_owned()));
                }
            }
        }
        ranges.sort_by_key(|(range, _)| range.start);
        prop_assert!(ranges.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start));
        let mut expected = value.clone();
        for (range, text) in ranges.into_iter().rev() {
            expected.replace_range(range, &text);
        }
        prop_assert_eq!(new, expected);
    }

    #[test]
    fn no_value_makes_it_panic(value in prop_oneof![any::<String>(), around(), with_host(DB), with_host(PROXY)]) {
        let _ = (mentions(&value, &database()), restore(&value, &proxy(), &[DB]), shaped("abc123", "eu-west-1", &value));
        let _ = hidden::form(&value, &database());
    }
}
