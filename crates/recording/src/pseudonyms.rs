//! Names, ids, hosts and addresses under pseudonyms: the same one for the same thing, in names and in sentences.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::OnceLock;

/// What names are built from that says nothing about whose they are; also the parts of ARNs, hosts and Regions.
const OF_NAMES: &str = "\
    a access account accounts acl acls action address admin administrator af alarm alarms alias aliases all am amazon amazonaws ap app \
    apne apse api arn association associations assumed at aurora authentication authorizer availability available aws az ca cidr ciphers \
    central cluster clusters cn code com concurrency config configuration connect connection connections cross custom data \
    database databases db dbcluster dbinstance dbname dbproxy dbuser default delete dev dest direction east ec2 egress enabled \
    endpoint endpoints eni entry env eu event eventsource exec file filter function functions general gov group groups handler host \
    hostname http https iam id igw index ingress il in instance instances integrator internal interface interfaces invocations ip key \
    kms lambda latest local log logging loggroup logs main managed mariadb master max me memory monitoring mx mysql name nat net \
    network networkinterface north northeast northwest null only operation org os owner parameter parameters pass password pg pl \
    policies policy pool port postgres postgresql prefix primary principal prod production proxies proxy proxysql pwd query rds rdb \
    rdsproxy read reader readers region replica reserved resource role roles root route rtb rule rules sa schema secret secrets \
    secretsmanager security self server service session settings setup sg sgr snap snapshot sns source south southeast southwest sql \
    sqs ssl staging stack statement status sts subnet subnets system tag tags target task tcp test tgw timeout tls token topic udp uri \
    url us user username users var variable version versions vpc vpce west write writer writers arm x86 py python node nodejs java";

/// Sentences' words: the product's own and those of AWS's messages.
const OF_SENTENCES: &str = include_str!("words.txt");

fn words(list: &'static str) -> HashSet<&'static str> {
    list.split_ascii_whitespace().collect()
}

fn known_in_names(token: &str) -> bool {
    static KNOWN: OnceLock<HashSet<&'static str>> = OnceLock::new();
    KNOWN.get_or_init(|| words(OF_NAMES)).contains(token)
}

fn known_in_sentences(token: &str) -> bool {
    static KNOWN: OnceLock<HashSet<&'static str>> = OnceLock::new();
    KNOWN.get_or_init(|| words(OF_SENTENCES)).contains(token)
}

/// What a text is, and so which of its words may stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Name,
    Path,
    Sentence,
}

/// Who is called what.
#[derive(Debug, Default)]
pub(crate) struct Pseudonyms {
    /// Names stay as they are; what is in no name and no list of words does not.
    plain: bool,
    given: BTreeMap<String, String>,
    /// The parts of the names that were met.
    met: BTreeSet<String>,
}

impl Pseudonyms {
    pub(crate) fn new(plain: bool) -> Self {
        Self { plain, ..Self::default() }
    }

    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    /// A name, an ARN, an id, a host or an address.
    pub(crate) fn name(&mut self, text: &str) -> String {
        self.text(text, Sort::Name)
    }

    /// A path of a URL.
    pub(crate) fn path(&mut self, text: &str) -> String {
        self.text(text, Sort::Path)
    }

    /// A sentence of AWS's or of the program's.
    pub(crate) fn sentence(&mut self, text: &str) -> String {
        self.text(text, Sort::Sentence)
    }

    fn text(&mut self, text: &str, sort: Sort) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        let mut marks = 0;
        while let Some(first) = rest.chars().next() {
            let token = if first.is_alphanumeric() { token(rest) } else { "" };
            if token.is_empty() {
                // Marks of punctuation say little, and a run of them nothing that anyone needs.
                marks += 1;
                if marks <= 4 || first == ' ' {
                    shown.push(if first.is_ascii_graphic() || first == ' ' { first } else { '?' });
                }
                rest = &rest[first.len_utf8()..];
                continue;
            }
            marks = 0;
            shown.push_str(&self.token(token, sort));
            rest = &rest[token.len()..];
        }
        shown
    }

    fn token(&mut self, token: &str, sort: Sort) -> String {
        let key = token.to_lowercase();
        let as_it_is = match sort {
            Sort::Name => known_in_names(&key) || is_short_number(token, 3) || is_zone(token),
            Sort::Path => known_in_names(&key) || is_short_number(token, 4),
            Sort::Sentence => {
                !self.met.contains(&key)
                    && (known_in_sentences(&key)
                        || known_in_names(&key)
                        || is_short_number(token, 5)
                        || is_zone(token)
                        || is_identifier(token))
            }
        };
        if as_it_is || NOBODYS.contains(&token) {
            return token.to_owned();
        }
        if sort != Sort::Sentence {
            self.met.insert(key.clone());
        }
        if self.plain {
            return if self.met.contains(&key) { token.to_owned() } else { "…".to_owned() };
        }
        let number = self.given.len() + 1;
        self.given.entry(key).or_insert_with(|| pseudonym(token, number)).clone()
    }
}

/// Addresses that are nobody's: of a rule for everyone (`0.0.0.0/0`), it matters that it is one, and this machine's
/// own.
const NOBODYS: [&str; 2] = ["0.0.0.0", "127.0.0.1"];

/// A pseudonym of the same form, so that what reads the name still can.
fn pseudonym(token: &str, number: usize) -> String {
    let all = |test: fn(&char) -> bool| token.chars().all(|c| test(&c));
    if is_address(token) {
        return format!("10.{}.{}.{}", 200 + number / 62_500 % 50, number / 250 % 250, number % 250);
    }
    if is_uuid(token) {
        return format!("00000000-0000-4000-8000-{number:012x}");
    }
    if token.len() == 12 && all(char::is_ascii_digit) {
        return format!("1{number:011}");
    }
    if matches!(token.len(), 8 | 17) && all(char::is_ascii_hexdigit) && token.contains(|c: char| c.is_ascii_digit()) {
        return format!("{number:0width$x}", width = token.len());
    }
    format!("n{number}")
}

/// The token at the beginning of a text.
fn token(text: &str) -> &str {
    for (end, test) in [(36, is_uuid as fn(&str) -> bool)] {
        if let Some(whole) = text.get(..end).filter(|whole| test(whole))
            && !text[end..].starts_with(char::is_alphanumeric)
        {
            return whole;
        }
    }
    let dotted = text.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(text.len());
    let dotted_end = text[..dotted].trim_end_matches('.').len();
    if is_address(&text[..dotted_end]) && !text[dotted_end..].starts_with(char::is_alphanumeric) {
        return &text[..dotted_end];
    }
    &text[..text.find(|c: char| !c.is_alphanumeric()).unwrap_or(text.len())]
}

/// A word of the lists, or one of AWS's that consists of such words.
#[must_use]
pub fn is_known(text: &str) -> bool {
    let lower = text.to_lowercase();
    known_in_names(&lower) || known_in_sentences(&lower) || is_identifier(text)
}

/// A part of a word, version or time of AWS's: a word of the lists, such a word with a number, a number, or too short
/// for a secret.
pub(crate) fn is_plain_word(token: &str) -> bool {
    let lower = token.to_lowercase();
    let stem = lower.trim_end_matches(|c: char| c.is_ascii_digit());
    token.len() <= 6
        || token.chars().all(|c| c.is_ascii_digit())
        || is_known(token)
        || (lower.len() - stem.len() <= 3 && is_known(stem))
}

fn is_address(text: &str) -> bool {
    text.split('.').count() == 4 && text.split('.').all(|part| part.parse::<u8>().is_ok())
}

/// The form of AWS's ids of requests, and of some others.
#[must_use]
pub fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
        && parts.iter().all(|part| part.chars().all(|c| c.is_ascii_hexdigit()))
}

fn is_short_number(text: &str, most: usize) -> bool {
    text.len() <= most && text.chars().all(|c| c.is_ascii_digit())
}

/// The end of an Availability Zone: `1a`.
fn is_zone(text: &str) -> bool {
    matches!(text.as_bytes(), [b'1'..=b'9', b'a'..=b'f'])
}

/// A word of AWS's model, such as `DBProxyNotFoundFault`: capitals that begin words of the list.
fn is_identifier(text: &str) -> bool {
    if !text.contains(|c: char| c.is_ascii_uppercase()) || !text.chars().all(|c| c.is_ascii_alphabetic()) {
        return false;
    }
    let mut words: Vec<String> = Vec::new();
    let letters: Vec<char> = text.chars().collect();
    for (at, letter) in letters.iter().enumerate() {
        let begins = letter.is_ascii_uppercase()
            && (at == 0
                || letters[at - 1].is_ascii_lowercase()
                || letters.get(at + 1).is_some_and(char::is_ascii_lowercase));
        match words.last_mut() {
            Some(word) if !begins => word.push(*letter),
            _ => words.push(letter.to_string()),
        }
    }
    words.iter().map(|word| word.to_lowercase()).all(|word| known_in_names(&word) || known_in_sentences(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_thing_has_the_same_pseudonym_in_names_and_in_sentences() {
        let mut names = Pseudonyms::new(false);
        assert_eq!(names.name("shop-db-proxy"), "n1-db-proxy");
        let host = names.name("shop-db-proxy.proxy-c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com");
        assert_eq!(host, "n1-db-proxy.proxy-n2.eu-central-1.rds.amazonaws.com");
        assert_eq!(names.name("arn:aws:iam::123456789012:role/Shop-role"), "arn:aws:iam::100000000003:role/n1-role");
        assert_eq!(names.name("0.0.0.0/0"), "0.0.0.0/0");
        assert_eq!(names.name("sg-0123456789abcdef0"), "sg-00000000000000004");
        assert_eq!(names.name("172.31.4.5/32"), "10.200.0.5/32");
        assert_eq!(
            names.sentence(
                "User: arn:aws:iam::123456789012:user/ann is not authorized to perform: rds:CreateDBProxy on shop"
            ),
            "User: arn:aws:iam::100000000003:user/n6 is not authorized to perform: rds:CreateDBProxy on n1"
        );
    }

    #[test]
    fn words_of_aws_s_model_are_known_and_others_are_not() {
        for known in ["DBProxyNotFoundFault", "MaxConnectionsPercent", "ipPermissions", "message", "ARN"] {
            assert!(is_known(known), "{known}");
        }
        for other in ["HUNTERTWO", "HunterTwo", "hunter2", "X7Y", "PassHunter", ""] {
            assert!(!is_known(other), "{other}");
        }
    }

    #[test]
    fn plain_keeps_names_and_still_no_word_that_nobody_knows() {
        let mut names = Pseudonyms::new(true);
        assert_eq!(names.name("shop-db-proxy"), "shop-db-proxy");
        assert_eq!(names.sentence("the proxy shop-db-proxy is not hunter2secret"), "the proxy shop-db-proxy is not …");
    }

    #[test]
    fn a_word_that_is_a_name_is_one_in_sentences_too() {
        let mut names = Pseudonyms::new(false);
        assert_eq!(names.sentence("the order of things"), "the order of things");
        names.name("order");
        assert_eq!(names.sentence("the order of things"), "the n1 of things");
    }
}
