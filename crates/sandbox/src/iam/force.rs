//! When a change of policies takes hold.

use serde_json::Value;

use super::super::account::{Moment, World};
use super::{InForce, role};

/// Writes down that the role's policies are now as they are; to be called after every change of them.
///
/// What is new comes into force after the propagation time, and what is gone holds for just as long.
pub(super) fn settle(world: &mut World, role: &str, now: Moment) {
    let turn = now + world.profile.iam_propagation;
    let policies = &world.iam.policies;
    let Some(role) = world.iam.roles.get_mut(role) else { return };
    let inline = role.inline.iter().map(|(name, document)| (format!("inline:{name}"), document.clone()));
    let attached = role.attached.iter().filter_map(|arn| {
        policies.get(arn).and_then(|policy| policy.document()).map(|document| (arn.clone(), document.to_owned()))
    });
    let mut wanted: Vec<(String, String)> = inline.chain(attached).collect();

    role.force.retain(|entry| entry.until.is_none_or(|until| now < until));
    let seen = |entry: &&mut InForce| entry.until.is_none() && entry.source != InForce::UNSEEN;
    for entry in role.force.iter_mut().filter(seen) {
        let same = |(source, document): &(String, String)| *source == entry.source && *document == entry.document;
        match wanted.iter().position(same) {
            Some(index) => {
                wanted.swap_remove(index);
            }
            None => entry.until = Some(turn.max(entry.from)),
        }
    }
    wanted.sort();
    role.force.extend(wanted.into_iter().map(|(source, document)| InForce {
        source,
        document,
        from: turn,
        until: None,
    }));
}

/// The documents that services go by for a role at a moment.
pub(in super::super) fn documents(world: &World, role_arn: &str, now: Moment) -> Vec<Value> {
    let entries = role(world, role_arn).map(|role| role.force.as_slice()).unwrap_or_default();
    entries
        .iter()
        .filter(|entry| entry.from <= now && entry.until.is_none_or(|until| now < until))
        .filter_map(|entry| serde_json::from_str(&entry.document).ok())
        .collect()
}
