//! Laws of a function's variables on their way to the proxy and back.

use super::account::Input;
use super::home::{Home, Way};
use super::hosts::{HostKind, KnownHost, mentions, restore};
use crate::cloud::lambda::Variables;

/// Holds every law for variables, one `NAME=value` a line.
///
/// # Panics
///
/// Where one is violated.
pub fn check(input: Input<'_>) {
    let account = input.account();
    let pairs = input.text.lines().filter_map(|line| line.split_once('='));
    let variables = Variables(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
    let Some(writer) = account.host(HostKind::Writer) else { return };
    let (port, proxy_port) = account.ports;
    let home = Home { writer, reader: account.host(HostKind::Reader), port, proxy_port };
    let (endpoint, reader) = (account.host(HostKind::Proxy), account.instead_of(HostKind::Reader));
    let way = Way { home: &home, endpoint: endpoint.as_ref(), reader: reader.as_ref() };

    let stays = |name: &str| name.starts_with("DIRECT");
    let there = way.there(&variables, &account.known, &stays);
    let all = &there.changed.variables;
    only_what_it_says(&variables, all, &there.changed.names);
    let former: Vec<&String> = there.former.iter().map(|(name, _)| name).collect();
    assert!(former.len() == there.changed.names.len() && former.iter().all(|name| there.changed.names.contains(*name)));
    for (name, value) in &variables.0 {
        let is_port = ports_alike(value, port);
        let holds = !mentions(value, &account.known).is_empty();
        assert!(!stays(name) || all.0[name] == *value, "{name} stays as it is: {value:?}");
        assert!(holds || is_port || all.0[name] == *value, "{name} holds no host and no port: {value:?}");
    }

    let back = home.back(all, &account.ours);
    only_what_it_says(all, &back.variables, &back.names);
    let at_proxy = |value: &String| {
        mentions(value, &account.ours).len()
            + mentions(value, &account.known).iter().filter(|m| m.kind.is_dead()).count()
    };
    // What was at a proxy before goes to the database on the way back, and a name with a full stop is never written.
    if account.rooted || variables.0.values().any(|value| at_proxy(value) > 0) {
        return;
    }
    if there.derivable {
        assert_eq!(back.variables, variables, "the way back is derived; there it is {all:?}");
    }
    // The memory that helps where it is not.
    for (name, former) in &there.former {
        let (old, new) = (&variables.0[name], &all.0[name]);
        assert!(home.believes(&former.join(" "), &account.ours), "{former:?} of {name}: {old:?}");
        if ports_alike(new, proxy_port) {
            assert_eq!(former.concat(), *old, "the former port of {name}");
            continue;
        }
        let former: Vec<&str> = former.iter().map(String::as_str).collect();
        let restored = restore(new, &account.ours, &former);
        assert_eq!(restored.as_ref(), Some(old), "{name} there and back; there it is {new:?}");
    }
    let known: Vec<KnownHost> =
        account.known.iter().filter(|host| !host.kind.is_ours()).chain(&account.ours).cloned().collect();
    let again = way.there(all, &known, &stays);
    assert!(again.changed.names.is_empty(), "a second time changes {:?} of {all:?}", again.changed.names);
}

fn ports_alike(value: &str, port: u16) -> bool {
    value == port.to_string()
}

/// What changed is named, and nothing else has changed.
fn only_what_it_says(before: &Variables, after: &Variables, names: &std::collections::BTreeSet<String>) {
    assert!(before.0.keys().eq(after.0.keys()), "no variable comes or goes");
    for (name, value) in &before.0 {
        let same = after.0[name] == *value;
        assert!(same || names.contains(name), "{name} changes and is not named: {value:?}");
    }
}
