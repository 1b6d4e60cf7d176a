//! Limits on concurrency that would make the peak fit, without throttling what was measured.
//!
//! `ScalingConfig.MaximumConcurrency` takes 2 to 1,000 (AWS Lambda API Reference, "ScalingConfig"). Reserved
//! concurrency has to leave 100 executions to functions without one (Developer Guide, "Configuring reserved
//! concurrency").

use super::{Limit, Place};
use crate::demand::{Bound, Demand, FunctionDemand};
use crate::facts::{Facts, Function, Source};
use crate::num::percent_up;

const SQS: std::ops::RangeInclusive<u64> = 2..=1000;
const LEFT_UNRESERVED: u64 = 100;

/// Whether limits would do.
pub(super) enum Outcome {
    /// They would.
    Fit(Vec<Limit>),
    /// They would not: these functions need more than there is.
    DoNotFit(Vec<String>),
    /// It is not known what some functions need; the others need so many connections.
    Unknown {
        /// Connections that the rest needs.
        known: u64,
    },
}

struct Candidate<'a> {
    function: &'a Function,
    demand: &'a FunctionDemand,
    place: Place,
    /// Connections today's configuration allows; nothing where nobody knows.
    now: Option<u64>,
    /// The concurrency that it needs; nothing where nobody knows.
    needs: Option<u64>,
    /// Connections of an environment; nothing where nobody knows.
    each: Option<u64>,
    /// Environments over the limit that is set, and connections over those of environments, in percent.
    overshoot: u64,
    lingering: u64,
    /// Whether no limit is low enough and allowed, so that it keeps what it has today.
    fixed: bool,
    chosen: Option<u64>,
}

impl Candidate<'_> {
    /// Connections at the most, with a limit of so much; the same steps as in `demand`.
    fn connections(&self, concurrency: u64) -> u64 {
        let environments = percent_up(concurrency, self.overshoot);
        percent_up(environments.saturating_mul(self.each.unwrap_or(u64::MAX)), self.lingering)
    }

    /// The largest limit with at most so many connections.
    fn largest(&self, connections: u64, most: u64) -> u64 {
        let (mut fits, mut above) = (0, most.saturating_add(1));
        while above - fits > 1 {
            let middle = fits + (above - fits) / 2;
            if self.connections(middle) <= connections {
                fits = middle;
            } else {
                above = middle;
            }
        }
        fits
    }

    fn needed_connections(&self) -> Option<u64> {
        let needed = self.needs.map(|needs| self.connections(needs));
        if self.fixed {
            return self.now.or(needed);
        }
        // What is bounded below that already is left as it is.
        match (needed, self.now) {
            (Some(needed), Some(now)) => Some(needed.min(now)),
            (needed, _) => needed,
        }
    }

    fn current(&self) -> Option<u64> {
        self.chosen.map(|chosen| self.connections(chosen)).or(self.now)
    }
}

/// Looks for limits within so many connections.
pub(super) fn within(budget: u64, facts: &Facts, demand: &Demand) -> Outcome {
    let mut candidates: Vec<Candidate<'_>> = facts
        .functions
        .iter()
        .zip(&demand.functions)
        .map(|(function, demand)| candidate(function, demand, facts))
        .collect();
    let mut known = 0u64;
    let mut all = true;
    for candidate in &candidates {
        match candidate.needed_connections() {
            Some(connections) => known = known.saturating_add(connections),
            None => all = false,
        }
    }
    if known > budget {
        let functions = candidates
            .iter()
            .filter(|candidate| candidate.needed_connections().is_some_and(|connections| connections > 0))
            .map(|candidate| candidate.function.name.clone());
        return if all { Outcome::DoNotFit(functions.collect()) } else { Outcome::Unknown { known } };
    }
    if !all {
        return Outcome::Unknown { known };
    }
    // What can wait first, then what may grow most beyond its need.
    candidates.sort_by_key(|candidate| {
        let excess = candidate.now.unwrap_or(u64::MAX).saturating_sub(candidate.needed_connections().unwrap_or(0));
        (!candidate.demand.can_wait, std::cmp::Reverse(excess))
    });
    // As few as do are limited, at first to no more than each needs.
    for at in 0..candidates.len() {
        let fits = candidates
            .iter()
            .try_fold(0u64, |sum, candidate| Some(sum.saturating_add(candidate.current()?)))
            .is_some_and(|connections| connections <= budget);
        if fits {
            break;
        }
        let Some(candidate) = candidates.get_mut(at) else { break };
        let Some(needs) = candidate.needs else { continue };
        if !candidate.fixed && candidate.now.is_none_or(|now| now > candidate.connections(needs)) {
            candidate.chosen = Some(needs);
        }
    }
    share(&mut candidates, budget, facts);
    let limits = candidates.into_iter().filter_map(|candidate| {
        Some(Limit { function: candidate.function.name.clone(), place: candidate.place, value: candidate.chosen? })
    });
    Outcome::Fit(limits.collect())
}

/// Gives what is left to those that are limited, by what each needs: a limit at the measured peak would throttle the
/// first invocation beyond it.
fn share(candidates: &mut [Candidate<'_>], budget: u64, facts: &Facts) {
    let sum = |limited: bool| {
        candidates
            .iter()
            .filter(|candidate| candidate.chosen.is_some() == limited)
            .fold(0u64, |sum, candidate| sum.saturating_add(candidate.current().unwrap_or(u64::MAX)))
    };
    let (needed, room) = (sum(true), budget.saturating_sub(sum(false)));
    for candidate in candidates {
        let Some(needs) = candidate.chosen else { continue };
        let own = u128::from(candidate.connections(needs)) * u128::from(room);
        let own = own.checked_div(u128::from(needed)).map_or(room, |own| u64::try_from(own).unwrap_or(u64::MAX));
        let most = most(candidate, facts);
        candidate.chosen = Some(candidate.largest(own, most).max(needs).min(most));
    }
}

fn candidate<'a>(function: &'a Function, demand: &'a FunctionDemand, facts: &Facts) -> Candidate<'a> {
    let assumptions = &facts.assumptions;
    let place = match function.sources.value().map(Vec::as_slice) {
        // Reserved concurrency would throttle a queue's messages into its dead-letter queue.
        Some([mapping]) if demand.can_wait && matches!(mapping.source, Source::Sqs { .. }) => {
            Place::SqsMaximumConcurrency { uuid: mapping.uuid.clone() }
        }
        _ => Place::ReservedConcurrency,
    };
    let mut overshoot = 100;
    let mut needs = if demand.can_wait {
        demand.sustained.amount.high().map(|sustained| percent_up(sustained, assumptions.headroom.percent.max(100)))
    } else {
        function.peak_concurrency.value().copied()
    }
    .map(|needs| needs.max(1));
    if let Place::SqsMaximumConcurrency { .. } = place {
        overshoot = assumptions.sqs_overshoot.percent.max(100);
        needs = needs.map(|needs| needs.max(*SQS.start()));
    }
    needs = needs.zip(function.provisioned.value()).map(|(needs, provisioned)| needs.max(*provisioned));
    let each = function.connections_per_environment.value().copied();
    let mut candidate = Candidate {
        function,
        demand,
        place,
        now: demand.possible.amount.high(),
        needs: if each.is_some() { needs } else { None },
        each,
        overshoot,
        lingering: assumptions.lingering.percent.max(100),
        fixed: false,
        chosen: None,
    };
    candidate.fixed = candidate.needs.is_some_and(|needs| needs > most(&candidate, facts));
    candidate
}

/// The largest value that the place takes.
fn most(candidate: &Candidate<'_>, facts: &Facts) -> u64 {
    match candidate.place {
        Place::SqsMaximumConcurrency { .. } => *SQS.end(),
        Place::ReservedConcurrency => {
            let own = candidate.function.reserved.value().copied().flatten().unwrap_or(0);
            facts.account.unreserved_concurrency.value().map_or(u64::MAX, |unreserved| {
                unreserved.saturating_add(own).saturating_sub(if candidate.demand.bound == Bound::Reserved {
                    0
                } else {
                    LEFT_UNRESERVED
                })
            })
        }
    }
}

impl Limit {
    /// Returns the command of the AWS CLI that sets it, with names as `word` writes them for a shell.
    #[must_use]
    pub fn command(&self, word: impl Fn(&str) -> String) -> String {
        match &self.place {
            Place::ReservedConcurrency => format!(
                "aws lambda put-function-concurrency --function-name {} --reserved-concurrent-executions {}",
                word(&self.function),
                self.value
            ),
            Place::SqsMaximumConcurrency { uuid } => format!(
                "aws lambda update-event-source-mapping --uuid {} --scaling-config MaximumConcurrency={}",
                word(uuid),
                self.value
            ),
        }
    }
}
