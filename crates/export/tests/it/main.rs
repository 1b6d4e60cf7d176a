//! The export of stacks: samples, and any stack at all.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod any;
mod cloudformation;
mod laws;
mod sample;
mod terraform;
