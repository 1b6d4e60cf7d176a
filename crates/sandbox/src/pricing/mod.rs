//! The Price List: what a proxy costs an hour.
//!
//! The form of a product is that of <https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html>.
//! Proxies are the product family `RDSProxy`; usage types are those of bills: `USE1-RDS:ProxyUsage`, with a prefix even where others
//! have none, a vCPU an hour for each engine, and `EUW2-RDS:Proxy-ASv2-Usage`, an ACU an hour for Serverless v2. Prices are there
//! only for Regions of which someone has published them: N. Virginia and London.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::account::{AwsError, Call, Need, Outcome, World};
use super::{input, page};

/// Where the Price List answers (<https://docs.aws.amazon.com/general/latest/gr/billing.html>).
pub(super) const REGIONS: &[&str] = &["us-east-1", "eu-central-1", "ap-south-1"];

/// The prices that are published, by Region: dollars for a vCPU and for an ACU, an hour
/// (<https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/AmazonRDS/current/us-east-1/index.json>, SKU `AHVT2C6WP2BB5BXQ`;
/// bills of London).
pub(super) fn published() -> BTreeMap<String, (f64, f64)> {
    BTreeMap::from([("us-east-1".to_owned(), (0.015, 0.015)), ("eu-west-2".to_owned(), (0.017, 0.018))])
}

/// Region, its name in the Price List, the prefix of usage types
/// (<https://docs.aws.amazon.com/general/latest/gr/rande.html>, <https://docs.aws.amazon.com/AmazonS3/latest/userguide/aws-usage-report-understand.html>).
const PLACES: &[(&str, &str, &str)] = &[
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
const ENGINES: &[(&str, &str)] =
    &[("Aurora MySQL", "16"), ("Aurora PostgreSQL", "21"), ("MariaDB", "18"), ("MySQL", "2"), ("PostgreSQL", "14")];

/// The term of prices on demand, and the rate of what is billed by the hour, which are the same in every price list.
const TERM: &str = "JRTCKXETXF";
const RATE: &str = "6YS6EN2CT7";

/// Acts and answers.
pub(super) fn handle(world: &mut World, call: &Call) -> Outcome {
    match call.action.as_str() {
        "GetProducts" => products(world, call),
        action => Err(AwsError::new(400, "UnknownOperationException", format!("Unknown operation {action}"))),
    }
}

/// Whether the operation changes the account.
pub(super) fn mutating(_: &str) -> bool {
    false
}

/// The permissions that the call needs: the Price List has no resource types.
pub(super) fn needs(_: &World, call: &Call) -> Vec<Need> {
    vec![Need { action: format!("pricing:{}", call.action), resource: "*".to_owned(), context: BTreeMap::new() }]
}

fn products(world: &World, call: &Call) -> Outcome {
    let service = input::text(&call.input, "ServiceCode").ok_or_else(|| invalid("ServiceCode is required."))?;
    if service != "AmazonRDS" {
        return Err(AwsError::new(400, "NotFoundException", format!("The service code {service} was not found.")));
    }
    if input::text(&call.input, "FormatVersion").is_some_and(|version| version != "aws_v1") {
        return Err(invalid("The format version is not valid: aws_v1 is the only one."));
    }
    let size = input::number(&call.input, "MaxResults").unwrap_or(100);
    let size = usize::try_from(size).ok().filter(|size| (1..=100).contains(size));
    let size = size.ok_or_else(|| invalid("MaxResults must be between 1 and 100."))?;
    let filters = input::list(&call.input, "Filters");
    if filters.len() > 50 {
        return Err(invalid("There can be at most 50 filters."));
    }
    let mut found = Vec::new();
    for product in all(world) {
        let mut passes = true;
        for filter in filters {
            passes &= fits(&product, filter)?;
        }
        if passes {
            found.push((product["product"]["sku"].as_str().unwrap_or_default().to_owned(), product.to_string()));
        }
    }
    let (rows, next) = page::page(found, input::text(&call.input, "NextToken"), size);
    let mut answer = json!({ "FormatVersion": "aws_v1", "PriceList": rows });
    if let Some(next) = next {
        answer["NextToken"] = json!(next);
    }
    Ok(answer)
}

/// Whether a filter lets a product through; the family counts as an attribute there.
fn fits(product: &Value, filter: &Value) -> Result<bool, AwsError> {
    let part = |name: &str| input::text(filter, name).ok_or_else(|| invalid(&format!("A filter has no {name}.")));
    let (kind, field, value) = (part("Type")?, part("Field")?, part("Value")?);
    let product = &product["product"];
    let held = match field {
        "productFamily" | "sku" => product[field].as_str(),
        "servicecode" | "ServiceCode" => Some("AmazonRDS"),
        other => product["attributes"][other].as_str(),
    };
    let any = |held: &str| value.split(',').any(|each| each.trim().eq_ignore_ascii_case(held));
    Ok(match kind {
        "TERM_MATCH" | "EQUALS" => held.is_some_and(|held| held.eq_ignore_ascii_case(value)),
        "CONTAINS" => held.is_some_and(|held| held.to_ascii_lowercase().contains(&value.to_ascii_lowercase())),
        "ANY_OF" => held.is_some_and(any),
        "NONE_OF" => !held.is_some_and(any),
        other => return Err(invalid(&format!("The filter type {other} is not valid."))),
    })
}

fn all(world: &World) -> Vec<Value> {
    let mut all = Vec::new();
    for (region, (vcpu, acu)) in &world.prices {
        let Some((_, location, prefix)) = PLACES.iter().find(|(of, ..)| of == region) else { continue };
        for (engine, code) in ENGINES {
            let usage = format!("{prefix}-RDS:ProxyUsage");
            let what = format!("per hour per vCPU of the RDS {engine} instances associated with an RDS Proxy");
            all.push(product(world, region, location, &usage, engine, code, *vcpu, &what));
            if engine.starts_with("Aurora") {
                let usage = format!("{prefix}-RDS:Proxy-ASv2-Usage");
                let what =
                    format!("per hour per ACU of the {engine} Serverless v2 instances associated with an RDS Proxy");
                all.push(product(world, region, location, &usage, engine, code, *acu, &what));
            }
        }
    }
    all
}

#[expect(clippy::too_many_arguments, reason = "one for each thing that a row of the list says")]
fn product(
    world: &World,
    region: &str,
    location: &str,
    usage: &str,
    engine: &str,
    code: &str,
    dollars: f64,
    what: &str,
) -> Value {
    let sku: String = format!("{}{}", world.hash(usage), world.hash(engine)).to_ascii_uppercase();
    let sku: String = sku.chars().skip(1).take(16).collect();
    let (term, rate) = (format!("{sku}.{TERM}"), format!("{sku}.{TERM}.{RATE}"));
    let mut attributes = json!({
        "servicecode": "AmazonRDS",
        "servicename": "Amazon Relational Database Service",
        "location": location,
        "locationType": "AWS Region",
        "regionCode": region,
        "databaseEngine": engine,
        "engineCode": code,
        "usagetype": usage,
        "operation": format!("CreateDBProxy:{code:0>4}"),
    });
    if usage.contains("ASv2") {
        attributes["acu"] = json!("1");
    }
    let dimension = json!({
        "unit": "Hrs",
        "beginRange": "0",
        "endRange": "Inf",
        "description": format!("${dollars} {what}"),
        "appliesTo": [],
        "rateCode": rate,
        "pricePerUnit": { "USD": format!("{dollars:.10}") },
    });
    json!({
        "product": { "productFamily": "RDSProxy", "attributes": attributes, "sku": sku },
        "serviceCode": "AmazonRDS",
        "terms": { "OnDemand": { (term.as_str()): {
            "priceDimensions": { (rate.as_str()): dimension },
            "sku": sku,
            "effectiveDate": "2026-01-01T00:00:00Z",
            "offerTermCode": TERM,
            "termAttributes": {},
        } } },
        "version": "20260101000000",
        "publicationDate": "2026-01-01T00:00:00Z",
    })
}

fn invalid(message: &str) -> AwsError {
    AwsError::new(400, "InvalidParameterException", message)
}

#[cfg(test)]
mod tests;
