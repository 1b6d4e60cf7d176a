//! The Price List: what a thing costs in a Region.

use aws_config::{Region, SdkConfig};
use aws_sdk_pricing::Client;
use aws_sdk_pricing::config::Builder;
use aws_sdk_pricing::types::{Filter, FilterType};
use serde_json::Value;

use super::calls::Calls;
use super::error::{Answer, refuse};
use super::pages::capped;

/// Where the Price List answers
/// (<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/using-price-list-query-api.html>).
const HOMES: [(&str, &str); 3] = [("ap-", "ap-south-1"), ("eu-", "eu-central-1"), ("", "us-east-1")];

/// The Price List client.
#[derive(Debug, Clone)]
pub struct Pricing {
    client: Client,
}

/// Which products a call is about, by one of their fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// The field has this value.
    Is(&'static str, &'a str),
    /// This is a part of it.
    Has(&'static str, &'a str),
    /// It is one of these, between commas.
    AnyOf(&'static str, &'a str),
}

/// A price of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The usage type, `EUC1-RDS:ProxyUsage`. The sizes of instances are cut short in it: `InstanceUsage:db.r5b.16xl`.
    pub usage: String,
    /// The group of like products, `AWS-Lambda-Duration`.
    pub group: Option<String>,
    /// The class, in full, and what it has: vCPUs, and memory in bytes.
    pub instance: Option<Instance>,
    /// The database engine, where the product names one.
    pub engine: Option<String>,
    /// What is counted, `Hrs`.
    pub unit: String,
    /// Dollars as the list writes them, `0.0150000000`.
    pub dollars: String,
    /// Since when the price holds, as the list writes it.
    pub since: Option<String>,
}

/// What the list says of an instance class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// `db.r5b.16xlarge`.
    pub class: String,
    /// Its vCPUs.
    pub vcpus: u64,
    /// Its memory in bytes.
    pub memory: u64,
}

impl Pricing {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let home = HOMES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("us-east-1", |(_, home)| home);
        let config = Builder::from(config).region(Region::new(home)).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// The prices on demand of those products of a service that pass all filters; of a price in tiers, the first one's.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn prices(&self, service: &str, filters: &[Which<'_>]) -> Answer<Vec<Price>> {
        let filter = |which: &Which<'_>| {
            let (kind, field, value) = match *which {
                Which::Is(field, value) => (FilterType::TermMatch, field, value),
                Which::Has(field, value) => (FilterType::Contains, field, value),
                Which::AnyOf(field, value) => (FilterType::AnyOf, field, value),
            };
            Filter::builder().r#type(kind).field(field).value(value).build().ok()
        };
        let filters = filters.iter().filter_map(filter).collect();
        let call = self.client.get_products().service_code(service).set_filters(Some(filters));
        let mut pages = capped(call.into_paginator().send());
        let mut prices = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("pricing:GetProducts", &error))?;
            for text in page.price_list.unwrap_or_default() {
                // What is no product is skipped: a price that is not found is unknown, and never guessed.
                let Ok(product) = serde_json::from_str::<Value>(&text) else { continue };
                prices.extend(of_product(&product));
            }
        }
        Ok(prices)
    }
}

/// The prices of one product
/// (<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html>).
fn of_product(product: &Value) -> Vec<Price> {
    let attributes = &product["product"]["attributes"];
    let Some(usage) = attributes["usagetype"].as_str() else { return Vec::new() };
    let text = |name: &str| attributes[name].as_str().map(str::to_owned);
    let (engine, group, instance) = (text("databaseEngine"), text("group"), instance(attributes));
    let terms = product["terms"]["OnDemand"].as_object().into_iter().flat_map(|terms| terms.values());
    let dimensions = terms.flat_map(|term| {
        let since = term["effectiveDate"].as_str().map(str::to_owned);
        let dimensions = term["priceDimensions"].as_object().into_iter().flat_map(|all| all.values());
        dimensions.map(move |one| (since.clone(), one))
    });
    let price = |(since, one): (Option<String>, &Value)| {
        let (unit, dollars) = (one["unit"].as_str()?, one["pricePerUnit"]["USD"].as_str()?);
        // Further tiers begin at more.
        if one["beginRange"].as_str().is_some_and(|begin| begin != "0") {
            return None;
        }
        let (usage, engine, group, instance) = (usage.to_owned(), engine.clone(), group.clone(), instance.clone());
        Some(Price { usage, group, instance, engine, unit: unit.to_owned(), dollars: dollars.to_owned(), since })
    };
    dimensions.filter_map(price).collect()
}

/// The class that a product is about, with its size, where the list says both.
fn instance(attributes: &Value) -> Option<Instance> {
    let class = attributes["instanceType"].as_str()?.to_owned();
    let vcpus = attributes["vcpu"].as_str()?.parse().ok()?;
    Some(Instance { class, vcpus, memory: memory(attributes["memory"].as_str()?)? })
}

/// `15.25 GiB` and `1,952 GiB` in bytes.
fn memory(text: &str) -> Option<u64> {
    let number = text.strip_suffix("GiB")?.trim().replace(',', "");
    let (whole, part) = number.split_once('.').unwrap_or((&number, ""));
    let thousandths: String = part.chars().chain(std::iter::repeat('0')).take(3).collect();
    let thousandths = whole.parse::<u64>().ok()?.checked_mul(1_000)?.checked_add(thousandths.parse().ok()?)?;
    Some(thousandths.checked_mul(1 << 30)? / 1_000)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{memory, of_product};

    const GIB: u64 = 1 << 30;

    /// The form of a product of a published price list
    /// (<https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html>): the usage type
    /// cuts the size short, `instanceType` does not.
    #[test]
    fn a_class_is_known_by_its_full_name() {
        let product = json!({
            "product": { "productFamily": "Database Instance", "attributes": {
                "databaseEngine": "PostgreSQL", "instanceType": "db.r5b.16xlarge", "deploymentOption": "Single-AZ",
                "usagetype": "InstanceUsage:db.r5b.16xl", "vcpu": "64", "memory": "512 GiB",
            } },
            "terms": { "OnDemand": { "a": { "effectiveDate": "2023-03-01T00:00:00Z", "priceDimensions": {
                "b": { "unit": "Hrs", "beginRange": "0", "endRange": "Inf", "pricePerUnit": { "USD": "9.2480000000" } },
            } } } },
        });
        let prices = of_product(&product);
        let instance = prices[0].instance.clone().unwrap();
        assert_eq!((instance.class.as_str(), instance.vcpus, instance.memory), ("db.r5b.16xlarge", 64, 512 * GIB));
        assert_eq!(prices[0].usage, "InstanceUsage:db.r5b.16xl");
    }

    #[test]
    fn of_a_price_in_tiers_the_first_is_taken() {
        let tier = |begin: &str, dollars: &str| json!({ "unit": "Lambda-GB-Second", "beginRange": begin, "pricePerUnit": { "USD": dollars } });
        let product = json!({
            "product": { "attributes": { "group": "AWS-Lambda-Duration", "usagetype": "Lambda-GB-Second" } },
            "terms": { "OnDemand": { "a": { "priceDimensions": {
                "1": tier("15000000000", "0.0000133334"), "2": tier("0", "0.0000166667"), "3": tier("6000000000", "0.000015"),
            } } } },
        });
        let prices: Vec<_> = of_product(&product).into_iter().map(|price| price.dollars).collect();
        assert_eq!(prices, ["0.0000166667"]);
    }

    #[test]
    fn memory_is_read_to_the_thousandth() {
        for (text, bytes) in [
            ("4 GiB", Some(4 * GIB)),
            ("15.25 GiB", Some(61 * GIB / 4)),
            ("1,952 GiB", Some(1_952 * GIB)),
            ("NA", None),
            ("x GiB", None),
        ] {
            assert_eq!(memory(text), bytes, "{text}");
        }
    }
}
