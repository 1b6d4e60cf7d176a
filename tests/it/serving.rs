//! Other proxies of the same database: named in the plan, and never created in the place of one to take over.

use rdsproxy_setup::catalogue::checks::{CheckId, Severity};
use rdsproxy_setup::doctor;
use rdsproxy_setup::error::Failure;
use rdsproxy_setup::exit::Exit;
use rdsproxy_setup::permissions::{Scope, Verb, policies};
use rdsproxy_setup::spec::Spec;
use serde_json::{Value, json};

use crate::adoption::{adopting, made_by_hand};
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::{restrict, scope};

/// An account with a proxy that someone created for `my-instance`, registered as its target.
async fn account() -> Bed {
    let bed = Bed::of(made_by_hand().await, NEVER, false);
    bed.cloud.rds.register("by-hand", "my-instance", false).await.unwrap();
    bed
}

/// `--adopt` needs something to adopt: nothing is created in its place.
#[tokio::test(start_paused = true)]
async fn a_proxy_to_take_over_that_is_not_there_is_an_error_that_names_those_that_are() {
    let mut spec = adopting(true);
    "nope".clone_into(&mut spec.stack);
    let bed = Bed::of(newcomer(), NEVER, false);
    let failure = Failure::from(Box::pin(bed.survey(&spec)).await.unwrap_err());
    assert_eq!(failure.exit, Exit::Decide);
    assert!(failure.headline.contains("(nope)"), "{failure:?}");
    assert!(failure.hints[0].contains("No proxy serves my-instance yet"), "{failure:?}");

    let bed = account().await;
    let since = bed.logged();
    let failure = Failure::from(Box::pin(bed.survey(&spec)).await.unwrap_err());
    assert_eq!(failure.exit, Exit::Decide);
    assert!(failure.hints[0].contains("up --db my-instance --adopt --name by-hand"), "{failure:?}");
    assert_eq!(bed.mutations(since), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_plan_names_the_proxies_that_serve_the_database_already() {
    let plan = async |made, spec: &Spec| {
        let bed = Bed::of(made, NEVER, false);
        let since = bed.logged();
        let survey = Box::pin(bed.survey(spec)).await.unwrap();
        let findings = Box::pin(doctor::before(&bed.cloud, &survey)).await;
        let shares = findings.into_iter().find(|finding| finding.check == CheckId::Overcommitted);
        let looks = bed.actions(since).into_iter().filter(|action| action == "DescribeDBProxyTargets").count();
        (survey.entries()[2].details.join("\n"), shares.map(|found| found.evidence.join(" ")), looks)
    };
    let made = account().await.settled().await;
    let mut spec = wish("my-instance");
    let (details, shares, looks) = plan(made.clone(), &spec).await;
    assert!(details.contains("my-instance is behind the proxy by-hand already"), "{details}");
    assert!(details.contains("--adopt --name by-hand"), "{details}");
    assert_eq!(shares.unwrap(), "Together 200 percent of max_connections: my-instance-proxy 100, by-hand 100.");
    assert_eq!(looks, 1);
    // Shares that fit are no finding.
    let mut half = made.clone();
    half.rds.proxies.get_mut("by-hand").unwrap().target_group.max_connections_percent = 40;
    spec.pool.max_connections_percent = Some(60);
    let (_, shares, _) = plan(half, &spec).await;
    assert_eq!(shares, None);
    // One that serves another database is none of its proxies, and neither is one of another VPC.
    let mut other = made.clone();
    other.rds.proxies.get_mut("by-hand").unwrap().target_group.target.as_mut().unwrap().id = "legacy-oracle".to_owned();
    let (details, shares, _) = plan(other, &spec).await;
    assert!(!details.contains("by-hand") && shares.is_none(), "{details}");
    let mut elsewhere = made.clone();
    elsewhere.rds.proxies.get_mut("by-hand").unwrap().vpc_id = "vpc-0123456789abcdef0".to_owned();
    let (details, _, looks) = plan(elsewhere, &spec).await;
    assert!(!details.contains("by-hand") && looks == 0, "{details}");
    // However many there are, a few are looked at.
    let mut many = made;
    let copy = many.rds.proxies["by-hand"].clone();
    many.rds.proxies.extend((1..=24).map(|number| (format!("copy-{number:02}"), copy.clone())));
    let (details, _, looks) = plan(many, &spec).await;
    assert!(details.contains("5 further proxies of its VPC were not looked at"), "{details}");
    assert_eq!(looks, 20);
}

/// A sum that could not be made is not one that fits, and what is printed for `status` is enough for it.
#[tokio::test(start_paused = true)]
async fn shares_that_could_not_be_read_are_told() {
    let shares = async |documents: &[Value]| {
        let bed = account().await;
        restrict(&bed, documents);
        let survey = Box::pin(bed.survey(&wish("my-instance"))).await.unwrap();
        let findings = Box::pin(doctor::before(&bed.cloud, &survey)).await;
        let shares = findings.into_iter().find(|finding| finding.check == CheckId::Overcommitted).unwrap();
        assert_eq!(shares.severity, Severity::Warning);
        shares.evidence.join(" ")
    };
    let status = policies(&[Verb::Status], &[], &Scope { database: Some("my-instance".to_owned()), ..scope() });
    assert!(shares(&status).await.starts_with("Together 200 percent"));
    let denied = json!({"Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*"},
        {"Effect": "Deny", "Action": "rds:DescribeDBProxyTargetGroups", "Resource": "*"},
    ]});
    let told = shares(&[denied]).await;
    assert!(told.starts_with("How much of max_connections by-hand may use could not be read: "), "{told}");
    assert!(told.contains("rds:DescribeDBProxyTargetGroups is not allowed"), "{told}");
}

/// A stack of this tool is named as one: to take it over would be a conflict.
#[tokio::test(start_paused = true)]
async fn another_stack_of_the_same_database_is_named_as_one() {
    let bed = Bed::new(NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    let mut second = wish("my-instance");
    "second".clone_into(&mut second.stack);
    // The functions are at the first one by now.
    second.functions = vec!["DBAppFunction".to_owned()];
    let survey = Box::pin(bed.survey(&second)).await.unwrap();
    let details = survey.entries()[2].details.join("\n");
    assert!(details.contains("a stack of this tool: --name my-instance-proxy"), "{details}");
}
