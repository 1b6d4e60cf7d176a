//! States that pass by themselves, and take their time: a busy database, interfaces that linger, slow IAM.

use std::time::Duration;

use sandbox::parts::Update;
use sandbox::{Fault, Profile, Service, Trigger, Trouble, World};
use tokio::time::sleep;

use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

fn set_status(world: &mut World, id: &str, status: &str) {
    let rds = &mut world.rds;
    rds.instances.get_mut(id).map(|found| &mut found.status).into_iter().for_each(|now| status.clone_into(now));
    rds.clusters.get_mut(id).map(|found| &mut found.status).into_iter().for_each(|now| status.clone_into(now));
}

#[tokio::test(start_paused = true)]
async fn a_database_in_a_passing_state_is_waited_for() {
    for id in ["my-instance", "my-cluster"] {
        let clean = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let want = clean.dump().await;
        for status in
            ["configuring-enhanced-monitoring", "modifying", "backing-up", "rebooting", "upgrading", "starting"]
        {
            let mut world = newcomer();
            set_status(&mut world, id, status);
            let bed = Bed::of(world, NEVER, false);
            let wish = wish(id);
            let (fate, ()) = tokio::join!(bed.up(&wish), async {
                sleep(Duration::from_mins(10)).await;
                bed.gate.account.with(|world| set_status(world, id, "available"));
            });
            assert!(matches!(fate, Fate::Done(_)), "{id} {status}: {fate:?}");
            assert_eq!(bed.dump().await, want, "{id} {status}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_database_that_stays_down_is_named_and_one_more_run_resumes() {
    for id in ["my-instance", "my-cluster"] {
        let clean = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let want = clean.dump().await;
        let mut world = newcomer();
        set_status(&mut world, id, "stopped");
        let bed = Bed::of(world, NEVER, false);
        let fate = bed.up(&wish(id)).await;
        let Fate::Stopped(why) = &fate else { panic!("{id}: {fate:?}") };
        assert!(why.contains(id) && why.to_lowercase().contains("stopped"), "{why}");
        bed.gate.account.with(|world| set_status(world, id, "available"));
        assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)));
        assert_eq!(bed.dump().await, want, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_bad_day_takes_longer_and_ends_the_same() {
    for id in ["my-instance", "my-cluster"] {
        let clean = Bed::of(newcomer(), NEVER, false);
        let before = clean.dump().await;
        assert!(matches!(clean.up(&wish(id)).await, Fate::Done(_)));
        let want = clean.dump().await;
        let mut world = newcomer();
        world.profile = Profile::slow();
        let bed = Bed::of(world, NEVER, false);
        let fate = bed.up(&wish(id)).await;
        assert!(matches!(fate, Fate::Done(_)), "{id}: {fate:?}");
        assert_eq!(bed.dump().await, want, "{id}");
        // The interfaces of the proxy hold its group for twenty minutes after it is gone.
        let fate = bed.down(&wish(id)).await;
        assert!(matches!(fate, Fate::Done(())), "{id}: {fate:?}");
        assert_eq!(bed.dump().await, before, "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_update_of_the_function_under_way_is_waited_for() {
    let clean = Bed::of(newcomer(), NEVER, false);
    let before = clean.dump().await;
    assert!(matches!(clean.up(&wish("my-instance")).await, Fate::Done(_)));
    let want = clean.dump().await;
    let busy = |bed: &Bed| {
        bed.gate.account.with(|world| {
            let until = world.now + Duration::from_mins(2);
            for function in world.lambda.functions.values_mut() {
                function.latest.update = Update::InProgress { until, failing: None };
            }
        });
    };
    let bed = Bed::of(newcomer(), NEVER, false);
    let wish = wish("my-instance");
    let (fate, ()) = tokio::join!(bed.up(&wish), async {
        // The target is about to be available, and step 13 to begin.
        sleep(Duration::from_secs(25)).await;
        busy(&bed);
    });
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    assert_eq!(bed.dump().await, want);
    busy(&bed);
    let fate = bed.down(&wish).await;
    assert!(matches!(fate, Fate::Done(())), "{fate:?}");
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_teardown_that_may_not_look_at_the_database_does_not_begin() {
    let clean = Bed::of(newcomer(), NEVER, false);
    let before = clean.dump().await;
    assert!(matches!(clean.up(&wish("my-cluster")).await, Fate::Done(_)));
    let calls = clean.gate.account.with(|world| world.log.clone());
    let moved = calls.iter().position(|call| call.action == "UpdateFunctionConfiguration").unwrap();
    // A function is at the proxy: its way back comes from the database, unless that is gone.
    let bed = Bed::of(newcomer(), moved, true);
    assert!(matches!(bed.up(&wish("my-cluster")).await, Fate::Killed));
    bed.disarm();
    let denied = Trigger::Every { service: Service::Rds, action: "DescribeDBInstances".to_owned() };
    bed.gate.account.with(|world| world.faults.push(Fault::repeated(denied, Trouble::Deny, 9)));
    let since = bed.logged();
    let fate = bed.down(&wish("my-cluster")).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why.contains("rds:DescribeDBInstances")), "{fate:?}");
    assert_eq!(bed.mutations(since), [""; 0]);
    bed.gate.account.with(|world| world.faults.clear());
    assert!(matches!(bed.down(&wish("my-cluster")).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

/// Whatever undoes a change as fast as it is made, a pipeline or a reconciler, must not be fought for ever.
#[tokio::test(start_paused = true)]
async fn what_is_changed_back_every_time_ends_with_an_error_that_says_so() {
    let mut world = newcomer();
    // The host that step 13 writes is one that it takes for the database's: it never looks done.
    let host = "my-instance-proxy.proxy-c9akciq32abc.eu-central-1.rds.amazonaws.com".to_owned();
    let former = std::mem::replace(&mut world.rds.instances.get_mut("my-instance").unwrap().endpoint, host.clone());
    for function in world.lambda.functions.values_mut() {
        for value in function.latest.environment.iter_mut().flat_map(|environment| environment.values_mut()) {
            *value = value.replace(&former, &host);
        }
    }
    let bed = Bed::of(world, NEVER, false);
    let fate = tokio::time::timeout(Duration::from_hours(3), bed.up(&wish("my-instance"))).await.unwrap();
    let Fate::Stopped(why) = &fate else { panic!("{fate:?}") };
    assert!(why.contains("something changes it back"), "{why}");
    let updates = bed.actions(0).iter().filter(|action| *action == "UpdateFunctionConfiguration").count();
    // Twenty times at most, of two functions, each beside its own retries.
    assert!(updates <= 100, "{updates}");
}
