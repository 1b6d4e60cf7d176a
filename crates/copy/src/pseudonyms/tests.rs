//! What is required of an account under pseudonyms.

mod accounts;
mod canaries;
mod derived;
#[expect(dead_code, unreachable_pub, reason = "the product's own file, of which these tests need a part")]
#[path = "../../../../src/names.rs"]
mod names;
mod references;
mod structure;
mod texts;
