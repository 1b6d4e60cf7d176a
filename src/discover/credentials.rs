//! What a function itself logs in with, as far as its variables show.

use percent_encoding::percent_decode_str;

use super::auth::{is_password, key_in, login_in, user_of};
use super::functions::FunctionUse;
use crate::cloud::Password;

/// A function's own login.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Own {
    /// The database user.
    pub user: Option<String>,
    /// The password.
    pub password: Option<Password>,
    /// The database within the server.
    pub database: Option<String>,
}

/// Variables that name the database within the server, the usual ones first.
const NAMES: [&str; 9] = [
    "DB_NAME",
    "DB_DATABASE",
    "DATABASE_NAME",
    "PGDATABASE",
    "MYSQL_DATABASE",
    "POSTGRES_DB",
    "POSTGRES_DATABASE",
    "RDS_DB_NAME",
    "RDS_DATABASE",
];

impl Own {
    /// Reads a function's variables.
    #[must_use]
    pub fn of(found: &FunctionUse) -> Self {
        let variables = &found.function.variables.0;
        let plain = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let apart = |name: &str| !found.variables.iter().chain(&found.staying).any(|held| held.name == name);
        let said = |name: &&str| variables.get(*name).filter(|value| !value.is_empty() && apart(name)).cloned();
        let database = NAMES.iter().find_map(said);
        let database = database.or_else(|| in_value(found));
        // A URL's user and password belong together.
        let in_url = found.variables.iter().find_map(|holding| login_in(found, holding)?.split_once(':'));
        if let Some((user, password)) = in_url.filter(|(user, password)| !user.is_empty() && !password.is_empty()) {
            return Self { user: Some(plain(user)), password: Some(Password::new(plain(password))), database };
        }
        let mut texts = found.variables.iter().filter_map(|holding| found.text(holding));
        let in_text = texts.find_map(|(text, _)| key_in(text, &["password", "pwd"]));
        let by_name = || {
            let says =
                |(name, value): &(&String, &String)| is_password(&name.to_ascii_uppercase()) && !value.is_empty();
            variables.iter().find(says).map(|(_, value)| value.as_str())
        };
        let password = in_text.or_else(by_name).map(|text| Password::new(text.to_owned()));
        Self { user: user_of(found), password, database }
    }
}

/// Whether a variable's name says that it holds the database's name.
pub(super) fn names_database(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The database's name behind the host of a URL, or under a key of its own.
fn in_value(found: &FunctionUse) -> Option<String> {
    found.variables.iter().find_map(|holding| {
        let (value, mention) = found.text(holding)?;
        let end = mention.port.as_ref().map_or(mention.host.end, |port| port.end.max(mention.host.end));
        let path = value.get(end..)?.trim_start_matches(')').strip_prefix('/').map(|rest| {
            let end = rest.find(|c: char| "?#&;'\" ,".contains(c)).unwrap_or(rest.len());
            &rest[..end]
        });
        let name = path.filter(|name| !name.is_empty()).or_else(|| key_in(value, &["dbname", "database"]))?;
        Some(percent_decode_str(name).decode_utf8_lossy().into_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::functions::example::using;

    fn own(variables: &[(&str, &str)]) -> (String, String, String) {
        let own = Own::of(&using("f", variables));
        let password = own.password.map(|password| password.expose().to_owned());
        (own.user.unwrap_or_default(), password.unwrap_or_default(), own.database.unwrap_or_default())
    }

    #[test]
    fn each_way_of_keeping_a_login_is_read() {
        let want =
            |user: &str, password: &str, database: &str| (user.to_owned(), password.to_owned(), database.to_owned());
        for (variables, expected) in [
            (
                &[("DB_HOST", "{}"), ("DB_USER", "app"), ("DB_PASSWORD", "x%41"), ("DB_NAME", "shop")][..],
                want("app", "x%41", "shop"),
            ),
            (&[("URL", "mysql://app:p%40ss@{}:3306/shop?ssl=true")], want("app", "p@ss", "shop")),
            (&[("URL", "postgresql://app:x@{}/shop")], want("app", "x", "shop")),
            (&[("DSN", "host={} port=5432 user=app password=x dbname=shop")], want("app", "x", "shop")),
            (&[("DSN", "Server={};Port=3306;Database=shop;Uid=app;Pwd=x;")], want("app", "x", "shop")),
            (&[("URL", "jdbc:mysql://{}:3306/shop?user=app&password=x")], want("app", "x", "shop")),
            (&[("URL", "mysql%3A%2F%2Fapp%3Ap%2540ss%40{}%3A3306%2Fshop%3Fssl%3D1")], want("app", "p@ss", "shop")),
            (&[("DB_HOST", "{}"), ("SMTP_PASSWORD", "x")], want("", "", "")),
        ] {
            assert_eq!(own(variables), expected, "{variables:?}");
        }
    }
}
