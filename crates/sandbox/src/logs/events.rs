//! Reading the lines of a log group.

use serde_json::{Value, json};

use super::{absent, constraint, invalid, lines};
use crate::account::{AwsError, Call, Moment, Outcome, World};
use crate::input;

/// Events of one page, where the caller asks for no fewer
/// (<https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html>).
const PAGE: i64 = 10_000;

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// `FilterLogEvents`.
pub(super) fn filter(world: &World, call: &Call) -> Outcome {
    let given = |member: &str| input::text(&call.input, member);
    let (name, identifier) = (given("logGroupName"), given("logGroupIdentifier"));
    let name = match (name, identifier) {
        (None, Some(arn)) if arn.starts_with("arn:") => super::tags::named(world, arn).ok_or_else(absent)?,
        (Some(name), None) | (None, Some(name)) => name,
        _ => return Err(invalid("Exactly one of logGroupName and logGroupIdentifier must be given.")),
    };
    let group = world.logs.group(name).ok_or_else(absent)?;
    let limit = input::number(&call.input, "limit").unwrap_or(PAGE);
    if !(1..=PAGE).contains(&limit) {
        let rule = if limit < 1 { "greater than or equal to 1" } else { "less than or equal to 10000" };
        return Err(constraint(&limit.to_string(), "limit", &format!("Member must have value {rule}")));
    }
    let pattern = Pattern::read(given("filterPattern").unwrap_or_default())?;
    // Moments are the caller's, and the account keeps its own.
    let now = call.now.unix_signed();
    let own = |member: &str| input::number(&call.input, member).map(|at| at - call.ahead);
    let kept = group.retention.map_or(i64::MIN, |days| now - days * DAY);
    let since = own("startTime").unwrap_or(now - DAY).max(kept);
    let until = own("endTime").unwrap_or(now).min(now);
    let mut events = lines::of(world, name, since, until, call.ahead);
    events.retain(|event| pattern.fits(&event.line));
    events.sort_by(|one, other| (one.at, &one.line).cmp(&(other.at, &other.line)));
    if input::flag(&call.input, "startFromHead") == Some(false) {
        events.reverse();
    }
    let from: usize = match given("nextToken") {
        Some(token) => token.parse().map_err(|_| invalid("The specified nextToken is invalid."))?,
        None => 0,
    };
    let end = events.len().min(from + usize::try_from(limit).unwrap_or(usize::MAX));
    let shown: Vec<Value> = events
        .get(from..end)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .map(|(place, event)| {
            json!({
                "logStreamName": event.stream,
                "timestamp": event.at + call.ahead,
                "message": event.line,
                "ingestionTime": event.at + call.ahead + 1000,
                "eventId": format!("{:030}{:06}", event.at.max(0), from + place),
            })
        })
        .collect();
    let mut answer = json!({ "events": shown, "searchedLogStreams": [] });
    if end < events.len() {
        answer["nextToken"] = json!(end.to_string());
    }
    Ok(answer)
}

/// A line and when it was written, in milliseconds since 1970 by the account's calendar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) at: i64,
    pub(super) stream: String,
    pub(super) line: String,
}

/// A filter pattern for unstructured lines: terms that all must be there, and terms after `?` of which one must be
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>). Patterns for fields, JSON and regular
/// expressions are not simulated.
struct Pattern {
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

impl Pattern {
    fn read(text: &str) -> Result<Self, AwsError> {
        let mut pattern = Self { all: Vec::new(), any: Vec::new(), none: Vec::new() };
        let mut rest = text.trim();
        if rest.starts_with(['{', '[', '%']) {
            return Err(invalid("Invalid filter pattern: only terms are known here."));
        }
        while !rest.is_empty() {
            let (kind, after) = match rest.strip_prefix('?') {
                Some(after) => ('?', after),
                None => rest.strip_prefix('-').map_or((' ', rest), |after| ('-', after)),
            };
            let (term, after) = if let Some(inside) = after.strip_prefix('"') {
                inside.split_once('"').ok_or_else(|| invalid("Invalid filter pattern: a quote is not closed."))?
            } else {
                let end = after.find(char::is_whitespace).unwrap_or(after.len());
                let (term, after) = after.split_at(end);
                if !term.chars().all(|each| each.is_alphanumeric() || each == '_') {
                    return Err(invalid("Invalid filter pattern: a term with other characters must be quoted."));
                }
                (term, after)
            };
            let into = match kind {
                '?' => &mut pattern.any,
                '-' => &mut pattern.none,
                _ => &mut pattern.all,
            };
            into.push(term.to_owned());
            rest = after.trim_start();
        }
        Ok(pattern)
    }

    fn fits(&self, line: &str) -> bool {
        let has = |term: &String| line.contains(term.as_str());
        self.all.iter().all(has) && (self.any.is_empty() || self.any.iter().any(has)) && !self.none.iter().any(has)
    }
}

/// A moment in milliseconds since 1970, by the account's calendar.
pub(super) fn moment(at: Moment) -> i64 {
    at.unix_signed()
}
