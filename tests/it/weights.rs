//! Aliases that a canary shifts by weight: a share of their calls first, all of them once that is not worse, and back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use judge::{Judgement, Subject};
use rdsproxy_setup::canary::{AliasShare, Ending};
use rdsproxy_setup::spec::{AliasWeight, Canary, Spec};
use sandbox::parts::{Alias, Configuration};
use sandbox::{AtProxy, World};

use crate::canary::{calls, functions, orders, under_every_fault, walk};
use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, say};

const NAME: &str = "OrdersFunction";
const PROXY: &str = "my-cluster-proxy";
const LABEL: &str = "OrdersFunction:live";

/// The canary of the one function that is called by an alias, with this share of its calls first.
fn by(percent: u8) -> Spec {
    let canary = Canary { alias_weight: AliasWeight::Percent(percent), ..Canary::default() };
    Spec { canary: Some(canary), ..orders() }
}

/// The sample account, with so many invocations of the function a second.
fn busy(rate: f64) -> World {
    let mut world = newcomer();
    let load = world.loads.functions[NAME].last().unwrap().load.clone();
    world.set_load_for_ever(NAME, sandbox::Load { rate: sandbox::Rate::Constant(rate), ..load });
    world
}

fn live(world: &World) -> Alias {
    world.lambda.functions[NAME].aliases["live"].clone()
}

/// Whether a version leads to a proxy.
fn leads_to_proxy(world: &World, version: &str) -> bool {
    let function = &world.lambda.functions[NAME];
    let host = &function.versions[&version.parse().unwrap()].environment.as_ref().unwrap()["DB_HOST"];
    world.rds.proxies.values().any(|proxy| proxy.endpoint == *host)
}

/// The share of the alias's calls that goes to a proxy, in percent.
#[expect(clippy::cast_possible_truncation, reason = "a share is 0 to 1")]
fn share(world: &World) -> i32 {
    let alias = live(world);
    let other: f64 = alias.weights.iter().filter(|(version, _)| leads_to_proxy(world, version)).map(|(_, w)| w).sum();
    let weights: f64 = alias.weights.values().sum();
    let share = if leads_to_proxy(world, &alias.version) { 1.0 - weights + other } else { other };
    (share * 100.0).round() as i32
}

/// Every share that the alias had at the proxy, in order.
fn shares(bed: &Bed) -> Arc<Mutex<Vec<i32>>> {
    let seen = Arc::new(Mutex::new(vec![0]));
    let kept = Arc::clone(&seen);
    bed.observe(move |_, world| {
        let (now, mut seen) = (share(world), kept.lock().unwrap());
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    });
    seen
}

/// Law: the alias leads to the database or to a proxy with a target, with both of its versions.
fn leads_somewhere(world: &World) -> Result<(), String> {
    let alias = live(world);
    for version in alias.weights.keys().chain([&alias.version]) {
        let number = version.parse().map_err(|_| format!("{version} is no published version"))?;
        let held = world.lambda.functions[NAME].versions.get(&number).ok_or(format!("version {version} is gone"))?;
        let host = &held.environment.as_ref().unwrap()["DB_HOST"];
        let database = world.rds.clusters["my-cluster"].endpoint == *host;
        let works = |proxy: &sandbox::parts::Proxy| proxy.endpoint == *host && proxy.target_group.target.is_some();
        if !database && !world.rds.proxies.values().any(works) {
            return Err(format!("version {version} leads to {host}, where nothing is"));
        }
    }
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn a_share_goes_first_and_all_of_it_once_that_is_not_worse() {
    let plain = Bed::of(newcomer(), NEVER, false);
    let Fate::Done(_) = plain.up(&Spec { canary: None, ..orders() }).await else { panic!("up") };
    let bed = Bed::of(newcomer(), NEVER, false);
    let seen = shares(&bed);
    let walk = walk(bed.up(&by(25)).await);
    assert_eq!(walk.ending, Ending::Complete, "{walk:#?}");
    assert_eq!(*seen.lock().unwrap(), [0, 25, 100]);
    let alias = AliasShare { function: NAME.to_owned(), alias: "live".to_owned(), percent: 25 };
    let aliases: Vec<&[AliasShare]> = walk.waves.iter().map(|wave| wave.aliases.as_slice()).collect();
    assert_eq!(aliases, [&[alias][..], &[]]);
    assert!(walk.aliases.is_empty());
    // The share was judged by its own numbers, and by those of the version before.
    let Judgement::NotWorse { judged } = &walk.waves[0].judgement else { panic!("{walk:#?}") };
    assert!(judged.iter().any(|one| one.subject == Subject::Function(LABEL.to_owned())), "{judged:#?}");
    let (with, without) = (bed.settled().await, plain.settled().await);
    assert_eq!(functions(&with), functions(&without));
    assert_eq!(with.rds.proxies[PROXY].tags["rdsproxy-setup:canary"], ".");
    let since = bed.logged();
    assert!(crate::canary::walk(bed.up(&by(25)).await).waves.is_empty());
    assert_eq!(bed.mutations(since), [""; 0]);
}

/// By traffic: the peak of the day allows a quarter, and with little of it all calls move at once.
#[tokio::test(start_paused = true)]
async fn the_share_follows_from_the_traffic() {
    for (rate, expected) in [(5.0, vec![0, 10, 100]), (1.7, vec![0, 25, 100]), (0.3, vec![0, 100])] {
        let bed = Bed::of(busy(rate), NEVER, false);
        let seen = shares(&bed);
        let walk = walk(bed.up(&orders()).await);
        assert_eq!(walk.ending, Ending::Complete, "{rate}: {walk:#?}");
        assert_eq!(*seen.lock().unwrap(), expected, "{rate} a second");
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_worse_goes_back_and_the_rest_never_moved() {
    for cause in [AtProxy::Refused, AtProxy::Failed, AtProxy::Slow, AtProxy::Pinned] {
        let world = troubled(cause);
        let before = functions(&world);
        let bed = Bed::of(world, NEVER, false);
        let seen = shares(&bed);
        let walk = walk(bed.up(&by(10)).await);
        assert_eq!((walk.ending, walk.waves.len()), (Ending::Worse, 1), "{cause:?}: {walk:#?}");
        assert_eq!(*seen.lock().unwrap(), [0, 10, 0], "{cause:?}");
        assert_eq!(walk.back, [NAME]);
        assert_eq!(functions(&bed.settled().await), before, "{cause:?}");
    }
}

/// The version before fails as much as the new one, at the same time: nothing is blamed on the proxy, and nothing goes
/// on.
#[tokio::test(start_paused = true)]
async fn the_version_before_is_the_control() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let calls = {
        let clean = Bed::of(newcomer(), NEVER, false);
        walk(clean.up(&by(50)).await);
        clean.actions(0).iter().position(|action| action == "UpdateAlias").unwrap() + 1
    };
    bed.meanwhile(calls, |world| {
        let load = world.loads.functions[NAME].last().unwrap().load.clone();
        world.set_load(NAME, sandbox::Load { errors: 0.33, ..load });
    });
    let walk = walk(bed.up(&by(50)).await);
    assert_eq!(walk.ending, Ending::Unknown, "{walk:#?}");
    assert_eq!(share(&bed.settled().await), 50, "it stops where it is");
    assert_eq!(walk.aliases.len(), 1);
}

/// A canary that ended with a share of the calls at the proxy, since CloudWatch had nothing.
async fn half_way(world: World) -> Bed {
    let mut world = world;
    world.profile.metric_lag = Duration::from_hours(10);
    let bed = Bed::of(world, NEVER, false);
    let end = walk(bed.up(&by(10)).await);
    assert_eq!((end.ending, end.aliases.len(), end.moved.len()), (Ending::Unknown, 1, 1), "{end:#?}");
    let lag = newcomer().profile.metric_lag;
    bed.gate.account.with(|world| {
        assert_eq!(share(world), 10);
        world.profile.metric_lag = lag;
    });
    bed
}

#[tokio::test(start_paused = true)]
async fn a_share_that_stands_is_resumed_completed_or_taken_back() {
    let world = busy(2.0);
    let before = functions(&world);
    // The same command goes on: the share is judged first, though this run would take a quarter.
    let bed = half_way(world.clone()).await;
    let (seen, since) = (shares(&bed), bed.logged());
    let resumed = walk(bed.up(&orders()).await);
    let written = bed.mutations(since).iter().filter(|action| action.contains("UpdateAlias")).count();
    assert_eq!(written, 1, "what stands is not written again");
    assert_eq!(resumed.ending, Ending::Complete, "{resumed:#?}");
    assert_eq!(
        resumed.waves.iter().map(|wave| (wave.number, wave.aliases.len())).collect::<Vec<_>>(),
        [(0, 1), (0, 0)]
    );
    assert_eq!(*seen.lock().unwrap(), [0, 10, 100]);
    // Without waves, all calls move at once, and no canary is left.
    let bed = half_way(world.clone()).await;
    let Fate::Done(_) = bed.up(&Spec { canary: None, ..orders() }).await else { panic!("up") };
    let settled = bed.settled().await;
    assert_eq!(share(&settled), 100);
    assert_eq!(settled.rds.proxies[PROXY].tags["rdsproxy-setup:canary"], ".");
    bed.in_place(&Spec { canary: None, ..orders() }).await;
    // restore and teardown take the share away.
    let bed = half_way(world.clone()).await;
    assert!(matches!(bed.restore(&orders()).await, Fate::Done(())));
    assert_eq!(functions(&bed.settled().await), before);
    let bed = half_way(world.clone()).await;
    assert!(matches!(bed.down(&orders()).await, Fate::Done(())));
    assert_eq!(functions(&bed.settled().await), before);
    // What was at the proxy before goes back with it where it turns out to be worse.
    let bed = half_way(world).await;
    bed.gate.account.with(|world| world.set_at_proxy(NAME, AtProxy::Refused));
    let resumed = walk(bed.up(&orders()).await);
    assert_eq!((resumed.ending, resumed.back), (Ending::Worse, vec![NAME.to_owned()]));
    assert_eq!(functions(&bed.settled().await), before);
}

/// Weights that somebody else has set, before the run or meanwhile, are never written over.
#[tokio::test(start_paused = true)]
async fn weights_of_others_are_never_written_over() {
    let theirs = |world: &mut World| {
        let function = world.lambda.functions.get_mut(NAME).unwrap();
        let third =
            Configuration { version: "9".to_owned(), description: String::new(), ..function.versions[&1].clone() };
        function.versions.insert(9, third);
        function.published = 9;
        let alias = function.aliases.get_mut("live").unwrap();
        alias.weights = BTreeMap::from([("9".to_owned(), 0.3)]);
        alias.revision.push('x');
    };
    // Before the run: a conflict that names the alias.
    let mut world = newcomer();
    theirs(&mut world);
    let bed = Bed::of(world, NEVER, false);
    let why = bed.survey(&orders()).await.unwrap_err().to_string();
    assert!(why.contains("(OrdersFunction:live): it splits its calls between two versions"), "{why}");
    // Before each of the writes of the alias: once for the share, once for all.
    let clean = Bed::of(newcomer(), NEVER, false);
    walk(clean.up(&by(50)).await);
    let actions = clean.actions(0);
    let writes = actions.iter().enumerate().filter(|(_, action)| *action == "UpdateAlias").map(|(at, _)| at);
    let writes: Vec<usize> = writes.collect();
    assert_eq!(writes.len(), 2, "{actions:?}");
    for at in writes {
        let bed = Bed::of(newcomer(), NEVER, false);
        bed.meanwhile(at, theirs);
        let Fate::Stopped(why) = bed.up(&by(50)).await else { panic!("it went on at {at}") };
        assert!(why.contains("OrdersFunction:live was moved meanwhile"), "{why}");
        let world = bed.settled().await;
        assert_eq!(live(&world).weights, BTreeMap::from([("9".to_owned(), 0.3)]), "at call {at}");
        // The way back leaves them too, and says so.
        let stack = rdsproxy_setup::teardown::survey(&bed.cloud, PROXY, None).await.unwrap();
        let stuck: Vec<&String> = stack.functions.iter().flat_map(|found| &found.aliases.stuck).collect();
        assert!(stuck.is_empty() || stuck[0].contains("splits its calls"), "{stuck:?}");
        assert_eq!(stack.functions.iter().map(|found| found.aliases.back.len()).sum::<usize>(), 0);
    }
}

/// With provisioned concurrency, Lambda refuses weights, and sends all calls to the former version until the new one is
/// ready: the alias moves whole, and is waited for; and so is its way back.
#[tokio::test(start_paused = true)]
async fn an_alias_with_provisioned_concurrency_moves_whole_and_is_waited_for() {
    let mut world = newcomer();
    world.lambda.functions.get_mut(NAME).unwrap().provisioned.insert("live".to_owned(), 2);
    let before = functions(&world);
    let ready = world.profile.lambda_provisioned;
    let bed = Bed::of(world.clone(), NEVER, false);
    let seen = shares(&bed);
    let walk = walk(bed.up(&by(10)).await);
    assert_eq!((walk.ending, walk.waves.len()), (Ending::Complete, 1), "{walk:#?}");
    assert_eq!(*seen.lock().unwrap(), [0, 100], "no call was at the proxy before the new version was ready");
    assert!(matches!(bed.down(&orders()).await, Fate::Done(())));
    assert_eq!(functions(&bed.settled().await), before);
    // While Lambda is at it, a run that was killed leaves the alias at both; the way back knows it.
    let bed = Bed::of(world, NEVER, false);
    let Fate::Done(_) = bed.up(&Spec { canary: None, ..orders() }).await else { panic!("up") };
    bed.gate.account.with(|world| {
        let until = world.now + ready;
        let alias = world.lambda.functions.get_mut(NAME).unwrap().aliases.get_mut("live").unwrap();
        alias.weights = BTreeMap::from([("1".to_owned(), 1.0)]);
        alias.until = Some(until);
    });
    assert!(matches!(bed.restore(&orders()).await, Fate::Done(())));
    assert_eq!(functions(&bed.settled().await), before);
}

/// The sample account, in which this becomes of the function at a proxy.
fn troubled(cause: AtProxy) -> World {
    let mut world = newcomer();
    world.set_at_proxy(NAME, cause);
    world
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: a kill before and after every call, and four ways on from each"]
async fn killed_anywhere_the_alias_leads_somewhere_and_every_way_on_works() {
    for cause in [AtProxy::Works, AtProxy::Refused] {
        let (first, all) = calls(&by(50), troubled(cause)).await;
        say(&format!("{cause:?}: killed at {} calls, before and after each", all.len() - first));
        for (kill_at, after) in (first..all.len()).flat_map(|n| [(n, false), (n, true)]) {
            let world = troubled(cause);
            let before = functions(&world);
            let name = format!("{cause:?}, killed at call {kill_at} ({}, after: {after})", all[kill_at]);
            for way in ["canary", "up", "restore", "teardown"] {
                let bed = Bed::of(world.clone(), kill_at, after);
                let fate = bed.up(&by(50)).await;
                assert!(matches!(fate, Fate::Killed), "{name}: {fate:?}");
                bed.gate.account.with(|world| leads_somewhere(world)).unwrap();
                bed.disarm();
                match way {
                    "canary" => {
                        let end = walk(bed.up(&by(50)).await);
                        let want = if cause == AtProxy::Works { Ending::Complete } else { Ending::Worse };
                        assert_eq!(end.ending, want, "{name}: {end:#?}");
                    }
                    "up" => {
                        let Fate::Done(_) = bed.up(&Spec { canary: None, ..orders() }).await else { panic!("{name}") };
                    }
                    "restore" => assert!(matches!(bed.restore(&orders()).await, Fate::Done(())), "{name}"),
                    _ => assert!(matches!(bed.down(&orders()).await, Fate::Done(())), "{name}"),
                }
                let world = bed.settled().await;
                leads_somewhere(&world).unwrap();
                let at_proxy = way == "up" || (way == "canary" && cause == AtProxy::Works);
                if at_proxy {
                    assert_eq!((share(&world), live(&world).weights.len()), (100, 0), "{name}, then {way}");
                } else {
                    assert_eq!(functions(&world), before, "{name}, then {way}");
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn under_every_fault_the_alias_leads_somewhere_and_worse_leaves_nothing() {
    let is_at_proxy = |world: &World| (share(world), live(world).weights.len()) == (100, 0);
    under_every_fault(&by(50), troubled, leads_somewhere, is_at_proxy).await;
}

/// The built program: the plan, the waves, status half way, and the way on.
#[test]
fn the_program_says_which_share_is_where() {
    let desk = Desk::new();
    let up = ["up", "--db", "my-cluster", "--function", NAME, "--canary"];
    let plan = desk.run(&[&up[..], &["--dry-run"]].concat());
    assert!(plan.stdout.contains("Of an alias, a share of the calls moves first"), "{plan}");
    let plan = desk.run(&[&up[..], &["--dry-run", "--alias-weight", "100%"]].concat());
    assert!(!plan.stdout.contains("Of an alias"), "{plan}");
    let wrong = desk.run(&[&up[..], &["--alias-weight", "0%"]].concat());
    assert_eq!(wrong.code, Some(64), "{wrong}");

    let run = desk.run(&[&up[..], &["--alias-weight", "25%", "--yes"]].concat());
    assert_eq!(run.code, Some(0), "{run}");
    let wave = "Wave 1 of 1 (OrdersFunction, with 25 % of the calls of OrdersFunction:live): not worse.";
    assert!(run.stdout.contains(wave) && run.stdout.contains("Wave 1 of 1 (OrdersFunction): not worse."), "{run}");
    assert!(run.stderr.contains("sending all calls of OrdersFunction:live to the proxy"), "{run}");

    let desk = Desk::new();
    desk.change(|world| world.profile.metric_lag = Duration::from_hours(100));
    let brief = ["--alias-weight", "25%", "--soak", "1m", "--timeout", "canary=1m", "--yes"];
    let run = desk.run(&[&up[..], &brief].concat());
    assert_eq!(run.code, Some(8), "{run}");
    assert!(run.stdout.contains("--canary --soak 60s --alias-weight 25%"), "{run}");
    let staying = "At the proxy, and staying there: OrdersFunction, with 25 % of the calls of OrdersFunction:live.";
    assert!(run.stderr.replace("\n         ", " ").contains(staying), "{run}");
    let status = desk.run(&["status", "--db", "my-cluster"]);
    assert!(
        status.stdout.replace('\n', " ").contains("with only 25 % of the calls of OrdersFunction:live"),
        "{status}"
    );
    let restore = desk.run(&["restore", "--db", "my-cluster", "--dry-run"]);
    assert!(
        restore.stdout.contains("alias live back to version 1 alone (version 2 gets 25 % of its calls now)"),
        "{restore}"
    );
}
