//! What `sandbox` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// Where the simulated account answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxServe {
    /// The version of this document.
    pub schema: Version,
    /// The URL, for `--endpoint-url`.
    pub endpoint_url: String,
}

/// Where the simulated account is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxReset {
    /// The version of this document.
    pub schema: Version,
    /// The file.
    pub file: String,
}

/// The load that a function has now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SandboxLoad {
    /// The version of this document.
    pub schema: Version,
    /// The function.
    pub function: String,
    /// The ready-made load, where one was asked for.
    pub preset: Option<String>,
    /// Invocations a second, where they were given.
    pub rate: Option<f64>,
    /// What becomes of it at a proxy, where that was given.
    pub at_proxy: Option<String>,
}
