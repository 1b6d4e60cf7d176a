//! What one function does in a minute: what arrives, what a limit leaves of it, and how a weighted alias divides it.

use super::numbers::{chance, deviation};
use super::routes::{Route, Second, Seen};
use super::traffic::MINUTE;
use super::{AtProxy, Load};

/// What a version of a function did in a minute.
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

impl Flow {
    /// Connections of a version to each of its targets.
    pub(super) fn connections(self, load: &Load, route: &Route) -> f64 {
        let environments = if load.closes { self.peak } else { self.environments.max(f64::from(route.provisioned)) };
        environments * f64::from(load.connections)
    }
}

/// What arrives at a function in a minute, before any limit but that of the event sources.
#[derive(Debug)]
pub(super) struct Arrival<'world> {
    pub(super) load: &'world Load,
    pub(super) seen: &'world Seen,
    /// All of it.
    pub(super) flow: Flow,
    /// How long an invocation takes on average, in seconds.
    each: f64,
    /// The share that runs the second version.
    second: f64,
}

impl<'world> Arrival<'world> {
    /// What arrives in the minute that begins at a moment.
    pub(super) fn new(seed: u64, name: &str, load: &'world Load, seen: &'world Seen, moment: i64) -> Self {
        let index = moment.div_euclid(MINUTE);
        let stream = stream(name.bytes());
        let mean = load.rate.at(moment) * 60.0;
        let count = (mean + mean.sqrt() * deviation(seed, stream, index)).max(0.0);
        let mut count = (count + chance(seed, stream, index)).floor();
        let route = &seen.route;
        if mean <= 0.0 || count <= 0.0 {
            return Self { load, seen, flow: Flow::default(), each: seconds(load, route), second: 0.0 };
        }
        let (each, second) = match &seen.second {
            Some(second) => {
                let share = chosen(seed, name, count, second.weight, index) / count;
                ((1.0 - share) * seconds(load, route) + share * seconds(load, &second.route), share)
            }
            None => (seconds(load, route), 0.0),
        };
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
        let flow = Flow { invocations: count, throttled: 0.0, average, peak, environments: 0.0 };
        Self { load, seen, flow, each, second }
    }

    /// What a limit of concurrency leaves of it: what is more is throttled.
    pub(super) fn limited(&self, limit: f64) -> Flow {
        let flow = self.flow;
        if flow.peak <= limit {
            return flow;
        }
        let kept = (limit * 60.0 / self.each).floor().min(flow.invocations);
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

    /// The parts of a limited flow: the first version's, and the second's where the alias has weights.
    ///
    /// Limits are the function's, so each part has the share of what was refused that it has of what arrived. Both
    /// parts add up to the whole.
    pub(super) fn divided(&self, whole: Flow) -> (Flow, Option<(Flow, &'world Route)>) {
        let Some(Second { route, .. }) = &self.seen.second else { return (whole, None) };
        let all = whole.invocations + whole.throttled;
        if all <= 0.0 {
            return (whole, Some((Flow::default(), route)));
        }
        let arrived = (all * self.second).round();
        let throttled = (whole.throttled * arrived / all).round();
        let mine = (all - arrived) * seconds(self.load, &self.seen.route);
        let others = arrived * seconds(self.load, route);
        let part = |arrived: f64, throttled: f64, work: f64| {
            let average = whole.average * work / (mine + others);
            let peak = if arrived > 0.0 { peak(average, arrived).min(whole.peak) } else { 0.0 };
            Flow { invocations: arrived - throttled, throttled, average, peak, environments: 0.0 }
        };
        let first = part(all - arrived, whole.throttled - throttled, mine);
        (first, Some((part(arrived, throttled, others), route)))
    }
}

/// How many of a minute's invocations run the second version: about the weight's share, more or fewer as by chance.
///
/// Lambda "uses a simple probabilistic model to distribute the traffic between the two function versions. At low
/// traffic levels, you might see a high variance between the configured and actual percentage"
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html>).
fn chosen(seed: u64, name: &str, count: f64, weight: f64, index: i64) -> f64 {
    // A stream of its own, so that how many arrive does not depend on how they are divided.
    let stream = stream(name.bytes().chain(*b":second"));
    let mean = count * weight;
    let scattered = mean + (mean * (1.0 - weight)).max(0.0).sqrt() * deviation(seed, stream, index);
    (scattered.max(0.0) + chance(seed, stream, index)).floor().min(count)
}

/// How long an invocation takes, in seconds.
pub(super) fn seconds(load: &Load, route: &Route) -> f64 {
    let slower = if load.at_proxy == AtProxy::Slow && route.by_proxy() { 3.0 } else { 1.0 };
    (load.duration * slower / 1000.0).min(f64::from(route.timeout)).max(0.001)
}

/// The highest of numbers that scatter around a mean as arrivals by chance do.
fn peak(average: f64, most: f64) -> f64 {
    (average + 2.5 * average.sqrt()).ceil().max(1.0).min(most)
}

/// The stream of chances that belongs to a name.
fn stream(name: impl Iterator<Item = u8>) -> u64 {
    name.fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
