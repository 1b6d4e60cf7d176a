//! `advise`: what is read of the account, how many calls that takes, and what becomes of it.

use std::collections::BTreeMap;

use advice::cost::Way;
use advice::figure::{Amount, Room};
use advice::verdict::{Kind, Need};
use advice::{Advice, Facts};
use rdsproxy_setup::advise::{Question, Region, read, read_in};
use rdsproxy_setup::discover::Problem;
use rdsproxy_setup::spec::{DatabaseRef, stack};
use sandbox::parts::Mapping;
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
        shards: BTreeMap::new(),
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

/// The Price List has MySQL's classes and functions in the account's Region, at the prices of N. Virginia.
fn with_prices(mut world: World) -> World {
    for (region, classes) in world.instance_prices.clone() {
        assert_eq!(region, "us-east-1");
        world.instance_prices.insert("eu-central-1".to_owned(), classes);
    }
    let functions = world.function_prices["us-east-1"];
    world.function_prices.insert("eu-central-1".to_owned(), functions);
    world.prices.insert("eu-central-1".to_owned(), (0.015, 0.015));
    world
}

/// What has no call for many functions.
const SINGLE: [&str; 2] = ["GetFunctionConcurrency", "ListProvisionedConcurrencyConfigs"];

/// The calls that a question takes, without those of single functions; it changes nothing.
async fn calls(world: World, id: &str) -> Vec<String> {
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    let since = bed.logged();
    facts(&bed, id).await.unwrap();
    assert_eq!(bed.mutations(since), [""; 0]);
    assert_eq!(bed.dump().await, before);
    bed.actions(since).into_iter().filter(|action| !SINGLE.contains(&action.as_str())).collect()
}

/// The goal is 12, and 1 for a hundred functions. A proxy that is there takes two more than one that is not:
/// its target, and its further endpoints. Where the Price List has the class, EC2 is not asked for its size. A cluster
/// takes three more, and reads one group of parameters here: RDS is asked for an instance of that name first, and for
/// its members.
#[tokio::test(start_paused = true)]
async fn it_changes_nothing_and_takes_few_calls() {
    let mut world = every_read().await;
    world.rds.proxies.retain(|name, _| !name.starts_with("other-"));
    for (world, id, most) in [
        (with_prices(world.clone()), "my-instance", 13),
        (world.clone(), "my-instance", 14),
        (with_prices(newcomer()), "my-instance", 10),
        (world, "my-cluster", 16),
    ] {
        let calls = calls(world, id).await;
        assert_eq!(calls.len(), most, "{id}: {calls:?}");
    }
}

/// A hundred functions more are two pages of functions, and one or two calls for their metrics.
#[tokio::test(start_paused = true)]
async fn more_functions_take_few_more_calls() {
    let of = async |functions: usize| {
        let mut world = with_prices(newcomer());
        let one = world.lambda.functions["DBAppFunction"].clone();
        for number in 0..functions - 2 {
            let mut function = one.clone();
            function.latest.name = format!("Copy{number}");
            world.lambda.functions.insert(function.latest.name.clone(), function);
        }
        calls(world, "my-instance").await.len()
    };
    let counted = [of(2).await, of(100).await, of(200).await, of(300).await];
    assert_eq!(counted, [10, 12, 16, 19]);
}

/// Of many databases each takes a few calls beside those of the Region, and one that no function uses a single one.
#[tokio::test(start_paused = true)]
async fn a_database_of_many_takes_few_calls() {
    let of = async |world: World| {
        let bed = Bed::of(world, NEVER, false);
        let region = Region::read(&bed.cloud, &[]).await.unwrap();
        let since = bed.logged();
        let read = Box::pin(read_in(&bed.cloud, &region, &question("my-instance"), now())).await.unwrap();
        (read.is_some(), bed.actions(since))
    };
    let (used, calls) = of(with_prices(newcomer())).await;
    assert!(used);
    assert_eq!(calls.len(), 4, "{calls:?}");
    let mut unused = newcomer();
    unused.lambda.functions.clear();
    assert_eq!(of(unused).await, (false, vec!["DescribeDBInstances".to_owned()]));
}

/// What the Price List says of the database, its larger classes and its functions.
#[tokio::test(start_paused = true)]
async fn the_cost_stands_beside_that_of_the_database_the_functions_and_a_larger_class() {
    let mut world = with_prices(newcomer());
    world.set_preset("DBAppFunction", Preset::Busy);
    let bed = Bed::of(world, NEVER, false);
    let facts = facts(&bed, "my-instance").await.unwrap();
    // 0.068 an hour, and its larger classes at twice, four and eight times that.
    assert_eq!(facts.database.monthly_cents.value(), Some(&4964));
    let classes = facts.database.larger_classes.value().unwrap();
    let classes: Vec<_> =
        classes.iter().map(|larger| (larger.class.as_str(), larger.more_monthly_cents.value().copied())).collect();
    assert_eq!(classes, [("db.t3.large", Some(4964)), ("db.t3.xlarge", Some(14_892)), ("db.t3.2xlarge", Some(34_748))]);
    assert_eq!(facts.database.instances[0].memory_bytes.value(), Some(&(4 << 30)));
    assert!(facts.database.instances[0].memory_bytes.figure().source.starts_with("AWS Price List"));
    assert_eq!(facts.prices.million_gigabyte_seconds.value(), Some(&16_666_700));
    let advice = advice::advise(&facts);
    // 2 vCPUs at $0.015.
    assert_eq!(advice.cost.monthly_cents.amount, Amount::exactly(2190));
    assert!(advice.cost.functions_monthly_cents.amount.low().is_some_and(|cents| cents > 0), "{:#?}", advice.cost);
    assert!(
        advice.cost.alternatives.iter().any(|other| matches!(other.way, Way::LargerClass { .. })),
        "{:#?}",
        advice.cost
    );
}

/// A stream's shards are stated, or a gap that says how to count them; what is stated of nothing is refused.
#[tokio::test(start_paused = true)]
async fn shards_are_stated_or_a_gap_with_its_command() {
    let mut world = newcomer();
    let arn = "arn:aws:lambda:eu-central-1:123456789012:function:DBAppFunction";
    world.lambda.mappings.push(Mapping {
        id: "00000000-0000-0000-0000-000000000001".to_owned(),
        source: "arn:aws:kinesis:eu-central-1:123456789012:stream/orders".to_owned(),
        function: arn.to_owned(),
        enabled: true,
        batch: 100,
        parallelization: Some(5),
        ..Mapping::default()
    });
    let bed = Bed::of(world, NEVER, false);
    let of = async |change: fn(&mut Question)| {
        let mut question = question("my-instance");
        change(&mut question);
        Box::pin(read(&bed.cloud, &question, now())).await.map(|facts| advice::advise(&facts))
    };
    let advice = of(|_| {}).await.unwrap();
    let gap = advice.gaps.iter().find(|gap| gap.what == "shards of function DBAppFunction").unwrap();
    assert!(gap.why.contains("aws kinesis describe-stream-summary --stream-name orders"), "{gap:?}");
    assert!(gap.why.ends_with("state it with --shards orders=N"), "{gap:?}");
    let stated = of(|question| {
        question.shards.insert("orders".to_owned(), 4);
    })
    .await
    .unwrap();
    let function = stated.demand.functions.iter().find(|found| found.function == "DBAppFunction").unwrap();
    assert_eq!(function.possible_environments.amount, Amount::exactly(20), "{function:#?}");
    let problem = of(|question| {
        question.shards.insert("order".to_owned(), 4);
    })
    .await
    .unwrap_err()
    .to_string();
    assert!(problem.contains("taking --shards order=…"), "{problem}");
    let problem = of(|question| {
        question.concurrency.insert("DBApp".to_owned(), 4);
    })
    .await
    .unwrap_err()
    .to_string();
    assert!(problem.contains("taking --concurrency DBApp=…"), "{problem}");
}

/// A queue allows 2, and more ran at a time: something else invokes the function, as far as anyone can see.
#[tokio::test(start_paused = true)]
async fn more_ran_at_a_time_than_the_event_sources_allow() {
    let mut world = newcomer();
    world.set_preset("DBAppFunction", Preset::Queue);
    world.set_preset("InvoiceFunction", Preset::Quiet);
    world.lambda.mappings[0].maximum_concurrency = Some(2);
    let bed = Bed::of(world, NEVER, false);
    let of = async |concurrency: Option<u64>| {
        let mut question = question("my-instance");
        question.concurrency.extend(concurrency.map(|count| ("DBAppFunction".to_owned(), count)));
        advice::advise(&Box::pin(read(&bed.cloud, &question, now())).await.unwrap())
    };
    let function = |advice: &Advice| {
        let found = advice.demand.functions.iter().find(|found| found.function == "DBAppFunction");
        found.unwrap().possible_environments.amount
    };
    let advice = of(None).await;
    let gap = advice.gaps.iter().find(|gap| gap.what == "other invokers of function DBAppFunction").unwrap();
    assert!(gap.why.contains("its event sources allow 3"), "{gap:?}");
    assert_eq!(function(&advice), Amount::exactly(1000));
    // Whoever knows that nothing else invokes it says so: the setting was lowered since.
    assert_eq!(function(&of(Some(0)).await), Amount::between(2, 3));
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
    assert!(shown.stderr.contains("(3 of 3)…"), "progress: {shown}");

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
