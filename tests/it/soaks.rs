//! Ctrl-C while a wave is watched: the run asks, and whatever is answered, no function leads nowhere.

use std::io::{BufRead as _, BufReader};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rdsproxy_setup::canary::{Decider, Decision, Ending, Stand, Wave};
use rdsproxy_setup::engine::event::Recorder;
use rdsproxy_setup::engine::{Run, StopSign, Timeouts};
use rdsproxy_setup::report::stand_text;
use rdsproxy_setup::sequence::{Outcome, converge_asking};
use rdsproxy_setup::spec::{Canary, Spec};
use sandbox::{AtProxy, World};

use crate::canary::{FUNCTIONS, INSTANCE, at_proxy, functions, leads_somewhere, memory, orders, waves};
use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, say};
use crate::signals::{Terminal, tell};

/// Longer than any wave is watched.
const AGES: Duration = Duration::from_hours(3);

/// Somebody who presses Ctrl-C once, some time into the watch over one of the waves, and answers some time later.
struct Person {
    /// In which watch, from 0.
    watch: usize,
    presses: Duration,
    thinks: Duration,
    says: Decision,
    watches: AtomicUsize,
    asked: Mutex<Vec<Stand>>,
}

impl Person {
    fn who(says: Decision) -> Self {
        let (presses, thinks) = (Duration::from_secs(100), Duration::from_secs(5));
        Self { watch: 0, presses, thinks, says, watches: AtomicUsize::new(0), asked: Mutex::default() }
    }

    /// What was asked, which is one question at most.
    fn stand(&self) -> Option<Stand> {
        let asked = self.asked.lock().unwrap();
        assert!(asked.len() <= 1, "{asked:?}");
        asked.first().cloned()
    }
}

impl Decider for Person {
    fn decide<'a>(&'a self, wave: &'a Wave) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        panic!("no wave of these tests is open: {wave:?}");
    }

    fn interrupts(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        let watch = self.watches.fetch_add(1, Ordering::SeqCst);
        if watch != self.watch {
            return Box::pin(std::future::pending());
        }
        Box::pin(tokio::time::sleep(self.presses))
    }

    fn interrupted<'a>(&'a self, stand: &'a Stand) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        self.asked.lock().unwrap().push(stand.clone());
        Box::pin(async {
            tokio::time::sleep(self.thinks).await;
            self.says
        })
    }
}

/// A run with somebody at the terminal, held to lead every function somewhere after each call.
async fn watched(bed: &Bed, spec: &Spec, person: &Person, stop: &StopSign) -> Fate<Outcome> {
    if spec.database.id == INSTANCE {
        bed.observe(|request, world| {
            leads_somewhere(world).unwrap_or_else(|why| panic!("after {} {}: {why}", request.method, request.target));
        });
    }
    bed.mortal(Box::pin(async {
        let survey = bed.survey(spec).await.map_err(|problem| problem.to_string())?;
        let (listener, clock) = (Recorder::default(), &bed.clock);
        let run = Run { cloud: &bed.cloud, clock, timeouts: Timeouts::default(), listener: &listener, stop };
        Box::pin(converge_asking(&run, &survey, person)).await.map_err(|stop| stop.to_string())
    }))
    .await
}

fn names(of: &[&str]) -> Vec<String> {
    of.iter().map(|name| (*name).to_owned()).collect()
}

/// The sample account's functions, of which this one moves first.
fn first(name: &str) -> Spec {
    Spec { canary: Some(Canary { first: Some(name.to_owned()), ..Canary::default() }), ..waves(INSTANCE) }
}

#[tokio::test(start_paused = true)]
async fn to_stop_keeps_what_has_moved_and_the_same_command_resumes() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let person = Person::who(Decision::Stop);
    let spec = first("InvoiceFunction");
    let fate = watched(&bed, &spec, &person, &StopSign::new()).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why == "interrupted"), "{fate:?}");
    let stand = person.stand().unwrap();
    assert_eq!((stand.number, stand.of), (1, 2));
    assert_eq!(stand.moved, names(&["InvoiceFunction"]));
    assert_eq!(stand.back, stand.moved);
    assert_eq!(stand.left, names(&["DBAppFunction"]));
    let world = bed.settled().await;
    assert_eq!(at_proxy(&world), ["InvoiceFunction"]);
    assert!(memory(&world).unwrap().starts_with("since="), "{:?}", memory(&world));
    let Fate::Done(outcome) = bed.up(&spec).await else { panic!("it does not resume") };
    assert_eq!(outcome.canary.unwrap().ending, Ending::Complete);
    assert_eq!(at_proxy(&bed.settled().await), FUNCTIONS);
}

/// The run that was interrupted moves what the run that was not moves, with the same calls.
#[tokio::test(start_paused = true)]
async fn to_continue_is_as_if_nothing_had_happened() {
    let calm = Bed::of(newcomer(), NEVER, false);
    let spec = first("InvoiceFunction");
    let Fate::Done(undisturbed) = calm.up(&spec).await else { panic!("it does not end") };
    for watch in [0, 1] {
        let bed = Bed::of(newcomer(), NEVER, false);
        let person = Person { watch, ..Person::who(Decision::Continue) };
        // The second watch is the one after the question, where the first was interrupted.
        let Fate::Done(outcome) = watched(&bed, &spec, &person, &StopSign::new()).await else { panic!("it ends") };
        assert_eq!(person.stand().unwrap().number, watch + 1);
        let (walk, other) = (outcome.canary.unwrap(), undisturbed.canary.clone().unwrap());
        assert_eq!((walk.ending, walk.moved.clone()), (Ending::Complete, other.moved));
        assert_eq!(walk.waves.len(), other.waves.len());
        assert_eq!(bed.mutations(0), calm.mutations(0));
    }
}

#[tokio::test(start_paused = true)]
async fn to_go_back_leaves_everything_byte_for_byte_as_before() {
    for (spec, watch, back) in [
        (first("InvoiceFunction"), 0, &["InvoiceFunction"][..]),
        // Newest first.
        (first("InvoiceFunction"), 1, &["DBAppFunction", "InvoiceFunction"]),
        (orders(), 0, &["OrdersFunction"]),
    ] {
        let world = newcomer();
        let before = functions(&world);
        let bed = Bed::of(world, NEVER, false);
        let person = Person { watch, ..Person::who(Decision::Back) };
        let fate = watched(&bed, &spec, &person, &StopSign::new()).await;
        let Fate::Done(outcome) = fate else { panic!("{fate:?}") };
        let walk = outcome.canary.unwrap();
        assert_eq!(walk.ending, Ending::WentBack, "{walk:#?}");
        assert_eq!(walk.back, names(back));
        assert!(walk.moved.is_empty(), "{walk:#?}");
        // Only waves that were judged are among them.
        assert_eq!(walk.waves.len(), watch);
        let world = bed.settled().await;
        assert_eq!(functions(&world), before);
        // The proxy stays, and no canary is under way.
        let [proxy] = world.rds.proxies.values().collect::<Vec<_>>()[..] else { panic!("one proxy") };
        assert_eq!(proxy.tags["rdsproxy-setup:canary"], ".");
        let Fate::Done(again) = bed.up(&spec).await else { panic!("it does not go forth again") };
        assert_eq!(again.canary.unwrap().ending, Ending::Complete);
    }
}

/// What was at the proxy before this canary is not its to point back.
#[tokio::test(start_paused = true)]
async fn to_go_back_leaves_what_was_there_before() {
    let bed = Bed::of(newcomer(), NEVER, false);
    let one = Spec { functions: names(&["DBAppFunction"]), canary: None, ..waves(INSTANCE) };
    assert!(matches!(bed.up(&one).await, Fate::Done(_)));
    let person = Person::who(Decision::Back);
    let all = Spec { all_functions: true, ..waves(INSTANCE) };
    let Fate::Done(outcome) = watched(&bed, &all, &person, &StopSign::new()).await else { panic!("it ends") };
    assert_eq!(person.stand().unwrap().back, names(&["InvoiceFunction"]));
    assert_eq!(outcome.canary.unwrap().back, names(&["InvoiceFunction"]));
    assert_eq!(at_proxy(&bed.settled().await), ["DBAppFunction"]);
}

/// Another Ctrl-C in place of an answer, while the wave is watched and after that.
#[tokio::test(start_paused = true)]
async fn a_second_signal_keeps_what_has_moved() {
    for later in [Duration::from_secs(5), Duration::from_hours(1)] {
        let bed = Bed::of(newcomer(), NEVER, false);
        let person = Person { thinks: AGES, ..Person::who(Decision::Back) };
        let stop = StopSign::new();
        let again = async {
            while person.asked.lock().unwrap().is_empty() {
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            tokio::time::sleep(later).await;
            stop.interrupt();
        };
        let answers = Keeps { person: &person, stop: &stop };
        let spec = first("InvoiceFunction");
        let run = async {
            let survey = bed.survey(&spec).await.unwrap();
            let (listener, clock) = (Recorder::default(), &bed.clock);
            let run = Run { cloud: &bed.cloud, clock, timeouts: Timeouts::default(), listener: &listener, stop: &stop };
            Box::pin(converge_asking(&run, &survey, &answers)).await.map_err(|stop| stop.to_string())
        };
        let (outcome, ()) = tokio::join!(run, again);
        assert_eq!(outcome.unwrap_err(), "interrupted");
        let world = bed.settled().await;
        leads_somewhere(&world).unwrap();
        assert_eq!(at_proxy(&world), ["InvoiceFunction"]);
        assert!(memory(&world).unwrap().starts_with("since="));
    }
}

/// Somebody who gives no answer once the run is to stop, as the terminal does.
struct Keeps<'a> {
    person: &'a Person,
    stop: &'a StopSign,
}

impl Decider for Keeps<'_> {
    fn decide<'a>(&'a self, wave: &'a Wave) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        self.person.decide(wave)
    }

    fn interrupts(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        self.person.interrupts()
    }

    fn interrupted<'a>(&'a self, stand: &'a Stand) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        Box::pin(async move {
            tokio::select! {
                decision = self.person.interrupted(stand) => decision,
                () = self.stop.interrupted() => Decision::Stop,
            }
        })
    }
}

/// Somebody asks, and goes to lunch: what is worse goes back by itself all the same.
#[tokio::test(start_paused = true)]
async fn what_is_worse_does_not_wait_for_an_answer() {
    let mut world = newcomer();
    world.set_at_proxy("InvoiceFunction", AtProxy::Slow);
    let before = functions(&world);
    let bed = Bed::of(world, NEVER, false);
    let person = Person { presses: Duration::from_secs(1), thinks: AGES, ..Person::who(Decision::Continue) };
    let began = tokio::time::Instant::now();
    let fate = watched(&bed, &first("InvoiceFunction"), &person, &StopSign::new()).await;
    let Fate::Done(outcome) = fate else { panic!("{fate:?}") };
    assert!(person.stand().is_some());
    assert_eq!(outcome.canary.unwrap().ending, Ending::Worse);
    assert!(began.elapsed() < AGES, "it waited for the answer");
    assert_eq!(functions(&bed.settled().await), before);
}

/// An answer that comes after the wave was judged still counts, and until then nothing else moves.
#[tokio::test(start_paused = true)]
async fn a_late_answer_counts() {
    for (says, ending, moved) in
        [(Decision::Continue, Ending::Complete, &FUNCTIONS[..]), (Decision::Back, Ending::WentBack, &[])]
    {
        let bed = Bed::of(newcomer(), NEVER, false);
        let person = Person { thinks: AGES, ..Person::who(says) };
        let began = tokio::time::Instant::now();
        let fate = watched(&bed, &first("InvoiceFunction"), &person, &StopSign::new()).await;
        let Fate::Done(outcome) = fate else { panic!("{fate:?}") };
        assert_eq!(outcome.canary.unwrap().ending, ending);
        assert!(began.elapsed() > AGES, "it did not wait for the answer");
        assert_eq!(at_proxy(&bed.settled().await), moved);
    }
}

/// Killed at any call after the question, before or after its effect, no function leads nowhere, and `restore`
/// restores.
#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn killed_on_the_way_back_restore_restores() {
    for watch in [0, 1] {
        let spec = first("InvoiceFunction");
        let person = || Person { watch, ..Person::who(Decision::Back) };
        let (calls, begin) = {
            let (back, stops) = (Bed::of(newcomer(), NEVER, false), Bed::of(newcomer(), NEVER, false));
            watched(&back, &spec, &person(), &StopSign::new()).await;
            // A run that stops at the question makes no call after it.
            let stopped = Person { watch, ..Person::who(Decision::Stop) };
            watched(&stops, &spec, &stopped, &StopSign::new()).await;
            (back.actions(0), stops.calls())
        };
        assert!(calls.len() > begin + 3, "{calls:?}");
        say(&format!("in wave {}: killed at {} calls, before and after each", watch + 1, calls.len() - begin));
        for (kill_at, after) in (begin..calls.len()).flat_map(|n| [(n, false), (n, true)]) {
            let world = newcomer();
            let before = functions(&world);
            let bed = Bed::of(world, kill_at, after);
            let name = format!("killed at call {kill_at} ({}, after: {after})", calls[kill_at]);
            let fate = watched(&bed, &spec, &person(), &StopSign::new()).await;
            assert!(matches!(fate, Fate::Killed), "{name}: {fate:?}");
            bed.disarm();
            assert!(matches!(bed.restore(&spec).await, Fate::Done(())), "{name}");
            assert_eq!(functions(&bed.settled().await), before, "{name}");
        }
    }
}

/// What somebody at a terminal does while the first wave is watched.
enum Does {
    Types(&'static str),
    PressesAgain,
}

/// The program at a terminal, asked once; its exit code, what it showed, and the account.
fn at_a_terminal(does: &Does) -> (Option<i32>, String, World) {
    let desk = Desk::new();
    let arguments = ["--sandbox", "--sandbox-speed=120", "up", "--db", INSTANCE, "--canary", "--yes"];
    let mut at = Terminal::sized(&mut desk.command(&arguments), 24, 80);
    at.until("watching InvoiceFunction");
    // What was typed before the question is no answer to it.
    at.write("back\n");
    tell(&at.child, "-INT");
    at.until("What now? [continue/stop/back]");
    assert!(!at.shown.contains("Stopping after"), "{}", at.shown);
    let question = at.shown.split_once("Interrupted while").unwrap().1;
    assert!(question.lines().all(|line| line.chars().count() <= 80), "{question}");
    match does {
        Does::Types(answer) => at.write(&format!("{answer}\n")),
        Does::PressesAgain => tell(&at.child, "-INT"),
    }
    let (shown, code) = at.until_it_ends();
    let world = desk.store().world().unwrap();
    leads_somewhere(&world).unwrap_or_else(|why| panic!("{why}: {shown}"));
    (code, shown, world)
}

#[test]
fn a_terminal_is_asked_and_each_answer_does_what_it_says() {
    let before = functions(&Desk::new().store().world().unwrap());
    for (does, code, moved) in [
        (Does::Types("stop"), 130, &["InvoiceFunction"][..]),
        (Does::PressesAgain, 130, &["InvoiceFunction"]),
        (Does::Types("what?\nback"), 8, &[]),
        (Does::Types("continue"), 0, &FUNCTIONS),
    ] {
        let (exit, shown, world) = at_a_terminal(&does);
        assert_eq!(exit, Some(code), "{shown}");
        assert_eq!(at_proxy(&world), moved, "{shown}");
        if moved.is_empty() {
            assert_eq!(functions(&world), before);
            assert!(shown.contains("you chose to point them back"), "{shown}");
        }
        if code == 130 {
            let told = shown.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(told.contains("To resume, with the same flags: rdsproxy-setup --sandbox"), "{shown}");
            assert!(told.contains("restore --db"), "{shown}");
        }
    }
}

/// What a terminal of 80 columns does not break anywhere, and the first names of many.
#[test]
fn the_question_is_short_however_many_functions_there_are() {
    let names = |count: usize| (0..count).map(|n| format!("Function{n}")).collect::<Vec<_>>();
    for (number, count) in [(0, 1), (1, 3), (2, 1000)] {
        let stand =
            Stand { number, of: 3, moved: names(count), left: Vec::new(), back: names(count), aliases: Vec::new() };
        let text = stand_text(&stand);
        let fits = |line: &str| line.chars().count() <= 80 || line.contains("Function0, Function1");
        assert!(text.lines().all(fits), "{text}");
        assert_eq!(text.lines().count(), 7, "{text}");
        assert_eq!(text.contains("Function3 and 996 more"), count == 1000, "{text}");
        assert!(text.contains("Not moved yet: none."), "{text}");
    }
}

/// Without a terminal, and for SIGTERM, which no person sends, nobody is asked: what has moved stays.
#[test]
fn nobody_else_is_asked() {
    for (signal, terminal) in [("-INT", false), ("-TERM", false), ("-TERM", true)] {
        let desk = Desk::new();
        let arguments = ["--sandbox", "--sandbox-speed=120", "up", "--db", INSTANCE, "--canary", "--yes"];
        let mut command = desk.command(&arguments);
        let (shown, code) = if terminal {
            let mut at = Terminal::start(&mut command);
            drop(command);
            at.until("watching InvoiceFunction");
            tell(&at.child, signal);
            at.until_it_ends()
        } else {
            let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
            let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
            let mut shown = String::new();
            for line in lines.by_ref().map(Result::unwrap) {
                let watched = line.contains("watching InvoiceFunction");
                shown += &format!("{line}\n");
                if watched {
                    break;
                }
            }
            tell(&child, signal);
            lines.for_each(|line| shown += &format!("{}\n", line.unwrap()));
            (shown, child.wait().unwrap().code())
        };
        assert_eq!(code, Some(130), "{signal}: {shown}");
        assert!(!shown.contains("What now?"), "{shown}");
        assert_eq!(at_proxy(&desk.store().world().unwrap()), ["InvoiceFunction"], "{shown}");
    }
}
