//! Where a variable leads before and after a change: hosts and ports, and nothing else of its value.

use super::hosts::{KnownHost, Mention, mentions};
use crate::cloud::lambda::Variables;
use crate::names;
use crate::plan::Redirect;

/// Where each of the variables leads, in `before` and in `after`.
///
/// A value may be a connection string with a password in it: what is read here is a host in `known` and the port that
/// belongs to it, as they are found for rewriting.
pub fn redirects<'a>(
    function: &str,
    variables: impl IntoIterator<Item = &'a String>,
    (before, after): (&Variables, &Variables),
    known: &[KnownHost],
) -> Vec<Redirect> {
    let of = |variables: &Variables, name: &str| places(variables.0.get(name).map_or("", String::as_str), known);
    let redirect = |name: &String| {
        let (mut from, mut to) = (of(before, name), of(after, name));
        if from.len() == to.len() {
            // Hosts that stay would hide the one that does not.
            let moves: Vec<bool> = from.iter().zip(&to).map(|(from, to)| from != to).collect();
            for places in [&mut from, &mut to] {
                let mut moves = moves.iter();
                places.retain(|_| moves.next().copied().unwrap_or(true));
            }
        }
        let shown = !from.is_empty() && !to.is_empty();
        let (function, variable) = (function.to_owned(), name.clone());
        shown.then(|| Redirect { function, variable, from: from.join(", "), to: to.join(", ") })
    };
    variables.into_iter().filter_map(redirect).collect()
}

/// The places that a value names: each known host with its port, or the port that it consists of.
fn places(value: &str, known: &[KnownHost]) -> Vec<String> {
    let found = mentions(value, known);
    if found.is_empty() {
        return value.parse::<u16>().ok().map(|port| port.to_string()).into_iter().collect();
    }
    let place = |mention: &Mention| {
        let host = names::with_letters_to_come(&value[mention.host.clone()]);
        mention.states(value).map_or_else(|| host.clone(), |port| format!("{host}:{port}"))
    };
    found.iter().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::hosts::HostKind;

    const DB: &str = "main.abc123.eu-west-1.rds.amazonaws.com";
    const PROXY: &str = "main-proxy.proxy-abc123.eu-west-1.rds.amazonaws.com";

    fn lines(before: &[(&str, String)], after: &[(&str, String)]) -> Vec<String> {
        let known: Vec<KnownHost> = [(DB, HostKind::Writer), (PROXY, HostKind::Proxy)]
            .map(|(name, kind)| KnownHost { name: name.to_owned(), kind })
            .to_vec();
        let of = |values: &[(&str, String)]| {
            Variables(values.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
        };
        let (before, after) = (of(before), of(after));
        let found = redirects("F", before.0.keys(), (&before, &after), &known);
        found.into_iter().map(|found| format!("{}: {} -> {}", found.variable, found.from, found.to)).collect()
    }

    #[test]
    fn a_line_holds_hosts_and_ports_and_nothing_else() {
        let url = |host: &str, port: u16| ("URL", format!("mysql://app:geheim@{host}:{port}/app?token=geheim"));
        assert_eq!(lines(&[url(DB, 3307)], &[url(PROXY, 3306)]), [format!("URL: {DB}:3307 -> {PROXY}:3306")]);
        let encoded = |host: &str| ("E", format!("mysql%3A%2F%2Fapp%3Ageheim%40{host}%3A3306%2Fdb"));
        assert_eq!(lines(&[encoded(DB)], &[encoded(PROXY)]), [format!("E: {DB}:3306 -> {PROXY}:3306")]);
        let list = |host: &str| ("LIST", format!("{host},{DB}:3308,geheim"));
        assert_eq!(lines(&[list(DB)], &[list(PROXY)]), [format!("LIST: {DB} -> {PROXY}")]);
        let port = |port: &str| ("DB_PORT", port.to_owned());
        assert_eq!(lines(&[port("3307")], &[port("3306")]), ["DB_PORT: 3307 -> 3306"]);
        assert!(lines(&[("PASSWORD", "geheim".to_owned())], &[("PASSWORD", "geheim2".to_owned())]).is_empty());
    }

    #[test]
    fn a_host_that_does_not_exist_yet_shows_what_is_known_of_it() {
        let names = names::Names::new("main-proxy", "eu-west-1");
        let to_come = names.endpoint_like("eu-west-1");
        let known = [
            KnownHost { name: DB.to_owned(), kind: HostKind::Writer },
            KnownHost { name: to_come.clone(), kind: HostKind::Proxy },
        ];
        let of = |value: &str| Variables([("H".to_owned(), value.to_owned())].into());
        let found = redirects("F", [&"H".to_owned()], (&of(DB), &of(&to_come)), &known);
        assert_eq!(found[0].to, "main-proxy.proxy-….eu-west-1.rds.amazonaws.com");
    }
}
