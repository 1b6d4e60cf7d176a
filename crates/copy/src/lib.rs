//! A simulated account that is a copy of a real one, made from what the real one answered.
//!
//! [`Copying`] hears calls and their answers, and what they say becomes the state of a [`sandbox::World`]. What was not
//! read is not in the copy, and what was refused is refused there too: [`Copy::gaps`] says which.
//!
//! Of values that others wrote, the copy keeps names, and only those parts that are needed: see [`Copying::finish`].

mod build;
mod facts;
mod hear;
mod learn;
mod mask;
mod pseudonyms;
mod read;

pub use build::REHEARSER;
pub use hear::{Copy, Copying, Gap, Heard, Variables};
pub use pseudonyms::pseudonymized;
