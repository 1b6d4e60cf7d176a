//! The dated table, for where the Price List may not be read.
//!
//! A row has a Region, prices with the date and the source of each, and nothing that no source gives.

use serde::Deserialize;

use super::Prices;
use crate::figure::{Fact, Origin};

/// Why the table is no table.
#[derive(Debug, thiserror::Error)]
#[error("the table of prices is not what it should be: {0}")]
pub struct TableError(#[from] serde_json::Error);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    /// What the table is, for its readers.
    #[serde(rename = "about")]
    _about: String,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    region: String,
    item: Item,
    /// Millionths of a dollar.
    price: u64,
    date: String,
    source: String,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Item {
    VcpuHour,
    AcuHour,
    EndpointZoneHour,
    LogGigabyte,
    MillionRequests,
    MillionGigabyteSeconds,
    MillionGigabyteSecondsArm,
}

/// Returns what the table has for a Region; prices that it has not are unknown.
///
/// # Errors
///
/// The text is not such a table.
pub fn prices_of(table: &str, region: &str) -> Result<Prices, TableError> {
    let table: Table = serde_json::from_str(table)?;
    let price = |item: Item| {
        table.rows.iter().find(|row| row.region == region && row.item == item).map_or_else(
            || Fact::unknown(format!("the table has no such price for {region}")),
            |row| Fact::known(row.price, Origin::AwsTable, format!("{}, {}", row.source, row.date)),
        )
    };
    Ok(Prices {
        vcpu_hour: price(Item::VcpuHour),
        acu_hour: price(Item::AcuHour),
        endpoint_zone_hour: price(Item::EndpointZoneHour),
        log_gigabyte: price(Item::LogGigabyte),
        log_bytes: Fact::known(0, Origin::Assumed, "without debug logging, a proxy logs next to nothing"),
        endpoint_zones: 2,
        million_requests: price(Item::MillionRequests),
        million_gigabyte_seconds: price(Item::MillionGigabyteSeconds),
        million_gigabyte_seconds_arm: price(Item::MillionGigabyteSecondsArm),
    })
}
