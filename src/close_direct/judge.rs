//! Whether a rule goes: a pure function of what was read.

use super::Fate;
use super::facts::{Facts, Users};
use crate::cloud::Owner;
use crate::cloud::ec2::Rule;
use crate::resources::direct_rules::Closed;

/// What becomes of an inbound rule of the database's groups. Whatever is not certain stays.
pub(super) fn fate(rule: &Rule, facts: &Facts, owner: &Owner) -> Fate {
    if let Some(why) = stays(rule, facts, owner) {
        return Fate::Stays(why);
    }
    let others = rule.peer.as_ref().and_then(|peer| facts.others.get(peer));
    let beside = facts.beside.get(&rule.group);
    used(others, "has that group, and is not at the proxy", "have that group, and are not at the proxy")
        .or_else(|| used(beside, "is in the same group", "are in the same group"))
        .unwrap_or(Fate::Close)
}

fn stays(rule: &Rule, facts: &Facts, owner: &Owner) -> Option<String> {
    let Some(peer) = &rule.peer else {
        return Some("it lets in addresses, and who has them does not show".to_owned());
    };
    if facts.of_proxy.contains(peer) || owner.owns(&rule.tags) {
        return Some("the proxy's own way to the database".to_owned());
    }
    if rule.peering.is_some() || rule.peer_account.as_ref() != Some(&facts.account) {
        return Some("its group is of another account or another VPC".to_owned());
    }
    if facts.with_group(peer).is_empty() {
        return Some("no function at the proxy has that group".to_owned());
    }
    if Closed::of(rule).is_none_or(|this| this.port != facts.port) {
        return Some(format!("it opens more than port {}, or another one", facts.port));
    }
    if !rule.tags.is_empty() {
        let keys: Vec<&str> = rule.tags.keys().map(String::as_str).collect();
        return Some(format!("it carries tags of others ({})", keys.join(", ")));
    }
    None
}

/// What else uses a group, if anything may.
fn used(users: Option<&Users>, one: &str, more: &str) -> Option<Fate> {
    match users {
        Some(Ok(users)) if users.is_empty() => None,
        Some(Ok(users)) => {
            const SHOWN: usize = 3;
            let names = users.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
            let rest = users.len().saturating_sub(SHOWN);
            let rest = if rest == 0 { String::new() } else { format!(" and {rest} more") };
            Some(Fate::Stays(format!("{names}{rest} {}", if users.len() == 1 { one } else { more })))
        }
        Some(Err(why)) => Some(Fate::Unknown(format!("who else uses it is unknown: {why}"))),
        None => Some(Fate::Unknown("who else uses it is unknown".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cloud::Tags;
    use crate::cloud::ec2::Direction;

    fn owner() -> Owner {
        Owner { stack: "main-proxy".to_owned(), database: "main".to_owned(), extra: Tags::new() }
    }

    fn rule() -> Rule {
        Rule {
            id: "sgr-1".to_owned(),
            group: "sg-database".to_owned(),
            direction: Direction::Ingress,
            protocol: "tcp".to_owned(),
            peer: Some("sg-app".to_owned()),
            peer_account: Some("123456789012".to_owned()),
            peering: None,
            prefix_list: None,
            range: None,
            port: Some(3306),
            last_port: Some(3306),
            description: None,
            tags: Tags::new(),
        }
    }

    fn facts() -> Facts {
        Facts {
            account: "123456789012".to_owned(),
            port: 3306,
            of_proxy: vec!["sg-proxy".to_owned()],
            rules: Vec::new(),
            moved: [("App".to_owned(), vec!["sg-app".to_owned()])].into(),
            others: [("sg-app".to_owned(), Ok(Vec::new()))].into(),
            beside: [("sg-database".to_owned(), Ok(Vec::new()))].into(),
        }
    }

    #[test]
    fn one_port_from_a_group_of_functions_at_the_proxy_alone_goes() {
        assert_eq!(fate(&rule(), &facts(), &owner()), Fate::Close);
        for other in [
            Rule { peer: None, range: Some("10.0.0.0/8".to_owned()), ..rule() },
            Rule { peer: None, prefix_list: Some("pl-1".to_owned()), ..rule() },
            Rule { peer: Some("sg-proxy".to_owned()), ..rule() },
            Rule { peer: Some("sg-other".to_owned()), ..rule() },
            Rule { peer_account: Some("210987654321".to_owned()), ..rule() },
            Rule { peer_account: None, ..rule() },
            Rule { peering: Some("pcx-1".to_owned()), ..rule() },
            Rule { protocol: "-1".to_owned(), port: None, last_port: None, ..rule() },
            Rule { protocol: "udp".to_owned(), ..rule() },
            Rule { last_port: Some(3310), ..rule() },
            Rule { port: Some(3307), last_port: Some(3307), ..rule() },
            Rule { tags: [("Name".to_owned(), "app".to_owned())].into(), ..rule() },
            Rule { tags: owner().tags(), ..rule() },
        ] {
            assert!(matches!(fate(&other, &facts(), &owner()), Fate::Stays(_)), "{other:?}");
        }
    }

    #[test]
    fn what_something_else_uses_stays_and_what_is_unknown_too() {
        let one = || Ok(vec!["the function Other".to_owned()]);
        let unknown = || Err("denied".to_owned());
        let others = |users| Facts { others: [("sg-app".to_owned(), users)].into(), ..facts() };
        let beside = |users| Facts { beside: [("sg-database".to_owned(), users)].into(), ..facts() };
        for facts in [others(one()), beside(one())] {
            assert!(matches!(fate(&rule(), &facts, &owner()), Fate::Stays(why) if why.contains("Other")));
        }
        let none = || Facts { others: BTreeMap::new(), ..facts() };
        for facts in [others(unknown()), beside(unknown()), none(), Facts { beside: BTreeMap::new(), ..facts() }] {
            assert!(matches!(fate(&rule(), &facts, &owner()), Fate::Unknown(_)));
        }
    }
}
