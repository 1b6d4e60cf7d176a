//! The way of a function's variables to the proxy and back, both as pure functions.
//!
//! What the way to the proxy replaces is the database's writer or reader endpoint, so the way back is derived: nothing
//! is remembered on the function. [`Way::there`] computes the way back before it is taken, and says where it would not
//! lead to the very same values; only then must a memory help.

use std::collections::BTreeSet;

use super::Database;
use super::hosts::{Host, HostKind, KnownHost, Mention, mentions, replace};
use crate::cloud::lambda::Variables;
use crate::cloud::rds::EngineFamily;
use crate::cloud::{Tags, tags};

/// The database as functions know it without a proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The instance's host, or that of the cluster's writer.
    pub writer: Host,
    /// The host of the cluster's readers.
    pub reader: Option<Host>,
    /// The database's port.
    pub port: u16,
    /// The proxy's port.
    pub proxy_port: u16,
}

/// What changes in a function's variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changed {
    /// The variables that change, by name.
    pub names: BTreeSet<String>,
    /// All variables afterwards.
    pub variables: Variables,
}

impl Home {
    /// The database as it is now.
    #[must_use]
    pub fn of(database: &Database) -> Option<Self> {
        let host = |kind| database.hosts.iter().find(|host| host.kind == kind).and_then(|host| Host::parse(&host.name));
        let (port, proxy_port) = (database.port, database.family.proxy_port());
        Some(Self { writer: host(HostKind::Writer)?, reader: host(HostKind::Reader), port, proxy_port })
    }

    /// The database as the proxy's tags have it; hosts that are not RDS's own in this region are not believed.
    #[must_use]
    pub fn remembered(proxy: &Tags, family: Option<EngineFamily>, region: &str) -> Option<Self> {
        let of_rds = |host: &str| {
            let ends = [format!(".{region}.rds.amazonaws.com"), format!(".{region}.rds.amazonaws.com.cn")];
            Host::parse(host).filter(|host| ends.iter().any(|end| host.as_str().ends_with(end)))
        };
        let (host, port) = proxy.get(tags::WRITER)?.split_once(':')?;
        let reader = proxy.get(tags::READER).and_then(|host| of_rds(host));
        let (writer, port) = (of_rds(host)?, port.parse().ok()?);
        Some(Self { writer, reader, port, proxy_port: family?.proxy_port() })
    }

    /// The tags by which the proxy remembers it.
    #[must_use]
    pub fn tags(&self) -> Tags {
        let mut tags = Tags::from([(tags::WRITER.to_owned(), format!("{}:{}", self.writer.as_str(), self.port))]);
        tags.extend(self.reader.iter().map(|host| (tags::READER.to_owned(), host.as_str().to_owned())));
        tags
    }

    /// Where what leads to an endpoint of our proxy leads without it.
    fn instead_of(&self, kind: HostKind) -> Option<&Host> {
        match kind {
            HostKind::Proxy | HostKind::Dead => Some(&self.writer),
            HostKind::ReaderProxy | HostKind::DeadReader => Some(self.reader.as_ref().unwrap_or(&self.writer)),
            _ => None,
        }
    }

    /// Points every mention of our proxy at the database, no matter who put it there.
    #[must_use]
    pub fn back(&self, variables: &Variables, ours: &[KnownHost]) -> Changed {
        let ports = (self.proxy_port, self.port);
        let mut changed = Changed { variables: variables.clone(), ..Changed::default() };
        for (name, value) in &variables.0 {
            let found = mentions(value, ours);
            let pairs: Vec<(&Mention, &Host)> =
                found.iter().filter_map(|mention| Some((mention, self.instead_of(mention.kind)?))).collect();
            if pairs.is_empty() {
                continue;
            }
            changed.set(name, replace(value, &pairs, ports).0);
            let apart = ports.0 != ports.1 && pairs.iter().all(|(mention, _)| mention.port.is_none());
            if let Some(port) = port_beside(name, variables).filter(|port| apart && states(variables, port, ports.0)) {
                changed.set(port, ports.1.to_string());
            }
        }
        changed
    }

    /// Whether every host that a memory names is one of this database's, or of the proxy itself.
    ///
    /// Anyone who may tag a function could write any host there.
    #[must_use]
    pub fn believes(&self, former: &str, ours: &[KnownHost]) -> bool {
        if former.chars().all(|c| c.is_ascii_digit()) {
            return former == self.port.to_string();
        }
        let known = |host: &str| {
            let own = [Some(&self.writer), self.reader.as_ref()].into_iter().flatten().map(Host::as_str);
            own.chain(ours.iter().map(|host| host.name.as_str())).any(|own| own.eq_ignore_ascii_case(host))
        };
        former.split(' ').all(|place| {
            let (host, port) = place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port)));
            known(host) && port.is_none_or(|port| port.parse::<u16>().is_ok())
        })
    }
}

impl Changed {
    fn set(&mut self, name: &str, value: String) {
        self.names.insert(name.to_owned());
        self.variables.0.insert(name.to_owned(), value);
    }
}

/// The way to the proxy.
#[derive(Debug, Clone)]
pub struct Way<'a> {
    /// The database.
    pub home: &'a Home,
    /// The proxy's endpoint.
    pub endpoint: Option<&'a Host>,
    /// The proxy's read-only endpoint.
    pub reader: Option<&'a Host>,
}

/// What the way to the proxy does to a function's variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct There {
    /// What changes.
    pub changed: Changed,
    /// What stood at the places that change, in order: hosts by variable, and ports by port variable.
    pub former: Vec<(String, Vec<String>)>,
    /// Whether the way back is derived from what the variables hold then.
    pub derivable: bool,
    /// Variables that hold a host of the database with a port that no proxy serves, and that port.
    pub other_port: Vec<(String, u16)>,
    /// Port variables of which it is not clear which one belongs to the host.
    pub unclear_ports: Vec<String>,
}

impl Way<'_> {
    /// Where what leads to `kind` is to lead instead.
    #[must_use]
    pub fn instead_of(&self, kind: HostKind) -> Option<&Host> {
        match kind {
            HostKind::Writer | HostKind::Dead => self.endpoint,
            HostKind::Reader => self.reader,
            HostKind::DeadReader => self.reader.or(self.endpoint),
            HostKind::Member | HostKind::Custom | HostKind::Proxy | HostKind::ReaderProxy => None,
        }
    }

    /// Whether a mention goes to the proxy: a port that is not the database's own is another protocol's (33060 is
    /// MySQL's X protocol), which no proxy serves
    /// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.limits.html>).
    #[must_use]
    pub fn moves(&self, name: &str, value: &str, mention: &Mention, variables: &Variables) -> bool {
        self.instead_of(mention.kind).is_some() && self.port_of(name, value, mention, variables).is_none()
    }

    /// The port that a mention is used with, where it is not the database's own.
    fn port_of(&self, name: &str, value: &str, mention: &Mention, variables: &Variables) -> Option<u16> {
        let beside = || port_beside(name, variables).and_then(|port| variables.0.get(port)?.parse().ok());
        let port = if mention.port.is_some() { mention.states(value) } else { beside() };
        // What points at a proxy that does not exist has the proxy's port already.
        let as_it_will_be = |port: u16| mention.kind.is_dead() && port == self.home.proxy_port;
        port.filter(|port| *port != self.home.port && !as_it_will_be(*port))
    }

    /// What must change for every host of the database to lead to the proxy.
    #[must_use]
    pub fn there(&self, variables: &Variables, known: &[KnownHost], stays: &dyn Fn(&str) -> bool) -> There {
        let ports = (self.home.port, self.home.proxy_port);
        let mut there = There { derivable: true, ..There::default() };
        there.changed.variables = variables.clone();
        let (mut plain, mut stated) = (Vec::new(), false);
        let mut staying = false;
        for (name, value) in &variables.0 {
            let found = mentions(value, known);
            if stays(name) {
                staying |= found.iter().any(|mention| mention.port.is_none() && !mention.kind.is_ours());
                continue;
            }
            let wanted = |mention: &&Mention| self.instead_of(mention.kind).is_some();
            let other = found.iter().filter(wanted).find_map(|mention| self.port_of(name, value, mention, variables));
            there.other_port.extend(other.map(|port| (name.clone(), port)));
            let pairs: Vec<(&Mention, &Host)> = found
                .iter()
                .filter(|mention| self.moves(name, value, mention, variables))
                .filter_map(|mention| Some((mention, self.instead_of(mention.kind)?)))
                .collect();
            if pairs.is_empty() {
                continue;
            }
            let (new, former) = replace(value, &pairs, ports);
            there.changed.set(name, new);
            there.former.push((name.clone(), former));
            if pairs.iter().all(|(mention, _)| mention.port.is_none()) {
                plain.push(name.as_str());
            } else {
                stated = true;
            }
        }
        if ports.0 != ports.1 && !plain.is_empty() {
            self.ports_apart(variables, (&plain, stated, staying), stays, &mut there);
        }
        let ours: Vec<KnownHost> = [(self.endpoint, HostKind::Proxy), (self.reader, HostKind::ReaderProxy)]
            .into_iter()
            .filter_map(|(host, kind)| Some(KnownHost { name: host?.as_str().to_owned(), kind }))
            // What points at a proxy that does not exist goes back to the database, not there.
            .chain(known.iter().filter(|host| host.kind.is_dead()).cloned())
            .collect();
        let back = |variables: &Variables| self.home.back(variables, &ours).variables;
        there.derivable = back(&there.changed.variables) == back(variables);
        there
    }

    /// Port variables go with hosts that stand alone: those of the same name but for the last word, or else the only
    /// one that holds the database's port. Where a host that stays stands alone, too, that one may be its port.
    fn ports_apart(
        &self,
        variables: &Variables,
        (plain, stated, staying): (&[&str], bool, bool),
        stays: &dyn Fn(&str) -> bool,
        there: &mut There,
    ) {
        let (own, proxy) = (self.home.port, self.home.proxy_port);
        let mut beside: Vec<&str> = plain
            .iter()
            .filter_map(|name| port_beside(name, variables))
            .filter(|port| states(variables, port, own) && !stays(port))
            .collect();
        if beside.is_empty() && !stated {
            let port = |name: &&String| {
                name.to_ascii_uppercase().contains("PORT") && states(variables, name, own) && !stays(name)
            };
            beside = variables.0.keys().filter(port).map(String::as_str).collect();
            if beside.len() > 1 || (staying && !beside.is_empty()) {
                there.unclear_ports = beside.into_iter().map(str::to_owned).collect();
                return;
            }
        }
        beside.sort_unstable();
        beside.dedup();
        for name in beside {
            there.changed.set(name, proxy.to_string());
            there.former.push((name.to_owned(), vec![own.to_string()]));
        }
    }
}

fn states(variables: &Variables, name: &str, port: u16) -> bool {
    variables.0.get(name).is_some_and(|value| *value == port.to_string())
}

/// The variable that holds the port of a host's variable, by its name: `DB_PORT` for `DB_HOST`.
fn port_beside<'a>(host: &str, variables: &'a Variables) -> Option<&'a str> {
    const HOST: [&str; 6] = ["HOSTNAME", "HOST", "ENDPOINT", "SERVER", "ADDRESS", "ADDR"];
    let host = host.to_ascii_uppercase();
    let (at, word) = HOST.iter().find_map(|word| host.rfind(word).map(|at| (at, word)))?;
    let wanted = format!("{}PORT{}", &host[..at], &host[at + word.len()..]);
    variables.0.keys().find(|name| name.to_ascii_uppercase() == wanted).map(String::as_str)
}
