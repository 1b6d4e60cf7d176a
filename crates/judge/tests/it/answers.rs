//! The three answers, case by case.

use judge::{Evidence, Judgement, Measure, Numbers, Reading, Share, Subject, judge};

use crate::evidence::{counts, fine, function, steady};

fn of(change: impl FnOnce(&mut Evidence)) -> Judgement {
    let mut evidence = fine();
    change(&mut evidence);
    judge(&evidence)
}

fn worse(judgement: &Judgement) -> Vec<(Subject, Measure)> {
    match judgement {
        Judgement::Worse { found, .. } => found.iter().map(|one| (one.subject.clone(), one.measure)).collect(),
        other => panic!("{other:?}"),
    }
}

fn reasons(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Unknown { gaps } => {
            let lines: Vec<String> = gaps.iter().map(|gap| format!("{}: {}", gap.subject, gap.why)).collect();
            lines.join("\n")
        }
        other => panic!("{other:?}"),
    }
}

fn first() -> Subject {
    Subject::Function("first".to_owned())
}

#[test]
fn what_goes_on_as_before_is_not_worse() {
    let Judgement::NotWorse { judged } = judge(&fine()) else { panic!("{:?}", judge(&fine())) };
    // Three measures of the function, five of the proxy.
    assert_eq!(judged.len(), 8);
}

#[test]
fn a_driver_that_cannot_log_in_shows_in_five_invocations() {
    let found = of(|all| all.moved[0].after = counts(5, 5, 0, 30.0));
    assert_eq!(worse(&found), [(first(), Measure::Errors)]);
    let Judgement::Worse { found, .. } = found else { unreachable!() };
    assert_eq!(found[0].numbers, Numbers::Shares { before: Some((3, 3_000)), after: (5, 5) });
    let p = found[0].p_value.unwrap();
    assert!(p < 1e-10 && p < found[0].limit.unwrap(), "{p}");
}

#[test]
fn a_rise_below_one_in_a_hundred_is_not_worse_however_certain() {
    let many = of(|all| {
        all.moved[0].before = counts(10_000_000, 1_000, 0, 120.0);
        all.moved[0].after = counts(1_000_000, 5_000, 0, 120.0);
    });
    assert!(matches!(many, Judgement::NotWorse { .. }), "{many:?}");
}

#[test]
fn one_failure_among_few_is_neither() {
    let why = reasons(&of(|all| all.moved[0].after = counts(60, 1, 0, 120.0)));
    assert!(why.contains("60 invocations since the change, 1 of them with errors"), "{why}");
}

#[test]
fn the_fewest_invocations_are_fifty_nine() {
    let answer = |after| of(|all| all.moved[0].after = counts(after, 0, 0, 120.0));
    assert!(matches!(answer(59), Judgement::NotWorse { .. }));
    assert!(matches!(answer(58), Judgement::Unknown { .. }) && answer(58).passes());
    let before = of(|all| all.moved[0].before = counts(58, 0, 0, 120.0));
    assert!(matches!(before, Judgement::Unknown { .. }) && !before.passes(), "{before:?}");
}

#[test]
fn throttles_count_by_themselves() {
    let found = of(|all| all.moved[0].after = counts(300, 0, 60, 120.0));
    assert_eq!(worse(&found), [(first(), Measure::Throttles)]);
}

#[test]
fn a_function_that_is_only_throttled_since_is_worse() {
    let found = of(|all| all.moved[0].after = counts(0, 0, 60, 0.0));
    assert_eq!(worse(&found), [(first(), Measure::Throttles)]);
}

#[test]
fn longer_is_worse_by_half_and_by_fifty_milliseconds() {
    let p95 = |was: f64, is: f64| {
        of(|all| {
            all.moved[0].before = counts(3_000, 0, 0, was);
            all.moved[0].after = counts(300, 0, 0, is);
        })
    };
    assert_eq!(worse(&p95(200.0, 300.0)), [(first(), Measure::Duration)]);
    assert!(matches!(p95(200.0, 299.0), Judgement::NotWorse { .. }));
    // Four times as long, and nobody notices.
    assert!(matches!(p95(10.0, 40.0), Judgement::NotWorse { .. }));
    assert_eq!(worse(&p95(10.0, 60.0)), [(first(), Measure::Duration)]);
}

/// The database is down for everyone.
#[test]
fn a_fault_of_the_whole_account_is_not_blamed_on_the_proxy() {
    let why = reasons(&of(|all| {
        all.moved[0].after = counts(300, 90, 0, 120.0);
        all.control = vec![function("other", counts(3_000, 3, 0, 100.0), counts(300, 93, 0, 100.0))];
    }));
    assert!(why.contains("so did those of functions that have not moved"), "{why}");
    let slow = reasons(&of(|all| {
        all.moved[0].after = counts(300, 0, 0, 400.0);
        all.control = vec![function("other", counts(3_000, 3, 0, 100.0), counts(300, 0, 0, 320.0))];
    }));
    assert!(slow.contains("so do functions that have not moved"), "{slow}");
}

#[test]
fn what_goes_beyond_a_fault_of_the_account_is_the_proxys() {
    let found = of(|all| {
        all.moved[0].after = counts(300, 290, 0, 120.0);
        all.control = vec![function("other", counts(3_000, 3, 0, 100.0), counts(300, 30, 0, 100.0))];
    });
    assert_eq!(worse(&found), [(first(), Measure::Errors)]);
}

/// A function that always fails often is no excuse for another.
#[test]
fn errors_that_were_there_before_excuse_nothing() {
    let found = of(|all| {
        all.moved[0].after = counts(300, 60, 0, 120.0);
        all.control = vec![function("other", counts(3_000, 900, 0, 100.0), counts(300, 90, 0, 100.0))];
    });
    assert_eq!(worse(&found), [(first(), Measure::Errors)]);
}

#[test]
fn the_proxy_has_limits_of_its_own() {
    type Change = fn(&mut judge::Proxy);
    let cases: [(Change, Measure); 5] = [
        (|proxy| proxy.refused = Reading::Known(Share { bad: 3, all: 3 }), Measure::RefusedLogins),
        (|proxy| proxy.failed_setups = Reading::Known(Share { bad: 4, all: 10 }), Measure::FailedSetups),
        (|proxy| proxy.borrow_ms = Reading::Known(250.0), Measure::BorrowLatency),
        (|proxy| proxy.pinned = Reading::Known(0.9), Measure::Pinned),
        (|proxy| proxy.available = Reading::Known(80.0), Measure::Availability),
    ];
    for (change, measure) in cases {
        assert_eq!(worse(&of(|all| change(&mut all.proxy))), [(Subject::Proxy, measure)]);
    }
    let one = of(|all| all.proxy.refused = Reading::Known(Share { bad: 1, all: 2 }));
    assert!(reasons(&one).contains("1 of 2, too few to distinguish"), "{one:?}");
}

#[test]
fn every_answer_is_a_word_and_a_document() {
    let text = |judgement: &Judgement| format!("{judgement:?} {}", judgement.word());
    assert!(text(&judge(&fine())).ends_with("not worse"));
    assert!(text(&of(|all| all.moved.clear())).ends_with("unknown"));
    assert!(
        text(&of(|all| all.moved.push(function("second", counts(900, 0, 0, 1.0), counts(9, 9, 0, 1.0)))))
            .ends_with(" worse")
    );
    assert!(steady("x").before.known().is_some());
}
