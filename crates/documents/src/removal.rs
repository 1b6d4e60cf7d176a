//! What `teardown` and `restore` print.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Change, Version};

/// What would be deleted or restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RemovalPlan {
    /// The version of this document.
    pub schema: Version,
    /// The proxy.
    pub proxy: String,
    /// What would happen, in this order.
    pub plan: Vec<Change>,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Restore {
    /// The version of this document.
    pub schema: Version,
    /// The proxy; empty where the Region has no stack.
    pub proxy: String,
    /// What was restored.
    pub changes: Vec<Change>,
    /// What else uses the proxy, and still does.
    pub other_users: Vec<String>,
}

/// What was deleted and restored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Teardown {
    /// The version of this document.
    pub schema: Version,
    /// The proxy; empty where the Region has no stack.
    pub proxy: String,
    /// What was deleted or restored; empty where there was nothing to delete.
    pub changes: Vec<Change>,
    /// What RDS Proxy leaves behind, one sentence each.
    pub left: Vec<String>,
    /// What else used the proxy.
    pub other_users: Vec<String>,
    /// The stacks that the Region has, where the one that was named does not exist.
    pub stacks: Vec<StackName>,
}

/// A stack, by its names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StackName {
    /// Its name, which is also the proxy's.
    pub proxy: String,
    /// The database; null where no tag names it.
    pub database: Option<String>,
}
