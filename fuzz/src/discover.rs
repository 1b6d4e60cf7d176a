//! The included files, and the laws beside them, since some of what they hold is visible here alone.

use crate::cloud::rds::EngineFamily;

#[path = "../../src/discover/escapes.rs"]
mod escapes;
#[path = "../../src/discover/hidden.rs"]
pub mod hidden;
#[path = "../../src/discover/home.rs"]
pub mod home;
#[path = "../../src/discover/hosts.rs"]
pub mod hosts;
#[path = "../../src/discover/ports.rs"]
mod ports;

pub mod account;
pub mod values;
pub mod variables;

/// What `home` reads of a database.
#[derive(Debug)]
pub struct Database {
    /// What a proxy for it speaks.
    pub family: EngineFamily,
    /// The port that it listens on.
    pub port: u16,
    /// Every name that a client may know it by.
    pub hosts: Vec<hosts::KnownHost>,
}
