//! Responses of AWS that others have published: one a line of `real.jsonl`, with its source.

use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// A real response.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Real {
    /// Where it is published.
    pub(crate) source: String,
    /// What was left out or set right, and why.
    pub(crate) note: String,
    pub(crate) service: String,
    pub(crate) operation: String,
    pub(crate) status: u16,
    pub(crate) members: Option<Value>,
    pub(crate) error: Option<Refused>,
}

/// What a refusal says.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Refused {
    pub(crate) code: String,
    pub(crate) message: String,
}

/// All of them; `root` is the repository.
pub(crate) fn real(root: &Path) -> Vec<Real> {
    let text = std::fs::read_to_string(root.join("tests/recordings/real.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}
