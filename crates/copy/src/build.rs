//! From facts to an account.

mod databases;
mod denials;
mod functions;
mod groups;
mod health;
mod interfaces;
mod kms;
mod managed;
mod network;
mod others;
mod policies;
mod proxies;
mod roles;
mod secrets;
mod served;
mod stubs;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};

use sandbox::World;
use serde_json::Value;

pub(crate) use denials::Asks;
pub use denials::REHEARSER;

use crate::facts::{Facts, Kind, Thing};
use crate::hear::{Gap, Variables};
use crate::mask::{Masks, STACK};
use crate::read;

/// An account that is being built.
pub(crate) struct Build<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) world: World,
    pub(crate) gaps: BTreeSet<Gap>,
    pub(crate) masks: Masks,
    pub(crate) keep: &'a dyn Fn(&str, &Variables) -> Variables,
}

/// Builds an account of all that was heard.
pub(crate) fn build(
    facts: &Facts,
    asks: &Asks,
    region: &str,
    keep: &dyn Fn(&str, &Variables) -> Variables,
) -> (World, BTreeSet<Gap>) {
    let mut build = Build {
        facts,
        world: World { region: region.to_owned(), ..World::empty() },
        gaps: BTreeSet::new(),
        masks: Masks::of(descriptions(facts), stacks(facts)),
        keep,
    };
    let caller = others::caller(&mut build);
    network::build(&mut build);
    groups::build(&mut build);
    databases::build(&mut build);
    proxies::build(&mut build);
    functions::build(&mut build);
    policies::build(&mut build);
    roles::build(&mut build);
    secrets::build(&mut build);
    kms::build(&mut build);
    others::build(&mut build);
    managed::build(&mut build);
    served::build(&mut build);
    stubs::build(&mut build);
    interfaces::build(&mut build);
    verdicts::build(&mut build);
    health::build(&mut build);
    denials::build(&mut build, asks, &caller);
    others::simplified(&mut build);
    (build.world, build.gaps)
}

impl Build<'_> {
    /// Says that something is not as it is in the real account.
    pub(crate) fn gap(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.gaps.insert(Gap { what: what.into(), why: why.into() });
    }

    /// A description as the copy has it; none for an empty one.
    pub(crate) fn described(&self, thing: &Thing, member: &str) -> Option<String> {
        read::text(thing, member).map(|text| self.masks.description(text))
    }

    /// Tags as the copy has them.
    pub(crate) fn tags(&self, value: Option<&Value>) -> BTreeMap<String, String> {
        self.masks.tags(&read::tags(value))
    }

    /// `arn:aws:rds:eu-central-1:123456789012:…`.
    pub(crate) fn arn(&self, service: &str, rest: &str) -> String {
        let World { partition, region, account, .. } = &self.world;
        format!("arn:{partition}:{service}:{region}:{account}:{rest}")
    }

    /// Seventeen digits that depend on the account, the region and a text: as the simulated account makes its own.
    pub(crate) fn digits(&self, text: &str) -> String {
        self.world.hash(text)
    }
}

/// The names of this tool's stacks: a proxy has the name of its stack, and what belongs to one says so in a tag.
fn stacks(facts: &Facts) -> BTreeSet<String> {
    const TAGGED: [(Kind, &str); 11] = [
        (Kind::RdsTags, "TagList"),
        (Kind::Instance, "TagList"),
        (Kind::Cluster, "TagList"),
        (Kind::Role, "Tags"),
        (Kind::Policy, "Tags"),
        (Kind::Group, "tagSet"),
        (Kind::Rule, "tagSet"),
        (Kind::FunctionTags, "Tags"),
        (Kind::Secret, "Tags"),
        (Kind::LogTags, "tags"),
        (Kind::AlarmTags, "Tags"),
    ];
    let tags =
        TAGGED.into_iter().flat_map(|(kind, member)| facts.parts(kind).map(move |(_, _, thing)| thing.get(member)));
    let tagged = tags.filter_map(|tags| read::tags(tags).remove(STACK));
    tagged.chain(facts.all(Kind::Proxy).map(|(name, _)| name.to_owned())).collect()
}

/// Every description that was heard, and every value of a tag that may be one.
fn descriptions(facts: &Facts) -> impl Iterator<Item = &str> {
    const HOLDERS: [(Kind, &str); 10] = [
        (Kind::Version, "Description"),
        (Kind::Alias, "Description"),
        (Kind::Group, "groupDescription"),
        (Kind::Rule, "description"),
        (Kind::Interface, "description"),
        (Kind::Secret, "Description"),
        (Kind::Key, "Description"),
        (Kind::Role, "Description"),
        (Kind::Policy, "Description"),
        (Kind::Alarm, "AlarmDescription"),
    ];
    // These stand in lists of what they belong to.
    let auth = facts.parts(Kind::Proxy).flat_map(|(_, _, proxy)| read::list(proxy, "Auth"));
    let auth = auth.filter_map(|auth| read::part(auth, "Description"));
    let permissions = facts.parts(Kind::Group).flat_map(|(_, _, group)| {
        ["ipPermissions", "ipPermissionsEgress"].into_iter().flat_map(|member| read::list(group, member))
    });
    let peers = permissions.flat_map(|permission| {
        ["groups", "ipRanges", "ipv6Ranges", "prefixListIds"].into_iter().flat_map(|list| read::items(permission, list))
    });
    let peers = peers.filter_map(|peer| read::part(peer, "description"));
    let own = HOLDERS
        .into_iter()
        .flat_map(|(kind, member)| facts.parts(kind).filter_map(move |(_, _, thing)| read::text(thing, member)));
    own.chain(auth).chain(peers)
}
