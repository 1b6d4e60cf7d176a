//! What the doctor looks for within the values of variables, in lower case.
//!
//! One list for both that need it: the doctor, which finds them, and [`essence`](super::essence), which keeps them in a
//! copy of the account. Were there two, a rehearsal could miss what the doctor would have seen.

/// What turns TLS off within a connection string.
pub const NO_TLS: [&str; 9] = [
    "sslmode=disable",
    "ssl-mode=disabled",
    "ssl_mode=disabled",
    "sslmode=none",
    "usessl=false",
    "ssl=false",
    "tls=false",
    "encrypt=false",
    "ssl mode=none",
];

/// Parts of the names of the bundles that AWS offers for connections straight to a database
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.SSL.html>).
pub const RDS_BUNDLES: [&str; 3] = ["rds-combined-ca-bundle", "rds-ca-20", "-bundle.pem"];

/// What shows that a value is a connection string.
pub const CONNECTION: [&str; 2] = ["://", "host="];

/// Start-up options within a connection string.
pub const OPTIONS: [&str; 4] = ["options=", "statement_timeout=", "search_path=", "currentschema="];

/// Whether one of them stands in a value.
#[must_use]
pub fn says(value: &str, phrases: &[&str]) -> bool {
    phrases.iter().any(|phrase| value.contains(phrase))
}
