//! Puts an Amazon RDS Proxy between existing Lambda functions and an existing database.

pub mod catalogue;
pub mod cli;
pub mod client;
pub mod clock;
pub mod cloud;
pub mod commands;
pub mod discover;
pub mod doctor;
pub mod engine;
pub mod entrance;
pub mod error;
pub mod exit;
mod gate;
pub mod names;
pub mod password;
pub mod permissions;
pub mod probe;
pub mod report;
pub mod sandbox;
pub mod sequence;
pub mod shell;
pub mod spec;
pub mod stacks;
pub mod steps;
pub mod survey;
pub mod teardown;
pub mod templates;
