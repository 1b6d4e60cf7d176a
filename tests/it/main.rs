//! The one integration-test binary: laws over the embedded account, under virtual time.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod budget;
mod harness;
mod laws;
mod layers;
