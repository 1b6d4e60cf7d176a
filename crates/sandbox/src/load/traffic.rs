//! Invocations, minute by minute.

use std::collections::BTreeMap;

use super::flow::{Arrival, Flow, seconds};
use super::proxies::IDLE;
use super::routes::{Route, Target};
use super::{AtProxy, Load, Sample};
use crate::account::World;

/// Milliseconds of a minute.
pub(crate) const MINUTE: i64 = 60_000;

/// Minutes that an idle execution environment, and the connections that it keeps, stay on the average.
///
/// Lambda "maintains the execution environment for some time in anticipation of another function invocation"
/// (<https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html>); how long is not published.
const LINGERING: usize = 10;

/// Minutes in which new execution environments open their connections.
const ARRIVING: usize = 2;

/// Minutes before the first that is looked at.
const BEFORE: usize = 15;

/// What all functions did in some minutes.
#[derive(Debug)]
pub(crate) struct Traffic<'world> {
    pub(super) world: &'world World,
    /// The first minute, in milliseconds since 1970; those before it stand before it in `rows`.
    from: i64,
    rows: Vec<Row<'world>>,
    /// Connections of each proxy and role to its databases, by minute.
    pools: BTreeMap<(&'world str, bool), Vec<f64>>,
}

/// One function's minutes.
#[derive(Debug)]
struct Row<'world> {
    name: &'world str,
    /// The highest number of invocations at one time, of all parts together.
    peaks: Vec<f64>,
    /// The version that is called, and after it the second one of a weighted alias, if there ever was one.
    parts: Vec<Part<'world>>,
}

/// What one of a function's versions did; nothing is known of it in minutes in which it was not called.
#[derive(Debug)]
struct Part<'world> {
    flows: Vec<Flow>,
    stands: Vec<Option<Stand<'world>>>,
    /// Whether any call went to it.
    called: Vec<bool>,
}

/// What a version does, and how it is set up.
type Stand<'world> = (&'world Load, &'world Route);

/// A metric of a function, or of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FunctionMetric {
    ConcurrentExecutions,
    Invocations,
    Errors,
    Throttles,
    Duration,
    ProvisionedConcurrentExecutions,
    UnreservedConcurrentExecutions,
}

impl<'world> Traffic<'world> {
    /// What happened in so many minutes from a moment on, in milliseconds since 1970 by the account's calendar.
    pub(crate) fn new(world: &'world World, from: i64, minutes: usize) -> Self {
        let all = minutes + BEFORE;
        let part = || Part { flows: vec![Flow::default(); all], stands: vec![None; all], called: vec![false; all] };
        let rows = world.loads.functions.keys().map(|name| {
            let parts = if world.loads.versions(name).is_empty() { 1 } else { 2 };
            Row { name, peaks: vec![0.0; all], parts: std::iter::repeat_with(part).take(parts).collect() }
        });
        let mut traffic = Self { world, from, rows: rows.collect(), pools: BTreeMap::new() };
        for at in 0..all {
            traffic.fill(at);
        }
        for row in &mut traffic.rows {
            row.linger();
        }
        for (name, proxy) in &world.rds.proxies {
            for readers in [false, true] {
                let needed: Vec<f64> = (0..all).map(|at| traffic.needed(name, readers, at)).collect();
                let allowed = traffic.allowed(proxy, readers);
                let held = |at: usize| {
                    let first = (at + 1).saturating_sub(IDLE);
                    needed.get(first..=at).unwrap_or_default().iter().copied().fold(0.0, f64::max).min(allowed)
                };
                traffic.pools.insert((name, readers), (0..all).map(held).collect());
            }
        }
        traffic
    }

    /// The account.
    pub(crate) fn world(&self) -> &'world World {
        self.world
    }

    /// The moment of a place in `flows`.
    fn moment(&self, at: usize) -> i64 {
        let minute = |place: usize| i64::try_from(place).unwrap_or(i64::MAX);
        self.from + (minute(at) - minute(BEFORE)) * MINUTE
    }

    /// The moment of a minute.
    pub(super) fn begins(&self, minute: usize) -> i64 {
        self.moment(place(minute))
    }

    /// One minute of all functions, which share what concurrency the account has and nobody has reserved.
    fn fill(&mut self, at: usize) {
        let moment = self.moment(at);
        let loads = &self.world.loads;
        let mut shared = 0.0;
        let mut arrivals: Vec<Option<Arrival<'world>>> = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let known = loads.load(row.name, moment).zip(loads.seen(row.name, moment));
            let arrival = known.map(|(load, seen)| Arrival::new(loads.seed, row.name, load, seen, moment));
            if let Some(arrival) = &arrival
                && arrival.seen.route.reserved.is_none()
            {
                shared += arrival.flow.average;
            }
            arrivals.push(arrival);
        }
        let reserved: u32 = self.world.lambda.functions.values().filter_map(|function| function.reserved).sum();
        let pool = f64::from(self.world.lambda.concurrency.saturating_sub(reserved));
        for (row, arrival) in self.rows.iter_mut().zip(arrivals) {
            let Some(arrival) = arrival else { continue };
            let limit = match arrival.seen.route.reserved {
                Some(reserved) => f64::from(reserved),
                None if shared > pool => pool * arrival.flow.average / shared,
                None => pool,
            };
            let whole = arrival.limited(limit);
            if let Some(peak) = row.peaks.get_mut(at) {
                *peak = whole.peak;
            }
            let (first, second) = arrival.divided(whole);
            let flows = std::iter::once((first, &arrival.seen.route)).chain(second);
            let weight = arrival.seen.second.as_ref().map_or(0.0, |second| second.weight);
            for ((part, share), (flow, route)) in row.parts.iter_mut().zip([1.0 - weight, weight]).zip(flows) {
                if let (Some(place), Some(stand), Some(called)) =
                    (part.flows.get_mut(at), part.stands.get_mut(at), part.called.get_mut(at))
                {
                    *place = flow;
                    *stand = Some((arrival.load, route));
                    *called = share > 0.0;
                }
            }
        }
    }

    /// Every version that is called at a place of `flows` and reaches what `of` says, with its flow, load and route.
    pub(super) fn reaching<'this>(
        &'this self,
        at: usize,
        of: impl Fn(&Target) -> bool + 'this,
    ) -> impl Iterator<Item = (Flow, &'world Load, &'world Route)> + 'this {
        self.arrived(at, of).map(|(flow, load, route, _)| (flow, load, route))
    }

    /// The same, and whether it has come there in the last minutes: a new configuration has new execution environments,
    /// which open connections of their own.
    pub(super) fn arrived<'this>(
        &'this self,
        at: usize,
        of: impl Fn(&Target) -> bool + 'this,
    ) -> impl Iterator<Item = (Flow, &'world Load, &'world Route, bool)> + 'this {
        self.rows.iter().flat_map(|row| &row.parts).filter_map(move |part| {
            let (load, route) = part.stand(at)?;
            let flow = part.flows.get(at)?;
            let there = |route: &Route| route.targets.iter().any(&of);
            let before = at.checked_sub(ARRIVING).and_then(|before| part.called(before));
            let called = part.called(at).is_some() && there(route);
            called.then(|| (*flow, load, route, before.is_none_or(|(_, route)| !there(route))))
        })
    }

    /// Connections of a proxy to its databases in one role.
    pub(super) fn pool(&self, proxy: &str, readers: bool, minute: usize) -> f64 {
        let held = self.pools.get(&(proxy, readers)).and_then(|pool| pool.get(place(minute)));
        held.copied().unwrap_or(0.0)
    }

    /// A metric of one function, or of all functions together, in a minute.
    ///
    /// A version has metrics of its own in the minutes in which a weighted alias led to it, and none in others.
    pub(crate) fn of_function(
        &self,
        name: Option<&str>,
        version: Option<&str>,
        metric: FunctionMetric,
        minute: usize,
    ) -> Option<Sample> {
        let Some(name) = name else { return self.together(&self.rows, metric, minute) };
        let row = self.rows.iter().find(|row| row.name == name)?;
        match version {
            Some(version) => self.of_part(row.weighted(version, place(minute))?, metric, minute),
            None => self.together(std::slice::from_ref(row), metric, minute),
        }
    }

    fn together(&self, rows: &[Row<'_>], metric: FunctionMetric, minute: usize) -> Option<Sample> {
        let parts = || rows.iter().flat_map(|row| &row.parts);
        let all = parts().filter_map(|part| self.of_part(part, metric, minute)).reduce(Sample::and)?;
        let at_once = [FunctionMetric::ConcurrentExecutions, FunctionMetric::UnreservedConcurrentExecutions];
        if !at_once.contains(&metric) {
            return Some(all);
        }
        // At one time, all together.
        let average = parts().filter_map(|part| part.flows.get(place(minute))).map(|flow| flow.average).sum();
        let peak = rows.iter().filter_map(|row| row.peaks.get(place(minute))).sum();
        let peak = f64::min(peak, f64::from(self.world.lambda.concurrency));
        Some(concurrent(all.count, average, peak))
    }

    fn of_part(&self, part: &Part<'_>, metric: FunctionMetric, minute: usize) -> Option<Sample> {
        let flow = *part.flows.get(place(minute))?;
        let (load, route) = part.stand(place(minute))?;
        // Lambda sends metrics of a minute in which something was invoked, and no zeros for others.
        if flow.invocations + flow.throttled <= 0.0 {
            return None;
        }
        let count = flow.invocations;
        let counted = |sum: f64| Sample {
            count: count.max(1.0),
            sum,
            min: if sum >= count && sum > 0.0 { 1.0 } else { 0.0 },
            max: if sum > 0.0 { 1.0 } else { 0.0 },
        };
        match metric {
            FunctionMetric::Throttles => Some(Sample {
                count: count + flow.throttled,
                sum: flow.throttled,
                min: if count > 0.0 { 0.0 } else { 1.0 },
                max: if flow.throttled > 0.0 { 1.0 } else { 0.0 },
            }),
            _ if count <= 0.0 => None,
            FunctionMetric::Invocations => Some(counted(count)),
            FunctionMetric::Errors => Some(counted((count * self.failing(load, route, minute)).round())),
            FunctionMetric::Duration => {
                let average = seconds(load, route) * 1000.0;
                let longest = (average * 3.0).min(f64::from(route.timeout) * 1000.0);
                Some(Sample { count, sum: average * count, min: average * 0.5, max: longest })
            }
            FunctionMetric::ConcurrentExecutions => Some(concurrent(count, flow.average, flow.peak)),
            FunctionMetric::UnreservedConcurrentExecutions => {
                route.reserved.is_none().then(|| concurrent(count, flow.average, flow.peak))
            }
            FunctionMetric::ProvisionedConcurrentExecutions => (route.provisioned > 0).then(|| {
                let provisioned = f64::from(route.provisioned);
                concurrent(count, flow.average.min(provisioned), flow.peak.min(provisioned))
            }),
        }
    }

    /// The share of invocations that fail: of themselves, by their timeout, or because no connection is to be had.
    fn failing(&self, load: &Load, route: &Route, minute: usize) -> f64 {
        if load.duration >= f64::from(route.timeout) * 1000.0 {
            return 1.0;
        }
        if route.by_proxy() && matches!(load.at_proxy, AtProxy::Refused | AtProxy::Failed) {
            return 1.0;
        }
        let at_proxy = |target: &Target| if matches!(target, Target::Proxy { .. }) { load.refused } else { 0.0 };
        let refused = |target: &Target| self.refused(target, minute).max(at_proxy(target));
        let refused = route.targets.iter().map(refused).fold(0.0, f64::max);
        load.errors + (1.0 - load.errors) * refused
    }
}

impl<'world> Row<'world> {
    /// Counts the execution environments of each version, which outlive its invocations for a while.
    fn linger(&mut self) {
        let peaks = |part: &Part<'world>| -> Vec<(&'world str, f64)> {
            let of = |(stand, flow): (&Option<Stand<'world>>, &Flow)| {
                (stand.map_or("", |(_, route)| route.version.as_str()), flow.peak)
            };
            part.stands.iter().zip(&part.flows).map(of).collect()
        };
        // A version that becomes the first one keeps the environments that it has as the second.
        let all: Vec<_> = self.parts.iter().map(peaks).collect();
        for part in &mut self.parts {
            for (at, (stand, flow)) in part.stands.iter().zip(&mut part.flows).enumerate() {
                let Some((_, route)) = stand else { continue };
                let first = (at + 1).saturating_sub(LINGERING);
                let recent = all.iter().flat_map(|peaks| peaks.get(first..=at).unwrap_or_default());
                let own = recent.filter(|(version, _)| *version == route.version).map(|(_, peak)| *peak);
                flow.environments = own.fold(0.0, f64::max);
            }
        }
    }

    /// The part that ran a version, at a place at which the alias has weights.
    fn weighted(&self, version: &str, at: usize) -> Option<&Part<'world>> {
        self.parts.get(1)?.stand(at)?;
        self.parts.iter().find(|part| part.stand(at).is_some_and(|(_, route)| route.version == version))
    }
}

impl<'world> Part<'world> {
    /// As [`Self::stand`], where it gets calls: who gets none connects to nothing yet, and its connections are new when
    /// the first call comes.
    fn called(&self, at: usize) -> Option<Stand<'world>> {
        self.stand(at).filter(|_| self.called.get(at) == Some(&true))
    }

    fn stand(&self, at: usize) -> Option<Stand<'world>> {
        self.stands.get(at).copied().flatten()
    }
}

fn concurrent(count: f64, average: f64, peak: f64) -> Sample {
    Sample { count, sum: average.max(1.0).min(peak) * count, min: 1.0_f64.min(peak), max: peak }
}

/// Where a minute stands in `flows`.
pub(super) fn place(minute: usize) -> usize {
    minute + BEFORE
}
