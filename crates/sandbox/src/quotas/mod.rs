//! Service Quotas: what the account may have of each thing.
//!
//! Codes, names and defaults are those of the General Reference (<https://docs.aws.amazon.com/general/latest/gr/rds-service.html#limits_rds>,
//! <https://docs.aws.amazon.com/general/latest/gr/lambda-service.html#limits_lambda>).

mod dispatch;
mod needs;
mod read;
mod state;

pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
pub(super) use state::PROXIES;
use state::{QUOTAS, Row, absent, illegal};

#[cfg(test)]
mod tests;
