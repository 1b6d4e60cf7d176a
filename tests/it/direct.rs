//! Variables that must not move: those that flags name, and those whose names ask for a direct connection.

use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::{self, Spec};
use sandbox::World;

use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const APP: &str = "DBAppFunction";
const INVOICE: &str = "InvoiceFunction";

fn set(world: &mut World, function: &str, name: &str, value: &str) {
    let function = world.lambda.functions.get_mut(function).unwrap();
    function.latest.environment.get_or_insert_default().insert(name.to_owned(), value.to_owned());
}

fn value(bed: &Bed, function: &str, name: &str) -> String {
    bed.gate.account.with(|world| world.lambda.functions[function].latest.environment.as_ref().unwrap()[name].clone())
}

fn host(world: &World) -> String {
    world.lambda.functions[APP].latest.environment.as_ref().unwrap()["DB_HOST"].clone()
}

/// With a direct URL beside the host, as another user.
fn with_direct_url() -> World {
    let mut world = newcomer();
    let url = format!("mysql://migrator@{}:3306/shop", host(&world));
    set(&mut world, APP, "DIRECT_URL", &url);
    world
}

fn asking(excluded: &[&str], included: &[&str]) -> Spec {
    let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
    Spec { variables: spec::variables(&texts(excluded), &texts(included)).unwrap(), ..wish("my-instance") }
}

#[tokio::test(start_paused = true)]
async fn a_direct_url_stays_and_the_plan_says_so() {
    let bed = Bed::of(with_direct_url(), NEVER, false);
    let before = bed.dump().await;
    let url = value(&bed, APP, "DIRECT_URL");
    let survey = bed.survey(&wish("my-instance")).await.unwrap();
    let plan = survey.entries();
    let told = plan[12]
        .details
        .iter()
        .any(|text| text.contains("DIRECT_URL stays as it is") && text.contains("--include-variable DIRECT_URL"));
    assert!(told, "{:?}", plan[12]);
    // Its user logs in at the database and needs nothing of the proxy.
    assert!(!survey.login.users.contains(&"migrator".to_owned()), "{:?}", survey.login.users);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    assert_eq!(value(&bed, APP, "DIRECT_URL"), url);
    assert!(value(&bed, APP, "DB_HOST").contains(".proxy-"));
    bed.in_place(&wish("my-instance")).await;
    let (plain, timeouts) = (wish("my-instance"), rdsproxy_setup::engine::Timeouts::default());
    let diagnosis = Box::pin(rdsproxy_setup::doctor::examine(&bed.cloud, &plain, timeouts));
    let found: Vec<_> = diagnosis.await.unwrap().findings.into_iter().map(|finding| finding.evidence).collect();
    assert!(!found.iter().flatten().any(|text| text.contains("DIRECT_URL")), "{found:?}");
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn a_direct_url_moves_when_it_is_named_and_that_is_remembered() {
    let bed = Bed::of(with_direct_url(), NEVER, false);
    let before = bed.dump().await;
    let url = value(&bed, APP, "DIRECT_URL");
    let asked = Spec {
        client_auth: rdsproxy_setup::spec::ClientAuth::Iam,
        db_users: vec!["admin".to_owned()],
        ..asking(&[], &["DIRECT_URL"])
    };
    let fate = bed.up(&asked).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    assert!(value(&bed, APP, "DIRECT_URL").contains(".proxy-"));
    bed.in_place(&wish("my-instance")).await;
    // A deployment puts it back: the next run moves it again.
    bed.gate.account.with(|world| set(world, APP, "DIRECT_URL", &url));
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    assert!(value(&bed, APP, "DIRECT_URL").contains(".proxy-"));
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

#[tokio::test(start_paused = true)]
async fn an_excluded_variable_stays_until_it_is_included() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let before = bed.dump().await;
    let old = value(&bed, INVOICE, "DB_HOST");
    assert!(matches!(bed.up(&asking(&["InvoiceFunction:DB_HOST"], &[])).await, Fate::Done(_)));
    assert_eq!(value(&bed, INVOICE, "DB_HOST"), old);
    assert!(value(&bed, APP, "DB_HOST").contains(".proxy-"));
    bed.in_place(&wish("my-instance")).await;
    let survey = bed.survey(&wish("my-instance")).await.unwrap();
    assert!(
        survey.warnings.iter().any(|text| text.contains("InvoiceFunction: DB_HOST stays")),
        "{:?}",
        survey.warnings
    );
    assert!(matches!(bed.up(&asking(&[], &["InvoiceFunction:DB_HOST"])).await, Fate::Done(_)));
    assert!(value(&bed, INVOICE, "DB_HOST").contains(".proxy-"));
    bed.in_place(&wish("my-instance")).await;
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

/// Without any function the connect policy would name no user, and so let in all of them.
#[tokio::test(start_paused = true)]
async fn tags_never_leave_no_function() {
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    bed.gate.account.with(|world| {
        let tags = &mut world.rds.proxies.get_mut("my-instance-proxy").unwrap().tags;
        tags.insert("rdsproxy-setup:exclude-variables".to_owned(), "DB_HOST".to_owned());
    });
    let since = bed.logged();
    let fate = bed.up(&wish("my-instance")).await;
    let Fate::Stopped(why) = fate else { panic!("{fate:?}") };
    assert!(why.contains("what the proxy remembers leaves none"), "{why}");
    assert_eq!(bed.mutations(since), [""; 0]);
    let odd = "not a variable";
    bed.gate.account.with(|world| {
        let tags = &mut world.rds.proxies.get_mut("my-instance-proxy").unwrap().tags;
        tags.insert("rdsproxy-setup:exclude-variables".to_owned(), odd.to_owned());
    });
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Stopped(_)));
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
}

/// Laws 2 and 4 with variables that stay.
#[tokio::test(start_paused = true)]
async fn a_killed_run_moves_no_variable_that_must_stay() {
    let wanted = asking(&["InvoiceFunction:DB_HOST"], &[]);
    let clean = Bed::of(with_direct_url(), NEVER, false);
    let fresh = crate::shape::shape(&clean.settled().await);
    assert!(matches!(clean.up(&wanted).await, Fate::Done(_)));
    let (calls, after) = (clean.calls(), crate::shape::shape(&clean.settled().await));
    for kill in (0..calls).step_by(4) {
        let bed = Bed::of(with_direct_url(), kill, kill % 8 == 0);
        let kept = [(APP, "DIRECT_URL"), (INVOICE, "DB_HOST")].map(|(of, name)| (of, name, value(&bed, of, name)));
        let fate = bed.up(&wanted).await;
        assert!(matches!(fate, Fate::Killed), "{kill}: {fate:?}");
        let same = || kept.iter().all(|(of, name, old)| value(&bed, of, name) == *old);
        assert!(same(), "{kill}");
        bed.disarm();
        assert!(matches!(bed.up(&wanted).await, Fate::Done(_)), "{kill}");
        assert!(same(), "{kill}");
        let have = crate::shape::shape(&bed.settled().await);
        assert_eq!(crate::shape::difference(&have, &after), [""; 0], "{kill}");
        for _ in 0..2 {
            assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())), "{kill}");
        }
        let have = crate::shape::shape(&bed.settled().await);
        assert_eq!(crate::shape::difference(&have, &fresh), [""; 0], "{kill}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stays_asks_for_no_read_only_endpoint() {
    let mut world = newcomer();
    let reads = |function: &&mut sandbox::parts::Function| {
        function.latest.environment.iter().flatten().any(|(_, value)| value.contains(".cluster-ro-"))
    };
    let function = world.lambda.functions.values_mut().find(reads).unwrap();
    let variables = function.latest.environment.as_mut().unwrap();
    let (name, host) = variables.iter().find(|(_, host)| host.contains(".cluster-ro-")).unwrap();
    let (name, host) = (name.clone(), host.clone());
    variables.remove(&name);
    variables.insert("MIGRATION_READ_HOST".to_owned(), host);
    let bed = Bed::of(world, NEVER, false);
    let wanted = Spec { publish_pending: true, ..wish("my-cluster") };
    let survey = bed.survey(&wanted).await.unwrap();
    assert!(!survey.wants_reader);
    assert!(survey.entries().iter().all(|entry| !matches!(entry.verdict, Verdict::Conflict(_))));
}

#[test]
fn a_variable_that_is_not_there_is_an_error() {
    let desk = Desk::new();
    let before = desk.dump();
    for (flag, name, hint) in [
        ("--exclude-variable", "DB_HOTS", "Did you mean DB_HOST"),
        ("--exclude-variable", "InvoiceFunction:DB_HOTS", "Did you mean DB_HOST"),
        ("--exclude-variable", "InvoiceFuncton:DB_HOST", "Did you mean InvoiceFunction?"),
        ("--include-variable", "DIRECT_URL", "The variables here are"),
    ] {
        let shown = desk.run(&["up", "--db", "my-instance", "--yes", flag, name]);
        assert_eq!(shown.code, Some(4), "{shown}");
        assert!(shown.stderr.contains(name) && shown.stderr.contains(hint), "{shown}");
    }
    let shown = desk.run(&["up", "--db", "my-instance", "--exclude-variable", "DB-HOST"]);
    assert_eq!(shown.code, Some(64), "{shown}");
    assert_eq!(desk.dump(), before);
}
