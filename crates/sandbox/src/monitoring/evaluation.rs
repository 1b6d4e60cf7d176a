//! The states of alarms.
//!
//! How many points decide, and what counts for those that are missing, is as AWS says it
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html>,
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-missing-data.html>).

use super::alarms::{Alarm, real};
use super::{band, data};
use crate::account::{Call, World};
use crate::input;

/// How long after its creation an alarm is first evaluated.
const FIRST: u64 = 60_000;

/// Points beyond those that an alarm evaluates which CloudWatch reads, in case some are missing. AWS gives the number
/// for one example, an alarm that evaluates three.
const FURTHER: i64 = 2;

/// A state of an alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Ok,
    Alarm,
    InsufficientData,
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Alarm => "ALARM",
            Self::InsufficientData => "INSUFFICIENT_DATA",
        }
    }
}

/// What the points of an evaluation range come to, oldest first: whether each breaches the threshold, none where it is
/// missing. Without an answer the alarm keeps the state that it has.
pub(super) fn judged(range: &[Option<bool>], evaluated: usize, needed: usize, treatment: &str) -> Option<State> {
    let decided = |breaching: usize| if breaching >= needed { State::Alarm } else { State::Ok };
    let there: Vec<bool> = range.iter().flatten().copied().collect();
    if there.is_empty() {
        return match treatment {
            "breaching" => Some(State::Alarm),
            "notBreaching" => Some(State::Ok),
            "ignore" => None,
            _ => Some(State::InsufficientData),
        };
    }
    // Enough of them: how missing ones are treated does not matter.
    let newest = &there[there.len().saturating_sub(evaluated)..];
    let breaching = newest.iter().filter(|breaches| **breaches).count();
    let missing = evaluated - newest.len();
    if missing == 0 || breaching >= needed {
        return Some(decided(breaching));
    }
    match treatment {
        "breaching" => Some(decided(breaching + missing)),
        "notBreaching" => Some(decided(breaching)),
        _ if breaching < newest.len() => Some(State::Ok),
        "ignore" => None,
        // All that are there breach. One that is old enough decides; a new one does not alone.
        _ => {
            let age = range.iter().rev().position(Option::is_some).map(|newest| newest + 1);
            let oldest = range.iter().position(Option::is_some).map(|place| range.len() - place);
            let old_enough = oldest.max(age).is_some_and(|age| age >= needed);
            Some(if old_enough { State::Alarm } else { State::InsufficientData })
        }
    }
}

/// Brings every alarm's state up to now.
pub(super) fn evaluate(world: &mut World, call: &Call) {
    let mut changed = Vec::new();
    for (name, alarm) in &world.monitoring.alarms {
        if call.now.0 < alarm.created.0 + FIRST {
            continue;
        }
        if let Some((state, reason)) = state(world, call, alarm).filter(|(state, _)| *state != alarm.state) {
            changed.push((name.clone(), state, reason));
        }
    }
    for (name, state, reason) in changed {
        if let Some(alarm) = world.monitoring.alarms.get_mut(&name) {
            state.clone_into(&mut alarm.state);
            alarm.reason = reason;
            alarm.since = call.now;
        }
    }
}

/// The state that an alarm's newest points give it; none to keep what it has.
fn state(world: &World, call: &Call, alarm: &Alarm) -> Option<(&'static str, String)> {
    let settings = &alarm.configuration;
    let periods = input::number(settings, "EvaluationPeriods")?;
    let needed = input::number(settings, "DatapointsToAlarm").unwrap_or(periods);
    let (values, period) = data::of_alarm(world, call, settings, periods + FURTHER)?;
    let comparison = input::text(settings, "ComparisonOperator")?;
    let (breaches, threshold) = match input::text(settings, "ThresholdMetricId") {
        None => {
            let threshold = real(settings, "Threshold")?;
            let breaches = values.iter().map(|value| value.map(|value| compared(comparison, value, threshold)));
            (breaches.collect::<Vec<_>>(), threshold.to_string())
        }
        Some(id) => {
            let expected = band::expected(world, call, input::list(settings, "Metrics"), id, period);
            let Some((lower, upper)) = expected else {
                let reason = "Insufficient Data: the anomaly detection model has no data to learn from.".to_owned();
                return Some((State::InsufficientData.name(), reason));
            };
            let outside = |value: f64| match comparison {
                "GreaterThanUpperThreshold" => value > upper,
                "LessThanLowerThreshold" => value < lower,
                _ => value < lower || value > upper,
            };
            (values.iter().map(|value| value.map(outside)).collect(), format!("[{lower}, {upper}]"))
        }
    };
    let treatment = input::text(settings, "TreatMissingData").unwrap_or("missing");
    let whole = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
    let state = judged(&breaches, whole(periods), whole(needed), treatment)?;
    let there = breaches.iter().flatten().count();
    let breaching = breaches.iter().flatten().filter(|breaches| **breaches).count();
    let reason = match state {
        State::InsufficientData => format!("Insufficient Data: {periods} datapoints were unknown."),
        _ => format!(
            "Threshold Crossed: {breaching} of the last {there} datapoints of {period} seconds were beyond the threshold \
             ({threshold})."
        ),
    };
    Some((state.name(), reason))
}

/// Whether a value breaches a threshold.
fn compared(comparison: &str, value: f64, threshold: f64) -> bool {
    match comparison {
        "GreaterThanOrEqualToThreshold" => value >= threshold,
        "GreaterThanThreshold" => value > threshold,
        "LessThanThreshold" => value < threshold,
        _ => value <= threshold,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// AWS's tables, typed from its user guide (awsdocs/amazon-cloudwatch-user-guide,
    /// `doc_source/AlarmThatSendsEmail.md`, commit 05fd32f): `0` is a point within the threshold, `X` one that
    /// breaches it, `-` a missing one, the newest on the right. Then the state where missing data is treated as
    /// missing, ignored, breaching, and not breaching; `=` keeps the state.
    const TABLES: &[(usize, usize, &str, &str)] = &[
        // Three out of three.
        (3, 3, "0 - X - X", "OK OK OK OK"),
        (3, 3, "0 - - - -", "OK OK OK OK"),
        (3, 3, "- - - - -", "? = ALARM OK"),
        (3, 3, "0 X X - X", "ALARM ALARM ALARM ALARM"),
        (3, 3, "- - - - X", "? = ALARM OK"),
        (3, 3, "X - - - -", "ALARM = ALARM OK"),
        // Two out of three.
        (2, 3, "0 - X - X", "ALARM ALARM ALARM ALARM"),
        (2, 3, "0 0 X 0 X", "ALARM ALARM ALARM ALARM"),
        (2, 3, "0 - X - -", "OK OK ALARM OK"),
        (2, 3, "- - - - 0", "OK OK ALARM OK"),
        (2, 3, "- - - - X", "? = ALARM OK"),
        // What the guide says in words: an alarm goes into ALARM "when the oldest available breaching datapoint […] is
        // at least as old as the value of Datapoints to Alarm, and all other more recent data points are
        // breaching or missing".
        (3, 3, "- - X - -", "ALARM = ALARM OK"),
        (3, 3, "- - - X -", "? = ALARM OK"),
        (2, 3, "- - - X -", "ALARM = ALARM OK"),
        (2, 3, "- - X X -", "ALARM ALARM ALARM ALARM"),
        // "If no data points in the evaluation range are missing, CloudWatch evaluates the alarm based on the most
        // recent".
        (3, 3, "X X X X 0", "OK OK OK OK"),
        (3, 3, "0 0 X X X", "ALARM ALARM ALARM ALARM"),
    ];

    #[test]
    fn states_are_those_of_the_tables_of_aws() {
        for (needed, evaluated, points, states) in TABLES {
            let range: Vec<Option<bool>> = points
                .split(' ')
                .map(|point| match point {
                    "X" => Some(true),
                    "0" => Some(false),
                    _ => None,
                })
                .collect();
            for (treatment, state) in ["missing", "ignore", "breaching", "notBreaching"].iter().zip(states.split(' ')) {
                let wanted = match state {
                    "OK" => Some(State::Ok),
                    "ALARM" => Some(State::Alarm),
                    "?" => Some(State::InsufficientData),
                    _ => None,
                };
                let found = judged(&range, *evaluated, *needed, treatment);
                assert_eq!(found, wanted, "{needed} of {evaluated}, {points}, {treatment}");
            }
        }
    }

    /// Without missing points, only the newest count, and how missing data is treated is nothing to them.
    #[test]
    fn where_nothing_is_missing_the_treatment_does_not_matter() {
        for bits in 0_u32..128 {
            let range: Vec<Option<bool>> = (0..7).map(|bit| Some(bits >> bit & 1 == 1)).collect();
            for needed in 1..=5 {
                let newest = range[2..].iter().filter(|point| **point == Some(true)).count();
                let wanted = Some(if newest >= needed { State::Alarm } else { State::Ok });
                for treatment in ["missing", "ignore", "breaching", "notBreaching"] {
                    assert_eq!(judged(&range, 5, needed, treatment), wanted, "{range:?} {needed} {treatment}");
                }
            }
        }
    }
}
