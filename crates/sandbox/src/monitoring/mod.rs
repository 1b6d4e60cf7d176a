//! CloudWatch: metrics of functions, databases and proxies, alarms and dashboards.
//!
//! Shapes and limits are those of botocore's model of CloudWatch and of its API reference
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/Welcome.html>). Metrics are computed when they are read,
//! from what [`crate::load`] says. The account's calendar begins in 2026 and runs as fast as its user likes, so moments
//! are read and answered by the caller's: what the caller calls now is the account's now.

mod alarms;
mod band;
mod catalogue;
mod dashboards;
mod data;
mod dispatch;
mod evaluation;
mod expression;
mod list;
mod needs;
mod series;
mod state;
mod statistics;
mod tags;

pub use alarms::Alarm;
pub use dashboards::Dashboard;
pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
pub use state::Monitoring;
use state::{invalid, moment, validation};

#[cfg(test)]
mod tests;
