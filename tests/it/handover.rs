//! A stack that was handed over: nothing here changes it, everything that looks goes on, and it can be taken back.

use rdsproxy_setup::permissions::{Feature, Scope, Verb, policies};
use rdsproxy_setup::spec::Spec;
use sandbox::World;

use crate::adoption;
use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::{denials, restrict, scope};

/// Changes that `up` would otherwise undo or carry on.
fn changed(world: &mut World, at: usize) {
    match at {
        1 => world.rds.proxies.get_mut("my-instance-proxy").unwrap().require_tls ^= true,
        2 => world.iam.roles.get_mut("my-instance-proxy-eu-central-1").unwrap().inline.clear(),
        3 => {
            let function = world.lambda.functions.get_mut("InvoiceFunction").unwrap();
            let variables = function.latest.environment.as_mut().unwrap();
            variables
                .insert("DB_HOST".to_owned(), "my-instance.c9akciq32abc.eu-central-1.rds.amazonaws.com".to_owned());
        }
        4 => {
            for group in world.ec2.groups.values_mut() {
                group.rules.retain(|_, rule| !rule.tags.contains_key("rdsproxy-setup:stack"));
            }
        }
        _ => {}
    }
}

/// All of it: set up, written down, handed over and taken back; failures are seen by others.
pub(crate) async fn there_and_back(bed: &Bed, spec: &Spec) {
    drop(bed.up(spec).await);
    crate::export::look(bed, spec).await;
    for handed_over in [true, false] {
        drop(bed.mark(spec, handed_over).await);
    }
}

#[tokio::test(start_paused = true)]
async fn law_a_marked_stack_sees_no_mutating_call() {
    let spec = wish("my-instance");
    for at in 0..5 {
        let bed = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
        assert!(matches!(bed.mark(&spec, true).await, Fate::Done(())));
        bed.gate.account.with(|world| changed(world, at));
        let (before, since) = (bed.dump().await, bed.logged());
        let more = Spec { idle_client_timeout: Some(900), log_retention: Some(30), ..spec.clone() };
        for fate in [
            bed.up(&spec).await.map(drop),
            bed.up(&more).await.map(drop),
            bed.restore(&spec).await,
            bed.down(&spec).await,
        ] {
            assert!(matches!(&fate, Fate::Stopped(why) if why.contains("handed over")), "{at}: {fate:?}");
        }
        assert_eq!(bed.mutations(since), [""; 0], "{at}");
        assert_eq!(bed.dump().await, before, "{at}");
        // It still is what it was to those who look.
        assert!(bed.survey(&spec).await.unwrap().handed_over());
        // Back again: all of it works, and nothing is left.
        assert!(matches!(bed.mark(&spec, false).await, Fate::Done(())));
        assert!(matches!(bed.up(&spec).await, Fate::Done(_)), "{at}");
        assert!(matches!(bed.down(&spec).await, Fate::Done(())), "{at}");
        assert!(bed.settled().await.rds.proxies.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn the_mark_is_one_tag_and_another_stack_does_not_mind_it() {
    let (one, other) = (wish("my-instance"), wish("my-cluster"));
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&one).await, Fate::Done(_)));
    let before = bed.settled().await;
    let since = bed.logged();
    assert!(matches!(bed.mark(&one, true).await, Fate::Done(())));
    assert_eq!(bed.mutations(since), ["AddTagsToResource"]);
    assert!(matches!(bed.up(&other).await, Fate::Done(_)));
    assert!(matches!(bed.down(&other).await, Fate::Done(())));
    assert!(matches!(bed.mark(&one, false).await, Fate::Done(())));
    let after = bed.settled().await;
    assert_eq!(after.rds.proxies["my-instance-proxy"].tags, before.rds.proxies["my-instance-proxy"].tags);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_someone_else_wrote_comes_off_an_adopted_proxy_as_well() {
    let spec = adoption::adopting(true);
    let bed = Bed::of(adoption::made_by_hand().await, NEVER, false);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    assert!(matches!(bed.mark(&spec, true).await, Fate::Stopped(why) if why.contains("someone else created")));
    bed.gate.account.with(|world| {
        let proxy = world.rds.proxies.get_mut(&spec.stack).unwrap();
        proxy.tags.insert("rdsproxy-setup:handed-over".to_owned(), "yes".to_owned());
    });
    assert!(matches!(bed.down(&spec).await, Fate::Stopped(why) if why.contains("handed over")));
    assert!(matches!(bed.mark(&spec, false).await, Fate::Done(())));
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
}

#[tokio::test(start_paused = true)]
async fn export_works_under_exactly_what_is_printed_for_it() {
    for id in ["my-instance", "my-cluster"] {
        let bed = Bed::of(newcomer(), NEVER, false);
        assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)));
        let scope = Scope { database: Some(id.to_owned()), ..scope() };
        restrict(&bed, &policies(&[Verb::Export], &[] as &[Feature], &scope));
        assert!(crate::export::look(&bed, &wish(id)).await.is_some(), "{:?}", denials(&bed));
        assert!(matches!(bed.mark(&wish(id), true).await, Fate::Stopped(_)), "it may only read");
        restrict(&bed, &policies(&[Verb::Export], &[Feature::HandOver], &scope));
        for handed_over in [true, false] {
            assert!(matches!(bed.mark(&wish(id), handed_over).await, Fate::Done(())), "{:?}", denials(&bed));
        }
    }
}

/// The built program.
#[test]
fn it_says_so_wherever_one_looks_and_how_to_take_it_back() {
    let desk = Desk::new();
    desk.output(&["--sandbox", "up", "--db", "my-instance", "--yes", "--quiet", "--timeout", "12h"]);
    let asked = desk.run(&["export", "--db", "my-instance", "--hand-over"]);
    assert_eq!(asked.code, Some(4), "{asked}");
    let marked = desk.run(&["export", "--db", "my-instance", "--hand-over", "--yes"]);
    assert!(marked.code == Some(0) && marked.stdout.contains("is marked as handed over"), "{marked}");
    let again = desk.run(&["export", "--db", "my-instance", "--hand-over", "--yes"]);
    assert!(again.code == Some(0) && again.stdout.contains("nothing to do"), "{again}");
    let before = desk.dump();
    for command in [
        &["up", "--db", "my-instance", "--yes"][..],
        &["up", "--db", "my-instance", "--dry-run"],
        &["restore", "--db", "my-instance", "--yes"],
        &["teardown", "--db", "my-instance", "--yes"],
        &["teardown", "--yes"],
    ] {
        let shown = desk.run(command);
        assert_eq!(shown.code, Some(4), "{shown}");
        assert!(shown.stderr.contains("handed over to infrastructure as code"), "{shown}");
        assert!(shown.stderr.contains("export --db my-instance --take-back"), "{shown}");
    }
    for (command, code) in [
        (&["status", "--db", "my-instance"][..], 0),
        (&["doctor", "--db", "my-instance"], 0),
        (&["verify", "--db", "my-instance"], 0),
    ] {
        let shown = desk.run(command);
        assert_eq!(shown.code, Some(code), "{shown}");
        assert!(shown.stdout.contains("handed over to infrastructure as code"), "{shown}");
    }
    assert_eq!(desk.dump(), before);
    let back = desk.run(&["export", "--db", "my-instance", "--take-back", "--yes", "--output", "json"]);
    assert_eq!(back.code, Some(0), "{back}");
    let gone = desk.run(&["teardown", "--db", "my-instance", "--yes", "--timeout", "12h"]);
    assert_eq!(gone.code, Some(0), "{gone}");
}
