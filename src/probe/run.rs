//! The life of a probe: made, called, and removed whatever came of it.

use std::cell::Cell;
use std::time::Duration;

use super::answer::Proof;
use super::package::ENTRY;
use super::seat::{Attempt, PATIENCE, Seat, TIMEOUT};
use super::{is_ours, left_over, tell};
use crate::cloud::lambda::{NewFunction, State};
use crate::cloud::{Answer, Kind, Owner, Refusal, tags};
use crate::engine::{Limit, Pace, Run, Stop, all2, crowd};
use crate::steps::not_ours;

/// What to prove.
#[derive(Debug, Clone, Copy)]
pub struct Probing<'a> {
    /// Ownership.
    pub owner: &'a Owner,
    /// From where, and as whom.
    pub seats: &'a [Seat],
    /// The handler's zip.
    pub code: &'a [u8],
    /// For how long a failure may be one that passes: rights and rules that are seconds old do not count at once.
    pub settle: Option<Limit>,
}

/// Proves every login from every seat, and leaves nothing behind.
///
/// # Errors
/// When AWS refuses, patience ends, or the run is told to stop. A login that fails is no error but a [`Proof`].
pub async fn prove(run: &Run<'_>, wanted: &Probing<'_>) -> Result<Vec<Proof>, Stop> {
    sweep(run, wanted).await?;
    let work = wanted.seats.iter().map(|seat| Box::pin(at(run, wanted, seat))).collect();
    let mut all = Ok(Vec::new());
    for one in crowd(work).await {
        all = all2(all, one).map(|(mut proofs, more): (Vec<Proof>, Vec<Proof>)| {
            proofs.extend(more);
            proofs
        });
    }
    all
}

/// Removes what a run that was killed left behind in seats that nobody sits in any more.
async fn sweep(run: &Run<'_>, wanted: &Probing<'_>) -> Result<(), Stop> {
    let doing = "looking for what earlier probes left behind";
    let refused = |refusal| Stop::Refused { doing: doing.to_owned(), refusal };
    let listed = run.cloud.lambda.list().await.map_err(refused)?;
    for name in left_over(run.cloud, wanted.owner, &listed).await.map_err(refused)? {
        if !wanted.seats.iter().any(|seat| seat.name == name) {
            Visit::new(run, wanted.owner, &name, &name).remove().await?;
        }
    }
    Ok(())
}

/// Proves the logins of one seat.
async fn at(run: &Run<'_>, wanted: &Probing<'_>, seat: &Seat) -> Result<Vec<Proof>, Stop> {
    let who = seat.functions.join(", ");
    let visit = Visit::new(run, wanted.owner, &seat.name, &who);
    let proofs = visit.ask(wanted, seat).await;
    // Whatever came of it, and also after an interruption.
    let removed = if visit.there.get() == There::No { Ok(()) } else { visit.remove().await };
    match (proofs, removed) {
        (Err(stop), Err(_)) => {
            run.note(None, format!("{} is still there; the next verify --probe or teardown removes it.", seat.name));
            Err(stop)
        }
        (proofs, removed) => all2(proofs, removed).map(|(proofs, ())| proofs),
    }
}

/// One short-lived function, from its beginning to its end.
struct Visit<'a> {
    run: &'a Run<'a>,
    name: &'a str,
    seat: &'a str,
    owner: &'a Owner,
    since: Duration,
    limit: Limit,
    there: Cell<There>,
}

/// Whether there is a function of ours by now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    No,
    /// AWS did not say.
    Perhaps,
    Yes,
}

impl<'a> Visit<'a> {
    fn new(run: &'a Run<'a>, owner: &'a Owner, name: &'a str, seat: &'a str) -> Self {
        let (since, limit) = (run.clock.elapsed(), run.patience.probe);
        Self { run, name, seat, owner, since, limit, there: Cell::new(There::No) }
    }

    fn doing(&self, verb: &str) -> String {
        format!("{verb} the probe for {} ({})", self.seat, self.name)
    }

    fn waited(&self, verb: &str, state: &str) -> Result<Duration, Stop> {
        let elapsed = self.run.clock.elapsed().saturating_sub(self.since);
        if elapsed >= self.limit.span {
            let (doing, state) = (self.doing(verb), state.to_owned());
            return Err(Stop::Patience { doing, state, limit: self.limit });
        }
        tell(self.run, self.seat, state, Some((elapsed, self.limit.span)));
        Ok(elapsed)
    }

    async fn rest(&self, verb: &str, state: &str) -> Result<(), Stop> {
        let elapsed = self.waited(verb, state)?;
        self.run.sleep(Pace::Seconds.next(elapsed)).await
    }

    async fn ask(&self, wanted: &Probing<'_>, seat: &Seat) -> Result<Vec<Proof>, Stop> {
        self.make(wanted, seat).await?;
        let mut proofs = Vec::new();
        for attempt in &seat.attempts {
            let proof = self.settled(wanted, seat, attempt).await?;
            let endpoint = proof.endpoint();
            tell(self.run, self.seat, format!("to {endpoint} {}: {}", proof.who(), proof.line()), None);
            proofs.push(proof);
        }
        Ok(proofs)
    }

    /// Makes the function, or takes the one that a killed run left, and waits until it can be called.
    async fn make(&self, wanted: &Probing<'_>, seat: &Seat) -> Result<(), Stop> {
        let lambda = &self.run.cloud.lambda;
        loop {
            self.run.sleep(Duration::ZERO).await?;
            match lambda.get(self.name).await {
                // The tags of one that this run has just created need not be shown.
                Ok(Some(found)) if self.there.get() != There::Yes && !is_ours(wanted.owner, &found) => {
                    self.there.set(There::No);
                    let mut reasons = not_ours("a function", self.name);
                    reasons.extend(found.unread_tags.map(|why| format!("AWS does not show its tags: {why}")));
                    return Err(Stop::Conflict { doing: self.doing("making"), reasons });
                }
                Ok(Some(found)) => {
                    self.there.set(There::Yes);
                    match found.state {
                        State::Active => return Ok(()),
                        State::Passing(word) => self.rest("making", &word).await?,
                        State::Failed(why) => {
                            let state = format!("Failed ({why})");
                            return Err(Stop::Stuck { doing: self.doing("making"), state });
                        }
                    }
                }
                Ok(None) => self.create(wanted, seat).await?,
                Err(refusal) if refusal.passes() => self.rest("making", "no answer").await?,
                Err(refusal) => return Err(Stop::Refused { doing: self.doing("looking for"), refusal }),
            }
        }
    }

    async fn create(&self, wanted: &Probing<'_>, seat: &Seat) -> Result<(), Stop> {
        let mut own = wanted.owner.tags();
        own.insert(tags::PROBE.to_owned(), seat.functions.first().cloned().unwrap_or_default());
        let description = "Proves that its neighbours reach the database through RDS Proxy, and is removed at once.";
        let function = NewFunction {
            name: self.name,
            description,
            handler: ENTRY,
            code: wanted.code,
            role: &seat.role,
            subnets: &seat.subnets,
            security_groups: &seat.security_groups,
            ipv6: seat.ipv6,
            log_group: seat.log_group.as_deref(),
            timeout: TIMEOUT,
            tags: &own,
        };
        match self.run.cloud.lambda.create(&function).await {
            Ok(()) => {
                self.there.set(There::Yes);
                tell(self.run, self.seat, format!("made {}", self.name), None);
                Ok(())
            }
            // The look that follows tells whether it was made all the same.
            Err(refusal) if refusal.passes() => {
                self.there.set(There::Perhaps);
                self.rest("making", "no answer").await
            }
            Err(refusal) if waits(&refusal) => {
                let code = refusal.code.as_deref().unwrap_or("no code");
                self.rest("making", &format!("not accepted yet ({code})")).await
            }
            Err(refusal) => Err(Stop::Refused { doing: self.doing("making"), refusal }),
        }
    }

    /// Calls until it works, or until what fails is more than something that takes its time.
    async fn settled(&self, wanted: &Probing<'_>, seat: &Seat, attempt: &Attempt) -> Result<Proof, Stop> {
        let began = self.run.clock.elapsed();
        loop {
            let proof = self.call(wanted, seat, attempt).await?;
            let elapsed = self.run.clock.elapsed().saturating_sub(began);
            match wanted.settle.filter(|limit| !proof.ok && elapsed < limit.span) {
                None => return Ok(proof),
                Some(limit) => {
                    let stage = proof.failure().map(|(stage, _)| stage.stage.clone()).unwrap_or_default();
                    tell(self.run, self.seat, format!("{stage} fails so far"), Some((elapsed, limit.span)));
                    self.run.sleep(Pace::Dense.next(elapsed)).await?;
                }
            }
        }
    }

    async fn call(&self, wanted: &Probing<'_>, seat: &Seat, attempt: &Attempt) -> Result<Proof, Stop> {
        let event = attempt.event(&self.run.cloud.region);
        loop {
            let call = self.run.cloud.lambda.invoke(self.name, event.as_bytes(), PATIENCE);
            // Boxed: the SDK's futures are large. Nobody waits a minute for an answer that no one needs any more.
            match self.run.unless_stopped(Box::pin(call)).await? {
                Ok(invoked) => return Ok(Proof::of(attempt, &invoked)),
                // Another run at the same time was through with it, or swept it away.
                Err(refusal) if refusal.kind == Kind::NotFound => {
                    self.rest("calling", "gone").await?;
                    self.make(wanted, seat).await?;
                }
                Err(refusal) if refusal.passes() || waits(&refusal) => {
                    let code = refusal.code.as_deref().unwrap_or("no answer");
                    self.rest("calling", &format!("not ready ({code})")).await?;
                }
                Err(refusal) => return Err(Stop::Refused { doing: self.doing("calling"), refusal }),
            }
        }
    }

    /// Removes it, also after an interruption: nothing here asks whether to stop.
    async fn remove(&self) -> Result<(), Stop> {
        let began = self.run.clock.elapsed();
        loop {
            let outcome = match self.there.get() {
                There::Perhaps => self.look_and_delete().await,
                _ => self.run.cloud.lambda.delete(self.name).await,
            };
            match outcome {
                Ok(()) => {
                    tell(self.run, self.seat, format!("removed {}", self.name), None);
                    return Ok(());
                }
                Err(refusal) if refusal.kind == Kind::NotYet || refusal.passes() => {
                    let elapsed = self.run.clock.elapsed().saturating_sub(began);
                    if elapsed >= self.limit.span {
                        return Err(Stop::Refused { doing: self.doing("removing"), refusal });
                    }
                    tell(self.run, self.seat, "still being made, to be removed", Some((elapsed, self.limit.span)));
                    self.run.clock.sleep(Pace::Seconds.next(elapsed)).await;
                }
                Err(refusal) => return Err(Stop::Refused { doing: self.doing("removing"), refusal }),
            }
        }
    }
}

impl Visit<'_> {
    /// What AWS did not say was made may be someone else's.
    async fn look_and_delete(&self) -> Answer<()> {
        match self.run.cloud.lambda.get(self.name).await? {
            Some(found) if is_ours(self.owner, &found) => self.run.cloud.lambda.delete(self.name).await,
            _ => Ok(()),
        }
    }
}

/// Whether a refusal passes with time: a role that is new to Lambda, interfaces that are being made, a name that another
/// run just took.
fn waits(refusal: &Refusal) -> bool {
    let role = refusal.is(&["InvalidParameterValueException"]) && refusal.message.contains("cannot be assumed");
    refusal.kind == Kind::NotYet || role
}
