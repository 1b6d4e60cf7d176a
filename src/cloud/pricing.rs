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

/// A price of one unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Price {
    /// The usage type, `EUC1-RDS:ProxyUsage`.
    pub usage: String,
    /// The database engine, where the product names one.
    pub engine: Option<String>,
    /// What is counted, `Hrs`.
    pub unit: String,
    /// Dollars as the list writes them, `0.0150000000`.
    pub dollars: String,
    /// Since when the price holds, as the list writes it.
    pub since: Option<String>,
}

impl Pricing {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let home = HOMES.iter().find(|(prefix, _)| region.starts_with(prefix)).map_or("us-east-1", |(_, home)| home);
        let config = Builder::from(config).region(Region::new(home)).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// The prices on demand of what a service sells: of products whose fields have these values, and one of them a part.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn prices(
        &self,
        service: &str,
        fields: &[(&str, &str)],
        containing: Option<(&str, &str)>,
    ) -> Answer<Vec<Price>> {
        let filter = |kind: FilterType, (field, value): &(&str, &str)| {
            Filter::builder().r#type(kind).field(*field).value(*value).build().ok()
        };
        let exactly = fields.iter().filter_map(|field| filter(FilterType::TermMatch, field));
        let filters = exactly.chain(containing.iter().filter_map(|field| filter(FilterType::Contains, field)));
        let call = self.client.get_products().service_code(service).set_filters(Some(filters.collect()));
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
    let engine = attributes["databaseEngine"].as_str().map(str::to_owned);
    let terms = product["terms"]["OnDemand"].as_object().into_iter().flat_map(|terms| terms.values());
    let dimensions = terms.flat_map(|term| {
        let since = term["effectiveDate"].as_str().map(str::to_owned);
        let dimensions = term["priceDimensions"].as_object().into_iter().flat_map(|all| all.values());
        dimensions.map(move |one| (since.clone(), one))
    });
    let price = |(since, one): (Option<String>, &Value)| {
        let (unit, dollars) = (one["unit"].as_str()?, one["pricePerUnit"]["USD"].as_str()?);
        let (usage, engine) = (usage.to_owned(), engine.clone());
        Some(Price { usage, engine, unit: unit.to_owned(), dollars: dollars.to_owned(), since })
    };
    dimensions.filter_map(price).collect()
}
