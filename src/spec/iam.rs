//! Flags that name things of IAM that an administrator created.

use super::{Checked, SpecError, wrong};
use crate::names::last_of_path;

const POLICY: &str = "Give a managed policy's ARN: arn:aws:iam::ACCOUNT:policy/NAME.";
const ROLE: &str = "Give a role's ARN: arn:aws:iam::ACCOUNT:role/NAME.";

/// Reads `--permissions-boundary`.
///
/// # Errors
/// When it is no ARN of a managed policy.
pub fn permissions_boundary(text: &str) -> Checked<String> {
    arn("--permissions-boundary", text, "policy", POLICY)
}

/// Reads `--role-arn`.
///
/// # Errors
/// When it is no ARN of a role.
pub fn role(text: &str) -> Checked<String> {
    arn("--role-arn", text, "role", ROLE)
}

/// Reads `--connect-policy-arn`.
///
/// # Errors
/// When it is no ARN of a managed policy.
pub fn connect_policy(text: &str) -> Checked<String> {
    arn("--connect-policy-arn", text, "policy", POLICY)
}

/// Checks the form of IAM's ARNs: a partition, no region, an account (`aws` for AWS's own policies), and a path
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html>).
fn arn(flag: &'static str, text: &str, kind: &str, form: &str) -> Checked<String> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let ["arn", partition, service, region, account, resource] = parts.as_slice() else {
        return wrong(flag, text, "it is not an ARN", form);
    };
    if *service != "iam" || !region.is_empty() {
        return wrong(flag, text, format!("it is an ARN of {service}, not of IAM"), form);
    }
    if *partition != "aws" && !partition.starts_with("aws-") {
        return wrong(flag, text, format!("there is no partition {partition:?}"), form);
    }
    let digits = account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    let of_aws = kind == "policy" && *account == "aws";
    if !digits && !of_aws {
        return wrong(flag, text, format!("{account:?} is not an account: an account has twelve digits"), form);
    }
    let Some(path) = resource.strip_prefix(kind).and_then(|rest| rest.strip_prefix('/')) else {
        return wrong(flag, text, format!("it does not name a {kind}"), form);
    };
    let name = last_of_path(path);
    let fits = |c: char| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c);
    if name.is_empty() || !name.chars().all(fits) || path.chars().any(|c| !('\u{21}'..='\u{7e}').contains(&c)) {
        return wrong(flag, text, format!("the {kind}'s name has characters that IAM does not allow, or none"), form);
    }
    Ok(text.to_owned())
}

/// What is wrong with an ARN of another account or partition than the caller's.
///
/// # Errors
/// When it is of another one.
pub fn foreign(flag: &'static str, arn: &str, partition: &str, account: &str) -> Result<(), SpecError> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let (theirs, owner) = (parts.get(1).copied().unwrap_or_default(), parts.get(4).copied().unwrap_or_default());
    if theirs != partition {
        return wrong(
            flag,
            arn,
            format!("it is in the partition {theirs}, and these credentials are of {partition}"),
            "Give the ARN of this partition, or use credentials of the other.",
        );
    }
    if owner != account && owner != "aws" {
        return wrong(
            flag,
            arn,
            format!("it is in account {owner}, and these credentials are of account {account}"),
            "It must be in the account of the proxy: create it there, or use credentials of the other account.",
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_arns_of_the_right_kind_pass() {
        assert!(role("arn:aws:iam::123456789012:role/a/b-c").is_ok());
        assert!(connect_policy("arn:aws-cn:iam::123456789012:policy/x").is_ok());
        assert!(permissions_boundary("arn:aws:iam::aws:policy/PowerUserAccess").is_ok());
        for bad in [
            "x",
            "arn:aws:iam::123456789012:user/x",
            "arn:aws:iam::12345678901:role/x",
            "arn:aws:iam::aws:role/x",
            "arn:aws:iam:eu-west-1:123456789012:role/x",
            "arn:aws:rds::123456789012:role/x",
            "arn:other:iam::123456789012:role/x",
            "arn:aws:iam::123456789012:role/",
            "arn:aws:iam::123456789012:role/a b",
            "arn:aws:iam::123456789012:rolex/y",
        ] {
            assert!(role(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn another_account_is_named() {
        let arn = "arn:aws:iam::123456789012:role/x";
        assert!(foreign("--role-arn", arn, "aws", "123456789012").is_ok());
        assert!(foreign("--role-arn", "arn:aws:iam::aws:policy/x", "aws", "123456789012").is_ok());
        let other = foreign("--role-arn", arn, "aws", "210987654321").unwrap_err();
        assert!(other.to_string().contains("account 123456789012") && other.to_string().contains("210987654321"));
        assert!(foreign("--role-arn", arn, "aws-cn", "123456789012").unwrap_err().to_string().contains("aws-cn"));
    }
}
