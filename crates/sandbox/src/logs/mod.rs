//! CloudWatch Logs: log groups, how long they keep what is in them, and the groups and lines that RDS Proxy writes.
//!
//! Shapes, lengths and patterns are those of botocore's model of CloudWatch Logs.

mod dispatch;
mod events;
mod groups;
mod lines;
mod needs;
mod state;
mod tags;

pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
pub(super) use state::tick;
pub use state::{LogGroup, Logs};
use state::{OF_PROXIES, absent, constraint, invalid};

#[cfg(test)]
mod tests;
