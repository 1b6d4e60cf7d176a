//! IAM: roles, managed policies, and when a change of theirs takes hold.
//!
//! IAM answers reads from its newest state at once, but the other services learn of a change only
//! later ([`Profile::iam_propagation`](super::profile::Profile)). [`documents`] answers as those services see it.

mod answers;
mod attach;
mod aws;
mod dispatch;
mod force;
mod limits;
mod managed;
mod needs;
mod roles;
mod simulate;
mod state;
mod text;

use answers::{paged, tag_list, tag_rows};
pub(super) use aws::aws_managed;
pub(super) use dispatch::{handle, mutating};
pub(super) use force::documents;
pub use limits::{Organization, Simulator};
pub(super) use limits::{ceiling, decide, known, organization};
pub(super) use needs::needs;
pub(super) use roles::service_linked;
use state::add_tags;
pub(super) use state::role;
pub use state::{Iam, InForce, Policy, Role, Version};

#[cfg(test)]
mod tests;
