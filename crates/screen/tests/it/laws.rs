//! Laws over any readings at any size: nothing panics, and every number shown is one that was given.

use std::collections::BTreeSet;

use proptest::prelude::*;
use screen::{Function, Point, Proxy, Reading, Series, Side, Target, View};

use crate::world::{NOON, shown};

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => (0_u32..20_000).prop_map(f64::from),
        1 => (0_u32..20_000).prop_map(|value| f64::from(value) / 7.0),
        1 => any::<f64>(),
        1 => Just(0.0),
    ]
}

fn series() -> impl Strategy<Value = Series> {
    let point = (prop_oneof![9 => 0_i64..60, 1 => -100_i64..100], value());
    let points = proptest::collection::vec(point, 0..70).prop_map(|points| {
        Series::Read(points.into_iter().map(|(minute, value)| Point { at: NOON + minute * 60, value }).collect())
    });
    prop_oneof![6 => points, 1 => "[a-zé表 ]{0,60}".prop_map(Series::Unread)]
}

fn target() -> impl Strategy<Value = Target> {
    let word = || proptest::option::of("[A-Z_]{1,14}");
    ("[a-z-]{1,63}", word(), word(), word()).prop_map(|(id, role, state, reason)| Target { id, role, state, reason })
}

fn function() -> impl Strategy<Value = Function> {
    let side = prop_oneof![Just(Side::Proxy), Just(Side::Database), Just(Side::Both), Just(Side::Neither)];
    ("[A-Za-z_-]{1,64}", side, series(), series()).prop_map(|(name, side, invocations, errors)| Function {
        name,
        side,
        invocations,
        errors,
    })
}

fn reading() -> impl Strategy<Value = Reading> {
    let five = || (series(), series(), series(), series(), series());
    let metrics = (five(), five()).prop_map(|((clients, connections, allowed, borrowed, pinned), rest)| {
        let (wait, refused, failed, queries, available) = rest;
        Proxy { clients, connections, allowed, borrowed, pinned, wait, refused, failed, queries, available }
    });
    let targets = prop_oneof![
        8 => proptest::collection::vec(target(), 0..6).prop_map(Ok),
        1 => "[a-z ]{0,60}".prop_map(Err)
    ];
    let functions = prop_oneof![
        8 => proptest::collection::vec(function(), 0..12).prop_map(Ok),
        1 => "[a-z ]{0,60}".prop_map(Err)
    ];
    ("[a-z-]{1,63}", "[a-z-]{1,63}", metrics, targets, functions, (0_usize..400, 0_usize..4), -100_i64..10_000)
        .prop_map(|(proxy, database, metrics, targets, functions, (left_out, hidden), at)| Reading {
            proxy,
            database,
            region: "eu-central".to_owned(),
            at: NOON + at,
            metrics,
            targets,
            functions,
            left_out,
            hidden,
        })
}

/// The numbers in a text, as a person reads them: digits with what is between them.
fn numbers(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut number = String::new();
    let chars: Vec<char> = text.chars().collect();
    for (at, c) in chars.iter().enumerate() {
        let digit_next = chars.get(at + 1).is_some_and(char::is_ascii_digit);
        let within = !number.is_empty() && matches!(c, '.' | ',' | ':' | 'e') && digit_next;
        if c.is_ascii_digit() || within || (*c == '-' && digit_next) {
            number.push(*c);
        } else if !number.is_empty() {
            found.push(std::mem::take(&mut number));
        }
    }
    found.extend((!number.is_empty()).then_some(number));
    found
}

/// A count with its thousands apart.
fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text: Vec<char> = Vec::new();
    for (at, digit) in digits.chars().rev().enumerate() {
        if at > 0 && at % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text.extend((value < 0.0).then_some('-'));
    text.into_iter().rev().collect()
}

/// Every way in which the numbers of a reading may be written: written here a second time, and plainly.
fn given(reading: &Reading, view: &View, columns: u16) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    let mut texts = Vec::new();
    let mut number = |value: f64| {
        for scale in [1.0, 1e3, 1e6] {
            for text in
                [format!("{:.1}", value / scale), format!("{:.0}", value / scale), format!("{:.1e}", value / scale)]
            {
                texts.push(text);
            }
        }
        texts.push(grouped(value));
        // Percentages are cut after the first decimal, and what is tiny is below 0.1.
        texts.push(format!("{}", (value * 10.0 + 1e-9).floor() / 10.0));
        texts.push(format!("{:.1}", (value * 10.0 + 1e-9).floor() / 10.0));
        texts.push(format!("{:.0}", (value * 10.0 + 1e-9).floor() / 10.0));
        texts.push("0.1".to_owned());
    };
    let metrics = &reading.metrics;
    let of_functions: Vec<&Series> =
        reading.functions.iter().flatten().flat_map(|found| [&found.invocations, &found.errors]).collect();
    let all = [
        &metrics.clients,
        &metrics.connections,
        &metrics.allowed,
        &metrics.borrowed,
        &metrics.pinned,
        &metrics.wait,
        &metrics.refused,
        &metrics.failed,
        &metrics.queries,
        &metrics.available,
    ];
    let finite = |series: &Series| -> Vec<Point> {
        series.points().iter().copied().filter(|point| point.value.is_finite()).collect()
    };
    let newest = all.iter().chain(&of_functions).flat_map(|series| finite(series)).map(|point| point.at).max();
    // What is shown as a metric's value is its newest point and no other.
    let last = |series: &Series| {
        let points = finite(series);
        let at = points.iter().map(|point| point.at).max();
        points.into_iter().filter(move |point| Some(point.at) == at).map(|point| point.value).collect::<Vec<f64>>()
    };
    for series in all {
        last(series).into_iter().for_each(&mut number);
    }
    for (of, whole) in [(&metrics.connections, &metrics.allowed), (&metrics.pinned, &metrics.connections)] {
        for part in last(of) {
            for whole in finite(whole) {
                number(part / whole.value * 100.0);
            }
        }
    }
    // Sums over the functions that there is no room for: any of them, those that fail first.
    let mut ordered: Vec<&Function> = reading.functions.iter().flatten().collect();
    ordered.sort_by_key(|found| found.errors.total().is_none_or(|errors| errors <= 0.0));
    for begin in 0..ordered.len() {
        for pick in
            [(|found: &Function| found.invocations.clone()) as fn(&Function) -> Series, |found| found.errors.clone()]
        {
            let current = |found: &&Function| match pick(found).now(newest) {
                screen::reading::Now::Known(point) => Some(point.value),
                screen::reading::Now::Unknown(_) => None,
            };
            number(ordered[begin..].iter().filter_map(current).sum());
            number(ordered[begin..].iter().rev().filter_map(current).sum());
        }
    }
    for series in of_functions {
        last(series).into_iter().for_each(&mut number);
        series.total().into_iter().for_each(&mut number);
    }
    for count in 0..=reading.functions.as_ref().map_or(0, Vec::len) {
        texts.push(count.to_string());
    }
    texts.extend([reading.left_out, reading.hidden].map(|count| count.to_string()));
    texts.push(view.metrics.to_string());
    texts.extend(view.next_in.map(|seconds| seconds.to_string()));
    texts.extend((8..=60.min(columns)).map(|minutes| minutes.to_string()));
    let time = |at: i64| {
        let second = at.rem_euclid(86_400);
        let minute = format!("{:02}:{:02}", second / 3_600, second / 60 % 60);
        [format!("{minute}:{:02}", second % 60), minute]
    };
    for at in all.iter().flat_map(|series| finite(series)).map(|point| point.at).chain(newest).chain([reading.at]) {
        texts.extend(time(at));
    }
    for at in reading.functions.iter().flatten().flat_map(|found| finite(&found.invocations)).map(|point| point.at) {
        texts.extend(time(at));
    }
    if let Some(newest) = newest {
        let age = view.now - newest;
        texts.extend([age, age / 60, age / 3_600].map(|age| age.to_string()));
    }
    known.extend(texts.iter().flat_map(|text| numbers(text)));
    known
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn every_number_that_is_shown_was_given(
        reading in reading(), columns in 1_u16..200, rows in 1_u16..60, ahead in -100_i64..20_000, next in proptest::option::of(0_u64..61),
    ) {
        let view = View { now: reading.at + ahead, next_in: next, metrics: 32, color: ahead % 2 == 0 };
        let text = shown(&reading, &view, columns, rows);
        prop_assert_eq!(text.lines().count(), usize::from(rows));
        let known = given(&reading, &view, columns);
        for number in text.lines().flat_map(numbers) {
            prop_assert!(known.contains(&number), "{} was not given:\n{}", number, text);
        }
        // The other forms bear any reading, too.
        prop_assert!(!screen::line(&reading).is_empty() && serde_json::to_value(screen::document(&reading)).unwrap().is_object());
        prop_assert!(screen::once(&reading).len() > 10 && screen::reasons(&reading).len() < 40);
    }
}
