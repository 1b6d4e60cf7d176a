//! The pool's settings, each with its reasons.

use serde::{Deserialize, Serialize};

/// The settings of a proxy and its target group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// `MaxConnectionsPercent`, 1 to 100.
    pub max_connections_percent: Setting,
    /// `MaxIdleConnectionsPercent`, 0 to `MaxConnectionsPercent`.
    pub max_idle_connections_percent: Setting,
    /// `IdleClientTimeout` in seconds, 60 to 28,800.
    pub idle_client_timeout_seconds: Setting,
    /// `ConnectionBorrowTimeout` in seconds, 1 to 300.
    pub connection_borrow_timeout_seconds: Setting,
    /// What to do about an init query.
    pub init_query: String,
    /// The preset 50/25/300/120 held against these facts.
    pub preset: Preset,
}

/// A setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// The value.
    pub value: u64,
    /// Why.
    pub reasons: Vec<String>,
}

/// A preset, and whether it fits here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// Its name.
    pub name: String,
    /// `MaxConnectionsPercent`.
    pub max_connections_percent: u64,
    /// `MaxIdleConnectionsPercent`.
    pub max_idle_connections_percent: u64,
    /// `IdleClientTimeout`.
    pub idle_client_timeout_seconds: u64,
    /// `ConnectionBorrowTimeout`.
    pub connection_borrow_timeout_seconds: u64,
    /// Whether every part of it fits.
    pub fits: bool,
    /// What does not fit, and why.
    pub objections: Vec<String>,
}
