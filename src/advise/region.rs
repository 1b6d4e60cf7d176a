//! What is read once for a whole Region, however many databases the question is about.

use std::collections::BTreeMap;

use advice::quotas::PROXIES;

use super::money::Lists;
use crate::cloud::lambda::{Concurrency, Function, Mapping, Version};
use crate::cloud::rds::Proxy;
use crate::cloud::{Answer, Cloud};
use crate::discover::{Problem, functions};

/// A Region's functions and proxies, and what limits them all.
pub struct Region {
    /// The functions, or those that were named.
    pub(super) functions: Vec<Function>,
    /// What they have published, where that came along.
    pub(super) versions: Option<BTreeMap<String, Vec<Version>>>,
    /// Every proxy.
    pub(super) proxies: Answer<Vec<Proxy>>,
    /// The account's concurrency.
    pub(super) concurrency: Answer<Concurrency>,
    /// The event source mappings.
    pub(super) mappings: Answer<Vec<Mapping>>,
    /// What AWS publishes of prices.
    pub(super) prices: Lists,
    /// How many proxies there may be; `None` where there are fewer than every account may have.
    pub(super) proxies_quota: Option<Answer<f64>>,
}

impl Region {
    /// Reads it; without names, all functions.
    ///
    /// # Errors
    /// When the functions cannot be listed, or one that was named does not exist.
    pub async fn read(cloud: &Cloud, named: &[String]) -> Result<Self, Problem> {
        let (listed, proxies, concurrency, mappings, prices) = tokio::join!(
            functions::read(cloud, named),
            cloud.rds.proxies(),
            cloud.lambda.concurrency(),
            cloud.lambda.mappings(),
            Lists::read(cloud),
        );
        let (listed, versions) = listed.map_err(Problem::refused("listing the functions"))?;
        if let Some((name, _)) = listed.iter().find(|(_, function)| function.is_none()) {
            return Err(Problem::unfit(
                format!("finding the function ({name}): there is none of this name in {}", cloud.region),
                ["List them with: aws lambda list-functions --query 'Functions[].FunctionName'"],
            ));
        }
        // No account's quota is below AWS's default, so it is asked for where that is reached.
        let reached = proxies.as_ref().is_ok_and(|all| all.len() as u64 >= PROXIES);
        let proxies_quota = if reached { Some(cloud.quotas.proxies().await) } else { None };
        let functions = listed.into_iter().filter_map(|(_, function)| function).collect();
        Ok(Self { functions, versions, proxies, concurrency, mappings, prices, proxies_quota })
    }
}
