//! Host names inside values: finding them, replacing them, and putting them back.
//!
//! A value may be the host itself, `host:port`, a URL or a connection string, also one that is percent-encoded as a
//! whole. Only the host and its port are ever replaced; every other byte stays as it is.

use std::ops::Range;

use percent_encoding::percent_decode_str;

use super::escapes::{self, Glyph};
use super::ports;
use crate::names;

/// What a host name leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HostKind {
    /// The instance, or the cluster's writer.
    Writer,
    /// The cluster's readers.
    Reader,
    /// One member of the cluster.
    Member,
    /// A further endpoint that the user made.
    Custom,
    /// Our proxy's default endpoint.
    Proxy,
    /// Our proxy's read-only endpoint.
    ReaderProxy,
    /// A proxy of this database that does not exist.
    Dead,
    /// The read-only endpoint of one.
    DeadReader,
}

impl HostKind {
    /// Whether it is an endpoint of our proxy.
    #[must_use]
    pub fn is_ours(self) -> bool {
        matches!(self, Self::Proxy | Self::ReaderProxy)
    }

    /// Whether it is of a proxy that does not exist.
    #[must_use]
    pub fn is_dead(self) -> bool {
        matches!(self, Self::Dead | Self::DeadReader)
    }
}

/// A host name that we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownHost {
    /// The name.
    pub name: String,
    /// What it leads to.
    pub kind: HostKind,
}

/// One place in a value where a known host stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where the host stands.
    pub host: Range<usize>,
    /// Where its port stands, in digits alone: behind it, or under a key of its own.
    pub port: Option<Range<usize>>,
    /// What the host leads to.
    pub kind: HostKind,
}

impl Mention {
    /// The port that the value states for it.
    #[must_use]
    pub fn states(&self, value: &str) -> Option<u16> {
        value.get(self.port.clone()?)?.parse().ok()
    }
}

/// A host name that may be written into a variable: never empty, never malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

impl Host {
    /// Takes a fully qualified host name; `None` for anything else
    /// (<https://www.rfc-editor.org/rfc/rfc1123#section-2.1>).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let label = |label: &str| {
            let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
            (1..=63).contains(&label.len())
                && label.chars().all(inner)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let fits = text.len() <= 253 && text.contains('.') && text.split('.').all(label);
        fits.then(|| Self(text.to_owned()))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Finds every known host in a value, in order.
#[must_use]
pub fn mentions(value: &str, known: &[KnownHost]) -> Vec<Mention> {
    let lower = value.to_ascii_lowercase();
    let mut found: Vec<Mention> = known
        .iter()
        .filter(|host| !host.name.is_empty())
        .flat_map(|host| {
            let name = host.name.to_ascii_lowercase();
            let places: Vec<usize> = lower.match_indices(&name).map(|(at, _)| at).collect();
            let lower = &lower;
            places.into_iter().filter_map(move |at| {
                let range = at..at + name.len();
                stands_alone(lower, &range).then(|| Mention {
                    port: ports::behind(lower, range.end),
                    host: range,
                    kind: host.kind,
                })
            })
        })
        .collect();
    found.sort_by_key(|mention| mention.host.start);
    found.dedup_by_key(|mention| mention.host.start);
    // With one host in the value, a port elsewhere in it is that host's.
    if let [only] = found.as_mut_slice()
        && only.port.is_none()
    {
        only.port = ports::beside(&lower, &only.host, depth(&lower, &only.host));
    }
    found
}

/// What a value says where the text around a host is percent-encoded; `None` where it is not.
#[must_use]
pub(super) fn decoded(value: &str, mention: &Mention) -> Option<String> {
    let depth = depth(value, &mention.host);
    let decode = |text: String| percent_decode_str(&text).decode_utf8_lossy().into_owned();
    (depth > 0).then(|| (0..depth).fold(value.to_owned(), |text, _| decode(text)))
}

/// Finds hosts of a stack's proxy in values without knowing the proxy, which may have been deleted by hand.
///
/// A proxy's host is its name, `proxy-` with letters of the account's, and the region
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html>).
#[must_use]
pub fn proxies_of<'a>(stack: &str, region: &str, values: impl IntoIterator<Item = &'a String>) -> Vec<KnownHost> {
    let reader = names::reader_of(stack);
    let starts =
        [(format!("{stack}.proxy-"), HostKind::Proxy), (format!("{reader}.endpoint.proxy-"), HostKind::ReaderProxy)];
    let ends = [format!(".{region}.rds.amazonaws.com"), format!(".{region}.rds.amazonaws.com.cn")];
    let mut found: Vec<KnownHost> = Vec::new();
    for value in values {
        let lower = value.to_ascii_lowercase();
        let places = starts.iter().flat_map(|(start, kind)| {
            let places: Vec<usize> = lower.match_indices(&start.to_ascii_lowercase()).map(|(at, _)| at).collect();
            places.into_iter().map(|at| (at, *kind))
        });
        for (at, kind) in places {
            let part_of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            let rest = &lower[at..];
            let name = rest.split(|c: char| !part_of_a_name(c)).next().unwrap_or_default().trim_end_matches('.');
            if stands_alone(&lower, &(at..at + name.len())) && ends.iter().any(|end| name.ends_with(end)) {
                found.push(KnownHost { name: name.to_owned(), kind });
            }
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup();
    found
}

/// A host of the shape that RDS Proxy gives its endpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shaped {
    /// The host, in lower case.
    pub(super) host: String,
    /// The name of the proxy or of its further endpoint.
    pub(super) name: String,
    /// Whether it is a further endpoint.
    pub(super) further: bool,
}

/// The hosts of that shape in a value, of the account with these letters.
pub(super) fn shaped(letters: &str, region: &str, value: &str) -> Vec<Shaped> {
    let lower = value.to_ascii_lowercase();
    let mut found = Vec::new();
    for ending in ["com", "com.cn"] {
        let domain = format!(".proxy-{letters}.{region}.rds.amazonaws.{ending}");
        for (at, _) in lower.match_indices(&domain) {
            let mut start = at;
            while let Some(last) = escapes::before(&lower, start).filter(|last| last.depth == 0) {
                if !last.is_of_a_name() && last.char != '.' {
                    break;
                }
                start -= last.len;
            }
            let (host, name) = (start..at + domain.len(), &lower[start..at]);
            let (name, further) = name.strip_suffix(".endpoint").map_or((name, false), |name| (name, true));
            if stands_alone(&lower, &host) && !name.is_empty() && !name.contains('.') {
                found.push(Shaped { host: lower[host].to_owned(), name: name.to_owned(), further });
            }
        }
    }
    found
}

/// Whether the host is not merely a part of a longer name.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let goes_on = escapes::after(text, range.end).is_some_and(|next| match next.char {
        '.' => escapes::after(text, range.end + next.len).is_some_and(Glyph::is_of_a_name),
        _ => next.is_of_a_name(),
    });
    // With a percent sign in front, the first letters of a host may read as an escape, and those of another one may
    // not.
    let begins = |last: Glyph| last.is_of_a_name() || matches!(last.char, '.' | '%');
    !goes_on && !escapes::before(text, range.start).is_some_and(begins)
}

/// How often the text around a host is encoded.
pub(super) fn depth(text: &str, range: &Range<usize>) -> usize {
    let around = [escapes::before(text, range.start), escapes::after(text, range.end)];
    around.into_iter().flatten().map(|glyph| glyph.depth).max().unwrap_or_default()
}

/// Replaces each mention by the host beside it, and its port where the value states `ports.0`: then it becomes
/// `ports.1`.
///
/// Returns the new value and what stood at each mention (`host`, or `host:port` where the port was replaced), in order.
/// All hosts that are ever written into a variable pass here or through [`restore`], as a [`Host`].
#[must_use]
pub fn replace(value: &str, mentions: &[(&Mention, &Host)], ports: (u16, u16)) -> (String, Vec<String>) {
    let mut edits = Vec::new();
    let mut former = Vec::new();
    for (mention, host) in mentions {
        let mut was = value[mention.host.clone()].to_owned();
        edits.push((mention.host.clone(), host.as_str().to_owned()));
        if let Some(old) = mention.port.clone().filter(|_| ports.0 != ports.1 && mention.states(value) == Some(ports.0))
        {
            was = format!("{was}:{}", &value[old.clone()]);
            edits.push((old, ports.1.to_string()));
        }
        former.push(was);
    }
    (edited(value, edits), former)
}

/// Puts former hosts back where the proxy's endpoints stand now.
///
/// `None` when the value does not hold them as often as there are former hosts: then it is no longer ours.
#[must_use]
pub fn restore(value: &str, proxy: &[KnownHost], former: &[&str]) -> Option<String> {
    let mentions = mentions(value, proxy);
    if mentions.len() != former.len() || former.is_empty() {
        return None;
    }
    let mut edits = Vec::new();
    for (mention, former) in mentions.iter().zip(former) {
        let (host, port) = former.split_once(':').map_or((*former, None), |(host, port)| (host, Some(port)));
        edits.push((mention.host.clone(), Host::parse(host)?.0));
        if let Some(port) = port {
            // As it stood, zeros in front included; a tag may hold anything.
            let is_port =
                port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
            edits.push((mention.port.clone().filter(|_| is_port)?, port.to_owned()));
        }
    }
    Some(edited(value, edits))
}

/// A value with some of its ranges replaced; everything else stays byte for byte.
fn edited(value: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut new = String::with_capacity(value.len());
    let mut done = 0;
    for (range, text) in edits {
        new.push_str(&value[done..range.start]);
        new.push_str(&text);
        done = range.end;
    }
    new.push_str(&value[done..]);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    const DB: &str = "main.abc123.eu-west-1.rds.amazonaws.com";
    const READER: &str = "main-ro.abc123.eu-west-1.rds.amazonaws.com";
    const PROXY: &str = "main-proxy.proxy-abc123.eu-west-1.rds.amazonaws.com";

    fn known() -> Vec<KnownHost> {
        vec![
            KnownHost { name: DB.to_owned(), kind: HostKind::Writer },
            KnownHost { name: READER.to_owned(), kind: HostKind::Reader },
        ]
    }

    fn to<'a>(found: &'a [Mention], host: &'a Host) -> Vec<(&'a Mention, &'a Host)> {
        found.iter().map(|mention| (mention, host)).collect()
    }

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    #[test]
    fn what_is_no_host_name_is_never_written() {
        assert!(Host::parse(DB).is_some() && Host::parse(&PROXY.to_uppercase()).is_some());
        let long = format!("{}.com", "x".repeat(64));
        for bad in
            ["", " ", ".", "db", "db.", ".com", "a..b", "-a.com", "a-.com", "a b.com", "a.com:3306", "a/b.com", &long]
        {
            assert_eq!(Host::parse(bad), None, "{bad:?}");
        }
    }

    /// Every shape comes back byte for byte.
    /// What the fuzzer found (`fuzz/seeds/values/leading-zero`).
    #[test]
    fn a_port_comes_back_as_it_stood() {
        let proxy = KnownHost { name: PROXY.to_owned(), kind: HostKind::Proxy };
        for value in [format!("{DB}:03307"), format!("Server={DB};Port:03307")] {
            let found = mentions(&value, &known());
            let (new, former) = replace(&value, &to(&found, &host(PROXY)), (3307, 3306));
            assert_eq!(new, value.replace(DB, PROXY).replace("03307", "3306"));
            let former: Vec<&str> = former.iter().map(String::as_str).collect();
            assert_eq!(restore(&new, std::slice::from_ref(&proxy), &former).as_deref(), Some(value.as_str()));
        }
        // A tag may hold anything.
        for port in ["+3307", "3307 ", "000003307", "65536", "", "x"] {
            let former = format!("{DB}:{port}");
            assert_eq!(restore(&format!("{PROXY}:3306"), std::slice::from_ref(&proxy), &[&former]), None, "{port}");
        }
    }

    /// A percent sign and the first letters of a host may read as an escape, and those of another host not
    /// (`fuzz/seeds/values/percent-between`).
    #[test]
    fn a_host_behind_a_bare_percent_sign_is_none() {
        let hex = "ad-hoc.proxy-abc123.eu-west-1.rds.amazonaws.com";
        let proxy = KnownHost { name: hex.to_owned(), kind: HostKind::Proxy };
        for value in [format!("{DB}%{DB}"), format!("port=3307%{DB}"), format!("%{DB}")] {
            let found = mentions(&value, &known());
            let (new, former) = replace(&value, &to(&found, &host(hex)), (3307, 3306));
            let former: Vec<&str> = former.iter().map(String::as_str).collect();
            let back = if former.is_empty() { Some(new) } else { restore(&new, std::slice::from_ref(&proxy), &former) };
            assert_eq!(back.as_deref(), Some(value.as_str()));
        }
    }

    #[test]
    fn what_is_replaced_can_be_put_back_exactly() {
        let proxy = KnownHost { name: PROXY.to_owned(), kind: HostKind::Proxy };
        for template in [
            "{}",
            "{}:3307",
            "mysql://user:p%40ss:3307@{}:3307/app?x=1",
            "jdbc:postgresql://{}/app",
            "Server={};Port=3307;Uid=a;Pwd=b;",
            "host={} port=3307 dbname=app",
            "tcp:{},1433",
            "jdbc:sqlserver://{};port=1433;database=app",
            "mysql:host={};port=3307;dbname=app",
            "port=3307 host={}",
            "user:pw@tcp({}:3307)/app",
            "{},{}",
            "mysql://{}:3307,{}:3308/app",
            "{\"host\":\"{}\",\"port\":3307}",
            "name={}.",
            "prefix 한글 {} suffix",
            "mysql%3A%2F%2Fapp%3Ax%40{}%3A3307%2Fdb",
            "%40{}%3A3307",
            "mysql%253A%252F%252Fapp%253Ax%2540{}%253A3307%252Fdb",
            "host%3D{}%3Bport%3D3307%3Bdbname%3Dapp",
            "%7B%22host%22%3A%22{}%22%2C%22port%22%3A3307%7D",
            "https://gate.example/?to=postgresql%3A%2F%2F{}%3A3307%2Fapp&port=443",
        ] {
            let value = template.replace("{}", DB);
            let found = mentions(&value, &known());
            assert_eq!(found.len(), template.matches("{}").count(), "{value}");
            for ports in [(3307, 3307), (3307, 3306)] {
                let (new, former) = replace(&value, &to(&found, &host(PROXY)), ports);
                assert!(!new.contains(DB) && new.contains(PROXY), "{new}");
                // A port that the value states goes with the host.
                assert!(
                    ports.0 == ports.1 || !new.contains("3307") || value.contains("3308") || value.contains("p%40"),
                    "{new}"
                );
                let former: Vec<&str> = former.iter().map(String::as_str).collect();
                assert_eq!(restore(&new, std::slice::from_ref(&proxy), &former).as_deref(), Some(value.as_str()));
            }
        }
    }

    #[test]
    fn the_host_of_a_stacks_proxy_is_known_by_its_shape() {
        for (value, found) in [
            (format!("postgresql://app@{PROXY}:5432/app"), true),
            (PROXY.to_uppercase(), true),
            (format!("other-{PROXY}"), false),
            (PROXY.replace("eu-west-1", "eu-west-2"), false),
            (PROXY.replace(".proxy-", ".cluster-"), false),
            (format!("{PROXY}.example.com"), false),
        ] {
            let names = proxies_of("main-proxy", "eu-west-1", [&value]);
            assert_eq!(names.iter().any(|host| host.name == PROXY), found, "{value}");
        }
    }

    #[test]
    fn hosts_of_any_proxy_of_the_account_are_known_by_their_shape() {
        let found = |value: &str| {
            let found = shaped("abc123", "eu-west-1", value).into_iter().map(|found| (found.name, found.further));
            found.collect::<Vec<_>>()
        };
        let main = || vec![("main-proxy".to_owned(), false)];
        assert_eq!(found(&format!("mysql%3A%2F%2Fapp%40{PROXY}%3A3306")), main());
        assert_eq!(found(&format!("mysql://app:x@{}/app", PROXY.to_uppercase())), main());
        assert_eq!(found(&PROXY.replace(".proxy", ".endpoint.proxy")), [("main-proxy".to_owned(), true)]);
        for other in [
            DB.to_owned(),
            PROXY.replace("abc123", "xyz789"),
            PROXY.replace("eu-west-1", "eu-west-2"),
            format!("x.{PROXY}"),
            format!("{PROXY}.cn.example"),
            PROXY.replace("main-proxy", ""),
        ] {
            assert_eq!(found(&other), [], "{other}");
        }
    }

    #[test]
    fn a_longer_name_is_another_host() {
        for value in [
            format!("x{DB}"),
            format!("x.{DB}"),
            format!("x-{DB}"),
            format!("{DB}.cn"),
            format!("{DB}x"),
            format!("{DB}%2Ecn"),
            format!("{DB}.%63n"),
            format!("{DB}%2Dx"),
            format!("x%2E{DB}"),
            format!("%61{DB}"),
            // Meant as it stands, this is another database's host.
            format!("%ab{DB}"),
            "nothing".to_owned(),
            String::new(),
        ] {
            assert_eq!(mentions(&value, &known()), [], "{value}");
        }
    }

    #[test]
    fn host_names_have_no_case_but_keep_theirs() {
        let value = DB.to_uppercase();
        let found = mentions(&value, &known());
        let (_, former) = replace(&value, &to(&found, &host(PROXY)), (3306, 3306));
        assert_eq!(former, [value]);
    }

    #[test]
    fn a_value_that_was_changed_since_is_not_ours() {
        let proxy = KnownHost { name: PROXY.to_owned(), kind: HostKind::Proxy };
        assert_eq!(restore("elsewhere.example.com", std::slice::from_ref(&proxy), &[DB]), None);
        assert_eq!(restore(&format!("{PROXY},{PROXY}"), &[proxy], &[DB]), None);
    }

    #[test]
    fn only_the_port_behind_the_host_is_its_port() {
        let value = format!("{DB}:3307/app:3307");
        let found = mentions(&value, &known());
        let (new, former) = replace(&value, &to(&found, &host(PROXY)), (3307, 3306));
        assert_eq!(new, format!("{PROXY}:3306/app:3307"));
        assert_eq!(former, [format!("{DB}:3307")]);
    }
}
