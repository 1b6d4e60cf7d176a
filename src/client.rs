//! The command lines with which people log in at a proxy, for a POSIX shell.
//!
//! A password is never part of the line, and the line creates a token itself when it runs, so that neither ends up in a
//! shell's history or, as an argument, in the list of processes.

use crate::cloud::rds::EngineFamily;
use crate::shell::quoted;

/// Where Amazon's root certificate is. A proxy's own certificate chains to it, and not to the bundle of RDS
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html#rds-proxy-security.tls>).
pub const CA_URL: &str = "https://www.amazontrust.com/repository/AmazonRootCA1.pem";
/// The file that it is saved as.
pub const CA_FILE: &str = "AmazonRootCA1.pem";

/// A command-line client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Client {
    /// MySQL's own, version 8 or later.
    Mysql,
    /// MariaDB's.
    Mariadb,
    /// PostgreSQL's.
    Psql,
}

impl Client {
    /// The program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Self::Mysql => "mysql",
            Self::Mariadb => "mariadb",
            Self::Psql => "psql",
        }
    }

    /// What speaks a family's protocol, MariaDB's client where the database is a MariaDB; SQL Server has none here.
    #[must_use]
    pub fn of(family: EngineFamily, mariadb: bool) -> Option<Self> {
        match family {
            EngineFamily::MySql if mariadb => Some(Self::Mariadb),
            EngineFamily::MySql => Some(Self::Mysql),
            EngineFamily::PostgreSql => Some(Self::Psql),
            EngineFamily::SqlServer => None,
        }
    }

    /// Whether it speaks a family's protocol.
    #[must_use]
    pub fn speaks(self, family: EngineFamily) -> bool {
        match self {
            Self::Mysql | Self::Mariadb => family == EngineFamily::MySql,
            Self::Psql => family == EngineFamily::PostgreSql,
        }
    }
}

/// A login to be put into a line.
#[derive(Debug, Clone)]
pub struct Login<'a> {
    /// The host.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// The database user.
    pub user: &'a str,
    /// The database within the server, if any.
    pub database: Option<&'a str>,
    /// The certificate that the proxy's chains to.
    pub ca: &'a str,
    /// The command that prints a token; `None` where the client asks for a password.
    pub token: Option<&'a str>,
}

impl Login<'_> {
    /// The line.
    #[must_use]
    pub fn line(&self, client: Client) -> String {
        let mut words = match client {
            Client::Mysql | Client::Mariadb => self.mysql(client),
            Client::Psql => vec![self.conninfo()],
        };
        words.insert(0, client.program().to_owned());
        let line = words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let variable = if client == Client::Psql { "PGPASSWORD" } else { "MYSQL_PWD" };
        self.token.map_or(line.clone(), |token| format!("{variable}=\"$({token})\" {line}"))
    }

    fn mysql(&self, client: Client) -> Vec<String> {
        let mut words =
            vec![format!("--host={}", self.host), format!("--port={}", self.port), format!("--user={}", self.user)];
        match (client, self.token) {
            // MariaDB's client sends a token without a flag for it.
            (Client::Mysql, Some(_)) => words.push("--enable-cleartext-plugin".to_owned()),
            (_, None) => words.push("--password".to_owned()),
            _ => {}
        }
        let mode = if client == Client::Mysql { "--ssl-mode=VERIFY_IDENTITY" } else { "--ssl-verify-server-cert" };
        words.push(mode.to_owned());
        words.push(format!("--ssl-ca={}", self.ca));
        // By its flag: a name that begins with a hyphen would be taken for one.
        words.extend(self.database.map(|name| format!("--database={name}")));
        words
    }

    /// One word in libpq's own notation, since it alone takes every character in a database's name.
    fn conninfo(&self) -> String {
        let port = self.port.to_string();
        let mut pairs = vec![("host", self.host), ("port", &port), ("user", self.user)];
        pairs.push(("dbname", self.database.unwrap_or("postgres")));
        pairs.extend([("sslmode", "verify-full"), ("sslrootcert", self.ca)]);
        pairs.iter().map(|(key, value)| format!("{key}={}", libpq(value))).collect::<Vec<_>>().join(" ")
    }
}

/// A value as libpq reads it
/// (<https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-KEYWORD-VALUE>).
fn libpq(value: &str) -> String {
    if !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '\'' || c == '\\') {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::{Client, Login};

    fn login<'a>(user: &'a str, database: Option<&'a str>, token: Option<&'a str>) -> Login<'a> {
        Login { host: "p.proxy-x.eu-west-1.rds.amazonaws.com", port: 3306, user, database, ca: "ca.pem", token }
    }

    #[test]
    fn a_token_is_made_by_the_line_and_a_password_is_asked_for() {
        let with = login("app", Some("shop"), Some("rdsproxy-setup token")).line(Client::Mysql);
        assert_eq!(
            with,
            "MYSQL_PWD=\"$(rdsproxy-setup token)\" mysql --host=p.proxy-x.eu-west-1.rds.amazonaws.com --port=3306 --user=app --enable-cleartext-plugin --ssl-mode=VERIFY_IDENTITY --ssl-ca=ca.pem --database=shop"
        );
        let without = login("app", None, None).line(Client::Mariadb);
        assert!(
            without.starts_with("mariadb ") && without.contains(" --password --ssl-verify-server-cert "),
            "{without}"
        );
    }

    #[test]
    fn odd_names_are_one_word_for_the_shell_and_one_value_for_libpq() {
        let line = login("o'neil", Some("my db\\"), None).line(Client::Psql);
        let words = shlex::split(&line).unwrap();
        assert_eq!(words.len(), 2, "{line}");
        assert!(words[1].contains(r"user='o\'neil' dbname='my db\\' sslmode=verify-full"), "{}", words[1]);
    }
}
