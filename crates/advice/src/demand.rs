//! How many connections the functions ask for: at the peak that was measured, and at the peak that is possible.
//!
//! One environment serves one invocation at a time and keeps its connections between invocations (AWS Lambda Developer
//! Guide, "Understanding Lambda function scaling" and "Understanding the Lambda execution environment lifecycle"), so
//! connections follow environments. What bounds environments: reserved concurrency; an SQS event source's
//! `MaximumConcurrency` (Developer Guide, "Configuring scaling behavior for SQS event source mappings"); a stream's
//! shards times its `ParallelizationFactor`; a Kafka topic's partitions, since one consumer reads each; else the
//! account's concurrency.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::facts::{Assumptions, EventSource, Facts, Function, Source};
use crate::figure::{Amount, Fact, Figure, Gap, Origin, Room};
use crate::num::{percent_up, ratio_up};

/// What the functions ask for together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Demand {
    /// Each function, in the order of the facts.
    pub functions: Vec<FunctionDemand>,
    /// Connections at the measured peaks.
    pub expected: Figure,
    /// Connections at the peaks that the configuration allows.
    pub possible: Figure,
    /// Environments at the concurrency that the configuration and the account allow.
    pub environments: Figure,
    /// New environments in the busiest second.
    pub cold_starts_per_second: Figure,
}

/// What one function asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FunctionDemand {
    /// The function.
    pub function: String,
    /// Environments at the measured peak.
    pub expected_environments: Figure,
    /// Environments that the configuration allows.
    pub possible_environments: Figure,
    /// What keeps them from being more.
    pub bound: Bound,
    /// Connections of one environment.
    pub connections_per_environment: Figure,
    /// Connections at the measured peak.
    pub expected: Figure,
    /// Connections at the peak that the configuration allows.
    pub possible: Figure,
    /// Whether work can wait: only queues and streams invoke it.
    pub can_wait: bool,
    /// Concurrency that the busiest hour needs, without which a queue grows.
    pub sustained: Figure,
    /// Throttles of the busiest minute.
    pub throttles_per_minute: Figure,
    /// Errors of the worst minute.
    pub errors_per_minute: Figure,
}

/// What bounds a function's environments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Its reserved concurrency.
    Reserved,
    /// The limits of its event sources, with what a flag or a state machine states for its other invokers.
    Sources,
    /// The account's concurrency.
    Account,
    /// Nothing that could be read.
    Unknown,
}

/// Lambda adds at most 1,000 environments to a function in ten seconds (Developer Guide, "Lambda scaling behavior").
const SCALING_RATE: u64 = 1000;

/// Works out what the functions ask for.
pub(crate) fn of(facts: &Facts) -> (Demand, Vec<Gap>) {
    let mut gaps = Vec::new();
    let functions: Vec<FunctionDemand> =
        facts.functions.iter().map(|function| of_function(function, facts, &mut gaps)).collect();
    let sum = |part: fn(&FunctionDemand) -> &Figure| {
        functions.iter().map(|function| part(function).amount).reduce(Amount::plus).unwrap_or(Amount::exactly(0))
    };
    let expected = Figure::new(
        sum(|function| &function.expected),
        Origin::Derived,
        format!(
            "connections of all functions at their measured peaks; up to {}%: {}",
            facts.assumptions.lingering.percent.max(100),
            facts.assumptions.lingering.source
        ),
    );
    let mut possible = sum(|function| &function.possible);
    if let (Some(account), Some(most)) = (facts.account.concurrency.value(), most_connections(facts)) {
        possible = possible.capped(percent_up(account.saturating_mul(most), facts.assumptions.lingering.percent));
    }
    let possible = Figure::new(
        possible,
        Origin::Derived,
        "connections of all functions at the concurrency that their configuration and the account allow",
    );
    let cold_starts_per_second = cold_starts(facts, &functions, &mut gaps);
    let mut environments = sum(|function| &function.possible_environments);
    if let Some(account) = facts.account.concurrency.value() {
        environments = environments.capped(*account);
    }
    let environments =
        Figure::new(environments, Origin::Derived, "environments of all functions, within the account's");
    (Demand { functions, expected, possible, environments, cold_starts_per_second }, gaps)
}

/// The most connections of an environment, which with the account's concurrency bounds all of them. Functions with
/// provisioned concurrency have environments that run nothing, and no such bound.
fn most_connections(facts: &Facts) -> Option<u64> {
    let mut most = 0;
    for function in &facts.functions {
        if function.provisioned.value() != Some(&0) {
            return None;
        }
        most = most.max(*function.connections_per_environment.value()?);
    }
    Some(most)
}

fn of_function(function: &Function, facts: &Facts, gaps: &mut Vec<Gap>) -> FunctionDemand {
    let name = &function.name;
    for (what, why) in unknowns(function) {
        gaps.push(Gap::new(Room::Demand, format!("{what} of function {name}"), why));
    }
    let provisioned = function.provisioned.value().copied();
    let shared = |environments: Amount| match function.per_environment {
        // Invocations that share an environment fill it or do not.
        Some(many) if many > 1 => {
            Amount::of_ends(environments.low().map(|low| ratio_up(low, 1, many)), environments.high())
        }
        _ => environments,
    };
    let with_provisioned = |environments: Amount| match provisioned {
        Some(provisioned) => Amount::of_ends(environments.low(), environments.high().map(|high| high.max(provisioned))),
        None => Amount::of_ends(environments.low(), None),
    };
    let expected_environments = Figure::new(
        with_provisioned(shared(function.peak_concurrency.figure().amount)),
        function.peak_concurrency.figure().origin,
        function.peak_concurrency.figure().source,
    );
    let (bounded, bound, source) = bound(function, facts);
    let possible_environments = Figure::new(
        with_provisioned(shared(bounded)),
        if bound == Bound::Unknown { Origin::Unknown } else { Origin::Configured },
        source,
    );
    let each = function.connections_per_environment.figure();
    let connections = |environments: &Figure| {
        // An environment that uses the database has a connection, at least.
        let each = if each.amount == Amount::Unknown { Amount::AtLeast { low: 1 } } else { each.amount };
        let now = environments.amount.times(each);
        let amount = Amount::of_ends(
            now.low(),
            now.high().map(|high| percent_up(high, facts.assumptions.lingering.percent.max(100))),
        );
        let source = format!(
            "environments times connections of each; up to {}% while replaced environments keep theirs",
            facts.assumptions.lingering.percent.max(100),
        );
        Figure::new(amount, if amount == Amount::Unknown { Origin::Unknown } else { Origin::Derived }, source)
    };
    FunctionDemand {
        function: name.clone(),
        expected: connections(&expected_environments),
        possible: connections(&possible_environments),
        expected_environments,
        possible_environments,
        bound,
        connections_per_environment: each,
        can_wait: can_wait(function),
        sustained: sustained(function),
        throttles_per_minute: function.throttles_per_minute.figure(),
        errors_per_minute: function.errors_per_minute.figure(),
    }
}

fn unknowns(function: &Function) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    for (what, fact) in [
        ("provisioned concurrency", &function.provisioned),
        ("measured peak concurrency", &function.peak_concurrency),
        ("connections of an environment", &function.connections_per_environment),
    ] {
        if let Fact::Unknown { why } = fact {
            found.push((what, why.clone()));
        }
    }
    if let Fact::Unknown { why } = &function.reserved {
        found.push(("reserved concurrency", why.clone()));
    }
    if let Fact::Unknown { why } = &function.sources {
        found.push(("event sources", why.clone()));
    }
    if let Fact::Unknown { why } = &function.other_invokers {
        found.push(("other invokers", why.clone()));
    }
    for mapping in function.sources.value().into_iter().flatten() {
        match &mapping.source {
            Source::Stream { shards: Fact::Unknown { why }, .. } => found.push(("shards", why.clone())),
            Source::Kafka { partitions: Fact::Unknown { why } } => found.push(("partitions", why.clone())),
            _ => {}
        }
    }
    found
}

/// Returns the environments that the configuration allows, what bounds them, and a sentence for `--explain`.
fn bound(function: &Function, facts: &Facts) -> (Amount, Bound, String) {
    let sources = of_sources(function, &facts.assumptions);
    let reserved = function.reserved.value().copied().flatten();
    if let Some(reserved) = reserved {
        return match sources {
            Some((amount, source)) if amount.high().is_some_and(|high| high < reserved) => {
                (amount, Bound::Sources, source)
            }
            Some((amount, _)) => (
                Amount::of_ends(amount.low().map(|low| low.min(reserved)), Some(reserved)),
                Bound::Reserved,
                format!("reserved concurrency of {reserved}"),
            ),
            None => (Amount::exactly(reserved), Bound::Reserved, format!("reserved concurrency of {reserved}")),
        };
    }
    let account = match (&function.reserved, &facts.account.unreserved_concurrency) {
        (Fact::Known { .. }, Fact::Known { value, .. }) => Some(*value),
        // A function whose reserved concurrency is unknown has the account's at most.
        _ => facts.account.concurrency.value().copied(),
    };
    match (sources, account) {
        (Some((amount, source)), Some(account)) if amount.is_known() => {
            (amount.capped(account), Bound::Sources, source)
        }
        (Some((amount, source)), None) => (amount, Bound::Sources, source),
        (_, Some(account)) => (
            Amount::exactly(account),
            Bound::Account,
            format!(
                "nothing that is known limits it but the account's concurrency of {account}; state with --concurrency what its \
                 callers bring, such as the MaxConcurrency of a Step Functions map times its executions at a time"
            ),
        ),
        (None, None) => (Amount::Unknown, Bound::Unknown, "nothing that could be read limits it".to_owned()),
    }
}

/// Returns what its event sources and what is stated of its other invokers allow; nothing where one of them has no
/// limit.
fn of_sources(function: &Function, assumptions: &Assumptions) -> Option<(Amount, String)> {
    let (mut total, mut parts) = sum_of_sources(function.sources.value()?, assumptions)?;
    match (&function.stated_concurrency, function.other_invokers.value()) {
        (Some(Fact::Known { value, source, .. }), _) => {
            total = total.plus(Amount::exactly(*value));
            parts.push(format!("{value} of other invokers ({source})"));
        }
        (_, Some(false)) => {}
        _ => return None,
    }
    if parts.is_empty() {
        parts.push("nothing invokes it".to_owned());
    }
    Some((total, parts.join("; ")))
}

/// Returns how many invocations event sources allow at a time; nothing where one of them has no limit that is known.
#[must_use]
pub fn allowed_by(sources: &[EventSource], assumptions: &Assumptions) -> Option<Amount> {
    Some(sum_of_sources(sources, assumptions)?.0)
}

/// The same, with how each comes to it.
fn sum_of_sources(sources: &[EventSource], assumptions: &Assumptions) -> Option<(Amount, Vec<String>)> {
    let mut total = Amount::exactly(0);
    let mut parts = Vec::new();
    for mapping in sources {
        let (amount, part) = match &mapping.source {
            Source::Sqs { maximum_concurrency: Some(most) } => {
                let overshoot = &assumptions.sqs_overshoot;
                let high = percent_up(*most, overshoot.percent.max(100));
                (
                    Amount::between(*most, high),
                    format!("SQS MaximumConcurrency {most}, up to {high} since {}", overshoot.source),
                )
            }
            Source::Stream { shards, parallelization } => (
                shards.figure().amount.map(|shards| shards.saturating_mul(*parallelization)),
                format!("{} shards times ParallelizationFactor {parallelization}", shards.figure().amount),
            ),
            Source::Kafka { partitions } => (
                partitions.figure().amount,
                format!("one consumer for each of {} Kafka partitions", partitions.figure().amount),
            ),
            Source::Sqs { maximum_concurrency: None } | Source::Other { .. } => return None,
        };
        if amount == Amount::Unknown {
            return None;
        }
        total = total.plus(amount);
        parts.push(part);
    }
    Some((total, parts))
}

/// Says whether only queues and streams invoke it, so that work waits where concurrency is limited.
fn can_wait(function: &Function) -> bool {
    let waits = |source: &Source| matches!(source, Source::Sqs { .. } | Source::Stream { .. } | Source::Kafka { .. });
    function.other_invokers.value() == Some(&false)
        && function
            .sources
            .value()
            .is_some_and(|sources| !sources.is_empty() && sources.iter().all(|mapping| waits(&mapping.source)))
}

/// Little's law: invocations a second times seconds of each (Developer Guide, "Calculating concurrency for a
/// function").
fn sustained(function: &Function) -> Figure {
    match (function.sustained_invocations_per_minute.value(), function.duration_ms.value()) {
        (Some(invocations), Some(milliseconds)) => Figure::new(
            Amount::exactly(ratio_up(*invocations, *milliseconds, 60_000)),
            Origin::Derived,
            "invocations of the busiest hour times their average duration",
        ),
        _ => Figure::unknown("no invocations or no duration were measured"),
    }
}

/// New environments in the busiest second: at least the busiest minute's average, at most all that Lambda may add.
fn cold_starts(facts: &Facts, functions: &[FunctionDemand], gaps: &mut Vec<Gap>) -> Figure {
    let mut low = Some(0u64);
    for function in &facts.functions {
        match &function.cold_starts_per_minute {
            Fact::Known { value, .. } => low = low.map(|low| low.saturating_add(*value)),
            Fact::Unknown { why } => {
                gaps.push(Gap::new(Room::Quotas, format!("cold starts of function {}", function.name), why.clone()));
                low = None;
            }
        }
    }
    let high = functions.iter().try_fold(0u64, |sum, function| {
        Some(sum.saturating_add(function.possible_environments.amount.high()?.min(SCALING_RATE)))
    });
    let low = low.map(|low| ratio_up(low, 1, 60)).map(|low| high.map_or(low, |high| low.min(high)));
    Figure::new(
        Amount::of_ends(low, high),
        if low.is_some() { Origin::Measured } else { Origin::Derived },
        "from the busiest minute's average to all that Lambda may add to each function at once (1,000 in ten seconds)",
    )
}
