//! Secrets Manager: secrets, their versions and their deletion windows.

mod dispatch;
mod manage;
mod needs;
mod password;
mod state;
mod value;

pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
pub use state::{Deletion, Secret, SecretVersion, Secrets};
use state::{days, invalid, named, new_arn, required, version_id};
pub(super) use state::{find, may_read, tick};

#[cfg(test)]
mod tests;
