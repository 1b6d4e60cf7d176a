//! The proxy's log group: `--log-retention` sets how long it keeps events, and teardown deletes it only then.

use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::resources::log_group::LogGroupFound;
use rdsproxy_setup::spec::Spec;
use rdsproxy_setup::teardown;
use sandbox::World;
use sandbox::parts::LogGroup;

use crate::access::lawful;
use crate::doctor::all_but;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::restrict;

const GROUP: &str = "/aws/rds/proxy/my-instance-proxy";

fn keeping(days: i32) -> Spec {
    Spec { log_retention: Some(days), ..wish("my-instance") }
}

/// The sample account with a log group that somebody else left under the proxy's name.
fn with_group(retention: Option<i64>) -> World {
    let mut world = newcomer();
    let group = LogGroup { retention, class: "STANDARD".to_owned(), ..LogGroup::default() };
    world.logs.groups.insert(GROUP.to_owned(), group);
    world
}

async fn done(bed: &Bed, spec: &Spec) {
    let fate = bed.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_group_of_ours_obeys_the_laws() {
    let want = lawful(&newcomer, &keeping(30)).await;
    let group = &want["logs"]["groups"][GROUP];
    assert_eq!(group["retention"], 30);
    assert_eq!(group["tags"]["rdsproxy-setup:stack"], "my-instance-proxy");
}

#[tokio::test(start_paused = true)]
async fn it_is_created_before_the_proxy_kept_by_later_runs_and_deleted_after_it() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let before = bed.dump().await;
    done(&bed, &keeping(30)).await;
    let actions = bed.mutations(0);
    let place = |action: &str| actions.iter().position(|one| one.contains(action)).unwrap();
    assert!(place("CreateLogGroup") < place("CreateDBProxy"), "{actions:?}");
    // Without the flag, a later run wants the same; with another value, it changes that alone.
    let since = bed.logged();
    done(&bed, &wish("my-instance")).await;
    assert_eq!(bed.mutations(since), [""; 0]);
    let since = bed.logged();
    done(&bed, &keeping(7)).await;
    let actions = bed.mutations(since);
    assert!(actions.iter().any(|one| one.contains("PutRetentionPolicy")), "{actions:?}");
    assert_eq!(bed.settled().await.logs.groups[GROUP].retention, Some(7));
    let since = bed.logged();
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    let actions = bed.mutations(since);
    let place = |action: &str| actions.iter().position(|one| one.contains(action)).unwrap();
    assert!(place("DeleteDBProxy") < place("DeleteLogGroup"), "{actions:?}");
    let after = bed.dump().await;
    assert_eq!(after["logs"], before["logs"]);
}

#[tokio::test(start_paused = true)]
async fn the_group_that_rds_made_stays_and_is_named() {
    let bed = Bed::of(newcomer(), NEVER, false);
    done(&bed, &wish("my-instance")).await;
    let world = bed.settled().await;
    assert!(world.logs.group(GROUP).is_some(), "RDS made one meanwhile");
    let stack = teardown::survey(&bed.cloud, "my-instance-proxy", None).await.unwrap();
    assert!(matches!(&stack.log_group, LogGroupFound::OfOthers(name) if name == GROUP), "{:?}", stack.log_group);
    let since = bed.logged();
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert!(!bed.mutations(since).iter().any(|one| one.contains("LogGroup")));
    assert!(bed.settled().await.logs.group(GROUP).is_some());
}

#[tokio::test(start_paused = true)]
async fn one_that_keeps_everything_is_taken_over_and_one_with_a_span_of_someone_else_is_not() {
    let bed = Bed::of(with_group(None), NEVER, false);
    done(&bed, &keeping(14)).await;
    let world = bed.settled().await;
    let group = &world.logs.groups[GROUP];
    assert_eq!((group.retention, group.tags.contains_key("rdsproxy-setup:stack")), (Some(14), true));

    let bed = Bed::of(with_group(Some(90)), NEVER, false);
    let entries = bed.survey(&keeping(14)).await.unwrap().entries();
    let conflict =
        entries.iter().any(|entry| matches!(&entry.verdict, Verdict::Conflict(why) if why[0].contains("90 days")));
    assert!(conflict, "{entries:?}");
    assert!(!matches!(bed.up(&keeping(14)).await, Fate::Done(_)));
    assert_eq!(bed.mutations(0).iter().filter(|one| one.contains("Log")).count(), 0);
}

/// Who may tag log groups alone does not have one deleted: the proxy has to remember it as well.
#[tokio::test(start_paused = true)]
async fn a_forged_tag_deletes_no_group() {
    let bed = Bed::of(with_group(Some(90)), NEVER, false);
    done(&bed, &wish("my-instance")).await;
    let mut world = bed.settled().await;
    let group = world.logs.groups.get_mut(GROUP).unwrap();
    group.tags.insert("rdsproxy-setup:stack".to_owned(), "my-instance-proxy".to_owned());
    let bed = Bed::of(world, NEVER, false);
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert!(bed.settled().await.logs.groups.contains_key(GROUP));
}

/// A right to look that is missing keeps a teardown from nothing, unless this stack set the retention.
#[tokio::test(start_paused = true)]
async fn a_group_that_may_not_be_looked_at() {
    for set in [false, true] {
        let bed = Bed::of(newcomer(), NEVER, false);
        done(&bed, &if set { keeping(30) } else { wish("my-instance") }).await;
        let bed = Bed::of(bed.settled().await, NEVER, false);
        restrict(&bed, &[all_but("logs:DescribeLogGroups")]);
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
        let found = teardown::survey(&bed.cloud, "my-instance-proxy", None).await;
        match found {
            Ok(stack) => assert!(!set && matches!(stack.log_group, LogGroupFound::Unknown), "{:?}", stack.log_group),
            Err(problem) => assert!(set && format!("{problem:?}").contains("DescribeLogGroups"), "{problem:?}"),
        }
    }
}
