//! STS: who am I.

mod dispatch;
mod needs;

pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
