//! Dollars a month.
//!
//! RDS Proxy is priced per vCPU-hour of every instance of its target, at least 2 vCPUs, and for Serverless v2 per
//! ACU-hour, at least 8 ACUs (Amazon RDS Proxy pricing). AWS's own calculator counts 730 hours a month.

use serde::{Deserialize, Serialize};

use crate::figure::{Fact, Figure};

/// What things cost in a Region, in millionths of a dollar.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prices {
    /// A vCPU-hour of a proxy.
    pub vcpu_hour: Fact<u64>,
    /// An ACU-hour of a proxy.
    pub acu_hour: Fact<u64>,
    /// An hour of an interface endpoint in one Availability Zone.
    pub endpoint_zone_hour: Fact<u64>,
    /// A gigabyte of logs taken in.
    pub log_gigabyte: Fact<u64>,
    /// Gigabytes of the proxy's logs a month; without debug logging it is next to nothing.
    pub log_gigabytes_per_month: u64,
    /// Availability Zones of each extra endpoint.
    pub endpoint_zones: u64,
    /// What the functions cost a month, in cents.
    pub functions_monthly_cents: Fact<u64>,
}

/// What a proxy costs, beside what else there is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// The proxy a month, in cents.
    pub monthly_cents: Figure,
    /// What it consists of.
    pub lines: Vec<CostLine>,
    /// The database a month, in cents.
    pub database_monthly_cents: Figure,
    /// The functions a month, in cents.
    pub functions_monthly_cents: Figure,
    /// What else would do, and what it costs.
    pub alternatives: Vec<Alternative>,
}

/// A part of the cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CostLine {
    /// What is billed, such as "2 vCPUs of db.t3.medium".
    pub what: String,
    /// Units: vCPUs, ACUs, endpoints in a zone, gigabytes.
    pub units: u64,
    /// The price of a unit's hour (of a gigabyte for logs), in millionths of a dollar.
    pub price: Figure,
    /// A month of it, in cents.
    pub monthly_cents: Figure,
}

/// Another way, and what it costs more a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alternative {
    /// What it is.
    pub way: Way,
    /// What it costs more a month, in cents.
    pub more_monthly_cents: Figure,
}

/// Another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "way", rename_all = "snake_case")]
pub enum Way {
    /// Limits on concurrency.
    LimitConcurrency,
    /// A larger class.
    LargerClass {
        /// The class.
        class: String,
    },
    /// The Data API.
    DataApi,
}
