//! Quotas.

use super::Said;
use crate::facts::{Facts, Kind};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    match said.action {
        "GetServiceQuota" => said.inner(facts, "Quota", Kind::Quota, "QuotaCode"),
        "GetAWSDefaultServiceQuota" => said.inner(facts, "Quota", Kind::DefaultQuota, "QuotaCode"),
        _ => {}
    }
}
