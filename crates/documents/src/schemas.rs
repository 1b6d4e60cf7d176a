//! What `schema` prints without a name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Version;

/// The schemas that there are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Schemas {
    /// The version of this document.
    pub schema: Version,
    /// The schemas, in alphabetical order.
    pub schemas: Vec<ListedSchema>,
}

/// A schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ListedSchema {
    /// Its name.
    pub name: String,
    /// What it describes.
    pub about: String,
    /// The commands that print it; empty where every command may.
    pub commands: Vec<String>,
}
