//! What things cost: the Price List where it may be read, else a table with dates.

use advice::cost::{Prices, prices_of};
use advice::figure::{Fact, Origin};

use super::base::{Base, SERVERLESS};
use crate::cloud::pricing::Price;
use crate::cloud::{Answer, Cloud};

/// The dated table.
const TABLE: &str = include_str!("../../templates/prices.json");

/// Hours of a month, as AWS's own calculator counts them.
const HOURS: u64 = 730;

/// What a proxy costs in a Region by the dated table.
#[must_use]
pub fn table_prices(region: &str) -> Prices {
    let unknown = |why: &str| Fact::unknown(why.to_owned());
    prices_of(TABLE, region).unwrap_or_else(|error| Prices {
        vcpu_hour: unknown(&error.to_string()),
        acu_hour: unknown(&error.to_string()),
        endpoint_zone_hour: unknown(&error.to_string()),
        log_gigabyte: unknown(&error.to_string()),
        log_gigabytes_per_month: 0,
        endpoint_zones: 0,
        functions_monthly_cents: unknown(&error.to_string()),
    })
}

/// What was read of prices.
pub(super) struct Money {
    /// What the proxy and its parts cost.
    pub(super) prices: Prices,
    instances: Answer<Vec<Price>>,
}

/// Dollars as the Price List writes them, in millionths.
fn millionths(dollars: &str) -> Option<u64> {
    let (whole, part) = dollars.split_once('.').unwrap_or((dollars, ""));
    let digits: String = part.chars().chain(std::iter::repeat('0')).take(6).collect();
    whole.parse::<u64>().ok()?.checked_mul(1_000_000)?.checked_add(digits.parse().ok()?)
}

/// The engine as the Price List names it
/// (<https://docs.aws.amazon.com/awsaccountbilling/latest/aboutv2/reading-service-price-list-file-for-services.html>).
fn engine(name: &str) -> Option<&'static str> {
    Some(match name {
        "mysql" => "MySQL",
        "mariadb" => "MariaDB",
        "postgres" => "PostgreSQL",
        "aurora-mysql" => "Aurora MySQL",
        "aurora-postgresql" => "Aurora PostgreSQL",
        _ => return None,
    })
}

/// A price by the end of its usage type, of this engine where the list names one; what the list does not have is the table's.
fn found(read: &Answer<Vec<Price>>, usage: &str, engine: Option<&str>, table: Fact<u64>) -> Fact<u64> {
    let of_table = |why: String| match table {
        Fact::Unknown { why: missing } => Fact::unknown(format!("{missing}, and {why}")),
        known @ Fact::Known { .. } => known,
    };
    let all = match read {
        Ok(all) => all,
        Err(refusal) => return of_table(refusal.to_string()),
    };
    let of_engine = |price: &&Price| price.engine.is_none() || engine.is_none() || price.engine.as_deref() == engine;
    let mut fitting = all.iter().filter(|price| price.usage.ends_with(usage) && price.unit.starts_with("Hr"));
    let price = fitting.find(of_engine).and_then(|price| Some((millionths(&price.dollars)?, price)));
    match price {
        None => of_table(format!("the Price List has no {usage} for this engine")),
        Some((value, price)) => {
            let since = price.since.as_deref().and_then(|since| since.split('T').next()).unwrap_or("an unknown date");
            Fact::known(value, Origin::AwsTable, format!("AWS Price List, {}, since {since}", price.usage))
        }
    }
}

impl Money {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, base: &Base) -> Self {
        const SERVICE: &str = "AmazonRDS";
        let region = cloud.region.as_str();
        let name = base.instances.first().map(|found| found.engine.as_str()).unwrap_or_default();
        let class = base.instances.first().map(|found| found.class.as_str()).filter(|class| *class != SERVERLESS);
        let here = [("regionCode", region)];
        let proxy = cloud.pricing.prices(SERVICE, &here, Some(("usagetype", ":Proxy")));
        let instances = async {
            match class {
                Some(class) => {
                    cloud.pricing.prices(SERVICE, &[("regionCode", region), ("instanceType", class)], None).await
                }
                None => Ok(Vec::new()),
            }
        };
        let (proxy, instances) = tokio::join!(proxy, instances);
        let engine = engine(name);
        let table = table_prices(region);
        let prices = Prices {
            vcpu_hour: found(&proxy, "RDS:ProxyUsage", engine, table.vcpu_hour.clone()),
            acu_hour: found(&proxy, "RDS:Proxy-ASv2-Usage", engine, table.acu_hour.clone()),
            ..table
        };
        Self { prices, instances }
    }

    /// What the instances cost a month on demand, in cents, without storage.
    pub(super) fn database(&self, base: &Base) -> Fact<u64> {
        if base.serverless() {
            return Fact::unknown("what Serverless v2 costs follows from its capacity, and is not worked out");
        }
        let all = match &self.instances {
            Ok(all) => all,
            Err(refusal) => return Fact::unknown(refusal.to_string()),
        };
        let mut total: u64 = 0;
        for instance in &base.instances {
            let engine = engine(&instance.engine);
            let zones = if instance.multi_az == Some(true) && base.cluster.is_none() {
                "Multi-AZUsage:"
            } else {
                "InstanceUsage:"
            };
            let usage = format!("{zones}{}", instance.class);
            let price = all.iter().find(|price| price.usage.ends_with(&usage) && price.engine.as_deref() == engine);
            let Some(price) = price.and_then(|price| millionths(&price.dollars)) else {
                return Fact::unknown(format!("the Price List has no {usage} for {}", instance.engine));
            };
            // Millionths of a dollar to cents, rounded up.
            total = total.saturating_add(price.saturating_mul(HOURS).div_ceil(10_000));
        }
        Fact::known(total, Origin::AwsTable, "AWS Price List, instances on demand, without storage")
    }
}

#[cfg(test)]
mod tests {
    use super::{millionths, table_prices};

    #[test]
    fn dollars_are_read_to_the_millionth() {
        for (text, value) in
            [("0.0150000000", Some(15_000)), ("1", Some(1_000_000)), ("12.5", Some(12_500_000)), ("x", None)]
        {
            assert_eq!(millionths(text), value, "{text}");
        }
    }

    #[test]
    fn a_region_without_a_row_has_no_price() {
        assert_eq!(table_prices("us-east-1").vcpu_hour.value(), Some(&15_000));
        assert!(table_prices("xx-nowhere-1").vcpu_hour.value().is_none());
    }
}
