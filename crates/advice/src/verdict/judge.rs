//! From demand and supply to the answer.
//!
//! First how much the connections need, which grows with demand and never falls; then what a proxy does about it here.

use super::limits::{Outcome, within};
use super::{Change, Kind, Limit, Need, Reason, Verdict, sentences};
use crate::cost::Cost;
use crate::demand::Demand;
use crate::engine::{Engine, at_least};
use crate::facts::Facts;
use crate::figure::{Amount, Figure, Gap, Room};
use crate::logins::Logins;
use crate::num::ratio_up;
use crate::queue::Pool;
use crate::supply::{Supply, limit_with};

/// From this share of pinned clients on, a pool shares too little to help.
const MOSTLY_PINNED: u64 = 50;
/// 8 ACUs, in halves.
const EIGHT_ACUS: u64 = 16;

/// The parts of the account that the answer is drawn from.
pub(crate) struct Parts<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) demand: &'a Demand,
    pub(crate) supply: &'a Supply,
    pub(crate) pool: &'a Pool,
    pub(crate) cost: &'a Cost,
    pub(crate) logins: &'a Logins,
    pub(crate) gaps: &'a [Gap],
}

/// Draws the answer.
pub(crate) fn of(parts: &Parts<'_>) -> Verdict {
    let Parts { facts, demand, supply, .. } = *parts;
    let measured = measured_of_functions(facts, supply);
    let possible = at_least_measured(&demand.possible, measured);
    let expected = at_least_measured(&demand.expected, measured);
    let limit = supply.limit.clone();
    let mut reasons = Vec::new();
    let (need, limits) = need(parts, &possible, &expected, &mut reasons);
    if let Some(measured) = facts.database.measured_connections.value()
        && let Some(explained) = demand.possible.amount.plus(supply.others.amount).high()
        && *measured > explained
    {
        reasons.push(Reason::MeasuredMoreThanExplained { measured: *measured, explained });
    }
    let kind = kind(parts, need, &mut reasons);
    let peak = if reasons.contains(&Reason::MeasuredPeakExceeds) { expected } else { possible };
    let changes = changes(parts, kind, need, &peak);
    let rooms = [Room::Demand, Room::Supply, Room::Load];
    let mut verdict = Verdict {
        kind,
        need,
        peak,
        limit,
        reasons,
        limits,
        changes,
        gaps: parts.gaps.iter().filter(|gap| rooms.contains(&gap.room)).cloned().collect(),
        sentence: String::new(),
    };
    verdict.sentence = sentences::verdict(&verdict, facts);
    verdict
}

/// Connections that were measured beyond those of other clients.
fn measured_of_functions(facts: &Facts, supply: &Supply) -> u64 {
    let measured = facts.database.measured_connections.value().copied().unwrap_or(0);
    supply.others.amount.high().map_or(0, |others| measured.saturating_sub(others))
}

fn at_least_measured(figure: &Figure, measured: u64) -> Figure {
    if measured > figure.amount.low().unwrap_or(0) {
        Figure { amount: figure.amount.at_least(measured), ..figure.clone() }
    } else {
        figure.clone()
    }
}

fn need(parts: &Parts<'_>, possible: &Figure, expected: &Figure, reasons: &mut Vec<Reason>) -> (Need, Vec<Limit>) {
    let Parts { facts, demand, supply, .. } = *parts;
    // Without the connections of other clients, nothing is known to be left.
    let known = [&supply.max_connections, &supply.others, &supply.reserved].iter().all(|part| part.amount.is_known());
    let budget = supply.limit.amount.low().filter(|_| known);
    if let Some(budget) = budget
        && possible.amount.high().is_some_and(|possible| possible <= budget)
    {
        reasons.push(Reason::PossiblePeakFits);
        return (Need::Nothing, Vec::new());
    }
    let most = supply.limit.amount.high();
    let exceeds = expected.amount.low().zip(most).is_some_and(|(expected, most)| expected > most);
    if exceeds {
        reasons.push(Reason::MeasuredPeakExceeds);
        if let Some(measured) = facts.database.measured_connections.value()
            && supply.max_connections.amount.high().is_some_and(|most| *measured >= most.saturating_sub(most / 10))
        {
            reasons.push(Reason::AlreadyAtTheLimit { measured: *measured });
        }
    }
    match within(budget.or(most).unwrap_or(0), facts, demand) {
        Outcome::Fit(limits) if budget.is_some() && !limits.is_empty() => {
            if !exceeds {
                reasons.push(Reason::OnlyMeasuredPeakFits);
            }
            (Need::Limits, limits)
        }
        Outcome::DoNotFit(functions) if budget.is_some() || most.is_some() => {
            reasons.push(Reason::CannotBeLimited { functions });
            (Need::Pool, Vec::new())
        }
        Outcome::Unknown { known } if most.is_some_and(|most| known > most) => (Need::Pool, Vec::new()),
        _ if exceeds => (Need::Pool, Vec::new()),
        _ => (Need::Unknown, Vec::new()),
    }
}

fn kind(parts: &Parts<'_>, need: Need, reasons: &mut Vec<Reason>) -> Kind {
    let Parts { facts, cost, .. } = *parts;
    if let Some(proxy) = &facts.proxy {
        reasons.push(Reason::ProxyExists { name: proxy.name.clone() });
    }
    let costly = serverless(facts, reasons);
    if let (Some(proxy_cents), Some(database_cents)) =
        (cost.monthly_cents.amount.low(), cost.database_monthly_cents.amount.high())
        && proxy_cents > database_cents
    {
        reasons.push(Reason::CostsMoreThanDatabase { proxy_cents, database_cents });
    }
    if parts.logins.fits == Some(false) {
        reasons.push(Reason::LoginRate);
    }
    if let Some(what) = unsupported(facts) {
        reasons.push(Reason::Unsupported { what });
        return if need == Need::Nothing { Kind::NotNeeded } else { Kind::WillNotHelp };
    }
    match need {
        Need::Nothing if costly => Kind::Harmful,
        Need::Nothing if facts.database.fails_over.value() == Some(&true) => {
            reasons.push(Reason::FailsOver);
            Kind::FailoverOnly
        }
        Need::Nothing => Kind::NotNeeded,
        Need::Unknown => Kind::CannotTell,
        Need::Limits => Kind::NotNeededIfLimited,
        Need::Pool => pool(parts, reasons),
    }
}

/// Adds what Serverless v2 loses with a proxy, and says whether that is worse than what a proxy gives where it is not
/// needed.
fn serverless(facts: &Facts, reasons: &mut Vec<Reason>) -> bool {
    let Some(serverless) = facts.database.serverless else { return false };
    let mut costly = false;
    if serverless.min_half_acus == 0 {
        reasons.push(Reason::LosesAutoPause);
        costly = true;
    }
    if serverless.min_half_acus <= 1 {
        reasons.push(Reason::LowCapacityStalls);
    }
    let half_acus = serverless.average_half_acus.unwrap_or(serverless.min_half_acus);
    if half_acus < EIGHT_ACUS {
        reasons.push(Reason::EightAcuMinimum { half_acus });
        costly = true;
    }
    costly
}

/// RDS User Guide, "Limitations for RDS Proxy": SQL Server 2014 and 2022 are not served; their versions are 12 and 16.
fn unsupported(facts: &Facts) -> Option<String> {
    let version = &facts.database.engine_version;
    match &facts.database.engine {
        Engine::Other(name) => Some(name.clone()),
        Engine::SqlServer if at_least(version, 16, 0) || (version.starts_with("12.")) => {
            Some(format!("SQL Server {version}"))
        }
        _ => None,
    }
}

/// Whether a pool can share connections between the clients of this load.
fn pool(parts: &Parts<'_>, reasons: &mut Vec<Reason>) -> Kind {
    let Parts { facts, supply, pool, demand, .. } = *parts;
    let served = supply.served.amount.high();
    if let (Some(busy), Some(served)) = (pool.busy_hundredths.amount.low(), served)
        && busy > served.saturating_mul(100)
    {
        reasons.push(Reason::ProcessorFirst { served });
    }
    if facts.database.engine == Engine::SqlServer {
        reasons.push(Reason::SqlServer);
    }
    let most = supply.usable.amount.high();
    let pinned = mostly_pinned(facts, demand);
    if let Some(percent) = pinned {
        reasons.push(Reason::Pinning { percent });
        return Kind::WillNotHelp;
    }
    match pool.connections.amount {
        Amount::Unknown => {
            reasons.push(Reason::SharingUnknown);
            Kind::Helps
        }
        needed if needed.low().zip(most).is_some_and(|(needed, most)| needed > most) => {
            reasons.push(Reason::LongTransactions { needed: needed.low().unwrap_or(0) });
            Kind::WillNotHelp
        }
        needed => {
            if facts.database.fails_over.value() == Some(&true) {
                reasons.push(Reason::FailsOver);
            }
            match needed.high() {
                Some(connections) => reasons.push(Reason::PoolServes { connections }),
                None => reasons.push(Reason::SharingUnknown),
            }
            Kind::Helps
        }
    }
}

/// The share of clients that will be pinned, where it is at least half; by what the proxy measured, else by function.
fn mostly_pinned(facts: &Facts, demand: &Demand) -> Option<u64> {
    if let Some(percent) = facts.proxy.as_ref().and_then(|proxy| proxy.pinned_percent.value()) {
        return Some((*percent).min(100)).filter(|percent| *percent >= MOSTLY_PINNED);
    }
    let mut pinned = 0u128;
    let mut all = 0u128;
    for (function, asked) in facts.functions.iter().zip(&demand.functions) {
        let clients = u128::from(asked.expected.amount.low().unwrap_or(0));
        all += clients;
        pinned += clients * u128::from(function.pinned_percent.value().copied().unwrap_or(0).min(100));
    }
    let percent = u64::try_from(pinned.checked_div(all)?).unwrap_or(100);
    (percent >= MOSTLY_PINNED).then_some(percent)
}

fn changes(parts: &Parts<'_>, kind: Kind, need: Need, peak: &Figure) -> Vec<Change> {
    let Parts { facts, supply, .. } = *parts;
    let mut changes = Vec::new();
    if need == Need::Nothing {
        if let Some(connections) = supply.limit.amount.low() {
            changes.push(Change::PeakAbove { connections });
        }
        if kind == Kind::NotNeeded {
            changes.push(Change::FailoverMatters);
        }
        return changes;
    }
    if supply.pending_reboot {
        changes.push(Change::Reboot);
    }
    if need == Need::Unknown {
        changes.push(Change::FillGaps);
    }
    if need == Need::Limits {
        changes.push(Change::LimitConcurrency);
    }
    match kind {
        Kind::WillNotHelp if mostly_pinned(facts, parts.demand).is_some() => changes.push(Change::NoPinning),
        Kind::WillNotHelp => changes.push(Change::ShorterTransactions),
        _ => {}
    }
    let several: Vec<String> = facts
        .functions
        .iter()
        .filter(|function| function.connections_per_environment.value().is_some_and(|each| *each > 1))
        .map(|function| function.name.clone())
        .collect();
    if !several.is_empty() {
        changes.push(Change::OneConnectionPerEnvironment { functions: several });
    }
    if let Some(peak) = peak.amount.high() {
        let share = facts.assumptions.usable.percent.clamp(1, 100);
        let taken = supply.reserved.amount.plus(supply.internal.amount).plus(supply.others.amount);
        if let Some(taken) = taken.high() {
            let connections = ratio_up(peak, 100, share).saturating_add(taken);
            changes.push(Change::MaxConnectionsAtLeast { connections });
        }
        let fits = |class: &&crate::facts::LargerClass| limit_with(facts, class).is_some_and(|limit| limit >= peak);
        if let Some(larger) = facts.database.larger_classes.value().into_iter().flatten().find(fits) {
            changes.push(Change::LargerClass {
                class: larger.class.clone(),
                more_monthly_cents: larger.more_monthly_cents.value().copied(),
            });
        }
    }
    if facts.database.data_api.value() == Some(&true) {
        changes.push(Change::DataApi);
    }
    changes
}
