//! Chance that can be repeated, and that shrinks to the smallest case that fails.
//!
//! `RDSPROXY_TEST_CASES=5000` tries for long, `RDSPROXY_TEST_SEED=7` tries other cases. What fails is printed as the
//! case itself: the deeds of a walk, the moments of a race.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, RngSeed, TestError, TestRng, TestRunner};

/// Runs that are spent on making a failing case smaller: each takes about a second.
const SHRINKING: u32 = 100;

fn asked<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

/// Tries a few cases of `strategy`, or as many as were asked for, each under a virtual time of its own.
pub(crate) fn each<S: Strategy>(few: u32, strategy: &S, case: impl AsyncFn(S::Value)) {
    let cases = asked("RDSPROXY_TEST_CASES").unwrap_or(few);
    let tried = AtomicU32::new(0);
    let outcome = with(cases, SHRINKING, strategy, async |value| {
        tried.fetch_add(1, Ordering::SeqCst);
        case(value).await;
    });
    if let Err(TestError::Fail(why, smallest)) = &outcome {
        panic!("{why}\nthe smallest case that fails: {smallest:#?}");
    }
    outcome.unwrap();
    assert_eq!(tried.into_inner(), cases);
}

fn with<S: Strategy>(
    cases: u32,
    shrinking: u32,
    strategy: &S,
    case: impl AsyncFn(S::Value),
) -> Result<(), TestError<S::Value>> {
    let config = Config {
        cases,
        rng_seed: RngSeed::Fixed(asked("RDSPROXY_TEST_SEED").unwrap_or(0)),
        failure_persistence: None,
        max_shrink_iters: shrinking,
        ..Config::default()
    };
    TestRunner::new(config).run(strategy, |value| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(case(value));
        Ok(())
    })
}

/// How long answers take, by a seed that says nothing by being smaller.
pub(crate) fn lag() -> impl Strategy<Value = u64> {
    any::<u64>().no_shrink()
}

/// Nothing, some seconds, or some minutes.
pub(crate) fn moment() -> impl Strategy<Value = Duration> {
    prop_oneof![Just(0), 0..2_000_u64, 0..30_000_u64, 0..240_000_u64].prop_map(Duration::from_millis)
}

/// What a seed tells.
pub(crate) fn generator(seed: u64) -> TestRng {
    let mut bytes = [1; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRng::from_seed(RngAlgorithm::XorShift, &bytes)
}

#[test]
fn what_fails_is_made_small() {
    let strategy = prop::collection::vec(0..1_000_u32, 0..20);
    let outcome = with(200, 1_000, &strategy, async |numbers| {
        tokio::time::sleep(Duration::from_hours(1)).await;
        assert!(numbers.iter().all(|number| *number < 500), "a large one");
    });
    let Err(TestError::Fail(why, smallest)) = outcome else { panic!("nothing failed") };
    assert_eq!((smallest, why.message().contains("a large one")), (vec![500], true));
}
