//! The input of the targets: which hosts are known, and a text.

use arbitrary::Arbitrary;

use super::hosts::{Host, HostKind, KnownHost};

const REGION: &str = "eu-west-1.rds.amazonaws.com";
/// The letters of the account in every host of this Region.
pub(super) const LETTERS: &str = "abc123";

/// What the fuzzer draws. A file of the corpus is two letters and the text as it is, so that people can read and write
/// it.
#[derive(Debug, Clone, Copy, Arbitrary)]
pub struct Input<'a> {
    /// Which hosts are known besides the writer: five bits.
    hosts: u8,
    /// What they look like: five bits, and whether it is a small letter.
    form: u8,
    /// A value, or variables.
    pub text: &'a str,
}

/// The hosts that are known, and the ports.
#[derive(Debug)]
pub(super) struct Account {
    /// All of them.
    pub(super) known: Vec<KnownHost>,
    /// Our proxy's alone.
    pub(super) ours: Vec<KnownHost>,
    /// The database's port and the proxy's.
    pub(super) ports: (u16, u16),
    /// The name of the stack.
    pub(super) stack: String,
    /// Whether a name ends in a full stop, so that it can be found but not written.
    pub(super) rooted: bool,
    has_reader: bool,
}

impl Input<'_> {
    pub(super) fn account(&self) -> Account {
        let hosts = |bit: u8| self.hosts & bit != 0;
        let form = |bit: u8| self.form & bit != 0;
        let (reader, custom, member, dead, ours) = (hosts(1), hosts(2), hosts(4), hosts(8), hosts(16));
        let (cluster, upper, rooted, other_port, short) = (form(1), form(2), form(4), form(8), form(16));
        let stack_of_its_own = !form(32);
        // A name that begins with two hex digits reads like an escape behind a percent sign, so one of two may do so.
        let (database, own) = if short { ("db", "orders") } else { ("main", "ad-hoc") };
        let stack = if stack_of_its_own { own.to_owned() } else { format!("{database}-proxy") };
        let spelled = |name: String, kind| {
            let name = if upper { name.to_uppercase() } else { name };
            KnownHost { name: if rooted { name + "." } else { name }, kind }
        };
        let mark = if cluster { "cluster-" } else { "" };
        let mut known = vec![spelled(format!("{database}.{mark}{LETTERS}.{REGION}"), HostKind::Writer)];
        for (there, name, kind) in [
            (reader && cluster, format!("{database}.cluster-ro-{LETTERS}.{REGION}"), HostKind::Reader),
            (reader && !cluster, format!("{database}-ro.{LETTERS}.{REGION}"), HostKind::Reader),
            (custom, format!("reports.cluster-custom-{LETTERS}.{REGION}"), HostKind::Custom),
            (member, format!("{database}-1.{LETTERS}.{REGION}"), HostKind::Member),
            (dead, format!("former.proxy-{LETTERS}.{REGION}"), HostKind::Dead),
        ] {
            known.extend(there.then(|| spelled(name, kind)));
        }
        let proxies = vec![
            spelled(format!("{stack}.proxy-{LETTERS}.{REGION}"), HostKind::Proxy),
            spelled(format!("{stack}-ro.endpoint.proxy-{LETTERS}.{REGION}"), HostKind::ReaderProxy),
        ];
        if ours {
            known.extend(proxies.iter().cloned());
        }
        let ports = (if other_port { 3307 } else { 3306 }, 3306);
        Account { known, ours: proxies, ports, stack, rooted, has_reader: reader }
    }
}

impl Account {
    /// A host of this kind, as it is written into a value: never with a full stop at its end.
    pub(super) fn host(&self, kind: HostKind) -> Option<Host> {
        let host = self.known.iter().chain(&self.ours).find(|host| host.kind == kind)?;
        Some(Host::parse(host.name.trim_end_matches('.')).expect("the names above are well-formed"))
    }

    /// What takes the place of each kind of host on the way to the proxy.
    pub(super) fn instead_of(&self, kind: HostKind) -> Option<Host> {
        match kind {
            HostKind::Writer => self.host(HostKind::Proxy),
            HostKind::Reader if self.has_reader => self.host(HostKind::ReaderProxy),
            _ => None,
        }
    }
}
