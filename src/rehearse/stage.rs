//! The copy as a run meets it: on still time, with every call counted, and a kill where one is due.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use copy::REHEARSER;
use sandbox::{Account, Handled, Moment, Profile, Reply, Request, Wait, World, mount_on};
use serde_json::Value;
use tokio::sync::Notify;

use super::capture::{Asked, Question};
use super::{Change, Subject};
use crate::clock::Clock;
use crate::cloud::Cloud;

/// After this, everything that was on its way has arrived.
const SETTLED: Duration = Duration::from_hours(2);

/// A copy on which runs are carried out.
#[derive(Debug)]
pub(super) struct Stage {
    gate: Arc<Gate>,
    pub(super) cloud: Cloud,
    pub(super) clock: Clock,
}

/// The account, and what happened to it.
struct Gate {
    world: Mutex<World>,
    clock: Clock,
    start: Moment,
    seen: Mutex<Seen>,
    /// At which change the run is killed, counted from the call of [`Stage::kill_at`], and whether AWS carries it out.
    kill: Mutex<Option<(usize, bool)>>,
    calls: AtomicUsize,
    killed: Notify,
}

#[derive(Default)]
struct Seen {
    changes: Vec<Change>,
    questions: Vec<Question>,
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("calls", &self.calls).finish_non_exhaustive()
    }
}

fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    fn now(&self) -> Moment {
        self.start + self.clock.elapsed()
    }
}

impl Account for Gate {
    fn answer(&self, request: &Request) -> io::Result<Handled> {
        let silence = || Handled { reply: Reply::Silence, latency: Duration::ZERO };
        let mut world = held(&self.world);
        let asked = sandbox::Asked::of(request);
        let mutating = asked.as_ref().is_some_and(|asked| asked.mutating);
        let mut kill = held(&self.kill);
        let fatal = match kill.as_mut() {
            // What overlaps the fatal call dies with it.
            Some((0, _)) => return Ok(silence()),
            Some((left, after_effect)) if mutating => {
                *left -= 1;
                (*left == 0).then_some(*after_effect)
            }
            _ => None,
        };
        drop(kill);
        if fatal == Some(false) {
            self.killed.notify_one();
            return Ok(silence());
        }
        self.calls.fetch_add(1, Ordering::SeqCst);
        let change = asked.as_ref().filter(|asked| asked.mutating).map(|asked| Change::of(asked, &world));
        let handled = world.handle(self.now(), request);
        drop(world);
        let took_effect = matches!(&handled.reply, Reply::Answer(answer) if answer.status < 300);
        let mut seen = held(&self.seen);
        if let Some(change) = change.filter(|_| took_effect) {
            seen.changes.push(change);
        } else if let Some(asked) = asked.filter(|asked| !asked.mutating) {
            seen.questions.push(Question::of(&asked));
        }
        if fatal.is_some() {
            self.killed.notify_one();
            return Ok(silence());
        }
        Ok(handled)
    }
}

/// The time that answers take.
#[derive(Debug)]
struct OnClock(Clock);

impl Wait for OnClock {
    fn wait(&self, latency: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        self.0.sleeping(latency)
    }
}

impl Stage {
    /// The copy on such a day.
    pub(super) fn new(subject: &Subject<'_>, profile: Profile) -> Self {
        let world = World { profile, log_length: 1, ..subject.world.clone() };
        let (clock, region) = (Clock::still(), world.region.clone());
        let gate = Arc::new(Gate {
            start: world.now,
            world: Mutex::new(world),
            clock: clock.clone(),
            seen: Mutex::default(),
            kill: Mutex::default(),
            calls: AtomicUsize::default(),
            killed: Notify::new(),
        });
        let http = mount_on(Arc::clone(&gate) as Arc<dyn Account>, Arc::new(OnClock(clock.clone())));
        Self { cloud: Cloud::mounted(http, &region, REHEARSER, &clock), gate, clock }
    }

    /// Kills the run at its `number`th change from now on, counted from 1.
    pub(super) fn kill_at(&self, number: usize, after_effect: bool) {
        *held(&self.gate.kill) = Some((number, after_effect));
    }

    /// Lets every call through again.
    pub(super) fn disarm(&self) {
        *held(&self.gate.kill) = None;
    }

    /// Work on this stage's time; none if it was killed.
    pub(super) async fn play<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.clock
            .drive(async {
                tokio::select! {
                    biased;
                    () = self.gate.killed.notified() => None,
                    done = work => Some(done),
                }
            })
            .await
    }

    /// How many calls there were so far.
    pub(super) fn calls(&self) -> usize {
        self.gate.calls.load(Ordering::SeqCst)
    }

    /// What was changed since the last time this was asked.
    pub(super) fn changes(&self) -> Vec<Change> {
        std::mem::take(&mut held(&self.gate.seen).changes)
    }

    /// The account once everything that was on its way has arrived.
    pub(super) async fn settled(&self) -> Value {
        self.clock.drive(self.clock.sleep(SETTLED)).await;
        let mut world = held(&self.gate.world);
        world.tick(self.gate.now());
        world.dump()
    }

    /// The reads that nobody has made of the real account, and that the copy answers with something, as it was at the
    /// start.
    pub(super) fn unasked(&self, asked: &Asked) -> Vec<(String, usize)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut once: Vec<&Question> = Vec::new();
        let seen = held(&self.gate.seen);
        for question in &seen.questions {
            if !asked.contains(question) && !once.contains(&question) && asked.concerns(question) {
                once.push(question);
                *counts.entry(question.operation()).or_default() += 1;
            }
        }
        counts.into_iter().collect()
    }
}
