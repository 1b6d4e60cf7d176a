//! The permissions that STS's calls need.

use crate::account::{Call, Need, World};

/// `GetCallerIdentity` needs no permission.
pub(crate) fn needs(_: &World, _: &Call) -> Vec<Need> {
    Vec::new()
}
