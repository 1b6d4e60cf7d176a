//! Second: which functions go back to the database, and what would be left at the proxy.

use crate::names::last_of_path;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::marked::Marked;
use crate::cloud::lambda::{Function, Variables};
use crate::cloud::{Answer, Cloud};
use crate::discover::Problem;
use crate::discover::home::Home;
use crate::discover::hosts::{HostKind, KnownHost, mentions, proxies_of};
use crate::engine::crowd;
use crate::resources::proxy::ProxyRemoval;
use crate::resources::release::{Aliases, Events};
use crate::resources::repoint::{Restoring, Rules};

/// Which functions go back, and what would be left.
pub(super) struct Back {
    /// The functions that go back to the database.
    pub(super) functions: Vec<Restoring>,
    /// What would be left at the proxy, and why it cannot be pointed elsewhere.
    pub(super) other_users: Vec<String>,
    /// The security groups of every function that uses the database, directly or through the proxy.
    pub(super) sources: BTreeSet<String>,
}

impl Back {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, stack: &Marked) -> Result<Self, Problem> {
        let way_back = Arc::new(rules(stack, &cloud.region));
        let listed = &stack.listed;
        let attached: Vec<&str> =
            stack.policies.iter().flat_map(|found| found.roles.iter().map(String::as_str)).collect();
        let attached = |function: &Function| attached.contains(&last_of_path(&function.role));
        let versions_of = |name: &str| listed.versions.as_ref().and_then(|all| all.get(name)).map(Vec::as_slice);
        let uses =
            |variables: &Variables| variables.0.values().any(|value| !mentions(value, &way_back.known).is_empty());
        let concerned = |function: &&Function| {
            let published = versions_of(&function.name).unwrap_or_default();
            uses(&function.variables) || published.iter().any(|version| uses(&version.variables)) || attached(function)
        };
        let mut sources = BTreeSet::new();
        for function in &listed.functions {
            let published = versions_of(&function.name).unwrap_or_default();
            let using = published.iter().filter(|version| uses(&version.variables));
            sources.extend(using.flat_map(|version| version.groups.iter().cloned()));
            let latest = uses(&function.variables).then_some(&function.security_groups);
            sources.extend(latest.into_iter().flatten().cloned());
        }
        let reads = listed.functions.iter().filter(concerned).map(|function| cloud.lambda.get(&function.name));
        let read: Answer<Vec<Option<Function>>> = crowd(reads.collect()).await.into_iter().collect();
        let read = read.map_err(Problem::refused("reading the functions"))?;
        let (events, mark) = (Events::default(), stack.names.version_mark());
        let looks = read.into_iter().flatten().map(async |function| {
            let mut found = way_back.of(function);
            let versions = versions_of(&found.function.name);
            found.aliases = Aliases::find(cloud, &found.function, &mark, &way_back, versions, &events).await?;
            Ok(found)
        });
        let looked: Answer<Vec<Restoring>> = crowd(looks.collect()).await.into_iter().collect();
        let looked = looked.map_err(Problem::refused("reading the functions' versions and aliases"))?;

        let mut back = Self { functions: Vec::new(), other_users: Vec::new(), sources };
        if let Some(found) = &stack.proxy {
            back.other_users.extend(found.other_users.iter().cloned());
            let vpc = &found.found.proxy.vpc;
            back.other_users.extend(listed.functions.iter().filter_map(|function| hidden(function, vpc)));
        }
        for found in looked {
            let granted = stack.policies.is_empty() || attached(&found.function);
            back.take(found, granted)?;
        }
        if way_back.adopted {
            // One that is only handed back serves its other users as before.
            back.other_users.clear();
        }
        Ok(back)
    }

    /// Sorts a function: what goes back, and what of it would be left.
    fn take(&mut self, mut found: Restoring, granted: bool) -> Result<(), Problem> {
        let name = found.function.name.clone();
        let moves = !found.is_empty();
        if let Some(why) = found.function.unread_tags.as_ref().filter(|_| moves) {
            return Err(unread_tags(&name, why));
        }
        self.other_users.extend(found.aliases.stuck.iter().map(|alias| format!("{name}:{alias}")));
        if !found.stuck.is_empty() {
            let held = found.stuck.join(", ");
            self.other_users.push(format!("{name} ({held}), because the database's host is no longer known"));
        }
        found.by_others = (!found.back.is_empty() && !granted)
            .then(|| "its role was never given the proxy's connect policy".to_owned());
        if moves {
            self.functions.push(found);
        }
        Ok(())
    }
}

/// Which hosts are the proxy's, and which take their place.
fn rules(stack: &Marked, region: &str) -> Rules {
    let (proxy, listed) = (stack.proxy.as_ref(), &stack.listed);
    let remembered = || {
        let found = &proxy?.found;
        Home::remembered(&found.tags, found.proxy.family, region)
    };
    let home = stack.home.clone().or_else(remembered);
    let mut ours = proxy.map(|found| found.hosts.clone()).unwrap_or_default();
    // A proxy that was deleted by hand left its host in the functions. One that is there and is not ours, or was handed
    // back, is its owner's, and so are its users.
    let may_be_left = proxy.is_some() || !stack.was_there;
    let published = listed.versions.iter().flat_map(BTreeMap::values).flatten();
    let values = listed.functions.iter().flat_map(|function| function.variables.0.values());
    let values = values.chain(published.flat_map(|version| version.variables.0.values()));
    for host in proxies_of(&stack.names.stack, region, values) {
        if may_be_left && !ours.iter().any(|known| known.name.eq_ignore_ascii_case(&host.name)) {
            ours.push(host);
        }
    }
    let mut known = stack.known.clone();
    known.extend(ours.iter().cloned());
    if let Some(home) = &home {
        let hosts = [Some(&home.writer), home.reader.as_ref()].into_iter().flatten();
        known.extend(hosts.map(|host| KnownHost { name: host.as_str().to_owned(), kind: HostKind::Writer }));
    }
    Rules { home, ours, known, adopted: proxy.is_some_and(ProxyRemoval::adopted) }
}

/// What a function remembers decides how it goes back, so tags that are not shown are no tags that are not there.
fn unread_tags(function: &str, why: &str) -> Problem {
    Problem::unfit(
        format!("reading the tags of the function ({function}): AWS does not show them: {why}"),
        ["They may say what its variables held. Allow lambda:ListTags on the functions to these credentials."],
    )
}

/// A function that may use the proxy unseen: AWS does not show its variables, and they were shown to the person who ran
/// `up`.
fn hidden(function: &Function, vpc: &str) -> Option<String> {
    function.hidden.as_ref().filter(|_| function.vpc.as_deref() == Some(vpc))?;
    Some(format!("perhaps {}, whose variables AWS does not show without kms:Decrypt on its key", function.name))
}
