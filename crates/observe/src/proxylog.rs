//! What the lines of a proxy's log say.
//!
//! AWS documents where the log is and that each entry is prefixed with the endpoint's name
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.troubleshooting.html>), and not what stands in it. The wording
//! here is that of lines which users have published; each is named beside it. Of a line, only what is known by heart
//! comes out: statements, digests, hosts and addresses may hold values, and never do.

use std::collections::BTreeMap;

/// Why a session was pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Pin {
    /// A statement changed settings of the session.
    Settings,
    /// A prepared statement ran.
    Prepared,
    /// A message of PostgreSQL's extended protocol came.
    Parse,
    /// A statement was longer than the proxy looks at.
    Long,
    /// Something that is not known here.
    Other,
}

impl Pin {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Settings => "a statement changed settings of the session that the proxy does not track (such as SET)",
            Self::Prepared => "a prepared statement ran",
            Self::Parse => "the driver sent a parse message of PostgreSQL's extended protocol",
            Self::Long => "a statement was longer than 16 KiB",
            Self::Other => "a reason that this program does not know; read it in the log",
        }
    }

    /// What helps.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Settings => "Move settings of the session to the proxy's initialization query: up --init-query.",
            Self::Prepared | Self::Parse => "Have the driver send statements without preparing them on the server.",
            Self::Long => "Split long statements, or send their values as parameters.",
            Self::Other => "Read the reasons in the log group of the proxy.",
        }
    }
}

/// How a client that was refused logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogIn {
    /// With an IAM token.
    Iam,
    /// With a password.
    Password,
    /// In a way that is not known here.
    Other,
}

impl LogIn {
    /// In words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Iam => "with IAM tokens",
            Self::Password => "with passwords",
            Self::Other => "in a way that the log does not name",
        }
    }
}

/// What a line is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A session was pinned.
    Pinned(Pin),
    /// A log-in was refused.
    Refused {
        /// How the client logged in.
        how: LogIn,
        /// As whom; what the client sent, so it may be anything.
        user: Option<String>,
        /// Whether within TLS, where the line says it.
        tls: Option<bool>,
    },
    /// The proxy could not read a secret.
    SecretUnread,
    /// A client waited for a connection in vain.
    BorrowTimeout,
    /// A client came without TLS, which the proxy requires.
    TlsRequired,
    /// A client sent a start-up option that the proxy refuses.
    OptionRefused,
    /// The database answered with too many connections.
    TooManyConnections,
}

/// Terms of which one stands in every line that [`read`] understands, for a filter of CloudWatch Logs.
pub const FILTER: &str = "?\"was pinned to the database connection\" ?\"Proxy authentication\" ?\"couldn't be retrieved\" \
                          ?\"waiting to acquire\" ?\"requires TLS\" ?\"currently doesn't support the option\" ?\"no credentials for \
                          the role\" ?\"oo many connections\"";

/// Understands a line; none of those that say nothing that matters here.
#[must_use]
pub fn read(line: &str) -> Option<Event> {
    // npgsql#3731, postgrex#514, prisma-engines#1692. "If this prepared statement runs, the client session will be
    // pinned" (prisma#5866) is no pin yet, and its line has other words.
    if line.contains("client session was pinned to the database connection") {
        return Some(Event::Pinned(pin(line)));
    }
    // MySQL.jl#201.
    if let Some((_, after)) = line.split_once("Proxy authentication with ")
        && let Some((how, rest)) = after.split_once(" failed for user ")
    {
        let how = match how {
            "IAM authentication" => LogIn::Iam,
            how if how.contains("password") => LogIn::Password,
            _ => LogIn::Other,
        };
        let tls = if rest.contains("\" with TLS on.") {
            Some(true)
        } else {
            rest.contains("\" with TLS off.").then_some(false)
        };
        let user = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')).map(|(user, _)| user.to_owned());
        return Some(Event::Refused { how, user, tls });
    }
    // aws-cdk#28847.
    if line.contains("Credentials couldn't be retrieved") {
        return Some(Event::SecretUnread);
    }
    // What follows are errors that clients see (rds-proxy.troubleshooting.html), where the log repeats them.
    if line.contains("has no credentials for the role") {
        let user = line.split_once("for the role ").and_then(|(_, rest)| rest.split(['.', ' ']).next());
        return Some(Event::Refused { how: LogIn::Other, user: user.map(str::to_owned), tls: None });
    }
    if line.contains("waiting to acquire database connection") {
        return Some(Event::BorrowTimeout);
    }
    if line.contains("RDS Proxy requires TLS connections") {
        return Some(Event::TlsRequired);
    }
    if line.contains("currently doesn't support the option") {
        return Some(Event::OptionRefused);
    }
    if line.contains("oo many connections") {
        return Some(Event::TooManyConnections);
    }
    None
}

fn pin(line: &str) -> Pin {
    let Some((_, reason)) = line.split_once(" Reason: ") else { return Pin::Other };
    for (words, pin) in [
        // prisma-engines#1692.
        ("SQL changed session settings that the proxy doesn't track", Pin::Settings),
        // Seen with pgjdbc's server-prepared statements.
        ("Running a prepared statement", Pin::Prepared),
        // npgsql#3731, postgrex#514.
        ("A parse message was detected", Pin::Parse),
        // Seen with Rails: "The connection ran a SQL query which exceeded the 16384 byte limit."
        ("The connection ran a SQL query which exceeded", Pin::Long),
    ] {
        if reason.starts_with(words) {
            return pin;
        }
    }
    Pin::Other
}

/// What many lines say together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// Lines that were read.
    pub lines: usize,
    /// Whether there were more than were read.
    pub more: bool,
    /// Pinned sessions, by reason.
    pub pins: BTreeMap<Pin, usize>,
    /// Refused log-ins, by how and as whom; none where that is no user that the caller knows.
    pub refused: BTreeMap<(LogIn, Option<String>), usize>,
    /// Secrets that could not be read, this often.
    pub secrets_unread: usize,
    /// Clients that waited in vain.
    pub borrow_timeouts: usize,
    /// Clients without TLS where it is required.
    pub tls_required: usize,
    /// Start-up options that were refused.
    pub options_refused: usize,
    /// The database took no more connections.
    pub too_many: usize,
}

impl Told {
    /// Takes a line in. A user's name is kept only where `known` says that it is one: a client can send anything there,
    /// a password too.
    pub fn add(&mut self, line: &str, known: impl Fn(&str) -> bool) {
        self.lines += 1;
        match read(line) {
            Some(Event::Pinned(pin)) => *self.pins.entry(pin).or_default() += 1,
            Some(Event::Refused { how, user, .. }) => {
                *self.refused.entry((how, user.filter(|user| known(user)))).or_default() += 1;
            }
            Some(Event::SecretUnread) => self.secrets_unread += 1,
            Some(Event::BorrowTimeout) => self.borrow_timeouts += 1,
            Some(Event::TlsRequired) => self.tls_required += 1,
            Some(Event::OptionRefused) => self.options_refused += 1,
            Some(Event::TooManyConnections) => self.too_many += 1,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lines that users published, with where, and with a canary wherever something of theirs stood.
    const LINES: &[(&str, Event)] = &[
        (
            // https://github.com/elixir-ecto/postgrex/issues/514
            "2020-08-04T11:47:24.251Z [WARN] [clientConnection=3888679423] The client session was pinned to the database connection \
             [dbConnection=529039385] for the remainder of the session. The proxy can't reuse this connection until the session \
             ends. Reason: A parse message was detected.",
            Event::Pinned(Pin::Parse),
        ),
        (
            // https://github.com/prisma/prisma-engines/issues/1692
            "The client session was pinned to the database connection [dbConnection=3377128289] for the remainder of the session. The \
             proxy can't reuse this connection until the session ends. Reason: SQL changed session settings that the proxy doesn't \
             track. Consider moving session configuration to the proxy's initialization query. Digest: \"set search_path = \
             CANARY; set names $2;\".",
            Event::Pinned(Pin::Settings),
        ),
        (
            "2023-09-06T08:28:13.685Z [WARN] [proxyEndpoint=default] [clientConnection=51706963] The client session was pinned to the \
             database connection [dbConnection=973587044] for the remainder of the session. The proxy can't reuse this connection \
             until the session ends. Reason: The connection ran a SQL query which exceeded the 16384 byte limit.",
            Event::Pinned(Pin::Long),
        ),
        (
            "[WARN] The client session was pinned to the database connection [dbConnection=1] for the remainder of the session. The \
             proxy can't reuse this connection until the session ends. Reason: CANARY of a new kind.",
            Event::Pinned(Pin::Other),
        ),
        (
            // https://github.com/aws/aws-cdk/issues/28847
            "Credentials couldn't be retrieved. The IAM role \"arn:aws:iam:::role/CANARY\" is not authorized to read the AWS Secrets \
             Manager secret with the ARN \"arn:aws:secretsmanager:::secret:CANARY\"",
            Event::SecretUnread,
        ),
        ("ERROR 9501 (HY000): Timed-out waiting to acquire database connection", Event::BorrowTimeout),
        ("This RDS Proxy requires TLS connections.", Event::TlsRequired),
        ("Feature not supported: RDS Proxy currently doesn't support the option CANARY.", Event::OptionRefused),
    ];

    #[test]
    fn lines_that_users_published_are_understood_and_pass_the_filter() {
        for (line, event) in LINES {
            assert_eq!(read(line).as_ref(), Some(event), "{line}");
            let terms: Vec<&str> = FILTER.split("?\"").skip(1).map(|term| term.split('"').next().unwrap()).collect();
            assert!(terms.len() == 8 && terms.iter().any(|term| line.contains(term)), "{line}");
        }
    }

    #[test]
    fn a_refused_log_in_names_how_and_whom() {
        // https://github.com/JuliaDatabases/MySQL.jl/issues/201
        let line = "2022-10-21T17:25:29.601Z [INFO] [proxyEndpoint=default] [clientConnection=94296180] Proxy authentication with IAM \
                    authentication failed for user \"root\" with TLS on. Reason: Invalid credentials. If you provide an IAM token, make \
                    sure to either use the correct password or enable IAM authentication.";
        let refused = |how, user: &str, tls| Event::Refused { how, user: Some(user.to_owned()), tls };
        assert_eq!(read(line), Some(refused(LogIn::Iam, "root", Some(true))));
        let line = "[INFO] Proxy authentication with PostgreSQL native password authentication failed for user \"app\" with TLS off.";
        assert_eq!(read(line), Some(refused(LogIn::Password, "app", Some(false))));
        let line = "FATAL: This RDS proxy has no credentials for the role app. Check the credentials for this role and try again.";
        assert_eq!(read(line), Some(refused(LogIn::Other, "app", None)));
    }

    #[test]
    fn what_is_no_trouble_is_passed_over() {
        for line in [
            "",
            "[INFO] [proxyEndpoint=default] [clientConnection=94296180] A new client connected from 10.0.0.1:55392.",
            // https://github.com/prisma/orm/issues/5866
            "If this prepared statement runs, the client session will be pinned to the database connection [dbConnection=25]. Reason: \
             SQL changed session settings that the proxy doesn't track.",
            "[INFO] The client connection closed. Reason: The client requested that the connection close.",
            "[DEBUG] SELECT 'was pinned'",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn nothing_that_a_client_or_a_statement_holds_comes_out() {
        let mut counts = Told::default();
        let more = [
            "Proxy authentication with IAM authentication failed for user \"CANARY\" with TLS on.",
            "This RDS proxy has no credentials for the role CANARY. Check",
            "Proxy authentication with CANARY failed for user \"app\" with TLS on. Reason: CANARY",
        ];
        for line in LINES.iter().map(|(line, _)| *line).chain(more) {
            counts.add(line, |user| user == "app");
        }
        let shown = format!("{counts:?}");
        assert!(!shown.contains("CANARY"), "{shown}");
        assert_eq!(counts.lines, LINES.len() + 3);
        assert_eq!(counts.pins.values().sum::<usize>(), 4);
        assert_eq!(counts.refused.get(&(LogIn::Iam, None)), Some(&1));
        assert_eq!(counts.refused.get(&(LogIn::Other, Some("app".to_owned()))), Some(&1));
    }
}
