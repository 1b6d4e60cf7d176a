//! `GetProducts`.

use serde_json::{Value, json};

use super::{ENGINES, PLACES, invalid};
use crate::account::{AwsError, Call, Outcome, World};
use crate::{input, page};

/// The term of prices on demand, and the rate of what is billed by the hour, which are the same in every price list.
const TERM: &str = "JRTCKXETXF";
const RATE: &str = "6YS6EN2CT7";

pub(super) fn products(world: &World, call: &Call) -> Outcome {
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
pub(super) fn fits(product: &Value, filter: &Value) -> Result<bool, AwsError> {
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

pub(super) fn all(world: &World) -> Vec<Value> {
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
pub(super) fn product(
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
