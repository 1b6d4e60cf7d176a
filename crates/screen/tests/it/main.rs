//! What is drawn, and what never is.

mod laws;
mod lines;
mod screens;
mod world;
