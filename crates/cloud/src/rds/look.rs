//! What a diagnosis looks at, and nothing else does: parameters, events, and what proxies there are.

use std::collections::BTreeMap;

use aws_sdk_rds::types::{Parameter, SourceType};

use super::{Proxy, Rds, plain};
use crate::error::{Answer, refuse};
use crate::pages::capped;

/// How far back events are asked for, in minutes: AWS keeps them for longer, but older ones explain nothing about today
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeEvents.html>).
const DAY: i32 = 24 * 60;

impl Rds {
    /// Reads the parameters of a group that someone set: the others have the engine's default.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn parameters(&self, group: &str, cluster: bool) -> Answer<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        let mut take = |parameters: Option<Vec<Parameter>>| {
            let pair = |parameter: Parameter| Some((parameter.parameter_name?, parameter.parameter_value?));
            found.extend(parameters.unwrap_or_default().into_iter().filter_map(pair));
        };
        if cluster {
            let call = self.client.describe_db_cluster_parameters().db_cluster_parameter_group_name(group);
            let mut pages = capped(call.source("user").into_paginator().send());
            while let Some(page) = pages.next().await {
                take(page.map_err(|error| refuse("rds:DescribeDBClusterParameters", &error))?.parameters);
            }
        } else {
            let call = self.client.describe_db_parameters().db_parameter_group_name(group);
            let mut pages = capped(call.source("user").into_paginator().send());
            while let Some(page) = pages.next().await {
                take(page.map_err(|error| refuse("rds:DescribeDBParameters", &error))?.parameters);
            }
        }
        Ok(found)
    }

    /// Lists the RDS events of a proxy within the last day, oldest first.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn proxy_events(&self, proxy: &str) -> Answer<Vec<String>> {
        let call = self.client.describe_events().source_type(SourceType::DbProxy).source_identifier(proxy);
        let answer = call.duration(DAY).send().await.map_err(|error| refuse("rds:DescribeEvents", &error))?;
        Ok(answer.events.unwrap_or_default().into_iter().filter_map(|event| event.message).collect())
    }

    /// Lists the proxies of the region.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn proxies(&self) -> Answer<Vec<Proxy>> {
        let mut found = Vec::new();
        let mut pages = capped(self.client.describe_db_proxies().into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("rds:DescribeDBProxies", &error))?;
            found.extend(page.db_proxies.unwrap_or_default().into_iter().filter_map(plain::proxy));
        }
        Ok(found)
    }
}
