//! The product's code that rewrites values, and laws that hold for any input.
//!
//! The files are the product's own, included by their paths. Types that they take from the AWS clients are replaced by
//! small copies in [`cloud`], so that no SDK is built.

pub mod cloud;
pub mod discover;
#[path = "../../src/names.rs"]
pub mod names;
