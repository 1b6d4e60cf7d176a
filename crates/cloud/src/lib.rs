//! Thin wrappers over the SDK clients; no SDK type leaves this package, the only one that links an SDK.
//!
//! Each file speaks to one service in our own plain structs and maps what AWS refuses to one
//! [`Refusal`]. Nothing here decides anything.

pub mod alarms;
pub mod calls;
pub mod cause;
pub mod connect;
pub mod ec2;
pub mod error;
#[cfg(test)]
mod fidelity;
pub mod iam;
pub mod kms;
pub mod lambda;
pub mod logs;
pub mod metrics;
mod moment;
mod pace;
mod pages;
pub mod password;
pub mod pricing;
pub mod quotas;
pub mod rds;
pub mod secrets;
pub mod sts;
pub mod tags;
pub mod url;
mod versions;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use clock::Clock;

pub use calls::{Call, Calls, serving};
pub use cause::Cause;
pub use connect::{Access, Ask, ConnectError};
pub use error::{Answer, Kind, Refusal};
pub use moment::utc;
pub use password::Password;
pub use tags::{Owner, Tags};
pub use versions::sdks;

/// The account as we talk to it.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// The region of every regional call.
    pub region: String,
    /// Amazon RDS.
    pub rds: rds::Rds,
    /// AWS IAM.
    pub iam: iam::Iam,
    /// Amazon EC2.
    pub ec2: ec2::Ec2,
    /// AWS KMS.
    pub kms: kms::Kms,
    /// AWS Lambda.
    pub lambda: lambda::Lambda,
    /// Amazon CloudWatch Logs.
    pub logs: logs::Logs,
    /// Amazon CloudWatch: metrics.
    pub metrics: metrics::Metrics,
    /// Amazon CloudWatch: alarms and dashboards.
    pub alarms: alarms::Alarms,
    /// The Price List.
    pub pricing: pricing::Pricing,
    /// Service Quotas.
    pub quotas: quotas::Quotas,
    /// AWS Secrets Manager.
    pub secrets: secrets::Secrets,
    /// AWS STS.
    pub sts: sts::Sts,
}

impl Cloud {
    /// Connects to a real account.
    ///
    /// # Errors
    /// When no region is set or TLS cannot be prepared; credentials are looked for at the first call.
    pub async fn real(access: &Access) -> Result<Self, ConnectError> {
        Ok(Self::new(&connect::real(access).await?, &access.calls))
    }

    /// Talks to an account behind an HTTP client of the caller's, with retries timed by `clock`.
    #[must_use]
    pub fn mounted(http: SharedHttpClient, region: &str, access_key: &str, clock: &Clock) -> Self {
        Self::overheard(http, region, access_key, clock, &Calls::default())
    }

    /// As [`Self::mounted`], and reports every call.
    #[must_use]
    pub fn overheard(http: SharedHttpClient, region: &str, access_key: &str, clock: &Clock, calls: &Calls) -> Self {
        Self::new(&connect::mounted(http, region, access_key, clock), calls)
    }

    fn new(config: &SdkConfig, calls: &Calls) -> Self {
        Self {
            region: config.region().map(ToString::to_string).unwrap_or_default(),
            rds: rds::Rds::new(config, calls),
            iam: iam::Iam::new(config, calls),
            ec2: ec2::Ec2::new(config, calls),
            kms: kms::Kms::new(config, calls),
            lambda: lambda::Lambda::new(config, calls),
            logs: logs::Logs::new(config, calls),
            metrics: metrics::Metrics::new(config, calls),
            alarms: alarms::Alarms::new(config, calls),
            pricing: pricing::Pricing::new(config, calls),
            quotas: quotas::Quotas::new(config, calls),
            secrets: secrets::Secrets::new(config, calls),
            sts: sts::Sts::new(config, calls),
        }
    }
}
