//! Law 8: several runs at once over one account, in seeded interleavings.

use sandbox::Logged;

use crate::dice::{Dice, seeds};
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};
use crate::shape::{difference, shape};

const DATABASES: [&str; 2] = ["my-instance", "my-cluster"];

/// One run among several: it begins after a while, and its answers take unequal time.
async fn up(bed: &Bed, id: &str, dice: &mut Dice) -> Fate<()> {
    let bed = bed.beside(NEVER, false, dice.next());
    dice.wait().await;
    bed.up(&wish(id)).await.map(drop)
}

async fn down(bed: &Bed, id: &str, dice: &mut Dice) -> Fate<()> {
    let bed = bed.beside(NEVER, false, dice.next());
    dice.wait().await;
    bed.down(&wish(id)).await
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: random interleavings"]
async fn law_8_ups_at_once_converge_on_one_set() {
    for id in DATABASES {
        let clean = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let want = shape(&clean.settled().await);
        for seed in seeds(16) {
            let mut dice = Dice::new(seed);
            let bed = Bed::of(newcomer(), NEVER, false);
            let many = 2 + dice.below(3);
            let mut runs: Vec<Dice> = (0..many).map(|_| dice.fork()).collect();
            let fates = futures(runs.iter_mut().map(|dice| up(&bed, id, dice))).await;
            assert!(fates.iter().all(|fate| matches!(fate, Fate::Done(()))), "{id}, seed {seed}: {fates:#?}");
            let lines = difference(&shape(&bed.settled().await), &want);
            assert!(lines.is_empty(), "{id}, seed {seed}: {}", lines.join("\n"));
            let written = bed.gate.account.with(|world| {
                let written = |call: &&Logged| call.action == "UpdateFunctionConfiguration" && call.error.is_none();
                world.log.iter().filter(written).count()
            });
            assert_eq!(written, 2, "{id}, seed {seed}: each function is written once");
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: random interleavings"]
async fn law_8_teardowns_at_once_leave_nothing() {
    for id in DATABASES {
        let clean = Bed::of(newcomer(), NEVER, false);
        let want = shape(&clean.settled().await);
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let start = clean.settled().await;
        for seed in seeds(16) {
            let mut dice = Dice::new(seed);
            let bed = Bed::of(start.clone(), NEVER, false);
            let many = 2 + dice.below(3);
            let mut runs: Vec<Dice> = (0..many).map(|_| dice.fork()).collect();
            let fates = futures(runs.iter_mut().map(|dice| down(&bed, id, dice))).await;
            assert!(fates.iter().all(|fate| matches!(fate, Fate::Done(()))), "{id}, seed {seed}: {fates:#?}");
            let lines = difference(&shape(&bed.settled().await), &want);
            assert!(lines.is_empty(), "{id}, seed {seed}: {}", lines.join("\n"));
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: random interleavings"]
async fn law_8_ups_and_teardowns_at_once_lose_nothing() {
    let (mut done, mut stopped) = (0, 0);
    for id in DATABASES {
        let clean = Bed::of(newcomer(), NEVER, false);
        let without = shape(&clean.settled().await);
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let start = clean.settled().await;
        let with = shape(&start);
        for seed in seeds(24) {
            let mut dice = Dice::new(seed);
            let bed = Bed::of(if dice.below(2) == 0 { newcomer() } else { start.clone() }, NEVER, false);
            let mut ups: Vec<Dice> = (0..=dice.below(2)).map(|_| dice.fork()).collect();
            let mut downs: Vec<Dice> = (0..=dice.below(2)).map(|_| dice.fork()).collect();
            let (ups, downs) = tokio::join!(
                futures(ups.iter_mut().map(|dice| up(&bed, id, dice))),
                futures(downs.iter_mut().map(|dice| down(&bed, id, dice))),
            );
            for fate in ups.iter().chain(&downs) {
                match fate {
                    Fate::Done(()) => done += 1,
                    Fate::Stopped(why) => {
                        stopped += 1;
                        assert!(why.contains(": "), "{id}, seed {seed}: {why}");
                    }
                    Fate::Killed => unreachable!("nothing is killed here"),
                }
            }
            let last_up = dice.below(2) == 0;
            let fate = if last_up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
            let before = format!("{ups:?} {downs:?}");
            assert!(matches!(fate, Fate::Done(())), "{id}, seed {seed}: {fate:?} after {before}");
            let lines = difference(&shape(&bed.settled().await), if last_up { &with } else { &without });
            assert!(lines.is_empty(), "{id}, seed {seed}, up: {last_up}: {} after {before}", lines.join("\n"));
        }
    }
    say(&format!("ups and teardowns at once: {done} done, {stopped} stopped with a reason"));
}

/// Whatever points a function at the proxy while a teardown is under way: no function is left at a proxy that is gone.
#[tokio::test(start_paused = true)]
async fn law_8_a_function_that_is_pointed_at_the_proxy_during_a_teardown_is_not_lost() {
    let clean = Bed::of(newcomer(), NEVER, false);
    let want = shape(&clean.settled().await);
    assert!(matches!(clean.up(&wish("my-instance")).await, Fate::Done(_)));
    let start = clean.settled().await;
    let torn = Bed::of(start.clone(), NEVER, false);
    assert!(matches!(torn.down(&wish("my-instance")).await, Fate::Done(())));
    for call in 0..torn.calls() {
        let bed = Bed::of(start.clone(), NEVER, false);
        let before = start.clone();
        bed.meanwhile(call, move |world| {
            for (name, function) in &mut world.lambda.functions {
                let pointed = &before.lambda.functions[name].latest;
                if function.latest.environment != pointed.environment {
                    function.latest.environment.clone_from(&pointed.environment);
                    function.latest.revision = format!("0f6d8a52-0000-4000-8000-{:012}", name.len());
                }
            }
        });
        drop(bed.down(&wish("my-instance")).await);
        let fate = bed.down(&wish("my-instance")).await;
        assert!(matches!(fate, Fate::Done(())), "before call {call}: {fate:?}");
        let lines = difference(&shape(&bed.settled().await), &want);
        assert!(lines.is_empty(), "before call {call}: {}", lines.join("\n"));
    }
}

/// All of them, interleaved.
async fn futures<T>(all: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.map(Box::pin).collect();
    let mut results: Vec<Option<T>> = all.iter().map(|_| None).collect();
    std::future::poll_fn(|context| {
        for (future, result) in all.iter_mut().zip(&mut results) {
            if result.is_none()
                && let std::task::Poll::Ready(done) = future.as_mut().poll(context)
            {
                *result = Some(done);
            }
        }
        if results.iter().all(Option::is_some) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    results.into_iter().flatten().collect()
}
