//! What is watched of an RDS Proxy: its alarms, its dashboard, and the lines of its log.
//!
//! Pure data and arithmetic: what AWS says comes in as plain values, and nothing here knows how it was read.

pub mod alarms;
pub mod dashboard;
pub mod proxylog;
