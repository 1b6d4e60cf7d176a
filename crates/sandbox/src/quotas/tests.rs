//! Laws of quotas: defaults, what is applied, and what is not there.

use serde_json::{Value, json};

use super::state::CONCURRENCY;
use super::*;
use crate::account::{Call, Moment, Principal, Service, World};

fn run(world: &mut World, action: &str, input: Value) -> Result<Value, String> {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let call =
        Call { service: Service::ServiceQuotas, action: action.into(), input, principal, now: Moment(0), ahead: 0 };
    handle(world, &call).map_err(|error| error.code)
}

#[test]
fn a_quota_is_the_default_until_it_is_raised() {
    let mut world = World::empty();
    let proxies = json!({ "ServiceCode": "rds", "QuotaCode": PROXIES });
    let value = |world: &mut World, action: &str, of: &Value| {
        run(world, action, of.clone()).map(|answer| answer["Quota"]["Value"].clone())
    };
    assert_eq!(value(&mut world, "GetServiceQuota", &proxies), Ok(json!(20.0)));
    world.quotas.insert(PROXIES.into(), 45.0);
    assert_eq!(value(&mut world, "GetServiceQuota", &proxies), Ok(json!(45.0)));
    assert_eq!(value(&mut world, "GetAWSDefaultServiceQuota", &proxies), Ok(json!(20.0)));
    world.lambda.concurrency = 10;
    let concurrency = json!({ "ServiceCode": "lambda", "QuotaCode": CONCURRENCY });
    assert_eq!(value(&mut world, "GetServiceQuota", &concurrency), Ok(json!(10.0)));
    for unknown in
        [json!({ "ServiceCode": "rds", "QuotaCode": CONCURRENCY }), json!({ "ServiceCode": "x", "QuotaCode": PROXIES })]
    {
        assert_eq!(run(&mut world, "GetServiceQuota", unknown), Err("NoSuchResourceException".into()));
    }
    assert_eq!(
        run(&mut world, "GetServiceQuota", json!({ "ServiceCode": "rds" })),
        Err("IllegalArgumentException".into())
    );
}

#[test]
fn quotas_of_a_service_are_listed_a_page_at_a_time() {
    let mut world = World::empty();
    let (mut codes, mut next) = (Vec::new(), Value::Null);
    loop {
        let page =
            run(&mut world, "ListServiceQuotas", json!({ "ServiceCode": "rds", "MaxResults": 1, "NextToken": next }))
                .unwrap();
        codes.push(page["Quotas"][0]["QuotaCode"].as_str().unwrap().to_owned());
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
        assert!(next.as_str().unwrap().chars().all(|each| each.is_ascii_alphanumeric() || each == '/'));
    }
    assert_eq!(codes, ["L-7B6409FD", "L-952B80B8", PROXIES]);
    assert_eq!(
        run(&mut world, "ListServiceQuotas", json!({ "ServiceCode": "x" })),
        Err("NoSuchResourceException".into())
    );
}
