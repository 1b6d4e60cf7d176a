//! The flags of `watch`.

use clap::Args;

/// `watch`.
#[derive(Debug, Args)]
pub struct Watch {
    /// The database: identifier or ARN
    #[arg(long, value_name = "ID|ARN")]
    pub db: String,
    /// The proxy's name [default: <db>-proxy]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Only this function; repeatable
    ///
    /// [default: every function with a variable that holds the endpoint of the proxy or the database]
    #[arg(long = "function", value_name = "NAME")]
    pub functions: Vec<String>,
    /// Print one reading and end
    #[arg(long)]
    pub once: bool,
}
