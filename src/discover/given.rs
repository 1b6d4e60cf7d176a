//! What an administrator gave: IAM things that are named by flags, checked and never changed.

use super::Problem;
use crate::cloud::sts::Identity;
use crate::spec::{self, Spec, SpecError};

/// Holds the ARNs of flags to the account and partition of the credentials.
///
/// # Errors
/// When one is of another.
pub fn in_this_account(spec: &Spec, who: &Identity) -> Result<(), Problem> {
    let flags = [
        ("--permissions-boundary", &spec.permissions_boundary),
        ("--role-arn", &spec.role_arn),
        ("--connect-policy-arn", &spec.connect_policy_arn),
    ];
    for (flag, arn) in flags {
        if let Some(arn) = arn {
            let unfit = |error: SpecError| Problem::unfit(error.to_string(), [error.mend]);
            spec::foreign(flag, arn, &who.partition, &who.account).map_err(unfit)?;
        }
    }
    Ok(())
}
