//! How many requests a second AWS takes: a bucket of tokens for each family of calls.
//!
//! Lambda: <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#api-requests>. EC2:
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>. For IAM and RDS nothing is
//! published; the figures are those that people measured. CloudWatch Logs has 10 a second for each of its operations on
//! groups (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>). CloudWatch has 25 a second
//! for `ListMetrics`, more for the other reads, and 3 a second for most operations on alarms
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::account::{Moment, Service};

/// What a request costs, in thousandths of a token.
const COST: u64 = 1_000;

/// Calls that share a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Family {
    /// All of Lambda's calls but the two below: 15 a second together, and no quota raises it.
    Lambda,
    /// `GetFunction`.
    LambdaGetFunction,
    /// `GetPolicy`.
    LambdaGetPolicy,
    /// `AuthorizeSecurityGroupIngress` and `RevokeSecurityGroupIngress`.
    Ec2Ingress,
    /// Other changes in EC2.
    Ec2Change,
    /// Tags in EC2.
    Ec2Tags,
    /// Reads in EC2 with a filter or a page size.
    Ec2Read,
    /// Reads in EC2 of everything there is.
    Ec2ReadAll,
    /// All of IAM.
    Iam,
    /// All of RDS.
    Rds,
    /// All of CloudWatch Logs.
    Logs,
    /// Reads of metrics.
    Metrics,
    /// Alarms and their tags.
    Alarms,
}

impl Family {
    fn of(service: Service, action: &str, input: &Value) -> Option<Self> {
        Some(match (service, action) {
            (Service::Lambda, "Invoke")
            | (Service::Kms | Service::Pricing | Service::SecretsManager | Service::ServiceQuotas | Service::Sts, _) => {
                return None;
            }
            (Service::Lambda, "GetFunction") => Self::LambdaGetFunction,
            (Service::Lambda, "GetPolicy") => Self::LambdaGetPolicy,
            (Service::Lambda, _) => Self::Lambda,
            (Service::Ec2, "AuthorizeSecurityGroupIngress" | "RevokeSecurityGroupIngress") => Self::Ec2Ingress,
            (Service::Ec2, "CreateTags" | "DeleteTags") => Self::Ec2Tags,
            (Service::Ec2, read) if read.starts_with("Describe") => {
                let narrow = input.as_object().is_some_and(|members| !members.is_empty());
                if narrow { Self::Ec2Read } else { Self::Ec2ReadAll }
            }
            (Service::Ec2, _) => Self::Ec2Change,
            (Service::Iam, _) => Self::Iam,
            (Service::Logs, _) => Self::Logs,
            (Service::Monitoring, "GetMetricData" | "GetMetricStatistics" | "ListMetrics") => Self::Metrics,
            (Service::Monitoring, _) => Self::Alarms,
            (Service::Rds, _) => Self::Rds,
        })
    }

    /// How many tokens the bucket holds, and how many come back in a second.
    fn figures(self) -> (u64, u64) {
        match self {
            Self::Lambda | Self::LambdaGetPolicy => (15, 15),
            Self::LambdaGetFunction => (100, 100),
            Self::Ec2ReadAll => (50, 10),
            Self::Ec2Ingress | Self::Ec2Change => (50, 5),
            Self::Ec2Tags => (100, 10),
            Self::Ec2Read => (100, 20),
            Self::Iam | Self::Logs => (10, 10),
            Self::Metrics => (25, 25),
            Self::Alarms => (3, 3),
            Self::Rds => (8, 15),
        }
    }
}

/// The buckets of one account, full at first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Limits {
    /// Of each hundred requests that AWS takes, how many other callers leave.
    left: u64,
    buckets: BTreeMap<Family, Bucket>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Bucket {
    /// Thousandths of a token.
    left: u64,
    at: Moment,
}

impl Default for Limits {
    fn default() -> Self {
        Self::left_by_others(100)
    }
}

impl Limits {
    /// The limits of an account in which others call too, and leave so many of each hundred requests.
    #[must_use]
    pub fn left_by_others(percent: u64) -> Self {
        Self { left: percent, buckets: BTreeMap::new() }
    }

    /// Takes a token for a request; `false` when there is none.
    pub(super) fn take(&mut self, service: Service, action: &str, input: &Value, now: Moment) -> bool {
        let Some(family) = Family::of(service, action, input) else { return true };
        let (size, rate) = family.figures();
        let full = (size * COST * self.left / 100).max(COST);
        let bucket = self.buckets.entry(family).or_insert(Bucket { left: full, at: now });
        // A token a second is a thousandth a millisecond.
        let back = now.0.saturating_sub(bucket.at.0).saturating_mul(rate) * self.left / 100;
        *bucket = Bucket { left: bucket.left.saturating_add(back).min(full), at: now };
        let enough = bucket.left >= COST;
        if enough {
            bucket.left -= COST;
        }
        enough
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn taken(limits: &mut Limits, action: &str, service: Service, at: u64) -> usize {
        (0..1_000).take_while(|_| limits.take(service, action, &json!({}), Moment(at))).count()
    }

    #[test]
    fn lambdas_changes_and_lists_share_one_bucket_and_reads_of_one_function_have_their_own() {
        let mut limits = Limits::default();
        assert_eq!(taken(&mut limits, "UpdateFunctionConfiguration", Service::Lambda, 0), 15);
        assert_eq!(taken(&mut limits, "ListFunctions", Service::Lambda, 0), 0);
        assert_eq!(taken(&mut limits, "GetFunction", Service::Lambda, 0), 100);
        assert_eq!(taken(&mut limits, "TagResource", Service::Lambda, 1_000), 15);
        assert_eq!(taken(&mut limits, "TagResource", Service::Lambda, 1_200), 3);
    }

    #[test]
    fn a_bucket_never_holds_more_than_its_size() {
        let mut limits = Limits::default();
        assert_eq!(taken(&mut limits, "AuthorizeSecurityGroupIngress", Service::Ec2, 0), 50);
        assert_eq!(taken(&mut limits, "AuthorizeSecurityGroupIngress", Service::Ec2, 3_600_000), 50);
        assert_eq!(taken(&mut limits, "AuthorizeSecurityGroupIngress", Service::Ec2, 3_601_000), 5);
        assert_eq!(taken(&mut limits, "DescribeDBProxies", Service::Rds, 0), 8);
    }
}
