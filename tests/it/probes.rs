//! Short-lived functions that prove a connection: what they find follows from the account, and none of them stays.

use std::sync::Arc;

use rdsproxy_setup::engine::event::Recorder;
use rdsproxy_setup::engine::{Run, StopSign, Timeouts};
use rdsproxy_setup::entrance::Entrance;
use rdsproxy_setup::probe::{self, Hosts, Probing, Proof, prove};
use rdsproxy_setup::spec::{ClientAuth, Spec, Verify};
use sandbox::{Fault, Trigger, Trouble, World};
use serde_json::Value;

use crate::access::lawful;
use crate::doctor::deny_connect;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::network::group;
use crate::permissions::end_to_end;
use crate::shape::{difference, shape};

pub(crate) const PREFIX: &str = "rdsproxy-setup-probe-";

fn proving(id: &str) -> Spec {
    Spec { verify: Verify::Probe, ..wish(id) }
}

/// What `verify --probe` does, told to whoever wants to stop it.
async fn verify_until(bed: &Bed, spec: &Spec, stop: &StopSign) -> Result<Vec<Proof>, String> {
    let entrance = Entrance::find(&bed.cloud, &spec.database, &spec.stack, false).await;
    let entrance = entrance.map_err(|problem| problem.to_string())?;
    let survey = entrance.survey(&bed.cloud, spec.clone()).await.map_err(|problem| problem.to_string())?;
    let (code, reader) = (probe::package(), survey.reader_host());
    let hosts = Hosts { proxy: &entrance.host, reader: reader.as_deref() };
    let seats = probe::seats(&survey, hosts, spec.probe_login);
    let wanted = Probing { owner: &survey.owner, seats: &seats, code: &code, settle: None };
    let listener = Recorder::default();
    let run = Run { cloud: &bed.cloud, clock: &bed.clock, timeouts: Timeouts::default(), listener: &listener, stop };
    Box::pin(prove(&run, &wanted)).await.map_err(|stop| stop.to_string())
}

pub(crate) async fn verify(bed: &Bed, spec: &Spec) -> Fate<Vec<Proof>> {
    Box::pin(bed.mortal(verify_until(bed, spec, &StopSign::default()))).await
}

/// The account with a proxy in front of a database, as a quick day leaves it.
pub(crate) async fn proxied(world: World, spec: &Spec) -> World {
    let bed = Bed::of(world, NEVER, false);
    let fate = bed.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let mut world = bed.settled().await;
    world.log.clear();
    world
}

/// Where each connection ended: the failed stage and its fault, or `ok` and the last stage.
fn ends(fate: &Fate<Vec<Proof>>) -> Vec<String> {
    let Fate::Done(proofs) = fate else { panic!("{fate:?}") };
    let end = |proof: &Proof| match proof.failure() {
        Some((stage, _)) => format!("{} {}", stage.stage, stage.fault.as_deref().unwrap_or_default()),
        None => format!("ok {}", proof.stages.last().map_or("", |stage| stage.stage.as_str())),
    };
    proofs.iter().map(end).collect()
}

pub(crate) fn probes_in(world: &World) -> usize {
    world.lambda.functions.keys().filter(|name| name.starts_with(PREFIX)).count()
}

#[tokio::test(start_paused = true)]
async fn in_a_clean_world_every_stage_goes_well_and_nothing_is_left() {
    let with_password = |spec: Spec| Spec { probe_login: true, ..spec };
    for (spec, expected) in [
        (wish("my-instance"), &["ok query", "ok query"][..]),
        // The second function uses the readers too.
        (wish("my-cluster"), &["ok tls", "ok tls", "ok tls"]),
        (with_password(wish("my-cluster")), &["ok query", "ok query", "ok query"]),
    ] {
        let world = proxied(newcomer(), &spec).await;
        let bed = Bed::of(world, NEVER, false);
        let before = bed.dump().await;
        let fate = verify(&bed, &spec).await;
        assert_eq!(ends(&fate), expected, "{spec:?}");
        assert_eq!(bed.dump().await, before, "{spec:?}");
        let made = bed.mutations(0);
        assert!(made.iter().all(|action| ["CreateFunction", "Invoke", "DeleteFunction"].contains(&action.as_str())));
    }
    let world = proxied(newcomer(), &end_to_end("my-instance")).await;
    assert_eq!(ends(&verify(&Bed::of(world, NEVER, false), &wish("my-instance")).await), ["ok query", "ok query"]);
}

#[tokio::test(start_paused = true)]
async fn what_fails_follows_from_the_account() {
    let shared = |world: &mut World, change: fn(&mut World)| change(world);
    for (spec, expected, break_it) in [
        (
            wish("my-instance"),
            "tcp timed_out",
            (|world| {
                let id = group(world, "my-instance-proxy");
                world.ec2.groups.get_mut(&id).unwrap().rules.retain(|_, rule| rule.egress);
            }) as fn(&mut World),
        ),
        (wish("my-instance"), "tcp timed_out", |world| crate::network::wall(world, 3306)),
        (wish("my-instance"), "login login_denied", take_rights),
        (wish("my-instance"), "login login_denied", |world| {
            let secret = world.secrets.secrets.values_mut().find(|secret| secret.name.starts_with("rds!")).unwrap();
            secret.versions[0].text = Some(r#"{"username":"someone","password":"else"}"#.to_owned());
        }),
        (wish("my-instance"), "query borrow_timed_out", |world| {
            world.rds.instances.get_mut("my-instance").unwrap().status = String::from("stopped");
        }),
        (wish("my-cluster"), "login no_credentials_for_user", |world| {
            let secret = world.secrets.secrets.get_mut("my-cluster/app").unwrap();
            secret.versions[0].text = Some(r#"{"username":"someone","password":"else"}"#.to_owned());
        }),
        (wish("my-cluster"), "login login_denied", |world| {
            let secret = world.secrets.secrets.get_mut("my-cluster/app").unwrap();
            secret.versions[0].text = Some(r#"{"username":"app","password":"another one"}"#.to_owned());
        }),
    ] {
        let spec = Spec { probe_login: true, ..spec };
        let mut world = proxied(newcomer(), &spec).await;
        // Far enough apart for ACLs to be asked: the functions and the proxy share no subnet.
        part(&mut world, &spec);
        shared(&mut world, break_it);
        let bed = Bed::of(world, NEVER, false);
        // Of a database that is down, or a secret that is gone, the survey says so itself; the proxy is still there.
        let fate = verify(&bed, &spec).await;
        if let Fate::Stopped(why) = &fate {
            assert!(expected.starts_with("query") && why.contains("stopped"), "{expected}: {why}");
            continue;
        }
        assert!(ends(&fate).iter().all(|end| end == expected), "{expected}: {:?}", ends(&fate));
        assert_eq!(bed.gate.account.with(|world| probes_in(world)), 0);
    }
}

/// Moves the proxy out of the functions' subnets.
fn part(world: &mut World, spec: &Spec) {
    let seats: Vec<String> = world
        .lambda
        .functions
        .values()
        .filter_map(|function| function.latest.vpc.clone())
        .flat_map(|vpc| vpc.subnets)
        .collect();
    let proxy = world.rds.proxies.get_mut(&spec.stack).unwrap();
    proxy.subnets.retain(|subnet| !seats.contains(subnet));
    assert!(!proxy.subnets.is_empty());
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn up_with_a_probe_keeps_the_laws() {
    let want = lawful(&newcomer, &proving("my-instance")).await;
    let plain = Bed::of(proxied(newcomer(), &wish("my-instance")).await, NEVER, false).dump().await;
    assert_eq!(want, plain, "the same account as without a probe");
}

#[tokio::test(start_paused = true)]
async fn a_closed_group_stops_up_before_step_13_and_says_why() {
    let clean = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(clean.up(&proving("my-instance")).await, Fate::Done(_)));
    let at = clean.actions(0).iter().position(|action| action == "CreateFunction").unwrap();
    let before = newcomer();
    let bed = Bed::of(newcomer(), NEVER, false);
    bed.meanwhile(at, |world| {
        let id = group(world, "my-instance-proxy");
        world.ec2.groups.get_mut(&id).unwrap().rules.retain(|_, rule| rule.egress);
    });
    let fate = bed.up(&proving("my-instance")).await;
    let Fate::Stopped(why) = &fate else { panic!("{fate:?}") };
    assert!(why.contains("from DBAppFunction: tcp failed (timed_out)"), "{why}");
    let variables = |world: &World| -> Vec<Value> {
        let all = world.lambda.functions.values();
        all.map(|function| serde_json::json!([function.latest.environment, function.tags])).collect()
    };
    bed.gate.account.with(|world| {
        assert_eq!(variables(world), variables(&before), "no function was touched");
    });
    assert!(!bed.actions(0).iter().any(|action| action == "UpdateFunctionConfiguration"));
    // Run again, it opens the group and goes on.
    let fate = bed.up(&proving("my-instance")).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    // The rule that was taken away is made again, with another id.
    let (have, want) = (shape(&bed.settled().await), shape(&clean.settled().await));
    assert!(have == want, "{:?}", difference(&have, &want));
}

#[tokio::test(start_paused = true)]
async fn rights_that_are_seconds_old_are_waited_for() {
    let mut world = proxied(newcomer(), &wish("my-instance")).await;
    world.profile.iam_propagation = std::time::Duration::from_secs(47);
    for name in ["DBAppFunction", "InvoiceFunction"] {
        let function = world.lambda.functions.get_mut(name).unwrap();
        let host = world.rds.instances["my-instance"].endpoint.clone();
        function.latest.environment.as_mut().unwrap().insert("DB_HOST".to_owned(), host);
        function.tags.clear();
    }
    take_rights(&mut world);
    let bed = Bed::of(world, NEVER, false);
    let fate = bed.up(&proving("my-instance")).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    let calls = bed.actions(0).iter().filter(|action| *action == "Invoke").count();
    assert!(calls > 4, "asked {calls} times");
}

/// The look before step 13 asks every five seconds, and not at the dense pace of other waits for IAM: it is several
/// calls.
#[tokio::test(start_paused = true)]
async fn the_look_before_step_13_is_sparing() {
    let mut world = newcomer();
    deny_connect(&mut world);
    let bed = Bed::of(world, NEVER, false);
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why.contains("RPX052")), "{fate:?}");
    let looks = bed.actions(0).iter().filter(|action| *action == "SimulatePrincipalPolicy").count();
    // Two roles for two minutes: 48 at a look every five seconds, 120 at one every two.
    assert!((30..=60).contains(&looks), "asked {looks} times");
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn killed_at_every_call_the_next_run_or_teardown_leaves_nothing() {
    let fresh = Bed::of(newcomer(), NEVER, false).dump().await;
    let mut left = 0;
    for spec in [wish("my-instance"), Spec { probe_login: true, ..wish("my-cluster") }] {
        let start = proxied(newcomer(), &spec).await;
        let clean = Bed::of(start.clone(), NEVER, false);
        let want = clean.dump().await;
        let proofs = ends(&verify(&clean, &spec).await);
        for (kill_at, after) in (0..clean.calls()).flat_map(|n| [(n, false), (n, true)]) {
            for again in [true, false] {
                let case = format!("{}, killed at call {kill_at} (after: {after}, again: {again})", spec.stack);
                let bed = Bed::of(start.clone(), kill_at, after);
                assert!(matches!(verify(&bed, &spec).await, Fate::Killed), "{case}");
                left += usize::from(bed.gate.account.with(|world| probes_in(world)) > 0);
                bed.disarm();
                if again {
                    assert_eq!(ends(&verify(&bed, &spec).await), proofs, "{case}");
                    assert_eq!(bed.dump().await, want, "{case}");
                } else {
                    let fate = bed.down(&spec).await;
                    assert!(matches!(fate, Fate::Done(())), "{case}: {fate:?}");
                    assert_eq!(bed.dump().await, fresh, "{case}");
                }
            }
        }
    }
    assert!(left > 50, "only {left} runs left something behind");
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn any_single_fault_costs_time_and_nothing_else() {
    let spec = wish("my-instance");
    let start = proxied(newcomer(), &spec).await;
    let clean = Bed::of(start.clone(), NEVER, false);
    let want = clean.dump().await;
    assert!(matches!(verify(&clean, &spec).await, Fate::Done(_)));
    let error = Trouble::ErrorBefore { status: 503, code: "ServiceUnavailable".to_owned(), message: String::new() };
    for trouble in [
        Trouble::Throttle,
        error,
        Trouble::ErrorAfter,
        Trouble::DropBefore,
        Trouble::DropAfter,
        Trouble::Silence,
        Trouble::Stale(5),
        Trouble::Stale(30),
    ] {
        for call in 1..=clean.calls() as u64 {
            let mut world = start.clone();
            world.faults.push(Fault::once(Trigger::Request(call), trouble.clone()));
            let bed = Bed::of(world, NEVER, false);
            let fate = verify(&bed, &spec).await;
            assert_eq!(ends(&fate), ["ok query", "ok query"], "{trouble:?} at {call}");
            bed.gate.account.with(|world| world.faults.clear());
            assert_eq!(bed.dump().await, want, "{trouble:?} at {call}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_interruption_removes_what_was_made() {
    let spec = wish("my-instance");
    let start = proxied(newcomer(), &spec).await;
    let want = Bed::of(start.clone(), NEVER, false).dump().await;
    let clean = Bed::of(start.clone(), NEVER, false);
    assert!(matches!(verify(&clean, &spec).await, Fate::Done(_)));
    for call in 0..clean.calls() {
        let (bed, stop) = (Bed::of(start.clone(), NEVER, false), Arc::new(StopSign::default()));
        let sign = Arc::clone(&stop);
        bed.meanwhile(call, move |_| sign.interrupt());
        let ended = Box::pin(verify_until(&bed, &spec, &stop)).await;
        assert!(ended.is_ok() || ended.as_ref().is_err_and(|why| why == "interrupted"), "{call}: {ended:?}");
        assert_eq!(bed.gate.account.with(|world| probes_in(world)), 0, "interrupted at call {call}");
        assert_eq!(bed.dump().await, want, "interrupted at call {call}");
    }
}

/// A run that was killed as soon as it had made so many functions, and their names.
pub(crate) async fn killed_with(start: &World, spec: &Spec, count: usize) -> (Bed, Vec<String>) {
    for kill_at in 0.. {
        let bed = Bed::of(start.clone(), kill_at, true);
        assert!(matches!(verify(&bed, spec).await, Fate::Killed), "never {count} at once");
        let ours = |world: &mut World| {
            let names = world.lambda.functions.keys().filter(|name| name.starts_with(PREFIX));
            names.cloned().collect::<Vec<_>>()
        };
        let names = bed.gate.account.with(ours);
        if names.len() == count {
            bed.disarm();
            return (bed, names);
        }
    }
    unreachable!()
}

/// Takes the connect policy off the functions' roles, as if it had never been there.
fn take_rights(world: &mut World) {
    for name in ["DBAppFunctionRole", "InvoiceFunctionRole"] {
        let role = world.iam.roles.get_mut(name).unwrap();
        role.attached.retain(|arn| !arn.contains("/rdsproxy-setup/"));
        role.force.retain(|held| !held.source.contains("/rdsproxy-setup/"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_function_of_such_a_name_that_is_not_ours_stays() {
    let spec = wish("my-instance");
    let start = proxied(newcomer(), &spec).await;
    let (_, names) = killed_with(&start, &spec, 2).await;
    let mut world = start.clone();
    let mut foreign = world.lambda.functions["ThumbnailFunction"].clone();
    foreign.latest.name.clone_from(&names[0]);
    world.lambda.functions.insert(names[0].clone(), foreign);
    let bed = Bed::of(world, NEVER, false);
    let before = bed.dump().await;
    assert_eq!(ends(&verify(&bed, &spec).await), ["ok query", "ok query"]);
    assert_eq!(bed.dump().await, before);
    let fate = bed.down(&spec).await;
    assert!(matches!(fate, Fate::Done(())), "{fate:?}");
    assert!(bed.gate.account.with(|world| world.lambda.functions.contains_key(&names[0])), "teardown leaves it too");
}

#[tokio::test(start_paused = true)]
async fn what_was_left_in_a_seat_that_nobody_sits_in_any_more_goes_too() {
    let spec = wish("my-instance");
    let start = proxied(newcomer(), &spec).await;
    let (bed, _) = killed_with(&start, &spec, 1).await;
    bed.gate.account.with(|world| {
        let (role, vpc) = {
            let app = &world.lambda.functions["DBAppFunction"].latest;
            (app.role.clone(), app.vpc.clone())
        };
        let invoice = &mut world.lambda.functions.get_mut("InvoiceFunction").unwrap().latest;
        (invoice.role, invoice.vpc) = (role, vpc);
    });
    // One seat, one login: the two functions share it.
    let fate = verify(&bed, &spec).await;
    assert_eq!(ends(&fate), ["ok query"]);
    let Fate::Done(proofs) = fate else { return };
    assert_eq!(proofs[0].functions, ["DBAppFunction", "InvoiceFunction"]);
    assert_eq!(bed.gate.account.with(|world| probes_in(world)), 0);
}

#[tokio::test(start_paused = true)]
async fn two_at_once_both_come_to_an_answer() {
    let spec = wish("my-instance");
    let start = proxied(newcomer(), &spec).await;
    for seed in 0..20 {
        let one = Bed::of(start.clone(), NEVER, false);
        let want = Bed::of(start.clone(), NEVER, false).dump().await;
        let two = one.beside(NEVER, false, seed);
        let (a, b) = tokio::join!(verify(&one, &spec), verify(&two, &spec));
        assert_eq!((ends(&a), ends(&b)), (vec!["ok query".to_owned(); 2], vec!["ok query".to_owned(); 2]), "{seed}");
        assert_eq!(one.dump().await, want, "{seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_password_is_in_no_answer_and_in_no_part_of_the_account() {
    let spec = Spec { probe_login: true, client_auth: ClientAuth::Password, ..wish("my-cluster") };
    let mut start = proxied(newcomer(), &spec).await;
    for name in ["OrdersFunction", "ReportsFunction"] {
        start.lambda.functions.get_mut(name).unwrap().latest.vpc.as_mut().unwrap().ipv6 = true;
    }
    let bed = Bed::of(start, NEVER, false);
    let (fate, seen) = tokio::join!(verify(&bed, &spec), async {
        let mut seen = String::new();
        for _ in 0..200 {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            bed.gate.account.with(|world| {
                for (name, function) in world.lambda.functions.iter().filter(|(name, _)| name.starts_with(PREFIX)) {
                    assert!(function.latest.environment.is_none(), "{name} has an environment");
                    assert!(function.latest.vpc.as_ref().unwrap().ipv6, "{name} is not attached as its neighbour");
                    let logging = function.latest.logging.clone().unwrap_or_default();
                    assert_ne!(logging["LogGroup"], format!("/aws/lambda/{name}"), "it would leave a log group behind");
                    seen.push_str(&serde_json::to_string(function).unwrap());
                }
            });
        }
        seen
    });
    let told = format!("{fate:?}");
    assert!(told.contains("logged in as app"), "{told}");
    assert!(!seen.is_empty());
    for text in [told, seen, bed.gate.account.with(|world| serde_json::to_string(&world.log).unwrap())] {
        assert!(!text.contains("not-a-real-password"), "{text}");
    }
}
