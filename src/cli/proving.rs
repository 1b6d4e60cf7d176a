//! The flags of the commands that log in, or prove that one can.

use clap::Args;

use super::Waits;
use crate::client::Client;

/// `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The database user
    ///
    /// [default: the user found in functions, policies and secrets, if there is only one]
    #[arg(long, value_name = "USER")]
    pub db_user: Option<String>,
    /// Use the proxy's read-only endpoint
    #[arg(long)]
    pub reader: bool,
}

/// `connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Whom to log in as, and where.
    #[command(flatten)]
    pub login: Token,
    /// The database (schema) on the server
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// The client [default: the engine's own]
    #[arg(long, value_enum)]
    pub client: Option<Client>,
    /// The file with Amazon's root certificate; system for psql 16 or later
    #[arg(long, value_name = "FILE")]
    pub ca: Option<String>,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct Prove {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A function to check; repeatable
    ///
    /// [default: every function that uses the database or the proxy]
    #[arg(long = "function", value_name = "NAME")]
    pub functions: Vec<String>,
    /// Connect from temporary functions
    ///
    /// Creates a temporary function with the subnets, security groups and role of each function. It connects through
    /// the proxy as far as SELECT 1, and is always deleted afterwards.
    #[arg(long)]
    pub probe: bool,
    /// Log in with the functions' own passwords
    ///
    /// For proxies that accept passwords. They are not stored anywhere.
    #[arg(long, requires = "probe")]
    pub probe_login: bool,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}
