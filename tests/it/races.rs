//! Law 8: several runs at once over one account, in ever other interleavings.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use sandbox::{Logged, World};
use serde_json::Value;

use crate::canary::leads_somewhere;
use crate::chance::{each, lag, moment};
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};
use crate::shape::{difference, shape};
use crate::walks::Verb;

const DATABASES: [&str; 2] = ["my-instance", "my-cluster"];

/// One run among several: it begins after a while, and its answers take unequal time.
#[derive(Debug, Clone, Copy)]
struct Start {
    after: Duration,
    lag: u64,
}

fn starts(many: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = Vec<Start>> {
    prop::collection::vec((moment(), lag()).prop_map(|(after, lag)| Start { after, lag }), many)
}

fn database() -> impl Strategy<Value = &'static str> {
    prop::sample::select(DATABASES.to_vec())
}

async fn up(bed: &Bed, id: &str, start: Start) -> Fate<()> {
    let bed = bed.beside(NEVER, false, start.lag);
    tokio::time::sleep(start.after).await;
    bed.up(&wish(id)).await.map(drop)
}

async fn down(bed: &Bed, id: &str, start: Start) -> Fate<()> {
    let bed = bed.beside(NEVER, false, start.lag);
    tokio::time::sleep(start.after).await;
    bed.down(&wish(id)).await
}

/// An account with the stack of a database, and the shape of one without it.
async fn with_and_without(id: &str) -> (World, Value) {
    let clean = Bed::of(newcomer(), NEVER, false);
    let without = shape(&clean.settled().await);
    assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
    (clean.settled().await, without)
}

#[test]
#[ignore = "full tier: random interleavings"]
fn law_8_ups_at_once_converge_on_one_set() {
    each(32, &(database(), starts(2..=4)), async |(id, runs)| {
        let (with, _) = with_and_without(id).await;
        let bed = Bed::of(newcomer(), NEVER, false);
        let fates = futures(runs.iter().map(|start| up(&bed, id, *start))).await;
        assert!(fates.iter().all(|fate| matches!(fate, Fate::Done(()))), "{fates:#?}");
        let lines = difference(&shape(&bed.settled().await), &shape(&with));
        assert!(lines.is_empty(), "{}", lines.join("\n"));
        let written = bed.gate.account.with(|world| {
            let written = |call: &&Logged| call.action == "UpdateFunctionConfiguration" && call.error.is_none();
            world.log.iter().filter(written).count()
        });
        assert_eq!(written, 2, "each function is written once");
    });
}

#[test]
#[ignore = "full tier: random interleavings"]
fn law_8_teardowns_at_once_leave_nothing() {
    each(32, &(database(), starts(2..=4)), async |(id, runs)| {
        let (with, without) = with_and_without(id).await;
        let bed = Bed::of(with, NEVER, false);
        let fates = futures(runs.iter().map(|start| down(&bed, id, *start))).await;
        assert!(fates.iter().all(|fate| matches!(fate, Fate::Done(()))), "{fates:#?}");
        let lines = difference(&shape(&bed.settled().await), &without);
        assert!(lines.is_empty(), "{}", lines.join("\n"));
    });
}

/// Whether an error says what was being done, to which thing, and why it failed.
fn is_precise(error: &str) -> bool {
    let Some((doing, why)) = error.split_once("): ") else { return false };
    let Some((verb, thing)) = doing.split_once(" (") else { return false };
    let first = verb.split(' ').next().unwrap_or_default();
    let named = why.split_once(" answered ").is_none_or(|(call, code)| {
        let operation = call.rsplit(' ').next().unwrap_or_default();
        operation.contains(':') && code.contains(": ")
    });
    first.ends_with("ing") && !thing.is_empty() && why.contains(' ') && named
}

#[test]
fn a_precise_error_is_told_from_a_vague_one() {
    for precise in [
        "creating the proxy (x-proxy): rds:CreateDBProxy answered DBProxyAlreadyExistsFault: it exists",
        "deleting the proxy's role (x): still in use after 120 s",
    ] {
        assert!(is_precise(precise), "{precise}");
    }
    for vague in
        ["error: something", "creating the proxy: no", "creating the proxy (): no way", "creating (x): rds answered no"]
    {
        assert!(!is_precise(vague), "{vague}");
    }
}

/// Counts how a run ended; one that stopped says why, precisely.
fn tally(fate: &Fate<()>, done: &AtomicUsize, stopped: &AtomicUsize) {
    match fate {
        Fate::Done(()) => done.fetch_add(1, Ordering::SeqCst),
        Fate::Stopped(why) => {
            assert!(is_precise(why), "{why}");
            stopped.fetch_add(1, Ordering::SeqCst)
        }
        Fate::Killed => unreachable!("nothing is killed here"),
    };
}

#[test]
#[ignore = "full tier: random interleavings"]
fn law_8_ups_and_teardowns_at_once_lose_nothing() {
    let (done, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let strategy = (database(), any::<bool>(), starts(1..=2), starts(1..=2), any::<bool>());
    each(48, &strategy, async |(id, fresh, ups, downs, last_up)| {
        let (with, without) = with_and_without(id).await;
        let bed = Bed::of(if fresh { newcomer() } else { with.clone() }, NEVER, false);
        let (ups, downs) = tokio::join!(
            futures(ups.iter().map(|start| up(&bed, id, *start))),
            futures(downs.iter().map(|start| down(&bed, id, *start))),
        );
        for fate in ups.iter().chain(&downs) {
            tally(fate, &done, &stopped);
        }
        let fate = if last_up { bed.up(&wish(id)).await.map(drop) } else { bed.down(&wish(id)).await };
        let before = format!("{ups:?} {downs:?}");
        assert!(matches!(fate, Fate::Done(())), "{fate:?} after {before}");
        let want = if last_up { shape(&with) } else { without };
        let lines = difference(&shape(&bed.settled().await), &want);
        assert!(lines.is_empty(), "{} after {before}", lines.join("\n"));
    });
    say(&format!("ups and teardowns at once: {done:?} done, {stopped:?} stopped with a reason"));
}

/// Canaries, restores, alarms and all else at once: every function leads to the database or to a proxy that is there,
/// after each call of any of them, and one run more makes the account what it should be.
#[test]
#[ignore = "full tier: random interleavings"]
fn law_8_waves_restores_and_alarms_at_once_lose_nothing() {
    let (done, stopped) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let verbs = prop::sample::select(vec![Verb::Canary, Verb::Canary, Verb::Restore, Verb::Alarms, Verb::Up]);
    // A canary takes half an hour, in which others begin.
    let start = (verbs, 0..1800_u64, lag());
    let strategy = (any::<bool>(), prop::collection::vec(start, 2..=4), any::<bool>());
    each(32, &strategy, async |(fresh, runs, last_up)| {
        let id = "my-instance";
        let (with, without) = with_and_without(id).await;
        let bed = Bed::of(if fresh { newcomer() } else { with.clone() }, NEVER, false);
        let fates = futures(runs.iter().map(|(verb, after, lag)| {
            let bed = bed.beside(NEVER, false, *lag);
            bed.observe(|_, world| leads_somewhere(world).unwrap());
            async move {
                tokio::time::sleep(Duration::from_secs(*after)).await;
                verb.run(&bed, id).await
            }
        }))
        .await;
        for fate in &fates {
            tally(fate, &done, &stopped);
        }
        let last = if last_up { Verb::Up } else { Verb::Teardown };
        let fate = last.run(&bed, id).await;
        assert!(matches!(fate, Fate::Done(())), "{fate:?} after {runs:?}");
        let mut is = shape(&bed.settled().await);
        if last_up {
            // Whether there are alarms depends on whether they came before the proxy.
            is["monitoring"] = shape(&with)["monitoring"].clone();
        }
        let want = if last_up { shape(&with) } else { without };
        let lines = difference(&is, &want);
        assert!(lines.is_empty(), "{} after {runs:?}", lines.join("\n"));
    });
    say(&format!("waves, restores and alarms at once: {done:?} done, {stopped:?} stopped with a reason"));
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
