//! What an RDS Proxy does right now, drawn for a terminal, and as lines and JSON without one.
//!
//! Readings come in as data. What could not be read is unknown and says why; it is never a zero.

mod draw;
mod json;
mod lines;
mod rows;
mod text;

pub mod reading;

pub use draw::{View, draw};
pub use json::document;
pub use lines::{heading, line, once, reasons};
/// The terminal library, so that who draws with this package uses the same one.
pub use ratatui;
pub use reading::{Function, Point, Proxy, Reading, Series, Side, Target};
