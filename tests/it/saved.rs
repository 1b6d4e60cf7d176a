//! Saved plans: what was reviewed is carried out, in as many runs as it takes, or nothing is.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use proptest::prelude::*;
use rdsproxy_setup::alarms::{self, Look};
use rdsproxy_setup::catalogue::checks::Severity;
use rdsproxy_setup::doctor;
use rdsproxy_setup::plan::Terms;
use rdsproxy_setup::resources::Removal as _;
use rdsproxy_setup::resources::alarms::{AlarmsRemoval, Existing, Settings};
use rdsproxy_setup::saved::{self, Place, Planned, SavedPlan};
use rdsproxy_setup::sequence;
use rdsproxy_setup::spec::{CreateSecret, ReaderEndpoint, Spec};
use rdsproxy_setup::teardown;
use sandbox::{Logged, Request, World};
use serde_json::Value;

use crate::chance::each;
use crate::hand::{Edit, ON_OURS, OURS, SIDES, Side, THEIRS};
use crate::harness::{Bed, Fate, NEVER, newcomer, owner, say, wish};
use crate::shape::{difference, shape};

/// Everything whose plan can be saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verb {
    Up,
    Teardown,
    Restore,
    Alarms,
    NoAlarms,
}

const VERBS: [Verb; 5] = [Verb::Up, Verb::Teardown, Verb::Restore, Verb::Alarms, Verb::NoAlarms];

impl Verb {
    fn command(self) -> Planned {
        match self {
            Self::Up => Planned::Up,
            Self::Teardown => Planned::Teardown,
            Self::Restore => Planned::Restore,
            Self::Alarms | Self::NoAlarms => Planned::Alarms,
        }
    }
}

fn board() -> Settings {
    Settings { dashboard: true, ..Settings::default() }
}

/// What a plan comes to by way of the file: nothing is lost on it.
fn through_a_file(verb: Verb, terms: Vec<(String, Terms)>) -> SavedPlan {
    let place =
        Place { account: "123456789012".into(), region: "eu-central-1".into(), at: "2026-01-01T00:00:00Z".into() };
    let plan = saved::plan(verb.command(), [].into(), place, terms);
    let read = saved::read(saved::written(&plan).unwrap().as_bytes()).unwrap();
    assert_eq!(read, plan);
    documents::find("plan").unwrap().check(&serde_json::to_value(&plan).unwrap()).unwrap();
    read
}

fn held(saved: Option<&SavedPlan>, terms: impl FnOnce() -> Vec<(String, Terms)>) -> Result<(), String> {
    let differences = saved.map(|saved| saved::differences(saved, terms())).unwrap_or_default();
    if differences.is_empty() { Ok(()) } else { Err(format!("refused: {differences:#?}")) }
}

/// What a plan comes to now.
async fn terms(bed: &Bed, verb: Verb, spec: &Spec) -> Vec<(String, Terms)> {
    let stack = || Box::pin(teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database)));
    match verb {
        Verb::Up => bed.survey(spec).await.unwrap().terms(),
        Verb::Teardown => stack().await.unwrap().terms(),
        Verb::Restore => stack().await.unwrap().terms_of_restore(),
        Verb::Alarms => Look::read(&bed.cloud, &owner(spec), &spec.database).await.unwrap().plan(&board()).terms(),
        Verb::NoAlarms => {
            let owner = owner(spec);
            let seen = Existing::read(&bed.cloud, &owner).await.unwrap();
            AlarmsRemoval::of(&bed.cloud, &owner, seen).terms()
        }
    }
}

async fn save(bed: &Bed, verb: Verb, spec: &Spec) -> SavedPlan {
    through_a_file(verb, terms(bed, verb, spec).await)
}

/// Carries out what a saved plan holds, or refuses.
async fn run(bed: &Bed, verb: Verb, spec: &Spec, saved: Option<&SavedPlan>) -> Fate<()> {
    let text = |problem: rdsproxy_setup::discover::Problem| problem.to_string();
    bed.mortal(Box::pin(async {
        match verb {
            Verb::Up => {
                let survey = Box::pin(bed.survey(spec)).await.map_err(text)?;
                held(saved, || survey.terms())?;
                let found = Box::pin(doctor::before(&bed.cloud, &survey)).await;
                if let Some(finding) = found.iter().find(|finding| finding.severity == Severity::Error) {
                    return Err(finding.check.info().title.to_owned());
                }
                bed.with_run(async |run| Box::pin(sequence::converge(run, &survey)).await.map(drop)).await
            }
            Verb::Teardown | Verb::Restore => {
                let stack = Box::pin(teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database))).await;
                let stack = stack.map_err(text)?;
                if verb == Verb::Teardown {
                    held(saved, || stack.terms())?;
                    return bed.with_run(async |run| Box::pin(teardown::carry_out(run, &stack)).await).await;
                }
                held(saved, || stack.terms_of_restore())?;
                bed.with_run(async |run| Box::pin(teardown::restore(run, &stack)).await).await
            }
            Verb::Alarms => {
                let (owner, settings) = (owner(spec), board());
                let look = Look::read(&bed.cloud, &owner, &spec.database).await.map_err(text)?;
                held(saved, || look.plan(&settings).terms())?;
                let conflicts = look.plan(&settings).conflicts().join(", ");
                if !conflicts.is_empty() {
                    return Err(conflicts);
                }
                bed.with_run(async |run| Box::pin(alarms::converge(run, &owner, look, &settings)).await.map(drop)).await
            }
            Verb::NoAlarms => {
                let owner = owner(spec);
                let seen = Existing::read(&bed.cloud, &owner).await.map_err(|refusal| refusal.to_string())?;
                let removal = AlarmsRemoval::of(&bed.cloud, &owner, seen);
                held(saved, || removal.terms())?;
                bed.with_run(async |run| removal.carry_out(run).await).await
            }
        }
    }))
    .await
}

/// Where a plan of a verb begins: before there is anything, or with all of it in place.
async fn start(verb: Verb, spec: &Spec, world: World) -> World {
    let bed = Bed::of(world, NEVER, false);
    if verb != Verb::Up {
        let fate = bed.up(spec).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
        bed.settled().await;
    }
    if matches!(verb, Verb::NoAlarms | Verb::Teardown) {
        let fate = bed.alarms(spec, &board()).await;
        assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    }
    bed.settled().await
}

/// Kills `verb --plan FILE` at every call, or at every so many, runs it again, and holds the account to that of a run
/// that nobody killed.
async fn killed_at_every_call(verb: Verb, spec: &Spec, world: World, every: usize) -> usize {
    let start = start(verb, spec, world).await;
    let clean = Bed::of(start.clone(), NEVER, false);
    let saved = save(&clean, verb, spec).await;
    let before = clean.calls();
    let fate = run(&clean, verb, spec, Some(&saved)).await;
    assert!(matches!(fate, Fate::Done(())), "{verb:?}: {fate:?}");
    let calls = clean.calls() - before;
    let want = shape(&clean.settled().await);
    for (kill_at, after) in (0..calls).flat_map(|at| [(at, false), (at, true)]).step_by(every) {
        let bed = Bed::of(start.clone(), kill_at, after);
        let fate = run(&bed, verb, spec, Some(&saved)).await;
        assert!(matches!(fate, Fate::Killed), "{verb:?} {kill_at}: {fate:?}");
        bed.disarm();
        let fate = run(&bed, verb, spec, Some(&saved)).await;
        assert!(matches!(fate, Fate::Done(())), "{verb:?}, killed at call {kill_at} (after: {after}): {fate:#?}");
        let lines = difference(&shape(&bed.settled().await), &want);
        assert!(lines.is_empty(), "{verb:?}, killed at call {kill_at} (after: {after}): {}", lines.join("\n"));
        // And again: nothing is left.
        let since = bed.logged();
        let fate = run(&bed, verb, spec, Some(&saved)).await;
        assert!(matches!(fate, Fate::Done(())), "{verb:?}: {fate:?}");
        assert_eq!(bed.mutations(since), [""; 0], "{verb:?}");
    }
    calls
}

/// As much of `up` as flags ask for.
fn rich(id: &str) -> Spec {
    let mut spec = wish(id);
    spec.db_users = vec!["app".to_owned(), "reports".to_owned()];
    spec.create_secret = Some(CreateSecret { users: spec.db_users.clone(), kms_key: None, generate: true });
    spec.pool.max_connections_percent = Some(60);
    spec.pool.connection_borrow_timeout = Some(30);
    spec.log_retention = Some(30);
    spec.tags.insert("team".to_owned(), "payments".to_owned());
    if id == "my-cluster" {
        spec.reader_endpoint = ReaderEndpoint::Always;
    }
    spec
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_was_killed_is_carried_out_by_the_same_file() {
    for verb in VERBS {
        let calls = Box::pin(killed_at_every_call(verb, &wish("my-instance"), newcomer(), 23)).await;
        say(&format!("{verb:?}: killed at some of {calls} calls"));
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_plan_that_was_killed_at_any_call_is_carried_out_by_the_same_file() {
    for verb in VERBS {
        for spec in [wish("my-instance"), wish("my-cluster"), rich("my-cluster"), rich("my-instance")] {
            let calls = Box::pin(killed_at_every_call(verb, &spec, newcomer(), 1)).await;
            say(&format!("{verb:?} {}: killed at each of {calls} calls", spec.stack));
        }
    }
}

/// A change that a run made, without what differs by chance: names for IDs, no revisions, and of a function's variables
/// only those that lead somewhere.
fn plain(request: &Request, world: &World) -> Option<String> {
    // A policy is deleted with its versions, and a new version makes room for itself.
    let counts = |call: &&Logged| call.mutating && call.error.is_none() && call.action != "DeletePolicyVersion";
    let call = world.log.last().filter(counts)?;
    let body = String::from_utf8_lossy(&request.body).into_owned();
    let mut text = match serde_json::from_str::<Value>(&body) {
        Ok(mut value) => {
            if let Some(all) = value.as_object_mut() {
                all.remove("RevisionId");
            }
            if let Some(Value::Object(variables)) = value.pointer_mut("/Environment/Variables") {
                variables.retain(|_, value| value.to_string().contains("rds.amazonaws.com"));
            }
            value.to_string()
        }
        Err(_) => body,
    };
    for (id, group) in &world.ec2.groups {
        text = text.replace(id, &group.name);
    }
    for (name, proxy) in &world.rds.proxies {
        text = text.replace(&proxy.id, name);
    }
    Some(format!("{} {} {text}", call.action, request.target))
}

/// Runs it, with the changes that it made.
async fn observed(bed: &Bed, verb: Verb, spec: &Spec, saved: Option<&SavedPlan>) -> (Fate<()>, BTreeSet<String>) {
    let changes: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let seen = Arc::clone(&changes);
    bed.observe(move |request, world| seen.lock().unwrap().extend(plain(request, world)));
    let fate = run(bed, verb, spec, saved).await;
    bed.observe(|_, _| {});
    let changes = changes.lock().unwrap().clone();
    (fate, changes)
}

/// What others do between the plan and the run.
fn edits() -> Vec<(&'static str, Edit)> {
    OURS.iter().chain(THEIRS).chain(ON_OURS).copied().collect()
}

/// Holds a run by a plan, after something changed, to the run that was planned: it does a part of that, or nothing at
/// all.
async fn changed_between(
    verb: Verb,
    spec: &Spec,
    (start, saved, planned): (&World, &SavedPlan, &BTreeSet<String>),
    what: &str,
    change: impl FnOnce(&mut World) -> bool,
) -> Became {
    let mut world = start.clone();
    if !change(&mut world) {
        return Became::Unchanged;
    }
    let bed = Bed::of(world, NEVER, false);
    let (fate, did) = observed(&bed, verb, spec, Some(saved)).await;
    match fate {
        Fate::Stopped(why) if why.starts_with("refused: ") && did.is_empty() => Became::Refused,
        // As without a plan: what is in conflict is left alone.
        Fate::Stopped(_) if did.is_empty() => Became::Refused,
        Fate::Done(()) if did.is_subset(planned) => Became::Accepted,
        Fate::Done(()) => {
            let more: Vec<&String> = did.difference(planned).collect();
            Became::Wrong(format!("{verb:?}, {what}: did what nobody has seen: {more:#?}"))
        }
        other => Became::Wrong(format!("{verb:?}, {what}: {other:?} {did:#?}")),
    }
}

/// What became of a plan after a change.
enum Became {
    /// The change was none.
    Unchanged,
    /// Carried out, as planned.
    Accepted,
    /// Refused, with nothing changed.
    Refused,
    /// Neither.
    Wrong(String),
}

async fn planned(verb: Verb, spec: &Spec, world: &World) -> (SavedPlan, BTreeSet<String>) {
    let bed = Bed::of(world.clone(), NEVER, false);
    let saved = save(&bed, verb, spec).await;
    let (fate, changes) = observed(&bed, verb, spec, Some(&saved)).await;
    assert!(matches!(fate, Fate::Done(())), "{verb:?}: {fate:?}");
    (saved, changes)
}

/// What became of the plans after each change, or after some of them.
#[derive(Default)]
struct Told {
    accepted: Vec<String>,
    refused: Vec<String>,
}

async fn each_change(sides: &[Side], every: usize) -> Told {
    let (mut told, mut wrong, mut count) = (Told::default(), Vec::new(), 0);
    for side in sides {
        let spec = wish(side.database);
        for (verb, in_place) in VERBS.map(|verb| (verb, verb != Verb::Up)).into_iter().chain([(Verb::Up, true)]) {
            let from = if (verb, in_place) == (Verb::Up, true) { Verb::Teardown } else { verb };
            let start = start(from, &spec, newcomer()).await;
            let (saved, changes) = Box::pin(planned(verb, &spec, &start)).await;
            assert!(changes.is_empty() == (in_place && verb == Verb::Up), "{verb:?}: {changes:#?}");
            for (name, edit) in edits() {
                count += 1;
                if count % every != 0 {
                    continue;
                }
                let name = format!("{verb:?}{} {}: {name}", if in_place { "" } else { " from nothing" }, side.database);
                match changed_between(verb, &spec, (&start, &saved, &changes), &name, |world| edit(world, side)).await {
                    Became::Accepted => told.accepted.push(name),
                    Became::Refused => told.refused.push(name),
                    Became::Wrong(why) => wrong.push(why),
                    Became::Unchanged => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    say(&format!("{} accepted, {} refused", told.accepted.len(), told.refused.len()));
    told
}

#[tokio::test(start_paused = true)]
async fn what_changes_in_between_is_of_no_matter_to_the_plan_or_refused() {
    let told = Box::pin(each_change(&SIDES[..1], 11)).await;
    assert!(!told.accepted.is_empty() && !told.refused.is_empty());
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every field changed by hand"]
async fn whatever_changes_in_between_is_of_no_matter_to_the_plan_or_refused() {
    let Told { accepted, refused } = Box::pin(each_change(&SIDES, 1)).await;
    insta::assert_snapshot!("plan_and_changes", format!("{}\n\nrefused:\n{}", accepted.join("\n"), refused.join("\n")));
    for unrelated in ["a variable added", "a variable edited", "a tag on the function", "a group beside ours"] {
        for verb in ["Up from nothing my-instance", "Up my-instance", "Teardown my-instance", "Restore my-instance"] {
            assert!(accepted.contains(&format!("{verb}: {unrelated}")), "{verb}: {unrelated}");
        }
    }
}

#[test]
#[ignore = "full tier: any changes in any order"]
fn any_changes_in_between_are_of_no_matter_to_the_plan_or_refused() {
    let all = edits();
    let change = (0..SIDES.len(), 0..all.len());
    let killed = prop::option::of((0..45_usize, any::<bool>()));
    let case = (0..VERBS.len(), 0..SIDES.len(), killed, prop::collection::vec(change, 1..5));
    each(40, &case, async |(verb, side, killed, changes)| {
        let (verb, spec) = (VERBS[verb], wish(SIDES[side].database));
        let mut start = start(verb, &spec, newcomer()).await;
        let (saved, planned) = Box::pin(planned(verb, &spec, &start)).await;
        if let Some((at, after)) = killed {
            let bed = Bed::of(start, at, after);
            run(&bed, verb, &spec, Some(&saved)).await;
            bed.disarm();
            start = bed.settled().await;
        }
        let all = edits();
        let names: Vec<&str> = changes.iter().map(|(_, which)| all[*which].0).collect();
        let change = |world: &mut World| {
            changes.iter().fold(false, |hit, (side, which)| (all[*which].1)(world, &SIDES[*side]) || hit)
        };
        let became = changed_between(verb, &spec, (&start, &saved, &planned), &names.join(", then "), change).await;
        if let Became::Wrong(why) = became {
            panic!("{why}");
        }
    });
}

#[test]
fn a_file_that_is_not_whole_is_no_plan() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    let plan = runtime.block_on(async {
        let bed = Bed::new(NEVER, false);
        save(&bed, Verb::Up, &wish("my-instance")).await
    });
    let text = saved::written(&plan).unwrap();
    for end in (0..text.len() - 1).step_by(7).filter(|end| text.is_char_boundary(*end)) {
        assert!(saved::read(text[..end].trim_end().as_bytes()).is_err(), "{}", &text[..end]);
    }
    let value: Value = serde_json::from_str(&text).unwrap();
    let with = |place: &str, name: &str, new: Value| {
        let mut value = value.clone();
        value.pointer_mut(place).unwrap()[name] = new;
        saved::read(value.to_string().as_bytes())
    };
    assert!(with("", "region", "eu-west-1".into()).is_ok());
    for (place, name, new) in [
        ("", "further", Value::Null),
        ("", "kind", "a plan".into()),
        ("", "kind", 1.into()),
        ("", "schema", 2.into()),
        ("", "command", "status".into()),
        ("", "settings", Value::Null),
        ("/entries/0", "further", Value::Null),
        ("/entries/0", "actions", "create".into()),
        ("/entries/0", "entry", value["entries"][1]["entry"].clone()),
    ] {
        assert!(with(place, name, new.clone()).is_err(), "{place}/{name}: {new}");
    }
    assert!(saved::read(b"{}").is_err() && saved::read(b"[]").is_err() && saved::read(b"\xff").is_err());
    assert!(saved::read("[".repeat(100_000).as_bytes()).is_err());
    assert!(saved::may_replace(text.as_bytes()) && saved::may_replace(b""));
    assert!(!saved::may_replace(b"{}") && !saved::may_replace(b" "));
}

proptest! {
    #[test]
    fn no_file_is_too_odd_to_be_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), text in "\\PC{0,200}") {
        prop_assert!(saved::read(&bytes).is_err());
        prop_assert!(saved::read(text.as_bytes()).is_err());
    }
}
