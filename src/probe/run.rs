//! The life of a probe: created, called, and always deleted.

use std::cell::RefCell;
use std::time::Duration;

use super::answer::Proof;
use super::package::ENTRY;
use super::seat::{Attempt, PATIENCE, Seat, TIMEOUT};
use super::{left_over, tell};
use crate::cloud::lambda::{NewFunction, State};
use crate::cloud::{Kind, Owner, Refusal, Tags, tags};
use crate::engine::refused;
use crate::engine::{Limit, Poll, PollInterval, Row, Run, StepError, all2, crowd};
use crate::names::probe_of;

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

/// Proves every login with every role and network, and leaves nothing behind.
///
/// # Errors
/// When AWS refuses, a wait times out, or the run is stopped. A login that fails is no error but a [`Proof`].
pub async fn prove(run: &Run<'_>, wanted: &Probing<'_>) -> Result<Vec<Proof>, StepError> {
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

/// Deletes what runs that were killed left behind. It is never called: anyone who may change functions may have changed
/// it.
///
/// What another run uses at this moment goes too; that run creates its own again.
async fn sweep(run: &Run<'_>, wanted: &Probing<'_>) -> Result<(), StepError> {
    let doing = "looking for what earlier probes left behind";
    let refused = |refusal| StepError::Refused { doing: doing.to_owned(), refusal };
    let listed = run.cloud.lambda.list().await.map_err(refused)?;
    for name in left_over(run.cloud, wanted.owner, &listed).await.map_err(refused)? {
        Visit::new(run, wanted, &name, &name).remove(&name).await?;
    }
    Ok(())
}

/// Proves the logins of one role and network.
async fn at(run: &Run<'_>, wanted: &Probing<'_>, seat: &Seat) -> Result<Vec<Proof>, StepError> {
    let who = seat.functions.join(", ");
    let visit = Visit::new(run, wanted, &who, &seat.name);
    let proofs = visit.ask(seat).await;
    // Whatever came of it, and also after an interruption.
    let names = visit.created.take();
    for name in names {
        if let Err(stop) = visit.remove(&name).await {
            return match proofs {
                Err(first) => {
                    run.note(None, format!("{name} is still there; the next verify --probe or teardown removes it."));
                    Err(first)
                }
                Ok(_) => Err(stop),
            };
        }
    }
    proofs
}

/// The temporary functions for one role and network, from their beginning to their end: one, unless something deletes
/// it early.
struct Visit<'a> {
    run: &'a Run<'a>,
    wanted: &'a Probing<'a>,
    seat: &'a str,
    since: Duration,
    limit: Limit,
    /// The one in use.
    current: RefCell<Current>,
    /// The names of those that exist, or of which AWS did not say: to be deleted.
    created: RefCell<Vec<String>>,
}

/// The function in use.
#[derive(Debug, Clone, Default)]
struct Current {
    /// Its name; empty until one is chosen.
    name: String,
    /// The version that AWS said it published.
    version: Option<String>,
    /// Whether it was asked for.
    asked: bool,
}

/// The version that a function begins with: what is called where AWS did not say which it published.
const FIRST: &str = "1";

impl<'a> Visit<'a> {
    fn new(run: &'a Run<'a>, wanted: &'a Probing<'a>, seat: &'a str, name: &str) -> Self {
        let (since, limit) = (run.clock.elapsed(), run.timeouts.probe);
        let current = RefCell::new(Current { name: name.to_owned(), ..Current::default() });
        Self { run, wanted, seat, since, limit, current, created: RefCell::default() }
    }

    fn doing(&self, verb: &str) -> String {
        format!("{verb} the probe for {} ({})", self.seat, self.current.borrow().name)
    }

    fn poll<'p>(&'p self, doing: &'p str) -> Poll<'p> {
        Poll { row: Row::Aside(self.seat), doing, since: self.since, limit: self.limit, pace: PollInterval::Seconds }
    }

    async fn rest(&self, verb: &str, state: &str) -> Result<(), StepError> {
        self.poll(&self.doing(verb)).rest(self.run, state).await
    }

    async fn ask(&self, seat: &Seat) -> Result<Vec<Proof>, StepError> {
        self.rename(seat)?;
        let mut proofs = Vec::new();
        for attempt in &seat.attempts {
            let proof = self.settled(seat, attempt).await?;
            let endpoint = proof.endpoint();
            tell(self.run, self.seat, format!("to {endpoint} {}: {}", proof.who(), proof.line()), None);
            proofs.push(proof);
        }
        Ok(proofs)
    }

    /// Chooses a name that nobody can have foreseen.
    fn rename(&self, seat: &Seat) -> Result<(), StepError> {
        let random = getrandom::u64().map_err(|error| StepError::Conflict {
            doing: self.doing("naming"),
            reasons: vec![format!("the operating system gives no random number: {error}")],
        })?;
        *self.current.borrow_mut() = Current { name: probe_of(&seat.stack, random), ..Current::default() };
        Ok(())
    }

    /// Creates the function where there is none, and waits until the version that the same call published can be called
    /// and is, by what Lambda shows of it, what was sent. Answers name and version.
    async fn ready(&self, seat: &Seat) -> Result<(String, String), StepError> {
        let tags = self.tags(seat);
        loop {
            self.run.sleep(Duration::ZERO).await?;
            let Current { name, version, asked } = self.current.borrow().clone();
            let function = self.function(seat, &name, &tags);
            if !asked {
                self.create(seat, &function).await?;
                continue;
            }
            let number = version.as_deref().unwrap_or(FIRST);
            match self.run.cloud.lambda.published(&function, number).await {
                Ok(Some(found)) if !found.differs.is_empty() => {
                    return Err(self.strange(version.is_some(), &found.differs));
                }
                Ok(Some(found)) => match found.state {
                    State::Active => return Ok((name, found.number)),
                    State::Passing(word) => self.rest("making", &word).await?,
                    State::Failed(why) => {
                        let state = format!("Failed ({why})");
                        return Err(StepError::Stuck { doing: self.doing("making"), state });
                    }
                },
                // Not to be seen yet, or deleted by another run at the same time.
                Ok(None) => self.create(seat, &function).await?,
                Err(refusal) if refusal.passes() => self.rest("making", "no answer").await?,
                Err(refusal) => return Err(StepError::Refused { doing: self.doing("looking for"), refusal }),
            }
        }
    }

    /// Versions never change, so what is not as it was sent was created by somebody else; unless AWS said that it is
    /// `ours`, it stays.
    fn strange(&self, ours: bool, differs: &[&str]) -> StepError {
        let name = self.current.borrow().name.clone();
        if !ours {
            self.created.borrow_mut().retain(|created| *created != name);
        }
        let reasons = vec![format!("{name} is not the function that this run created: other {}", differs.join(", "))];
        StepError::Conflict { doing: self.doing("calling"), reasons }
    }

    fn tags(&self, seat: &Seat) -> Tags {
        let mut own = self.wanted.owner.tags();
        own.insert(tags::PROBE.to_owned(), seat.functions.first().cloned().unwrap_or_default());
        own
    }

    fn function<'f>(&'f self, seat: &'f Seat, name: &'f str, tags: &'f Tags) -> NewFunction<'f> {
        NewFunction {
            name,
            description: "Checks that functions can reach the database through RDS Proxy; deleted at once.",
            handler: ENTRY,
            code: self.wanted.code,
            role: &seat.role,
            subnets: &seat.subnets,
            security_groups: &seat.security_groups,
            ipv6: seat.ipv6,
            log_group: seat.log_group.as_deref(),
            timeout: TIMEOUT,
            tags,
        }
    }

    async fn create(&self, seat: &Seat, function: &NewFunction<'_>) -> Result<(), StepError> {
        let outcome = self.run.cloud.lambda.create(function).await;
        let again = std::mem::replace(&mut self.current.borrow_mut().asked, true);
        let taken = |refusal: &Refusal| refusal.is(&["ResourceConflictException"]);
        let exists = outcome.as_ref().map_or_else(|refusal| refusal.passes() || taken(refusal), |_| true);
        if exists && !self.created.borrow().iter().any(|name| name == function.name) {
            self.created.borrow_mut().push(function.name.to_owned());
        }
        match outcome {
            Ok(made) => {
                self.current.borrow_mut().version = Some(made.number);
                tell(self.run, self.seat, format!("made {}", function.name), None);
                Ok(())
            }
            // The look that follows shows whether it was created all the same.
            Err(refusal) if refusal.passes() => {
                if again {
                    // Of a name that was in use before, nobody knows the version.
                    self.rename(seat)?;
                }
                self.rest("making", "no answer").await
            }
            Err(refusal) if waits(&refusal) => {
                let code = refusal.code.as_deref().unwrap_or("no code");
                self.rest("making", &format!("not accepted yet ({code})")).await
            }
            Err(refusal) => Err(StepError::Refused { doing: self.doing("making"), refusal }),
        }
    }

    /// Calls until it works, or until what fails is more than something that takes its time.
    async fn settled(&self, seat: &Seat, attempt: &Attempt) -> Result<Proof, StepError> {
        let (run, row) = (self.run, Row::Aside(self.seat));
        let poll = self.wanted.settle.map(|limit| Poll::begin(run, row, "", limit, PollInterval::Dense));
        loop {
            let proof = self.call(seat, attempt).await?;
            let Some(poll) = poll.as_ref().filter(|_| !proof.ok) else { return Ok(proof) };
            let stage = proof.failure().map(|(stage, _)| stage.stage.clone()).unwrap_or_default();
            if !poll.may_rest(run, &format!("{stage} fails so far"), run.clock.elapsed()).await? {
                return Ok(proof);
            }
        }
    }

    async fn call(&self, seat: &Seat, attempt: &Attempt) -> Result<Proof, StepError> {
        let event = attempt.event(&self.run.cloud.region);
        loop {
            let (name, version) = self.ready(seat).await?;
            let call = self.run.cloud.lambda.invoke(&name, &version, event.as_bytes(), PATIENCE);
            // Boxed: the SDK's futures are large. Nobody waits a minute for an answer that no one needs any more.
            match self.run.unless_stopped(Box::pin(call)).await? {
                Ok(invoked) if invoked.version != version => {
                    return Err(self.strange(true, &["version answered the call"]));
                }
                Ok(invoked) => return Ok(Proof::of(attempt, &invoked)),
                // Another run at the same time swept it away.
                Err(refusal) if refusal.kind == Kind::NotFound => self.rest("calling", "gone").await?,
                Err(refusal) if refusal.passes() || waits(&refusal) => {
                    let code = refusal.code.as_deref().unwrap_or("no answer");
                    self.rest("calling", &format!("not ready ({code})")).await?;
                }
                Err(refusal) => return Err(StepError::Refused { doing: self.doing("calling"), refusal }),
            }
        }
    }

    /// Deletes one, also after an interruption: nothing here asks whether to stop.
    async fn remove(&self, name: &str) -> Result<(), StepError> {
        let doing = format!("removing the probe for {} ({name})", self.seat);
        let poll = Poll { since: self.run.clock.elapsed(), ..self.poll(&doing) };
        loop {
            match self.run.cloud.lambda.delete(name).await {
                Ok(()) => {
                    tell(self.run, self.seat, format!("removed {name}"), None);
                    return Ok(());
                }
                Err(refusal) if refusal.kind == Kind::NotYet || refusal.passes() => {
                    if !poll.rest_regardless(self.run, "still being made, to be removed").await {
                        return Err(refused(&doing)(refusal));
                    }
                }
                Err(refusal) => return Err(refused(&doing)(refusal)),
            }
        }
    }
}

/// Whether a refusal passes with time: a role that is new to Lambda, interfaces that are being made, a name that
/// another run just took.
fn waits(refusal: &Refusal) -> bool {
    let role = refusal.is(&["InvalidParameterValueException"]) && refusal.message.contains("cannot be assumed");
    refusal.kind == Kind::NotYet || role
}
