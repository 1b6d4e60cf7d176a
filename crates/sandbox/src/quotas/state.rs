//! What Service Quotas remembers.

use crate::account::{AwsError, World};

/// Proxies of an account and Region.
pub(crate) const PROXIES: &str = "L-D94C7EA3";

/// Lambda's concurrent executions.
pub(super) const CONCURRENCY: &str = "L-B99A9384";

/// A quota: service, its name, code, name, default.
pub(super) type Row = (&'static str, &'static str, &'static str, &'static str, f64);

pub(super) const QUOTAS: &[Row] = &[
    ("lambda", "AWS Lambda", CONCURRENCY, "Concurrent executions", 1000.0),
    ("rds", "Amazon Relational Database Service (Amazon RDS)", "L-7B6409FD", "DB instances", 40.0),
    ("rds", "Amazon Relational Database Service (Amazon RDS)", "L-952B80B8", "DB clusters", 40.0),
    ("rds", "Amazon Relational Database Service (Amazon RDS)", PROXIES, "Proxies", 20.0),
];

impl World {
    /// The quota of that code as it is applied to the account.
    pub(crate) fn quota(&self, code: &str) -> Option<f64> {
        if code == CONCURRENCY {
            return Some(f64::from(self.lambda.concurrency));
        }
        let default = QUOTAS.iter().find(|(_, _, of, ..)| *of == code).map(|(.., value)| *value)?;
        Some(self.quotas.get(code).copied().unwrap_or(default))
    }
}

pub(super) fn illegal(message: &str) -> AwsError {
    AwsError::new(400, "IllegalArgumentException", message)
}

pub(super) fn absent() -> AwsError {
    AwsError::new(400, "NoSuchResourceException", "The request failed because the specified quota does not exist.")
}
