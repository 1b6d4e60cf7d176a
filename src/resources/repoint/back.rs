//! Functions on their way back: variables first, then aliases, then what they remember.

use std::time::Duration;

use super::Restoring;
use crate::catalogue::StepId;
use crate::cloud::lambda::{Alias, Function, Update, Variables};
use crate::cloud::{Kind, Tags, tags};
use crate::engine::refused;
use crate::engine::{Poll, PollInterval, Row, Run, StepError};

/// How often a function is pointed back that something else points at the proxy again.
const ROUNDS: usize = 6;

/// Points one function at the database again, and waits until that is live.
pub(super) async fn put_back(run: &Run<'_>, found: &Restoring) -> Result<(), StepError> {
    let name = found.function.name.as_str();
    let doing = format!("putting back the variables ({name})");
    let limit = run.timeouts.function;
    let poll = Poll::begin(run, Row::Step(StepId::Repoint), &doing, limit, PollInterval::Seconds);
    let Some(live) = variables(run, &poll, found).await? else { return Ok(()) };
    aliases(run, &poll, found).await?;
    forget(run, &poll, found, &live).await
}

/// Writes the variables until a look finds none that leads to the proxy and the update live; `None` for a function that
/// was deleted meanwhile.
async fn variables(run: &Run<'_>, poll: &Poll<'_>, found: &Restoring) -> Result<Option<Function>, StepError> {
    let (name, lambda) = (found.function.name.as_str(), &run.cloud.lambda);
    let mut current = found.clone();
    let mut written = 0;
    loop {
        let state = if current.back.is_empty() {
            match &current.function.update {
                Update::InProgress => "update in progress",
                Update::Failed(why) if written > 0 => {
                    let reasons = vec![format!("the update failed: {why}")];
                    return Err(StepError::Conflict { doing: poll.doing.to_owned(), reasons });
                }
                _ => return Ok(Some(current.function)),
            }
        } else {
            if written >= ROUNDS {
                let fields = current.back;
                return Err(StepError::Undone { doing: poll.doing.to_owned(), fields });
            }
            run.sleep(Duration::ZERO).await?;
            // Conditional on the revision that was read: a look that lags behind is refused and not written over.
            match lambda.set_variables(&current.function, &current.edited).await {
                Ok(_) => {
                    written += 1;
                    "update in progress"
                }
                Err(refusal)
                    if matches!(refusal.kind, Kind::Stale | Kind::NotYet | Kind::Throttled | Kind::Service) =>
                {
                    "changed meanwhile"
                }
                Err(refusal) => return Err(refused(poll.doing)(refusal)),
            }
        };
        poll.rest(run, state).await?;
        let Some(now) = poll.look(run, async || lambda.get(name).await).await? else { return Ok(None) };
        let before = current.function.tags;
        current = found.rules.of(Function { tags: now.tags.clone().or(before), ..now });
    }
}

async fn aliases(run: &Run<'_>, poll: &Poll<'_>, found: &Restoring) -> Result<(), StepError> {
    let (name, lambda) = (found.function.name.as_str(), &run.cloud.lambda);
    for (alias, to) in &found.aliases.back {
        let number = match to {
            Some(number) => number.clone(),
            None => republish(run, poll, found).await?,
        };
        let mut current = alias.clone();
        loop {
            run.sleep(Duration::ZERO).await?;
            match lambda.move_alias(name, &current, &number).await {
                Ok(()) => break,
                Err(refusal) if matches!(refusal.kind, Kind::Stale | Kind::NotYet) => {
                    poll.rest(run, "changed meanwhile").await?;
                    let now = poll.look(run, async || lambda.aliases(name).await).await?;
                    match now.into_iter().find(|now| now.name == alias.name) {
                        Some(now) if now.version == alias.version && shares(&now, alias) => current = now,
                        // Moved by someone else, or deleted: theirs by now.
                        _ => break,
                    }
                }
                Err(refusal) => return Err(refused(poll.doing)(refusal)),
            }
        }
    }
    for number in &found.aliases.versions {
        poll.insist(run, async || lambda.delete_version(name, number).await).await?;
    }
    Ok(())
}

/// Whether an alias shares its calls with nobody, or with whom it did.
fn shares(now: &Alias, before: &Alias) -> bool {
    let with = |alias: &Alias| alias.split.as_ref().map(|split| split.version.clone());
    now.split.is_none() || with(now) == with(before)
}

/// Publishes `$LATEST` with the restored variables, and waits until the version can be called.
async fn republish(run: &Run<'_>, poll: &Poll<'_>, found: &Restoring) -> Result<String, StepError> {
    let (name, lambda) = (found.function.name.as_str(), &run.cloud.lambda);
    let published = loop {
        run.sleep(Duration::ZERO).await?;
        match lambda.publish(name, &found.aliases.code, "").await {
            Err(refusal) if refusal.kind == Kind::NotYet => poll.rest(run, "busy").await?,
            answer => break answer.map_err(refused(poll.doing))?,
        }
    };
    let mut ready = published.ready;
    while !ready {
        poll.rest(run, "the version is being made ready").await?;
        let now = poll.look(run, async || lambda.version(name, &published.number).await).await?;
        ready = now.is_none_or(|version| version.ready);
    }
    Ok(published.number)
}

/// Deletes the tags that remember, which only version 0.1, adopted proxies and odd spellings leave.
async fn forget(run: &Run<'_>, poll: &Poll<'_>, found: &Restoring, live: &Function) -> Result<(), StepError> {
    let lambda = &run.cloud.lambda;
    let memory: Vec<String> = found.memory.iter().chain(&found.aliases.memory).cloned().collect();
    if memory.is_empty() {
        return Ok(());
    }
    poll.insist(run, async || lambda.untag(&live.arn, memory.clone()).await).await?;
    // Nothing of AWS's makes the last look and the untag one act. So a look right after it finds the `up` that has
    // pointed the function at an adopted proxy in between; one that does so later looks for its memory itself.
    let Some(now) = poll.look(run, async || lambda.get(&live.name).await).await? else { return Ok(()) };
    let again = |name: &str| {
        let holds = |function: &Function| {
            let value = function.variables.0.get(name).map(|value| (name.to_owned(), value.clone()));
            found.rules.at_proxy(&Variables(value.into_iter().collect()))
        };
        now.revision != found.function.revision && now.revision != live.revision && holds(&now) && !holds(live)
    };
    let lost = memory.iter().filter(|key| now.tags.as_ref().is_some_and(|tags| !tags.contains_key(*key)));
    let lost = lost.filter(|key| key.strip_prefix(tags::FORMER).is_some_and(again));
    let known = found.function.tags.as_ref();
    let lost: Tags = lost.filter_map(|key| Some((key.clone(), known?.get(key)?.clone()))).collect();
    if lost.is_empty() {
        return Ok(());
    }
    poll.insist(run, async || lambda.tag(&live.arn, &lost).await).await
}
