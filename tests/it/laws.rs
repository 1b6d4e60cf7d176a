//! Laws 1 to 5 of the contract, for an instance and for a cluster.

use rdsproxy_setup::plan::Verdict;

use crate::harness::{Bed, Fate, NEVER, wish};
use crate::shape::{difference, shape};

const DATABASES: [&str; 2] = ["my-instance", "my-cluster"];

fn done<T: std::fmt::Debug>(fate: &Fate<T>) {
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

#[tokio::test(start_paused = true)]
async fn law_1_a_second_up_changes_nothing() {
    for id in DATABASES {
        let bed = Bed::new(NEVER, false);
        done(&bed.up(&wish(id)).await);
        let since = bed.logged();
        done(&bed.up(&wish(id)).await);
        assert_eq!(bed.mutations(since), [""; 0], "{id}");
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn law_2_a_killed_up_is_resumed() {
    for id in DATABASES {
        let clean = Bed::new(NEVER, false);
        done(&clean.up(&wish(id)).await);
        let (calls, want) = (clean.calls(), clean.dump().await);
        for (kill_at, after) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
            let bed = Bed::new(kill_at, after);
            let fate = bed.up(&wish(id)).await;
            assert!(matches!(fate, Fate::Killed), "{id} {kill_at}: {fate:?}");
            bed.disarm();
            let fate = bed.up(&wish(id)).await;
            assert!(matches!(fate, Fate::Done(_)), "{id}, killed at call {kill_at} (after: {after}): {fate:?}");
            assert_eq!(bed.dump().await, want, "{id}, killed at call {kill_at} (after: {after})");
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn law_3_a_killed_up_is_torn_down_without_a_trace() {
    for id in DATABASES {
        let clean = Bed::new(NEVER, false);
        let want = clean.dump().await;
        done(&clean.up(&wish(id)).await);
        for (kill_at, after) in (0..clean.calls()).flat_map(|n| [(n, false), (n, true)]) {
            let bed = Bed::new(kill_at, after);
            let fate = bed.up(&wish(id)).await;
            assert!(matches!(fate, Fate::Killed), "{id} {kill_at}: {fate:?}");
            bed.disarm();
            let fate = bed.down(&wish(id)).await;
            assert!(matches!(fate, Fate::Done(())), "{id}, killed at call {kill_at} (after: {after}): {fate:?}");
            assert_eq!(bed.dump().await, want, "{id}, killed at call {kill_at} (after: {after})");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn law_4_teardown_twice_and_up_right_after() {
    for id in DATABASES {
        let bed = Bed::new(NEVER, false);
        done(&bed.up(&wish(id)).await);
        done(&bed.down(&wish(id)).await);
        let since = bed.logged();
        done(&bed.down(&wish(id)).await);
        assert_eq!(bed.mutations(since), [""; 0], "{id}");
        done(&bed.up(&wish(id)).await);
    }
}

#[tokio::test(start_paused = true)]
async fn law_5_looking_changes_nothing_and_the_plan_comes_true() {
    for id in DATABASES {
        let bed = Bed::new(NEVER, false);
        let before = Box::pin(bed.survey(&wish(id))).await.unwrap().entries();
        assert_eq!(bed.mutations(0), [""; 0], "{id}");
        assert!(before.iter().any(|entry| entry.verdict == Verdict::Create));
        done(&bed.up(&wish(id)).await);
        // The procedure follows the data and the plan is a list: neither has a step that the other lacks.
        assert_eq!(bed.begun(), before.iter().map(|entry| entry.step).collect(), "{id}");
        let after = Box::pin(bed.survey(&wish(id))).await.unwrap().entries();
        for entry in after {
            assert!(matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_)), "{id}: {entry:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn law_2_an_up_goes_on_from_a_killed_teardown() {
    for id in DATABASES {
        let clean = Bed::new(NEVER, false);
        done(&clean.up(&wish(id)).await);
        let start = clean.settled().await;
        let want = shape(&start);
        let torn = Bed::of(start.clone(), NEVER, false);
        done(&torn.down(&wish(id)).await);
        for (kill_at, after) in (0..torn.calls()).flat_map(|n| [(n, false), (n, true)]) {
            let bed = Bed::of(start.clone(), kill_at, after);
            let fate = bed.down(&wish(id)).await;
            assert!(matches!(fate, Fate::Killed), "{id} {kill_at}: {fate:?}");
            bed.disarm();
            let fate = bed.up(&wish(id)).await;
            assert!(matches!(fate, Fate::Done(_)), "{id}, killed at call {kill_at} (after: {after}): {fate:?}");
            let lines = difference(&shape(&bed.settled().await), &want);
            assert!(lines.is_empty(), "{id}, killed at call {kill_at} (after: {after}): {}", lines.join("\n"));
        }
    }
}
