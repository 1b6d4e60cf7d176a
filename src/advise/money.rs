//! What things cost: the Price List where it may be read, else a table with dates.

use advice::cost::{HOURS, Prices, dollars, prices_of};
use advice::figure::{Fact, Origin};

use super::base::{Base, SERVERLESS};
use crate::cloud::pricing::Price;
use crate::cloud::{Answer, Cloud};

/// The dated table.
const TABLE: &str = include_str!("../../templates/prices.json");

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
    pub(super) async fn read(cloud: &Cloud, base: &Base<'_>) -> Self {
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
    pub(super) fn database(&self, base: &Base<'_>) -> Fact<u64> {
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
            total = total.saturating_add(cents(price.saturating_mul(HOURS)));
        }
        Fact::known(total, Origin::AwsTable, "AWS Price List, instances on demand, without storage")
    }
}

/// The vCPUs that a proxy is billed for an instance class: two at least, so that all small classes are the same
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html>); `None` where the name does
/// not say it.
fn billed_vcpus(class: &str) -> Option<u64> {
    let [_, _, size] = class.split('.').collect::<Vec<_>>()[..] else { return None };
    match size {
        "micro" | "small" | "medium" | "large" => Some(2),
        "xlarge" => Some(4),
        size => size.strip_suffix("xlarge")?.parse::<u64>().ok()?.checked_mul(4),
    }
}

/// What a proxy for these classes costs a month, in a line; by the dated table alone, without a call.
#[must_use]
pub fn monthly(region: &str, classes: &[String]) -> String {
    const ADVISE: &str = "rdsproxy-setup advise reads the price";
    let serverless = classes.iter().filter(|class| *class == SERVERLESS).count();
    let vcpus: Option<u64> = classes.iter().filter(|class| *class != SERVERLESS).map(|class| billed_vcpus(class)).sum();
    let prices = table_prices(region);
    if serverless > 0 {
        let least = 8 * HOURS;
        return match prices.acu_hour {
            Fact::Known { value, source, .. } => {
                format!("cost: {} a month at least, for 8 ACUs ({source})", dollars(cents(value.saturating_mul(least))))
            }
            Fact::Unknown { .. } => format!("cost: by ACU-hours, for at least 8 ACUs; {ADVISE}"),
        };
    }
    match (vcpus, prices.vcpu_hour) {
        (Some(vcpus), Fact::Known { value, source, .. }) => {
            let month = dollars(cents(value.saturating_mul(vcpus).saturating_mul(HOURS)));
            format!("cost: {month} a month, for {vcpus} vCPUs ({source})")
        }
        (Some(vcpus), Fact::Unknown { .. }) => format!("cost: by vCPU-hours, for {vcpus} vCPUs; {ADVISE}"),
        (None, _) => format!("cost: by vCPU-hours of {}; {ADVISE}", classes.join(", ")),
    }
}

/// Millionths of a dollar in cents, rounded up.
fn cents(millionths: u64) -> u64 {
    millionths.div_ceil(10_000)
}

#[cfg(test)]
mod tests {
    use super::{billed_vcpus, millionths, monthly, table_prices};

    /// The examples of AWS's price of $0.015: 2 vCPUs, 4, 8, and the floor of 8 ACUs.
    #[test]
    fn a_month_costs_what_aws_s_examples_say() {
        for (class, month) in [
            ("db.t4g.micro", "$21.90"),
            ("db.r5.xlarge", "$43.80"),
            ("db.r6g.2xlarge", "$87.60"),
            ("db.serverless", "$87.60"),
        ] {
            let line = monthly("us-east-1", &[class.to_owned()]);
            assert!(line.contains(month), "{line}");
        }
        assert!(monthly("xx-nowhere-1", &["db.t3.medium".to_owned()]).contains("2 vCPUs; "));
    }

    #[test]
    fn a_class_with_a_name_of_another_form_is_not_guessed() {
        assert_eq!(billed_vcpus("db.m5.24xlarge"), Some(96));
        for class in ["db.r5.large.tpc1.mem2x", "db.x2iedn.metal", "db", "", "db.r5.axlarge"] {
            assert_eq!(billed_vcpus(class), None, "{class}");
        }
    }

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
