//! Recorded runs, replayed: on a copy of what was read before the first change, the program decides as it did then.
//!
//! Each recording is of a run against an account that others simulate. Names in it are pseudonyms, and values are
//! redacted, but for the hosts in them.

use std::collections::BTreeMap;
use std::path::Path;

use rdsproxy_setup::doctor;
use rdsproxy_setup::spec::{DatabaseRef, Spec, stack};
use recording::{Line, line};
use sandbox::{Asked, World};

use crate::harness::{Bed, Fate, NEVER};
use crate::heard::recorded::again;
use crate::heard::{Traffic, heard};

fn recorded(name: &str) -> Vec<Line> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recordings/{name}.jsonl"));
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn calls<'a>(lines: &'a [Line]) -> Vec<(&'a line::Call, Traffic)> {
    let call = |line: &'a Line| match line {
        Line::Call(call) => again(call).map(|traffic| (&**call, traffic)),
        _ => None,
    };
    lines.iter().filter_map(call).collect()
}

/// Whether a call changed the account.
fn changes(call: &line::Call, traffic: &Traffic) -> bool {
    call.error.is_none() && Asked::of(&traffic.request).is_some_and(|asked| asked.mutating)
}

/// The account as the run read it, before it changed anything.
fn account(calls: &[(&line::Call, Traffic)]) -> World {
    let first = calls.iter().position(|(call, traffic)| changes(call, traffic)).unwrap();
    // What is read while nothing is changed in it yet says as much of the account.
    let own = |traffic: &Traffic| String::from_utf8_lossy(&traffic.request.body).contains("proxy");
    let later = calls[first..].iter().filter(|(call, traffic)| !changes(call, traffic) && !own(traffic));
    let network = ["DescribeRouteTables", "DescribeNetworkAcls"];
    let later = later.filter(|(call, _)| network.contains(&call.operation.as_str()));
    let read: Vec<Traffic> = calls[..first].iter().chain(later).map(|(_, traffic)| traffic.clone()).collect();
    assert!(read.len() >= 9, "{}", read.len());
    heard(&read).finish(&|_, variables| variables.clone()).world
}

/// The settings of the recorded command line.
fn settings(lines: &[Line]) -> Spec {
    let Some(Line::Header(header)) = lines.first() else { panic!("a recording begins with its header") };
    let values = |flag: &str| {
        let found = header.flags.iter().filter(|found| found.flag == flag);
        found.flat_map(|found| found.values.clone()).collect::<Vec<String>>()
    };
    let database = DatabaseRef::parse(&values("--db")[0]).unwrap();
    let name = stack(None, &database).unwrap();
    Spec { secrets: values("--secret"), db_users: values("--db-user"), ..Spec::of(database, name) }
}

/// Operations by the step that they served: steps that do not depend on each other overlap.
fn by_step(all: impl Iterator<Item = (String, String)>) -> BTreeMap<String, Vec<String>> {
    let mut steps: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (step, operation) in all {
        steps.entry(step).or_default().push(operation);
    }
    steps
}

async fn replayed(emulator: &str) {
    let lines = recorded(&format!("{emulator}-up"));
    let calls = calls(&lines);
    let spec = settings(&lines);
    let then = by_step(
        calls
            .iter()
            .filter(|(call, traffic)| changes(call, traffic))
            .map(|(call, _)| (call.step.clone().unwrap_or_default(), call.operation.clone())),
    );
    assert!(then.len() >= 9, "{then:?}");

    let bed = Bed::of(account(&calls), NEVER, false);
    let made = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = std::sync::Arc::clone(&made);
    bed.observe(move |request, world| {
        let refused = world.log.last().is_none_or(|call| call.error.is_some());
        if let Some(asked) = Asked::of(request).filter(|asked| asked.mutating && !refused) {
            let step = rdsproxy_setup::cloud::calls::served().unwrap_or_default().to_owned();
            seen.lock().unwrap().push((step, asked.action));
        }
    });
    let survey = bed.survey(&spec).await.unwrap();
    let found = Box::pin(doctor::before(&bed.cloud, &survey)).await;
    let fate = bed.up(&spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{emulator}: {fate:?} {found:?}");
    let now = by_step(made.lock().unwrap().drain(..));
    assert_eq!(now, then, "{emulator}");

    // And where it was done, nothing is left to do.
    bed.in_place(&spec).await;
}

#[tokio::test(start_paused = true)]
async fn a_recorded_run_is_decided_again_as_it_was() {
    for emulator in ["moto", "ministack"] {
        replayed(emulator).await;
    }
}
