//! `advise`: what is read of the account, how many calls that takes, and what becomes of it.

use std::collections::BTreeMap;

use advice::figure::{Amount, Room};
use advice::verdict::{Kind, Need};
use advice::{Advice, Facts};
use rdsproxy_setup::advise::{Question, read};
use rdsproxy_setup::discover::Problem;
use rdsproxy_setup::spec::{DatabaseRef, stack};
use sandbox::{Preset, World};

use crate::desk::Desk;
use crate::doctor::all_but;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::restrict;

fn question(id: &str) -> Question {
    let database = DatabaseRef::parse(id).unwrap();
    Question {
        stack: stack(None, &database).unwrap(),
        database,
        functions: Vec::new(),
        days: 14,
        concurrency: BTreeMap::new(),
        connections: None,
        hold: None,
        pinned: None,
    }
}

fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// What is read of a database.
pub(crate) async fn facts(bed: &Bed, id: &str) -> Result<Facts, Problem> {
    Box::pin(read(&bed.cloud, &question(id), now())).await
}

async fn advise(world: World, id: &str) -> Advice {
    advice::advise(&facts(&Bed::of(world, NEVER, false), id).await.unwrap())
}

/// An account in which every read of `advise` has something to read.
pub(crate) async fn every_read() -> World {
    let bed = Bed::of(newcomer(), NEVER, false);
    for id in ["my-instance", "my-cluster"] {
        assert!(matches!(bed.up(&wish(id)).await, Fate::Done(_)));
    }
    let mut world = bed.settled().await;
    let own = || [("max_connections".to_owned(), "400".to_owned())].into();
    world.rds.parameters.insert("own".to_owned(), own());
    world.rds.instances.get_mut("my-instance").unwrap().parameter_group = String::from("own");
    world.rds.clusters.get_mut("my-cluster").unwrap().parameter_group = String::from("own");
    // One function has reserved concurrency, so each is asked for its own.
    world.lambda.functions.get_mut("InvoiceFunction").unwrap().reserved = Some(50);
    // As many proxies as every account may have: its own quota is asked for from there on.
    let proxy = world.rds.proxies["my-instance-proxy"].clone();
    for number in 0..18 {
        world.rds.proxies.insert(format!("other-{number}"), proxy.clone());
    }
    world
}

#[tokio::test(start_paused = true)]
async fn it_changes_nothing_and_takes_few_calls() {
    // The goal is 12 for one to a hundred functions. A cluster takes three more: RDS is asked for an instance of that
    // name, for its members, and for the group of the cluster.
    for (id, most) in [("my-instance", 12), ("my-cluster", 15)] {
        let mut world = every_read().await;
        world.rds.proxies.retain(|name, _| !name.starts_with("other-"));
        let bed = Bed::of(world, NEVER, false);
        let before = bed.dump().await;
        let since = bed.logged();
        facts(&bed, id).await.unwrap();
        let actions = bed.actions(since);
        // Beside these: what has no call for many functions.
        let single = ["GetFunctionConcurrency", "ListProvisionedConcurrencyConfigs"];
        let shared: Vec<&String> = actions.iter().filter(|action| !single.contains(&action.as_str())).collect();
        assert!(shared.len() <= most, "{id}: {} calls: {shared:?}", shared.len());
        assert_eq!(bed.mutations(since), [""; 0]);
        assert_eq!(bed.dump().await, before);
    }
}

#[tokio::test(start_paused = true)]
async fn a_load_near_the_limit_needs_a_pool_and_a_quiet_one_does_not_exceed() {
    let mut world = newcomer();
    world.set_preset("DBAppFunction", Preset::Busy);
    let busy = advise(world, "my-instance").await;
    assert_eq!(busy.verdict.need, Need::Pool, "{:#?}", busy.verdict);
    let mut world = newcomer();
    world.set_preset("DBAppFunction", Preset::Quiet);
    let quiet = advise(world, "my-instance").await;
    assert!(quiet.verdict.need < Need::Pool, "{:#?}", quiet.verdict);
    assert!(quiet.demand.expected.amount.high() < busy.demand.expected.amount.high());
}

/// 500,000 mails with 1,000 of 1,000 connections: the database was at its limit.
#[tokio::test(start_paused = true)]
async fn a_mailing_that_filled_the_database_is_seen() {
    let mut world = newcomer();
    world.set_preset("DBAppFunction", Preset::Mailing);
    let advice = advise(world, "my-instance").await;
    assert_eq!(advice.verdict.need, Need::Pool, "{:#?}", advice.verdict);
}

#[tokio::test(start_paused = true)]
async fn a_queue_s_maximum_is_the_possible_peak() {
    let mut world = newcomer();
    for function in ["DBAppFunction", "InvoiceFunction"] {
        world.set_preset(function, Preset::Queue);
    }
    let advice = advise(world, "my-instance").await;
    let function = advice.demand.functions.iter().find(|found| found.function == "DBAppFunction").unwrap();
    // 20 and half as much again, as a user measured.
    assert_eq!(function.possible_environments.amount, Amount::between(20, 30), "{function:#?}");
}

/// Missing rights are gaps with names, and never a confident answer.
#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_a_gap() {
    for (action, room) in [
        ("cloudwatch:GetMetricData", Room::Load),
        ("lambda:GetAccountSettings", Room::Demand),
        ("lambda:ListEventSourceMappings", Room::Demand),
        ("ec2:DescribeInstanceTypes", Room::Supply),
    ] {
        let mut world = newcomer();
        world.set_preset("DBAppFunction", Preset::Quiet);
        let bed = Bed::of(world, NEVER, false);
        restrict(&bed, &[all_but(action)]);
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
        let advice = advice::advise(&facts(&bed, "my-instance").await.unwrap());
        let named = advice.gaps.iter().any(|gap| gap.why.contains(action.split(':').nth(1).unwrap()));
        assert!(named, "{action}: {:#?}", advice.gaps);
        assert!(advice.gaps.iter().any(|gap| gap.room == room), "{action}: {:#?}", advice.gaps);
        assert_ne!(advice.verdict.kind, Kind::NotNeeded, "{action}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_is_there_says_what_its_pool_may_hold() {
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    let mut world = bed.settled().await;
    world.set_preset("DBAppFunction", Preset::Busy);
    let bed = Bed::of(world, NEVER, false);
    tokio::time::sleep(std::time::Duration::from_hours(2)).await;
    let facts = facts(&bed, "my-instance").await.unwrap();
    let proxy = facts.proxy.as_ref().unwrap();
    assert_eq!(proxy.name, "my-instance-proxy");
    // The functions are found by the proxy's host.
    assert!(facts.functions.iter().any(|function| function.name == "DBAppFunction"));
}

/// The program itself: a table of all databases, and settings that come from the advice.
#[test]
fn all_databases_are_ranked_and_settings_come_from_the_advice() {
    let desk = Desk::new();
    let shown = desk.run(&["advise", "--all"]);
    let rows: Vec<&str> = shown.stdout.lines().filter(|line| line.starts_with("my-")).collect();
    assert_eq!(rows.len(), 2, "{shown}");

    let plan = |arguments: &[&str]| desk.run(&[&["up", "--db", "my-instance", "--dry-run"], arguments].concat());
    let plain = plan(&[]);
    assert!(!plain.stdout.contains("MaxConnectionsPercent"), "{plain}");
    assert!(plain.stdout.contains("cost: by vCPU-hours, for 2 vCPUs"), "{plain}");
    let advised = desk.run(&["advise", "--db", "my-instance", "--output", "json"]);
    let advised: serde_json::Value = serde_json::from_str(&advised.stdout).unwrap();
    let percent = &advised["advice"]["settings"]["max_connections_percent"]["value"];
    let done = desk.run(&["up", "--db", "my-instance", "--yes", "--timeout", "12h", "--sizing", "advise"]);
    assert_eq!(done.code, Some(0), "{done}");
    let world = desk.dump();
    let proxy = world["rds"]["proxies"]["my-instance-proxy"].to_string();
    assert!(proxy.contains(&format!("\"max_connections_percent\":{percent}")), "{proxy}");
}
