//! The pool as a queue: how long a client waits for a connection, and how many connections a load needs.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// The pool that the functions' load needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Requests for a connection in the busiest minute.
    pub requests_per_minute: Figure,
    /// How long one is held, on average, in microseconds.
    pub borrow_us: Figure,
    /// Connections that are busy on average at the peak, in hundredths.
    pub busy_hundredths: Figure,
    /// Connections that are pinned.
    pub pinned: Figure,
    /// The connections that the pool needs for the wait that is acceptable.
    pub connections: Figure,
    /// The wait with that pool at the 99th percentile, in microseconds.
    pub wait_us: Figure,
}
