//! A rehearsal comes true: what happened to the copy happens to the account that it is of.

use std::sync::{Arc, Mutex};

use copy::Copy;
use rdsproxy_setup::clock::Clock;
use rdsproxy_setup::cloud::{Calls, Cloud};
use rdsproxy_setup::doctor;
use rdsproxy_setup::engine::Timeouts;
use rdsproxy_setup::plan::Entry;
use rdsproxy_setup::rehearse::capture::{Asked, Capture};
use rdsproxy_setup::rehearse::{self, Change, Difference, Rehearsal, Stopped, Subject, difference};
use rdsproxy_setup::spec::Spec;
use rdsproxy_setup::survey::Survey;
use rdsproxy_setup::teardown;
use sandbox::{Account, InMemory, Profile, World, mount};
use serde_json::Value;

use crate::desk::{Desk, timeless};
use crate::doctor::samples;
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};

/// A copy, what the account was asked for it, and the plan of the account.
struct Read {
    copy: Copy,
    asked: Asked,
    plan: Vec<Entry>,
}

/// Reads an account as `rehearse` does; none where it cannot be read.
async fn read(world: &World, spec: &Spec) -> Option<Read> {
    let account = Arc::new(InMemory::new(world.clone()));
    let before = account.with(|world| world.dump());
    let (clock, capture) = (Clock::real(), Capture::default());
    let calls = capture.listening(Calls::default());
    let http = mount(Arc::clone(&account) as Arc<dyn Account>, 1.0);
    let cloud = Cloud::overheard(http, "eu-central-1", "AKIATEST", &clock, &calls);
    capture.begin("eu-central-1");
    let survey = Box::pin(Survey::read(&cloud, spec, Timeouts::default())).await.ok()?;
    Box::pin(doctor::of(&cloud, &survey)).await;
    Box::pin(teardown::survey(&cloud, &spec.stack, Some(&spec.database))).await.ok()?;
    rehearse::look_closer(&cloud, &survey).await.ok()?;
    let (copy, asked) = capture.finish(&survey);
    assert_eq!(account.with(|world| world.dump()), before, "the account was changed");
    Some(Read { copy, asked, plan: survey.entries() })
}

async fn rehearsed(read: &Read, spec: &Spec, kills: usize) -> Rehearsal {
    let world = read.copy.world.clone();
    let timeouts = Timeouts::default();
    let subject =
        Subject { world, asked: &read.asked, plan: &read.plan, spec, timeouts, seed: 0x5eed, kills, next: &|_| {} };
    Box::pin(rehearse::carry_out(&subject)).await
}

/// What `up` or `teardown` changed in the account itself, and in what it differs then.
struct Real {
    changes: Vec<String>,
    differences: Vec<Difference>,
    stopped: bool,
}

fn line(change: &Change) -> String {
    format!("{} {}", change.operation, change.target)
}

async fn really(bed: &Bed, run: impl Future<Output = Fate<()>>) -> Real {
    let before = bed.dump().await;
    let changes: Arc<Mutex<Vec<String>>> = Arc::default();
    let heard = Arc::clone(&changes);
    let logged = Mutex::new(bed.logged());
    bed.observe(move |request, world| {
        // Of what took effect alone.
        let mut at = logged.lock().unwrap();
        let refused = world.log.get(*at..).unwrap_or_default().last().is_none_or(|call| call.error.is_some());
        *at = world.log.len();
        if let Some(asked) = sandbox::Asked::of(request).filter(|asked| asked.mutating && !refused) {
            heard.lock().unwrap().push(line(&Change::of(&asked, world)));
        }
    });
    let fate = run.await;
    bed.observe(|_, _| {});
    let differences = difference::between(&before, &bed.dump().await);
    let changes = changes.lock().unwrap().clone();
    Real { changes, differences, stopped: !matches!(fate, Fate::Done(())) }
}

/// Names of operations, and of what they change where that can be named after they have taken effect.
fn named(lines: &[String]) -> Vec<String> {
    lines
        .iter()
        .map(|line| if line.contains(":Delete") { line.split(' ').next().unwrap().to_owned() } else { line.clone() })
        .collect()
}

/// What AWS chooses by itself, and another account would choose otherwise: ids, and the addresses of interfaces.
fn without_ids(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    let hex = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_hexdigit()).len();
    while let Some((at, prefix)) =
        ["sgr-", "prx-", "AROA", "ANPA"].iter().filter_map(|prefix| Some((rest.find(prefix)?, *prefix))).min()
    {
        let (before, after) = rest.split_at(at + prefix.len());
        out.push_str(before);
        rest = after.get(hex(after).min(20)..).unwrap_or_default();
    }
    out + rest
}

/// A thing without what a copy does not have of it: of variables, hosts alone.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let member = |(name, held): (&String, &Value)| {
                let held = if name == "environment" { hosts_in(held) } else { bare(held) };
                (without_ids(name), held)
            };
            members.iter().map(member).collect()
        }
        Value::Array(items) => items.iter().map(bare).collect(),
        Value::String(text) => Value::String(without_ids(text)),
        other => other.clone(),
    }
}

/// The hosts in variables.
fn hosts_in(value: &Value) -> Value {
    match value {
        Value::Object(members) => members.iter().map(|(name, held)| (name.clone(), hosts_in(held))).collect(),
        Value::String(text) => {
            let of_a_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
            let words = text.split(|c: char| !of_a_name(c));
            words.filter(|word| word.ends_with(".rds.amazonaws.com")).map(str::to_owned).collect()
        }
        other => other.clone(),
    }
}

/// Where two accounts differ, and in what. Network interfaces are not read, and so not foretold.
fn told(differences: &[Difference]) -> Vec<String> {
    let one = |found: &Difference| {
        let of_variables = found.path.iter().any(|part| part == "environment");
        let bare = |value: &Option<Value>| value.as_ref().map(if of_variables { hosts_in } else { bare });
        let (before, after) = (bare(&found.before), bare(&found.after));
        format!("{} {before:?} -> {after:?}", without_ids(&found.path.join("/")))
    };
    let mut told: Vec<String> =
        differences.iter().filter(|found| found.path.get(1).is_none_or(|kind| kind != "interfaces")).map(one).collect();
    told.sort();
    told
}

/// Accounts that a copy is known not to foretell, and why.
const UNTOLD: [(&str, &str); 4] = [
    (
        "DatabaseBusy in",
        "what is on its way has arrived in the copy, which says so: a database that stays busy is not busy there",
    ),
    (
        "RoleConnects in EndToEnd",
        "the target is still healthy, although the role's policies, as they are read, explain that no more",
    ),
    ("OtherTarget in", "of the other database, nothing is read but its name, and so not that the proxy reaches it"),
    ("OrphanGroup in", "an interface that nobody owns is not read, and its group cannot be deleted while it is there"),
];

/// Holds the account to what the copy foretold.
async fn comes_true(name: &str, world: &World, spec: &Spec, kills: usize) -> Vec<String> {
    // What is done side by side comes in the order of the answers, so the account is as quick as the copy.
    let world = World { profile: Profile::median(), ..world.clone() };
    // What is on its way in the account has arrived in the copy.
    let world = &Bed::of(world, NEVER, false).settled().await;
    let Some(read) = read(world, spec).await else { return Vec::new() };
    let rehearsal = rehearsed(&read, spec, kills).await;
    let mut wrong = Vec::new();
    let mut hold = |what: &str, real: &dyn std::fmt::Debug, foretold: &dyn std::fmt::Debug| {
        let (real, foretold) = (format!("{real:#?}"), format!("{foretold:#?}"));
        if real != foretold {
            wrong.push(format!("{name}: {what}: really {real}\nforetold {foretold}"));
        }
    };
    if !rehearsal.otherwise.is_empty() {
        let of = |plan: &[Entry]| {
            plan.iter().filter(|entry| rehearsal.otherwise.contains(&entry.step)).cloned().collect::<Vec<_>>()
        };
        hold("plan", &of(&read.plan), &of(&rehearsal.plan));
    }
    let usual = rehearsal.usual().unwrap();
    let bed = Bed::of(world.clone(), NEVER, false);
    let up = really(&bed, async { bed.up(spec).await.map(drop) }).await;
    let lines: Vec<String> = usual.up.changes.iter().map(line).collect();
    hold("changes of up", &named(&up.changes), &named(&lines));
    hold("whether up stops", &up.stopped, &usual.up.stopped.is_some());
    hold("account after up", &told(&up.differences), &told(&rehearsal.differences));
    if let Some(teardown) = usual.teardown.as_ref().filter(|_| !up.stopped) {
        let down = really(&bed, bed.down(spec)).await;
        let lines: Vec<String> = teardown.changes.iter().map(line).collect();
        hold("changes of teardown", &named(&down.changes), &named(&lines));
        hold("whether teardown stops", &down.stopped, &teardown.stopped.is_some());
    }
    let killed: Vec<String> =
        rehearsal.kills.iter().filter(|kill| !kill.went_well()).map(|kill| format!("{kill:?}")).collect();
    if !up.stopped {
        hold("runs that were killed", &Vec::<String>::new(), &killed);
    }
    wrong
}

#[tokio::test(start_paused = true)]
async fn what_was_rehearsed_comes_true() {
    for id in ["my-instance", "my-cluster"] {
        let wrong = comes_true(id, &newcomer(), &wish(id), 3).await;
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every account of the doctor's tests"]
async fn what_was_rehearsed_comes_true_in_every_account() {
    let (mut wrong, mut count) = (Vec::new(), 0);
    for (name, world, spec) in samples().await {
        count += 1;
        let found = comes_true(&name, &world, &spec, 2).await;
        if UNTOLD.iter().any(|(known, _)| name.starts_with(known)) {
            assert!(!found.is_empty(), "{name} comes true by now: take it off the list");
            continue;
        }
        wrong.extend(found);
    }
    say(&format!("{count} accounts"));
    assert!(count > 40 && wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_says_that_all_went_well_and_the_same_twice() {
    let (world, spec) = (newcomer(), wish("my-instance"));
    let read = read(&world, &spec).await.unwrap();
    let first = rehearsed(&read, &spec, 2).await;
    assert!(first.went_well() && first.in_place(), "{first:#?}");
    let stopped: Vec<&Stopped> = first.days.iter().filter_map(|day| day.up.stopped.as_ref()).collect();
    assert!(stopped.is_empty() && first.days.len() == 3 && first.kills.len() == 2, "{first:#?}");
    let second = rehearsed(&read, &spec, 2).await;
    let said = |found: &Rehearsal| format!("{:?} {:?} {:?}", found.days, found.differences, found.kills);
    assert_eq!(said(&first), said(&second));
}

/// What kept the second run or the look from its end is no success, although neither has changed anything.
#[tokio::test(start_paused = true)]
async fn what_stopped_or_was_not_seen_after_up_is_not_well() {
    let (world, spec) = (newcomer(), wish("my-instance"));
    let well = rehearsed(&read(&world, &spec).await.unwrap(), &spec, 1).await;
    assert!(well.went_well(), "{well:#?}");
    let mut stopped = well.clone();
    stopped.again.as_mut().unwrap().stopped = Some(Stopped::Before("no such database".to_owned()));
    assert!(!stopped.went_well());
    assert!(!Rehearsal { again: None, ..well.clone() }.went_well());
    assert!(
        !Rehearsal { look: Some(Err("reading the functions: AccessDenied".to_owned())), ..well.clone() }.went_well()
    );
    assert!(!Rehearsal { look: None, ..well }.went_well());
}

/// What a person sees, in text, as JSON and in a file; and that neither file overwrites another.
#[test]
fn what_a_rehearsal_shows() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (report, copy) = (path("rehearsal.md"), path("copy.json"));
    let before = desk.dump();
    let shown = desk.run(&["rehearse", "--db", "my-instance", "--report", &report, "--save", &copy]);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert_eq!(desk.dump(), before, "the account was changed");
    let text = std::fs::read_to_string(&report).unwrap();
    let (head, body) = text.split_once("Written by").unwrap();
    let text = format!("{head}Written by …{}", body.split_once(".\n").unwrap().1);
    let here = folder.path().to_str().unwrap();
    insta::assert_snapshot!("rehearsal", shown.to_string().replace(here, "FOLDER"));
    insta::assert_snapshot!("rehearsal_in_a_file", timeless(&text));
    for (flag, file) in [("--report", &report), ("--save", &copy)] {
        let written = std::fs::read(file).unwrap();
        let again = desk.run(&["rehearse", "--db", "my-instance", flag, file]);
        assert_eq!(again.code, Some(64), "{again}");
        assert_eq!(std::fs::read(file).unwrap(), written);
    }
    // The copy is an account like any other.
    let of_copy = ["--sandbox", "--sandbox-file", &copy, "status", "--db", "my-instance", "--exit-code"];
    let status = crate::desk::shown(&of_copy, &mut desk.command(&of_copy));
    assert_eq!(status.code, Some(3), "{status}");
    let hidden = path("hidden.json");
    let shown = desk.run(&["rehearse", "--db", "my-instance", "--save", &hidden, "--pseudonymize", "--output", "json"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    let text = std::fs::read_to_string(&hidden).unwrap();
    assert!(!text.contains("my-instance") && !text.contains("DBAppFunction") && !text.contains("123456789012"));
}

#[test]
fn what_up_would_not_begin_is_not_rehearsed() {
    let desk = Desk::new();
    desk.change(|world| world.ec2.vpcs.values_mut().for_each(|vpc| vpc.tenancy = "dedicated".to_owned()));
    let shown = desk.run(&["rehearse", "--db", "my-instance"]);
    assert_eq!(shown.code, Some(4), "{shown}");
    insta::assert_snapshot!("rehearsal_of_nothing", shown.to_string());
    let json = desk.run(&["rehearse", "--db", "my-instance", "--output", "json"]);
    let document: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json.code, Some(4), "{json}");
    assert!(document["infeasible"].is_string() && document["days"] == Value::Array(Vec::new()), "{document}");
}

/// What a run stops at in the copy is said, with how far it came.
#[tokio::test(start_paused = true)]
async fn what_would_time_out_is_said() {
    let (world, spec) = (newcomer(), wish("my-instance"));
    let read = read(&world, &spec).await.unwrap();
    let mut timeouts = Timeouts::default();
    assert!(timeouts.set(Some("proxy"), std::time::Duration::from_mins(4)));
    let world = read.copy.world.clone();
    let subject = Subject {
        world,
        asked: &read.asked,
        plan: &read.plan,
        spec: &spec,
        timeouts,
        seed: 1,
        kills: 0,
        next: &|_| {},
    };
    let found = Box::pin(rehearse::carry_out(&subject)).await;
    assert!(!found.went_well());
    let said: Vec<(&str, bool)> = found.days.iter().map(|day| (day.day.word(), day.up.stopped.is_some())).collect();
    assert_eq!(said, [("fast", false), ("usual", true), ("slow", true)]);
    let usual = found.usual().unwrap();
    assert!(usual.up.stopped.as_ref().unwrap().to_string().contains("creating"), "{:?}", usual.up.stopped);
    assert!(!usual.up.changes.is_empty() && !found.differences.is_empty());
    // It is looked at, and torn down, from where it stopped.
    assert!(found.seen().is_some() && !found.in_place() && found.again.is_none() && found.kills.is_empty());
    let gone = usual.teardown.as_ref().unwrap();
    assert!(gone.stopped.is_none() && !gone.changes.is_empty() && found.left.is_empty(), "{gone:#?} {:#?}", found.left);
}

/// An alias whose pending release was published goes back to a version that has the release, not to the one from before
/// it.
#[tokio::test(start_paused = true)]
async fn a_published_release_stays_published_after_the_teardown() {
    let mut world = newcomer();
    let orders = world.lambda.functions.get_mut("OrdersFunction").unwrap();
    orders.latest.code_sha256 = "another".to_owned();
    let spec = Spec { publish_pending: true, functions: vec!["OrdersFunction".to_owned()], ..wish("my-cluster") };
    let found = rehearsed(&read(&world, &spec).await.unwrap(), &spec, 2).await;
    assert!(found.went_well(), "{found:#?}");
    let released: Vec<_> =
        found.released.iter().map(|found| format!("{}:{} {}", found.function, found.alias, found.version)).collect();
    assert_eq!(released, ["OrdersFunction:live 3"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_only_prepared_changes_no_function() {
    let (world, spec) = (newcomer(), Spec { prepare: true, ..wish("my-instance") });
    let found = rehearsed(&read(&world, &spec).await.unwrap(), &spec, 1).await;
    assert!(found.went_well() && found.in_place(), "{found:#?}");
    let up = &found.usual().unwrap().up;
    assert!(
        !up.changes.is_empty() && up.changes.iter().all(|change| !change.operation.starts_with("lambda:")),
        "{up:#?}"
    );
    assert!(found.differences.iter().all(|found| found.path.first().is_none_or(|service| service != "lambda")));
}
