//! The arithmetic as its callers see it: facts in, advice out.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod cases;
mod facts;
mod laws;
mod parts;
mod tables;
