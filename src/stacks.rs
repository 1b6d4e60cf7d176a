//! Which stacks of ours a region holds.

use std::collections::BTreeMap;

use futures_util::future::join_all;

use crate::cloud::rds::Proxy;
use crate::cloud::{Answer, Cloud, Owner, Tags, tags};
use crate::engine::{Diff, Step as _, Timeouts};
use crate::names;
use crate::resources::proxy;
use crate::resources::target::Health;

/// One stack of the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stack {
    /// Its name, which is also the proxy's.
    pub name: String,
    /// The database that it serves, where a tag names it.
    pub database: Option<String>,
}

/// The stacks of the region by name, each with its database where a tag names it.
///
/// A stack is known by its role's path or by its group's tag, so one that was killed early is found too.
///
/// # Errors
/// When AWS refuses.
pub async fn list(cloud: &Cloud) -> Answer<BTreeMap<String, Option<String>>> {
    let path = names::region_path(&cloud.region);
    let (paths, groups) = tokio::join!(cloud.iam.role_paths(&path), cloud.ec2.groups_tagged(tags::STACK));
    let mut stacks = BTreeMap::new();
    for found in paths? {
        if let Some(stack) = found.strip_prefix(&path) {
            stacks.insert(stack.trim_end_matches('/').to_owned(), None);
        }
    }
    for group in groups? {
        if let Some(stack) = group.tags.get(tags::STACK) {
            stacks.insert(stack.clone(), group.tags.get(tags::DATABASE).cloned());
        }
    }
    Ok(stacks)
}

/// A stack, and its proxy where there is one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its name, which is also the proxy's.
    pub name: String,
    /// The database that it serves, where a tag names it.
    pub database: Option<String>,
    /// The proxy.
    pub proxy: Option<Proxy>,
}

/// The stacks of the region as [`list`] finds them, and adopted proxies, which are known by their own tags alone.
///
/// # Errors
/// When AWS refuses.
pub async fn all(cloud: &Cloud) -> Answer<Vec<Listed>> {
    let (known, proxies) = tokio::join!(list(cloud), cloud.rds.proxies());
    let (mut known, mut listed) = (known?, Vec::new());
    let tagged = join_all(proxies?.into_iter().map(async |proxy| (cloud.rds.tags(&proxy.arn).await, proxy))).await;
    for (tags, proxy) in tagged {
        let known = known.remove(&proxy.name);
        let tags = tags?;
        let owner = Owner { stack: proxy.name.clone(), database: String::new(), extra: Tags::new() };
        if known.is_none() && !owner.owns(&tags) {
            continue;
        }
        let database = tags.get(tags::DATABASE).cloned().or(known.flatten());
        listed.push(Listed { name: proxy.name.clone(), database, proxy: Some(proxy) });
    }
    listed.extend(known.into_iter().map(|(name, database)| Listed { name, database, proxy: None }));
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(listed)
}

/// The state of a stack's target, in a few words.
///
/// # Errors
/// When AWS refuses.
pub async fn target(cloud: &Cloud, listed: &Listed, timeouts: Timeouts) -> Answer<String> {
    let database = listed.database.as_deref().unwrap_or_default();
    let health = Health { proxy: &listed.name, database, timeouts };
    let seen = health.observe(cloud).await?;
    Ok(match health.compare(&seen) {
        Diff::None => "AVAILABLE".to_owned(),
        Diff::Await(wait) => wait.state,
        Diff::Create | Diff::Update(_) => "to be changed".to_owned(),
        Diff::NotNeeded(why) => why,
        Diff::Conflict(reasons) => reasons.join("; "),
    })
}

/// Finds the stack of this name; an adopted proxy is known by its own tags alone.
///
/// # Errors
/// When AWS refuses.
pub async fn find(cloud: &Cloud, name: &str) -> Answer<Option<Stack>> {
    let listed = list(cloud).await?.remove(name);
    if let Some(Some(database)) = listed {
        return Ok(Some(Stack { name: name.to_owned(), database: Some(database) }));
    }
    let owner = Owner { stack: name.to_owned(), database: String::new(), extra: Tags::new() };
    let proxy = proxy::observe(cloud, name, None).await?.present().cloned().filter(|found| owner.owns(&found.tags));
    let database = proxy.as_ref().and_then(|found| found.tags.get(tags::DATABASE)).cloned();
    Ok((listed.is_some() || proxy.is_some()).then(|| Stack { name: name.to_owned(), database }))
}

/// Returns the names that one could have been mistyped from: a few letters apart, since a name that is merely alike is
/// another stack's.
#[must_use]
pub fn mistyped<'a>(wanted: &str, known: impl IntoIterator<Item = &'a String>) -> Vec<&'a str> {
    let most = (wanted.len() / 6).clamp(1, 3);
    let distance = |name: &str| strsim::damerau_levenshtein(&wanted.to_ascii_lowercase(), &name.to_ascii_lowercase());
    known.into_iter().map(String::as_str).filter(|name| (1..=most).contains(&distance(name))).collect()
}

#[cfg(test)]
mod tests {
    use super::mistyped;

    #[test]
    fn only_what_is_a_few_letters_apart_is_offered() {
        let known = ["my-instance-proxy", "my-cluster-proxy", "orders"].map(str::to_owned);
        assert_eq!(mistyped("my-instnce-proxy", &known), ["my-instance-proxy"]);
        assert_eq!(mistyped("MY-INSTANCE-PROXI", &known), ["my-instance-proxy"]);
        assert_eq!(mistyped("ordres", &known), ["orders"]);
        for other in ["my-clinic-proxy", "my-instance-proxy", "order-items", "x"] {
            assert!(mistyped(other, &known).is_empty(), "{other}");
        }
    }
}
