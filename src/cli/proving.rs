//! The flags of the commands that log in, or prove that one can.

use clap::Args;

use super::Waits;
use crate::client::Client;

/// `token`.
#[derive(Debug, Args)]
pub struct Token {
    /// The database, by identifier or ARN.
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name, where up was given one.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The database user. Else the one that functions, policy or secrets tell of.
    #[arg(long, value_name = "USER")]
    pub db_user: Option<String>,
    /// For the proxy's read-only endpoint.
    #[arg(long)]
    pub reader: bool,
}

/// `connect`.
#[derive(Debug, Args)]
pub struct Connect {
    /// Whom to log in as, and where.
    #[command(flatten)]
    pub login: Token,
    /// The database within the server.
    #[arg(long, value_name = "NAME")]
    pub database: Option<String>,
    /// The client. Else the one that fits the engine.
    #[arg(long, value_enum)]
    pub client: Option<Client>,
    /// The file with Amazon's root certificate; for psql 16 or later also: system.
    #[arg(long, value_name = "FILE")]
    pub ca: Option<String>,
}

/// `verify`.
#[derive(Debug, Args)]
pub struct Prove {
    /// The database, by identifier or ARN.
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name, where up was given one.
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// A function whose way is checked; repeat for several. Else all that use the database or the proxy.
    #[arg(long = "function", value_name = "NAME")]
    pub functions: Vec<String>,
    /// Connect for real: a short-lived function in the seat of each of them (same subnets, groups and role) goes as far as
    /// SELECT 1, and is removed.
    #[arg(long)]
    pub probe: bool,
    /// Where the proxy takes passwords: log in with the function's own, which is not stored anywhere.
    #[arg(long, requires = "probe")]
    pub probe_login: bool,
    /// How long to wait.
    #[command(flatten)]
    pub waits: Waits,
}
