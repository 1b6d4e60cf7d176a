//! `up --wait=false`: it begins whatever can be begun, fails where something fails, and later runs go on to the same
//! account.

use std::time::Duration;

use rdsproxy_setup::engine::event::{Ending, Event, Recorder};
use rdsproxy_setup::engine::{Run, StepError, StopSign, Timeouts};
use rdsproxy_setup::sequence;
use rdsproxy_setup::spec::{ReaderEndpoint, Spec};
use rdsproxy_setup::survey::Survey;
use sandbox::{Fault, Service, Trigger, Trouble, World};
use serde_json::Value;

use crate::cli::up;
use crate::desk::{Desk, Shown, shown};
use crate::harness::{Bed, Fate, NEVER, wish};
use crate::shape::{difference, shape};

const MINUTE: Duration = Duration::from_mins(1);
/// What a run may take that waits for nothing but IAM: its limit for propagation, twice, since a role and a policy
/// follow each other.
const SECONDS: Duration = Duration::from_mins(4);

/// One run that does not wait, and what it told.
async fn run(bed: &Bed, spec: &Spec) -> (Result<(), StepError>, Vec<Event>) {
    let timeouts = Timeouts::default().without_waiting();
    let survey = Box::pin(Survey::read(&bed.cloud, spec, timeouts)).await.unwrap();
    let (listener, stop) = (Recorder::default(), StopSign::default());
    let run = Run { cloud: &bed.cloud, clock: &bed.clock, timeouts, listener: &listener, stop: &stop };
    let outcome = Box::pin(sequence::converge(&run, &survey)).await.map(drop);
    (outcome, listener.events())
}

/// Runs that do not wait, a minute apart, until one reaches the end.
async fn runs(bed: &Bed, spec: &Spec) -> usize {
    for number in 1..60 {
        let (began, since) = (bed.clock.elapsed(), bed.logged());
        let (outcome, _) = run(bed, spec).await;
        let took = bed.clock.elapsed().saturating_sub(began);
        assert!(took < SECONDS, "run {number} took {took:?}");
        match outcome {
            Ok(()) => return number,
            Err(StepError::Pending { .. }) => {
                let moved = bed.mutations(since).into_iter().find(|action| action.starts_with("UpdateFunction"));
                assert_eq!(moved, None, "run {number}");
            }
            Err(stop) => panic!("run {number}: {stop}"),
        }
        tokio::time::sleep(MINUTE).await;
    }
    panic!("the runs do not come to an end");
}

/// Whether a proxy takes a target while it is being created is not documented.
const REGISTERS: [bool; 2] = [true, false];

fn bed(registers: bool) -> Bed {
    let bed = Bed::new(NEVER, false);
    bed.gate.account.with(|world| world.rds.register_while_creating = registers);
    bed
}

fn wishes() -> Vec<Spec> {
    let reader = Spec { reader_endpoint: ReaderEndpoint::Always, ..wish("my-cluster") };
    vec![wish("my-instance"), wish("my-cluster"), reader]
}

async fn made_at_once(spec: &Spec) -> Value {
    let bed = Bed::new(NEVER, false);
    let fate = bed.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    shape(&bed.settled().await)
}

#[tokio::test(start_paused = true)]
async fn runs_that_do_not_wait_come_to_the_same_account() {
    for (spec, registers) in wishes().into_iter().flat_map(|spec| REGISTERS.map(|registers| (spec.clone(), registers)))
    {
        let bed = bed(registers);
        assert!(runs(&bed, &spec).await > 1);
        bed.gate.account.with(|world| world.rds.register_while_creating = true);
        let lines = difference(&shape(&bed.settled().await), &made_at_once(&spec).await);
        assert!(lines.is_empty(), "{}, {registers}: {}", spec.stack, lines.join("\n"));
        bed.in_place(&spec).await;
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_killed_run_that_did_not_wait_is_resumed() {
    for spec in wishes() {
        let clean = Bed::new(NEVER, false);
        let (outcome, _) = run(&clean, &spec).await;
        assert!(matches!(outcome, Err(StepError::Pending { .. })), "{outcome:?}");
        let want = made_at_once(&spec).await;
        for (kill_at, after) in (0..clean.calls()).flat_map(|n| [(n, false), (n, true)]) {
            let bed = Bed::new(kill_at, after);
            let fate = bed.mortal(async { Ok::<_, String>(Box::pin(run(&bed, &spec)).await.0.is_ok()) }).await;
            assert!(matches!(fate, Fate::Killed), "{kill_at}: {fate:?}");
            bed.disarm();
            runs(&bed, &spec).await;
            let lines = difference(&shape(&bed.settled().await), &want);
            assert!(
                lines.is_empty(),
                "{}, killed at call {kill_at} (after: {after}): {}",
                spec.stack,
                lines.join("\n")
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn everything_else_is_begun_beside_a_proxy_that_is_being_created() {
    let bed = bed(false);
    let (outcome, events) = run(&bed, &wish("my-instance")).await;
    let Err(StepError::Pending { doing, state }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((doing.as_str(), state.as_str()), ("waiting for the proxy (my-instance-proxy)", "creating"));
    let ended = |wanted: Ending| -> Vec<u8> {
        let mut steps: Vec<u8> = events
            .iter()
            .filter_map(|event| match event {
                Event::Ended { step, ending, .. } if *ending == wanted => Some(step.number()),
                _ => None,
            })
            .collect();
        steps.sort_unstable();
        steps
    };
    assert_eq!(ended(Ending::Created), [1, 2, 3, 6, 7, 8, 9, 12]);
    assert_eq!(ended(Ending::Pending), [3, 10]);
    assert_eq!(ended(Ending::Failed), [0; 0]);
}

/// A refusal is one, whatever else is only not waited for.
#[tokio::test(start_paused = true)]
async fn a_failure_beside_what_is_pending_is_a_failure() {
    for (service, action) in [(Service::Ec2, "AuthorizeSecurityGroupIngress"), (Service::Iam, "CreatePolicy")] {
        let bed = Bed::new(NEVER, false);
        let trigger = Trigger::Every { service, action: action.to_owned() };
        bed.gate.account.with(|world| world.faults.push(Fault::repeated(trigger.clone(), Trouble::Deny, 100)));
        let (outcome, _) = run(&bed, &wish("my-instance")).await;
        assert!(matches!(outcome, Err(StepError::Refused { .. })), "{action}: {outcome:?}");
    }
}

/// The program at so little speed that a proxy is still on its way when a run ends.
fn slowly(desk: &Desk, more: &[&str]) -> Shown {
    let mut all = vec!["--sandbox", "--sandbox-speed", "5"];
    all.extend(more);
    shown(&all, &mut desk.command(&all))
}

fn document(shown: &Shown) -> Value {
    serde_json::from_str(&shown.stdout).unwrap_or_else(|error| panic!("{error}: {shown}"))
}

fn host(world: &World) -> String {
    world.lambda.functions["DBAppFunction"].latest.environment.as_ref().unwrap()["DB_HOST"].clone()
}

const UP: [&str; 5] = ["up", "--db", "my-instance", "--yes", "--wait=false"];

/// The recipes of docs/pipelines.md.
#[test]
fn a_job_that_does_not_wait_says_what_it_began_and_the_next_ones_go_on() {
    let desk = Desk::new();
    desk.change(|world| world.rds.register_while_creating = false);
    let before = host(&desk.store().world().unwrap());
    let first = slowly(&desk, &[&UP[..], &["--output", "json"]].concat());
    let told = document(&first);
    assert_eq!(
        (first.code, &told["changed"], &told["pending"][0]["state"]),
        (Some(0), &true.into(), &"creating".into())
    );
    let wait = "rdsproxy-setup --sandbox --sandbox-speed 5 wait --db my-instance --for available";
    let again = "rdsproxy-setup --sandbox --sandbox-speed 5 up --db my-instance";
    assert_eq!(told["next"], serde_json::json!([wait, again]));
    // The same at once finds nothing to do, and that something is left.
    let second = slowly(&desk, &[&UP[..], &["--output", "json", "--detailed-exitcode"]].concat());
    assert_eq!((second.code, &document(&second)["changed"]), (Some(2), &false.into()), "{second}");
    desk.hours_later(1);
    let third = slowly(&desk, &UP);
    assert_eq!(third.code, Some(0), "{third}");
    assert!(third.stdout.contains("wait --db my-instance --for target"), "{third}");
    assert_eq!(host(&desk.store().world().unwrap()), before, "{third}");
    desk.hours_later(1);
    // Nothing is left to wait for, so this one reaches the end.
    let last = slowly(&desk, &[&UP[..], &["--output", "json", "--detailed-exitcode"]].concat());
    assert_eq!((last.code, &document(&last)["functions"][0]), (Some(0), &"DBAppFunction".into()), "{last}");
    assert_ne!(host(&desk.store().world().unwrap()), before);
    let there = desk.run(&["wait", "--db", "my-instance", "--for", "functions"]);
    assert_eq!(there.code, Some(0), "{there}");
}

#[test]
fn a_saved_plan_is_carried_out_without_waiting_and_to_its_end_later() {
    let desk = Desk::new();
    let file = desk.folder().join("plan.json");
    let file = file.to_str().unwrap();
    let saved = desk.run(&["up", "--db", "my-instance", "--plan-out", file, "--wait=false"]);
    assert_eq!(saved.code, Some(0), "{saved}");
    let first = slowly(&desk, &["up", "--plan", file, "--wait=false", "--output", "json"]);
    let again = format!("rdsproxy-setup --sandbox --sandbox-speed 5 up --plan {file}");
    assert_eq!((first.code, &document(&first)["next"][1]), (Some(0), &again.as_str().into()), "{first}");
    desk.hours_later(1);
    let done = desk.run(&["up", "--plan", file, "--timeout", "12h"]);
    assert_eq!(done.code, Some(0), "{done}");
    assert!(done.stdout.contains("my-instance is behind the proxy"), "{done}");
}

/// A soak is no wait for AWS.
#[test]
fn a_canary_is_not_cut_short() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    assert_eq!(desk.run(&["restore", "--db", "my-instance", "--yes", "--quiet"]).code, Some(0));
    let all = [&UP[..], &["--canary", "--soak", "10m", "--on-unknown", "stop", "--timeout", "canary=1m"]].concat();
    let walked = desk.run(&all);
    assert_eq!(walked.code, Some(8), "{walked}");
    assert!(walked.stderr.contains("watching"), "{walked}");
}

/// Nobody registers the database as a target of an available proxy: no wait can help.
#[test]
fn a_wait_for_a_target_that_nobody_registers_ends_with_the_command_that_does() {
    let desk = Desk::new();
    desk.change(|world| world.rds.register_while_creating = false);
    let first = slowly(&desk, &UP);
    assert_eq!(first.code, Some(0), "{first}");
    for goal in ["target", "functions"] {
        desk.hours_later(1);
        let missed = desk.run(&["wait", "--db", "my-instance", "--for", goal]);
        assert_eq!(missed.code, Some(4), "{missed}");
        assert!(missed.stderr.contains("no run is registering it"), "{missed}");
        assert!(missed.stderr.contains("up --db my-instance"), "{missed}");
    }
    assert_eq!(desk.run(&["wait", "--db", "my-instance", "--for", "available"]).code, Some(0));
}

#[test]
fn the_flag_is_not_for_a_file_and_takes_true_or_false() {
    let desk = Desk::new();
    for (flag, code) in [("--wait", 0), ("--wait=true", 0), ("--wait=false", 0), ("--wait=no", 64)] {
        let plan = desk.run(&["up", "--db", "my-instance", "--dry-run", flag]);
        assert_eq!(plan.code, Some(code), "{plan}");
    }
    let neither = desk.run(&["up", "--db", "my-instance", "--yes", "--detailed-exitcode"]);
    assert_eq!(neither.code, Some(64), "{neither}");
}
