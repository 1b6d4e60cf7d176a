//! What `connect` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Login, Version};

/// The command line that logs in through the proxy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Connect {
    /// The version of this document.
    pub schema: Version,
    /// The command line, for a shell.
    pub command: String,
    /// The client that it runs.
    pub client: String,
    /// The proxy's host.
    pub host: String,
    /// The proxy's port.
    pub port: u16,
    /// The database user.
    pub user: String,
    /// The database within the server; null where none was named.
    pub database: Option<String>,
    /// How it logs in.
    pub login: Login,
    /// The certificates that it checks the proxy's against.
    pub ca: Authorities,
}

/// The certificates of the authorities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Authorities {
    /// The file that the command line reads.
    pub file: String,
    /// Where the file can be downloaded.
    pub url: String,
}
