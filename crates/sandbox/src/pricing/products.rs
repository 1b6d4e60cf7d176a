//! `GetProducts`.

use serde_json::{Value, json};

use super::{ENGINES, PLACES, invalid};
use crate::account::{AwsError, Call, Outcome, World};
use crate::load::TYPES;
use crate::{input, page};

/// The term of prices on demand, and the rate of what is billed by the hour, which are the same in every price list.
const TERM: &str = "JRTCKXETXF";
const RATE: &str = "6YS6EN2CT7";

pub(super) fn products(world: &World, call: &Call) -> Outcome {
    let service = input::text(&call.input, "ServiceCode").ok_or_else(|| invalid("ServiceCode is required."))?;
    if !["AmazonRDS", "AWSLambda"].contains(&service) {
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
        let mut passes = product["serviceCode"].as_str() == Some(service);
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
        "ServiceCode" => product["attributes"]["servicecode"].as_str(),
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
    PLACES
        .iter()
        .flat_map(|place| [proxies(world, place), instances(world, place), functions(world, place)].concat())
        .collect()
}

/// A Region, its name in the list, and the prefix of its usage types.
type Place = (&'static str, &'static str, &'static str);

/// What a row of the list says.
struct Row<'a> {
    service: &'a str,
    family: &'a str,
    usage: String,
    /// Attributes beside those that all have.
    attributes: Value,
    unit: &'a str,
    what: String,
    /// Where each tier begins, and the price of a unit in it.
    tiers: Vec<(&'a str, f64)>,
}

fn proxies(world: &World, place: &Place) -> Vec<Value> {
    let (region, _, prefix) = place;
    let Some((vcpu, acu)) = world.prices.get(*region) else { return Vec::new() };
    let mut all = Vec::new();
    for (engine, code) in ENGINES {
        let mut row = |usage: &str, dollars: f64, what: String, acu: Option<&str>| {
            let mut attributes = json!({
                "databaseEngine": engine,
                "engineCode": code,
                "operation": format!("CreateDBProxy:{code:0>4}"),
            });
            if let Some(acu) = acu {
                attributes["acu"] = json!(acu);
            }
            let usage = format!("{prefix}-{usage}");
            let tiers = vec![("0", dollars)];
            let row = Row { service: "AmazonRDS", family: "RDSProxy", usage, attributes, unit: "Hrs", what, tiers };
            all.push(product(world, place, &row));
        };
        let what = format!("per hour per vCPU of the RDS {engine} instances associated with an RDS Proxy");
        row("RDS:ProxyUsage", *vcpu, what, None);
        if engine.starts_with("Aurora") {
            let what = format!("per hour per ACU of the {engine} Serverless v2 instances associated with an RDS Proxy");
            row("RDS:Proxy-ASv2-Usage", *acu, what, Some("1"));
        }
    }
    all
}

/// Instances of MySQL. The usage type cuts sizes short, `db.t3.2xl`, and has no prefix in N. Virginia.
fn instances(world: &World, place: &Place) -> Vec<Value> {
    let (region, _, prefix) = place;
    let prefix = if *region == "us-east-1" { String::new() } else { format!("{prefix}-") };
    let mut all = Vec::new();
    for (class, single) in world.instance_prices.get(*region).into_iter().flatten() {
        let Some(kind) = TYPES.iter().find(|kind| Some(kind.name) == class.strip_prefix("db.")) else { continue };
        let short = class.replace("xlarge", "xl");
        for (option, usage, times) in [("Single-AZ", "InstanceUsage", 1.0), ("Multi-AZ", "Multi-AZUsage", 2.0)] {
            let attributes = json!({
                "databaseEngine": "MySQL",
                "engineCode": "2",
                "instanceType": class,
                "vcpu": kind.vcpus.to_string(),
                "memory": format!("{} GiB", kind.memory / 1024),
                "deploymentOption": option,
                "licenseModel": "No license required",
                "operation": "CreateDBInstance:0002",
            });
            let usage = format!("{prefix}{usage}:{short}");
            let what = format!("per RDS {class} {option} instance hour (or partial hour) running MySQL");
            let tiers = vec![("0", single * times)];
            let row =
                Row { service: "AmazonRDS", family: "Database Instance", usage, attributes, unit: "Hrs", what, tiers };
            all.push(product(world, place, &row));
        }
    }
    all
}

/// Functions: requests, and gigabyte-seconds in tiers; the free tier has a product of its own, which costs nothing.
fn functions(world: &World, place: &Place) -> Vec<Value> {
    let (region, _, prefix) = place;
    let Some([request, second, arm]) = world.function_prices.get(*region) else { return Vec::new() };
    let prefix = if *region == "us-east-1" { String::new() } else { format!("{prefix}-") };
    let rows = [
        ("AWS-Lambda-Requests", "Global-Request".to_owned(), "Requests", vec![("0", 0.0)]),
        ("AWS-Lambda-Requests", format!("{prefix}Request"), "Requests", vec![("0", *request)]),
        ("AWS-Lambda-Duration", "Global-Lambda-GB-Second".to_owned(), "Lambda-GB-Second", vec![("0", 0.0)]),
        (
            "AWS-Lambda-Duration",
            format!("{prefix}Lambda-GB-Second"),
            "Lambda-GB-Second",
            vec![("15000000000", second * 0.8), ("0", *second), ("6000000000", second * 0.9)],
        ),
        ("AWS-Lambda-Duration-ARM", format!("{prefix}Lambda-GB-Second-ARM"), "Lambda-GB-Second", vec![("0", *arm)]),
    ];
    let row = |(group, usage, unit, tiers): (&'static str, String, &'static str, Vec<(&'static str, f64)>)| {
        let attributes = json!({ "group": group });
        let what = format!("AWS Lambda - {group}");
        product(world, place, &Row { service: "AWSLambda", family: "Serverless", usage, attributes, unit, what, tiers })
    };
    rows.into_iter().map(row).collect()
}

fn product(world: &World, (region, location, _): &Place, row: &Row<'_>) -> Value {
    let Row { service, family, usage, unit, what, tiers, .. } = row;
    let engine = row.attributes["databaseEngine"].as_str().unwrap_or_default();
    let sku: String = format!("{}{}", world.hash(usage), world.hash(engine)).to_ascii_uppercase();
    let sku: String = sku.chars().skip(1).take(16).collect();
    let term = format!("{sku}.{TERM}");
    let mut attributes = json!({
        "servicecode": service,
        "location": location,
        "locationType": "AWS Region",
        "regionCode": region,
        "usagetype": usage,
    });
    for (name, value) in row.attributes.as_object().into_iter().flatten() {
        attributes[name.as_str()] = value.clone();
    }
    let mut dimensions = serde_json::Map::new();
    for (tier, (begin, dollars)) in tiers.iter().enumerate() {
        // The first is the rate of what has one price.
        let rate = if tier == 0 { format!("{term}.{RATE}") } else { format!("{term}.TIER{tier:06}") };
        let ends = tiers.iter().map(|(begin, _)| *begin).filter(|end| number(end) > number(begin));
        let dimension = json!({
            "unit": unit,
            "beginRange": begin,
            "endRange": ends.min_by_key(|end| number(end)).unwrap_or("Inf"),
            "description": format!("${dollars} {what}"),
            "appliesTo": [],
            "rateCode": rate,
            "pricePerUnit": { "USD": format!("{dollars:.10}") },
        });
        dimensions.insert(rate, dimension);
    }
    json!({
        "product": { "productFamily": family, "attributes": attributes, "sku": sku },
        "serviceCode": service,
        "terms": { "OnDemand": { (term.as_str()): {
            "priceDimensions": dimensions,
            "sku": sku,
            "effectiveDate": "2026-01-01T00:00:00Z",
            "offerTermCode": TERM,
            "termAttributes": {},
        } } },
        "version": "20260101000000",
        "publicationDate": "2026-01-01T00:00:00Z",
    })
}

/// Where a tier begins.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or(u64::MAX)
}
