//! What `token` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// An IAM token for the proxy.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Token {
    /// The version of this document.
    pub schema: Version,
    /// The token, which is used as a password: keep it out of logs.
    pub token: String,
    /// The host that it is for.
    pub host: String,
    /// The port that it is for.
    pub port: u16,
    /// The database user that it is for.
    pub user: String,
    /// Until when it is accepted.
    #[schemars(extend("format" = "date-time"))]
    pub expires: String,
}

impl std::fmt::Debug for Token {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("host", &self.host).field("expires", &self.expires).finish_non_exhaustive()
    }
}
