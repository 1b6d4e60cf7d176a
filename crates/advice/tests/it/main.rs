//! The arithmetic as its callers see it: facts in, advice out.

mod cases;
mod facts;
mod laws;
mod tables;
