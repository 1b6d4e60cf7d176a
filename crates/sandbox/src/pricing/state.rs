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

/// What an instance of MySQL in one zone costs an hour, by Region and class: the on-demand prices of N. Virginia that
/// public tables quote alike, `InstanceUsage:db.t3.medium` of 0.068 among them.
pub(crate) fn published_instances() -> BTreeMap<String, BTreeMap<String, f64>> {
    let classes = [
        ("db.t3.micro", 0.017),
        ("db.t3.small", 0.034),
        ("db.t3.medium", 0.068),
        ("db.t3.large", 0.136),
        ("db.t3.xlarge", 0.272),
        ("db.t3.2xlarge", 0.544),
    ];
    let classes = classes.into_iter().map(|(class, dollars)| (class.to_owned(), dollars)).collect();
    BTreeMap::from([("us-east-1".to_owned(), classes)])
}

/// What a request, a gigabyte-second, and one on Graviton cost, by Region
/// (<https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AWSLambda/current/us-east-1/index.csv>, as others read it).
pub(crate) fn published_functions() -> BTreeMap<String, [f64; 3]> {
    BTreeMap::from([("us-east-1".to_owned(), [0.000_000_2, 0.000_016_666_7, 0.000_013_333_4])])
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
