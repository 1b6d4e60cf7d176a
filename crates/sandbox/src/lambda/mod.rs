//! Lambda: functions, versions, aliases, and what calls them.

mod aliases;
mod check;
mod concurrency;
mod configure;
mod create;
mod dispatch;
mod extras;
mod invoke;
mod needs;
mod read;
mod shown;
mod state;
mod versions;
mod weights;

pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
pub use state::{Alias, Configuration, Function, KeyGrants, Lambda, Mapping, State, Update, Vpc};
pub(super) use state::{LATEST, tick, transitions};
use state::{absent, concurrency, identify, named, named_mut, next_revision, split, uuid};

#[cfg(test)]
mod tests;
