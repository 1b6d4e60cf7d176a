//! What `advise` prints.

use advice::Advice;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// Whether a proxy helps a database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Advise {
    /// The version of this document.
    pub schema: Version,
    /// The advice, with every number that it rests on.
    pub advice: Advice,
    /// The commands that follow from it.
    pub next: Vec<String>,
}

/// The same for every database that functions use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdviseAll {
    /// The version of this document.
    pub schema: Version,
    /// The databases, those first that need something most.
    pub databases: Vec<Advice>,
    /// What was not looked at, and why.
    pub left_out: Vec<String>,
}
