//! What holds for any evidence.

use judge::{Counts, Evidence, Function, Judgement, Proxy, Reading, Share, judge};
use proptest::collection::vec;
use proptest::prelude::*;

/// Mostly a value, sometimes a gap.
fn reading<T: std::fmt::Debug + Clone + 'static>(
    value: impl Strategy<Value = T> + 'static,
) -> BoxedStrategy<Reading<T>> {
    prop_oneof![
        20 => value.prop_map(Reading::Known),
        1 => Just(Reading::Unreadable("no right to read it".to_owned())),
        1 => Just(Reading::NoData("no data yet".to_owned())),
    ]
    .boxed()
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![3 => 0u64..400, 2 => 0u64..20_000, 1 => 0u64..5_000_000]
}

fn counts() -> BoxedStrategy<Reading<Counts>> {
    let bad = prop_oneof![3 => Just(0u64), 2 => 0u64..20, 1 => 0u64..5_000];
    let one =
        (number(), bad.clone(), bad, reading(0.0..4_000.0f64)).prop_map(|(invocations, errors, throttles, p95_ms)| {
            Counts { invocations, errors: errors.min(invocations), throttles, p95_ms }
        });
    reading(one)
}

fn functions(size: std::ops::Range<usize>, name: &'static str) -> impl Strategy<Value = Vec<Function>> {
    vec((counts(), counts()), size).prop_map(move |all| {
        all.into_iter()
            .enumerate()
            .map(|(place, (before, after))| Function { name: format!("{name}{place}"), before, after })
            .collect()
    })
}

fn share() -> impl Strategy<Value = Share> {
    (prop_oneof![3 => Just(0u64), 1 => 0u64..50], 0u64..500).prop_map(|(bad, all)| Share { bad: bad.min(all), all })
}

fn proxy() -> impl Strategy<Value = Proxy> {
    (reading(share()), reading(share()), reading(0.0..300.0f64), reading(0.0..1.0f64), reading(90.0..100.0f64))
        .prop_map(|(refused, failed_setups, borrow_ms, pinned, available)| Proxy {
            refused,
            failed_setups,
            borrow_ms,
            pinned,
            available,
        })
}

fn evidence() -> impl Strategy<Value = Evidence> {
    (functions(1..5, "moved"), functions(0..4, "still"), proxy(), 1u32..30)
        .prop_map(|(moved, control, proxy, looks)| Evidence { moved, control, proxy, looks })
}

/// Whether everything that "not worse" rests on is there.
fn whole(evidence: &Evidence) -> bool {
    let counts = |reading: &Reading<Counts>| reading.known().is_some_and(|one| one.p95_ms.known().is_some());
    let proxy = &evidence.proxy;
    let shares = proxy.refused.known().is_some_and(|one| one.all > 0) && proxy.failed_setups.known().is_some();
    let values = [&proxy.borrow_ms, &proxy.pinned, &proxy.available].iter().all(|one| one.known().is_some());
    evidence.moved.iter().all(|one| counts(&one.before) && counts(&one.after)) && shares && values
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn absent_data_never_passes(evidence in evidence()) {
        let judgement = judge(&evidence);
        if matches!(judgement, Judgement::NotWorse { .. }) {
            prop_assert!(whole(&evidence), "{:?}", judgement);
        }
        if let Judgement::Unknown { gaps } = &judgement {
            prop_assert!(!gaps.is_empty() && gaps.iter().all(|gap| !gap.why.is_empty()));
        }
    }

    /// Whatever is taken from evidence that passes, the rest does not.
    #[test]
    fn taking_any_reading_away_ends_a_pass(evidence in evidence(), place in 0usize..9) {
        if !matches!(judge(&evidence), Judgement::NotWorse { .. }) {
            return Ok(());
        }
        let mut less = evidence;
        let gone = || "gone".to_owned();
        match place {
            0 => less.moved[0].before = Reading::Unreadable(gone()),
            1 => less.moved[0].after = Reading::NoData(gone()),
            2 | 3 => {
                let of = if place == 2 { &mut less.moved[0].before } else { &mut less.moved[0].after };
                if let Reading::Known(counts) = of { counts.p95_ms = Reading::NoData(gone()) }
            }
            4 => less.proxy.refused = Reading::NoData(gone()),
            5 => less.proxy.failed_setups = Reading::NoData(gone()),
            6 => less.proxy.borrow_ms = Reading::Unreadable(gone()),
            7 => less.proxy.pinned = Reading::NoData(gone()),
            _ => less.proxy.available = Reading::NoData(gone()),
        }
        prop_assert_eq!(judge(&less).word(), "unknown", "{}", place);
    }

    #[test]
    fn more_errors_never_turn_worse_into_anything_else(evidence in evidence(), more in 1u64..500, place in 0usize..5) {
        let before = judge(&evidence);
        let mut after = evidence;
        let place = place % after.moved.len();
        if let Reading::Known(counts) = &mut after.moved[place].after {
            counts.errors = (counts.errors + more).min(counts.invocations);
        }
        if matches!(before, Judgement::Worse { .. }) {
            prop_assert_eq!(judge(&after).word(), "worse");
        }
        // And what was open does not come to pass by failing more.
        if matches!(before, Judgement::Unknown { .. }) {
            prop_assert_ne!(judge(&after).word(), "not worse");
        }
    }

    #[test]
    fn more_refused_log_ins_never_turn_worse_into_anything_else(evidence in evidence(), more in 1u64..100) {
        let before = judge(&evidence);
        let mut after = evidence;
        if let Reading::Known(share) = &mut after.proxy.refused {
            share.bad = (share.bad + more).min(share.all);
        }
        if matches!(before, Judgement::Worse { .. }) {
            prop_assert_eq!(judge(&after).word(), "worse");
        }
    }

    #[test]
    fn the_order_of_functions_means_nothing(evidence in evidence(), seed in any::<u64>()) {
        let mut turned = evidence.clone();
        let by = usize::try_from(seed % 7).unwrap_or(0);
        let (moved, control) = (turned.moved.len(), turned.control.len().max(1));
        turned.moved.rotate_left(by % moved);
        turned.moved.reverse();
        if !turned.control.is_empty() { turned.control.rotate_left(by % control); }
        prop_assert_eq!(judge(&evidence), judge(&turned));
    }

    #[test]
    fn a_control_without_data_changes_nothing(evidence in evidence()) {
        let mut more = evidence.clone();
        let gone = || Reading::NoData("gone".to_owned());
        more.control.push(Function { name: "unknown".to_owned(), before: gone(), after: gone() });
        prop_assert_eq!(judge(&evidence), judge(&more));
    }
}

/// How often chance alone is called worse, counted over every number of failures by its probability.
#[test]
fn chance_alone_is_called_worse_less_often_than_stated() {
    let (all, share) = (300_u64, 0.02_f64);
    let probability = |bad: u64| {
        judge::statistics::binomial_at_least(bad, all, share)
            - judge::statistics::binomial_at_least(bad + 1, all, share)
    };
    let mut wrong = 0.0;
    for before in 0..30 {
        for after in 0..30 {
            let mut evidence = crate::evidence::fine();
            evidence.moved[0].before = crate::evidence::counts(all, before, 0, 120.0);
            evidence.moved[0].after = crate::evidence::counts(all, after, 0, 120.0);
            if matches!(judge(&evidence), Judgement::Worse { .. }) {
                wrong += probability(before) * probability(after);
            }
        }
    }
    // Even if each of the fifteen looks were a new chance.
    assert!(wrong > 0.0 && wrong * 15.0 < judge::ERROR_OF_A_WAVE, "{wrong}");
}

/// What a fault of one in ten or more comes to: seen in a minute of ten invocations a second.
#[test]
fn a_fault_of_one_in_ten_is_nearly_always_seen() {
    let (all, share) = (600_u64, 0.10_f64);
    let mut seen = 0.0;
    for after in 0..=all {
        let mut evidence = crate::evidence::fine();
        evidence.moved[0].after = crate::evidence::counts(all, after, 0, 120.0);
        if matches!(judge(&evidence), Judgement::Worse { .. }) {
            seen += judge::statistics::binomial_at_least(after, all, share)
                - judge::statistics::binomial_at_least(after + 1, all, share);
        }
    }
    assert!(seen > 0.999, "{seen}");
}
