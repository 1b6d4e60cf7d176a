//! Bands of expected values, for alarms on anomalies.
//!
//! `ANOMALY_DETECTION_BAND(m1, 2)` is a band around what a metric is expected to be, as wide as so many standard
//! deviations. CloudWatch learns from up to two weeks (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Anomaly_Detection.html>),
//! with hours, days and weeks in mind; here it is the mean and the deviation of one minute of each hour. The model
//! comes with the alarm and stays when the alarm goes (terraform-provider-aws#18344, aws-cdk#19956).

use serde_json::Value;

use super::catalogue;
use super::series::{dimensions, find, statistic};
use crate::account::{Call, World};
use crate::input;
use crate::load::{MINUTE, Traffic};

/// Hours that a model learns from.
const HOURS: i64 = 14 * 24;

/// Hours without which there is no model here: AWS names none, and a band of less than a day would know no night.
const LEAST: usize = 24;

/// The metric that a band is around, and its width in standard deviations.
pub(super) fn of<'metrics>(metrics: &'metrics [Value], id: &str) -> Option<(&'metrics Value, f64)> {
    let named = |id: &str| metrics.iter().find(|metric| input::text(metric, "Id") == Some(id));
    let text = input::text(named(id)?, "Expression")?.trim();
    let inside = text.strip_prefix("ANOMALY_DETECTION_BAND(")?.strip_suffix(')')?;
    let (around, width) = match inside.split_once(',') {
        Some((around, width)) => (around.trim(), width.trim().parse().ok()?),
        None => (inside.trim(), 2.0),
    };
    let stat = named(around)?.get("MetricStat").filter(|stat| !stat.is_null())?;
    (width > 0.0).then_some((stat, width))
}

/// What a metric of an alarm is expected to be in a period, at least and at most; none while there is too little to
/// learn from.
pub(super) fn expected(world: &World, call: &Call, metrics: &[Value], id: &str, period: i64) -> Option<(f64, f64)> {
    let (stat, width) = of(metrics, id)?;
    let metric = stat.get("Metric")?;
    let name = input::text(stat, "Stat")?;
    let all = catalogue::all(world);
    let wanted = dimensions(metric, "Dimensions").ok()?;
    let found = find(&all, input::text(metric, "Namespace")?, input::text(metric, "MetricName")?, &wanted)?;
    let lag = i64::try_from(world.profile.metric_lag.as_millis()).unwrap_or(i64::MAX);
    let now = call.now.unix_signed().saturating_sub(lag);
    let past = (1..HOURS).filter_map(|hour| {
        let traffic = Traffic::new(world, now - hour * 60 * MINUTE, 1);
        statistic(name, found.sample(&traffic, 0)?)
    });
    let past: Vec<f64> = past.collect();
    if past.len() < LEAST {
        return None;
    }
    // Sums grow with the period, other statistics do not.
    #[expect(clippy::cast_precision_loss, reason = "minutes of a period")]
    let minutes = if ["Sum", "SampleCount"].contains(&name) { period.max(60) as f64 / 60.0 } else { 1.0 };
    let count = f64::from(u32::try_from(past.len()).unwrap_or(u32::MAX));
    let mean = past.iter().sum::<f64>() / count;
    let deviation = (past.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
    Some(((mean - width * deviation) * minutes, (mean + width * deviation) * minutes))
}
