//! Laws of the Price List: filters, pages, and the form of a product.

use serde_json::{Value, json};

use super::*;
use crate::account::{Call, Moment, Principal, Reply, Request, Service, World};

fn run(world: &mut World, input: Value) -> Result<Vec<Value>, String> {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let action = "GetProducts".into();
    let call = Call { service: Service::Pricing, action, input, principal, now: Moment(0), ahead: 0 };
    let answer = handle(world, &call).map_err(|error| error.code)?;
    Ok(answer["PriceList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|text| serde_json::from_str(text.as_str().unwrap()).unwrap())
        .collect())
}

fn filtered(filters: &[(&str, &str, &str)]) -> Value {
    let filters: Vec<Value> =
        filters.iter().map(|(kind, field, value)| json!({ "Type": kind, "Field": field, "Value": value })).collect();
    json!({ "ServiceCode": "AmazonRDS", "Filters": filters })
}

/// The one price of a product, as the form of the list has it.
fn price(product: &Value) -> &str {
    let term = product["terms"]["OnDemand"].as_object().unwrap().values().next().unwrap();
    let dimension = term["priceDimensions"].as_object().unwrap().values().next().unwrap();
    dimension["pricePerUnit"]["USD"].as_str().unwrap()
}

#[test]
fn a_proxys_price_is_found_by_region_family_and_engine_and_never_by_the_bare_usage_type() {
    let mut world = World::empty();
    let of = |region: &str, usage: &str| {
        filtered(&[
            ("TERM_MATCH", "regionCode", region),
            ("TERM_MATCH", "productFamily", "RDSProxy"),
            ("CONTAINS", "usagetype", usage),
        ])
    };
    let found = run(&mut world, of("us-east-1", "RDS:ProxyUsage")).unwrap();
    assert_eq!(found.len(), 5, "one for each engine");
    assert!(found.iter().all(|product| price(product) == "0.0150000000"
        && product["product"]["attributes"]["usagetype"] == "USE1-RDS:ProxyUsage"));
    let london = run(&mut world, of("eu-west-2", "Proxy-ASv2-Usage")).unwrap();
    assert!(!london.is_empty() && london.iter().all(|product| price(product) == "0.0180000000"));
    assert_eq!(run(&mut world, filtered(&[("TERM_MATCH", "usagetype", "RDS:ProxyUsage")])), Ok(Vec::new()));
    assert_eq!(run(&mut world, of("eu-central-1", "RDS:ProxyUsage")), Ok(Vec::new()), "nobody has published it");
    world.prices.insert("eu-central-1".into(), (0.5, 0.5));
    let mysql = filtered(&[
        ("EQUALS", "location", "EU (Frankfurt)"),
        ("ANY_OF", "databaseEngine", "Oracle,MySQL"),
        ("NONE_OF", "engineCode", "14"),
    ]);
    let found = run(&mut world, mysql).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["product"]["attributes"]["operation"], "CreateDBProxy:0002");
}

/// A usage type cuts the size short; `instanceType` does not. The free tier is a product without a price, and tiers
/// come in no order.
#[test]
fn instances_and_functions_have_the_form_of_the_published_list() {
    let mut world = World::empty();
    let of = |option: &str| {
        filtered(&[
            ("TERM_MATCH", "regionCode", "us-east-1"),
            ("CONTAINS", "instanceType", "db.t3."),
            ("TERM_MATCH", "deploymentOption", option),
        ])
    };
    let single = run(&mut world, of("Single-AZ")).unwrap();
    let large = single.iter().find(|row| row["product"]["attributes"]["instanceType"] == "db.t3.2xlarge").unwrap();
    assert_eq!(large["product"]["attributes"]["usagetype"], "InstanceUsage:db.t3.2xl");
    assert_eq!((price(large), large["product"]["attributes"]["memory"].as_str()), ("0.5440000000", Some("32 GiB")));
    let both = run(&mut world, of("Multi-AZ")).unwrap();
    assert!(
        both.iter().any(|row| row["product"]["attributes"]["usagetype"] == "Multi-AZUsage:db.t3.medium"
            && price(row) == "0.1360000000")
    );

    let groups = [("ANY_OF", "group", "AWS-Lambda-Requests,AWS-Lambda-Duration")];
    let mut functions = filtered(&groups);
    functions["ServiceCode"] = json!("AWSLambda");
    let functions = run(&mut world, functions).unwrap();
    let usages: Vec<_> =
        functions.iter().map(|row| row["product"]["attributes"]["usagetype"].as_str().unwrap()).collect();
    assert_eq!(functions.len(), 4, "{usages:?}");
    let seconds = functions.iter().find(|row| row["product"]["attributes"]["usagetype"] == "Lambda-GB-Second").unwrap();
    let term = seconds["terms"]["OnDemand"].as_object().unwrap().values().next().unwrap();
    let mut tiers: Vec<_> = term["priceDimensions"]
        .as_object()
        .unwrap()
        .values()
        .map(|tier| (tier["beginRange"].as_str().unwrap(), tier["endRange"].as_str().unwrap()))
        .collect();
    tiers.sort_unstable();
    assert_eq!(tiers, [("0", "6000000000"), ("15000000000", "Inf"), ("6000000000", "15000000000")]);
}

#[test]
fn what_is_not_there_or_not_valid_is_refused() {
    let mut world = World::empty();
    for (input, code) in [
        (json!({ "ServiceCode": "AmazonNothing" }), "NotFoundException"),
        (json!({}), "InvalidParameterException"),
        (json!({ "ServiceCode": "AmazonRDS", "MaxResults": 101 }), "InvalidParameterException"),
        (json!({ "ServiceCode": "AmazonRDS", "FormatVersion": "aws_v2" }), "InvalidParameterException"),
        (filtered(&[("LIKE", "usagetype", "x")]), "InvalidParameterException"),
    ] {
        assert_eq!(run(&mut world, input), Err(code.into()));
    }
    let whole = run(&mut world, json!({ "ServiceCode": "AmazonRDS" })).unwrap().len();
    assert_eq!(run(&mut world, json!({ "ServiceCode": "AmazonRDS", "MaxResults": 3 })).map(|page| page.len()), Ok(3));
    // Seven of proxies in each of two Regions, and six classes in one zone and in two.
    assert_eq!(whole, 26);
}

#[test]
fn it_answers_in_a_few_regions_for_all() {
    let mut world = World::empty();
    for (region, status) in [("us-east-1", 200), ("eu-central-1", 200), ("ap-south-1", 200), ("eu-west-2", 403)] {
        let scope = format!(
            "AWS4-HMAC-SHA256 Credential=AKIA/20260101/{region}/pricing/aws4_request, SignedHeaders=host, Signature=0"
        );
        let headers = [("authorization", scope.as_str()), ("x-amz-target", "AWSPriceListService.GetProducts")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        let body = br#"{"ServiceCode":"AmazonRDS"}"#.to_vec();
        let request = Request { method: "POST".into(), target: "/".into(), headers, body };
        let Reply::Answer(response) = world.handle(Moment(0), &request).reply else { panic!("no answer") };
        assert_eq!(response.status, status, "{region}");
    }
}
