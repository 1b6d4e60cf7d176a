//! How functions log in: with IAM tokens or with a password.
//!
//! Judged by each function's variables, and where those say nothing by what else shows it ([`Evidence`]). AWS takes one
//! `IAMAuth` a secret, and for MySQL and PostgreSQL it is either required or disabled (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_UserAuthConfig.html>),
//! so functions that share a database user must log in the same way.

use std::collections::BTreeMap;

use super::database::Database;
use super::evidence::{Evidence, Shown};
use super::functions::FunctionUse;
use super::problem::Problem;
use super::users::Users;
use crate::catalogue::checks::CheckId;
use crate::cloud::rds::EngineFamily;
use crate::spec::{ClientAuth, Spec};

/// How functions log in at the proxy, and the proxy at the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Functions log in with IAM tokens; else with a password.
    pub iam: bool,
    /// The proxy logs in at the database with IAM too; else with secrets.
    pub end_to_end: bool,
    /// Why functions log in this way, for the plan.
    pub why: String,
    /// The database users that the functions log in as: those of their variables, and those of the flags.
    pub users: Vec<String>,
    /// Who logs in as whom.
    pub logins: Users,
    /// What a person should know before the functions log in this way, one sentence each.
    pub warnings: Vec<String>,
}

/// What a function's variables say of its login.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Sign {
    /// This variable carries a password.
    Password(String),
    /// This variable names a secret or parameter that the function reads a password from.
    Secret(String),
    /// This variable turns IAM tokens on.
    Token(String),
    /// Nothing.
    None,
}

impl Sign {
    fn iam(&self) -> bool {
        matches!(self, Self::Token(_))
    }

    fn sentence(&self, function: &str) -> String {
        match self {
            Self::Password(variable) => format!("{function} carries a password in {variable}"),
            Self::Secret(variable) => format!("{function} reads its password from the secret that {variable} names"),
            Self::Token(variable) => format!("{function} uses IAM tokens, as {variable} says"),
            Self::None => format!("{function} carries no password and names no secret"),
        }
    }
}

/// Chooses what keeps the functions working with no change of code.
///
/// # Errors
/// When the functions need both ways: one proxy does not serve a mix; when nothing shows how one of them logs in; or
/// when a variable names no usable database user.
pub fn choose(
    wanted: ClientAuth,
    end_to_end: bool,
    functions: &[FunctionUse],
    named: &[String],
    evidence: &Evidence,
) -> Result<Login, Problem> {
    let logins = Users::of(functions, named)?;
    let users = logins.names();
    let signs: Vec<(&str, Sign)> =
        functions.iter().map(|found| (found.function.name.as_str(), sign_of(found))).collect();
    let warnings = contrary(wanted, &signs);
    let login = |iam, why: String| Ok(Login { iam, end_to_end, why, users, logins, warnings });
    match wanted {
        ClientAuth::Iam => return login(true, "asked for with --client-auth iam".to_owned()),
        ClientAuth::Password => return login(false, "asked for with --client-auth password".to_owned()),
        ClientAuth::Auto => {}
    }
    let tell = |(function, sign): &(&str, Sign)| sign.sentence(function);
    let (mut token, mut password, mut open) = (Vec::new(), Vec::new(), Vec::new());
    let mut shown: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (found, pair) in functions.iter().zip(&signs) {
        let iam = match &pair.1 {
            Sign::None => match evidence.of(found) {
                Shown::Token(why) => {
                    shown.entry(why).or_default().push(pair.0);
                    true
                }
                Shown::Password(why) => {
                    shown.entry(why).or_default().push(pair.0);
                    false
                }
                Shown::Nothing(looked) => {
                    open.push((pair.0, looked));
                    continue;
                }
            },
            sign => sign.iam(),
        };
        if iam { token.push(pair) } else { password.push(pair) }
    }
    let seen = signs.iter().filter(|(_, sign)| *sign != Sign::None).map(tell);
    let silent = shown.iter().map(|(why, functions)| format!("{}: {why}", some(functions)));
    let told: Vec<String> = seen.chain(silent).collect();
    match (password.first(), token.first()) {
        (Some(one), Some(other)) => Err(Problem::unfit(
            format!("choosing the client authentication: {}, but {}", tell(one), tell(other)),
            [
                "One proxy login cannot serve both. Choose --client-auth iam or --client-auth password for all.",
                "Or make two proxies: name the functions of each with --function, and give the second a --name.",
            ],
        )
        .known(CheckId::LoginMismatch)),
        _ if !open.is_empty() => Err(unknown(&open, told)),
        (None, None) => login(true, "no function uses the database directly, so the documented default".to_owned()),
        (None, Some(_)) => login(true, told.join("; ")),
        (Some(first), None) if end_to_end => Err(Problem::unfit(
            format!(
                "choosing the client authentication: {}, and --database-auth iam serves IAM tokens only",
                tell(first)
            ),
            [
                "With end-to-end IAM, the functions log in with tokens too: change them first, then add --client-auth iam.",
                "Or leave --database-auth iam out: the proxy then logs in with a secret.",
            ],
        )),
        (Some(_), None) => login(false, told.join("; ")),
    }
}

/// The first few of some functions.
fn some(functions: &[&str]) -> String {
    const SHOWN: usize = 5;
    let names = functions.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match functions.len().checked_sub(SHOWN) {
        Some(more) if more > 0 => format!("{names} and {more} more"),
        _ => names,
    }
}

/// Nothing shows how these functions log in: what was looked at, function by function.
fn unknown(open: &[(&str, String)], told: Vec<String>) -> Problem {
    let names: Vec<&str> = open.iter().map(|(name, _)| *name).collect();
    let (verb, them) = if names.len() == 1 { ("logs", "it") } else { ("log", "them") };
    let mut hints: Vec<String> = open.iter().map(|(name, looked)| format!("Looked at for {name}: {looked}.")).collect();
    hints.extend(told.into_iter().map(|seen| format!("Seen of others: {seen}.")));
    hints.push("If the code sends a password, which it may read from anywhere: --client-auth password.".to_owned());
    hints.push("If the code generates an IAM token for each connection: --client-auth iam.".to_owned());
    Problem::unfit(
        format!(
            "choosing the client authentication: nothing shows how {} {verb} in, and a wrong guess would cut {them} off",
            some(&names)
        ),
        hints,
    )
    .known(CheckId::LoginUnknown)
}

/// Whether a function's variables say nothing about how it logs in.
pub(super) fn silent(found: &FunctionUse) -> bool {
    sign_of(found) == Sign::None
}

/// The functions whose variables speak against the way that a flag asks for.
fn contrary(wanted: ClientAuth, signs: &[(&str, Sign)]) -> Vec<String> {
    let warn = |(function, sign): &(&str, Sign)| match (wanted, sign) {
        (ClientAuth::Iam, Sign::Password(_) | Sign::Secret(_)) => Some(format!(
            "{}, and --client-auth iam configures the proxy to refuse passwords: it cannot log in until its code sends IAM tokens.",
            sign.sentence(function)
        )),
        (ClientAuth::Password, Sign::Token(_)) => Some(format!(
            "{}, and --client-auth password configures the proxy to refuse tokens: it cannot log in until its code sends a password.",
            sign.sentence(function)
        )),
        _ => None,
    };
    signs.iter().filter_map(warn).collect()
}

/// Checks what end-to-end IAM asks of the settings and the database.
///
/// # Errors
/// When it cannot work.
pub fn check_end_to_end(login: &Login, spec: &Spec, database: &Database) -> Result<(), Problem> {
    if !login.end_to_end {
        return Ok(());
    }
    let doing = format!("choosing how the proxy logs in at the database ({})", database.id);
    if database.family == EngineFamily::SqlServer {
        return Err(Problem::unfit(
            format!("{doing}: SQL Server does not take IAM authentication from RDS Proxy"),
            ["Leave --database-auth iam out: the proxy then logs in with a secret."],
        ));
    }
    if !login.iam {
        return Err(Problem::unfit(
            format!("{doing}: --database-auth iam serves IAM tokens only, and --client-auth password was asked for"),
            ["Leave one of the two flags out."],
        ));
    }
    if !spec.secrets.is_empty() {
        return Err(Problem::unfit(
            format!("{doing}: with --database-auth iam the proxy reads no secret, but --secret was given"),
            ["Leave one of the two flags out."],
        ));
    }
    if spec.database_auth.is_some() && !database.iam_authentication && !spec.enable_iam_auth {
        return Err(Problem::unfit(
            format!("{doing}: IAM authentication of the database is off, and --database-auth iam needs it"),
            ["Add --enable-iam-auth to turn it on at once; teardown turns it off again."],
        )
        .known(CheckId::IamOff));
    }
    Ok(())
}

/// Words in a variable's name that make its password one for something else.
const ELSEWHERE: [&str; 16] = [
    "SMTP",
    "MAIL",
    "REDIS",
    "CACHE",
    "FTP",
    "LDAP",
    "KAFKA",
    "RABBIT",
    "API",
    "SSH",
    "KEYSTORE",
    "TRUSTSTORE",
    "MONGO",
    "ELASTIC",
    "OPENSEARCH",
    "SNOWFLAKE",
];

/// Words in a name that speak of a database.
const DATABASE: [&str; 9] = ["DB", "DATABASE", "MYSQL", "MARIADB", "PG", "POSTGRES", "RDS", "AURORA", "SQL"];

fn any_of(words: &[&str], text: &str) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// Whether a function's variables say that it logs in with IAM tokens.
#[must_use]
pub fn asks_for_iam(found: &FunctionUse) -> bool {
    matches!(sign_of(found), Sign::Token(_))
}

/// What one function's variables say. What is said outright goes before what is left lying about.
fn sign_of(found: &FunctionUse) -> Sign {
    let variables = || found.function.variables.0.iter().filter(|(_, value)| !value.is_empty());
    let first = |says: &dyn Fn(&str, &str) -> bool| {
        variables().find(|(name, value)| says(&name.to_ascii_uppercase(), value)).map(|(name, _)| name.clone())
    };
    let connection = |says: &dyn Fn(&str) -> bool| {
        let mut texts = found.variables.iter().filter_map(|holding| Some((holding, found.text(holding)?.0)));
        texts.find(|(_, value)| says(value)).map(|(holding, _)| holding.name.clone())
    };
    if let Some(name) =
        first(&token_by_name).or_else(|| connection(&|value| value.to_ascii_lowercase().contains("plugins=iam")))
    {
        return Sign::Token(name);
    }
    let password = first(&|name, _| is_password(name));
    if let Some(name) = password.or_else(|| connection(&|value| key_in(value, &["password", "pwd"]).is_some())) {
        return Sign::Password(name);
    }
    let in_url =
        found.variables.iter().find(|holding| login_in(found, holding).is_some_and(|login| login.contains(':')));
    if let Some(holding) = in_url {
        return Sign::Password(holding.name.clone());
    }
    first(&refers_to_secret).map_or(Sign::None, Sign::Secret)
}

fn token_by_name(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let iam = name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "IAM");
    (iam && any_of(&["AUTH", "DB", "RDS", "TOKEN", "USE"], name)
        && ["true", "1", "yes", "on"].contains(&value.as_str()))
        || (name.contains("AUTH")
            && any_of(&DATABASE, name)
            && ["iam", "iam_auth", "rds_iam", "aws_iam"].contains(&value.as_str()))
}

pub(super) fn is_password(name: &str) -> bool {
    let word = |wanted: &str| name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == wanted);
    let password = any_of(&["PASSWORD", "PASSWD", "PGPASS"], name) || word("PASS") || word("PWD");
    password && (any_of(&DATABASE, name) || !any_of(&ELSEWHERE, name))
}

/// Whether a variable names the secret that the function logs in with at the database.
pub(super) fn refers_to_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_uppercase();
    let about = |text: &str| any_of(&DATABASE, &text.to_ascii_uppercase());
    let bare = ["SECRET_ARN", "SECRET_ID", "SECRET_NAME", "SECRETS_ARN"].contains(&name.as_str());
    if value.starts_with("arn:") {
        let secret = value.split_once(":secretsmanager:").map(|(_, rest)| rest);
        return secret.is_some_and(|secret| bare || about(&name) || about(secret)) && !any_of(&ELSEWHERE, &name);
    }
    let by_name = name.contains("SECRET") && ["NAME", "ID", "ARN"].iter().any(|part| name.ends_with(part));
    // What else is written there is no name, and may be a secret itself
    // (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>).
    let is_name = |c: char| c.is_ascii_alphanumeric() || "/_+=.@-".contains(c);
    by_name && about(&name) && !value.is_empty() && value.len() <= 512 && value.chars().all(is_name)
}

/// `user` or `user:password` in front of a host within a URL.
pub(super) fn login_in<'a>(found: &'a FunctionUse, holding: &'a super::functions::Holding) -> Option<&'a str> {
    let (value, first) = found.text(holding)?;
    let login = value.get(..first.host.start)?.rsplit_once("://")?.1.strip_suffix('@')?;
    is_login(login).then_some(login)
}

/// Whether what stands between `://` and `@` is a login: in front of a path or a query there is none
/// (<https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1>). Passwords are written in any way.
pub(super) fn is_login(text: &str) -> bool {
    !text.split(':').next().is_some_and(|user| user.contains(['/', '?', '#']))
}

/// The value of one of these keys in a connection string: `Key=value;…`, `key=value …` or `…?key=value&…`.
pub(super) fn key_in<'a>(text: &'a str, keys: &[&str]) -> Option<&'a str> {
    let pairs = text.split([';', ' ', '?', '&']).filter_map(|part| part.split_once('='));
    let wanted = |key: &str| keys.contains(&key.trim().to_ascii_lowercase().as_str());
    pairs.filter(|(_, value)| !value.is_empty()).find(|(key, _)| wanted(key)).map(|(_, value)| value)
}

/// Whether a variable's name says that it holds a database user.
pub(super) fn names_user(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    any_of(&DATABASE, &name) && (name.ends_with("USER") || name.ends_with("USERNAME"))
}

/// What one function's variables say of its login, for tests.
#[cfg(test)]
pub(super) fn signed(found: &FunctionUse) -> impl std::fmt::Debug + PartialEq {
    sign_of(found)
}

/// The database user that a function's variables name, and the variable that does.
pub(super) fn user_in(found: &FunctionUse) -> Option<(&str, &str)> {
    let variables = &found.function.variables.0;
    // What holds a host is a connection string, whatever its variable is called.
    let apart = |name: &str| !found.variables.iter().chain(&found.staying).any(|held| held.name == name);
    let usual = ["DB_USER", "DB_USERNAME"].iter().find_map(|name| variables.get_key_value(*name));
    let by_name = || variables.iter().find(|(name, value)| names_user(name) && !value.is_empty() && apart(name));
    let in_value = || {
        found.variables.iter().find_map(|holding| {
            let url = login_in(found, holding).and_then(|login| login.split(':').next());
            url.or_else(|| key_in(found.text(holding)?.0, &["user", "uid", "username"]))
                .filter(|user| !user.is_empty() && !user.contains('%'))
                .map(|user| (user, holding.name.as_str()))
        })
    };
    let named = usual.filter(|(name, value)| !value.is_empty() && apart(name)).or_else(by_name);
    named.map(|(name, value)| (value.as_str(), name.as_str())).or_else(in_value)
}

/// The database user that a function's variables name.
pub(super) fn user_of(found: &FunctionUse) -> Option<String> {
    user_in(found).map(|(user, _)| user.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::functions::example::using;

    /// IAM authentication of the database is on.
    fn on() -> Evidence {
        Evidence { database: true, ..Evidence::default() }
    }

    /// A connection string is no user, whatever its variable is called, and what stands in front of an `@` in a query
    /// is none.
    #[test]
    fn what_is_no_user_is_not_taken_for_one() {
        let user = |variables: &[(&str, &str)]| user_of(&using("f", variables));
        assert_eq!(user(&[("DB_USER", "mysql://app:secret@{}:3306/shop")]).as_deref(), Some("app"));
        assert_eq!(user(&[("DATABASE_URL_USER", "host={} user=app password=secret")]).as_deref(), Some("app"));
        assert_eq!(user(&[("DB_USER", "{}:3306")]), None);
        assert_eq!(user(&[("DB_HOST", "https://gate.example/?to=secret%40{}&port=443")]), None);
        assert_eq!(user(&[("DB_HOST", "{}"), ("DB_USER", "app")]).as_deref(), Some("app"));
        let own = crate::discover::credentials::Own::of(&using("f", &[("DB_NAME", "mysql://app:secret@{}/shop")]));
        assert_eq!(own.database.as_deref(), Some("shop"));
        assert!(!refers_to_secret("DB_SECRET_NAME", "mysql://app:secret@host/shop"));
        assert!(refers_to_secret("DB_SECRET_NAME", "prod/shop_db+app=1.2@eu-west"));
    }

    #[test]
    fn silence_is_no_evidence() {
        let silent = [using("one", &[("DB_HOST", "{}")]), using("two", &[("DB_HOST", "{}"), ("DB_USER", "app")])];
        let refused = choose(ClientAuth::Auto, false, &silent, &[], &Evidence::default()).unwrap_err();
        let refused = format!("{refused:?}");
        for part in [
            "how one, two log in",
            "Looked at for one",
            "Looked at for two",
            "--client-auth password",
            "--client-auth iam",
        ] {
            assert!(refused.contains(part), "{part}: {refused}");
        }
        let role = |answer| Evidence { roles: BTreeMap::from([(String::new(), answer)]), ..Evidence::default() };
        assert!(choose(ClientAuth::Auto, false, &silent, &[], &role(Ok(true))).unwrap().iam);
        assert!(choose(ClientAuth::Auto, false, &silent, &[], &role(Ok(false))).is_err());
        assert!(choose(ClientAuth::Auto, false, &silent, &[], &role(Err("no".to_owned()))).is_err());
        assert!(choose(ClientAuth::Auto, false, &silent, &[], &on()).unwrap().iam);
        assert!(choose(ClientAuth::Auto, false, &[], &[], &Evidence::default()).unwrap().iam);
    }

    #[test]
    fn each_way_of_logging_in_is_told_by_its_variables() {
        let iam = |variables: &[(&str, &str)]| {
            let found = using("f", variables);
            let login = choose(ClientAuth::Auto, false, std::slice::from_ref(&found), &[], &on()).unwrap();
            (login.iam, login.users)
        };
        let user = |name: &str| vec![name.to_owned()];
        assert_eq!(iam(&[("DB_HOST", "{}"), ("DB_USER", "app")]), (true, user("app")));
        assert_eq!(iam(&[("DB_HOST", "{}"), ("DB_PASSWORD", "x")]), (false, vec![]));
        assert_eq!(iam(&[("DB_HOST", "{}"), ("MYSQL_PWD", "x")]), (false, vec![]));
        assert_eq!(iam(&[("URL", "mysql://app:x@{}/shop")]), (false, user("app")));
        assert_eq!(iam(&[("URL", "mysql://app@{}/shop")]), (true, user("app")));
        assert_eq!(iam(&[("DSN", "Server={};Uid=app;Pwd=x;")]), (false, user("app")));
        assert_eq!(iam(&[("DSN", "host={} user=app dbname=x")]), (true, user("app")));
        assert_eq!(iam(&[("URL", "jdbc:mysql://{}/x?user=app&password=y")]), (false, user("app")));
        // The same as one percent-encoded text.
        assert_eq!(iam(&[("URL", "mysql%3A%2F%2Fapp%3Ax%40{}%3A3306%2Fshop")]), (false, user("app")));
        assert_eq!(iam(&[("URL", "mysql%253A%252F%252Fapp%2540{}%252Fshop")]), (true, user("app")));
        assert_eq!(iam(&[("DSN", "Server%3D{}%3BUid%3Dapp%3BPwd%3Dx%3B")]), (false, user("app")));
        assert_eq!(iam(&[("DB_HOST", "{}"), ("DB_SECRET_NAME", "shop/app")]), (false, vec![]));
        let arn = "arn:aws:secretsmanager:eu-west-1:1:secret:shop-AbCdEf";
        assert_eq!(iam(&[("DB_HOST", "{}"), ("SECRET_ARN", arn)]), (false, vec![]));
        // What belongs to something else says nothing about the database.
        assert_eq!(iam(&[("DB_HOST", "{}"), ("SMTP_PASSWORD", "x")]), (true, vec![]));
        assert_eq!(iam(&[("DB_HOST", "{}"), ("API_SECRET_ARN", arn)]), (true, vec![]));
        // What is said outright goes before a password left lying about.
        assert_eq!(iam(&[("DB_HOST", "{}"), ("DB_PASSWORD", "x"), ("DB_IAM_AUTH", "true")]), (true, vec![]));
        assert_eq!(iam(&[("DB_HOST", "{}"), ("DB_PASSWORD", "x"), ("DB_IAM_AUTH", "false")]), (false, vec![]));
    }

    #[test]
    fn a_mix_is_refused_and_a_wish_settles_it() {
        let mix = [using("one", &[("DB_HOST", "{}"), ("DB_PASSWORD", "x")]), using("two", &[("DB_HOST", "{}")])];
        let refused = choose(ClientAuth::Auto, false, &mix, &[], &on()).unwrap_err().to_string();
        assert!(refused.contains("one carries a password in DB_PASSWORD") && refused.contains("two"), "{refused}");
        assert!(choose(ClientAuth::Iam, false, &mix, &[], &on()).unwrap().iam);
        assert!(!choose(ClientAuth::Password, false, &mix, &[], &on()).unwrap().iam);
        let end_to_end = choose(ClientAuth::Auto, true, &mix[..1], &[], &on()).unwrap_err().to_string();
        assert!(end_to_end.contains("--database-auth iam"), "{end_to_end}");
    }
}
