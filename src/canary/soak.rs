//! The wait after a wave: counted in CloudWatch's data, which comes minutes late, and judged at every look.

use std::time::Duration;

use judge::{Gap, Judgement, Measure, Subject, judge};

use super::Way;
use super::evidence::{Read, Spans};
use super::split::Split;
use crate::catalogue::StepId;
use crate::engine::{Limit, Poll, PollInterval, Row, StepError};

/// Seconds that a point stands for.
const MINUTE: i64 = 60;

/// Watches what has moved until it is judged, or until time is up.
///
/// It ends early with "worse" alone. "Not worse" takes data of the whole soak.
pub(super) async fn watch(way: &Way<'_>, number: usize, of: usize, names: &[String]) -> Result<Judgement, StepError> {
    let (run, soak) = (way.run, way.cut.canary.soak);
    let limit = Limit { name: run.timeouts.canary.name, span: soak + run.timeouts.canary.span };
    let doing = format!("watching the functions at the proxy ({})", names.join(", "));
    let poll = Poll::begin(run, Row::Step(StepId::Repoint), &doing, limit, PollInterval::Metrics);
    let looks = u32::try_from(limit.span.as_secs() / 60 + 2).unwrap_or(u32::MAX);
    let control: Vec<String> = way.walk.left.clone();
    // The first whole minute with nothing of the time before in it.
    let after = way.now().div_euclid(MINUTE) * MINUTE + MINUTE;
    let split: Vec<Split<'_>> = way.split.iter().filter_map(Split::of).collect();
    let spans = Spans { moved: &way.moved, control: &control, split: &split, after };
    let wave = if number == 0 { "what had moved".to_owned() } else { format!("wave {number} of {of}") };
    let mut state = format!("{wave}: no data yet");
    let mut judgement = Judgement::Unknown { gaps: vec![late("CloudWatch shows no data since the change yet")] };
    loop {
        let asked = run.clock.elapsed();
        if !poll.may_rest(run, &state, asked).await? {
            return Ok(unfinished(judgement));
        }
        let read = match run.unless_stopped(way.reader.evidence(&spans, way.now(), looks)).await? {
            Ok(read) => read,
            Err(refusal) if refusal.passes() => {
                judgement =
                    Judgement::Unknown { gaps: vec![late(&format!("CloudWatch could not be read: {refusal}"))] };
                continue;
            }
            Err(refusal) => {
                let gap = Gap { passes: false, ..late(&format!("CloudWatch could not be read: {refusal}")) };
                return Ok(Judgement::Unknown { gaps: vec![gap] });
            }
        };
        let Read { evidence, covered } = read;
        judgement = judge(&evidence);
        let count = |of: fn(&judge::Counts) -> u64| -> u64 {
            evidence.moved.iter().filter_map(|one| one.after.known()).map(of).sum()
        };
        state = format!(
            "{wave}: {} of {} seen, {} invocations, {} errors",
            clock(covered),
            clock(soak),
            count(|one| one.invocations),
            count(|one| one.errors)
        );
        match &judgement {
            Judgement::Worse { .. } => return Ok(judgement),
            Judgement::NotWorse { .. } if covered >= soak => return Ok(judgement),
            Judgement::Unknown { .. } if covered >= soak && !judgement.passes() => return Ok(judgement),
            _ => {}
        }
    }
}

/// What is said when time is up: good so far is not good for as long as was asked.
fn unfinished(judgement: Judgement) -> Judgement {
    match judgement {
        Judgement::NotWorse { .. } => {
            Judgement::Unknown { gaps: vec![late("time was up before CloudWatch showed the whole soak")] }
        }
        other => other,
    }
}

fn late(why: &str) -> Gap {
    Gap { subject: Subject::Proxy, measure: Measure::Invocations, why: why.to_owned(), passes: true }
}

/// A span as people read it.
fn clock(span: Duration) -> String {
    format!("{}:{:02}", span.as_secs() / 60, span.as_secs() % 60)
}
