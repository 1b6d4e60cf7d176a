//! Step 13, for callers of an alias: a version with the new host, and the alias moved to it.
//!
//! Versions are frozen with their variables, so `$LATEST` is published once it is repointed. The version that the alias
//! pointed at stays, and the new one's description says which one it was
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-aliases.html>). A canary sends a share of the calls to the new
//! version first (<https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html>).

mod aliases;

use std::collections::BTreeMap;

use crate::catalogue::StepId;
use crate::cloud::lambda::{Split, Version};
use crate::cloud::{Answer, Cloud, Refusal};
use crate::discover::releases::{Frozen, Whole, description};
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Timeouts, Wait};
use crate::names::digest;
use crate::plan::PlannedStep;
use crate::resources::updating;

pub use aliases::{Aliases, Events};

/// The aliases of all functions.
pub struct Release<'a> {
    /// What must move.
    pub frozen: &'a [Frozen],
    /// What our versions are described by.
    pub mark: String,
    /// The percentage of its calls that an alias is to send to the new version, by [`Frozen::label`]; all of them
    /// where it is not named.
    pub shares: BTreeMap<String, u8>,
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
    /// Whether it was sent there.
    pub sent: bool,
    /// Whether it is there.
    pub moved: bool,
    /// Where someone else moved it meanwhile.
    pub elsewhere: Option<String>,
}

impl Release<'_> {
    /// Where every alias is before the run.
    #[must_use]
    pub fn start(&self) -> Vec<Move> {
        let start =
            |frozen: &Frozen| Move { frozen: frozen.clone(), to: None, sent: false, moved: false, elsewhere: None };
        self.frozen.iter().map(start).collect()
    }

    /// What the plan says of it, a line an alias.
    #[must_use]
    pub fn intentions(&self) -> Vec<String> {
        let line = |frozen: &Frozen| {
            let Frozen { function, alias, .. } = frozen;
            let to = match &alias.split {
                Some(Split { version, .. }) => format!("version {version}, where some of its calls go already"),
                None => "a new one with the proxy's host".to_owned(),
            };
            format!("{function}: alias {}, from version {} to {to}", alias.name, alias.version)
        };
        self.frozen.iter().map(line).collect()
    }

    /// The same for a plan that is saved, however far an alias has come: with the code and the configuration that a new
    /// version freezes.
    pub(crate) fn actions(&self) -> impl Iterator<Item = String> {
        self.frozen.iter().map(|frozen| {
            let Frozen { function, alias, code, rest, .. } = frozen;
            format!(
                "move {function}: alias {}, from version {} to a new one with the proxy's host; code {code}, configuration {}",
                alias.name,
                alias.version,
                digest(rest)
            )
        })
    }

    /// The share that an alias is to send to its new version, where it does not move whole.
    fn split(&self, on_its_way: &Move) -> Option<Split> {
        let percent = self.shares.get(&on_its_way.frozen.label())?;
        let version = on_its_way.to.as_ref()?.number.clone();
        Some(Split { version, thousandths: u32::from(*percent) * 10 })
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
            Some(version) if version.ready && !on_its_way.sent => {
                if let Some(wanted) = self.split(&on_its_way) {
                    if alias.split.as_ref() != Some(&wanted) {
                        on_its_way.frozen.alias = cloud.lambda.split_alias(function, alias, &wanted).await?;
                    }
                    on_its_way.moved = true;
                } else {
                    cloud.lambda.move_alias(function, alias, &version.number).await?;
                    on_its_way.moved = on_its_way.frozen.whole != Some(Whole::Provisioned);
                }
                on_its_way.sent = true;
            }
            Some(_) => {}
        }
        Ok(on_its_way)
    }

    async fn look(&self, cloud: &Cloud, mut on_its_way: Move) -> Answer<Move> {
        let wanted = self.split(&on_its_way);
        let Frozen { function, alias, .. } = &mut on_its_way.frozen;
        if let Some(version) = &mut on_its_way.to
            && !version.ready
            && let Some(now) = cloud.lambda.version(function, &version.number).await?
        {
            *version = now;
        }
        let now = cloud.lambda.aliases(function).await?.into_iter().find(|now| now.name == alias.name);
        let to = on_its_way.to.as_ref().map(|to| to.number.as_str());
        // A version that gets a share is ours, as the survey had it, or the one that is new.
        let known = |split: &Split| to == Some(&split.version) || alias.split.as_ref() == Some(split);
        match now {
            Some(now) if now.version == alias.version && now.split.as_ref().is_none_or(known) => {
                on_its_way.moved = wanted.is_some() && now.split == wanted;
                on_its_way.sent = on_its_way.moved;
                *alias = now;
            }
            // With provisioned concurrency, all calls go to the former version for as long as it is in the weights.
            Some(now) if to == Some(&now.version) => {
                on_its_way.sent = true;
                on_its_way.moved = now.split.is_none();
            }
            Some(now) => {
                let share = now.split.map(|split| format!(", with a share of its calls at version {}", split.version));
                on_its_way.elsewhere = Some(now.version + &share.unwrap_or_default());
            }
            None => on_its_way.elsewhere = Some("none: it was deleted".to_owned()),
        }
        Ok(on_its_way)
    }
}

impl Step<Aws> for Release<'_> {
    type State = Vec<Move>;

    fn id(&self) -> StepId {
        StepId::Repoint
    }

    fn subject(&self) -> String {
        let names: Vec<String> = self.frozen.iter().map(Frozen::label).collect();
        names.join(", ")
    }

    fn doing(&self, change: &Diff) -> String {
        match change {
            Diff::Await(_) => format!("waiting for the new version ({})", self.subject()),
            _ if self.shares.is_empty() => {
                format!("moving the alias to a version with the proxy's host ({})", self.subject())
            }
            _ => format!("sending a share of the alias's calls to the proxy ({})", self.subject()),
        }
    }

    async fn observe(&self, _cloud: &Cloud) -> Answer<Observed<Vec<Move>>> {
        Ok(Observed::Present(self.start()))
    }

    async fn look_again(&self, cloud: &Cloud, seen: &Observed<Vec<Move>>) -> Answer<Observed<Vec<Move>>> {
        let mut now = Vec::new();
        for on_its_way in seen.present().into_iter().flatten() {
            now.push(if on_its_way.moved { on_its_way.clone() } else { self.look(cloud, on_its_way.clone()).await? });
        }
        Ok(Observed::Present(now))
    }

    fn compare(&self, seen: &Observed<Vec<Move>>) -> Diff {
        let moves = seen.present().map(Vec::as_slice).unwrap_or_default();
        for Move { frozen, to, elsewhere, .. } in moves {
            let name = frozen.label();
            if let Some(version) = elsewhere {
                return Diff::Conflict(vec![format!("{name} was moved meanwhile, to version {version}")]);
            }
            if let Some(why) = to.as_ref().and_then(|version| version.failed.as_ref()) {
                return Diff::Conflict(vec![format!("the new version for {name} failed: {why}")]);
            }
        }
        let open: Vec<&Move> = moves.iter().filter(|on_its_way| !on_its_way.moved).collect();
        let ready = |open: &&&Move| !open.sent && open.to.as_ref().is_none_or(|version| version.ready);
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
                let what = if first.sent { "the provisioned concurrency of version" } else { "version" };
                let state = format!("{what} {number} of {} is being made ready", first.frozen.function);
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
            match self.shares.get(&on_its_way.frozen.label()) {
                Some(percent) => format!("{function}:{}, {percent} % of it at version {number}", alias.name),
                None => format!("{function}:{} at version {number} (was {})", alias.name, alias.version),
            }
        };
        let moves: Vec<String> = seen.present().into_iter().flatten().map(one).collect();
        moves.join(", ")
    }
}

impl PlannedStep for Release<'_> {}
