//! Storms: many faults at random, all through `up` and `teardown`.

use sandbox::{Fault, Trigger, Trouble, World};

use crate::dice::{Dice, seeds};
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};

/// Of a hundred requests, how many meet each of the troubles.
const SHARE: f64 = 0.03;

/// Runs that a storm may take, at most.
const RUNS: usize = 60;

fn storm(world: &mut World, dice: &mut Dice) {
    let unavailable =
        Trouble::ErrorBefore { status: 503, code: "ServiceUnavailable".to_owned(), message: "Try again.".to_owned() };
    for trouble in [
        Trouble::Throttle,
        unavailable,
        Trouble::ErrorAfter,
        Trouble::DropBefore,
        Trouble::DropAfter,
        Trouble::Silence,
        Trouble::Stale(8),
        Trouble::Deny,
        Trouble::Slow(4_000),
    ] {
        let trigger = Trigger::Random { seed: dice.next(), rate: SHARE };
        world.faults.push(Fault::repeated(trigger, trouble, u32::MAX));
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: random storms of faults"]
async fn no_storm_of_faults_leaves_anything_else() {
    let (mut storms, mut runs) = (0, 0);
    for id in ["my-instance", "my-cluster"] {
        let clean = Bed::of(newcomer(), NEVER, false);
        let without = clean.dump().await;
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let with = clean.dump().await;
        for seed in seeds(20) {
            let mut dice = Dice::new(seed);
            let bed = Bed::of(newcomer(), NEVER, false);
            for (up, want) in [(true, &with), (false, &without)] {
                bed.gate.account.with(|world| storm(world, &mut dice));
                let mut last = Fate::Killed;
                for _ in 0..RUNS {
                    last = if up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
                    runs += 1;
                    if matches!(last, Fate::Done(())) {
                        break;
                    }
                }
                assert!(matches!(last, Fate::Done(())), "{id}, seed {seed}, up: {up}: {last:?}");
                bed.gate.account.with(|world| world.faults.clear());
                // A run that was shown an old state may have believed it: the next one sees what is.
                last = if up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
                assert!(matches!(last, Fate::Done(())), "{id}, seed {seed}, up: {up}: {last:?}");
                assert_eq!(bed.dump().await, *want, "{id}, seed {seed}, up: {up}");
                storms += 1;
            }
        }
    }
    say(&format!("{storms} storms of {:.0} % faults, {runs} runs", SHARE * 900.0));
}
