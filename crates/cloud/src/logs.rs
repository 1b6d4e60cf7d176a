//! Amazon CloudWatch Logs: the group that RDS Proxy writes to.

use std::collections::HashMap;

use aws_config::SdkConfig;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::Builder;

use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};
use super::pages::capped;
use super::tags::Tags;

/// The CloudWatch Logs client.
#[derive(Debug, Clone)]
pub struct Logs {
    client: Client,
}

/// Pages of lines that are read at most, and events of each
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>).
const PAGES: usize = 10;
const EVENTS: i32 = 2_000;

/// Lines of a log group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// The lines, newest first.
    pub lines: Vec<String>,
    /// Whether there are more than were read.
    pub more: bool,
}

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// Its ARN, without the `:*` that stands for its streams; `None` of one that was just created.
    pub arn: Option<String>,
    /// For how many days it keeps events; `None` is for ever.
    pub retention: Option<i32>,
    /// Its tags.
    pub tags: Tags,
}

impl Logs {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Looks at a log group and its tags.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn group(&self, name: &str) -> Answer<Option<LogGroup>> {
        const CALL: &str = "logs:DescribeLogGroups";
        let mut pages = capped(self.client.describe_log_groups().log_group_name_prefix(name).into_paginator().send());
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(CALL, &error))?;
            let found = page.log_groups.unwrap_or_default();
            let Some(found) = found.into_iter().find(|group| group.log_group_name.as_deref() == Some(name)) else {
                continue;
            };
            let arn = found.arn.ok_or_else(|| Refusal::incomplete(CALL, "the log group's ARN"))?;
            let arn = arn.strip_suffix(":*").unwrap_or(&arn).to_owned();
            let tags = match self.tags(&arn).await {
                // It went between the two calls.
                Err(refusal) if refusal.kind == Kind::NotFound => return Ok(None),
                tags => tags?,
            };
            return Ok(Some(LogGroup {
                name: name.to_owned(),
                arn: Some(arn),
                retention: found.retention_in_days,
                tags,
            }));
        }
        Ok(None)
    }

    async fn tags(&self, arn: &str) -> Answer<Tags> {
        let answer = self.client.list_tags_for_resource().resource_arn(arn).send().await;
        let answer = answer.map_err(|error| refuse("logs:ListTagsForResource", &error))?;
        Ok(answer.tags.into_iter().flatten().collect())
    }

    /// Reads the newest lines of a span that match a filter, no more than some pages; none where there is no group. The
    /// moments are in seconds since 1970.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn lines(&self, group: &str, filter: &str, since: i64, until: i64) -> Answer<Option<Lines>> {
        let mut found = Lines::default();
        let mut token: Option<String> = None;
        for _ in 0..PAGES {
            let call = self
                .client
                .filter_log_events()
                .log_group_name(group)
                .filter_pattern(filter)
                .start_time(since * 1000)
                .end_time(until * 1000)
                .limit(EVENTS)
                .start_from_head(false)
                .set_next_token(token.take());
            let page = match call.send().await.map_err(|error| refuse("logs:FilterLogEvents", &error)) {
                Err(refusal) if refusal.kind == Kind::NotFound => return Ok(None),
                page => page?,
            };
            found.lines.extend(page.events.unwrap_or_default().into_iter().filter_map(|event| event.message));
            // A page may be empty though others follow.
            token = page.next_token;
            if token.is_none() {
                return Ok(Some(found));
            }
        }
        found.more = true;
        Ok(Some(found))
    }

    /// Creates a log group.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn create(&self, name: &str, tags: &Tags) -> Answer<()> {
        let tags: HashMap<String, String> = tags.clone().into_iter().collect();
        let call = self.client.create_log_group().log_group_name(name).set_tags(Some(tags)).send().await;
        call.map(drop).map_err(|error| refuse("logs:CreateLogGroup", &error))
    }

    /// Sets for how many days a log group keeps events.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn keep(&self, name: &str, days: i32) -> Answer<()> {
        let call = self.client.put_retention_policy().log_group_name(name).retention_in_days(days).send().await;
        call.map(drop).map_err(|error| refuse("logs:PutRetentionPolicy", &error))
    }

    /// Adds tags to a log group.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tag(&self, arn: &str, tags: &Tags) -> Answer<()> {
        let tags: HashMap<String, String> = tags.clone().into_iter().collect();
        let call = self.client.tag_resource().resource_arn(arn).set_tags(Some(tags)).send().await;
        call.map(drop).map_err(|error| refuse("logs:TagResource", &error))
    }

    /// Deletes a log group, if it is there.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete(&self, name: &str) -> Answer<()> {
        match self.client.delete_log_group().log_group_name(name).send().await {
            Ok(_) => Ok(()),
            Err(error) => match refuse("logs:DeleteLogGroup", &error) {
                refusal if refusal.kind == Kind::NotFound => Ok(()),
                refusal => Err(refusal),
            },
        }
    }
}
