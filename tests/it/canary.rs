//! `up --canary`: waves that go on, go back and stop; killed anywhere, no function points at nothing.

use std::pin::Pin;
use std::time::Duration;

use judge::waves::Share;
use judge::{Judgement, Measure};
use rdsproxy_setup::canary::memory::Memory;
use rdsproxy_setup::canary::{Decider, Decision, Ending, Walk, Wave};
use rdsproxy_setup::engine::event::Recorder;
use rdsproxy_setup::engine::{Run, StopSign, Timeouts};
use rdsproxy_setup::permissions::{Feature, Verb, policies};
use rdsproxy_setup::sequence::{Outcome, converge_asking};
use rdsproxy_setup::spec::{Canary, OnUnknown, Spec};
use sandbox::{AtProxy, Fault, Trigger, Trouble, World};
use serde_json::Value;

use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};
use crate::permissions::{denials, restrict, scope};

pub(crate) const INSTANCE: &str = "my-instance";
pub(crate) const FUNCTIONS: [&str; 2] = ["DBAppFunction", "InvoiceFunction"];

pub(crate) fn waves(id: &str) -> Spec {
    Spec { canary: Some(Canary::default()), ..wish(id) }
}

/// The one function of the cluster with traffic, which is called by an alias.
pub(crate) fn orders() -> Spec {
    Spec { functions: vec!["OrdersFunction".to_owned()], ..waves("my-cluster") }
}

/// A canary of functions, or of one that is called by an alias.
pub(crate) fn case(of_alias: bool) -> Spec {
    if of_alias { orders() } else { waves(INSTANCE) }
}

pub(crate) fn walk(fate: Fate<Outcome>) -> Walk {
    match fate {
        Fate::Done(outcome) => outcome.canary.unwrap(),
        other => panic!("{other:?}"),
    }
}

/// Variables, versions and aliases of every function.
pub(crate) fn functions(world: &World) -> Value {
    let mut functions = world.dump()["lambda"]["functions"].clone();
    for function in functions.as_object_mut().unwrap().values_mut() {
        // How many versions there ever were is Lambda's to count, and nobody can take it back.
        function.as_object_mut().unwrap().remove("published");
    }
    functions
}

/// The functions whose variables hold the proxy's host.
pub(crate) fn at_proxy(world: &World) -> Vec<String> {
    let hosts: Vec<&String> = world.rds.proxies.values().map(|proxy| &proxy.endpoint).collect();
    let holds = |name: &&&str| {
        let variables = world.lambda.functions[**name].latest.environment.iter().flatten();
        variables.into_iter().any(|(_, value)| hosts.iter().any(|host| value.contains(host.as_str())))
    };
    FUNCTIONS.iter().filter(holds).map(|name| (*name).to_owned()).collect()
}

/// Each function of the instance leads to the database, or to a proxy that is there and has its target.
pub(crate) fn leads_somewhere(world: &World) -> Result<(), String> {
    for name in FUNCTIONS {
        let host = &world.lambda.functions[name].latest.environment.as_ref().unwrap()["DB_HOST"];
        let database = world.rds.instances["my-instance"].endpoint == *host;
        let works = |proxy: &sandbox::parts::Proxy| proxy.endpoint == *host && proxy.target_group.target.is_some();
        if !database && !world.rds.proxies.values().any(works) {
            return Err(format!("{name} leads to {host}, where nothing is"));
        }
    }
    Ok(())
}

pub(crate) fn memory(world: &World) -> Option<String> {
    world.rds.proxies.get("my-instance-proxy")?.tags.get("rdsproxy-setup:canary").cloned()
}

#[tokio::test(start_paused = true)]
async fn it_goes_in_waves_the_least_traffic_first_and_a_second_run_changes_nothing() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let walk = walk(bed.up(&waves(INSTANCE)).await);
    assert_eq!(walk.ending, Ending::Complete, "{walk:#?}");
    let moved: Vec<Vec<String>> = walk.waves.iter().map(|wave| wave.functions.clone()).collect();
    assert_eq!(moved.len(), 2);
    assert_eq!(moved.concat().len(), 2);
    assert!(walk.waves.iter().all(|wave| matches!(wave.judgement, Judgement::NotWorse { .. })), "{walk:#?}");
    assert!(walk.left.is_empty() && walk.back.is_empty());
    let world = bed.settled().await;
    assert_eq!(at_proxy(&world), FUNCTIONS);
    assert_eq!(memory(&world).as_deref(), Some("."));
    let since = bed.logged();
    assert!(self::walk(bed.up(&waves(INSTANCE)).await).waves.is_empty());
    assert_eq!(bed.mutations(since), [""; 0]);
    // One write each, and none before the one before it was judged.
    bed.in_place(&wish(INSTANCE)).await;
}

#[tokio::test(start_paused = true)]
async fn the_function_that_is_named_goes_first() {
    for first in FUNCTIONS {
        let bed = Bed::of(newcomer(), NEVER, false);
        let canary = Canary { first: Some(first.to_owned()), ..Canary::default() };
        let walk = walk(bed.up(&Spec { canary: Some(canary), ..waves(INSTANCE) }).await);
        assert_eq!(walk.waves[0].functions, [first], "{walk:#?}");
    }
}

/// Each cause shows in what it is known by, and everything is as before, byte for byte.
#[tokio::test(start_paused = true)]
async fn what_is_worse_goes_back_byte_for_byte() {
    // The functions' errors or what the proxy itself counts: whichever CloudWatch has first.
    let causes: [(AtProxy, &[Measure]); 4] = [
        (AtProxy::Refused, &[Measure::Errors, Measure::RefusedLogins]),
        (AtProxy::Failed, &[Measure::Errors, Measure::FailedSetups]),
        (AtProxy::Slow, &[Measure::Duration]),
        (AtProxy::Pinned, &[Measure::Pinned]),
    ];
    for (spec, function) in [(waves(INSTANCE), "InvoiceFunction"), (orders(), "OrdersFunction")] {
        for (cause, measures) in causes {
            let mut world = newcomer();
            world.set_at_proxy(function, cause);
            let before = functions(&world);
            let bed = Bed::of(world, NEVER, false);
            let walk = walk(bed.up(&spec).await);
            assert_eq!(walk.ending, Ending::Worse, "{cause:?}: {walk:?}");
            let Some(Judgement::Worse { found, .. }) = walk.waves.last().map(|wave| wave.judgement.clone()) else {
                panic!("{walk:#?}")
            };
            assert!(found.iter().any(|one| measures.contains(&one.measure)), "{cause:?}: {found:?}");
            assert!(walk.moved.is_empty() && walk.back.contains(&function.to_owned()), "{walk:#?}");
            let world = bed.settled().await;
            assert_eq!(functions(&world), before, "{cause:?} {function}");
            // The proxy stays for the next try.
            assert_eq!(world.rds.proxies.len(), 1);
        }
    }
}

/// The last wave goes back first.
#[tokio::test(start_paused = true)]
async fn the_newest_goes_back_first() {
    let mut world = newcomer();
    world.set_at_proxy("DBAppFunction", AtProxy::Refused);
    let bed = Bed::of(world, NEVER, false);
    let canary = Canary { first: Some("InvoiceFunction".to_owned()), ..Canary::default() };
    let walk = walk(bed.up(&Spec { canary: Some(canary), ..waves(INSTANCE) }).await);
    assert_eq!(walk.ending, Ending::Worse);
    assert_eq!(walk.back, ["DBAppFunction", "InvoiceFunction"]);
    assert!(at_proxy(&bed.settled().await).is_empty());
}

/// A fault of the database hurts everyone: it is not blamed on the proxy, and nothing goes on either.
#[tokio::test(start_paused = true)]
async fn a_fault_of_the_whole_account_ends_in_cannot_tell() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let calls = {
        let clean = Bed::of(newcomer(), NEVER, false);
        walk(clean.up(&waves(INSTANCE)).await);
        let first = clean.actions(0).iter().position(|action| action == "UpdateFunctionConfiguration").unwrap();
        first + 1
    };
    bed.meanwhile(calls, |world| {
        for name in FUNCTIONS {
            let load = world.loads.functions[name].last().unwrap().load.clone();
            world.set_load(name, sandbox::Load { errors: 0.33, ..load });
        }
    });
    let walk = walk(bed.up(&waves(INSTANCE)).await);
    assert_eq!(walk.ending, Ending::Unknown, "{walk:#?}");
    let Judgement::Unknown { gaps } = &walk.waves[0].judgement else { panic!("{walk:#?}") };
    assert!(gaps.iter().any(|gap| gap.why.contains("functions that have not moved")), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn without_metrics_nothing_passes() {
    // Metrics that never come: one function moves, and the rest waits for a person.
    let mut world = newcomer();
    world.profile.metric_lag = Duration::from_hours(10);
    let bed = Bed::of(world, NEVER, false);
    let late = walk(bed.up(&waves(INSTANCE)).await);
    assert_eq!((late.ending, late.moved.len(), late.left.len()), (Ending::Unknown, 1, 1), "{late:#?}");
    // Functions that nobody calls.
    let mut world = newcomer();
    world.loads.functions.clear();
    let bed = Bed::of(world, NEVER, false);
    let idle = walk(bed.up(&waves(INSTANCE)).await);
    assert_eq!((idle.ending, idle.moved.len(), idle.left.len()), (Ending::Unknown, 1, 1), "{idle:#?}");
    // No right to read them: nothing moves at all.
    let bed = Bed::of(newcomer(), NEVER, false);
    restrict(&bed, &policies(&[Verb::Up, Verb::Status], &[] as &[Feature], &scope()));
    let denied = walk(bed.up(&waves(INSTANCE)).await);
    assert_eq!((denied.ending, denied.moved.len(), denied.left.len()), (Ending::Unknown, 0, 2), "{denied:#?}");
    assert!(at_proxy(&bed.settled().await).is_empty());
}

#[tokio::test(start_paused = true)]
async fn on_unknown_continue_goes_on_and_says_so() {
    let mut world = newcomer();
    world.loads.functions.clear();
    let bed = Bed::of(world, NEVER, false);
    let canary = Canary { on_unknown: OnUnknown::Continue, ..Canary::default() };
    let walk = walk(bed.up(&Spec { canary: Some(canary), ..waves(INSTANCE) }).await);
    assert_eq!((walk.ending, walk.moved.len()), (Ending::Complete, 2));
    assert!(walk.waves.iter().all(|wave| matches!(wave.judgement, Judgement::Unknown { .. })), "{walk:#?}");
}

/// Says one thing whenever it is asked.
struct Says(Decision);

impl Decider for Says {
    fn decide<'a>(&'a self, _wave: &'a Wave) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        Box::pin(std::future::ready(self.0))
    }
}

/// A run with somebody at the terminal, and a sign that may be raised.
async fn asked(bed: &Bed, spec: &Spec, says: Decision, stop: &StopSign) -> Result<Outcome, String> {
    let survey = bed.survey(spec).await.unwrap();
    let (listener, clock) = (Recorder::default(), &bed.clock);
    let run = Run { cloud: &bed.cloud, clock, timeouts: Timeouts::default(), listener: &listener, stop };
    Box::pin(converge_asking(&run, &survey, &Says(says))).await.map_err(|stop| stop.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_person_may_go_on_stop_or_go_back() {
    for (says, ending, moved) in [
        (Decision::Continue, Ending::Complete, 2),
        (Decision::Stop, Ending::Unknown, 1),
        (Decision::Back, Ending::WentBack, 0),
    ] {
        let mut world = newcomer();
        world.loads.functions.clear();
        let before = functions(&world);
        let bed = Bed::of(world, NEVER, false);
        let outcome = asked(&bed, &waves(INSTANCE), says, &StopSign::new()).await.unwrap();
        let walk = outcome.canary.unwrap();
        assert_eq!((walk.ending, walk.moved.len()), (ending, moved), "{walk:#?}");
        let world = bed.settled().await;
        assert_eq!(at_proxy(&world).len(), moved);
        if moved == 0 {
            assert_eq!(functions(&world), before);
        }
    }
}

/// What is shown of its waves is what it goes by.
#[tokio::test(start_paused = true)]
async fn a_canary_that_is_resumed_with_other_waves_remembers_those() {
    let mut world = newcomer();
    world.loads.functions.clear();
    let bed = Bed::of(world, NEVER, false);
    asked(&bed, &waves(INSTANCE), Decision::Stop, &StopSign::new()).await.unwrap();
    let first = memory(&bed.settled().await).unwrap();
    let shares = judge::waves::parse("1,100%").unwrap();
    let other = Spec { canary: Some(Canary { waves: shares, ..Canary::default() }), ..waves(INSTANCE) };
    let since = bed.logged();
    asked(&bed, &other, Decision::Stop, &StopSign::new()).await.unwrap();
    let (start, _) = first.split_once(" waves=").unwrap();
    assert_eq!(memory(&bed.settled().await).unwrap(), format!("{start} waves=1/100p"));
    assert_eq!(bed.mutations(since), ["AddTagsToResource"]);
    let since = bed.logged();
    asked(&bed, &other, Decision::Stop, &StopSign::new()).await.unwrap();
    assert_eq!(bed.mutations(since), [""; 0]);
}

/// Ctrl-C while a wave is watched keeps what has moved; the same command goes on, and restore goes back.
#[tokio::test(start_paused = true)]
async fn an_interrupted_soak_keeps_what_has_moved_and_is_resumed() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let stop = StopSign::new();
    let spec = waves(INSTANCE);
    let (run, soon) = (asked(&bed, &spec, Decision::Stop, &stop), async {
        while at_proxy(&bed.gate.account.with(|world| world.clone())).is_empty() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        tokio::time::sleep(Duration::from_secs(90)).await;
        stop.interrupt();
    });
    let (outcome, ()) = tokio::join!(run, soon);
    assert_eq!(outcome.unwrap_err(), "interrupted");
    let world = bed.settled().await;
    assert_eq!(at_proxy(&world).len(), 1);
    let proxy = &world.rds.proxies["my-instance-proxy"];
    let tags = proxy.tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    assert_eq!(Memory::of("", &tags).canary().map(|begun| begun.before), Some(0));
    let walk = walk(bed.up(&waves(INSTANCE)).await);
    assert_eq!((walk.ending, walk.moved.len()), (Ending::Complete, 2), "{walk:#?}");
    // What had moved was judged again, first.
    assert_eq!(walk.waves[0].number, 0);
}

/// What an earlier run of the same canary moved goes back with it.
#[tokio::test(start_paused = true)]
async fn a_resumed_canary_that_is_worse_takes_all_of_it_back() {
    let mut world = newcomer();
    world.profile.metric_lag = Duration::from_hours(10);
    let before = functions(&world);
    let bed = Bed::of(world, NEVER, false);
    assert_eq!(walk(bed.up(&waves(INSTANCE)).await).ending, Ending::Unknown);
    bed.gate.account.with(|world| {
        world.profile.metric_lag = Duration::from_mins(1);
        for name in FUNCTIONS {
            world.set_at_proxy(name, AtProxy::Refused);
        }
    });
    let walk = walk(bed.up(&waves(INSTANCE)).await);
    assert_eq!((walk.ending, walk.back.len()), (Ending::Worse, 1), "{walk:#?}");
    assert_eq!(functions(&bed.settled().await), before);
}

/// All at once is a wave too; with the functions of ten, a quarter is three.
#[tokio::test(start_paused = true)]
async fn one_wave_is_enough() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let canary = Canary { waves: vec![Share::Percent(100)], ..Canary::default() };
    let walk = walk(bed.up(&Spec { canary: Some(canary), ..waves(INSTANCE) }).await);
    assert_eq!((walk.ending, walk.waves.len()), (Ending::Complete, 1));
}

#[tokio::test(start_paused = true)]
async fn its_own_policy_is_enough_to_go_on_and_to_go_back() {
    for (spec, function) in [(waves(INSTANCE), "InvoiceFunction"), (orders(), "OrdersFunction")] {
        for cause in [AtProxy::Works, AtProxy::Refused] {
            let mut world = newcomer();
            world.set_at_proxy(function, cause);
            let bed = Bed::of(world, NEVER, false);
            restrict(&bed, &policies(&[Verb::Up, Verb::Status], &[Feature::Canary], &scope()));
            let walk = walk(bed.up(&spec).await);
            let want = if cause == AtProxy::Works { Ending::Complete } else { Ending::Worse };
            assert_eq!(walk.ending, want, "{walk:?}");
            assert_eq!(denials(&bed), [""; 0], "{function} {cause:?}");
        }
    }
}

/// How far waves are follows from how many functions have moved.
#[test]
fn waves_that_are_not_complete_are_known_by_their_number() {
    use judge::waves::{Reached, parse, reached};
    let waves = parse("1,25%,100%").unwrap();
    for (moved, wave, whole) in [(0, 0, true), (1, 1, true), (2, 2, false), (3, 2, true), (4, 3, false), (10, 3, true)]
    {
        assert_eq!(reached(&waves, 0, moved, 10), Reached { wave, of: 3, whole }, "{moved}");
    }
    // One was there before, so that the first wave moves nothing, and is none.
    for (moved, wave, whole) in [(1, 0, true), (2, 1, false), (3, 1, true), (4, 2, false), (10, 2, true)] {
        assert_eq!(reached(&waves, 1, moved, 10), Reached { wave, of: 2, whole }, "{moved}");
    }
    // Two functions: a quarter of them is the first.
    assert_eq!(reached(&waves, 0, 1, 2), Reached { wave: 1, of: 2, whole: true });
}

/// The sample account, in which this becomes of the instance's functions at a proxy.
fn troubled(cause: AtProxy) -> World {
    let mut world = newcomer();
    for name in FUNCTIONS {
        world.set_at_proxy(name, cause);
    }
    world
}

/// The calls of a canary from the first that moves a function on.
pub(crate) async fn calls(spec: &Spec, world: World) -> (usize, Vec<String>) {
    let bed = Bed::of(world, NEVER, false);
    walk(bed.up(spec).await);
    let all = bed.actions(0);
    let first = all.iter().position(|action| action == "UpdateFunctionConfiguration").unwrap();
    (first.saturating_sub(2), all)
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn killed_anywhere_no_function_points_at_nothing_and_the_canary_is_resumed() {
    for cause in [AtProxy::Works, AtProxy::Refused] {
        let (first, all) = calls(&waves(INSTANCE), troubled(cause)).await;
        say(&format!("{cause:?}: killed at {} calls, before and after each", all.len() - first));
        for (kill_at, after) in (first..all.len()).flat_map(|n| [(n, false), (n, true)]) {
            let world = troubled(cause);
            let before = functions(&world);
            let bed = Bed::of(world, kill_at, after);
            let fate = bed.up(&waves(INSTANCE)).await;
            assert!(matches!(fate, Fate::Killed), "{kill_at}: {fate:?}");
            bed.gate.account.with(|world| leads_somewhere(world)).unwrap();
            bed.disarm();
            let end = walk(bed.up(&waves(INSTANCE)).await);
            let world = bed.settled().await;
            leads_somewhere(&world).unwrap();
            let name = format!("{cause:?}, killed at call {kill_at} ({}, after: {after})", all[kill_at]);
            if cause == AtProxy::Works {
                assert_eq!(end.ending, Ending::Complete, "{name}: {end:#?}");
                assert_eq!(at_proxy(&world), FUNCTIONS, "{name}");
            } else {
                assert_eq!(end.ending, Ending::Worse, "{name}: {end:#?}");
                assert_eq!(functions(&world), before, "{name}");
            }
            assert_eq!(memory(&world).as_deref(), Some("."), "{name}");
        }
    }
}

/// Law: under every fault at every call, everything leads somewhere; what ends as worse is byte for byte as before, and
/// what ends as complete works, and is at the proxy.
pub(crate) async fn under_every_fault(
    spec: &Spec,
    world: impl Fn(AtProxy) -> World,
    leads_somewhere: impl Fn(&World) -> Result<(), String>,
    is_at_proxy: impl Fn(&World) -> bool,
) {
    let error = Trouble::ErrorBefore { status: 503, code: "ServiceUnavailable".to_owned(), message: "busy".to_owned() };
    let faults =
        [Trouble::Throttle, error, Trouble::ErrorAfter, Trouble::DropBefore, Trouble::DropAfter, Trouble::Deny];
    for cause in [AtProxy::Works, AtProxy::Refused] {
        let (first, all) = calls(spec, world(cause)).await;
        say(&format!("{cause:?}: {} faults at {} calls", faults.len(), all.len() - first));
        for (at, fault) in (first..all.len()).flat_map(|at| faults.iter().map(move |fault| (at, fault.clone()))) {
            let mut world = world(cause);
            let before = functions(&world);
            let nth = u64::try_from(at + 1).unwrap();
            world.faults.push(Fault::once(Trigger::Request(nth), fault.clone()));
            let bed = Bed::of(world, NEVER, false);
            let name = format!("{cause:?}, {fault:?} at call {at} ({})", all[at]);
            let fate = bed.up(spec).await;
            let world = bed.settled().await;
            leads_somewhere(&world).unwrap_or_else(|why| panic!("{name}: {why}"));
            match fate {
                Fate::Done(outcome) => {
                    let walk = outcome.canary.unwrap();
                    match walk.ending {
                        Ending::Worse => assert_eq!(functions(&world), before, "{name}"),
                        Ending::Complete => {
                            assert!(cause == AtProxy::Works, "{name}: it passed what fails: {walk:#?}");
                            assert!(is_at_proxy(&world), "{name}: {walk:#?}");
                        }
                        // A read that was denied is no reason to go on.
                        _ => assert!(matches!(fault, Trouble::Deny), "{name}: {walk:#?}"),
                    }
                }
                Fate::Stopped(why) => assert!(matches!(fault, Trouble::Deny), "{name}: {why}"),
                Fate::Killed => unreachable!(),
            }
        }
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn under_every_fault_functions_lead_somewhere_and_worse_leaves_nothing() {
    under_every_fault(&waves(INSTANCE), troubled, leads_somewhere, |world| at_proxy(world) == FUNCTIONS).await;
}

/// The built program, without a terminal: it runs to its end, and shows the way back.
#[test]
fn the_sample_account_runs_through_and_shows_the_way_back() {
    let desk = Desk::new();
    let run = desk.run(&["up", "--db", INSTANCE, "--canary", "--yes"]);
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stdout.contains("Wave 1 of 2") && run.stdout.contains("not worse"), "{run}");

    let desk = Desk::new();
    let load = desk.run(&["sandbox", "load", "--function", "InvoiceFunction", "--at-proxy", "refused"]);
    assert_eq!(load.code, Some(0), "{load}");
    let before = functions(&desk.store().world().unwrap());
    let run = desk.run(&["up", "--db", INSTANCE, "--canary", "--yes"]);
    assert_eq!(run.code, Some(7), "{run}");
    assert!(run.stderr.contains("worse than before: InvoiceFunction, errors"), "{run}");
    assert!(run.stdout.contains("doctor --db my-instance"), "{run}");
    assert_eq!(functions(&desk.store().world().unwrap()), before);
    let again = desk.run(&["up", "--db", INSTANCE, "--canary", "--canary-function", "Absent", "--yes"]);
    assert_eq!(again.code, Some(4), "{again}");
}

/// Whoever goes on with it later goes on with its waves.
#[test]
fn the_way_on_names_the_waves_that_were_asked_for() {
    let desk = Desk::new();
    desk.change(|world| world.profile.metric_lag = Duration::from_hours(100));
    let up = [
        "up",
        "--db",
        INSTANCE,
        "--canary",
        "--waves",
        "1,50%,100%",
        "--soak",
        "1m",
        "--timeout",
        "canary=1m",
        "--yes",
    ];
    let run = desk.run(&up);
    assert_eq!(run.code, Some(8), "{run}");
    let status = desk.run(&["status", "--db", INSTANCE]);
    assert!(status.stdout.contains("up --db my-instance --canary --waves 1,50%,100%"), "{status}");
}

/// Metrics that do not come: it stops with its own code, and status says how far it is.
#[test]
fn a_canary_that_cannot_tell_says_how_far_it_is() {
    let desk = Desk::new();
    desk.change(|world| world.profile.metric_lag = Duration::from_hours(100));
    let run = desk.run(&["up", "--db", INSTANCE, "--canary", "--soak", "1m", "--timeout", "canary=1m", "--yes"]);
    assert_eq!(run.code, Some(8), "{run}");
    assert!(run.stdout.contains("up --db my-instance --canary --soak 60s"), "{run}");
    assert!(run.stdout.contains("restore --db my-instance"), "{run}");
    let status = desk.run(&["status", "--db", INSTANCE]);
    let text =
        "A canary is not complete: wave 1 of 2 has moved and is still to be judged; 1 of 2 functions are at the proxy.";
    assert!(status.stdout.contains(text), "{status}");
    let status = desk.run(&["status", "--db", INSTANCE, "--output", "json"]);
    let told: Value = serde_json::from_str(&status.stdout).unwrap();
    let canary = serde_json::json!({"aliases": [], "at_proxy": 1, "functions": 2, "wave": 1, "waves": 2});
    assert_eq!(told["stacks"][0]["canary"], canary, "{status}");
    // Without waves, the rest moves at once, and no canary is left to complete.
    let desk_of_all = Desk::new();
    desk_of_all.change(|world| *world = desk.store().world().unwrap());
    let run = desk_of_all.run(&["up", "--db", INSTANCE, "--yes"]);
    assert_eq!(run.code, Some(0), "{run}");
    let status = desk_of_all.run(&["status", "--db", INSTANCE]);
    assert!(!status.stdout.contains("canary") && status.stdout.contains("restore --db my-instance"), "{status}");
    // Restored, nothing of it is left to say.
    let run = desk.run(&["restore", "--db", INSTANCE, "--yes"]);
    assert_eq!(run.code, Some(0), "{run}");
    let status = desk.run(&["status", "--db", INSTANCE]);
    assert!(!status.stdout.contains("canary"), "{status}");
}
