//! Reading quotas.

use serde_json::{Value, json};

use super::{QUOTAS, Row, absent, illegal};
use crate::account::{AwsError, Call, Outcome, World};
use crate::{input, page};

pub(super) fn list(world: &World, call: &Call) -> Outcome {
    let service = required(call, "ServiceCode")?;
    if !QUOTAS.iter().any(|(of, ..)| *of == service) {
        return Err(absent());
    }
    let size = input::number(&call.input, "MaxResults").unwrap_or(100);
    let size = usize::try_from(size).ok().filter(|size| (1..=100).contains(size));
    let size = size.ok_or_else(|| illegal("MaxResults must be between 1 and 100."))?;
    let code = input::text(&call.input, "QuotaCode");
    let rows = QUOTAS.iter().filter(|(of, _, own, ..)| *of == service && code.is_none_or(|code| code == *own));
    let rows = rows.map(|row| (row.2.to_owned(), shown(world, row, world.quota(row.2).unwrap_or(row.4)))).collect();
    // A token is base64, of which the codes are but for their dash.
    let marker = input::text(&call.input, "NextToken").map(|token| token.replacen('/', "-", 1));
    let (rows, next) = page::page(rows, marker.as_deref(), size);
    let mut answer = json!({ "Quotas": rows });
    if let Some(next) = next {
        answer["NextToken"] = json!(next.replacen('-', "/", 1));
    }
    Ok(answer)
}

pub(super) fn named(call: &Call) -> Result<&'static Row, AwsError> {
    let (service, code) = (required(call, "ServiceCode")?, required(call, "QuotaCode")?);
    QUOTAS.iter().find(|(of, _, own, ..)| *of == service && *own == code).ok_or_else(absent)
}

pub(super) fn required<'call>(call: &'call Call, member: &str) -> Result<&'call str, AwsError> {
    input::text(&call.input, member).ok_or_else(|| illegal(&format!("{member} is required.")))
}

pub(super) fn shown(world: &World, (service, title, code, name, _): &Row, value: f64) -> Value {
    json!({
        "ServiceCode": service,
        "ServiceName": title,
        "QuotaArn": world.arn("servicequotas", &format!("{service}/{code}")),
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": true,
        "GlobalQuota": false,
        "QuotaAppliedAtLevel": "ACCOUNT",
    })
}
