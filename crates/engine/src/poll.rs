//! The one wait: asking again and again, at a pace and within a limit, until the run is stopped.
//!
//! Whatever waits does it with this one, so that every wait shows itself, ends, and gives way to an interruption in the
//! same manner.

use std::time::Duration;

use crate::Procedure;
use crate::error::{StepError, refused};
use crate::event::Event;
use crate::limits::{Limit, PollInterval};
use crate::procedure::Meaning;
use crate::run::Run;

/// The shortest rest between two questions, however long the answer to the first took.
const SHORTEST: Duration = Duration::from_millis(100);

/// In which row a wait shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row<'a, Id> {
    /// In that of a step.
    Step(Id),
    /// In one beside those of the steps, by its subject.
    Aside(&'a str),
    /// In none.
    Hidden,
}

/// One wait.
#[derive(Debug)]
pub struct Poll<'a, P: Procedure> {
    /// Where it shows.
    pub row: Row<'a, P::Id>,
    /// *verb-ing thing (name)*, for its errors.
    pub doing: &'a str,
    /// When it began.
    pub since: Duration,
    /// When it ends.
    pub limit: Limit,
    /// How often it asks.
    pub pace: PollInterval,
}

impl<'a, P: Procedure> Poll<'a, P> {
    /// A wait that begins now.
    #[must_use]
    pub fn begin(run: &Run<'_, P>, row: Row<'a, P::Id>, doing: &'a str, limit: Limit, pace: PollInterval) -> Self {
        Self { row, doing, since: run.clock.elapsed(), limit, pace }
    }

    /// The time it has lasted, while that is within its limit.
    #[must_use]
    pub fn left(&self, run: &Run<'_, P>) -> Option<Duration> {
        let elapsed = run.clock.elapsed().saturating_sub(self.since);
        (elapsed < self.limit.span).then_some(elapsed)
    }

    /// Shows the state and rests until the next question.
    ///
    /// # Errors
    /// When the limit is reached, or the run is stopped.
    pub async fn rest(&self, run: &Run<'_, P>, state: &str) -> Result<(), StepError<P::Refusal>> {
        self.rest_after(run, state, run.clock.elapsed()).await
    }

    /// As [`Self::rest`], where the account was asked at `asked`: the pace is that of the questions, so the time that
    /// the last answer took is part of it.
    ///
    /// # Errors
    /// As [`Self::rest`].
    pub async fn rest_after(
        &self,
        run: &Run<'_, P>,
        state: &str,
        asked: Duration,
    ) -> Result<(), StepError<P::Refusal>> {
        if self.may_rest(run, state, asked).await? {
            return Ok(());
        }
        let (doing, state) = (self.doing.to_owned(), state.to_owned());
        if self.limit.waits() {
            Err(StepError::TimedOut { doing, state, limit: self.limit })
        } else {
            Err(StepError::Pending { doing, state })
        }
    }

    /// As [`Self::rest_after`], for a wait whose end is no error: whether there was time left to rest.
    ///
    /// # Errors
    /// When the run is stopped.
    pub async fn may_rest(
        &self,
        run: &Run<'_, P>,
        state: &str,
        asked: Duration,
    ) -> Result<bool, StepError<P::Refusal>> {
        let Some(elapsed) = self.left(run) else { return Ok(false) };
        self.show(run, state, elapsed);
        run.sleep(self.next(run, elapsed, asked)).await?;
        Ok(true)
    }

    /// As [`Self::may_rest`], for what must be done even where the run was stopped.
    pub async fn rest_regardless(&self, run: &Run<'_, P>, state: &str) -> bool {
        let Some(elapsed) = self.left(run) else { return false };
        self.show(run, state, elapsed);
        run.clock.sleep(self.next(run, elapsed, run.clock.elapsed())).await;
        true
    }

    fn next(&self, run: &Run<'_, P>, elapsed: Duration, asked: Duration) -> Duration {
        let answered_in = run.clock.elapsed().saturating_sub(asked);
        let next = self.pace.next(elapsed).saturating_sub(answered_in).max(SHORTEST);
        next.min(self.limit.span.saturating_sub(elapsed))
    }

    fn show(&self, run: &Run<'_, P>, state: &str, elapsed: Duration) {
        let (state, limit) = (state.to_owned(), self.limit.span);
        match self.row {
            Row::Step(step) => run.tell(&Event::Waiting { step, state, elapsed, limit }),
            Row::Aside(subject) => {
                run.tell(&Event::Aside { subject: subject.to_owned(), state, wait: Some((elapsed, limit)) });
            }
            Row::Hidden => {}
        }
    }

    /// Makes a change, again and again while something still refers to the thing or another change is under way.
    ///
    /// # Errors
    /// As [`Self::rest`], and when the account refuses for good.
    pub async fn insist(
        &self,
        run: &Run<'_, P>,
        call: impl AsyncFn() -> Result<(), P::Refusal>,
    ) -> Result<(), StepError<P::Refusal>> {
        self.insist_on(run, call, async || "in use".to_owned()).await
    }

    /// As [`Self::insist`], where `user` says by what the thing is in use.
    ///
    /// # Errors
    /// As [`Self::insist`].
    pub async fn insist_on(
        &self,
        run: &Run<'_, P>,
        call: impl AsyncFn() -> Result<(), P::Refusal>,
        user: impl AsyncFn() -> String,
    ) -> Result<(), StepError<P::Refusal>> {
        loop {
            run.sleep(Duration::ZERO).await?;
            match call().await {
                Err(refusal) if P::meaning(&refusal) == Meaning::InUse => {
                    let state = run.unless_stopped(user()).await?;
                    self.rest(run, &state).await?;
                }
                Err(refusal) if matches!(P::meaning(&refusal), Meaning::NotYet | Meaning::Busy) => {
                    self.rest(run, "busy").await?;
                }
                answer => return answer.map_err(refused(self.doing)),
            }
        }
    }

    /// Reads, again and again while the account fails in passing: that must not end a wait.
    ///
    /// # Errors
    /// As [`Self::insist`].
    pub async fn look<T>(
        &self,
        run: &Run<'_, P>,
        call: impl AsyncFn() -> Result<T, P::Refusal>,
    ) -> Result<T, StepError<P::Refusal>> {
        let passes = |refusal: &P::Refusal| P::meaning(refusal).passes().then_some("no answer");
        self.look_whatever(run, call, passes).await?.map_err(refused(self.doing))
    }

    /// As [`Self::look`], for what the account does not show while a change is under way.
    ///
    /// # Errors
    /// As [`Self::insist`].
    pub async fn look_once_settled<T>(
        &self,
        run: &Run<'_, P>,
        call: impl AsyncFn() -> Result<T, P::Refusal>,
    ) -> Result<T, StepError<P::Refusal>> {
        let passes = |refusal: &P::Refusal| {
            let meaning = P::meaning(refusal);
            (meaning.passes() || meaning == Meaning::NotYet).then_some("busy")
        };
        self.look_whatever(run, call, passes).await?.map_err(refused(self.doing))
    }

    /// As [`Self::look`], for a reading of several calls, which fails in its own way: `passes` says as what it shows
    /// while it is waited for. Anything else is the caller's.
    ///
    /// # Errors
    /// As [`Self::rest`].
    pub async fn look_whatever<T, E>(
        &self,
        run: &Run<'_, P>,
        read: impl AsyncFn() -> Result<T, E>,
        passes: impl Fn(&E) -> Option<&'static str>,
    ) -> Result<Result<T, E>, StepError<P::Refusal>> {
        loop {
            let read = run.unless_stopped(read()).await?;
            match read.as_ref().err().and_then(&passes) {
                Some(state) => self.rest(run, state).await?,
                None => return Ok(read),
            }
        }
    }
}
