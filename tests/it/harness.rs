//! A simulated account in memory whose calls can be counted, and which can "kill" a run at any call.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rdsproxy_setup::alarms::{self, Look};
use rdsproxy_setup::catalogue::StepId;
use rdsproxy_setup::catalogue::checks::Severity;
use rdsproxy_setup::clock::Clock;
use rdsproxy_setup::close_direct;
use rdsproxy_setup::cloud::{Cloud, Owner, Tags};
use rdsproxy_setup::discover::Problem;
use rdsproxy_setup::doctor;
use rdsproxy_setup::engine::event::{Event, Recorder};
use rdsproxy_setup::engine::{Run, StepError, StopSign, Timeouts};
use rdsproxy_setup::resources::alarms::{Plan, Settings};
use rdsproxy_setup::sequence::{self, Outcome};
use rdsproxy_setup::spec::{DatabaseRef, Spec, stack};
use rdsproxy_setup::survey::Survey;
use rdsproxy_setup::teardown;
use rdsproxy_setup::{export, handover};
use sandbox::{Account, Handled, InMemory, Profile, Reply, Request, World, mount};
use tokio::sync::Notify;

use proptest::prelude::Rng;
use proptest::test_runner::TestRng;

use crate::chance::generator;
use crate::written::{Held, Hosts, writes};

/// Never kill.
pub(crate) const NEVER: usize = usize::MAX;

/// The account behind the SDK, with a bullet for the n-th call.
pub(crate) struct Gate {
    pub(crate) account: Arc<InMemory>,
    calls: AtomicUsize,
    kill_at: AtomicUsize,
    after_effect: bool,
    killed: Notify,
    /// Makes answers take unequal time, so that several runs at once interleave in ever new ways.
    lag: Option<Mutex<TestRng>>,
    /// What happens to the account right before one of the calls.
    meanwhile: Mutex<Vec<(usize, Meanwhile)>>,
    /// Who looks at the account after each call.
    observer: Mutex<Option<Observer>>,
    /// Law 10, over every write of every run.
    writes: Mutex<Writes>,
}

/// What was written so far, and what of it was wrong.
#[derive(Default)]
struct Writes {
    hosts: Hosts,
    seen: usize,
    wrong: Vec<String>,
}

/// What someone else does while a run is under way.
type Meanwhile = Box<dyn FnOnce(&mut World) + Send>;

/// What looks at the account after each call of a run.
type Observer = Box<dyn FnMut(&Request, &World) + Send>;

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("calls", &self.calls).finish_non_exhaustive()
    }
}

impl Account for Gate {
    fn answer(&self, request: &Request) -> io::Result<Handled> {
        let number = self.calls.fetch_add(1, Ordering::SeqCst);
        let due: Vec<_> = self.meanwhile.lock().unwrap().extract_if(.., |(at, _)| *at == number).collect();
        for (_, happens) in due {
            self.account.with(happens);
        }
        if number < self.kill_at.load(Ordering::SeqCst) {
            let mut handled = self.pass(request)?;
            if let Some(lag) = &self.lag {
                handled.latency += Duration::from_millis(lag.lock().unwrap().next_u64() % 900);
            }
            return Ok(handled);
        }
        let silence = Handled { reply: Reply::Silence, latency: Duration::ZERO };
        // Calls that overlap the fatal one die with it, and without an effect.
        if number == self.kill_at.load(Ordering::SeqCst) {
            if self.after_effect {
                self.pass(request)?;
            }
            self.killed.notify_one();
        }
        Ok(silence)
    }
}

impl Gate {
    /// Lets a request through, and holds what it writes to law 10.
    fn pass(&self, request: &Request) -> io::Result<Handled> {
        let function = writes(&request.method, &request.target);
        let held = |name: &String| self.account.with(|world| Held::of(world, name));
        let before = function.as_ref().and_then(held);
        let handled = self.account.answer(request)?;
        if let Some(observer) = self.observer.lock().unwrap().as_mut() {
            self.account.with(|world| observer(request, world));
        }
        let mut writes = self.writes.lock().unwrap();
        self.account.with(|world| writes.hosts.learn(world));
        if let (Some(name), Some(before)) = (&function, before)
            && let Some(after) = held(name)
        {
            writes.seen += 1;
            let wrong = before.wrong(&after, &writes.hosts);
            writes.wrong.extend(wrong.into_iter().map(|wrong| format!("{name}: {wrong}")));
        }
        Ok(handled)
    }

    /// How many writes of variables and versions were looked at.
    pub(crate) fn looked_at(&self) -> usize {
        self.writes.lock().unwrap().seen
    }

    /// What was wrong with them.
    pub(crate) fn wrong(&self) -> Vec<String> {
        self.writes.lock().unwrap().wrong.clone()
    }
}

impl Drop for Bed {
    fn drop(&mut self) {
        let wrong = self.gate.wrong();
        // Whatever failed first is what is to be seen.
        assert!(wrong.is_empty() || std::thread::panicking(), "a run wrote what no run may write: {wrong:#?}");
    }
}

/// A bed for runs over one world.
pub(crate) struct Bed {
    pub(crate) gate: Arc<Gate>,
    pub(crate) cloud: Cloud,
    pub(crate) clock: Clock,
    notes: Mutex<Vec<String>>,
    begun: Mutex<BTreeSet<StepId>>,
}

/// What became of a run.
#[derive(Debug)]
pub(crate) enum Fate<T> {
    Done(T),
    Stopped(String),
    Killed,
}

impl<T> Fate<T> {
    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Fate<U> {
        match self {
            Self::Done(done) => Fate::Done(change(done)),
            Self::Stopped(why) => Fate::Stopped(why),
            Self::Killed => Fate::Killed,
        }
    }
}

impl Bed {
    /// The newcomer's world, with a run killed at the n-th call, before or after its effect.
    pub(crate) fn new(kill_at: usize, after_effect: bool) -> Self {
        Self::of(newcomer(), kill_at, after_effect)
    }

    /// The same over any world.
    pub(crate) fn of(world: World, kill_at: usize, after_effect: bool) -> Self {
        Self::over(Arc::new(InMemory::new(world)), kill_at, after_effect, None)
    }

    /// Another process over the same account, with answers that take unequal time.
    pub(crate) fn beside(&self, kill_at: usize, after_effect: bool, seed: u64) -> Self {
        Self::over(Arc::clone(&self.gate.account), kill_at, after_effect, Some(Mutex::new(generator(seed))))
    }

    fn over(account: Arc<InMemory>, kill_at: usize, after_effect: bool, lag: Option<Mutex<TestRng>>) -> Self {
        let gate = Arc::new(Gate {
            account,
            calls: AtomicUsize::new(0),
            kill_at: AtomicUsize::new(kill_at),
            after_effect,
            killed: Notify::new(),
            lag,
            meanwhile: Mutex::default(),
            observer: Mutex::default(),
            writes: Mutex::default(),
        });
        gate.account.with(|world| gate.writes.lock().unwrap().hosts.learn(world));
        let clock = Clock::real();
        let cloud =
            Cloud::mounted(mount(Arc::clone(&gate) as Arc<dyn Account>, 1.0), "eu-central-1", "AKIATEST", &clock);
        Self { gate, cloud, clock, notes: Mutex::default(), begun: Mutex::default() }
    }

    /// Lets every call through from now on.
    pub(crate) fn disarm(&self) {
        self.gate.kill_at.store(NEVER, Ordering::SeqCst);
    }

    /// Lets something happen to the account right before the n-th call of this process, after what else happens there.
    pub(crate) fn meanwhile(&self, at: usize, happens: impl FnOnce(&mut World) + Send + 'static) {
        self.gate.meanwhile.lock().unwrap().push((at, Box::new(happens)));
    }

    /// Looks at the account after each call of this process from now on.
    pub(crate) fn observe(&self, looks: impl FnMut(&Request, &World) + Send + 'static) {
        *self.gate.observer.lock().unwrap() = Some(Box::new(looks));
    }

    pub(crate) fn calls(&self) -> usize {
        self.gate.calls.load(Ordering::SeqCst)
    }

    /// The world as it stands, once everything that is on its way has settled.
    pub(crate) async fn dump(&self) -> serde_json::Value {
        tokio::time::sleep(Duration::from_hours(2)).await;
        self.gate.account.with(|world| world.dump())
    }

    /// The world as it is, to start other runs from.
    pub(crate) async fn settled(&self) -> World {
        tokio::time::sleep(Duration::from_hours(2)).await;
        self.gate.account.with(|world| world.clone())
    }

    /// The mutating calls since the n-th entry of the log.
    pub(crate) fn mutations(&self, since: usize) -> Vec<String> {
        self.gate.account.with(|world| {
            world.log.iter().skip(since).filter(|call| call.mutating).map(|call| call.action.clone()).collect()
        })
    }

    pub(crate) fn logged(&self) -> usize {
        self.gate.account.with(|world| world.log.len())
    }

    /// The operation of every call since the n-th entry of the log.
    pub(crate) fn actions(&self, since: usize) -> Vec<String> {
        self.gate.account.with(|world| world.log.iter().skip(since).map(|call| call.action.clone()).collect())
    }

    pub(crate) async fn mortal<T>(&self, work: impl Future<Output = Result<T, String>>) -> Fate<T> {
        tokio::select! {
            biased;
            () = self.gate.killed.notified() => Fate::Killed,
            result = work => match result {
                Ok(done) => Fate::Done(done),
                Err(why) => Fate::Stopped(why),
            },
        }
    }

    pub(crate) async fn survey(&self, spec: &Spec) -> Result<Survey, Problem> {
        Box::pin(Survey::read(&self.cloud, spec, Timeouts::default())).await
    }

    pub(crate) async fn up(&self, spec: &Spec) -> Fate<Outcome> {
        self.mortal(Box::pin(async {
            let survey = Box::pin(self.survey(spec)).await.map_err(|problem| problem.to_string())?;
            let found = Box::pin(doctor::before(&self.cloud, &survey)).await;
            if let Some(finding) = found.iter().find(|finding| finding.severity == Severity::Error) {
                return Err(finding.check.info().title.to_owned());
            }
            self.with_run(async |run| Box::pin(sequence::converge(run, &survey)).await).await
        }))
        .await
    }

    /// Holds a run to finding everything in place and changing nothing.
    pub(crate) async fn in_place(&self, spec: &Spec) {
        let survey = self.survey(spec).await.unwrap();
        let pending: Vec<_> = survey.entries().into_iter().filter(|entry| entry.verdict.changes()).collect();
        assert!(pending.is_empty(), "{pending:?}");
        let since = self.logged();
        assert!(matches!(self.up(spec).await, Fate::Done(_)));
        assert_eq!(self.mutations(since), [""; 0]);
    }

    /// Carries out what a survey found missing.
    pub(crate) async fn converge(&self, survey: &Survey) -> Fate<Outcome> {
        self.mortal(self.with_run(async |run| Box::pin(sequence::converge(run, survey)).await)).await
    }

    pub(crate) async fn down(&self, spec: &Spec) -> Fate<()> {
        self.mortal(async {
            let stack = Box::pin(teardown::survey(&self.cloud, &spec.stack, Some(&spec.database))).await;
            let stack = stack.map_err(|problem| problem.to_string())?;
            self.with_run(async |run| Box::pin(teardown::carry_out(run, &stack)).await).await
        })
        .await
    }

    pub(crate) async fn alarms(&self, spec: &Spec, settings: &Settings) -> Fate<Plan> {
        self.mortal(Box::pin(async {
            let owner = owner(spec);
            let look = Look::read(&self.cloud, &owner, &spec.database).await.map_err(|problem| problem.to_string())?;
            self.with_run(async |run| Box::pin(alarms::converge(run, &owner, look, settings)).await).await
        }))
        .await
    }

    pub(crate) async fn close(&self, spec: &Spec) -> Fate<close_direct::Plan> {
        self.mortal(Box::pin(async {
            let plan = Box::pin(close_direct::look(&self.cloud, spec, Timeouts::default())).await;
            let plan = plan.map_err(|problem| problem.to_string())?;
            // As the command does.
            if plan.closing().is_empty() {
                return Ok(plan);
            }
            self.with_run(async |run| Box::pin(close_direct::carry_out(run, spec, &plan)).await).await
        }))
        .await
    }

    pub(crate) async fn restore(&self, spec: &Spec) -> Fate<()> {
        self.mortal(async {
            let stack = Box::pin(teardown::survey(&self.cloud, &spec.stack, Some(&spec.database))).await;
            let stack = stack.map_err(|problem| problem.to_string())?;
            self.with_run(async |run| Box::pin(teardown::restore(run, &stack)).await).await
        })
        .await
    }

    /// Marks the stack as handed over, or takes it back.
    pub(crate) async fn mark(&self, spec: &Spec, handed_over: bool) -> Fate<()> {
        self.mortal(async {
            let stack = Box::pin(teardown::survey(&self.cloud, &spec.stack, Some(&spec.database))).await;
            let stack = stack.map_err(|problem| problem.to_string())?;
            let proxy = export::to_mark(&stack, handed_over).map_err(|problem| problem.to_string())?;
            self.with_run(async |run| handover::mark(run, &proxy.found, handed_over).await).await
        })
        .await
    }

    pub(crate) async fn with_run<T>(
        &self,
        work: impl AsyncFnOnce(&Run<'_>) -> Result<T, StepError>,
    ) -> Result<T, String> {
        let (listener, stop) = (Recorder::default(), StopSign::default());
        let run = Run {
            cloud: &self.cloud,
            clock: &self.clock,
            timeouts: Timeouts::default(),
            listener: &listener,
            stop: &stop,
        };
        let outcome = work(&run).await.map_err(|stop| stop.to_string());
        for event in listener.events() {
            match event {
                Event::Note { text, .. } => self.notes.lock().unwrap().push(text),
                Event::Began { step, .. } => drop(self.begun.lock().unwrap().insert(step)),
                _ => {}
            }
        }
        outcome
    }

    /// The steps that runs have begun so far.
    pub(crate) fn begun(&self) -> BTreeSet<StepId> {
        self.begun.lock().unwrap().clone()
    }

    /// What runs noted so far.
    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }
}

/// The newcomer's account on a quick day: fewer polls, and so fewer places to fail at that are all alike.
pub(crate) fn newcomer() -> World {
    let mut world = World::newcomer();
    world.profile = Profile::fast();
    world.profile.proxy_create = Duration::from_secs(20);
    world.profile.target_capacity = Duration::from_secs(10);
    world.profile.proxy_delete = Duration::from_secs(15);
    world
}

/// Who owns what a stack consists of.
pub(crate) fn owner(spec: &Spec) -> Owner {
    Owner { stack: spec.stack.clone(), database: spec.database.id.clone(), extra: Tags::new() }
}

/// The wishes of `up --db ID` without further flags.
pub(crate) fn wish(id: &str) -> Spec {
    let database = DatabaseRef::parse(id).unwrap();
    let stack = stack(None, &database).unwrap();
    Spec::of(database, stack)
}

/// Figures for whoever runs with `--nocapture`.
#[expect(clippy::print_stdout, reason = "a test has nowhere else to say what it measured")]
pub(crate) fn say(text: &str) {
    println!("{text}");
}
