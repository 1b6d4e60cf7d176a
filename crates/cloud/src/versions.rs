//! Which SDKs the program speaks to AWS with: a report of a fault names them.

/// Each SDK and its version.
#[must_use]
pub fn sdks() -> [(&'static str, &'static str); 11] {
    [
        ("aws-sdk-cloudwatch", aws_sdk_cloudwatch::meta::PKG_VERSION),
        ("aws-sdk-cloudwatchlogs", aws_sdk_cloudwatchlogs::meta::PKG_VERSION),
        ("aws-sdk-ec2", aws_sdk_ec2::meta::PKG_VERSION),
        ("aws-sdk-iam", aws_sdk_iam::meta::PKG_VERSION),
        ("aws-sdk-kms", aws_sdk_kms::meta::PKG_VERSION),
        ("aws-sdk-lambda", aws_sdk_lambda::meta::PKG_VERSION),
        ("aws-sdk-pricing", aws_sdk_pricing::meta::PKG_VERSION),
        ("aws-sdk-rds", aws_sdk_rds::meta::PKG_VERSION),
        ("aws-sdk-secretsmanager", aws_sdk_secretsmanager::meta::PKG_VERSION),
        ("aws-sdk-servicequotas", aws_sdk_servicequotas::meta::PKG_VERSION),
        ("aws-sdk-sts", aws_sdk_sts::meta::PKG_VERSION),
    ]
}
