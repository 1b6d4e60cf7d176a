//! What things cost: the Price List where it may be read, else a table with dates.

use advice::cost::{HOURS, Prices, dollars, prices_of};
use advice::facts::LargerClass;
use advice::figure::{Fact, Origin};

use super::base::{Base, SERVERLESS};
use crate::cloud::pricing::{Price, Which};
use crate::cloud::{Answer, Cloud};

/// The dated table.
const TABLE: &str = include_str!("../../templates/prices.json");

/// What the Price List calls the services.
const RDS: &str = "AmazonRDS";
const LAMBDA: &str = "AWSLambda";

/// What a proxy and the functions cost in a Region by the dated table.
#[must_use]
pub fn table_prices(region: &str) -> Prices {
    let unknown = |why: &str| Fact::unknown(why.to_owned());
    prices_of(TABLE, region).unwrap_or_else(|error| Prices {
        vcpu_hour: unknown(&error.to_string()),
        acu_hour: unknown(&error.to_string()),
        endpoint_zone_hour: unknown(&error.to_string()),
        log_gigabyte: unknown(&error.to_string()),
        log_bytes: unknown(&error.to_string()),
        endpoint_zones: 0,
        million_requests: unknown(&error.to_string()),
        million_gigabyte_seconds: unknown(&error.to_string()),
        million_gigabyte_seconds_arm: unknown(&error.to_string()),
    })
}

/// The Price List of a Region, as far as it is the same for all databases.
pub(super) struct Lists {
    /// What proxies cost, for each engine.
    proxies: Answer<Vec<Price>>,
    /// What functions cost.
    functions: Answer<Vec<Price>>,
}

impl Lists {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud) -> Self {
        const GROUPS: &str = "AWS-Lambda-Requests,AWS-Lambda-Duration,AWS-Lambda-Duration-ARM";
        let here = Which::Is("regionCode", &cloud.region);
        let of_proxies = [here, Which::Has("usagetype", ":Proxy")];
        let of_functions = [here, Which::AnyOf("group", GROUPS)];
        let (proxies, functions) =
            tokio::join!(cloud.pricing.prices(RDS, &of_proxies), cloud.pricing.prices(LAMBDA, &of_functions));
        Self { proxies, functions }
    }
}

/// What was read of prices.
pub(super) struct Money {
    /// What the proxy and its parts cost.
    pub(super) prices: Prices,
    /// Of the writer's family and engine, or of Serverless v2.
    instances: Answer<Vec<Price>>,
}

/// Dollars as the Price List writes them, in millionths.
fn millionths(dollars: &str) -> Option<u64> {
    scaled(dollars, 6)
}

/// Dollars as the Price List writes them, moved by so many decimal places; what is beyond is cut off.
fn scaled(dollars: &str, places: usize) -> Option<u64> {
    let (whole, part) = dollars.split_once('.').unwrap_or((dollars, ""));
    let digits: String = part.chars().chain(std::iter::repeat('0')).take(places).collect();
    format!("{whole}{digits}").parse().ok()
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

/// `db.t3.` of `db.t3.medium`.
fn family(class: &str) -> Option<&str> {
    class.rsplit_once('.').filter(|(family, _)| family.contains('.')).map(|(family, _)| &class[..=family.len()])
}

/// The first price that fits, moved by so many decimal places; what the list does not have is the table's.
fn found(
    read: &Answer<Vec<Price>>,
    what: &str,
    places: usize,
    fits: impl Fn(&Price) -> bool,
    table: Fact<u64>,
) -> Fact<u64> {
    let of_table = |why: String| match table {
        Fact::Unknown { why: missing } => Fact::unknown(format!("{missing}, and {why}")),
        known @ Fact::Known { .. } => known,
    };
    let all = match read {
        Ok(all) => all,
        Err(refusal) => return of_table(refusal.to_string()),
    };
    match all.iter().find(|price| fits(price)).and_then(|price| Some((scaled(&price.dollars, places)?, price))) {
        None => of_table(format!("the Price List does not have it ({what})")),
        Some((value, price)) => {
            let since = price.since.as_deref().and_then(|since| since.split('T').next()).unwrap_or("an unknown date");
            Fact::known(value, Origin::AwsTable, format!("AWS Price List, {}, since {since}", price.usage))
        }
    }
}

impl Money {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, base: &Base<'_>) -> Self {
        let writer = base.instances.first();
        let named = writer.and_then(|found| engine(&found.engine));
        let of_engine = |price: &Price| price.engine.is_none() || named.is_none() || price.engine.as_deref() == named;
        let instances = async {
            let (Some(writer), Some(engine)) = (writer, named) else { return Ok(Vec::new()) };
            let which = match family(&writer.class) {
                Some(family) => Which::Has("instanceType", family),
                None if writer.class == SERVERLESS => Which::Has("usagetype", "Aurora:ServerlessV2"),
                None => return Ok(Vec::new()),
            };
            cloud
                .pricing
                .prices(RDS, &[Which::Is("regionCode", &cloud.region), Which::Is("databaseEngine", engine), which])
                .await
        };
        let table = table_prices(&cloud.region);
        let Lists { proxies, functions } = &base.region.prices;
        let proxy = |usage: &'static str, table: &Fact<u64>| {
            let fits = |price: &Price| price.usage.ends_with(usage) && price.unit.starts_with("Hr") && of_engine(price);
            found(proxies, usage, 6, fits, table.clone())
        };
        // The free tier has products of its own, `Global-…`, which cost nothing.
        let lambda = |group: &'static str, table: &Fact<u64>| {
            let fits = |price: &Price| price.group.as_deref() == Some(group) && !price.usage.starts_with("Global-");
            found(functions, group, 12, fits, table.clone())
        };
        let prices = Prices {
            vcpu_hour: proxy("RDS:ProxyUsage", &table.vcpu_hour),
            acu_hour: proxy("RDS:Proxy-ASv2-Usage", &table.acu_hour),
            million_requests: lambda("AWS-Lambda-Requests", &table.million_requests),
            million_gigabyte_seconds: lambda("AWS-Lambda-Duration", &table.million_gigabyte_seconds),
            million_gigabyte_seconds_arm: lambda("AWS-Lambda-Duration-ARM", &table.million_gigabyte_seconds_arm),
            ..table
        };
        Self { prices, instances: instances.await }
    }

    /// The prices of instances as this database pays them, or why there are none: by deployment and storage, which the
    /// usage type says.
    fn rows<'a>(&'a self, base: &'a Base<'_>) -> Result<impl Iterator<Item = &'a Price> + Clone, String> {
        let writer = base.instances.first();
        let engine = writer.map(|found| found.engine.as_str()).unwrap_or_default();
        let multi_az = writer.is_some_and(|found| found.multi_az == Some(true));
        let usage = usage(engine, base.cluster.as_ref().map(|cluster| cluster.io_optimized), multi_az)?;
        let all = self.instances.as_ref().map_err(ToString::to_string)?;
        Ok(all.iter().filter(move |price| price.usage.contains(usage) && price.unit.starts_with("Hr")))
    }

    /// What the instances cost a month on demand, in cents, without storage.
    pub(super) fn database(&self, base: &Base<'_>, average_half_acus: Option<u64>) -> Fact<u64> {
        match self.each(base, average_half_acus) {
            Ok((each, source)) => {
                Fact::known(each.iter().copied().fold(0, u64::saturating_add), Origin::AwsTable, source)
            }
            Err(why) => Fact::unknown(why),
        }
    }

    /// The same for each instance; of Serverless v2, for all of them together.
    fn each(&self, base: &Base<'_>, average_half_acus: Option<u64>) -> Result<(Vec<u64>, &'static str), String> {
        if base.serverless() {
            if base.instances.iter().any(|found| found.class != SERVERLESS) {
                return Err("the cluster has classes beside Serverless v2, which is not worked out".to_owned());
            }
            let cents = self.serverless(base, average_half_acus)?;
            return Ok((vec![cents], "AWS Price List, the average capacity of the period, without storage"));
        }
        let rows = self.rows(base)?;
        let cents = |class: &str| {
            let row = rows.clone().find(|row| row.instance.as_ref().is_some_and(|instance| instance.class == class));
            let price = row.and_then(|row| millionths(&row.dollars));
            price
                .map(|price| month(price, 1))
                .ok_or_else(|| format!("the Price List does not have it ({class} of this engine)"))
        };
        let each = base.instances.iter().map(|found| cents(&found.class)).collect::<Result<_, _>>()?;
        Ok((each, "AWS Price List, instances on demand, without storage"))
    }

    fn serverless(&self, base: &Base<'_>, average_half_acus: Option<u64>) -> Result<u64, String> {
        let halves = average_half_acus.ok_or("the capacity of Serverless v2 was not measured")?;
        let optimized = base.cluster.as_ref().is_some_and(|cluster| cluster.io_optimized);
        let usage = if optimized { "Aurora:ServerlessV2IOOptimizedUsage" } else { "Aurora:ServerlessV2Usage" };
        let all = self.instances.as_ref().map_err(ToString::to_string)?;
        let price = all.iter().find(|price| price.usage.ends_with(usage)).and_then(|price| millionths(&price.dollars));
        let price = price.ok_or_else(|| format!("the Price List does not have it ({usage})"))?;
        Ok(month(price, halves).div_ceil(2))
    }

    /// The classes of the writer's family that have more memory, smallest first, and what all instances would cost
    /// more.
    pub(super) fn larger_classes(&self, base: &Base<'_>) -> Fact<Vec<LargerClass>> {
        let Some(writer) = base.instances.first() else { return Fact::unknown("the database has no instance") };
        let Some(family) = family(&writer.class) else {
            return Fact::known(Vec::new(), Origin::Derived, "Serverless v2 has a larger maximum capacity instead");
        };
        let (today, rows) = match (self.each(base, None), self.rows(base)) {
            (Ok((today, _)), Ok(rows)) => (today, rows),
            (Err(why), _) | (_, Err(why)) => return Fact::unknown(why),
        };
        let sizes: Vec<_> = rows.filter_map(|row| Some((row.instance.as_ref()?, millionths(&row.dollars)?))).collect();
        let Some((own, _)) = sizes.iter().find(|(instance, _)| instance.class == writer.class) else {
            return Fact::unknown(format!("the Price List does not have {}", writer.class));
        };
        let mut larger: Vec<LargerClass> = sizes
            .iter()
            .filter(|(size, _)| size.class.starts_with(family) && size.memory > own.memory)
            .map(|(size, price)| {
                let more =
                    today.iter().map(|cents| month(*price, 1).saturating_sub(*cents)).fold(0, u64::saturating_add);
                LargerClass {
                    class: size.class.clone(),
                    memory_bytes: size.memory,
                    vcpus: size.vcpus,
                    more_monthly_cents: Fact::known(more, Origin::AwsTable, "AWS Price List, all instances on demand"),
                }
            })
            .collect();
        larger.sort_by(|one, other| (one.memory_bytes, &one.class).cmp(&(other.memory_bytes, &other.class)));
        larger.dedup_by(|one, other| one.class == other.class);
        Fact::known(larger, Origin::AwsTable, format!("AWS Price List, the classes {family}*"))
    }

    /// vCPUs and memory of a class, where the list says them.
    pub(super) fn size(&self, class: &str) -> Option<(u64, u64)> {
        let all = self.instances.as_ref().ok()?.iter().filter_map(|price| price.instance.as_ref());
        all.into_iter().find(|instance| instance.class == class).map(|instance| (instance.vcpus, instance.memory))
    }
}

/// What the usage types of instances have before the class, by deployment and storage: `EU-Multi-AZUsage:db.t3.medium`.
/// A cluster is optimized for I/O or not.
fn usage(engine: &str, cluster: Option<bool>, multi_az: bool) -> Result<&'static str, String> {
    match (engine.starts_with("aurora"), cluster) {
        (true, Some(true)) => Ok("InstanceUsageIOOptimized:"),
        (false, Some(_)) => Err("what a Multi-AZ DB cluster costs is not worked out".to_owned()),
        (false, None) if multi_az => Ok("Multi-AZUsage:"),
        (true, _) | (false, None) => Ok("InstanceUsage:"),
    }
}

/// So many of what costs this an hour, in millionths of a dollar: a month of it, in cents.
fn month(price: u64, count: u64) -> u64 {
    cents(price.saturating_mul(count).saturating_mul(HOURS))
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
    use super::{billed_vcpus, family, millionths, monthly, scaled, table_prices, usage};

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
        // A gigabyte-second, as the price of a million of them.
        assert_eq!(scaled("0.0000166667", 12), Some(16_666_700));
    }

    #[test]
    fn deployment_and_storage_have_prices_of_their_own() {
        for (engine, cluster, multi_az, part) in [
            ("mysql", None, false, Some("InstanceUsage:")),
            ("mysql", None, true, Some("Multi-AZUsage:")),
            ("aurora-mysql", Some(false), false, Some("InstanceUsage:")),
            ("aurora-postgresql", Some(true), false, Some("InstanceUsageIOOptimized:")),
            ("postgres", Some(false), true, None),
        ] {
            assert_eq!(usage(engine, cluster, multi_az).ok(), part, "{engine}");
        }
        assert!(!"EU-InstanceUsageIOOptimized:db.r5.large".contains("InstanceUsage:"));
    }

    #[test]
    fn a_class_is_of_the_family_before_its_size() {
        assert_eq!(family("db.t3.medium"), Some("db.t3."));
        assert_eq!(family("db.serverless"), None);
    }

    #[test]
    fn a_region_without_a_row_has_no_price() {
        assert_eq!(table_prices("us-east-1").vcpu_hour.value(), Some(&15_000));
        assert!(table_prices("xx-nowhere-1").vcpu_hour.value().is_none());
    }
}
