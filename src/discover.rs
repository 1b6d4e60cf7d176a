//! From a database's name to everything else that a run needs.
//!
//! Each file answers one question by reading the account: which database, which functions use it,
//! how they log in, with which secrets, in which subnets. What cannot be answered without a person
//! becomes a [`Problem`], which says what would help.

pub mod acls;
pub mod auth;
pub mod created;
pub mod credentials;
pub mod database;
pub mod dead;
pub mod direct;
mod escapes;
pub mod essence;
pub mod evidence;
pub mod functions;
pub mod given;
pub mod grants;
pub mod hidden;
pub mod home;
pub mod hosts;
pub mod keys;
mod matching;
mod named;
pub mod network;
pub mod others;
mod owner;
pub mod parameters;
pub mod phrases;
mod ports;
mod problem;
#[cfg(test)]
mod properties;
pub mod redirects;
pub mod releases;
pub mod remembered;
pub mod secrets;
pub mod selection;
mod users;
pub mod variable_keys;

pub use auth::Login;
pub use database::Database;
pub use functions::FunctionUse;
pub use owner::OtherTool;
pub use problem::Problem;
pub(crate) use problem::did_you_mean;
pub use users::Users;
