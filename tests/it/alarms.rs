//! `alarms`: what watches a proxy is created once, repaired, shown, and gone with the proxy; nothing of others is
//! touched.

use observe::alarms::{KINDS, Kind};
use rdsproxy_setup::alarms::Look;
use rdsproxy_setup::permissions::{Feature, Scope, Verb, policies};
use rdsproxy_setup::resources::alarms::{Action, AlarmsFound, Plan, Settings};
use rdsproxy_setup::teardown;
use sandbox::World;
use sandbox::parts::{Alarm, Dashboard};
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::doctor::all_but;
use crate::harness::{Bed, Fate, NEVER, newcomer, owner, wish};
use crate::permissions::{denials, restrict, scope};

const INSTANCE: &str = "my-instance";
const PREFIX: &str = "rdsproxy-setup/my-instance-proxy/";
const BOARD: &str = "rdsproxy-setup-my-instance-proxy-eu-central-1";
const TOPIC: &str = "arn:aws:sns:eu-central-1:123456789012:ops";

/// What somebody does by hand.
type Hand = fn(&mut World);

/// What goes wrong.
type Trouble = Box<dyn Fn(&mut World)>;

fn with_dashboard() -> Settings {
    Settings { dashboard: true, ..Settings::default() }
}

/// An account with a proxy that has had metrics for a while.
async fn with_proxy(id: &str) -> World {
    let bed = Bed::of(newcomer(), NEVER, false);
    let fate = bed.up(&wish(id)).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    bed.settled().await
}

async fn done(bed: &Bed, id: &str, settings: &Settings) -> Plan {
    match bed.alarms(&wish(id), settings).await {
        Fate::Done(plan) => plan,
        other => panic!("{other:?}"),
    }
}

fn names(world: &World) -> Vec<&str> {
    world.monitoring.alarms.keys().map(|name| name.strip_prefix(PREFIX).unwrap_or(name)).collect()
}

fn of(world: &World, kind: Kind) -> &Alarm {
    &world.monitoring.alarms[&format!("{PREFIX}{}", kind.info().key)]
}

#[tokio::test(start_paused = true)]
async fn every_alarm_of_the_table_is_created_once_with_its_tag_and_a_second_run_changes_nothing() {
    let bed = Bed::of(with_proxy(INSTANCE).await, NEVER, false);
    done(&bed, INSTANCE, &with_dashboard()).await;
    let world = bed.settled().await;
    let mut keys: Vec<&str> = KINDS.iter().map(|info| info.key).collect();
    keys.sort_unstable();
    assert_eq!(names(&world), keys);
    for alarm in world.monitoring.alarms.values() {
        assert_eq!(alarm.tags["rdsproxy-setup:stack"], "my-instance-proxy");
    }
    assert!(world.monitoring.dashboards[BOARD].body.contains("my-instance-proxy/pool"));
    assert_eq!(of(&world, Kind::Pool).configuration["Metrics"][2]["Expression"], "100 * m1 / m2");
    let since = bed.logged();
    let plan = done(&bed, INSTANCE, &Settings::default()).await;
    assert_eq!(bed.mutations(since), [""; 0]);
    assert!(plan.rows.iter().all(|row| row.action == Action::Keep), "{plan:?}");
    // They are evaluated, and a proxy that works lets none of them go off.
    let states: Vec<_> = plan.rows.iter().filter_map(|row| Some((row.kind?, row.state.clone()?))).collect();
    assert!(states.iter().all(|(_, state)| state != "ALARM"), "{states:?}");
    assert!(states.contains(&(Kind::Availability, "OK".to_owned())), "{states:?}");
}

#[tokio::test(start_paused = true)]
async fn drift_is_repaired_and_thresholds_topics_and_silence_that_were_set_by_hand_stay() {
    let bed = Bed::of(with_proxy(INSTANCE).await, NEVER, false);
    let settings = Settings { topics: Some(vec![TOPIC.to_owned()]), ..with_dashboard() };
    done(&bed, INSTANCE, &settings).await;
    let there = bed.settled().await;
    let hands: [(&str, Hand); 6] = [
        ("missing data", |world| {
            alarm(world, "pool").configuration["TreatMissingData"] = json!("ignore");
        }),
        ("points", |world| alarm(world, "pinned").configuration["DatapointsToAlarm"] = json!(1)),
        ("metric", |world| {
            alarm(world, "availability").configuration["Metrics"][0]["MetricStat"]["Stat"] = json!("Maximum");
        }),
        ("topic", |world| alarm(world, "pool").configuration["AlarmActions"] = json!([])),
        ("gone", |world| drop(world.monitoring.alarms.remove("rdsproxy-setup/my-instance-proxy/failed-setups"))),
        ("dashboard", |world| {
            let board = world.monitoring.dashboards.get_mut(BOARD).unwrap();
            board.body = board.body.replace("Waiting for a connection", "Waiting");
        }),
    ];
    for (what, hand) in hands {
        let mut world = there.clone();
        hand(&mut world);
        let bed = Bed::of(world, NEVER, false);
        let since = bed.logged();
        done(&bed, INSTANCE, &Settings::default()).await;
        assert_eq!(bed.mutations(since).len(), 1, "{what}: {:?}", bed.mutations(since));
        assert_eq!(bed.dump().await["monitoring"], there.dump()["monitoring"], "{what}");
    }
    let hands: [(&str, Hand); 2] = [
        ("threshold", |world| alarm(world, "pool").configuration["Threshold"] = json!(95.0)),
        ("silence", |world| alarm(world, "pool").configuration["ActionsEnabled"] = json!(false)),
    ];
    for (what, hand) in hands {
        let mut world = there.clone();
        hand(&mut world);
        let bed = Bed::of(world, NEVER, false);
        let since = bed.logged();
        let plan = done(&bed, INSTANCE, &Settings::default()).await;
        assert_eq!(bed.mutations(since), [""; 0], "{what}");
        let row = plan.rows.iter().find(|row| row.kind == Some(Kind::Pool)).unwrap();
        assert!(row.silenced || row.threshold.as_deref() == Some("95 %"), "{row:?}");
        // A change for another reason keeps both.
        bed.gate.account.with(|world| alarm(world, "pool").configuration["EvaluationPeriods"] = json!(9));
        done(&bed, INSTANCE, &Settings::default()).await;
        let world = bed.settled().await;
        let held = &of(&world, Kind::Pool).configuration;
        assert!(held["Threshold"] == 95.0 || held["ActionsEnabled"] == false, "{what}: {held}");
    }
    // A flag asks for a value.
    let bed = Bed::of(there, NEVER, false);
    let thresholds = [(Kind::Pool, 90.0), (Kind::BorrowLatency, 250.0), (Kind::ClientGrowth, 4.0)].into();
    done(&bed, INSTANCE, &Settings { thresholds, topics: Some(Vec::new()), dashboard: false }).await;
    let world = bed.settled().await;
    assert_eq!(of(&world, Kind::Pool).configuration["Threshold"], 90.0);
    assert_eq!(of(&world, Kind::BorrowLatency).configuration["Threshold"], 250_000.0);
    assert_eq!(
        of(&world, Kind::ClientGrowth).configuration["Metrics"][1]["Expression"],
        "ANOMALY_DETECTION_BAND(m1, 4)"
    );
    assert_eq!(of(&world, Kind::Pool).configuration["AlarmActions"], json!([]));
}

fn alarm<'world>(world: &'world mut World, key: &str) -> &'world mut Alarm {
    world.monitoring.alarms.get_mut(&format!("{PREFIX}{key}")).unwrap()
}

/// The dimension is documented in two spellings: the one that the account has is used, and until it is known, nothing
/// is guessed.
#[tokio::test(start_paused = true)]
async fn the_writer_s_role_is_spelled_as_the_account_spells_it() {
    for spelling in ["READWRITE", "READ_WRITE"] {
        let mut world = with_proxy("my-cluster").await;
        world.monitoring.writer_role = Some(spelling.to_owned());
        let bed = Bed::of(world, NEVER, false);
        done(&bed, "my-cluster", &Settings::default()).await;
        let world = bed.settled().await;
        for key in ["availability", "pool", "pinned"] {
            let alarm = &world.monitoring.alarms[&format!("rdsproxy-setup/my-cluster-proxy/{key}")];
            assert!(alarm.configuration.to_string().contains(&format!("{spelling:?}")), "{spelling} {key}");
        }
    }
    let mut world = with_proxy(INSTANCE).await;
    world.monitoring.writer_role = Some("WRITER".to_owned());
    let bed = Bed::of(world, NEVER, false);
    let plan = done(&bed, INSTANCE, &Settings::default()).await;
    assert!(matches!(plan.rows[0].action, Action::Later(_)), "{plan:?}");
    assert_eq!(names(&bed.settled().await).len(), KINDS.len() - 1);
}

/// A simulated account that turns bad lets the alarm for it go off.
#[tokio::test(start_paused = true)]
async fn each_trouble_lets_its_alarm_go_off() {
    let load = |change: fn(&mut sandbox::Load)| {
        move |world: &mut World| {
            let mut load = sandbox::Load { rate: sandbox::Rate::Constant(20.0), ..sandbox::Load::default() };
            change(&mut load);
            world.set_load("DBAppFunction", load);
        }
    };
    let troubles: [(Kind, Trouble); 6] = [
        (Kind::Pinned, Box::new(load(|load| load.pinned = 0.9))),
        (Kind::RefusedLogIns, Box::new(load(|load| load.refused = 0.5))),
        (Kind::ClientGrowth, Box::new(load(|load| load.rate = sandbox::Rate::Constant(400.0)))),
        (
            Kind::WithoutTls,
            Box::new(|world| world.rds.proxies.get_mut("my-instance-proxy").unwrap().require_tls = false),
        ),
        (Kind::FailedSetups, Box::new(unreachable)),
        (Kind::Availability, Box::new(unreachable)),
    ];
    let bed = Bed::of(with_proxy(INSTANCE).await, NEVER, false);
    done(&bed, INSTANCE, &Settings::default()).await;
    // Long enough for a band to be learned.
    tokio::time::sleep(std::time::Duration::from_hours(48)).await;
    let there = bed.settled().await;
    for (kind, trouble) in troubles {
        let mut world = there.clone();
        trouble(&mut world);
        let bed = Bed::of(world, NEVER, false);
        tokio::time::sleep(std::time::Duration::from_hours(1)).await;
        let seen = bed.cloud.alarms.beginning_with(PREFIX).await.unwrap();
        let found = seen.iter().find(|found| found.alarm.name.ends_with(kind.info().key)).unwrap();
        assert_eq!(found.state, "ALARM", "{kind:?}");
    }
}

/// The database's groups let the proxy in no more.
fn unreachable(world: &mut World) {
    let group = world.ec2.groups.values_mut().find(|group| group.name == "my-instance-db").unwrap();
    group.rules.retain(|_, rule| !rule.tags.contains_key("rdsproxy-setup:stack"));
}

#[tokio::test(start_paused = true)]
async fn what_others_made_under_our_names_is_a_conflict_and_stays() {
    let mut world = with_proxy(INSTANCE).await;
    let foreign = Alarm { configuration: json!({ "EvaluationPeriods": 1, "Metrics": [] }), ..Alarm::default() };
    world.monitoring.alarms.insert(format!("{PREFIX}pool"), foreign.clone());
    world.monitoring.alarms.insert("production".to_owned(), foreign);
    let body = json!({ "widgets": [{ "type": "text", "properties": { "markdown": "mine" } }] }).to_string();
    world.monitoring.dashboards.insert(BOARD.to_owned(), Dashboard { body, ..Dashboard::default() });
    let before = world.dump();
    let bed = Bed::of(world.clone(), NEVER, false);
    let spec = wish(INSTANCE);
    let look = Look::read(&bed.cloud, &owner(&spec), &spec.database).await.unwrap();
    assert_eq!(look.plan(&with_dashboard()).conflicts(), [&format!("{PREFIX}pool"), BOARD]);
    // Without a dashboard that is asked for, somebody else's is in nobody's way.
    assert_eq!(look.plan(&Settings::default()).conflicts(), [&format!("{PREFIX}pool")]);
    let stack = teardown::survey(&bed.cloud, &spec.stack, None).await.unwrap();
    assert!(stack.foreign.iter().any(|name| name.contains("pool")), "{:?}", stack.foreign);
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    assert_eq!(bed.dump().await["monitoring"], before["monitoring"]);
    // The tag alone does not make an alarm of another name ours.
    let alarm = world.monitoring.alarms.get_mut("production").unwrap();
    alarm.tags.insert("rdsproxy-setup:stack".to_owned(), "my-instance-proxy".to_owned());
    let bed = Bed::of(world, NEVER, false);
    assert!(matches!(bed.down(&spec).await, Fate::Done(())));
    assert!(bed.settled().await.monitoring.alarms.contains_key("production"));
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_killed_run_is_resumed_and_torn_down_without_a_trace() {
    let there = with_proxy(INSTANCE).await;
    let clean = Bed::of(there.clone(), NEVER, false);
    done(&clean, INSTANCE, &with_dashboard()).await;
    let (calls, want) = (clean.calls(), clean.dump().await);
    let gone = Bed::of(there.clone(), NEVER, false);
    assert!(matches!(gone.down(&wish(INSTANCE)).await, Fate::Done(())));
    let gone = gone.dump().await;
    for (kill_at, after) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
        for back in [false, true] {
            let bed = Bed::of(there.clone(), kill_at, after);
            let fate = bed.alarms(&wish(INSTANCE), &with_dashboard()).await;
            assert!(matches!(fate, Fate::Killed), "{kill_at} {after}: {fate:?}");
            bed.disarm();
            if back {
                assert!(matches!(bed.down(&wish(INSTANCE)).await, Fate::Done(())), "{kill_at} {after}");
                assert_eq!(bed.dump().await, gone, "{kill_at} {after}");
            } else {
                done(&bed, INSTANCE, &with_dashboard()).await;
                assert_eq!(bed.dump().await, want, "{kill_at} {after}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_killed_teardown_takes_the_alarms_too() {
    let bed = Bed::of(with_proxy(INSTANCE).await, NEVER, false);
    done(&bed, INSTANCE, &with_dashboard()).await;
    let there = bed.settled().await;
    let clean = Bed::of(there.clone(), NEVER, false);
    assert!(matches!(clean.down(&wish(INSTANCE)).await, Fate::Done(())));
    let (calls, want) = (clean.calls(), clean.dump().await);
    assert!(want["monitoring"]["alarms"].as_object().is_some_and(serde_json::Map::is_empty), "{}", want["monitoring"]);
    for (kill_at, after) in (0..calls).flat_map(|n| [(n, false), (n, true)]) {
        let bed = Bed::of(there.clone(), kill_at, after);
        assert!(matches!(bed.down(&wish(INSTANCE)).await, Fate::Killed), "{kill_at} {after}");
        bed.disarm();
        assert!(matches!(bed.down(&wish(INSTANCE)).await, Fate::Done(())), "{kill_at} {after}");
        assert_eq!(bed.dump().await, want, "{kill_at} {after}");
    }
}

/// Someone deletes one of the alarms while a teardown is about to: all or none is deleted, so the others are tried
/// again.
#[tokio::test(start_paused = true)]
async fn an_alarm_that_goes_meanwhile_keeps_the_others_from_nothing() {
    let bed = Bed::of(with_proxy(INSTANCE).await, NEVER, false);
    done(&bed, INSTANCE, &Settings::default()).await;
    let there = bed.settled().await;
    let probe = Bed::of(there.clone(), NEVER, false);
    assert!(matches!(probe.down(&wish(INSTANCE)).await, Fate::Done(())));
    let at = probe.actions(there.log.len()).iter().position(|action| action == "DeleteAlarms").unwrap();
    let bed = Bed::of(there, NEVER, false);
    bed.meanwhile(at, |world| drop(world.monitoring.alarms.remove(&format!("{PREFIX}pool"))));
    assert!(matches!(bed.down(&wish(INSTANCE)).await, Fate::Done(())));
    assert!(bed.settled().await.monitoring.alarms.is_empty());
}

#[tokio::test(start_paused = true)]
async fn its_own_policy_is_enough_and_a_right_that_is_missing_is_unknown_and_not_absent() {
    let there = with_proxy(INSTANCE).await;
    let scope = Scope { database: Some(INSTANCE.to_owned()), ..scope() };
    let bed = Bed::of(there.clone(), NEVER, false);
    restrict(&bed, &policies(&[Verb::Alarms], &[], &scope));
    done(&bed, INSTANCE, &with_dashboard()).await;
    assert_eq!(denials(&bed), [""; 0]);
    let watched = bed.settled().await;
    let bed = Bed::of(watched.clone(), NEVER, false);
    restrict(&bed, &policies(&[Verb::Teardown], &[Feature::Alarms], &scope));
    assert!(matches!(bed.down(&wish(INSTANCE)).await, Fate::Done(())));
    assert_eq!(denials(&bed), [""; 0]);
    let bed = Bed::of(watched, NEVER, false);
    restrict(&bed, &[all_but("cloudwatch:DescribeAlarms")]);
    let stack = teardown::survey(&bed.cloud, "my-instance-proxy", None).await.unwrap();
    assert!(matches!(stack.alarms, AlarmsFound::Unknown(_)), "{:?}", stack.alarms);
    // A teardown would leave them behind, and so does not begin; functions go back all the same.
    let since = bed.logged();
    let fate = bed.down(&wish(INSTANCE)).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why.contains("cloudwatch:DescribeAlarms")), "{fate:?}");
    assert_eq!(bed.mutations(since), [""; 0]);
    assert!(matches!(bed.restore(&wish(INSTANCE)).await, Fate::Done(())));
}

/// The built program: a dry run changes nothing, a second run finds nothing to do, status knows, and --remove deletes.
#[test]
fn the_command_shows_creates_keeps_and_deletes() {
    let desk = Desk::new();
    let up = desk.run(&["up", "--db", INSTANCE, "--yes", "--timeout", "12h"]);
    assert_eq!(up.code, Some(0), "{up}");
    // Every metric is there by then.
    desk.hours_later(2);
    let before = desk.dump();
    let shown = desk.run(&["alarms", "--db", INSTANCE, "--dry-run"]);
    assert_eq!((shown.code, desk.dump()), (Some(0), before), "{shown}");
    assert!(shown.stdout.contains("+ pool") && shown.stdout.contains("above 80 %"), "{shown}");
    let alone = desk.run(&["alarms", "--db", INSTANCE]);
    assert_eq!(alone.code, Some(4), "{alone}");
    let made = desk.run(&["alarms", "--db", INSTANCE, "--topic", TOPIC, "--dashboard", "--yes", "--output", "json"]);
    assert_eq!(made.code, Some(0), "{made}");
    let document: Value = serde_json::from_str(&made.stdout).unwrap();
    assert!(document["alarms"].as_array().unwrap().iter().any(|row| row["notifies"] == json!([TOPIC])), "{made}");
    let again = desk.run(&["alarms", "--db", INSTANCE, "--yes"]);
    assert!(again.code == Some(0) && again.stdout.contains("Nothing to change"), "{again}");
    let status = desk.run(&["status", "--db", INSTANCE]);
    assert!(status.stdout.contains(" alarms"), "{status}");
    let gone = desk.run(&["alarms", "--db", INSTANCE, "--remove", "--yes"]);
    assert!(gone.code == Some(0) && gone.stdout.contains("no longer watched"), "{gone}");
    for wrong in [
        &["--threshold", "pool=200"][..],
        &["--threshold", "nothing=1"],
        &["--topic", "ops"],
        &["--topic", TOPIC, "--no-topic"],
        &["--remove", "--dashboard"],
    ] {
        let shown = desk.run(&[&["alarms", "--db", INSTANCE, "--yes"], wrong].concat());
        assert_eq!(shown.code, Some(64), "{shown}");
    }
}
