//! Amazon CloudWatch: metrics, many at a time.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::Client;
use aws_sdk_cloudwatch::config::Builder;
use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
use aws_smithy_async::time::SharedTimeSource;
use aws_smithy_types::DateTime;

use super::calls::Calls;
use super::error::{Answer, Refusal, refuse};
use super::pages::capped;

const CALL: &str = "cloudwatch:GetMetricData";

/// Metrics that one call may ask for
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html>).
const MOST: usize = 500;

/// The CloudWatch client.
#[derive(Debug, Clone)]
pub struct Metrics {
    client: Client,
    calendar: Option<SharedTimeSource>,
}

/// A metric, and how its samples are summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The namespace, `AWS/Lambda`.
    pub namespace: &'static str,
    /// The metric, `ConcurrentExecutions`.
    pub metric: &'static str,
    /// The dimensions.
    pub dimensions: Vec<(&'static str, String)>,
    /// `Maximum`, `Average`, `Sum`.
    pub statistic: &'static str,
    /// The span that each point stands for.
    pub period: Duration,
}

/// The points of a metric, in order of time; none where nothing was ever sent, or nothing in that span.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Series(pub Vec<Point>);

/// A point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// The beginning of its span, in seconds since 1970.
    pub at: i64,
    /// The value.
    pub value: f64,
}

impl Series {
    /// The largest point.
    #[must_use]
    pub fn peak(&self) -> Option<Point> {
        self.0.iter().copied().max_by(|one, other| one.value.total_cmp(&other.value))
    }

    /// The sum of all points; `None` where there is none.
    #[must_use]
    pub fn total(&self) -> Option<f64> {
        (!self.0.is_empty()).then(|| self.0.iter().map(|point| point.value).sum())
    }

    /// The mean of the points; `None` where there is none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a listing has far fewer points than 2^52")]
    pub fn mean(&self) -> Option<f64> {
        self.total().map(|total| total / self.0.len() as f64)
    }
}

impl Metrics {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let calendar = config.time_source();
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config), calendar }
    }

    /// The date as requests carry it, in seconds since 1970.
    #[must_use]
    pub fn now(&self) -> i64 {
        let now = self.calendar.as_ref().map_or_else(SystemTime::now, SharedTimeSource::now);
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    /// Reads metrics between two moments, in seconds since 1970; the series are in the order of the queries.
    ///
    /// # Errors
    /// When AWS refuses, or answers for only a part of the span.
    pub async fn read(&self, queries: &[Query], since: i64, until: i64) -> Answer<Vec<Series>> {
        let mut all = vec![Series::default(); queries.len()];
        for (turn, chunk) in queries.chunks(MOST).enumerate() {
            let first = turn * MOST;
            let wanted = chunk.iter().enumerate().map(|(place, query)| query.of_sdk(first + place)).collect();
            let call = self.client.get_metric_data().set_metric_data_queries(Some(wanted));
            let call = call.start_time(DateTime::from_secs(since)).end_time(DateTime::from_secs(until));
            let mut pages = capped(call.into_paginator().send());
            while let Some(page) = pages.next().await {
                let page = page.map_err(|error| refuse(CALL, &error))?;
                for found in page.metric_data_results.unwrap_or_default() {
                    let place = found.id.as_deref().and_then(|id| id.strip_prefix('m')?.parse::<usize>().ok());
                    let series = place.and_then(|place| all.get_mut(place));
                    let series = series.ok_or_else(|| Refusal::incomplete(CALL, "the metric that a result is of"))?;
                    match found.status_code {
                        Some(StatusCode::Complete | StatusCode::PartialData) => {}
                        _ => return Err(Refusal::incomplete(CALL, "the points of a metric")),
                    }
                    let times = found.timestamps.unwrap_or_default();
                    let values = found.values.unwrap_or_default();
                    if times.len() != values.len() {
                        return Err(Refusal::incomplete(CALL, "the time of a point"));
                    }
                    let points = times.iter().zip(values).map(|(at, value)| Point { at: at.secs(), value });
                    series.0.extend(points.filter(|point| point.value.is_finite()));
                }
            }
        }
        for series in &mut all {
            series.0.sort_by_key(|point| point.at);
        }
        Ok(all)
    }
}

impl Query {
    fn of_sdk(&self, place: usize) -> MetricDataQuery {
        let dimension = |(name, value): &(&str, String)| Dimension::builder().name(*name).value(value).build();
        let metric = Metric::builder()
            .namespace(self.namespace)
            .metric_name(self.metric)
            .set_dimensions(Some(self.dimensions.iter().map(dimension).collect()))
            .build();
        let period = i32::try_from(self.period.as_secs()).unwrap_or(i32::MAX);
        let stat = MetricStat::builder().metric(metric).period(period).stat(self.statistic).build();
        MetricDataQuery::builder().id(format!("m{place}")).metric_stat(stat).return_data(true).build()
    }
}
