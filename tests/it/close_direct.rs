//! `close-direct`: a rule goes only where nothing else can be using it, and nothing of it is ever lost.

use proptest::prelude::*;
use rdsproxy_setup::close_direct::{Fate as Closing, Plan, look};
use rdsproxy_setup::engine::Timeouts;
use rdsproxy_setup::permissions::{Feature, Scope, Verb, policies};
use rdsproxy_setup::spec::Spec;
use sandbox::World;
use sandbox::parts::{Alias, Configuration, Interface, Peer, Rule};
use serde_json::Value;

use crate::chance::{each, lag, moment};
use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::{denials, restrict, scope};
use crate::shape::{difference, shape};

const DATABASES: [&str; 2] = ["my-instance", "my-cluster"];
const HOST: &str = "my-instance.c9akciq32abc.eu-central-1.rds.amazonaws.com";

/// A function and the host that it is given; both of the sample account.
fn seat(id: &str) -> (&'static str, &'static str) {
    if id == "my-instance" { ("InvoiceFunction", "DB_HOST") } else { ("OrdersFunction", "DB_HOST") }
}

fn port(id: &str) -> u16 {
    if id == "my-instance" { 3306 } else { 5432 }
}

/// The database's own host.
fn home(world: &World, id: &str) -> String {
    let cluster = world.rds.clusters.get(id).map(|found| found.endpoint.clone());
    cluster.unwrap_or_else(|| world.rds.instances[id].endpoint.clone())
}

/// Whether a function gets through to the database itself, and whether it does where it is pointed.
fn ways(world: &World, id: &str) -> (bool, bool) {
    let (function, variable) = seat(id);
    let pointed = world.lambda.functions[function].latest.environment.as_ref().unwrap()[variable].clone();
    let dials = |host: &str| world.dials(function, host, port(id));
    (dials(&home(world, id)), dials(&pointed))
}

fn done<T: std::fmt::Debug>(fate: Fate<T>) -> T {
    match fate {
        Fate::Done(done) => done,
        fate => panic!("{fate:?}"),
    }
}

fn group<'a>(world: &'a World, name: &str) -> &'a String {
    world.ec2.groups.iter().find(|(_, group)| group.name == name).map(|(id, _)| id).unwrap()
}

/// The rule that lets one group into another, by name.
fn rule<'a>(world: &'a World, into: &str, from: &str) -> Option<&'a Rule> {
    let peer = Peer::Group(group(world, from).clone());
    world.ec2.groups[group(world, into)].rules.values().find(|rule| !rule.egress && rule.peer == peer)
}

fn remembered(world: &World, stack: &str) -> usize {
    let tags = world.ec2.groups.values().filter(|group| group.name == stack).flat_map(|group| group.tags.keys());
    tags.filter(|key| key.starts_with("rdsproxy-setup:closed:")).count()
}

fn why(plan: &Plan, from: &str) -> String {
    let named = |id: &String| plan.names.get(id).is_some_and(|name| name == from);
    let row = plan.rows.iter().find(|row| named(&row.source)).unwrap();
    match &row.fate {
        Closing::Stays(why) | Closing::Unknown(why) => why.clone(),
        fate => format!("{fate:?}"),
    }
}

/// An account with everything at the proxy.
async fn moved(id: &str) -> World {
    let bed = Bed::of(newcomer(), NEVER, false);
    done(bed.up(&wish(id)).await);
    bed.settled().await
}

/// The same with the direct path closed.
async fn closed(id: &str) -> World {
    let bed = Bed::of(moved(id).await, NEVER, false);
    done(bed.close(&wish(id)).await);
    bed.settled().await
}

#[tokio::test(start_paused = true)]
async fn it_closes_what_nothing_else_uses_and_the_way_back_opens_it_first() {
    for id in DATABASES {
        let without = shape(&Bed::of(newcomer(), NEVER, false).settled().await);
        let start = moved(id).await;
        assert_eq!(ways(&start, id), (true, true), "{id}");
        let bed = Bed::of(start.clone(), NEVER, false);
        let plan = done(bed.close(&wish(id)).await);
        assert!(plan.closing().is_empty(), "{plan:?}");
        assert_eq!(plan.rows.iter().filter(|row| row.fate == Closing::Closed).count(), 1, "{plan:?}");
        let shut = bed.settled().await;
        // It reaches the proxy, and the database itself no more.
        assert_eq!(ways(&shut, id), (false, true), "{id}");
        assert_eq!(remembered(&shut, &wish(id).stack), 1);
        if id == "my-instance" {
            assert!(why(&plan, "app-functions").contains("WebhookFunction"), "{}", why(&plan, "app-functions"));
            assert!(rule(&shut, "my-instance-db", "app-functions").is_some());
        }
        // Again, and an `up`: nothing to do.
        let since = bed.logged();
        done(bed.close(&wish(id)).await);
        done(bed.up(&wish(id)).await);
        assert_eq!(bed.mutations(since), [""; 0], "{id}");
        // Back: the rule is there before the first function is pointed at the database.
        let since = bed.logged();
        done(bed.restore(&wish(id)).await);
        let calls = bed.mutations(since);
        assert_eq!(calls[..2], ["AuthorizeSecurityGroupIngress", "DeleteTags"], "{calls:?}");
        let back = bed.settled().await;
        assert_eq!(ways(&back, id), (true, true), "{id}");
        assert_eq!(remembered(&back, &wish(id).stack), 0);
        // As if it had never been closed, description included.
        let open = Bed::of(start.clone(), NEVER, false);
        done(open.restore(&wish(id)).await);
        let lines = difference(&shape(&back), &shape(&open.settled().await));
        assert!(lines.is_empty(), "{id}: {}", lines.join("\n"));
        // A teardown opens it as well.
        let bed = Bed::of(shut, NEVER, false);
        done(bed.down(&wish(id)).await);
        let lines = difference(&shape(&bed.settled().await), &without);
        assert!(lines.is_empty(), "{id}: {}", lines.join("\n"));
    }
}

/// Something else that may be using the rule from `billing-functions` into `my-instance-db`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Other {
    Instance,
    Function,
    Version,
    CalledVersion,
    Weighted,
    Tag,
    Range,
    Database,
    Cluster,
    Neighbor,
    Group,
}

const OTHERS: [Other; 11] = [
    Other::Instance,
    Other::Function,
    Other::Version,
    Other::CalledVersion,
    Other::Weighted,
    Other::Tag,
    Other::Range,
    Other::Database,
    Other::Cluster,
    Other::Neighbor,
    Other::Group,
];

fn version(world: &World, function: &str) -> Configuration {
    let latest = world.lambda.functions[function].latest.clone();
    Configuration { version: "7".to_owned(), environment: None, ..latest }
}

fn alias(version: &str, weight: bool) -> Alias {
    let weights = if weight { [("7".to_owned(), 0.1)].into() } else { std::collections::BTreeMap::new() };
    Alias { name: "old".to_owned(), version: version.to_owned(), weights, revision: "r".to_owned(), ..Alias::default() }
}

fn put(world: &mut World, other: Other) {
    let (billing, database) = (group(world, "billing-functions").clone(), group(world, "my-instance-db").clone());
    let interface = |kind: &str, group: &String, world: &World| Interface {
        owner: "someone".to_owned(),
        description: "an instance".to_owned(),
        kind: kind.to_owned(),
        subnet_id: world.ec2.subnets.keys().next().unwrap().clone(),
        groups: vec![group.clone()],
        address: "10.0.1.99".to_owned(),
        released: None,
    };
    let invoice = "InvoiceFunction";
    match other {
        Other::Instance => {
            let one = interface("interface", &billing, world);
            world.ec2.interfaces.insert("eni-00000000000000001".to_owned(), one);
        }
        Other::Neighbor => {
            let one = interface("interface", &database, world);
            world.ec2.interfaces.insert("eni-00000000000000002".to_owned(), one);
        }
        Other::Function => {
            let vpc = world.lambda.functions.get_mut("WebhookFunction").unwrap().latest.vpc.as_mut().unwrap();
            vpc.groups = vec![billing];
        }
        Other::Version => {
            let mut old = version(world, "WebhookFunction");
            old.vpc.as_mut().unwrap().groups = vec![billing];
            world.lambda.functions.get_mut("WebhookFunction").unwrap().versions.insert(7, old);
        }
        Other::CalledVersion | Other::Weighted => {
            let old = version(world, invoice);
            let latest = world.lambda.functions[invoice].latest.clone();
            let function = world.lambda.functions.get_mut(invoice).unwrap();
            function.versions.insert(7, old);
            // A version at the proxy, with a share for the one that is not.
            function.versions.insert(8, Configuration { version: "8".to_owned(), ..latest });
            let weighted = other == Other::Weighted;
            let alias = alias(if weighted { "8" } else { "7" }, weighted);
            function.aliases.insert("old".to_owned(), alias);
        }
        Other::Tag | Other::Range => {
            let group = world.ec2.groups.get_mut(&database).unwrap();
            let peer = Peer::Group(billing);
            for rule in group.rules.values_mut().filter(|rule| rule.peer == peer) {
                if other == Other::Tag {
                    rule.tags.insert("managed-by".to_owned(), "terraform".to_owned());
                } else {
                    rule.to_port = 3310;
                }
            }
        }
        Other::Database => world.rds.instances.get_mut("legacy-oracle").unwrap().groups.push(database),
        Other::Cluster => world.rds.clusters.get_mut("my-cluster").unwrap().groups.push(database),
        Other::Group => world.rds.instances.get_mut("my-instance").unwrap().groups.push(billing),
    }
}

/// Law: a rule that something else may be using is never removed; without anything else, it goes.
#[test]
fn a_rule_that_something_else_may_be_using_is_never_removed() {
    let start = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let start = start.block_on(moved("my-instance"));
    let strategy = prop::collection::vec(prop::sample::select(OTHERS.to_vec()), 0..3);
    let hold = async |others: Vec<Other>| {
        let mut world = start.clone();
        for other in &others {
            put(&mut world, *other);
        }
        let before = rule(&world, "my-instance-db", "billing-functions").cloned();
        let bed = Bed::of(world, NEVER, false);
        let plan = done(bed.close(&wish("my-instance")).await);
        let after = bed.gate.account.with(|world| world.clone());
        let kept = rule(&after, "my-instance-db", "billing-functions").cloned();
        let wanted = before.filter(|_| !others.is_empty());
        assert_eq!(kept, wanted, "{others:?}: {}", why(&plan, "billing-functions"));
    };
    each(24, &strategy, hold);
    // And each of them alone.
    for other in OTHERS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(hold(vec![other]));
    }
}

/// What comes between the plan and the consent stays, too.
#[tokio::test(start_paused = true)]
async fn what_came_since_the_plan_stays() {
    let bed = Bed::of(moved("my-instance").await, NEVER, false);
    let spec = wish("my-instance");
    drop(Box::pin(look(&bed.cloud, &spec, Timeouts::default())).await.unwrap());
    let calls_of_a_look = bed.calls();
    let bed = Bed::of(moved("my-instance").await, NEVER, false);
    bed.meanwhile(calls_of_a_look, |world| put(world, Other::Instance));
    let plan = done(bed.close(&wish("my-instance")).await);
    assert!(why(&plan, "billing-functions").contains("an instance"), "{}", why(&plan, "billing-functions"));
    assert!(bed.gate.account.with(|world| rule(world, "my-instance-db", "billing-functions").is_some()));
}

/// A function that still connects to the database: named, and nothing changed.
#[tokio::test(start_paused = true)]
async fn nothing_is_closed_before_everything_is_at_the_proxy() {
    let refused = async |world: World, part: &str| {
        let bed = Bed::of(world, NEVER, false);
        let since = bed.logged();
        let fate = bed.close(&wish("my-instance")).await;
        let Fate::Stopped(why) = fate else { panic!("{fate:?}") };
        assert!(why.contains(part), "{why}");
        assert_eq!(bed.mutations(since), [""; 0]);
    };
    refused(newcomer(), "there is no proxy").await;
    let prepared = Bed::of(newcomer(), NEVER, false);
    done(prepared.up(&Spec { prepare: true, ..wish("my-instance") }).await);
    refused(prepared.settled().await, "DBAppFunction").await;
    let start = moved("my-instance").await;
    let mut one = start.clone();
    let invoice = one.lambda.functions.get_mut("InvoiceFunction").unwrap();
    invoice.latest.environment.as_mut().unwrap().insert("DB_HOST".to_owned(), HOST.to_owned());
    refused(one, "InvoiceFunction").await;
    let mut frozen = start.clone();
    let invoice = frozen.lambda.functions.get_mut("InvoiceFunction").unwrap();
    let mut old = Configuration { version: "7".to_owned(), ..invoice.latest.clone() };
    old.environment.as_mut().unwrap().insert("DB_HOST".to_owned(), HOST.to_owned());
    invoice.versions.insert(7, old);
    invoice.aliases.insert("old".to_owned(), alias("7", false));
    refused(frozen, "InvoiceFunction: alias old").await;
    let mut sick = start;
    let proxy = group(&sick, "my-instance-proxy").clone();
    let database = group(&sick, "my-instance-db").clone();
    sick.ec2.groups.get_mut(&database).unwrap().rules.retain(|_, rule| rule.peer != Peer::Group(proxy.clone()));
    refused(sick, "the target is not AVAILABLE").await;
}

/// A variable that stays at the database on purpose keeps its function's rule, and stops nothing.
#[tokio::test(start_paused = true)]
async fn a_variable_that_stays_keeps_its_rule() {
    let mut world = newcomer();
    let invoice = world.lambda.functions.get_mut("InvoiceFunction").unwrap();
    invoice
        .latest
        .environment
        .as_mut()
        .unwrap()
        .insert("DIRECT_DATABASE_URL".to_owned(), format!("mysql://admin@{HOST}:3306/shop"));
    let bed = Bed::of(world, NEVER, false);
    done(bed.up(&wish("my-instance")).await);
    let plan = done(bed.close(&wish("my-instance")).await);
    assert_eq!(why(&plan, "billing-functions"), "no function at the proxy has that group");
    assert!(bed.gate.account.with(|world| rule(world, "my-instance-db", "billing-functions").is_some()));
}

/// Unknown is not absent: where it cannot be read who has a group, its rule stays.
#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_stays() {
    let start = moved("my-instance").await;
    let all = policies(&[Verb::CloseDirect, Verb::Status], &[], &scope());
    let text = Value::from(all).to_string();
    assert!(text.contains("ec2:DescribeNetworkInterfaces"), "{text}");
    let less = text.replace("ec2:DescribeNetworkInterfaces", "ec2:DescribeVpcs");
    let less: Vec<Value> = serde_json::from_str(&less).unwrap();
    let bed = Bed::of(start, NEVER, false);
    restrict(&bed, &less);
    let since = bed.logged();
    let plan = done(bed.close(&wish("my-instance")).await);
    assert!(why(&plan, "billing-functions").contains("could not be read"), "{}", why(&plan, "billing-functions"));
    assert_eq!(bed.mutations(since), [""; 0]);
}

/// Each command under exactly what is printed for it; and without the opt-in, a restore stops before it moves a
/// function.
#[tokio::test(start_paused = true)]
async fn its_own_policy_is_enough_and_the_way_back_takes_an_opt_in() {
    for id in DATABASES {
        let scope = Scope { database: Some(id.to_owned()), ..scope() };
        let bed = Bed::of(moved(id).await, NEVER, false);
        restrict(&bed, &policies(&[Verb::CloseDirect, Verb::Status], &[], &scope));
        done(bed.close(&wish(id)).await);
        assert_eq!(denials(&bed), [""; 0], "{id}");
        let shut = bed.settled().await;
        assert_eq!(ways(&shut, id), (false, true), "{id}");
        for verb in [Verb::Restore, Verb::Teardown] {
            let run = async |bed: &Bed| {
                if verb == Verb::Restore { bed.restore(&wish(id)).await } else { bed.down(&wish(id)).await }
            };
            let bed = Bed::of(shut.clone(), NEVER, false);
            restrict(&bed, &policies(&[verb], &[Feature::CloseDirect], &scope));
            done(run(&bed).await);
            assert_eq!(denials(&bed), [""; 0], "{id} {verb:?}");
            let bed = Bed::of(shut.clone(), NEVER, false);
            let plain = policies(&[verb], &[], &scope);
            assert!(!Value::from(plain.clone()).to_string().contains("ec2:AuthorizeSecurityGroupIngress"));
            restrict(&bed, &plain);
            let fate = run(&bed).await;
            assert!(
                matches!(&fate, Fate::Stopped(why) if why.contains("ec2:AuthorizeSecurityGroupIngress")),
                "{fate:?}"
            );
            assert_eq!(ways(&bed.settled().await, id), (false, true), "{id} {verb:?}");
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Deed {
    Close,
    Restore,
    Teardown,
}

async fn run(bed: &Bed, deed: Deed, id: &str) -> Fate<()> {
    match deed {
        Deed::Close => bed.close(&wish(id)).await.map(drop),
        Deed::Restore => bed.restore(&wish(id)).await,
        Deed::Teardown => bed.down(&wish(id)).await,
    }
}

/// Killed before and after the effect of every call: the same command resumes, and a restore and a teardown after it
/// come to what they come to without a kill.
async fn killed_anywhere(deed: Deed, id: &'static str) {
    let without = shape(&Bed::of(newcomer(), NEVER, false).settled().await);
    let start = if deed == Deed::Close { moved(id).await } else { closed(id).await };
    let clean = Bed::of(start.clone(), NEVER, false);
    done(run(&clean, deed, id).await);
    let (calls, want) = (clean.calls(), shape(&clean.settled().await));
    for (kill_at, after) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
        let what = format!("{deed:?} {id}, killed at call {kill_at} (after: {after})");
        let bed = Bed::of(start.clone(), kill_at, after);
        let fate = run(&bed, deed, id).await;
        assert!(matches!(fate, Fate::Killed), "{what}: {fate:?}");
        bed.disarm();
        let halfway = bed.settled().await;
        // Nobody is cut off: where a function is pointed, it gets through.
        assert!(ways(&halfway, id).1, "{what}");
        let fate = run(&bed, deed, id).await;
        assert!(matches!(fate, Fate::Done(())), "{what}: {fate:?}");
        let lines = difference(&shape(&bed.settled().await), &want);
        assert!(lines.is_empty(), "{what}: {}", lines.join("\n"));
        // Or straight from where it was killed: everything as before, description included.
        let bed = Bed::of(halfway, NEVER, false);
        for deed in [Deed::Restore, Deed::Teardown] {
            let fate = run(&bed, deed, id).await;
            assert!(matches!(fate, Fate::Done(())), "{what}, then {deed:?}: {fate:?}");
            assert!(ways(&bed.settled().await, id).1, "{what}, then {deed:?}");
        }
        let lines = difference(&shape(&bed.settled().await), &without);
        assert!(lines.is_empty(), "{what}, then restore and teardown: {}", lines.join("\n"));
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_close_direct_that_is_killed_anywhere_loses_nothing() {
    killed_anywhere(Deed::Close, "my-instance").await;
    killed_anywhere(Deed::Close, "my-cluster").await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_restore_and_a_teardown_that_are_killed_after_it_lose_nothing() {
    killed_anywhere(Deed::Restore, "my-instance").await;
    killed_anywhere(Deed::Teardown, "my-instance").await;
}

/// Two at once, in random interleavings: when both are done, every function gets through where it is pointed, and a
/// teardown leaves the account as it was.
#[test]
fn two_at_once_cut_nobody_off() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let start = runtime.block_on(moved("my-instance"));
    let without = runtime.block_on(async { shape(&Bed::of(newcomer(), NEVER, false).settled().await) });
    let other = prop::sample::select(vec![Deed::Close, Deed::Restore, Deed::Teardown]);
    let strategy = (other, (moment(), lag()), (moment(), lag()));
    each(24, &strategy, async |(other, (after, lag), (other_after, other_lag))| {
        let bed = Bed::of(start.clone(), NEVER, false);
        let one = bed.beside(NEVER, false, lag);
        let two = bed.beside(NEVER, false, other_lag);
        let (first, second) = tokio::join!(
            async {
                tokio::time::sleep(after).await;
                run(&one, Deed::Close, "my-instance").await
            },
            async {
                tokio::time::sleep(other_after).await;
                run(&two, other, "my-instance").await
            },
        );
        // Only closing may find that it comes at the wrong time.
        assert!(matches!(second, Fate::Done(())) || other == Deed::Close, "{first:?} {second:?}");
        let now = bed.settled().await;
        assert!(ways(&now, "my-instance").1, "{first:?} {second:?}");
        let fate = bed.down(&wish("my-instance")).await;
        assert!(matches!(fate, Fate::Done(())), "{fate:?}");
        let lines = difference(&shape(&bed.settled().await), &without);
        assert!(lines.is_empty(), "{first:?} {second:?}: {}", lines.join("\n"));
    });
}

/// The built program: the plan, the state, one function back alone.
#[test]
fn the_program_shows_what_it_closes_and_opens() {
    let desk = Desk::new();
    let up = desk.run(&["up", "--db", "my-cluster", "--yes", "--timeout", "12h"]);
    assert_eq!(up.code, Some(0), "{up}");
    let before = desk.dump();
    let shown = desk.run(&["close-direct", "--db", "my-cluster", "--dry-run"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(
        shown.stdout.contains("my-cluster-db") && shown.stdout.contains("OrdersFunction, ReportsFunction"),
        "{shown}"
    );
    assert_eq!(desk.dump(), before);
    let state = |desk: &Desk| -> Value {
        let shown = desk.run(&["status", "--db", "my-cluster", "--output", "json"]);
        let document: Value = serde_json::from_str(&shown.stdout).unwrap();
        document["stacks"][0]["direct_path"].clone()
    };
    assert_eq!(state(&desk), serde_json::json!({"state": "open", "remembered": 0}));
    let asked = desk.run(&["close-direct", "--db", "my-cluster"]);
    assert_eq!(asked.code, Some(4), "{asked}");
    let shown = desk.run(&["close-direct", "--db", "my-cluster", "--yes"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("Done: 1 rule is closed"), "{shown}");
    assert!(shown.stdout.contains("rdsproxy-setup --sandbox restore --db my-cluster"), "{shown}");
    assert_eq!(state(&desk), serde_json::json!({"state": "closed", "remembered": 1}));
    let status = desk.run(&["status", "--db", "my-cluster"]);
    assert!(status.stdout.contains("Direct path: closed (1 rule)."), "{status}");
    let again = desk.run(&["close-direct", "--db", "my-cluster", "--yes"]);
    assert_eq!(again.code, Some(0), "{again}");
    assert!(again.stdout.contains("Nothing to close: 1 rule is closed"), "{again}");
    for verb in ["restore", "teardown"] {
        let shown = desk.run(&[verb, "--db", "my-cluster", "--dry-run"]);
        assert!(shown.stdout.contains("which close-direct removed"), "{shown}");
    }
    // One function back: its group's rule is open, and the rest of the plan is its own.
    let shown = desk.run(&["restore", "--db", "my-cluster", "--function", "OrdersFunction", "--yes"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_eq!(state(&desk), serde_json::json!({"state": "open", "remembered": 0}));
    let shown = desk.run(&["close-direct", "--db", "my-cluster", "--yes"]);
    assert_eq!(shown.code, Some(4), "{shown}");
    assert!(shown.stderr.contains("OrdersFunction") && shown.stderr.contains("Nothing was changed"), "{shown}");
}
