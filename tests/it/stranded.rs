//! Functions at a proxy that does not exist: found, shown as drift, and pointed at one that does.

use std::collections::BTreeMap;

use rdsproxy_setup::catalogue::StepId;
use rdsproxy_setup::catalogue::checks::CheckId;
use rdsproxy_setup::doctor;
use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::Spec;
use sandbox::World;

use crate::cli::up;
use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const PROXY: &str = "my-instance-proxy";

/// The newcomer's world after `up`.
async fn set_up(spec: &Spec) -> World {
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(spec).await, Fate::Done(_)));
    bed.settled().await
}

fn environment<'a>(world: &'a mut World, function: &str) -> &'a mut BTreeMap<String, String> {
    world.lambda.functions.get_mut(function).unwrap().latest.environment.as_mut().unwrap()
}

/// Moves a function to a proxy of another name, which does not exist.
fn strand(world: &mut World, letters: Option<&str>) -> String {
    let mut host = world.rds.proxies[PROXY].endpoint.replace(PROXY, "former");
    if let Some(letters) = letters {
        let own = host.split('.').nth(1).unwrap().to_owned();
        host = host.replace(&own, &format!("proxy-{letters}"));
    }
    environment(world, "DBAppFunction").insert("DB_HOST".to_owned(), host.clone());
    host
}

async fn finds(bed: &Bed, spec: &Spec) -> Vec<String> {
    let survey = Box::pin(bed.survey(spec)).await.unwrap();
    let diagnosis = Box::pin(doctor::of(&bed.cloud, &survey)).await;
    let dead = diagnosis.findings.into_iter().filter(|finding| finding.check == CheckId::DeadProxy);
    dead.flat_map(|finding| finding.evidence).collect()
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_was_deleted_by_hand_is_drift_of_step_13_too() {
    let spec = wish("my-instance");
    let want = set_up(&spec).await;
    let mut world = want.clone();
    world.rds.proxies.clear();
    let bed = Bed::of(world, NEVER, false);
    let found = finds(&bed, &spec).await;
    assert!(
        found.iter().any(|text| text.starts_with("DB_HOST of DBAppFunction holds my-instance-proxy.")),
        "{found:?}"
    );
    let entries = Box::pin(bed.survey(&spec)).await.unwrap().entries();
    let step = entries.iter().find(|entry| entry.step == StepId::Repoint).unwrap();
    assert!(matches!(step.verdict, Verdict::Update(_)), "{step:?}");
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    assert_eq!(finds(&bed, &spec).await, [""; 0]);
    let now = bed.settled().await;
    assert_eq!(now.dump()["lambda"], want.dump()["lambda"]);
}

#[tokio::test(start_paused = true)]
async fn a_function_at_a_dead_proxy_is_found_and_repaired_once_it_is_named() {
    let spec = wish("my-instance");
    let mut world = set_up(&spec).await;
    let host = strand(&mut world, None);
    let bed = Bed::of(world, NEVER, false);
    let found = finds(&bed, &spec).await;
    assert!(found.iter().any(|text| text.contains(&host)), "{found:?}");
    // By its host alone, nothing says that it used this database.
    let since = bed.logged();
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    assert_eq!(bed.mutations(since), [""; 0]);
    let named = Spec { functions: vec!["DBAppFunction".to_owned()], ..spec.clone() };
    assert!(matches!(bed.up(&named).await, Fate::Done(_)));
    let mut now = bed.settled().await;
    let endpoint = now.rds.proxies[PROXY].endpoint.clone();
    assert_eq!(environment(&mut now, "DBAppFunction")["DB_HOST"], endpoint);
    assert_eq!(finds(&bed, &spec).await, [""; 0]);
    // Back to the database, and not to what does not exist.
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    let mut now = bed.settled().await;
    let database = now.rds.instances["my-instance"].endpoint.clone();
    assert_eq!(environment(&mut now, "DBAppFunction")["DB_HOST"], database);
}

#[tokio::test(start_paused = true)]
async fn a_proxy_of_another_account_or_name_that_exists_is_left_alone() {
    let spec = wish("my-instance");
    let mut world = set_up(&spec).await;
    strand(&mut world, Some("another0account"));
    let bed = Bed::of(world.clone(), NEVER, false);
    assert_eq!(finds(&bed, &spec).await, [""; 0]);
    let host = strand(&mut world, None);
    let mut former = world.rds.proxies[PROXY].clone();
    former.endpoint = host;
    world.rds.proxies.insert("former".to_owned(), former);
    assert_eq!(finds(&Bed::of(world, NEVER, false), &spec).await, [""; 0]);
}

#[test]
fn status_shows_it_as_drift() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    assert_eq!(desk.run(&["status", "--db", "my-instance", "--exit-code"]).code, Some(0));
    desk.change(|world| {
        strand(world, None);
    });
    let shown = desk.run(&["status", "--db", "my-instance", "--exit-code"]);
    assert_eq!(shown.code, Some(3), "{shown}");
    assert!(shown.stdout.contains("DB_HOST of DBAppFunction holds former.proxy-"), "{shown}");
}

/// That proxies have the letters of databases in their hosts is documented nowhere: nothing breaks where they do not.
#[tokio::test(start_paused = true)]
async fn a_proxy_whose_host_has_other_letters_than_the_database_s_is_set_up_and_torn_down() {
    for id in ["my-instance", "my-cluster"] {
        let mut world = newcomer();
        world.rds.proxy_letters = Some("czzzzzzzzzz9".to_owned());
        let bed = Bed::of(world, NEVER, false);
        let before = bed.dump().await;
        let Fate::Done(outcome) = bed.up(&wish(id)).await else { panic!("up failed") };
        assert!(outcome.endpoint.contains(".proxy-czzzzzzzzzz9."), "{}", outcome.endpoint);
        bed.in_place(&wish(id)).await;
        assert!(matches!(bed.down(&wish(id)).await, Fate::Done(())));
        assert_eq!(bed.dump().await, before);
    }
    let world = set_up(&wish("my-instance")).await;
    let letters = |host: &str| host.split('.').nth(1).unwrap().rsplit('-').next().unwrap().to_owned();
    assert_eq!(letters(&world.rds.proxies[PROXY].endpoint), letters(&world.rds.instances["my-instance"].endpoint));
}
