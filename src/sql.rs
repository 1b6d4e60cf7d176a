//! Statements that a person runs in the database, ready to paste: this tool never logs in there itself.
//!
//! <https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.DBAccounts.html> has them for both engines.
//! None of them holds a password.

use crate::cloud::rds::EngineFamily;

/// What lets a user log in with IAM: the statement for a new one, and the one for a user that exists.
///
/// From then on that user's password does not work any more: on MySQL and MariaDB the plugin takes its place, on
/// PostgreSQL the role `rds_iam` comes before it.
#[must_use]
pub fn log_in_with_iam(family: EngineFamily, user: &str) -> [String; 2] {
    match family {
        EngineFamily::PostgreSql => {
            let user = identifier(user);
            let grant = format!("GRANT rds_iam TO {user};");
            [format!("CREATE USER {user} WITH LOGIN; {grant}"), grant]
        }
        EngineFamily::MySql | EngineFamily::SqlServer => {
            let how = "IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;";
            let account = account(user);
            [format!("CREATE USER {account} {how}"), format!("ALTER USER {account} {how}")]
        }
    }
}

/// What creates a user that may work with the data of one database, and change no table: without its password, which
/// the person chooses as the statement runs.
///
/// MySQL generates one and shows it
/// (<https://dev.mysql.com/doc/refman/8.4/en/create-user.html#create-user-tables-random-passwords>), `psql` asks for one; MariaDB
/// does neither, so that there the user stays locked until it has one.
#[must_use]
pub fn work_with_data(family: EngineFamily, mariadb: bool, user: &str, database: &str) -> Vec<String> {
    const RIGHTS: &str = "SELECT, INSERT, UPDATE, DELETE";
    let of_mysql = || format!("GRANT {RIGHTS} ON `{}`.* TO {};", database.replace('`', "``"), account(user));
    match family {
        EngineFamily::PostgreSql => {
            let (user, database) = (identifier(user), identifier(database));
            vec![
                format!("CREATE USER {user} WITH LOGIN;"),
                format!("\\password {user}"),
                format!("GRANT CONNECT ON DATABASE {database} TO {user};"),
                format!("GRANT USAGE ON SCHEMA public TO {user};"),
                format!("GRANT {RIGHTS} ON ALL TABLES IN SCHEMA public TO {user};"),
                format!("GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {user};"),
            ]
        }
        EngineFamily::MySql if mariadb => vec![format!("CREATE USER {} ACCOUNT LOCK;", account(user)), of_mysql()],
        EngineFamily::MySql => {
            vec![format!("CREATE USER {} IDENTIFIED BY RANDOM PASSWORD;", account(user)), of_mysql()]
        }
        EngineFamily::SqlServer => Vec::new(),
    }
}

/// A name of PostgreSQL, in quotes: without them it would lose its capitals
/// (<https://www.postgresql.org/docs/current/sql-syntax-lexical.html#SQL-SYNTAX-IDENTIFIERS>).
fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// An account of MySQL or MariaDB, from any host: the proxy's addresses are not known in advance. In back quotes, since
/// in single ones a backslash may escape or not, as the session's `sql_mode` says
/// (<https://dev.mysql.com/doc/refman/8.4/en/account-names.html>).
fn account(name: &str) -> String {
    format!("`{}`@`%`", name.replace('`', "``"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_engine_has_its_own_statements() {
        assert_eq!(
            log_in_with_iam(EngineFamily::PostgreSql, "Jane_Doe"),
            ["CREATE USER \"Jane_Doe\" WITH LOGIN; GRANT rds_iam TO \"Jane_Doe\";", "GRANT rds_iam TO \"Jane_Doe\";"]
        );
        assert_eq!(
            log_in_with_iam(EngineFamily::MySql, "jane_doe"),
            [
                "CREATE USER `jane_doe`@`%` IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;",
                "ALTER USER `jane_doe`@`%` IDENTIFIED WITH AWSAuthenticationPlugin AS 'RDS' REQUIRE SSL;"
            ]
        );
    }

    /// No statement holds a password, and none leaves a user without one open.
    #[test]
    fn a_user_for_data_gets_no_password_from_here() {
        let of = |family, mariadb| work_with_data(family, mariadb, "app", "shop").join(" ");
        let mysql = of(EngineFamily::MySql, false);
        assert_eq!(
            mysql,
            "CREATE USER `app`@`%` IDENTIFIED BY RANDOM PASSWORD; GRANT SELECT, INSERT, UPDATE, DELETE ON `shop`.* TO `app`@`%`;"
        );
        let mariadb = of(EngineFamily::MySql, true);
        assert!(mariadb.starts_with("CREATE USER `app`@`%` ACCOUNT LOCK; GRANT "), "{mariadb}");
        let postgres = of(EngineFamily::PostgreSql, false);
        assert!(postgres.contains("\\password \"app\"") && postgres.contains("ON DATABASE \"shop\""), "{postgres}");
        for text in [mysql, mariadb, postgres] {
            assert!(!text.contains("IDENTIFIED BY '") && !text.contains("PASSWORD '"), "{text}");
        }
    }

    #[test]
    fn a_name_cannot_end_its_quotes() {
        assert_eq!(identifier("a\"; DROP TABLE b; --"), "\"a\"\"; DROP TABLE b; --\"");
        assert_eq!(account("a`; DROP TABLE b; -- '\\"), "`a``; DROP TABLE b; -- '\\`@`%`");
    }
}
