//! What of variables this program reads, and nothing else of them: for a copy of an account that may leave the machine.
//!
//! What is read stays where it is: hosts of the database and the proxy and their ports, users, names of databases,
//! secrets and parameters, and the words that checks look for. Every other character becomes an `x` or a `?`, so that a
//! value is as long as it was. Two values that differ in what is hidden stay different, since versions of a function
//! are compared.

mod connection;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;

use base64::Engine as _;

use super::auth::{is_password, names_user, refers_to_secret};
use super::credentials::names_database;
use super::functions::is_parameter;
use super::hidden::{self, Form};
use super::hosts::{HostKind, KnownHost, mentions};
use crate::cloud::lambda::Variables;

/// Values that are switches, in lower case.
const SWITCHES: [&str; 14] = [
    "0", "1", "aws_iam", "disable", "disabled", "false", "iam", "iam_auth", "no", "off", "on", "rds_iam", "true", "yes",
];

/// What is put in the place of what is hidden; the second where the first would make a name of what is none.
const HIDING: [u8; 2] = *b"x?";
/// Letters by which hidden texts differ.
const APART: &[u8; 10] = b"abcdefghij";

/// Reduces variables to what is read of them.
#[derive(Debug)]
pub struct Essence<'a> {
    known: &'a [KnownHost],
    secrets: &'a [String],
    seen: Seen,
}

/// By a variable's name and what is left of its value: the values of which just that is left. Nobody sees them.
#[derive(Default)]
struct Seen(BTreeMap<(String, String), Vec<String>>);

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Seen").field(&self.0.len()).finish()
    }
}

/// What stays of a value.
enum Kept {
    /// All of it.
    All,
    /// These bytes.
    Parts(Vec<Range<usize>>),
    /// Another value that says the same.
    Instead(String),
}

impl<'a> Essence<'a> {
    /// With the hosts, and the names and ARNs of secrets, that values are searched for.
    #[must_use]
    pub fn new(known: &'a [KnownHost], secrets: &'a [String]) -> Self {
        Self { known, secrets, seen: Seen::default() }
    }

    /// What is read of these variables.
    #[must_use]
    pub fn of(&mut self, variables: &Variables) -> Variables {
        Variables(variables.0.iter().map(|(name, value)| (name.clone(), self.value(name, value))).collect())
    }

    fn value(&mut self, name: &str, value: &str) -> String {
        let parts = match self.kept(name, value) {
            Kept::All => return value.to_owned(),
            Kept::Instead(text) => return text,
            Kept::Parts(parts) => parts,
        };
        let hiding = HIDING[usize::from(refers_to_secret(name, "x") && !refers_to_secret(name, value))];
        let left = reduced(value, &parts, hiding, 0);
        if left == value {
            return left;
        }
        let same = self.seen.0.entry((name.to_owned(), left)).or_default();
        let number = same.iter().position(|known| known == value).unwrap_or_else(|| {
            same.push(value.to_owned());
            same.len() - 1
        });
        reduced(value, &parts, hiding, number)
    }

    fn kept(&self, name: &str, value: &str) -> Kept {
        let upper = name.to_ascii_uppercase();
        if !mentions(value, self.known).is_empty() {
            return Kept::Parts(connection::parts(value, self.known));
        }
        if let Some(form) = hidden::form(value, self.known) {
            return self.hidden(form);
        }
        // What names a secret or a parameter is no secret, whatever its variable is called.
        let listed = self.secrets.iter().any(|secret| secret == value);
        if refers_to_secret(name, value) || is_parameter(name, value) || listed {
            return Kept::All;
        }
        let port = upper.contains("PORT") && value.len() <= 5 && value.bytes().all(|byte| byte.is_ascii_digit());
        let switch = SWITCHES.contains(&value.to_ascii_lowercase().as_str());
        if !is_password(&upper) && (port || switch || names_user(name) || names_database(name)) {
            return Kept::All;
        }
        Kept::Parts(connection::phrases_in(value))
    }

    /// A host alone, in the form in which the value holds one.
    fn hidden(&self, form: Form) -> Kept {
        let moving = |host: &&KnownHost| matches!(host.kind, HostKind::Writer | HostKind::Reader);
        let Some(host) = self.known.iter().find(moving) else { return Kept::Parts(Vec::new()) };
        Kept::Instead(match form {
            Form::Base64 => base64::prelude::BASE64_STANDARD.encode(&host.name),
            Form::Escaped => host.name.replace('.', "%2E"),
        })
    }
}

/// The value with everything else hidden; values of which the same is left differ by their `number`.
fn reduced(value: &str, parts: &[Range<usize>], hiding: u8, number: usize) -> String {
    let mut bytes = value.as_bytes().to_vec();
    let mut hidden: Vec<usize> = Vec::new();
    for (at, char) in value.char_indices() {
        let char = at..at + char.len_utf8();
        if parts.iter().any(|part| part.contains(&at)) {
            continue;
        }
        if let Some(bytes) = bytes.get_mut(char.clone()) {
            bytes.fill(hiding);
        }
        hidden.extend(char);
    }
    // From the end, as the digits of a number are; where there is too little room, the value becomes longer.
    let (mut left, mut further) = (number, Vec::new());
    while left > 0 {
        let letter = APART.get(left % APART.len()).copied().unwrap_or(hiding);
        left /= APART.len();
        match hidden.pop().and_then(|at| bytes.get_mut(at)) {
            Some(byte) => *byte = letter,
            None => further.push(letter),
        }
    }
    bytes.extend(further);
    // Whole characters were replaced by letters of one byte each.
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;

    use super::*;
    use crate::discover::auth::{asks_for_iam, signed, user_in};
    use crate::discover::credentials::Own;
    use crate::discover::functions::{FunctionUse, example};
    use crate::discover::hosts::decoded;
    use crate::doctor::clients::spoken;

    const DB: &str = "main.abc123.eu-west-1.rds.amazonaws.com";
    const READER: &str = "main-ro.abc123.eu-west-1.rds.amazonaws.com";
    const CANARY: &str = "Q7canaryZ9";

    fn known() -> Vec<KnownHost> {
        vec![
            KnownHost { name: DB.to_owned(), kind: HostKind::Writer },
            KnownHost { name: READER.to_owned(), kind: HostKind::Reader },
        ]
    }

    fn using(variables: &Variables) -> FunctionUse {
        let mut found = example::using("f", &[]).function;
        found.variables = variables.clone();
        FunctionUse::of(found, &known(), false)
    }

    /// Everything that this program reads of variables; passwords only by whether there is one.
    fn reading(variables: &Variables) -> Vec<String> {
        let found = using(variables);
        let known = known();
        let mut said = vec![
            format!("{:?} {}", signed(&found), asks_for_iam(&found)),
            format!("{:?}", user_in(&found)),
            format!("{:?}", {
                let own = Own::of(&found);
                (own.user, own.password.is_some(), own.database)
            }),
            format!("{:?}", hidden::of(&found.function, &known)),
        ];
        for (name, value) in &variables.0 {
            let hosts = mentions(value, &known);
            for mention in &hosts {
                let host = value.get(mention.host.clone()).unwrap_or_default();
                said.push(format!("{name}: {host} {:?} {:?}", mention.kind, mention.states(value)));
            }
            let inner = hosts.first().and_then(|first| decoded(value, first));
            for mention in inner.iter().flat_map(|text| mentions(text, &known)) {
                said.push(format!(
                    "{name}, decoded: {:?} {:?}",
                    mention.kind,
                    inner.as_deref().and_then(|text| mention.states(text))
                ));
            }
            said.push(format!(
                "{name}: {} {} {:?}",
                refers_to_secret(name, value),
                is_parameter(name, value),
                spoken(name, value)
            ));
            // What holds a host names no secret.
            if refers_to_secret(name, value) && hosts.is_empty() {
                said.push(value.clone());
            }
        }
        said
    }

    fn variables(pairs: &[(String, String)]) -> Variables {
        Variables(pairs.iter().cloned().collect())
    }

    /// Forms of values in which {h} is a host, {s} a secret text, {u} a user and {p} a port.
    const FORMS: [&str; 40] = [
        "{h}",
        "{h}:{p}",
        "{s}",
        "{u}",
        "{p}",
        "mysql://{u}:{s}@{h}:{p}/shop?ssl=true",
        "postgresql://{u}@{h}/shop",
        "jdbc:postgresql://{h}:{p}/shop?user={u}&password={s}&sslmode=disable",
        "Server={h};Port={p};Uid={u};Pwd={s};",
        "host={h} port={p} user={u} password={s} dbname=shop options=-c",
        "{u}:{s}@tcp({h}:{p})/shop",
        "tcp:{h},{p}",
        "{\"host\":\"{h}\",\"port\":{p},\"password\":\"{s}\"}",
        "{h},{h}",
        "port={p} port=1 host={h}",
        "{s} {h} {s}",
        "{s}.{h}",
        "{h}. {s}",
        "{h}.{s}",
        "{s}={h}",
        "{s}",
        "x{h}",
        "arn:aws:secretsmanager:eu-west-1:1:secret:db-{u}",
        "/shop/db/host",
        "arn:aws:ssm:eu-west-1:1:parameter/db/url",
        "/etc/ssl/rds-combined-ca-bundle.pem",
        "true",
        "false",
        "iam",
        "",
        "{s}@{h}",
        "mysql://{u}:{s}%3A{s}@{h}",
        "mysql://{u}%40corp:{s}@{h}/a%20b",
        "https://gate.example/?to={h}&port={p}",
        "\u{d55c}{h}\u{ae00}",
        "{h}?plugins=iam&password={s}",
        "{s}?options={s}",
        "://{s}?search_path={s}",
        "password={s}={s};host={h}",
        "{h}:{p}{s}",
    ];
    const NAMES: [&str; 22] = [
        "DB_HOST",
        "DB_PORT",
        "DATABASE_URL",
        "DB_USER",
        "DB_PASSWORD",
        "PGPASSWORD",
        "DB_NAME",
        "PORT",
        "DSN",
        "API_KEY",
        "DB_SECRET_ARN",
        "DB_SECRET_NAME",
        "SECRET_ARN",
        "USE_IAM_AUTH",
        "DB_AUTH",
        "PGSSLMODE",
        "DB_SSL",
        "PGOPTIONS",
        "SMTP_PASSWORD",
        "DB_CA",
        "PARAM",
        "REDIS_URL",
    ];

    fn filled(form: &str, host: &str, user: &str, port: u16, secret: &str) -> String {
        form.replace("{h}", host).replace("{u}", user).replace("{p}", &port.to_string()).replace("{s}", secret)
    }

    fn encoded(value: &str, how: u8) -> String {
        use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
        const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_').remove(b'~');
        let once = |text: &str| utf8_percent_encode(text, UNRESERVED).to_string();
        match how {
            1 => once(value),
            2 => once(&once(value)),
            3 => BASE64_STANDARD.encode(value),
            4 => format!("https://gate.example/?to={}&port=443", once(value)),
            _ => value.to_owned(),
        }
    }

    fn drawn() -> impl Strategy<Value = Vec<(String, String)>> {
        let value = (0..FORMS.len(), any::<bool>(), "[a-z]{1,8}", any::<u16>(), "[!-~]{0,6}", 0..8_u8).prop_map(
            |(form, reader, user, port, noise, how)| {
                let host = if reader { READER } else { DB };
                // The canary in the middle of what a password may consist of.
                encoded(&filled(FORMS[form], host, &user, port, &format!("{noise}{CANARY}{noise}")), how)
            },
        );
        proptest::collection::vec(((0..NAMES.len()).prop_map(|at| NAMES[at].to_owned()), value), 1..6)
    }

    /// Where a name is by definition what is kept: a secret's, a user's, a database's.
    fn is_name(name: &str, value: &str) -> bool {
        refers_to_secret(name, value) || is_parameter(name, value) || names_user(name) || names_database(name)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(4_000) })]

        #[test]
        fn the_same_is_read_of_what_is_kept_and_nothing_else_is_kept(pairs in drawn()) {
            let (known, all) = (known(), variables(&pairs));
            let kept = Essence::new(&known, &[]).of(&all);
            // A host that is hidden beside one that is not is reported of the original alone; and a host in what should
            // be a name of something else is nobody's, so the name is kept no more than its neighbors.
            let odd = |(name, value): (&String, &String)| {
                let (open, hidden) = (!mentions(value, &known).is_empty(), hidden::form(value, &known).is_some());
                (hidden && (open || is_name(name, value))) || (open && name.contains("SECRET"))
            };
            let beside = all.0.iter().any(odd);
            if !beside {
                prop_assert_eq!(reading(&all), reading(&kept), "{:?}\n{:?}", all, kept);
            }
            for (name, value) in &kept.0 {
                // Where a user or a database has its place, a name stands.
                let found = using(&Variables([(name.clone(), all.0[name].clone())].into()));
                let names = [user_in(&found).map(|(user, _)| user.to_owned()), Own::of(&found).database];
                let at_name = names.iter().flatten().any(|name| name.contains(CANARY));
                let holds = value.contains(CANARY) || decoded_often(value).contains(CANARY);
                prop_assert!(!holds || is_name(name, value) || at_name, "{} = {} of {:?}", name, value, all);
            }
        }

        #[test]
        fn values_that_differ_stay_different_and_equal_ones_equal(one in drawn(), other in drawn()) {
            let known = known();
            let mut essence = Essence::new(&known, &[]);
            let (one, other) = (variables(&one), variables(&other));
            let (first, second) = (essence.of(&one), essence.of(&other));
            let hides = |all: &Variables| all.0.values().any(|value| hidden::form(value, &known).is_some());
            if !hides(&one) && !hides(&other) {
                prop_assert_eq!(one == other, first == second);
                prop_assert_eq!(&essence.of(&one), &first);
            }
        }
    }

    fn decoded_often(value: &str) -> String {
        let once = |text: String| percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned();
        once(once(value.to_owned()))
    }

    #[test]
    fn values_of_which_the_same_is_left_are_told_apart_by_letters() {
        let mut essence = Essence::new(&[], &[]);
        let mut left: Vec<String> = Vec::new();
        for number in 0..250 {
            let value = format!("{number:03}");
            left.push(essence.value("TOKEN", &value));
        }
        assert_eq!((left[0].as_str(), left[1].as_str(), left[10].as_str()), ("xxx", "xxb", "xba"));
        left.sort();
        left.dedup();
        assert_eq!(left.len(), 250);
    }
}
