//! The functions that have moved, against themselves before and against those that have not.

use crate::evidence::{Counts, Evidence, Function, Reading};
use crate::judgement::{Bench, Finding, Measure, Numbers, Subject};
use crate::statistics::{binomial_at_least, fisher, share, upper_bound};
use crate::{FEWEST, LEAST_RISE, MARGIN, RISK_OF_A_PASS, SLOWER, SLOWER_BY_MS};

/// The chance below which the functions that have not moved count as disturbed themselves. Larger than what condemns a
/// moved one: when in doubt, the cause is not the proxy.
const DISTURBED: f64 = 0.05;

/// How many times as long as before they must take to count as disturbed: less is how durations vary.
const SLOWER_WITHOUT_A_CHANGE: f64 = 1.2;

/// What the functions that have not moved say of the account as a whole.
struct Control {
    errors: Rise,
    throttles: Rise,
    /// How many times as long as before they take, in the median of them; 1 where that is not known, or is as usual.
    slower: f64,
}

/// By how much a share rose where nothing was changed; 0 where it did not for sure.
#[derive(Clone, Copy)]
struct Rise(f64);

/// Bad ones of all.
type Pair = (u64, u64);

/// How a share is taken from counts.
type Of = fn(&Counts) -> Pair;

fn errors(counts: &Counts) -> Pair {
    (counts.errors.min(counts.invocations), counts.invocations)
}

fn throttles(counts: &Counts) -> Pair {
    (counts.throttles, counts.invocations.saturating_add(counts.throttles))
}

pub(crate) fn judge(evidence: &Evidence, bench: &mut Bench) {
    let control = Control::of(&evidence.control);
    for function in &evidence.moved {
        one(function, &control, bench);
    }
    if evidence.moved.is_empty() {
        bench.gap(&Subject::Proxy, Measure::Invocations, false, "no function has moved");
    }
}

fn one(function: &Function, control: &Control, bench: &mut Bench) {
    let subject = Subject::Function(function.name.clone());
    let Some(after) = counts(&function.after, "since the change", &subject, bench) else { return };
    let Some(before) = counts(&function.before, "before the change", &subject, bench) else { return };
    for (measure, of, rise) in
        [(Measure::Errors, errors as Of, control.errors), (Measure::Throttles, throttles as Of, control.throttles)]
    {
        of_share(&subject, measure, (of(before), of(after)), rise, bench);
    }
    duration(&subject, before, after, control.slower, bench);
}

/// What a function did in a span, if anything.
fn counts<'a>(reading: &'a Reading<Counts>, when: &str, subject: &Subject, bench: &mut Bench) -> Option<&'a Counts> {
    let since = when.starts_with("since");
    match reading {
        Reading::Known(counts) if counts.invocations.saturating_add(counts.throttles) > 0 => return Some(counts),
        Reading::Known(_) => bench.gap(subject, Measure::Invocations, since, format!("it was not invoked {when}")),
        Reading::Unreadable(why) => bench.gap(subject, Measure::Invocations, false, why.clone()),
        Reading::NoData(why) => bench.gap(subject, Measure::Invocations, since, why.clone()),
    }
    None
}

fn of_share(subject: &Subject, measure: Measure, (before, after): (Pair, Pair), control: Rise, bench: &mut Bench) {
    let (Some(share_before), Some(share_after)) = (share(before.0, before.1), share(after.0, after.1)) else { return };
    let p_value = fisher(before, after);
    let numbers = Numbers::Shares { before: Some(before), after };
    let finding = |p_value| Finding {
        subject: subject.clone(),
        measure,
        numbers,
        p_value: Some(p_value),
        limit: Some(bench.limit),
    };
    let rose = p_value <= bench.limit && share_after - share_before >= LEAST_RISE;
    if rose && control.0 <= 0.0 {
        let found = finding(p_value);
        return bench.worse(found);
    }
    if rose {
        // The account as a whole is disturbed: only what goes beyond that is the proxy's.
        let expected = (share_before + control.0).min(1.0);
        let beyond = binomial_at_least(after.0, after.1, expected);
        if beyond <= bench.limit && share_after - expected >= LEAST_RISE {
            let found = finding(beyond);
            return bench.worse(found);
        }
        let what = measure.name();
        let why = format!("its {what} rose, and so did those of functions that have not moved");
        return bench.gap(subject, measure, true, why);
    }
    // Nothing to see is not enough: the harm that matters must be ruled out.
    let bound = upper_bound(after.0, after.1, RISK_OF_A_PASS);
    if before.1 < FEWEST {
        let why = format!("{} before the change; {FEWEST} are needed", invocations(before.1));
        return bench.gap(subject, measure, false, why);
    }
    if bound > share_before + MARGIN {
        let why = format!(
            "{} since the change, {} of them with {}: too few to rule out a rise of {:.0} in a hundred",
            invocations(after.1),
            after.0,
            measure.name(),
            MARGIN * 100.0
        );
        return bench.gap(subject, measure, true, why);
    }
    let found = finding(p_value);
    bench.fine(found);
}

fn invocations(number: u64) -> String {
    if number == 1 { "1 invocation".to_owned() } else { format!("{number} invocations") }
}

fn duration(subject: &Subject, before: &Counts, after: &Counts, control: f64, bench: &mut Bench) {
    let measure = Measure::Duration;
    let mut known = |reading: &Reading<f64>, passes: bool| match reading {
        Reading::Known(value) if value.is_finite() => Some(*value),
        Reading::Known(_) => {
            bench.gap(subject, measure, false, "it is not a number");
            None
        }
        Reading::Unreadable(why) => {
            bench.gap(subject, measure, false, why.clone());
            None
        }
        Reading::NoData(why) => {
            bench.gap(subject, measure, passes, why.clone());
            None
        }
    };
    let (Some(was), Some(is)) = (known(&before.p95_ms, false), known(&after.p95_ms, true)) else { return };
    if before.invocations < FEWEST || after.invocations < FEWEST {
        let passes = before.invocations >= FEWEST;
        let (number, when) =
            if passes { (after.invocations, "since the change") } else { (before.invocations, "before the change") };
        let why = format!("{} {when}; a 95th percentile needs {FEWEST}", invocations(number));
        return bench.gap(subject, measure, passes, why);
    }
    let limit = (was * SLOWER).max(was + SLOWER_BY_MS);
    let numbers = Numbers::Values { before: Some(was), after: is, limit };
    let finding = Finding { subject: subject.clone(), measure, numbers, p_value: None, limit: None };
    if is < limit {
        return bench.fine(finding);
    }
    let expected = was * control;
    if control <= 1.0 || is >= (expected * SLOWER).max(expected + SLOWER_BY_MS) {
        return bench.worse(finding);
    }
    bench.gap(subject, measure, true, "it takes longer, and so do functions that have not moved");
}

impl Control {
    fn of(functions: &[Function]) -> Self {
        let known: Vec<(&Counts, &Counts)> =
            functions.iter().filter_map(|one| Some((one.before.known()?, one.after.known()?))).collect();
        let rise = |of: Of| {
            let total = |counts: &mut dyn Iterator<Item = Pair>| {
                counts.fold((0_u64, 0_u64), |sum, one| (sum.0.saturating_add(one.0), sum.1.saturating_add(one.1)))
            };
            let before = total(&mut known.iter().map(|pair| of(pair.0)));
            let after = total(&mut known.iter().map(|pair| of(pair.1)));
            let (Some(was), Some(is)) = (share(before.0, before.1), share(after.0, after.1)) else { return Rise(0.0) };
            Rise(if is - was >= LEAST_RISE && fisher(before, after) <= DISTURBED { is - was } else { 0.0 })
        };
        let mut ratios: Vec<f64> = known
            .iter()
            .filter(|(before, after)| before.invocations >= FEWEST && after.invocations >= FEWEST)
            .filter_map(|(before, after)| Some(after.p95_ms.known()? / before.p95_ms.known()?))
            .filter(|ratio| ratio.is_finite())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let slower = ratios.get(ratios.len() / 2).copied().filter(|ratio| *ratio >= SLOWER_WITHOUT_A_CHANGE);
        let slower = slower.unwrap_or(1.0);
        Self { errors: rise(errors), throttles: rise(throttles), slower }
    }
}
