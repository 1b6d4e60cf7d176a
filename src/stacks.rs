//! Which stacks of ours a region holds.

use std::collections::BTreeMap;

use crate::cloud::{Answer, Cloud, tags};
use crate::names;

/// The stacks of the region by name, each with its database where a tag tells it.
///
/// A stack is known by its role's path or by its group's tag, so one that was killed early is found too.
///
/// # Errors
/// When AWS refuses.
pub async fn list(cloud: &Cloud) -> Answer<BTreeMap<String, Option<String>>> {
    let path = names::region_path(&cloud.region);
    let (paths, groups) = tokio::join!(cloud.iam.role_paths(&path), cloud.ec2.groups_tagged(tags::STACK));
    let mut stacks = BTreeMap::new();
    for found in paths? {
        if let Some(stack) = found.strip_prefix(&path) {
            stacks.insert(stack.trim_end_matches('/').to_owned(), None);
        }
    }
    for group in groups? {
        if let Some(stack) = group.tags.get(tags::STACK) {
            stacks.insert(stack.clone(), group.tags.get(tags::DATABASE).cloned());
        }
    }
    Ok(stacks)
}
