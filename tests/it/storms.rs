//! Storms: many faults at random, all through `up` and `teardown`.

use std::sync::atomic::{AtomicUsize, Ordering};

use proptest::prelude::*;
use sandbox::{Fault, Trigger, Trouble, World};

use crate::chance::{each, lag};
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};

/// Of a hundred requests, how many meet each of the troubles.
const SHARE: f64 = 0.03;

/// Runs that a storm may take, at most.
const RUNS: usize = 60;

const TROUBLES: usize = 9;

fn troubles() -> [Trouble; TROUBLES] {
    let unavailable =
        Trouble::ErrorBefore { status: 503, code: "ServiceUnavailable".to_owned(), message: "Try again.".to_owned() };
    [
        Trouble::Throttle,
        unavailable,
        Trouble::ErrorAfter,
        Trouble::DropBefore,
        Trouble::DropAfter,
        Trouble::Silence,
        Trouble::Stale(8),
        Trouble::Deny,
        Trouble::Slow(4_000),
    ]
}

/// Which troubles there are, and whom each hits.
fn storm() -> impl Strategy<Value = Vec<Option<u64>>> {
    prop::collection::vec(prop::option::weighted(0.95, lag()), TROUBLES)
}

fn breaks_out(world: &mut World, storm: &[Option<u64>]) {
    for (trouble, seed) in troubles().into_iter().zip(storm) {
        if let Some(seed) = *seed {
            world.faults.push(Fault::repeated(Trigger::Random { seed, rate: SHARE }, trouble, u32::MAX));
        }
    }
}

#[test]
#[ignore = "full tier: random storms of faults"]
fn no_storm_of_faults_leaves_anything_else() {
    let (storms, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let databases = prop::sample::select(vec!["my-instance", "my-cluster"]);
    each(40, &(databases, storm(), storm()), async |(id, first, second)| {
        let clean = Bed::of(newcomer(), NEVER, false);
        let without = clean.dump().await;
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let with = clean.dump().await;
        let bed = Bed::of(newcomer(), NEVER, false);
        for (up, storm, want) in [(true, &first, &with), (false, &second, &without)] {
            bed.gate.account.with(|world| breaks_out(world, storm));
            let mut last = Fate::Killed;
            for _ in 0..RUNS {
                last = if up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
                runs.fetch_add(1, Ordering::SeqCst);
                if matches!(last, Fate::Done(())) {
                    break;
                }
            }
            assert!(matches!(last, Fate::Done(())), "up: {up}: {last:?}");
            bed.gate.account.with(|world| world.faults.clear());
            // A run that was shown an old state may have believed it: the next one sees what is.
            last = if up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
            assert!(matches!(last, Fate::Done(())), "up: {up}: {last:?}");
            assert_eq!(bed.dump().await, *want, "up: {up}");
            storms.fetch_add(1, Ordering::SeqCst);
        }
    });
    say(&format!("{storms:?} storms, each trouble in {:.0} % of the requests, {runs:?} runs", SHARE * 100.0));
}
