//! Reading a metric over a span: rounding, periods, statistics.

use serde_json::Value;

use super::catalogue::Metric;
use super::validation;
use crate::account::{AwsError, Call, World, days};
use crate::input;
use crate::load::{MINUTE, Sample, Traffic};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A span of time by the caller's calendar, in milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// The first moment, rounded.
    pub(super) start: i64,
    /// The first moment after it.
    pub(super) end: i64,
    /// The caller's now.
    now: i64,
    /// How far the caller's calendar is ahead.
    ahead: i64,
}

/// Points of a series, oldest first: when, by the caller's calendar, and the samples.
pub(super) type Points = Vec<(i64, Sample)>;

impl Span {
    /// The span that a call asks for. The start is rounded down to a whole minute, or five, or an hour, by its age
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html>).
    pub(super) fn of(call: &Call) -> Result<Self, AwsError> {
        let (start, end) = (super::moment(&call.input, "StartTime")?, super::moment(&call.input, "EndTime")?);
        if start >= end {
            return Err(validation("The parameter StartTime must be less than the parameter EndTime."));
        }
        let now = call.now.unix_signed() + call.ahead;
        let grain = match now - start {
            age if age <= 15 * DAY => MINUTE,
            age if age <= 63 * DAY => 5 * MINUTE,
            _ => 60 * MINUTE,
        };
        Ok(Self { start: start.div_euclid(grain) * grain, end, now, ahead: call.ahead })
    }

    /// The newest periods of which everything is visible, on the grid of their length.
    pub(super) fn newest(world: &World, call: &Call, period: i64, periods: i64) -> Self {
        let now = call.now.unix_signed() + call.ahead;
        let lag = i64::try_from(world.profile.metric_lag.as_millis()).unwrap_or(i64::MAX);
        let step = period * 1000;
        let end = now.saturating_sub(lag).div_euclid(step) * step;
        Self { start: end - periods * step, end, now, ahead: call.ahead }
    }

    /// Checks a period, in seconds, against the age of the start: older data are kept in coarser grains.
    pub(super) fn period(self, seconds: i64) -> Result<i64, AwsError> {
        let of_seconds = [1, 5, 10, 20, 30].contains(&seconds);
        if seconds < 1 || !(of_seconds || seconds % 60 == 0) {
            let message = "The parameter Period must be 1, 5, 10, 20, 30 or a multiple of 60.";
            return Err(validation(message));
        }
        let (age, least) = match self.now - self.start {
            age if age > 63 * DAY => ("63 days", 3600),
            age if age > 15 * DAY => ("15 days", 300),
            _ => return Ok(seconds),
        };
        if seconds % least != 0 {
            let message =
                format!("The parameter Period must be a multiple of {least} for data that is older than {age}.");
            return Err(validation(message));
        }
        Ok(seconds)
    }

    /// What happened in it, for as far back as anything is known and as far as it is visible yet.
    pub(super) fn traffic(self, world: &World) -> Traffic<'_> {
        let from = self.first(world);
        let minutes = (self.visible(world) - from).div_euclid(MINUTE).max(0);
        Traffic::new(world, from - self.ahead, usize::try_from(minutes).unwrap_or(0))
    }

    /// The first moment of which something can be known, on the grid of minutes that begins with the span.
    fn first(self, world: &World) -> i64 {
        let beginning = world.loads.beginning() + self.ahead;
        let skipped = (beginning - self.start).div_euclid(MINUTE).max(0);
        self.start + skipped * MINUTE
    }

    /// The moment up to which data is visible: new data appears some minutes late.
    fn visible(self, world: &World) -> i64 {
        let lag = i64::try_from(world.profile.metric_lag.as_millis()).unwrap_or(i64::MAX);
        self.end.min(self.now.saturating_sub(lag))
    }

    /// The points of a metric.
    pub(super) fn points(self, metric: &Metric, traffic: &Traffic<'_>, period: i64) -> Points {
        let world = traffic.world();
        let step = period.max(60) * 1000;
        let first = self.first(world);
        let visible = self.visible(world);
        let mut points: Points = Vec::new();
        let mut minute = 0;
        let mut at = first;
        while at + MINUTE <= visible {
            if let Some(sample) = metric.sample(traffic, minute) {
                let bucket = self.start + (at - self.start).div_euclid(step) * step;
                match points.last_mut() {
                    Some((held, samples)) if *held == bucket => *samples = samples.and(sample),
                    _ => points.push((bucket, sample)),
                }
            }
            minute += 1;
            at += MINUTE;
        }
        points
    }
}

/// One number out of samples, by the name of a statistic; none for a name that there is not.
pub(super) fn statistic(name: &str, sample: Sample) -> Option<f64> {
    Some(match name {
        "SampleCount" => sample.count,
        "Sum" => sample.sum,
        "Average" => sample.average(),
        "Minimum" => sample.min,
        "Maximum" => sample.max,
        other => {
            let percent: f64 = other.strip_prefix('p')?.parse().ok()?;
            (0.0..=100.0).contains(&percent).then(|| sample.percentile(percent))?
        }
    })
}

/// Names and values of dimensions, sorted.
pub(super) fn dimensions(input: &Value, member: &str) -> Result<Vec<(String, String)>, AwsError> {
    let mut found = Vec::new();
    for dimension in input::list(input, member) {
        let (Some(name), Some(value)) = (input::text(dimension, "Name"), input::text(dimension, "Value")) else {
            return Err(validation("Each dimension needs a Name and a Value."));
        };
        found.push((name.to_owned(), value.to_owned()));
    }
    if found.len() > 30 {
        return Err(validation("The collection Dimensions must not have a size greater than 30."));
    }
    found.sort();
    Ok(found)
}

/// The metric of exactly those dimensions, in any order.
pub(super) fn find<'all>(
    all: &'all [Metric],
    namespace: &str,
    name: &str,
    wanted: &[(String, String)],
) -> Option<&'all Metric> {
    all.iter().find(|metric| {
        let mut own: Vec<(&str, &str)> =
            metric.dimensions.iter().map(|(name, value)| (*name, value.as_str())).collect();
        own.sort_unstable();
        metric.namespace == namespace
            && metric.name == name
            && own.len() == wanted.len()
            && own.iter().zip(wanted).all(|(own, wanted)| own.0 == wanted.0 && own.1 == wanted.1)
    })
}

/// A moment out of a text, `2026-01-01T00:00:00Z`, with or without a fraction.
pub(super) fn instant(text: &str) -> Option<i64> {
    let number = |from: usize, to: usize| text.get(from..to).and_then(|digits| digits.parse::<i64>().ok());
    let seconds = days(number(0, 4)?, number(5, 7)?, number(8, 10)?) * 86_400
        + number(11, 13)? * 3600
        + number(14, 16)? * 60
        + number(17, 19)?;
    let rest = text.get(19..)?.trim_end_matches('Z').trim_end_matches("+00:00");
    let fraction = match rest.strip_prefix('.') {
        Some(digits) => format!("0.{digits}").parse::<f64>().ok()?,
        None => rest.is_empty().then_some(0.0)?,
    };
    Some(seconds * 1000 + whole(fraction * 1000.0))
}

/// A real number as a whole one.
pub(super) fn whole(real: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "a cast to a whole number goes no further than its ends")]
    let whole = real.round() as i64;
    whole
}
