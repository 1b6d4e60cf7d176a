//! Log-ins a second that IAM allows, against those that cold starts bring.

use serde::{Deserialize, Serialize};

use crate::figure::Figure;

/// Log-ins with IAM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logins {
    /// New connections a second that AWS advises not to exceed with IAM log-in to a database.
    pub limit_per_second: Figure,
    /// New connections a second at the busiest, of functions that log in with IAM.
    pub expected_per_second: Figure,
    /// Whether they stay below; absent where that is not known.
    pub fits: Option<bool>,
    /// What follows.
    pub advice: String,
}
