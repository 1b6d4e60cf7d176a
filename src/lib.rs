//! Puts an Amazon RDS Proxy between existing Lambda functions and an existing database.

pub mod advise;
pub mod alarms;
pub mod canary;
pub mod catalogue;
pub mod cli;
pub mod client;
pub mod close_direct;
pub mod commands;
pub mod discover;
pub mod doctor;
pub mod engine;
pub mod entrance;
pub mod error;
pub mod exit;
pub mod export;
mod gate;
pub mod handover;
pub mod names;
pub mod ownership;
pub mod permissions;
pub mod plan;
pub mod probe;
pub mod rehearse;
pub mod report;
pub mod resources;
pub mod saved;
pub mod sequence;
pub mod shell;
pub mod spec;
pub mod sql;
pub mod stacks;
pub mod survey;
pub mod teardown;
pub mod templates;
pub mod watch;

pub use ::{clock, cloud, plain};
