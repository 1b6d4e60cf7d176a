//! What the Price List remembers.

use std::collections::BTreeMap;

use crate::account::AwsError;

/// Where the Price List answers (<https://docs.aws.amazon.com/general/latest/gr/billing.html>).
pub(crate) const REGIONS: &[&str] = &["us-east-1", "eu-central-1", "ap-south-1"];

/// The prices that are published, by Region: dollars for a vCPU and for an ACU, an hour
/// (<https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonRDS/current/us-east-1/index.json>, SKU `AHVT2C6WP2BB5BXQ`;
/// bills of London).
pub(crate) fn published() -> BTreeMap<String, (f64, f64)> {
    BTreeMap::from([("us-east-1".to_owned(), (0.015, 0.015)), ("eu-west-2".to_owned(), (0.017, 0.018))])
}

/// Region, its name in the Price List, the prefix of usage types
/// (<https://docs.aws.amazon.com/general/latest/gr/rande.html>, <https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html>).
pub(super) const PLACES: &[(&str, &str, &str)] = &[
    ("us-east-1", "US East (N. Virginia)", "USE1"),
    ("us-east-2", "US East (Ohio)", "USE2"),
    ("us-west-2", "US West (Oregon)", "USW2"),
    ("eu-central-1", "EU (Frankfurt)", "EUC1"),
    ("eu-west-1", "EU (Ireland)", "EU"),
    ("eu-west-2", "EU (London)", "EUW2"),
    ("ap-northeast-1", "Asia Pacific (Tokyo)", "APN1"),
];

/// Engines and their codes in operations, `CreateDBInstance:0002`
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ProductDescriptions.html>).
pub(super) const ENGINES: &[(&str, &str)] =
    &[("Aurora MySQL", "16"), ("Aurora PostgreSQL", "21"), ("MariaDB", "18"), ("MySQL", "2"), ("PostgreSQL", "14")];

pub(super) fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterException", message)
}
