//! Values that others have published, and a second evaluator in whole numbers.

use judge::statistics::{binomial_at_least, fisher, upper_bound};
use judge::{FEWEST, MARGIN, RISK_OF_A_PASS};
use proptest::prelude::*;

fn near(is: f64, want: f64, within: f64) {
    assert!((is - want).abs() <= within, "{is} is not {want}");
}

/// The lady tasting tea (R. A. Fisher, The Design of Experiments, 1935, chapter II): 3 of 4 cups right; Penn State's
/// STAT 504 has the same table through R, p = 0.2429. All 4 right is 1 in 70.
#[test]
fn the_lady_tasting_tea() {
    near(fisher((1, 4), (3, 4)), 17.0 / 70.0, 1e-12);
    near(fisher((1, 4), (3, 4)), 0.2429, 5e-5);
    near(fisher((0, 4), (4, 4)), 1.0 / 70.0, 1e-13);
}

/// Convictions of like-sex twins of criminals (Fisher 1962), in R's documentation of `fisher.test`: 2 of 17 dizygotic
/// and 10 of 13 monozygotic, p = 0.0004652 one-sided.
#[test]
fn criminal_twins() {
    near(fisher((2, 17), (10, 13)), 0.000_465_2, 5e-8);
}

/// SciPy's documentation of `binomtest`: 3 of 15 at 0.1, alternative greater.
#[test]
fn an_exact_binomial_test() {
    near(binomial_at_least(3, 15, 0.1), 0.184_061_069_106_391_14, 1e-13);
}

/// SciPy's documentation of `BinomTestResult.proportion_ci`: 7 of 50, the upper end of 95 % two-sided, which is 97.5 %
/// one-sided.
#[test]
fn an_upper_bound_after_clopper_and_pearson() {
    near(upper_bound(7, 50, 0.025), 0.267_396_002_497_006_98, 1e-10);
}

/// Wilks (Annals of Mathematical Statistics 12, 1941): 59 samples for 95 % at 95 %, 29 for 90 %, 299 for 99 %, and 93
/// and 124 where one or two of them may lie beyond.
#[test]
fn sample_sizes_of_wilks() {
    for (bad, share, size) in [(0, 0.05, 59), (0, 0.10, 29), (0, 0.01, 299), (1, 0.05, 93), (2, 0.05, 124)] {
        assert!(upper_bound(bad, size, RISK_OF_A_PASS) <= share, "{bad} of {size}");
        assert!(upper_bound(bad, size - 1, RISK_OF_A_PASS) > share, "{bad} of {size} less one");
    }
    assert!(upper_bound(0, FEWEST, RISK_OF_A_PASS) <= MARGIN);
    assert!(upper_bound(0, FEWEST - 1, RISK_OF_A_PASS) > MARGIN);
}

/// Pascal's triangle.
fn choose(all: u64, some: u64) -> u128 {
    if some > all {
        return 0;
    }
    (0..some).fold(1_u128, |product, step| product * u128::from(all - step) / u128::from(step + 1))
}

#[expect(clippy::cast_precision_loss, reason = "only the ratio matters")]
fn ratio(part: u128, whole: u128) -> f64 {
    part as f64 / whole as f64
}

proptest! {
    /// Every table is counted one by one.
    #[test]
    fn fisher_is_the_count_of_tables(all_first in 0u64..40, all in 0u64..40, a in 0u64..40, b in 0u64..40) {
        let (bad_first, bad) = (a.min(all_first), b.min(all));
        let bad_total = bad_first + bad;
        let tables = |one: u64| if one > bad_total { 0 } else { choose(all, one) * choose(all_first, bad_total - one) };
        let extreme: u128 = (bad..=all).map(tables).sum();
        let want = ratio(extreme, choose(all + all_first, bad_total));
        let is = fisher((bad_first, all_first), (bad, all));
        prop_assert!((is - want).abs() <= 1e-9 * want.max(1e-6), "{} is not {}", is, want);
    }

    /// Large counts: the tails of two directions overlap in one term.
    #[test]
    fn large_counts_stay_numbers(
        a in 0u64..20_000, b in 0u64..20_000, more_first in 0u64..100_000_000, more in 0u64..100_000_000,
    ) {
        let p = fisher((a, a + more_first), (b, b + more));
        prop_assert!((0.0..=1.0).contains(&p), "{}", p);
        let other = fisher((b, b + more), (a, a + more_first));
        prop_assert!(p + other >= 1.0 - 1e-5, "{} and {}", p, other);
    }

    #[test]
    fn more_bad_ones_are_never_more_likely(bad_first in 0u64..50, rest in 0u64..2_000, all in 1u64..2_000, bad in 0u64..2_000) {
        let bad = bad.min(all - 1);
        let (first, few) = ((bad_first, bad_first + rest), fisher((bad_first, bad_first + rest), (bad, all)));
        prop_assert!(fisher(first, (bad + 1, all)) <= few * (1.0 + 1e-9));
    }

    #[test]
    fn a_bound_is_above_what_was_seen_and_falls_with_more_of_the_same(bad in 0u64..20, all in 20u64..500) {
        let bound = upper_bound(bad, all, RISK_OF_A_PASS);
        prop_assert!(bound >= judge::statistics::share(bad, all).unwrap());
        prop_assert!(upper_bound(bad * 2, all * 2, RISK_OF_A_PASS) <= bound + 1e-9);
        prop_assert!(upper_bound(bad, all, RISK_OF_A_PASS / 10.0) >= bound);
    }
}
