//! Validated settings: the only place that can say "invalid input".

mod canary;
mod choices;
mod iam;
mod variables;

use std::time::Duration;

use crate::cloud::Tags;
use crate::cloud::rds::Pool;
use crate::cloud::url;
use crate::names;
use crate::plain::is_unseen;

pub use canary::{AliasWeight, Canary, canary};
pub use choices::{ClientAuth, ClientPasswordAuth, DatabaseAuth, NetworkType, OnUnknown, ReaderEndpoint, Verify};
pub use iam::{connect_policy, foreign, permissions_boundary, role};
pub use variables::{VariableName, Variables, variable, variables};

/// What `up` was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spec {
    /// The database.
    pub database: DatabaseRef,
    /// The stack, which is also the proxy's name.
    pub stack: String,
    /// Functions named by the user; empty: find them.
    pub functions: Vec<String>,
    /// Functions that are left out although they use the database.
    pub excluded_functions: Vec<String>,
    /// Functions that an earlier run was limited to: no other is chosen, and none of them for that alone.
    pub limited_to: Vec<String>,
    /// Whether no earlier limit or exclusion counts any more.
    pub all_functions: bool,
    /// The variables that stay as they are, and those that do not although their names say so.
    pub variables: Variables,
    /// Whether the proxy gets a read-only endpoint.
    pub reader_endpoint: ReaderEndpoint,
    /// Whether a release that waits in `$LATEST` may be published along.
    pub publish_pending: bool,
    /// Secrets named by the user; empty: find them.
    pub secrets: Vec<String>,
    /// Secrets to be made.
    pub create_secret: Option<CreateSecret>,
    /// The ARN of the permissions boundary that the proxy's role must carry.
    pub permissions_boundary: Option<String>,
    /// The ARN of a role that an administrator created for the proxy; unset: one of our own.
    pub role_arn: Option<String>,
    /// The ARN of a connect policy that an administrator created and attached; unset: one of our own.
    pub connect_policy_arn: Option<String>,
    /// Whether a proxy of this name that is not ours may be taken over.
    pub adopt: bool,
    /// How functions log in.
    pub client_auth: ClientAuth,
    /// How clients send their passwords; unset: as the database itself has it by default.
    pub client_password_auth: Option<ClientPasswordAuth>,
    /// How the proxy logs in at the database; unset: as it does, or with secrets.
    pub database_auth: Option<DatabaseAuth>,
    /// Whether IAM authentication of the database may be turned on.
    pub enable_iam_auth: bool,
    /// Database users named by the user.
    pub db_users: Vec<String>,
    /// Whether functions may log in as any database user: asked for with `--db-user '*'`, and never remembered.
    pub any_user: bool,
    /// Subnets named by the user; empty: choose.
    pub subnets: Vec<String>,
    /// What the proxy's endpoint speaks; unset: IPv4, or what it speaks already.
    pub network_type: Option<NetworkType>,
    /// Pool settings; what is unset is AWS's own choice.
    pub pool: Pool,
    /// Seconds after which an idle client is cut off.
    pub idle_client_timeout: Option<i32>,
    /// Whether clients must use TLS; unset: as the client authentication needs it.
    pub require_tls: Option<bool>,
    /// Debug logging; unset: off, and left alone where it is on.
    pub debug_logging: Option<bool>,
    /// For how many days the proxy's log group keeps events; unset: as RDS or someone else has it.
    pub log_retention: Option<i32>,
    /// Further tags on everything that is created.
    pub tags: Tags,
    /// Whether secrets may be read once to check their keys.
    pub inspect_secret: bool,
    /// Whether the proxy's log is read.
    pub read_log: bool,
    /// Whether the run ends before functions are pointed at the proxy.
    pub prepare: bool,
    /// Whether functions are pointed at the proxy in waves, each of which is judged; unset: all at once.
    pub canary: Option<Canary>,
    /// What must be proven before the functions are pointed at the proxy.
    pub verify: Verify,
    /// Whether a probe may log in with the functions' own passwords.
    pub probe_login: bool,
}

impl Spec {
    /// The settings of `up --db ID` without further flags.
    #[must_use]
    pub fn of(database: DatabaseRef, stack: String) -> Self {
        Self {
            database,
            stack,
            functions: Vec::new(),
            excluded_functions: Vec::new(),
            limited_to: Vec::new(),
            all_functions: false,
            variables: Variables::default(),
            reader_endpoint: ReaderEndpoint::Auto,
            publish_pending: false,
            secrets: Vec::new(),
            create_secret: None,
            permissions_boundary: None,
            role_arn: None,
            connect_policy_arn: None,
            adopt: false,
            client_auth: ClientAuth::Auto,
            client_password_auth: None,
            database_auth: None,
            enable_iam_auth: false,
            db_users: Vec::new(),
            any_user: false,
            subnets: Vec::new(),
            network_type: None,
            pool: Pool::default(),
            idle_client_timeout: None,
            require_tls: None,
            debug_logging: None,
            log_retention: None,
            tags: Tags::new(),
            inspect_secret: false,
            read_log: false,
            prepare: false,
            canary: None,
            verify: Verify::Static,
            probe_login: false,
        }
    }
}

/// A database by id or ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseRef {
    /// The identifier, in lower case as RDS stores it.
    pub id: String,
    /// Where an ARN says that it is.
    pub place: Option<Place>,
}

/// What an ARN says beyond the identifier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The region.
    pub region: String,
    /// The account.
    pub account: String,
    /// Whether it is a cluster's.
    pub cluster: bool,
}

/// Secrets to be made, one for each of these database users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateSecret {
    /// The users.
    pub users: Vec<String>,
    /// The customer KMS key; Secrets Manager's own where unset.
    pub kms_key: Option<String>,
    /// Whether AWS generates the passwords.
    pub generate: bool,
}

/// An input that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{flag} {value:?} is not usable: {problem}")]
pub struct SpecError {
    /// The flag.
    pub flag: &'static str,
    /// What was given.
    pub value: String,
    /// What is wrong with it.
    pub problem: String,
    /// What would be right.
    pub fix: String,
}

type Checked<T> = Result<T, SpecError>;

fn wrong<T>(flag: &'static str, value: &str, problem: impl Into<String>, fix: impl Into<String>) -> Checked<T> {
    Err(SpecError { flag, value: value.to_owned(), problem: problem.into(), fix: fix.into() })
}

impl DatabaseRef {
    /// Reads `--db`.
    ///
    /// # Errors
    /// When it is neither an identifier nor an ARN of a database.
    pub fn parse(text: &str) -> Checked<Self> {
        const FLAG: &str = "--db";
        const FORM: &str = "Give an instance's or cluster's identifier (my-instance), or its ARN (arn:aws:rds:REGION:ACCOUNT:db:my-instance).";
        if !text.starts_with("arn:") {
            return Ok(Self { id: identifier(FLAG, text, FORM)?, place: None });
        }
        let parts: Vec<&str> = text.split(':').collect();
        let [_, _, service, region, account, kind, id] = parts.as_slice() else {
            return wrong(FLAG, text, "the ARN does not have the seven parts of a database's", FORM);
        };
        if *service != "rds" || !matches!(*kind, "db" | "cluster") {
            let article = if *service == "rds" { "an" } else { "a" };
            return wrong(FLAG, text, format!("the ARN is of {article} {service} {kind}, not of a database"), FORM);
        }
        let place = Place { region: (*region).to_owned(), account: (*account).to_owned(), cluster: *kind == "cluster" };
        Ok(Self { id: identifier(FLAG, id, FORM)?, place: Some(place) })
    }
}

/// Reads `--db` where a saved plan may stand in for it.
///
/// # Errors
/// When it is missing, or neither an identifier nor an ARN of a database.
pub fn database(text: Option<&str>) -> Checked<DatabaseRef> {
    match text {
        Some(text) => DatabaseRef::parse(text),
        None => wrong("--db", "", "it is missing", "Name the database."),
    }
}

/// Checks a name of the form that RDS asks of databases and proxies.
fn identifier(flag: &'static str, text: &str, fix: &str) -> Checked<String> {
    let rule = |problem: &str| wrong(flag, text, problem, fix);
    if text.is_empty() {
        return rule("it is empty");
    }
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '-') {
        return rule(&format!("{odd:?} is not allowed; only letters, digits and hyphens are"));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return rule("it must begin with a letter");
    }
    if text.ends_with('-') || text.contains("--") {
        return rule("it must not end with a hyphen or hold two in a row");
    }
    if text.len() > names::PROXY_NAME_LIMIT {
        return rule(&format!("it has {} characters; {} are allowed", text.len(), names::PROXY_NAME_LIMIT));
    }
    Ok(text.to_ascii_lowercase())
}

/// Reads `--name`, or derives the stack's name.
///
/// # Errors
/// When AWS would refuse it as a proxy's name.
pub fn stack(name: Option<&str>, database: &DatabaseRef) -> Checked<String> {
    name.map_or_else(|| Ok(names::stack_of(&database.id)), stack_name)
}

/// Reads `--name`.
///
/// # Errors
/// When AWS would refuse it as a proxy's name.
pub fn stack_name(name: &str) -> Checked<String> {
    const FORM: &str =
        "A proxy's name begins with a letter and holds letters, digits and single hyphens, at most 63 characters.";
    identifier("--name", name, FORM)
}

/// Reads `--function`: a name or an unqualified ARN.
///
/// # Errors
/// When it is neither.
pub fn function(text: &str) -> Checked<String> {
    const FORM: &str = "Give the function's name or its ARN without a version or alias.";
    let name = if text.starts_with("arn:") {
        let parts: Vec<&str> = text.split(':').collect();
        match parts.as_slice() {
            [_, _, "lambda", _, _, "function", name] => *name,
            [_, _, "lambda", _, _, "function", _, qualifier] => {
                return wrong("--function", text, format!("it names the version or alias {qualifier:?}"), FORM);
            }
            _ => return wrong("--function", text, "it is no ARN of a function", FORM),
        }
    } else {
        text
    };
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(allowed) {
        let problem = "a function's name has 1 to 64 letters, digits, hyphens and underscores";
        return wrong("--function", text, problem, FORM);
    }
    Ok(name.to_owned())
}

/// Reads `--tag key=value`.
///
/// # Errors
/// When it has no key, a reserved one, or characters or lengths that AWS refuses.
pub fn tag(text: &str) -> Checked<(String, String)> {
    const FORM: &str = "Give it as key=value, for example --tag team=payments.";
    let Some((key, value)) = text.split_once('=') else {
        return wrong("--tag", text, "there is no =", FORM);
    };
    let allowed = |c: char| c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c);
    if key.is_empty() || key.chars().count() > 128 || value.chars().count() > 256 {
        return wrong("--tag", text, "a key has 1 to 128 characters, a value at most 256", FORM);
    }
    if !key.chars().chain(value.chars()).all(allowed) {
        return wrong("--tag", text, "AWS allows letters, digits, spaces and _.:/=+-@ in tags", FORM);
    }
    if key.to_ascii_lowercase().starts_with("aws:") || key.starts_with("rdsproxy-setup:") {
        return wrong("--tag", text, "keys that begin with aws: or rdsproxy-setup: are reserved", FORM);
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// The spans in days that CloudWatch Logs knows
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html>).
const RETENTIONS: [i32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Reads `--log-retention`.
///
/// # Errors
/// When CloudWatch Logs has no such span.
pub fn log_retention(days: i32) -> Checked<i32> {
    if RETENTIONS.contains(&days) {
        return Ok(days);
    }
    let all = RETENTIONS.map(|days| days.to_string()).join(", ");
    wrong("--log-retention", &days.to_string(), "CloudWatch Logs has no such span", format!("Give one of {all}."))
}

/// Reads `--subnet`.
///
/// # Errors
/// When it does not look like a subnet's id.
pub fn subnet(text: &str) -> Checked<String> {
    let id = text.strip_prefix("subnet-");
    if id.is_some_and(|id| !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric())) {
        return Ok(text.to_owned());
    }
    wrong("--subnet", text, "a subnet's id begins with subnet-", "List them with: aws ec2 describe-subnets")
}

/// Checks the name of a database user, wherever it comes from: what it may not hold means more than itself in the
/// resource of a policy, or is no part of a name.
///
/// # Errors
/// What is wrong with it.
pub fn usable_user(text: &str) -> Result<(), &'static str> {
    if text.is_empty() || text.len() > 128 {
        return Err("a database user has 1 to 128 characters");
    }
    if text.contains("${") || text.chars().any(|c| "*?/,".contains(c) || c.is_whitespace() || is_unseen(c)) {
        return Err("a database user has no *, ?, /, comma, ${, spaces or unseen characters");
    }
    Ok(())
}

/// Reads `--db-user`.
///
/// # Errors
/// When it cannot be part of a policy's resource.
pub fn db_user(text: &str) -> Checked<String> {
    if let Err(problem) = usable_user(text) {
        return wrong("--db-user", text, problem, "Give the name that the function logs in with.");
    }
    Ok(text.to_owned())
}

/// What stands for any database user in a policy's resource, and in `--db-user` alone.
pub const ANY_USER: &str = "*";

/// Reads all of `--db-user`: the users, and whether any user is asked for.
///
/// # Errors
/// When one cannot stand in a policy's resource; when any user is asked for together with some, or with secrets to
/// create.
pub fn db_users(texts: &[String], create_secret: bool) -> Checked<(Vec<String>, bool)> {
    if !texts.iter().any(|text| text == ANY_USER) {
        return Ok((texts.iter().map(|text| db_user(text)).collect::<Checked<_>>()?, false));
    }
    if texts.len() > 1 {
        return wrong(
            "--db-user",
            ANY_USER,
            "it stands for any user already",
            "Name the users, or any user, not both.",
        );
    }
    if create_secret {
        const FORM: &str = "Name the user that the secret is for.";
        return wrong("--db-user", ANY_USER, "a secret is for one user", FORM);
    }
    Ok((Vec::new(), true))
}

/// Checks the pool settings against AWS's ranges and their rule of pairs.
///
/// # Errors
/// When AWS would refuse them.
pub fn pool(pool: &Pool) -> Checked<()> {
    let range = |flag: &'static str, value: Option<i32>, low: i32, high: i32, unit: &str| match value {
        Some(value) if !(low..=high).contains(&value) => {
            wrong(flag, &value.to_string(), format!("AWS allows {low} to {high} {unit}"), "Give a value of that range.")
        }
        _ => Ok(()),
    };
    range("--max-connections-percent", pool.max_connections_percent, 1, 100, "percent")?;
    range("--max-idle-connections-percent", pool.max_idle_connections_percent, 0, 100, "percent")?;
    range("--connection-borrow-timeout", pool.connection_borrow_timeout, 0, 300, "seconds")?;
    if let Some(idle) = pool.max_idle_connections_percent {
        let text = idle.to_string();
        match pool.max_connections_percent {
            None => {
                return wrong(
                    "--max-idle-connections-percent",
                    &text,
                    "AWS wants the maximum given along with it",
                    "Add --max-connections-percent.",
                );
            }
            Some(max) if idle > max => {
                return wrong(
                    "--max-idle-connections-percent",
                    &text,
                    format!("it is above --max-connections-percent {max}"),
                    "Idle connections are a part of all connections.",
                );
            }
            Some(_) => {}
        }
    }
    for filter in pool.session_pinning_filters.iter().flatten() {
        if filter != "EXCLUDE_VARIABLE_SETS" {
            return wrong("--session-pinning-filter", filter, "AWS knows one filter", "Give EXCLUDE_VARIABLE_SETS.");
        }
    }
    Ok(())
}

/// Reads a span of time: `90s`, `30m`, `1h5m`.
///
/// # Errors
/// When it is none, or nothing.
pub fn span(text: &str) -> Checked<Duration> {
    const FORM: &str = "Give numbers with units: 90s, 30m, 1h, 1h5m.";
    const UNITS: [(char, u64); 3] = [('h', 3_600), ('m', 60), ('s', 1)];
    let (mut seconds, mut rest, mut units) = (0, text, UNITS.as_slice());
    while !rest.is_empty() {
        let (digits, more) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
        let Some(number) = digits.parse::<u64>().ok().filter(|number| *number <= 86_400) else {
            return wrong("--timeout", text, "it is no number of up to 86400 with a unit", FORM);
        };
        let mut chars = more.chars();
        let unit = chars.next();
        // Each unit once, the longest first.
        let Some(at) = units.iter().position(|(known, _)| Some(*known) == unit) else {
            return wrong("--timeout", text, "there is no unit that we know", FORM);
        };
        seconds += number * units[at].1;
        (units, rest) = (&units[at + 1..], chars.as_str());
    }
    if seconds == 0 { wrong("--timeout", text, "it is no time at all", FORM) } else { Ok(Duration::from_secs(seconds)) }
}

/// Reads `--hold`: `500us`, `20ms`, `2s`.
///
/// # Errors
/// When it is no such span, or more than a function may run: 15 minutes.
pub fn short_span(text: &str) -> Checked<Duration> {
    const FLAG: &str = "--hold";
    const FORM: &str = "Give a number with a unit: 500us, 20ms, 2s.";
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let micros = match unit {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        _ => return wrong(FLAG, text, "there is no unit that we know", FORM),
    };
    let span = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(micros)).map(Duration::from_micros);
    match span.filter(|span| !span.is_zero() && *span <= Duration::from_mins(15)) {
        Some(span) => Ok(span),
        None => wrong(FLAG, text, "it is no time that an invocation can take", FORM),
    }
}

/// Reads `--concurrency FUNCTION=N`.
///
/// # Errors
/// When it is not of that form.
pub fn concurrency(text: &str) -> Checked<(String, u64)> {
    const FORM: &str = "Give a function and a number, for example --concurrency ImportFunction=5.";
    let Some((name, count)) = text.rsplit_once('=') else {
        return wrong("--concurrency", text, "there is no =", FORM);
    };
    match count.parse::<u64>() {
        Ok(count) if count <= 1_000_000 => Ok((function(name)?, count)),
        _ => wrong("--concurrency", text, "what follows = is no number of up to 1000000", FORM),
    }
}

/// Checks `--shards`: the name of a stream, a table or a topic, and a count.
///
/// # Errors
/// When it is not of that form.
pub fn shards(text: &str) -> Checked<(String, u64)> {
    const FORM: &str = "Give a stream, table or topic and a number, for example --shards orders=4.";
    let Some((name, count)) = text.rsplit_once('=') else {
        return wrong("--shards", text, "there is no =", FORM);
    };
    // What the services allow in the names of streams, tables and topics.
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    if name.is_empty() || name.len() > 255 || !name.chars().all(fits) {
        return wrong("--shards", text, "what precedes = is no name", FORM);
    }
    match count.parse::<u64>() {
        Ok(count) if (1..=1_000_000).contains(&count) => Ok((name.to_owned(), count)),
        _ => wrong("--shards", text, "what follows = is no number of 1 to 1000000", FORM),
    }
}

/// Checks `--endpoint-url`: plain HTTP only to this machine.
///
/// # Errors
/// When it is no URL of that kind.
pub fn endpoint_url(text: &str) -> Checked<String> {
    match url::problem(text) {
        Some(problem) => wrong("--endpoint-url", text, problem, url::FORM),
        None => Ok(text.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_is_named_by_id_or_arn() {
        assert_eq!(DatabaseRef::parse("My-Instance").unwrap().id, "my-instance");
        let cluster = DatabaseRef::parse("arn:aws:rds:eu-west-1:123456789012:cluster:main").unwrap();
        assert_eq!(cluster.id, "main");
        assert!(cluster.place.unwrap().cluster);
        for bad in ["", "1db", "a--b", "a-", "a_b", "arn:aws:rds:eu-west-1:1:proxy:x", "arn:aws:s3:::x"] {
            assert!(DatabaseRef::parse(bad).is_err(), "{bad}");
        }
        assert!(DatabaseRef::parse(&"x".repeat(64)).is_err());
        let snapshot = DatabaseRef::parse("arn:aws:rds:eu-west-1:123456789012:snapshot:main").unwrap_err().to_string();
        assert!(snapshot.ends_with("the ARN is of an rds snapshot, not of a database"), "{snapshot}");
    }

    #[test]
    fn the_idle_share_needs_the_whole() {
        let set =
            |max, idle| Pool { max_connections_percent: max, max_idle_connections_percent: idle, ..Pool::default() };
        assert!(pool(&set(None, Some(10))).is_err());
        assert!(pool(&set(Some(50), Some(60))).is_err());
        assert!(pool(&set(Some(101), None)).is_err());
        assert!(pool(&set(Some(50), Some(50))).is_ok());
        assert!(pool(&set(Some(1), None)).is_ok());
    }

    #[test]
    fn plain_http_stays_on_this_machine() {
        assert!(endpoint_url("http://127.0.0.1:5000").is_ok());
        assert!(endpoint_url("https://rds.example.com").is_ok());
        assert!(endpoint_url("http://rds.example.com").is_err());
        assert!(endpoint_url("ftp://127.0.0.1").is_err());
    }

    #[test]
    fn spans_and_tags_are_read_strictly() {
        assert_eq!(span("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(span("1h").unwrap(), Duration::from_hours(1));
        assert_eq!(span("1h5m").unwrap(), Duration::from_mins(65));
        assert_eq!(span("1h0m30s").unwrap(), Duration::from_secs(3_630));
        for bad in ["", "5", "m", "0m", "0h0s", "5d", "-1s", "5m1h", "1h1h", "1h5", "1h m", "86401h", "1\u{e9}"] {
            assert!(span(bad).is_err(), "{bad}");
        }
        assert_eq!(tag("a=b=c").unwrap(), ("a".to_owned(), "b=c".to_owned()));
        for bad in ["a", "=b", "aws:x=y", "rdsproxy-setup:stack=x", "k=<"] {
            assert!(tag(bad).is_err(), "{bad}");
        }
    }
}
