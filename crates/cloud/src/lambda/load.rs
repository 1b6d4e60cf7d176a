//! What limits how many of a function run at once.

use super::Lambda;
use crate::error::{Answer, Refusal, refuse};
use crate::pages::capped;

/// The account's concurrency in a Region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concurrency {
    /// All of it.
    pub total: u64,
    /// What reserved concurrency leaves for functions without one.
    pub unreserved: u64,
}

/// An event source mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    /// Its identifier.
    pub uuid: String,
    /// The function's ARN, qualifier included.
    pub function: String,
    /// The ARN of what it reads from; a self-managed Kafka has none.
    pub source: Option<String>,
    /// Whether it is on.
    pub enabled: bool,
    /// `ScalingConfig.MaximumConcurrency` of a queue.
    pub maximum_concurrency: Option<u64>,
    /// `ParallelizationFactor` of a stream.
    pub parallelization: Option<u64>,
    /// The Kafka topic that it reads.
    pub topics: Vec<String>,
}

impl Lambda {
    /// The account's concurrency in this Region.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn concurrency(&self) -> Answer<Concurrency> {
        const CALL: &str = "lambda:GetAccountSettings";
        let answer = self.client.get_account_settings().send().await.map_err(|error| refuse(CALL, &error))?;
        let limit = answer.account_limit.ok_or_else(|| Refusal::incomplete(CALL, "the limits"))?;
        let unreserved = limit.unreserved_concurrent_executions.and_then(|count| u64::try_from(count).ok());
        Ok(Concurrency {
            total: u64::try_from(limit.concurrent_executions)
                .map_err(|_| Refusal::incomplete(CALL, "the concurrency"))?,
            unreserved: unreserved.ok_or_else(|| Refusal::incomplete(CALL, "the unreserved concurrency"))?,
        })
    }

    /// A function's reserved concurrency.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn reserved(&self, function: &str) -> Answer<Option<u64>> {
        let call = self.client.get_function_concurrency().function_name(function).send().await;
        let answer = call.map_err(|error| refuse("lambda:GetFunctionConcurrency", &error))?;
        Ok(answer.reserved_concurrent_executions.and_then(|count| u64::try_from(count).ok()))
    }

    /// Lists the event source mappings of the Region.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn mappings(&self) -> Answer<Vec<Mapping>> {
        const CALL: &str = "lambda:ListEventSourceMappings";
        let mut mappings = Vec::new();
        let mut pages = capped(self.client.list_event_source_mappings().into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(CALL, &error))?;
            for found in page.event_source_mappings.unwrap_or_default() {
                let count = |count: Option<i32>| count.and_then(|count| u64::try_from(count).ok());
                mappings.push(Mapping {
                    uuid: found.uuid.ok_or_else(|| Refusal::incomplete(CALL, "a mapping's identifier"))?,
                    function: found.function_arn.ok_or_else(|| Refusal::incomplete(CALL, "a mapping's function"))?,
                    source: found.event_source_arn,
                    enabled: !matches!(found.state.as_deref(), Some("Disabled" | "Disabling" | "Deleting")),
                    maximum_concurrency: count(found.scaling_config.and_then(|scaling| scaling.maximum_concurrency)),
                    parallelization: count(found.parallelization_factor),
                    topics: found.topics.unwrap_or_default(),
                });
            }
        }
        Ok(mappings)
    }
}
