//! Who moves when.

use std::collections::BTreeSet;

use judge::waves::{Candidate, Invalid, Share, divide, order, parse};
use proptest::collection::vec;
use proptest::prelude::*;

fn names(count: usize) -> Vec<String> {
    (0..count).map(|place| format!("f{place}")).collect()
}

#[test]
fn waves_are_read() {
    assert_eq!(parse("1,25%,100%").unwrap(), [Share::Functions(1), Share::Percent(25), Share::Percent(100)]);
    assert_eq!(parse(" 100% ").unwrap(), [Share::Percent(100)]);
    let part = |text: &str| matches!(parse(text), Err(Invalid::Part(_)));
    for text in [
        "",
        "1,,100%",
        "0,100%",
        "0%,100%",
        "101%",
        "-1,100%",
        "+1,100%",
        "1.5,100%",
        "one,100%",
        "1 %,100%",
        "99999999999,100%",
    ] {
        assert!(part(text), "{text}: {:?}", parse(text));
    }
    for text in ["1", "1,25%", "50%"] {
        assert_eq!(parse(text), Err(Invalid::Unfinished), "{text}");
    }
    for text in ["2,1,100%", "1,1,100%", "50%,25%,100%", "100%,100%", "100%,5"] {
        assert!(matches!(parse(text), Err(Invalid::NotRising(..))), "{text}: {:?}", parse(text));
    }
}

#[test]
fn shares_are_rounded_up() {
    assert_eq!(Share::Percent(25).of(5), 2);
    assert_eq!(Share::Percent(1).of(3), 1);
    assert_eq!(Share::Percent(1).of(0), 0);
    assert_eq!(Share::Functions(7).of(5), 5);
}

#[test]
fn the_least_traffic_goes_first_and_no_traffic_last() {
    let of = |name: &str, traffic| Candidate { name: name.to_owned(), traffic };
    let all =
        [of("idle", Some(0)), of("busy", Some(9_000)), of("unknown", None), of("small", Some(3)), of("same", Some(3))];
    assert_eq!(order(&all, None), ["same", "small", "busy", "idle", "unknown"]);
    assert_eq!(order(&all, Some("busy"))[0], "busy");
    assert_eq!(order(&all, Some("absent")), order(&all, None));
}

#[test]
fn ten_functions_go_in_three_waves_and_one_in_one() {
    let waves = parse("1,25%,100%").unwrap();
    let sizes =
        |count: usize, moved: usize| divide(&names(count), moved, &waves).iter().map(Vec::len).collect::<Vec<_>>();
    assert_eq!(sizes(10, 0), [1, 2, 7]);
    assert_eq!(sizes(2, 0), [1, 1]);
    assert_eq!(sizes(1, 0), [1]);
    assert_eq!(sizes(0, 0), [0; 0]);
    // Resumed: one, or three, or four of ten are there.
    assert_eq!(sizes(9, 1), [2, 7]);
    assert_eq!(sizes(7, 3), [7]);
    assert_eq!(sizes(6, 4), [6]);
}

fn shares() -> impl Strategy<Value = Vec<Share>> {
    let share = prop_oneof![(1u32..50).prop_map(Share::Functions), (1u8..=100).prop_map(Share::Percent)];
    vec(share, 0..6)
}

proptest! {
    #[test]
    fn every_function_is_in_exactly_one_wave(count in 0usize..200, moved in 0usize..50, shares in shares()) {
        let left = names(count);
        let divided = divide(&left, moved, &shares);
        prop_assert!(divided.iter().all(|wave| !wave.is_empty()));
        prop_assert_eq!(divided.concat(), left);
    }

    /// A run that ends after any wave and is resumed moves in the same waves.
    #[test]
    fn a_resumed_run_has_the_same_waves(count in 1usize..100, shares in shares(), cut in 0usize..6) {
        let left = names(count);
        let all = divide(&left, 0, &shares);
        let cut = cut.min(all.len());
        let moved: usize = all.iter().take(cut).map(Vec::len).sum();
        prop_assert_eq!(divide(&left[moved..], moved, &shares), all[cut..].to_vec());
    }

    #[test]
    fn the_order_holds_everyone_once(traffic in vec(proptest::option::of(0u64..50), 0..40), first in 0usize..40) {
        let all: Vec<Candidate> = traffic.iter().enumerate()
            .map(|(place, traffic)| Candidate { name: format!("f{place}"), traffic: *traffic }).collect();
        let sorted = order(&all, Some(&format!("f{first}")));
        prop_assert_eq!(sorted.len(), all.len());
        prop_assert_eq!(sorted.iter().collect::<BTreeSet<_>>().len(), all.len());
        let mut turned = all.clone();
        turned.reverse();
        prop_assert_eq!(&order(&turned, Some(&format!("f{first}"))), &sorted);
        // The first has some traffic where any has.
        if first >= all.len() && all.iter().any(|one| one.traffic.is_some_and(|traffic| traffic > 0)) {
            let of = all.iter().find(|one| one.name == sorted[0]).unwrap();
            prop_assert!(of.traffic.is_some_and(|traffic| traffic > 0));
        }
    }

    #[test]
    fn what_is_valid_rises_and_ends_with_everything(text in "[0-9]{1,3}%?(,[0-9]{1,3}%?){0,4}") {
        if let Ok(shares) = parse(&text) {
            prop_assert_eq!(shares.last(), Some(&Share::Percent(100)));
            prop_assert_eq!(parse(&format!("1,{text}")).is_ok(), !matches!(shares[0], Share::Functions(1)));
        }
    }
}
