//! KMS: keys, aliases, and who may decrypt with them.

mod dispatch;
mod keys;
mod needs;
mod state;

pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
use state::no_key;
pub use state::{Key, Kms};
pub(super) use state::{find, may_decrypt, need_via};

#[cfg(test)]
mod tests;
