//! The one integration-test binary: laws over the embedded account under virtual time, and the built program.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod access;
mod adoption;
mod bad_input;
mod budget;
mod cli;
mod desk;
mod dice;
mod docs;
mod doctor;
mod drift;
mod faults;
mod fleet;
mod functions;
mod given;
mod hand;
mod harness;
mod hostile;
mod laws;
mod layers;
mod logins;
mod network;
mod organizations;
mod pace;
mod passing;
mod permissions;
mod policies;
mod probes;
mod races;
mod readers;
mod releases;
mod shape;
mod storms;
mod truths;
mod verify;
mod walks;
