//! The way out and the way in: `restore` points the functions back and leaves the proxy, `up --prepare` leaves the
//! functions.

use rdsproxy_setup::permissions::{Feature, Scope, Verb, policies};
use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::Spec;

use sandbox::World;

use crate::desk::Desk;
use crate::doctor::deny_connect;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::{denials, restrict, scope};

const INSTANCE: &str = "my-instance";
const HOST: &str = "my-instance.c9akciq32abc.eu-central-1.rds.amazonaws.com";

/// What somebody deletes by hand.
type Take = fn(&mut World);

fn hosts(world: &World) -> Vec<String> {
    let host = |name: &str| world.lambda.functions[name].latest.environment.as_ref().unwrap()["DB_HOST"].clone();
    ["DBAppFunction", "InvoiceFunction"].map(host).to_vec()
}

async fn done(bed: &Bed, spec: &Spec) {
    let fate = bed.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

#[tokio::test(start_paused = true)]
async fn it_changes_the_functions_alone_and_up_goes_forth_again() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let before = bed.settled().await;
    done(&bed, &wish(INSTANCE)).await;
    let there = bed.settled().await;
    assert_ne!(hosts(&there), hosts(&before));
    let since = bed.logged();
    assert!(matches!(bed.restore(&wish(INSTANCE)).await, Fate::Done(())));
    let changes = bed.mutations(since);
    assert!(changes.iter().all(|one| one.contains("UpdateFunctionConfiguration")), "{changes:?}");
    let back = bed.settled().await;
    assert_eq!(hosts(&back), hosts(&before));
    assert!(hosts(&back).iter().all(|host| host == HOST), "{:?}", hosts(&back));
    assert_eq!(back.rds.proxies.len(), there.rds.proxies.len());
    // Again: nothing to do. Forth: as it was. And a teardown after a restore leaves nothing.
    let since = bed.logged();
    assert!(matches!(bed.restore(&wish(INSTANCE)).await, Fate::Done(())));
    assert_eq!(bed.mutations(since), [""; 0]);
    done(&bed, &wish(INSTANCE)).await;
    assert_eq!(hosts(&bed.settled().await), hosts(&there));
    assert!(matches!(bed.restore(&wish(INSTANCE)).await, Fate::Done(())));
    assert!(matches!(bed.down(&wish(INSTANCE)).await, Fate::Done(())));
    assert!(bed.settled().await.rds.proxies.is_empty());
}

/// With the proxy, its role or its groups gone by hand, the functions still find their way.
#[tokio::test(start_paused = true)]
async fn it_works_when_half_of_the_stack_is_gone() {
    let bed = Bed::of(newcomer(), NEVER, false);
    done(&bed, &wish(INSTANCE)).await;
    let there = bed.settled().await;
    let halves: [(&str, Take); 3] = [
        ("proxy", |world| world.rds.proxies.clear()),
        ("role", |world| world.iam.roles.retain(|name, _| !name.starts_with("my-instance-proxy"))),
        ("policies", |world| world.iam.policies.retain(|arn, _| !arn.contains("rdsproxy-setup"))),
    ];
    for (gone, take) in halves {
        let mut world = there.clone();
        take(&mut world);
        let bed = Bed::of(world, NEVER, false);
        let fate = bed.restore(&wish(INSTANCE)).await;
        assert!(matches!(fate, Fate::Done(())), "{gone}: {fate:?}");
        assert!(hosts(&bed.settled().await).iter().all(|host| host == HOST), "{gone}");
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_restore_that_is_killed_anywhere_is_resumed() {
    let bed = Bed::of(newcomer(), NEVER, false);
    done(&bed, &wish(INSTANCE)).await;
    let there = bed.settled().await;
    let clean = Bed::of(there.clone(), NEVER, false);
    assert!(matches!(clean.restore(&wish(INSTANCE)).await, Fate::Done(())));
    let (calls, want) = (clean.calls(), clean.dump().await);
    for (kill_at, after) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
        let bed = Bed::of(there.clone(), kill_at, after);
        assert!(matches!(bed.restore(&wish(INSTANCE)).await, Fate::Killed), "{kill_at} {after}");
        bed.disarm();
        assert!(matches!(bed.restore(&wish(INSTANCE)).await, Fate::Done(())), "{kill_at} {after}");
        assert_eq!(bed.dump().await, want, "{kill_at} {after}");
    }
}

/// Where callers go by an alias, what `up` published goes too: the one deletion that is among its rights.
#[tokio::test(start_paused = true)]
async fn its_own_policy_is_enough() {
    for id in [INSTANCE, "my-cluster"] {
        let bed = Bed::of(newcomer(), NEVER, false);
        done(&bed, &wish(id)).await;
        let bed = Bed::of(bed.settled().await, NEVER, false);
        let scope = Scope { database: Some(id.to_owned()), ..scope() };
        let printed = policies(&[Verb::Restore], &[] as &[Feature], &scope);
        let text = format!("{printed:?}").replace("lambda:DeleteFunction", "");
        assert!(!text.contains("Delete") && !text.contains("iam:Detach"), "{text}");
        restrict(&bed, &printed);
        let fate = bed.restore(&wish(id)).await;
        assert!(matches!(fate, Fate::Done(())), "{id}: {fate:?}");
        assert_eq!(denials(&bed), [""; 0], "{id}");
    }
}

#[tokio::test(start_paused = true)]
async fn prepare_leaves_the_functions_and_a_later_up_moves_them_alone() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let before = hosts(&bed.settled().await);
    let prepare = Spec { prepare: true, ..wish(INSTANCE) };
    done(&bed, &prepare).await;
    let world = bed.settled().await;
    assert_eq!(hosts(&world), before);
    assert!(world.rds.proxies.contains_key("my-instance-proxy"));
    assert!(!bed.mutations(0).iter().any(|one| one.contains("UpdateFunctionConfiguration")));
    // Prepared again: nothing to do.
    let entries = bed.survey(&prepare).await.unwrap().entries();
    assert!(
        entries.iter().all(|entry| matches!(entry.verdict, Verdict::InPlace | Verdict::NotNeeded(_))),
        "{entries:?}"
    );
    let since = bed.logged();
    done(&bed, &prepare).await;
    assert_eq!(bed.mutations(since), [""; 0]);
    let since = bed.logged();
    done(&bed, &wish(INSTANCE)).await;
    let changes = bed.mutations(since);
    assert!(
        !changes.is_empty() && changes.iter().all(|one| one.contains("UpdateFunctionConfiguration")),
        "{changes:?}"
    );
}

/// What would keep the functions from the proxy stops a preparation as well.
#[tokio::test(start_paused = true)]
async fn prepare_checks_the_way_of_the_functions() {
    let mut world = newcomer();
    deny_connect(&mut world);
    let bed = Bed::of(world, NEVER, false);
    let fate = bed.up(&Spec { prepare: true, ..wish(INSTANCE) }).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why.contains("RPX052")), "{fate:?}");
}

/// The built program: dry runs change nothing, and one function can go back alone.
#[test]
fn dry_runs_change_nothing_and_one_function_goes_back_alone() {
    let desk = Desk::new();
    let up = desk.run(&["up", "--db", INSTANCE, "--yes", "--timeout", "12h"]);
    assert_eq!(up.code, Some(0), "{up}");
    let before = desk.dump();
    for verb in ["teardown", "restore"] {
        let shown = desk.run(&[verb, "--db", INSTANCE, "--dry-run"]);
        assert_eq!(shown.code, Some(0), "{shown}");
        assert!(shown.stdout.contains("DBAppFunction"), "{shown}");
        assert_eq!(desk.dump(), before, "{verb}");
    }
    let shown = desk.run(&["restore", "--db", INSTANCE, "--function", "DBAppFunction", "--yes"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("DBAppFunction uses the database directly again"), "{shown}");
    let world = desk.store().world().unwrap();
    let [app, invoice] = hosts(&world).try_into().unwrap();
    assert!(app == HOST && invoice != HOST, "{app} {invoice}");
    let shown = desk.run(&["restore", "--db", INSTANCE, "--function", "Absent", "--yes"]);
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(teardown_names(&shown.stderr), "{shown}");
}

fn teardown_names(text: &str) -> bool {
    text.contains("it does not use the proxy my-instance-proxy") && text.contains("InvoiceFunction")
}
