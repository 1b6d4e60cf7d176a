//! Step 13, for callers of an alias: a version with the new host, and the alias moved to it.
//!
//! Versions are frozen with their variables, so `$LATEST` is published once it is repointed. The version that the alias
//! pointed at stays, and the new one's description says which one it was
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html>).

mod aliases;

use crate::catalogue::StepId;
use crate::cloud::lambda::Version;
use crate::cloud::{Answer, Cloud, Refusal};
use crate::discover::releases::{Frozen, description};
use crate::engine::{Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Timeouts, Wait};
use crate::names::digest;
use crate::resources::updating;

pub use aliases::{Aliases, Events};

/// The aliases of all functions.
pub struct Release<'a> {
    /// What must move.
    pub frozen: &'a [Frozen],
    /// What our versions are described by.
    pub mark: String,
    /// The limits.
    pub timeouts: Timeouts,
}

/// One alias on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Move {
    /// Where it comes from.
    pub frozen: Frozen,
    /// Where it goes to, once that is published.
    pub to: Option<Version>,
    /// Whether it is there.
    pub moved: bool,
    /// Where someone else moved it meanwhile.
    pub elsewhere: Option<String>,
}

impl Release<'_> {
    /// Where every alias is before the run.
    #[must_use]
    pub fn start(&self) -> Vec<Move> {
        let start = |frozen: &Frozen| Move { frozen: frozen.clone(), to: None, moved: false, elsewhere: None };
        self.frozen.iter().map(start).collect()
    }

    /// What the plan says of it, a line an alias.
    #[must_use]
    pub fn intentions(&self) -> Vec<String> {
        let line = |frozen: &Frozen| {
            let Frozen { function, alias, .. } = frozen;
            format!(
                "{function}: alias {}, from version {} to a new one with the proxy's host",
                alias.name, alias.version
            )
        };
        self.frozen.iter().map(line).collect()
    }

    /// The same for a plan that is saved: with the code and the configuration that a new version freezes.
    pub(crate) fn actions(&self) -> impl Iterator<Item = String> {
        let frozen = |frozen: &Frozen| format!("code {}, configuration {}", frozen.code, digest(&frozen.rest));
        self.intentions().into_iter().zip(self.frozen).map(move |(line, one)| format!("move {line}; {}", frozen(one)))
    }

    async fn one(&self, cloud: &Cloud, mut on_its_way: Move) -> Answer<Move> {
        let Frozen { function, alias, code, .. } = &on_its_way.frozen;
        match &on_its_way.to {
            None => {
                let of_function = self.frozen.iter().filter(|frozen| frozen.function == *function);
                let replaced = of_function.map(|frozen| (frozen.alias.name.as_str(), frozen.alias.version.as_str()));
                let text = description(&self.mark, replaced);
                on_its_way.to = Some(cloud.lambda.publish(function, code, &text).await?);
            }
            Some(version) if version.ready && !on_its_way.moved => {
                cloud.lambda.move_alias(function, alias, &version.number).await?;
                on_its_way.moved = true;
            }
            Some(_) => {}
        }
        Ok(on_its_way)
    }

    async fn look(cloud: &Cloud, mut on_its_way: Move) -> Answer<Move> {
        let Frozen { function, alias, .. } = &mut on_its_way.frozen;
        if let Some(version) = &mut on_its_way.to
            && !version.ready
            && let Some(now) = cloud.lambda.version(function, &version.number).await?
        {
            *version = now;
        }
        let now = cloud.lambda.aliases(function).await?.into_iter().find(|now| now.name == alias.name);
        match now {
            Some(now) if now.version == alias.version => *alias = now,
            Some(now) if on_its_way.to.as_ref().is_some_and(|to| to.number == now.version) => on_its_way.moved = true,
            Some(now) => on_its_way.elsewhere = Some(now.version),
            None => on_its_way.elsewhere = Some("none: it was deleted".to_owned()),
        }
        Ok(on_its_way)
    }
}

impl Step for Release<'_> {
    type State = Vec<Move>;

    fn id(&self) -> StepId {
        StepId::Repoint
    }

    fn subject(&self) -> String {
        let names: Vec<String> =
            self.frozen.iter().map(|frozen| format!("{}:{}", frozen.function, frozen.alias.name)).collect();
        names.join(", ")
    }

    fn doing(&self, change: &Diff) -> String {
        match change {
            Diff::Await(_) => format!("waiting for the new version ({})", self.subject()),
            _ => format!("moving the alias to a version with the proxy's host ({})", self.subject()),
        }
    }

    async fn observe(&self, _cloud: &Cloud) -> Answer<Observed<Vec<Move>>> {
        Ok(Observed::Present(self.start()))
    }

    async fn look_again(&self, cloud: &Cloud, seen: &Observed<Vec<Move>>) -> Answer<Observed<Vec<Move>>> {
        let mut now = Vec::new();
        for on_its_way in seen.present().into_iter().flatten() {
            now.push(if on_its_way.moved { on_its_way.clone() } else { Self::look(cloud, on_its_way.clone()).await? });
        }
        Ok(Observed::Present(now))
    }

    fn compare(&self, seen: &Observed<Vec<Move>>) -> Diff {
        let moves = seen.present().map(Vec::as_slice).unwrap_or_default();
        for Move { frozen, to, elsewhere, .. } in moves {
            let name = format!("{}:{}", frozen.function, frozen.alias.name);
            if let Some(version) = elsewhere {
                return Diff::Conflict(vec![format!("{name} was moved meanwhile, to version {version}")]);
            }
            if let Some(why) = to.as_ref().and_then(|version| version.failed.as_ref()) {
                return Diff::Conflict(vec![format!("the new version for {name} failed: {why}")]);
            }
        }
        let open: Vec<&Move> = moves.iter().filter(|on_its_way| !on_its_way.moved).collect();
        let ready = |open: &&&Move| open.to.as_ref().is_none_or(|version| version.ready);
        let due: Vec<String> = open
            .iter()
            .filter(ready)
            .map(|open| format!("{}: alias {}", open.frozen.function, open.frozen.alias.name))
            .collect();
        match (open.first(), due.is_empty()) {
            (None, _) => Diff::None,
            (_, false) => Diff::Update(due),
            (Some(first), true) => {
                let number = first.to.as_ref().map(|version| version.number.as_str()).unwrap_or_default();
                let state = format!("version {number} of {} is being made ready", first.frozen.function);
                Diff::Await(Wait { state, usable: false, grace: None })
            }
        }
    }

    async fn apply(&self, cloud: &Cloud, _change: &Diff, seen: Observed<Vec<Move>>) -> Answer<Observed<Vec<Move>>> {
        let mut after = Vec::new();
        for on_its_way in seen.present().into_iter().flatten() {
            after.push(self.one(cloud, on_its_way.clone()).await?);
        }
        Ok(Observed::Present(after))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        updating(refusal, self.timeouts.function)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.timeouts.function, PollInterval::Seconds)
    }

    fn result(&self, seen: &Observed<Vec<Move>>) -> String {
        let one = |on_its_way: &Move| {
            let Frozen { function, alias, .. } = &on_its_way.frozen;
            let number = on_its_way.to.as_ref().map(|version| version.number.as_str()).unwrap_or_default();
            format!("{function}:{} at version {number} (was {})", alias.name, alias.version)
        };
        let moves: Vec<String> = seen.present().into_iter().flatten().map(one).collect();
        moves.join(", ")
    }
}
