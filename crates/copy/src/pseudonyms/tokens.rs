//! New parts of names for old ones, of the same form.

use std::collections::{BTreeMap, BTreeSet};

/// What no new part may be, because it means something where it stands.
const RESERVED: &[&str] = &[
    "acl",
    "al",
    "alias",
    "arn",
    "aws",
    "cluster",
    "connect",
    "db",
    "default",
    "ec2",
    "eks",
    "endpoint",
    "eni",
    "fs",
    "given",
    "iam",
    "igw",
    "inline",
    "ip",
    "key",
    "kms",
    "lambda",
    "local",
    "localhost",
    "masked",
    "nat",
    "pl",
    "probe",
    "proxy",
    "prx",
    "rds",
    "rdsproxy",
    "ro",
    "role",
    "rtb",
    "s3",
    "service",
    "setup",
    "sg",
    "sgr",
    "sns",
    "sqs",
    "sts",
    "subnet",
    "true",
    "vpc",
    "was",
];

/// Who is called what. A part keeps its length, its capitals and which of its characters are digits, so that a limit
/// that a name keeps is kept by its pseudonym, and two names that differ in case alone still do.
///
/// Parts are drawn in the order in which they are met, and never computed from what they replace: nobody can try names
/// until one fits.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// New parts by old ones, in lower case.
    given: BTreeMap<String, String>,
    /// Every old part, and every new one.
    taken: BTreeSet<String>,
    drawn: u64,
}

/// What may stand at a place.
#[derive(Debug, Clone, Copy)]
enum Class {
    Letter,
    Hex,
    Digit,
    Fixed(char),
}

impl Tokens {
    /// None yet, and none of `originals` ever as a new one.
    pub(super) fn beside(originals: BTreeSet<String>) -> Self {
        let mut taken = originals;
        taken.extend(RESERVED.iter().map(|&word| word.to_owned()));
        Self { taken, ..Self::default() }
    }

    /// Has `new` stand for `old` from now on.
    pub(super) fn prescribe(&mut self, old: &str, new: &str) {
        self.taken.insert(new.to_lowercase());
        self.given.insert(old.to_lowercase(), new.to_lowercase());
    }

    /// Whether a part was replaced before.
    pub(super) fn has(&self, token: &str) -> bool {
        self.given.contains_key(&token.to_lowercase())
    }

    /// The new part for an old one.
    pub(super) fn rename(&mut self, token: &str) -> String {
        let stays = |c: char| c.is_ascii_digit();
        if token.chars().count() < 2 && token.is_ascii() || token.len() <= 5 && token.chars().all(stays) {
            return token.to_owned();
        }
        let key = token.to_lowercase();
        let new = if let Some(new) = self.given.get(&key) {
            new.clone()
        } else {
            let new = self.draw(classes(&key));
            self.given.insert(key, new.clone());
            new
        };
        // The case of a letter is that of the letter in its place.
        let mut olds = token.chars();
        let cased = |c: char| if olds.next().is_some_and(char::is_uppercase) { c.to_ascii_uppercase() } else { c };
        new.chars().map(cased).collect()
    }

    /// Letters that stand for nothing else.
    pub(super) fn fresh(&mut self, length: usize) -> String {
        self.draw(vec![Class::Letter; length])
    }

    fn draw(&mut self, mut classes: Vec<Class>) -> String {
        const NARROW: u32 = 400;
        const WIDE: u32 = 4_000;
        let mut tries = 0;
        loop {
            self.drawn += 1;
            tries += 1;
            let new = spelled(self.drawn, &classes, tries > NARROW);
            if self.taken.insert(new.clone()) {
                return new;
            }
            if tries > WIDE {
                // All of that length are taken.
                classes.push(Class::Letter);
                tries = 0;
            }
        }
    }
}

fn classes(token: &str) -> Vec<Class> {
    // Ids of IAM begin with what they are of.
    const OF_IAM: [&str; 6] = ["aroa", "anpa", "aida", "akia", "asia", "agpa"];
    let digits = token.chars().any(|c| c.is_ascii_digit());
    let hex = token.len() >= 8 && digits && token.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    let fixed = if token.len() >= 16 && OF_IAM.iter().any(|begin| token.starts_with(begin)) { 4 } else { 0 };
    let class = |(at, c): (usize, char)| match c {
        c if at < fixed => Class::Fixed(c),
        '0'..='9' => Class::Digit,
        '-' => Class::Fixed('-'),
        _ if hex => Class::Hex,
        _ => Class::Letter,
    };
    token.chars().enumerate().map(class).collect()
}

/// The word of a number: syllables, or any letters where `wide`.
fn spelled(number: u64, classes: &[Class], wide: bool) -> String {
    let mut vowel = false;
    let mut place = 0;
    let letter = |class: &Class| {
        place += 1;
        let all: &[u8] = match class {
            Class::Fixed(c) => return *c,
            Class::Digit => b"0123456789",
            Class::Hex => b"abcdef",
            Class::Letter if wide => b"abcdefghijklmnopqrstuvwxyz",
            Class::Letter if vowel => b"aeiou",
            Class::Letter => b"bdfghjklmnprstvz",
        };
        vowel = matches!(class, Class::Letter) && !vowel;
        let at = mixed(number, place) % all.len();
        all.get(at).copied().map_or('x', char::from)
    };
    classes.iter().map(letter).collect()
}

/// A number that looks like chance (SplitMix64).
fn mixed(number: u64, place: u64) -> usize {
    let mut value = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ place.wrapping_mul(0xD1B5_4A32_D192_ED03);
    value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    usize::try_from((value ^ (value >> 31)) >> 33).unwrap_or(0)
}
