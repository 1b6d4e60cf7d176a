//! Aliases on their way back to the versions that they pointed at, and our versions on their way out.

use tokio::sync::OnceCell;

use crate::cloud::lambda::{Alias, Function, LATEST, Version};
use crate::cloud::{Answer, Cloud, tags};
use crate::discover::releases::{bound, is_ours, replaced};
use crate::resources::repoint::Rules;

/// What event sources of the region call: the same for all functions, and read when the first one has to know.
#[derive(Debug, Default)]
pub struct Events(OnceCell<Vec<String>>);

impl Events {
    /// Reads it, the first time.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn read(&self, cloud: &Cloud) -> Answer<&[String]> {
        Ok(self.0.get_or_try_init(|| cloud.lambda.event_targets()).await?)
    }
}

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
    /// Aliases and versions that cannot go back, and why.
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
            Some(version) if *version == alias.version => {
                let share = alias.split.as_ref().map(|split| format!(" (version {} gets {split} now)", split.version));
                format!("alias {} back to version {version} alone{}", alias.name, share.unwrap_or_default())
            }
            Some(version) => format!("alias {} back to version {version}", alias.name),
            None => format!("alias {} to a new version with the database's host", alias.name),
        });
        back.chain(self.versions.iter().map(|number| format!("delete version {number}"))).collect()
    }

    /// Looks for what leads to the proxy besides `$LATEST`: aliases of versions that are frozen with its host, and our
    /// versions. `versions` are those of a list, where they came along.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find(
        cloud: &Cloud,
        function: &Function,
        mark: &str,
        rules: &Rules,
        versions: Option<&[Version]>,
        events: &Events,
    ) -> Answer<Self> {
        let name = function.name.as_str();
        let former: Vec<(&str, &str)> = function
            .tags
            .iter()
            .flatten()
            .filter_map(|(key, version)| Some((key.strip_prefix(tags::FORMER_VERSION)?, version.as_str())))
            .collect();
        let versions = match versions {
            Some(versions) => versions.to_vec(),
            None => cloud.lambda.versions(name).await?,
        };
        let ours = |version: &Version| is_ours(version, mark);
        let concerns = |version: &Version| {
            version.number != LATEST && (ours(version) || (!rules.adopted && rules.at_proxy(&version.variables)))
        };
        if former.is_empty() && !versions.iter().any(concerns) {
            return Ok(Self::default());
        }
        let at_proxy: Vec<&str> =
            versions.iter().filter(|version| concerns(version)).map(|version| version.number.as_str()).collect();
        let (aliases, events, provisioned) = if at_proxy.is_empty() {
            (cloud.lambda.aliases(name).await?, [].as_slice(), Vec::new())
        } else {
            let callers = async { tokio::join!(events.read(cloud), cloud.lambda.provisioned(name)) };
            let (aliases, (events, provisioned)) = tokio::join!(cloud.lambda.aliases(name), callers);
            (aliases?, events?, provisioned?)
        };
        let find = |number: &str| versions.iter().find(|version| version.number == number);
        let latest = find(LATEST);
        let mut found =
            Self { code: latest.map(|version| version.code.clone()).unwrap_or_default(), ..Self::default() };
        let mut held: Vec<&str> = Vec::new();
        // Only the person who bound it can bind it to something else; a version is frozen, and gone it serves nobody.
        for (number, what) in bound(&function.arn, events, &provisioned) {
            if let Some(number) = at_proxy.iter().find(|known| **known == number) {
                found.stuck.push(format!("{number}, to which {what} is bound by its number"));
                held.push(number);
            }
        }
        // One of the two leads to the proxy and is ours, and the other is what it is but for our hosts: a share that a
        // canary sends there, or an alias with provisioned concurrency that Lambda is moving.
        let unsplit = |now: &Version, other: &Version| {
            let (own, theirs) = if ours(now) { (now, other) } else { (other, now) };
            let fits = ours(own) && rules.at_proxy(&own.variables) && !ours(theirs) && rules.same(theirs, own);
            fits.then(|| theirs.clone())
        };
        for alias in &aliases {
            let Some(now) = find(&alias.version).filter(|version| version.number != LATEST) else { continue };
            if let Some(split) = &alias.split {
                let other = find(&split.version);
                let shared = [Some(now), other].into_iter().flatten().any(concerns) || other.is_none();
                match other.and_then(|other| unsplit(now, other)) {
                    Some(version) => found.back.push((alias.clone(), Some(version.number.clone()))),
                    None if shared => {
                        found.stuck.push(format!("{}, which splits its calls between two versions", alias.name));
                        held.extend([alias.version.as_str(), split.version.as_str()]);
                    }
                    None => {}
                }
                continue;
            }
            if now.hidden && !rules.adopted {
                found.stuck.push(format!("{}, whose version's variables AWS does not show", alias.name));
                held.push(&alias.version);
                continue;
            }
            if !concerns(now) || !rules.at_proxy(&now.variables) {
                continue;
            }
            let remembered = former.iter().find(|(name, _)| *name == alias.name).map(|(_, version)| *version);
            let told = replaced(now, mark, &alias.name).or(remembered).and_then(find);
            let mut earlier: Vec<&Version> = versions.iter().filter(|version| order(version) < order(now)).collect();
            earlier.sort_by_key(|version| std::cmp::Reverse(order(version)));
            // Code and configuration stay what they are, no matter who wrote down which version it was.
            let mut candidates = told.into_iter().chain(earlier);
            let back = candidates.find(|version| ours(now) && !ours(version) && rules.same(version, now));
            match back {
                Some(version) => found.back.push((alias.clone(), Some(version.number.clone()))),
                // A release since then: its code stays, with the restored variables.
                None if latest.is_some_and(|latest| rules.same_but_for_hosts(latest, now)) => {
                    found.back.push((alias.clone(), None));
                }
                None => {
                    found.stuck.push(format!("{}, whose version is not what $LATEST is", alias.name));
                    held.push(&alias.version);
                }
            }
        }
        let ours_all = versions.iter().filter(|version| ours(version) && !held.contains(&version.number.as_str()));
        found.versions = ours_all.map(|version| version.number.clone()).collect();
        for (alias, former) in former {
            let now = aliases.iter().find(|now| now.name == alias);
            let at_proxy = |number: &str| find(number).is_some_and(|version| rules.at_proxy(&version.variables));
            let other_stack =
                now.is_some_and(|now| !at_proxy(&now.version) && now.version != former) && !versions.iter().any(ours);
            if !other_stack {
                found.memory.push(format!("{}{alias}", tags::FORMER_VERSION));
            }
        }
        Ok(found)
    }
}

fn order(version: &Version) -> u64 {
    version.number.parse().unwrap_or(u64::MAX)
}
