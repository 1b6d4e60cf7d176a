//! The judgement as its callers see it: evidence in, one of three answers out.

mod answers;
mod evidence;
mod laws;
mod tables;
mod waves;
