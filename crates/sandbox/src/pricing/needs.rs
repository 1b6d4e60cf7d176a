//! The permissions that the Price List's calls need.

use std::collections::BTreeMap;

use crate::account::{Call, Need, World};

/// The permissions that the call needs: the Price List has no resource types.
pub(crate) fn needs(_: &World, call: &Call) -> Vec<Need> {
    vec![Need { action: format!("pricing:{}", call.action), resource: "*".to_owned(), context: BTreeMap::new() }]
}
