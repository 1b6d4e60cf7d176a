//! Aliases on their way back to the versions that they pointed at, and our versions on their way out.

use crate::cloud::lambda::{Alias, Function, LATEST, Version};
use crate::cloud::{Answer, Cloud, tags};
use crate::discover::hosts::{KnownHost, mentions};

/// What goes back in one function besides its variables.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Aliases {
    /// The aliases that go back, and to which version; `None` for a new one of `$LATEST`, as it will be then.
    pub back: Vec<(Alias, Option<String>)>,
    /// The digest of the code of `$LATEST`.
    pub code: String,
    /// Our versions.
    pub versions: Vec<String>,
    /// The tags that remember.
    pub memory: Vec<String>,
    /// Aliases that cannot go back: their code is no longer that of `$LATEST`.
    pub stuck: Vec<String>,
}

impl Aliases {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.back.is_empty() && self.versions.is_empty() && self.memory.is_empty() && self.stuck.is_empty()
    }

    /// What a teardown says of it.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let back = self.back.iter().map(|(alias, to)| match to {
            Some(version) => format!("alias {} back to version {version}", alias.name),
            None => format!("alias {} to a new version with the database's host", alias.name),
        });
        back.chain(self.versions.iter().map(|number| format!("delete version {number}"))).collect()
    }

    /// Looks for what `up` did to a function's aliases and versions.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find(cloud: &Cloud, function: &Function, mark: &str, proxy: &[KnownHost]) -> Answer<Self> {
        let all = function.tags.iter().flatten();
        let former: Vec<(&str, &str)> = all
            .filter_map(|(key, version)| Some((key.strip_prefix(tags::FORMER_VERSION)?, version.as_str())))
            .collect();
        if former.is_empty() {
            return Ok(Self::default());
        }
        let name = function.name.as_str();
        let (versions, aliases) = tokio::join!(cloud.lambda.versions(name), cloud.lambda.aliases(name));
        let (versions, aliases) = (versions?, aliases?);
        let find = |number: &str| versions.iter().find(|version| version.number == number);
        let ours = |version: &Version| version.number != LATEST && version.description == mark;
        let on_proxy = |number: &str| find(number).is_some_and(|version| holds(version, proxy));
        let code = find(LATEST).map(|version| version.code.clone()).unwrap_or_default();
        let mut found = Self { code, ..Self::default() };
        found.versions =
            versions.iter().filter(|version| ours(version)).map(|version| version.number.clone()).collect();
        for (alias, former) in former {
            let Some(now) = aliases.iter().find(|now| now.name == alias) else {
                found.memory.push(format!("{}{alias}", tags::FORMER_VERSION));
                continue;
            };
            let in_between = !on_proxy(&now.version) && now.version != former;
            let other_stack = in_between && found.versions.is_empty();
            if other_stack {
                continue;
            }
            found.memory.push(format!("{}{alias}", tags::FORMER_VERSION));
            if now.version == former || in_between {
                continue;
            }
            let published_by_us = find(&now.version).is_some_and(ours);
            if published_by_us && find(former).is_some_and(|version| !holds(version, proxy)) {
                found.back.push((now.clone(), Some(former.to_owned())));
            } else if find(&now.version).is_some_and(|version| version.code == found.code) {
                // A release since then: its code stays, with the variables that are put back.
                found.back.push((now.clone(), None));
            } else {
                found.stuck.push(alias.to_owned());
            }
        }
        Ok(found)
    }
}

fn holds(version: &Version, hosts: &[KnownHost]) -> bool {
    version.variables.0.values().any(|value| !mentions(value, hosts).is_empty())
}
