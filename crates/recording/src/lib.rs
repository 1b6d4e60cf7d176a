//! What a run said to AWS and what it heard, as one JSON line a call.
//!
//! Nothing is kept that is not on an allow-list ([`redact`]): a member that nobody thought of is redacted, and so is a
//! member whose value does not have the form that it should have. Lines are redacted when they are recorded, so that no
//! secret waits in memory to be redacted later.

pub mod line;
mod members;
mod pseudonyms;
pub mod redact;
mod tape;
pub mod wire;

pub use line::Line;
pub use pseudonyms::{is_known as is_known_word, is_uuid};
pub use redact::Redactor;
pub use tape::{Exchange, Run, Tape};
