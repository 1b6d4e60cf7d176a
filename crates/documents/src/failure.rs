//! What a command prints that fails.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// A failure of any command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// The version of this document.
    pub schema: Version,
    /// What failed, and why.
    pub error: String,
    /// What helps, the best first.
    pub hints: Vec<String>,
    /// AWS's id of the request that was refused, where one was.
    pub request_id: Option<String>,
    /// The code that the command exits with.
    pub exit_code: u8,
}
