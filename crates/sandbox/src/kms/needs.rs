//! The permissions that KMS's calls need.

use std::collections::BTreeMap;

use super::find;
use crate::account::{Call, Need, World};
use crate::input;

/// The permissions that the call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let key = input::text(&call.input, "KeyId").or_else(|| input::text(&call.input, "TargetKeyId"));
    let resource = match key.and_then(|key| find(world, key)) {
        Some(key) if call.action != "ListAliases" => key.arn.clone(),
        _ => "*".to_owned(),
    };
    let need = |resource| Need { action: format!("kms:{}", call.action), resource, context: BTreeMap::new() };
    let alias = input::text(&call.input, "AliasName").map(|alias| need(world.arn("kms", alias)));
    // A new alias is a resource beside the key that it names.
    std::iter::once(need(resource)).chain(alias).collect()
}
