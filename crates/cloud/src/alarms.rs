//! Amazon CloudWatch: alarms and dashboards.

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Builder;
use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, DimensionFilter, Metric, MetricAlarm, MetricDataQuery, MetricStat, Tag,
};
use observe::alarms::{Alarm, NAMESPACE, Of, Part};

use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};
use super::pages::capped;
use super::tags::Tags;

const DESCRIBE: &str = "cloudwatch:DescribeAlarms";

/// Alarms that one call deletes
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_DeleteAlarms.html>).
const MOST: usize = 100;

/// The CloudWatch client, for alarms and dashboards.
#[derive(Debug, Clone)]
pub struct Alarms {
    client: Client,
}

/// An alarm as it is on AWS.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The alarm.
    pub alarm: Alarm,
    /// Its ARN.
    pub arn: String,
    /// `OK`, `ALARM`, `INSUFFICIENT_DATA`.
    pub state: String,
    /// Whether it notifies anyone at all; someone may have silenced it.
    pub enabled: bool,
    /// Whether others are notified when it is over than when it goes off.
    pub uneven: bool,
    /// What is done when data is missing: nothing of this tool's, and so it stays.
    pub without_data: Vec<String>,
}

impl Alarms {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Lists the metric alarms whose names begin with a text, by name.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn beginning_with(&self, prefix: &str) -> Answer<Vec<Found>> {
        let call = self.client.describe_alarms().alarm_name_prefix(prefix).alarm_types(AlarmType::MetricAlarm);
        let mut pages = capped(call.into_paginator().send());
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse(DESCRIBE, &error))?;
            for alarm in page.metric_alarms.unwrap_or_default() {
                found.push(plain(alarm)?);
            }
        }
        found.sort_by(|one, other| one.alarm.name.cmp(&other.alarm.name));
        Ok(found)
    }

    /// Reads an alarm's tags; none of an alarm that is gone.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn tags(&self, arn: &str) -> Answer<Option<Tags>> {
        match self.client.list_tags_for_resource().resource_arn(arn).send().await {
            Ok(answer) => {
                let tags = answer.tags.unwrap_or_default().into_iter();
                Ok(Some(tags.filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()))
            }
            Err(error) => match refuse("cloudwatch:ListTagsForResource", &error) {
                refusal if refusal.kind == Kind::NotFound => Ok(None),
                refusal => Err(refusal),
            },
        }
    }

    /// Creates an alarm with its tags, or changes it; a change leaves tags, silence and what is done without data as
    /// they are.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put(&self, alarm: &Alarm, before: Option<&Found>, tags: &Tags) -> Answer<()> {
        let call = self
            .client
            .put_metric_alarm()
            .alarm_name(&alarm.name)
            .alarm_description(&alarm.description)
            .set_metrics(Some(alarm.parts.iter().map(part_of_sdk).collect()))
            .comparison_operator(ComparisonOperator::from(alarm.comparison.as_str()))
            .set_threshold(alarm.threshold)
            .set_threshold_metric_id(alarm.band.clone())
            .evaluation_periods(alarm.evaluated)
            .datapoints_to_alarm(alarm.needed)
            .treat_missing_data(&alarm.missing)
            .set_alarm_actions(Some(alarm.topics.clone()))
            .set_ok_actions(Some(alarm.topics.clone()));
        // A change replaces the whole alarm, so what is not this tool's to decide is sent as it was.
        let without_data = before.map(|found| found.without_data.clone()).unwrap_or_default();
        let call = call
            .actions_enabled(before.is_none_or(|found| found.enabled))
            .set_insufficient_data_actions(Some(without_data));
        let tag = |(key, value): (&String, &String)| Tag::builder().key(key).value(value).build();
        // Tags count at creation alone.
        let call = if before.is_some() { call } else { call.set_tags(Some(tags.iter().map(tag).collect())) };
        call.send().await.map(drop).map_err(|error| refuse("cloudwatch:PutMetricAlarm", &error))
    }

    /// Deletes alarms. One of them that is gone already keeps AWS from deleting the others.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete(&self, names: &[String]) -> Answer<()> {
        for names in names.chunks(MOST) {
            let call = self.client.delete_alarms().set_alarm_names(Some(names.to_vec())).send().await;
            call.map_err(|error| refuse("cloudwatch:DeleteAlarms", &error))?;
        }
        Ok(())
    }

    /// Lists the values of `TargetRole` in a proxy's metrics.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn roles(&self, proxy: &str) -> Answer<Vec<String>> {
        let filter = DimensionFilter::builder().name("ProxyName").value(proxy).build();
        let call =
            self.client.list_metrics().namespace(NAMESPACE).metric_name("AvailabilityPercentage").dimensions(filter);
        let mut pages = capped(call.into_paginator().send());
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| refuse("cloudwatch:ListMetrics", &error))?;
            let dimensions = page.metrics.unwrap_or_default().into_iter().filter_map(|metric| metric.dimensions);
            let roles = dimensions.flatten().filter(|one| one.name.as_deref() == Some("TargetRole"));
            found.extend(roles.filter_map(|one| one.value));
        }
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Reads a dashboard's body.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn dashboard(&self, name: &str) -> Answer<Option<String>> {
        const CALL: &str = "cloudwatch:GetDashboard";
        match self.client.get_dashboard().dashboard_name(name).send().await {
            Ok(answer) => {
                let body = answer.dashboard_body;
                body.map(Some).ok_or_else(|| Refusal::incomplete(CALL, "the dashboard's body"))
            }
            Err(error) => match refuse(CALL, &error) {
                refusal if refusal.kind == Kind::NotFound => Ok(None),
                refusal => Err(refusal),
            },
        }
    }

    /// Creates a dashboard, or replaces its body.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn put_dashboard(&self, name: &str, body: &str) -> Answer<()> {
        let call = self.client.put_dashboard().dashboard_name(name).dashboard_body(body).send().await;
        call.map(drop).map_err(|error| refuse("cloudwatch:PutDashboard", &error))
    }

    /// Deletes a dashboard, if it is there.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn delete_dashboard(&self, name: &str) -> Answer<()> {
        match self.client.delete_dashboards().dashboard_names(name).send().await {
            Ok(_) => Ok(()),
            Err(error) => match refuse("cloudwatch:DeleteDashboards", &error) {
                refusal if refusal.kind == Kind::NotFound => Ok(()),
                refusal => Err(refusal),
            },
        }
    }
}

fn part_of_sdk(part: &Part) -> MetricDataQuery {
    let query = MetricDataQuery::builder().id(&part.id).return_data(part.shown);
    match &part.of {
        Of::Expression { text, label } => query.expression(text).label(label).build(),
        Of::Metric { namespace, metric, dimensions, period, statistic } => {
            let dimension = |(name, value): &(String, String)| Dimension::builder().name(name).value(value).build();
            let metric = Metric::builder()
                .namespace(namespace)
                .metric_name(metric)
                .set_dimensions(Some(dimensions.iter().map(dimension).collect()))
                .build();
            query.metric_stat(MetricStat::builder().metric(metric).period(*period).stat(statistic).build()).build()
        }
    }
}

fn part_of(query: MetricDataQuery) -> Answer<Part> {
    let missing = |what: &str| Refusal::incomplete(DESCRIBE, what);
    let id = query.id.ok_or_else(|| missing("the id of an alarm's metric"))?;
    let shown = query.return_data.unwrap_or(true);
    let of = match (query.metric_stat, query.expression) {
        (Some(stat), None) => {
            let metric = stat.metric.ok_or_else(|| missing("an alarm's metric"))?;
            let dimensions = metric.dimensions.unwrap_or_default().into_iter();
            let mut dimensions: Vec<(String, String)> =
                dimensions.filter_map(|one| Some((one.name?, one.value?))).collect();
            dimensions.sort();
            Of::Metric {
                namespace: metric.namespace.ok_or_else(|| missing("the namespace of an alarm's metric"))?,
                metric: metric.metric_name.ok_or_else(|| missing("the name of an alarm's metric"))?,
                dimensions,
                period: stat.period.ok_or_else(|| missing("the period of an alarm's metric"))?,
                statistic: stat.stat.ok_or_else(|| missing("the statistic of an alarm's metric"))?,
            }
        }
        (None, Some(text)) => Of::Expression { text, label: query.label.unwrap_or_default() },
        _ => return Err(missing("what an alarm looks at")),
    };
    Ok(Part { id, of, shown })
}

fn plain(found: MetricAlarm) -> Answer<Found> {
    let missing = |what: &str| Refusal::incomplete(DESCRIBE, what);
    let evaluated = found.evaluation_periods.ok_or_else(|| missing("an alarm's evaluation periods"))?;
    let parts: Answer<Vec<Part>> = found.metrics.unwrap_or_default().into_iter().map(part_of).collect();
    let (off, over) = (found.alarm_actions.unwrap_or_default(), found.ok_actions.unwrap_or_default());
    let uneven = off != over;
    let topics = if off.is_empty() { over } else { off };
    let alarm = Alarm {
        name: found.alarm_name.ok_or_else(|| missing("an alarm's name"))?,
        description: found.alarm_description.unwrap_or_default(),
        // One that looks at a metric outside of a list has no parts, and so differs.
        parts: parts?,
        comparison: found.comparison_operator.map(|operator| operator.as_str().to_owned()).unwrap_or_default(),
        threshold: found.threshold,
        band: found.threshold_metric_id,
        evaluated,
        // Without a number of its own, all points must breach.
        needed: found.datapoints_to_alarm.unwrap_or(evaluated),
        missing: found.treat_missing_data.unwrap_or_else(|| "missing".to_owned()),
        topics,
    };
    let state = found.state_value.map(|state| state.as_str().to_owned());
    Ok(Found {
        alarm,
        arn: found.alarm_arn.ok_or_else(|| missing("an alarm's ARN"))?,
        state: state.ok_or_else(|| missing("an alarm's state"))?,
        enabled: found.actions_enabled.unwrap_or(true),
        uneven,
        without_data: found.insufficient_data_actions.unwrap_or_default(),
    })
}
