//! One run: the clock, the timeouts, the listener, and the loop.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::sync::Notify;

use super::event::{Ending, Event, Listener};
use super::poll::{Poll, Row};
use super::step::{Diff, Milestone, Observed, RetryPolicy, Step, Wait};
use super::timeouts::{Limit, PollInterval, Timeouts};
use crate::catalogue::StepId;
use crate::clock::Clock;
use crate::cloud::{Cloud, Kind, Refusal, serving};

/// Why a step ended early.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StepError {
    /// AWS refused.
    #[error("{doing}: {refusal}")]
    Refused {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What it said.
        #[source]
        refusal: Refusal,
    },
    /// There is a conflict that is not ours to resolve.
    #[error("{doing}: {}", .reasons.join("; "))]
    Conflict {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What.
        reasons: Vec<String>,
    },
    /// A state that does not heal by itself.
    #[error("{doing}: it is {state} and does not leave that state by itself")]
    Stuck {
        /// *verb-ing thing (name)*.
        doing: String,
        /// AWS's word for the state.
        state: String,
    },
    /// It may still come, but not within the timeout.
    #[error("{doing}: still {state} after {} s", .limit.span.as_secs())]
    TimedOut {
        /// *verb-ing thing (name)*.
        doing: String,
        /// AWS's word for the state.
        state: String,
        /// The limit that was reached.
        limit: Limit,
    },
    /// It is under way, and the run was asked not to wait for it.
    #[error("{doing}: {state}, which this run does not wait for")]
    Pending {
        /// *verb-ing thing (name)*.
        doing: String,
        /// AWS's word for the state.
        state: String,
    },
    /// All is in place, but what it is there for does not work.
    #[error("{doing}: {}", .reasons.join("; "))]
    Unproven {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What does not work.
        reasons: Vec<String>,
        /// Cause and fix of each.
        hints: Vec<String>,
    },
    /// AWS takes every change, and the next look finds it undone.
    #[error("{doing}: something changes it back as fast as it is changed: {}", .fields.join(", "))]
    Undone {
        /// *verb-ing thing (name)*.
        doing: String,
        /// What does not stay.
        fields: Vec<String>,
    },
    /// The user asked to stop.
    #[error("interrupted")]
    Interrupted,
    /// Another step failed; this one was left where it was.
    #[error("left where it was, since another step failed")]
    Abandoned,
}

impl StepError {
    /// How much it says of why a run stopped: what is only not waited for is no failure, and one step is abandoned for
    /// another's.
    fn weight(&self) -> u8 {
        match self {
            Self::Pending { .. } => 0,
            Self::Abandoned => 1,
            _ => 2,
        }
    }
}

/// Both results, or the failure that matters: not one that only followed from it.
///
/// # Errors
/// When either failed.
pub fn all2<A, B>(a: Result<A, StepError>, b: Result<B, StepError>) -> Result<(A, B), StepError> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(first), Err(second)) if second.weight() > first.weight() => Err(second),
        (Err(stop), _) | (_, Err(stop)) => Err(stop),
    }
}

const GO: u8 = 0;
const INTERRUPTED: u8 = 1;
const FAILED: u8 = 2;

/// Stops every step of a run at its next rest.
#[derive(Debug, Default)]
pub struct StopSign {
    state: AtomicU8,
    notify: Notify,
}

impl StopSign {
    /// One that nobody has raised.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: AtomicU8::new(GO), notify: Notify::const_new() }
    }

    /// Returns once the user asks to stop.
    pub async fn interrupted(&self) {
        loop {
            let notified = self.notify.notified();
            if self.state.load(Ordering::SeqCst) == INTERRUPTED {
                return;
            }
            notified.await;
        }
    }

    /// The user asks to stop.
    pub fn interrupt(&self) {
        self.state.store(INTERRUPTED, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    /// A step failed.
    pub fn fail(&self) {
        // An interruption stays what it is: the words at the end depend on it.
        let _ = self.state.compare_exchange(GO, FAILED, Ordering::SeqCst, Ordering::SeqCst);
        self.notify.notify_waiters();
    }

    fn check(&self) -> Result<(), StepError> {
        match self.state.load(Ordering::SeqCst) {
            INTERRUPTED => Err(StepError::Interrupted),
            FAILED => Err(StepError::Abandoned),
            _ => Ok(()),
        }
    }
}

/// What all steps of a run share.
pub struct Run<'a> {
    /// The account.
    pub cloud: &'a Cloud,
    /// The time.
    pub clock: &'a Clock,
    /// The limits.
    pub timeouts: Timeouts,
    /// Who hears of it.
    pub listener: &'a dyn Listener,
    /// When to stop.
    pub stop: &'a StopSign,
}

/// How many changes of one step AWS may take before it is clear that someone undoes them. A step makes two or three;
/// runs at once make some more.
const CHANGES: usize = 20;
/// How many of them come without a rest.
const FEW: usize = 4;

/// A state that is being waited out.
struct Watch {
    state: String,
    since: Duration,
}

impl Run<'_> {
    /// Reports an event.
    pub fn tell(&self, event: &Event) {
        self.listener.event(event);
    }

    /// Reports something worth knowing.
    pub fn note(&self, step: Option<StepId>, text: impl Into<String>) {
        self.tell(&Event::Note { step, text: text.into() });
    }

    /// Brings a step to where it should be, starting from what was seen of it.
    ///
    /// # Errors
    /// When AWS refuses, there is a conflict, a wait times out or is left out, or the run is stopped.
    pub async fn converge<S: Step>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        until: Milestone,
    ) -> Result<Observed<S::State>, StepError> {
        self.take(step, seen, until, Ending::Unchanged).await
    }

    /// Goes on with a step that [`Milestone::Usable`] left half-way; `so_far` is what it did until then.
    ///
    /// # Errors
    /// As [`Self::converge`].
    pub async fn finish<S: Step>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        so_far: Ending,
    ) -> Result<Observed<S::State>, StepError> {
        self.take(step, seen, Milestone::Ready, so_far).await
    }

    /// Looks at a step first, and then brings it to where it should be; what was seen before serves where the look
    /// fails.
    ///
    /// The pace of the questions counts from this first one.
    ///
    /// # Errors
    /// As [`Self::converge`].
    pub async fn look_and_converge<S: Step>(
        &self,
        step: &S,
        before: Observed<S::State>,
    ) -> Result<Observed<S::State>, StepError> {
        let asked = self.clock.elapsed();
        let seen = Box::pin(serving(step.id().info().slug, step.observe(self.cloud))).await.unwrap_or(before);
        self.take_asked(step, seen, (Milestone::Ready, Ending::Unchanged), asked).await
    }

    async fn take<S: Step>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        until: Milestone,
        so_far: Ending,
    ) -> Result<Observed<S::State>, StepError> {
        self.take_asked(step, seen, (until, so_far), self.clock.elapsed()).await
    }

    async fn take_asked<S: Step>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        (until, so_far): (Milestone, Ending),
        asked: Duration,
    ) -> Result<Observed<S::State>, StepError> {
        let began = self.clock.elapsed();
        self.tell(&Event::Began { step: step.id(), detail: step.subject() });
        // Boxed: the SDK's futures are large, and a sequence joins many of them.
        let mut ending = so_far;
        let work = Box::pin(self.drive(step, seen, (until, &mut ending), asked));
        let outcome = Box::pin(serving(step.id().info().slug, work)).await;
        let elapsed = self.clock.elapsed().saturating_sub(began);
        match &outcome {
            Ok((seen, true)) => {
                let detail = match step.compare(seen) {
                    Diff::NotNeeded(why) => why,
                    _ => step.result(seen),
                };
                self.tell(&Event::Ended { step: step.id(), ending, detail, elapsed });
            }
            // It continues later: the row stays open.
            Ok((_, false)) | Err(StepError::Abandoned | StepError::Interrupted) => {}
            // No reason for the others to stop.
            Err(StepError::Pending { state, .. }) => {
                if matches!(ending, Ending::Created | Ending::Updated) {
                    self.tell(&Event::Ended { step: step.id(), ending, detail: step.subject(), elapsed });
                }
                let (ending, detail) = (Ending::Pending, state.clone());
                self.tell(&Event::Ended { step: step.id(), ending, detail, elapsed });
            }
            Err(stop) => {
                self.stop.fail();
                let (ending, detail) = (Ending::Failed, stop.to_string());
                self.tell(&Event::Ended { step: step.id(), ending, detail, elapsed });
            }
        }
        outcome.map(|(seen, _)| seen)
    }

    async fn drive<S: Step>(
        &self,
        step: &S,
        mut seen: Observed<S::State>,
        (until, ending): (Milestone, &mut Ending),
        mut asked: Duration,
    ) -> Result<(Observed<S::State>, bool), StepError> {
        let (limit, pace) = step.wait();
        let so_far = *ending;
        let mut waiting = None;
        let mut refused_since = None;
        let mut accepted = 0;
        let mut watch = Watch { state: String::new(), since: Duration::ZERO };
        loop {
            let change = step.compare(&seen);
            match &change {
                Diff::None => return Ok((seen, true)),
                Diff::NotNeeded(_) => {
                    *ending = Ending::NotNeeded;
                    return Ok((seen, true));
                }
                Diff::Await(wait) if until == Milestone::Usable && wait.usable => return Ok((seen, false)),
                Diff::Conflict(reasons) => {
                    return Err(StepError::Conflict { doing: step.doing(&change), reasons: reasons.clone() });
                }
                Diff::Await(wait) => {
                    if *ending == Ending::Unchanged {
                        *ending = Ending::Ready;
                    }
                    let since = *waiting.get_or_insert_with(|| self.clock.elapsed());
                    self.judge(step, &change, wait, &mut watch)?;
                    let poll = Poll { row: Row::Step(step.id()), doing: &step.doing(&change), since, limit, pace };
                    poll.rest_after(self, &wait.state, asked).await?;
                    asked = self.clock.elapsed();
                    seen = self.look(step, &change, seen).await?;
                }
                Diff::Create | Diff::Update(_) => {
                    self.stop.check()?;
                    if accepted >= CHANGES {
                        let fields = if let Diff::Update(fields) = &change { fields.clone() } else { Vec::new() };
                        return Err(StepError::Undone { doing: step.doing(&change), fields });
                    }
                    if accepted > FEW {
                        // Two runs at once change the same for a while; neither must hurry.
                        self.sleep(PollInterval::Seconds.next(Duration::ZERO)).await?;
                    }
                    *ending = if change == Diff::Create { Ending::Created } else { Ending::Updated };
                    asked = self.clock.elapsed();
                    // A refusal must not lose what was seen.
                    match step.apply(self.cloud, &change, seen.clone()).await {
                        Ok(after) => {
                            seen = after;
                            accepted += 1;
                            refused_since = None;
                        }
                        Err(refusal) => {
                            let Some(again) = step.again(&refusal).or_else(|| self.passing(&refusal)) else {
                                return Err(StepError::Refused { doing: step.doing(&change), refusal });
                            };
                            let since = *refused_since.get_or_insert_with(|| self.clock.elapsed());
                            let tried = self.clock.elapsed().saturating_sub(since);
                            if again.limit.waits() && tried >= again.limit.span {
                                return Err(StepError::Refused { doing: step.doing(&change), refusal });
                            }
                            if accepted == 0 && !again.limit.waits() {
                                *ending = so_far;
                            }
                            let code = refusal.code.as_deref().unwrap_or("no code");
                            let state = format!("not accepted yet ({code})");
                            let (row, doing) = (Row::Step(step.id()), step.doing(&change));
                            let poll = Poll { row, doing: &doing, since, limit: again.limit, pace: again.pace };
                            poll.rest_after(self, &state, asked).await?;
                            if again.look {
                                seen = self.look(step, &change, seen).await?;
                            }
                        }
                    }
                }
            }
        }
    }

    /// The retry of what AWS was too busy for, after all that the SDK tried.
    ///
    /// Looking first shows whether a change that failed on AWS's side took effect.
    fn passing(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        let limit = self.timeouts.propagation;
        matches!(refusal.kind, Kind::Throttled | Kind::Service).then_some(RetryPolicy {
            limit,
            pace: PollInterval::Dense,
            look: true,
        })
    }

    /// Looks again during a wait: a read that fails in passing must not end it.
    async fn look<S: Step>(
        &self,
        step: &S,
        change: &Diff,
        seen: Observed<S::State>,
    ) -> Result<Observed<S::State>, StepError> {
        // A read changes nothing, so nobody has to wait for its end.
        match self.unless_stopped(step.look_again(self.cloud, &seen)).await? {
            Ok(now) => Ok(now),
            Err(refusal) if refusal.passes() => Ok(seen),
            Err(refusal) => Err(StepError::Refused { doing: step.doing(change), refusal }),
        }
    }

    /// Gives up on a state that does not heal.
    fn judge<S: Step>(&self, step: &S, change: &Diff, wait: &Wait, watch: &mut Watch) -> Result<(), StepError> {
        let now = self.clock.elapsed();
        if watch.state != wait.state {
            *watch = Watch { state: wait.state.clone(), since: now };
        }
        match wait.grace {
            Some(grace) if now.saturating_sub(watch.since) >= grace => {
                Err(StepError::Stuck { doing: step.doing(change), state: wait.state.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Does something whose result nobody needs once the run is stopped.
    ///
    /// # Errors
    /// When it is.
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, StepError> {
        let notified = self.stop.notify.notified();
        self.stop.check()?;
        tokio::select! {
            done = work => Ok(done),
            () = notified => Err(self.stop.check().err().unwrap_or(StepError::Interrupted)),
        }
    }

    /// Sleeps, unless the run is stopped.
    ///
    /// # Errors
    /// When it is.
    pub async fn sleep(&self, span: Duration) -> Result<(), StepError> {
        self.unless_stopped(self.clock.sleep(span)).await?;
        self.stop.check()
    }
}
