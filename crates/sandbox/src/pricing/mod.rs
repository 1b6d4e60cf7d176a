//! The Price List: what a proxy costs an hour.
//!
//! The form of a product is that of <https://docs.aws.amazon.com/aws-cost-management/latest/APIReference/API_pricing_GetProducts.html>.
//! Proxies are the product family `RDSProxy`; usage types are those of bills: `USE1-RDS:ProxyUsage`, with a prefix even
//! where others have none, a vCPU an hour for each engine, and `EUW2-RDS:Proxy-ASv2-Usage`, an ACU an hour for
//! Serverless v2. Prices are there only for Regions of which someone has published them: N. Virginia and London.

mod dispatch;
mod needs;
mod products;
mod state;

pub(super) use dispatch::{handle, mutating};
pub(super) use needs::needs;
use state::{ENGINES, PLACES, invalid};
pub(super) use state::{REGIONS, published, published_functions, published_instances};

#[cfg(test)]
mod tests;
