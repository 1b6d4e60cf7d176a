//! One run: the clock, the limits, the listener, and the loop.

use std::time::Duration;

use clock::Clock;

use crate::Procedure;
use crate::error::StepError;
use crate::event::{Ending, Event, Listener};
use crate::limits::PollInterval;
use crate::poll::{Poll, Row};
use crate::procedure::Meaning;
use crate::step::{Diff, Milestone, Observed, RetryPolicy, Step, Wait};
use crate::stop::{StopSign, Stopped};

/// What all steps of a run share.
pub struct Run<'a, P: Procedure> {
    /// The account.
    pub cloud: &'a P::Cloud,
    /// The time.
    pub clock: &'a Clock,
    /// The limits.
    pub timeouts: P::Timeouts,
    /// Who hears of it.
    pub listener: &'a dyn Listener<Event<P::Id, P::News>>,
    /// When to stop.
    pub stop: &'a StopSign,
}

/// How many changes of one step may be accepted before it is clear that someone undoes them. A step makes two or three;
/// runs at once make some more.
const CHANGES: usize = 20;
/// How many of them come without a rest.
const FEW: usize = 4;

/// A state that is being waited out.
struct Watch {
    state: String,
    since: Duration,
}

impl<P: Procedure> Run<'_, P> {
    /// Reports an event.
    pub fn tell(&self, event: &Event<P::Id, P::News>) {
        self.listener.event(event);
    }

    /// Reports something worth knowing.
    pub fn note(&self, step: Option<P::Id>, text: impl Into<String>) {
        self.tell(&Event::Note { step, text: text.into() });
    }

    /// Brings a step to where it should be, starting from what was seen of it.
    ///
    /// # Errors
    /// When the account refuses, there is a conflict, a wait times out or is left out, or the run is stopped.
    pub async fn converge<S: Step<P>>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        until: Milestone,
    ) -> Result<Observed<S::State>, StepError<P::Refusal>> {
        self.take(step, seen, until, Ending::Unchanged).await
    }

    /// Goes on with a step that [`Milestone::Usable`] left half-way; `so_far` is what it did until then.
    ///
    /// # Errors
    /// As [`Self::converge`].
    pub async fn finish<S: Step<P>>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        so_far: Ending,
    ) -> Result<Observed<S::State>, StepError<P::Refusal>> {
        self.take(step, seen, Milestone::Ready, so_far).await
    }

    /// Looks at a step first, and then brings it to where it should be; what was seen before serves where the look
    /// fails.
    ///
    /// The pace of the questions counts from this first one.
    ///
    /// # Errors
    /// As [`Self::converge`].
    pub async fn look_and_converge<S: Step<P>>(
        &self,
        step: &S,
        before: Observed<S::State>,
    ) -> Result<Observed<S::State>, StepError<P::Refusal>> {
        let asked = self.clock.elapsed();
        let seen = Box::pin(P::serving(step.id(), step.observe(self.cloud))).await.unwrap_or(before);
        self.take_asked(step, seen, (Milestone::Ready, Ending::Unchanged), asked).await
    }

    async fn take<S: Step<P>>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        until: Milestone,
        so_far: Ending,
    ) -> Result<Observed<S::State>, StepError<P::Refusal>> {
        self.take_asked(step, seen, (until, so_far), self.clock.elapsed()).await
    }

    async fn take_asked<S: Step<P>>(
        &self,
        step: &S,
        seen: Observed<S::State>,
        (until, so_far): (Milestone, Ending),
        asked: Duration,
    ) -> Result<Observed<S::State>, StepError<P::Refusal>> {
        let began = self.clock.elapsed();
        self.tell(&Event::Began { step: step.id(), detail: step.subject() });
        // Boxed: the futures of calls are large, and a sequence joins many of them.
        let mut ending = so_far;
        let work = Box::pin(self.drive(step, seen, (until, &mut ending), asked));
        let outcome = Box::pin(P::serving(step.id(), work)).await;
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

    async fn drive<S: Step<P>>(
        &self,
        step: &S,
        mut seen: Observed<S::State>,
        (until, ending): (Milestone, &mut Ending),
        mut asked: Duration,
    ) -> Result<(Observed<S::State>, bool), StepError<P::Refusal>> {
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
                            let code = P::code(&refusal).unwrap_or("no code");
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

    /// The retry of what the account was too busy for.
    ///
    /// Looking first shows whether a change that failed on its side took effect.
    fn passing(&self, refusal: &P::Refusal) -> Option<RetryPolicy> {
        (P::meaning(refusal) == Meaning::Busy).then(|| RetryPolicy {
            limit: P::busy(&self.timeouts),
            pace: PollInterval::Dense,
            look: true,
        })
    }

    /// Looks again during a wait: a read that fails in passing must not end it.
    async fn look<S: Step<P>>(
        &self,
        step: &S,
        change: &Diff,
        seen: Observed<S::State>,
    ) -> Result<Observed<S::State>, StepError<P::Refusal>> {
        // A read changes nothing, so nobody has to wait for its end.
        match self.unless_stopped(step.look_again(self.cloud, &seen)).await? {
            Ok(now) => Ok(now),
            Err(refusal) if P::meaning(&refusal).passes() => Ok(seen),
            Err(refusal) => Err(StepError::Refused { doing: step.doing(change), refusal }),
        }
    }

    /// Gives up on a state that does not heal.
    fn judge<S: Step<P>>(
        &self,
        step: &S,
        change: &Diff,
        wait: &Wait,
        watch: &mut Watch,
    ) -> Result<(), StepError<P::Refusal>> {
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
    pub async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, StepError<P::Refusal>> {
        let notified = self.stop.notified();
        self.stop.check()?;
        tokio::select! {
            done = work => Ok(done),
            () = notified => Err(self.stop.check().err().unwrap_or(Stopped::Interrupted).into()),
        }
    }

    /// Sleeps, unless the run is stopped.
    ///
    /// # Errors
    /// When it is.
    pub async fn sleep(&self, span: Duration) -> Result<(), StepError<P::Refusal>> {
        self.unless_stopped(self.clock.sleep(span)).await?;
        Ok(self.stop.check()?)
    }
}
