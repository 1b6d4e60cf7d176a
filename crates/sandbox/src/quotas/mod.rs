//! Service Quotas: what the account may have of each thing.
//!
//! Codes, names and defaults are those of the General Reference (<https://docs.aws.amazon.com/general/latest/gr/rds-service.html#limits_rds>,
//! <https://docs.aws.amazon.com/general/latest/gr/lambda-service.html#limits_lambda>).

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::account::{AwsError, Call, Need, Outcome, World};
use super::{input, page};

/// Proxies of an account and Region.
pub(super) const PROXIES: &str = "L-D94C7EA3";

/// Lambda's concurrent executions.
const CONCURRENCY: &str = "L-B99A9384";

/// A quota: service, its name, code, name, default.
type Row = (&'static str, &'static str, &'static str, &'static str, f64);

const QUOTAS: &[Row] = &[
    ("lambda", "AWS Lambda", CONCURRENCY, "Concurrent executions", 1000.0),
    ("rds", "Amazon Relational Database Service (Amazon RDS)", "L-7B6409FD", "DB instances", 40.0),
    ("rds", "Amazon Relational Database Service (Amazon RDS)", "L-952B80B8", "DB clusters", 40.0),
    ("rds", "Amazon Relational Database Service (Amazon RDS)", PROXIES, "Proxies", 20.0),
];

impl World {
    /// The quota of that code as it is applied to the account.
    pub(super) fn quota(&self, code: &str) -> Option<f64> {
        if code == CONCURRENCY {
            return Some(f64::from(self.lambda.concurrency));
        }
        let default = QUOTAS.iter().find(|(_, _, of, ..)| *of == code).map(|(.., value)| *value)?;
        Some(self.quotas.get(code).copied().unwrap_or(default))
    }
}

/// Acts and answers.
pub(super) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "GetServiceQuota" => {
            let row = named(call)?;
            Ok(json!({ "Quota": shown(world, row, world.quota(row.2).unwrap_or(row.4)) }))
        }
        "GetAWSDefaultServiceQuota" => {
            let row = named(call)?;
            Ok(json!({ "Quota": shown(world, row, row.4) }))
        }
        "ListServiceQuotas" => list(world, call),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(super) fn mutating(_: &str) -> bool {
    false
}

/// The permissions that the call needs.
pub(super) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let service = input::text(&call.input, "ServiceCode").unwrap_or("*");
    let mut context = BTreeMap::new();
    let resource = if action == "GetServiceQuota" {
        context.insert("servicequotas:service".to_owned(), vec![service.to_owned()]);
        let code = input::text(&call.input, "QuotaCode").unwrap_or("*");
        world.arn("servicequotas", &format!("{service}/{code}"))
    } else {
        "*".to_owned()
    };
    vec![Need { action: format!("servicequotas:{action}"), resource, context }]
}

fn list(world: &World, call: &Call) -> Outcome {
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

fn named(call: &Call) -> Result<&'static Row, AwsError> {
    let (service, code) = (required(call, "ServiceCode")?, required(call, "QuotaCode")?);
    QUOTAS.iter().find(|(of, _, own, ..)| *of == service && *own == code).ok_or_else(absent)
}

fn required<'call>(call: &'call Call, member: &str) -> Result<&'call str, AwsError> {
    input::text(&call.input, member).ok_or_else(|| illegal(&format!("{member} is required.")))
}

fn illegal(message: &str) -> AwsError {
    AwsError::new(400, "IllegalArgumentException", message)
}

fn absent() -> AwsError {
    AwsError::new(400, "NoSuchResourceException", "The request failed because the specified quota does not exist.")
}

fn shown(world: &World, (service, title, code, name, _): &Row, value: f64) -> Value {
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

#[cfg(test)]
mod tests;
