//! What `list` prints.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// The stacks of a Region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct List {
    /// The version of this document.
    pub schema: Version,
    /// The Region.
    pub region: String,
    /// Its stacks, in the order of their names.
    pub stacks: Vec<ListedStack>,
}

/// A stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedStack {
    /// Its name, which is also the proxy's.
    pub proxy: String,
    /// The database; null where no tag names it.
    pub database: Option<String>,
    /// The proxy's status, as RDS names it; null where there is no proxy.
    pub status: Option<String>,
    /// The state of its target, as `status` shows it; null where there is no proxy.
    pub target: Option<String>,
    /// The proxy's host; null where there is none yet.
    pub endpoint: Option<String>,
}
