//! Invocations, minute by minute.

use std::collections::BTreeMap;

use super::numbers::{chance, deviation};
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

/// What a function did in a minute.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flow {
    /// Invocations that ran.
    pub(super) invocations: f64,
    /// Invocations that were refused for the want of concurrency.
    pub(super) throttled: f64,
    /// The mean number of invocations at one time.
    pub(super) average: f64,
    /// The highest number of invocations at one time.
    pub(super) peak: f64,
    /// Execution environments, idle ones too.
    pub(super) environments: f64,
}

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
pub(super) struct Row<'world> {
    pub(super) name: &'world str,
    flows: Vec<Flow>,
    stands: Vec<Option<(&'world Load, &'world Route)>>,
}

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
        let rows = world.loads.functions.keys().map(|name| Row {
            name,
            flows: vec![Flow::default(); all],
            stands: vec![None; all],
        });
        let mut traffic = Self { world, from, rows: rows.collect(), pools: BTreeMap::new() };
        for at in 0..all {
            traffic.fill(at);
        }
        for row in &mut traffic.rows {
            let peaks: Vec<f64> = row.flows.iter().map(|flow| flow.peak).collect();
            for (at, flow) in row.flows.iter_mut().enumerate() {
                let first = (at + 1).saturating_sub(LINGERING);
                flow.environments = peaks.get(first..=at).unwrap_or_default().iter().copied().fold(0.0, f64::max);
            }
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
        let mut flows: Vec<Option<(Flow, &Load, &Route)>> = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let known = loads.load(row.name, moment).zip(loads.route(row.name, moment));
            let flow = known.map(|(load, route)| (arriving(loads.seed, row.name, load, route, moment), load, route));
            if let Some((flow, _, route)) = flow
                && route.reserved.is_none()
            {
                shared += flow.average;
            }
            flows.push(flow);
        }
        let reserved: u32 = self.world.lambda.functions.values().filter_map(|function| function.reserved).sum();
        let pool = f64::from(self.world.lambda.concurrency.saturating_sub(reserved));
        for (row, flow) in self.rows.iter_mut().zip(flows) {
            let Some((flow, load, route)) = flow else { continue };
            let limit = match route.reserved {
                Some(reserved) => f64::from(reserved),
                None if shared > pool => pool * flow.average / shared,
                None => pool,
            };
            if let (Some(place), Some(stands)) = (row.flows.get_mut(at), row.stands.get_mut(at)) {
                *place = limited(flow, seconds(load, route), limit);
                *stands = Some((load, route));
            }
        }
    }

    pub(super) fn row(&self, name: &str) -> Option<&Row<'world>> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// Every function that does something at a place of `flows` and reaches what `of` says, with its flow, load and route.
    pub(super) fn reaching<'this>(
        &'this self,
        at: usize,
        of: impl Fn(&Target) -> bool + 'this,
    ) -> impl Iterator<Item = (Flow, &'world Load, &'world Route)> + 'this {
        self.arrived(at, of).map(|(flow, load, route, _)| (flow, load, route))
    }

    /// The same, and whether it has come there in the last minutes: a new configuration has new execution environments, which
    /// open connections of their own.
    pub(super) fn arrived<'this>(
        &'this self,
        at: usize,
        of: impl Fn(&Target) -> bool + 'this,
    ) -> impl Iterator<Item = (Flow, &'world Load, &'world Route, bool)> + 'this {
        self.rows.iter().filter_map(move |row| {
            let stood = |at: usize| row.stands.get(at).copied().flatten();
            let (load, route) = stood(at)?;
            let flow = row.flows.get(at)?;
            let there = |route: &Route| route.targets.iter().any(&of);
            let before = at.checked_sub(ARRIVING).and_then(stood);
            there(route).then(|| (*flow, load, route, before.is_none_or(|(_, route)| !there(route))))
        })
    }

    /// Connections of a proxy to its databases in one role.
    pub(super) fn pool(&self, proxy: &str, readers: bool, minute: usize) -> f64 {
        let held = self.pools.get(&(proxy, readers)).and_then(|pool| pool.get(place(minute)));
        held.copied().unwrap_or(0.0)
    }

    /// A metric of one function, or of all functions together, in a minute.
    pub(crate) fn of_function(&self, name: Option<&str>, metric: FunctionMetric, minute: usize) -> Option<Sample> {
        if let Some(name) = name {
            return self.of_row(self.row(name)?, metric, minute);
        }
        let all = self.rows.iter().filter_map(|row| self.of_row(row, metric, minute)).reduce(Sample::and)?;
        let at_once = [FunctionMetric::ConcurrentExecutions, FunctionMetric::UnreservedConcurrentExecutions];
        if !at_once.contains(&metric) {
            return Some(all);
        }
        // At one time, all functions together.
        let flows = self.rows.iter().filter_map(|row| row.flows.get(place(minute)));
        let (average, peak) =
            flows.fold((0.0, 0.0), |(average, peak), flow| (average + flow.average, peak + flow.peak));
        let peak = f64::min(peak, f64::from(self.world.lambda.concurrency));
        Some(concurrent(all.count, average, peak))
    }

    fn of_row(&self, row: &Row<'_>, metric: FunctionMetric, minute: usize) -> Option<Sample> {
        let flow = *row.flows.get(place(minute))?;
        let (load, route) = (*row.stands.get(place(minute))?)?;
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

fn concurrent(count: f64, average: f64, peak: f64) -> Sample {
    Sample { count, sum: average.max(1.0).min(peak) * count, min: 1.0_f64.min(peak), max: peak }
}

/// How long an invocation takes, in seconds.
fn seconds(load: &Load, route: &Route) -> f64 {
    let slower = if load.at_proxy == AtProxy::Slow && route.by_proxy() { 3.0 } else { 1.0 };
    (load.duration * slower / 1000.0).min(f64::from(route.timeout)).max(0.001)
}

/// What arrives in a minute, before any limit but that of the event sources.
fn arriving(seed: u64, name: &str, load: &Load, route: &Route, moment: i64) -> Flow {
    let index = moment.div_euclid(MINUTE);
    let name = name
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mean = load.rate.at(moment) * 60.0;
    let count = (mean + mean.sqrt() * deviation(seed, name, index)).max(0.0);
    let mut count = (count + chance(seed, name, index)).floor();
    if mean <= 0.0 || count <= 0.0 {
        return Flow::default();
    }
    let each = seconds(load, route);
    let mut average = count / 60.0 * each;
    let mut peak = peak(average, count);
    if let Some(maximum) = route.maximum {
        // What is more waits in the queue; environments that end and those that begin overlap for moments.
        let maximum = f64::from(maximum);
        if average > maximum {
            average = maximum;
            count = (maximum * 60.0 / each).floor();
        }
        peak = peak.min((maximum * load.overshoot.max(1.0)).round());
    }
    Flow { invocations: count, throttled: 0.0, average, peak, environments: 0.0 }
}

/// The highest of numbers that scatter around a mean as arrivals by chance do.
fn peak(average: f64, most: f64) -> f64 {
    (average + 2.5 * average.sqrt()).ceil().max(1.0).min(most)
}

/// A flow under a limit of concurrency: what is more is throttled.
fn limited(flow: Flow, each: f64, limit: f64) -> Flow {
    if flow.peak <= limit {
        return flow;
    }
    let kept = (limit * 60.0 / each).floor().min(flow.invocations);
    // At the peak, what is above the limit is refused; in the mean, what does not fit.
    let throttled = (flow.invocations - kept).max((flow.peak - limit).ceil()).min(flow.invocations);
    Flow {
        invocations: flow.invocations - throttled,
        throttled,
        average: flow.average.min(limit),
        peak: limit.floor(),
        environments: 0.0,
    }
}

impl Flow {
    /// Connections of a function to each of its targets.
    pub(super) fn connections(self, load: &Load, route: &Route) -> f64 {
        let environments = if load.closes { self.peak } else { self.environments.max(f64::from(route.provisioned)) };
        environments * f64::from(load.connections)
    }
}

/// Where a minute stands in `flows`.
pub(super) fn place(minute: usize) -> usize {
    minute + BEFORE
}
