//! How many connections the database takes, and how many of them are left for these functions.
//!
//! `DBInstanceClassMemory` is less than a class's memory, by an amount that AWS does not publish (Amazon RDS User Guide,
//! "Specifying DB parameters"); hence the ranges.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// What the database takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supply {
    /// `max_connections` that the writer uses now.
    pub max_connections: Figure,
    /// Whether a reboot is pending that may change it.
    pub pending_reboot: bool,
    /// `DBInstanceClassMemory` of the writer, in bytes.
    pub memory_bytes: Figure,
    /// The writer's vCPUs.
    pub vcpus: Figure,
    /// Connections that only superusers get.
    pub reserved: Figure,
    /// Sessions of RDS itself.
    pub internal: Figure,
    /// Connections of other clients.
    pub others: Figure,
    /// What is left for the functions.
    pub usable: Figure,
    /// The part of it that may be in use at the peak: the line between needed and not needed.
    pub limit: Figure,
    /// What the proxy's pool may hold, where a proxy exists.
    pub proxy_allows: Option<Figure>,
    /// Connections of a pool beyond which more of them only wait for the processor.
    pub served: Figure,
}
