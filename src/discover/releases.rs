//! Which aliases keep calling a version that is frozen with the database's host.
//!
//! A published version never changes, its variables included
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-versions.html>), so everyone who calls a function by an alias
//! does not meet the new host before a version with it is published and the alias is moved.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::functions::FunctionUse;
use super::problem::Problem;
use crate::cloud::lambda::{Alias, LATEST, Variables, Version};
use crate::cloud::{Answer, Cloud};

/// How many functions are read at the same time: these calls share Lambda's allowance of 15 a second.
const AT_ONCE: usize = 5;

/// An alias of a version that holds the database's host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frozen {
    /// The function.
    pub function: String,
    /// The alias as it is.
    pub alias: Alias,
    /// The digest of the code of `$LATEST`, which is what a new version freezes.
    pub code: String,
    /// Everything else of the configuration of `$LATEST`, for comparison.
    pub rest: String,
    /// Why all of its calls move at once, where a share of them cannot move first.
    pub whole: Option<Whole>,
}

/// Why an alias cannot send a share of its calls to a new version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    /// It has provisioned concurrency. Lambda refuses that for an alias with weights, and sets weights by itself when
    /// it moves: its calls go to the former version until the new one's environments are ready
    /// (<https://github.com/hashicorp/terraform-provider-aws/pull/48116>).
    Provisioned,
    /// The new version is one of another configuration, and a role or a dead-letter queue may be among it, which must
    /// be the same.
    OtherConfiguration,
}

impl Frozen {
    /// The function and the alias, as Lambda writes them.
    #[must_use]
    pub fn label(&self) -> String {
        format!("{}:{}", self.function, self.alias.name)
    }
}

/// The longest description of a version
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html>).
const LONGEST: usize = 256;

/// What a version that we publish says: whose it is, and which version each alias pointed at before.
///
/// Aliases that do not fit are left out; the way back then looks for the last version that is the same but for our
/// hosts.
#[must_use]
pub fn description<'a>(mark: &str, replaced: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = mark.to_owned();
    for (alias, version) in replaced {
        let start = if text == mark { ": " } else { ", " };
        let more = format!("{start}{alias} was {version}");
        if text.len() + more.len() <= LONGEST {
            text.push_str(&more);
        }
    }
    text
}

/// Whether a version was published by the stack that this mark is of.
#[must_use]
pub fn is_ours(version: &Version, mark: &str) -> bool {
    let rest = version.description.strip_prefix(mark);
    version.number != LATEST && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(": "))
}

/// Which version a version of ours replaced under an alias, as its description has it.
#[must_use]
pub fn replaced<'a>(version: &'a Version, mark: &str, alias: &str) -> Option<&'a str> {
    let rest = version.description.strip_prefix(mark)?.strip_prefix(": ")?;
    rest.split(", ").find_map(|place| place.strip_prefix(alias)?.strip_prefix(" was "))
}

/// What one function has published.
struct Published<'a> {
    found: &'a FunctionUse,
    versions: Vec<Version>,
    aliases: Vec<Alias>,
    provisioned: Vec<String>,
}

/// Finds the aliases that must move. One that sends a share of its calls to a version of ours, by its `mark`, is on its
/// way: a canary was there.
///
/// `repointed` turns a function's variables into those that step 13 would make of them; with `publish_pending`, a
/// release that is waiting in `$LATEST` is published along.
///
/// # Errors
/// When a person must decide: a release is pending, an alias splits its calls with somebody else's version, or
/// something calls a frozen version itself.
pub async fn find(
    cloud: &Cloud,
    functions: &[FunctionUse],
    listed: Option<&BTreeMap<String, Vec<Version>>>,
    mark: &str,
    publish_pending: bool,
    repointed: impl Fn(&str, &Variables) -> Variables,
) -> Result<Vec<Frozen>, Problem> {
    let refused = |refusal| Problem::refused("reading the functions' versions and aliases")(refusal);
    let mut published = Vec::new();
    for some in functions.chunks(AT_ONCE) {
        for read in join_all(some.iter().map(|found| read(cloud, found, listed))).await {
            published.extend(read.map_err(refused)?);
        }
    }
    if published.is_empty() {
        return Ok(Vec::new());
    }
    let events = cloud.lambda.event_targets().await.map_err(refused)?;
    let mut frozen = Vec::new();
    for of in &published {
        let repointed = |variables: &Variables| repointed(&of.found.function.name, variables);
        called_by_number(of, &events, &repointed)?;
        let latest = of.versions.iter().find(|version| version.number == LATEST);
        for alias in of.aliases.iter().filter(|alias| alias.version != LATEST) {
            let Some(version) = of.versions.iter().find(|version| version.number == alias.version) else { continue };
            if !uses(version, &repointed) {
                continue;
            }
            let name = &of.found.function.name;
            let provisioned = bound(&of.found.function.arn, &[], &of.provisioned).any(|(name, _)| name == alias.name);
            let other = alias.split.as_ref().map(|split| of.versions.iter().find(|one| one.number == split.version));
            let Some(latest) = latest.filter(|_| other.is_none_or(|one| one.is_some_and(|one| is_ours(one, mark))))
            else {
                let way = if provisioned {
                    "Wait until its provisioned concurrency is ready, or finish the shift, so that it points at one version; then \
                     run the same command again."
                } else {
                    "Finish the shift first, so that it points at one version; then run the same command again."
                };
                return Err(Problem::unfit(
                    format!("checking the alias ({name}:{}): it splits its calls between two versions", alias.name),
                    [way.to_owned(), leave_out(name)],
                ));
            };
            if !publish_pending {
                pending(of.found, alias, version, latest, &repointed)?;
            }
            frozen.push(Frozen {
                function: name.clone(),
                alias: alias.clone(),
                code: latest.code.clone(),
                rest: latest.rest.clone(),
                whole: match (provisioned, version.rest == latest.rest) {
                    (true, _) => Some(Whole::Provisioned),
                    (false, false) => Some(Whole::OtherConfiguration),
                    (false, true) => None,
                },
            });
        }
    }
    Ok(frozen)
}

async fn read<'a>(
    cloud: &Cloud,
    found: &'a FunctionUse,
    listed: Option<&BTreeMap<String, Vec<Version>>>,
) -> Answer<Option<Published<'a>>> {
    let name = found.function.name.as_str();
    let versions = match listed.and_then(|listed| listed.get(name)) {
        Some(versions) => versions.clone(),
        None => cloud.lambda.versions(name).await?,
    };
    if versions.iter().all(|version| version.number == LATEST) {
        return Ok(None);
    }
    let (aliases, provisioned) = tokio::join!(cloud.lambda.aliases(name), cloud.lambda.provisioned(name));
    Ok(Some(Published { found, versions, aliases: aliases?, provisioned: provisioned? }))
}

/// Whether a version holds what step 13 would change, or may.
fn uses(version: &Version, repointed: &impl Fn(&Variables) -> Variables) -> bool {
    version.hidden || repointed(&version.variables) != version.variables
}

fn leave_out(name: &str) -> String {
    format!("Or leave it out: --exclude-function {name}.")
}

/// What is bound to a function, and to what of it: a version's number or an alias. A mapping's `FunctionArn` may be
/// that of a version or an alias (<https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html>), and so is that of
/// provisioned concurrency (<https://docs.aws.amazon.com/lambda/latest/api/API_ProvisionedConcurrencyConfigListItem.html>).
pub fn bound<'a>(
    function: &'a str,
    events: &'a [String],
    provisioned: &'a [String],
) -> impl Iterator<Item = (&'a str, &'static str)> {
    let events = events.iter().map(|arn| (arn, "an event source"));
    let all = events.chain(provisioned.iter().map(|arn| (arn, "provisioned concurrency")));
    all.filter_map(move |(arn, what)| Some((arn.strip_prefix(function)?.strip_prefix(':')?, what)))
}

/// Refuses where something calls a frozen version by its number: only the person who set that up can point it
/// elsewhere.
fn called_by_number(
    of: &Published<'_>,
    events: &[String],
    repointed: &impl Fn(&Variables) -> Variables,
) -> Result<(), Problem> {
    let name = &of.found.function.name;
    for (number, what) in bound(&of.found.function.arn, events, &of.provisioned) {
        let version = of.versions.iter().find(|version| version.number == number);
        if version.is_some_and(|version| version.number != LATEST && uses(version, repointed)) {
            return Err(Problem::unfit(
                format!(
                    "checking the function ({name}): {what} is bound to its version {number}, which is frozen with the database's host"
                ),
                [
                    "Bind it to an alias, which can be moved, or to $LATEST; then run the same command again."
                        .to_owned(),
                    leave_out(name),
                ],
            ));
        }
    }
    Ok(())
}

/// Refuses where publishing `$LATEST` would release more than the new host.
fn pending(
    found: &FunctionUse,
    alias: &Alias,
    version: &Version,
    latest: &Version,
    repointed: &impl Fn(&Variables) -> Variables,
) -> Result<(), Problem> {
    let mut differs = Vec::new();
    if version.code != latest.code {
        differs.push("its code".to_owned());
    }
    if version.rest != latest.rest {
        differs.push("its configuration".to_owned());
    }
    let (then, now) = (repointed(&version.variables), repointed(&latest.variables));
    let names: std::collections::BTreeSet<&String> = then.0.keys().chain(now.0.keys()).collect();
    let changed: Vec<&str> =
        names.into_iter().filter(|name| then.0.get(*name) != now.0.get(*name)).map(String::as_str).collect();
    if version.hidden || latest.hidden {
        differs.push("its variables, which AWS does not show".to_owned());
    } else if !changed.is_empty() {
        differs.push(format!("its variables ({})", changed.join(", ")));
    }
    if differs.is_empty() {
        return Ok(());
    }
    let name = &found.function.name;
    Err(Problem::unfit(
        format!(
            "checking the alias ({name}:{}): a release is pending, since $LATEST differs from version {} in {}",
            alias.name,
            version.number,
            differs.join(" and in ")
        ),
        [
            format!(
                "Release it first: publish a version and point {} at it; then run the same command again.",
                alias.name
            ),
            "Or let this run release it: --publish-pending.".to_owned(),
            leave_out(name),
        ],
    ))
}
