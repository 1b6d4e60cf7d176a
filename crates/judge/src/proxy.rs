//! The proxy itself, held to fixed limits: a new one has no time before.

use crate::evidence::{Evidence, Reading, Share};
use crate::judgement::{Bench, Finding, Measure, Numbers, Subject};
use crate::statistics::{binomial_at_least, share};
use crate::{AVAILABLE, BORROW_MS, FAILING_SETUPS, PINNED};

/// Whether a value is bad, held against its limit.
type Bad = fn(f64, f64) -> bool;

pub(crate) fn judge(evidence: &Evidence, bench: &mut Bench) {
    let proxy = &evidence.proxy;
    if let Some(tried) = known(&proxy.refused, Measure::RefusedLogins, bench) {
        if tried.all == 0 {
            let why = "no client has tried to log in since the change";
            bench.gap(&Subject::Proxy, Measure::RefusedLogins, true, why);
        } else {
            of_share(tried, Measure::RefusedLogins, bench);
        }
    }
    if let Some(tried) = known(&proxy.failed_setups, Measure::FailedSetups, bench) {
        of_share(tried, Measure::FailedSetups, bench);
    }
    let limits: [(&Reading<f64>, Measure, f64, Bad); 3] = [
        (&proxy.borrow_ms, Measure::BorrowLatency, BORROW_MS, |value, limit| value >= limit),
        (&proxy.pinned, Measure::Pinned, PINNED, |value, limit| value >= limit),
        (&proxy.available, Measure::Availability, AVAILABLE, |value, limit| value < limit),
    ];
    for (reading, measure, limit, bad) in limits {
        let Some(after) = known(reading, measure, bench) else { continue };
        let numbers = Numbers::Values { before: None, after, limit };
        let finding = Finding { subject: Subject::Proxy, measure, numbers, p_value: None, limit: None };
        match (after.is_finite(), bad(after, limit)) {
            (false, _) => bench.gap(&Subject::Proxy, measure, false, "it is not a number"),
            (true, true) => bench.worse(finding),
            (true, false) => bench.fine(finding),
        }
    }
}

fn known<T: Copy>(reading: &Reading<T>, measure: Measure, bench: &mut Bench) -> Option<T> {
    match reading {
        Reading::Known(value) => return Some(*value),
        Reading::Unreadable(why) => bench.gap(&Subject::Proxy, measure, false, why.clone()),
        Reading::NoData(why) => bench.gap(&Subject::Proxy, measure, true, why.clone()),
    }
    None
}

/// Some fail now and then; more than one in a hundred is worse where that is certain, and else open.
fn of_share(tried: Share, measure: Measure, bench: &mut Bench) {
    let bad = tried.bad.min(tried.all);
    let p_value = binomial_at_least(bad, tried.all, FAILING_SETUPS);
    let finding = Finding {
        subject: Subject::Proxy,
        measure,
        numbers: Numbers::Shares { before: None, after: (bad, tried.all) },
        p_value: Some(p_value),
        limit: Some(bench.limit),
    };
    if share(bad, tried.all).is_none_or(|share| share <= FAILING_SETUPS) {
        bench.fine(finding);
    } else if p_value <= bench.limit {
        bench.worse(finding);
    } else {
        let why = format!("{bad} of {}, too few to distinguish chance from a fault", tried.all);
        bench.gap(&Subject::Proxy, measure, true, why);
    }
}
