//! Where functions connect: what the variables of the versions that are called name.
//!
//! A simplification: a function that has aliases is called through the first of them, by name, and through nothing
//! else; one that has none is called as `$LATEST`. Nothing that Lambda shows says how a function is really called.

use serde::{Deserialize, Serialize};

use super::Loads;
use crate::account::{Moment, World};
use crate::lambda::{Configuration, Function, LATEST};

/// How a function stood from a moment on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    /// Since when; none for ever.
    since: Option<Moment>,
    /// How the version that is called does.
    pub(super) route: Route,
    /// The other version of a weighted alias.
    #[serde(default)]
    pub(super) second: Option<Second>,
}

/// The second version of a weighted alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Second {
    /// The share of invocations that it is given.
    pub(super) weight: f64,
    /// How it stands.
    pub(super) route: Route,
}

/// What of a version of a function matters for its load.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Route {
    /// Whether it is there.
    pub(super) exists: bool,
    /// The version that runs.
    #[serde(default = "latest")]
    pub(super) version: String,
    /// What it connects to.
    pub(super) targets: Vec<Target>,
    /// Its reserved concurrency.
    pub(super) reserved: Option<u32>,
    /// The function's provisioned concurrency, all qualifiers together; a second version has none of it.
    pub(super) provisioned: u32,
    /// Its timeout in seconds.
    pub(super) timeout: u32,
    /// The maximum concurrency of its event sources, where all have one.
    pub(super) maximum: Option<u32>,
}

/// What was called in accounts that were stored before they knew of versions.
fn latest() -> String {
    LATEST.to_owned()
}

impl Route {
    /// Whether it leads to a proxy.
    pub(super) fn by_proxy(&self) -> bool {
        self.targets.iter().any(|target| matches!(target, Target::Proxy { .. }))
    }
}

/// Something to connect to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Target {
    /// An instance.
    Instance(String),
    /// A cluster's writer.
    Writer(String),
    /// A cluster's readers.
    Readers(String),
    /// An endpoint of a proxy.
    Proxy {
        /// The proxy.
        proxy: String,
        /// The endpoint, `default` for the proxy's own.
        endpoint: String,
        /// Whether it leads to readers.
        readers: bool,
    },
}

/// Remembers how each function stands now, where that has changed.
pub(super) fn observe(world: &mut World) {
    let mut seen = Vec::new();
    for name in world.loads.functions.keys() {
        let (route, second) = routes(world, name);
        let held = world.loads.routes.get(name).and_then(|seen| seen.last());
        if held.is_none_or(|held| held.route != route || held.second != second) {
            let since = held.map(|_| world.now);
            seen.push((name.clone(), Seen { since, route, second }));
        }
    }
    for (name, new) in seen {
        world.loads.routes.entry(name).or_default().push(new);
    }
}

impl Loads {
    /// How a function stood at a moment, in milliseconds since 1970.
    pub(super) fn seen(&self, function: &str, moment: i64) -> Option<&Seen> {
        let seen = self.routes.get(function)?;
        let begun = |seen: &&Seen| seen.since.is_none_or(|since| since.unix_signed() <= moment);
        seen.iter().rev().find(begun).filter(|seen| seen.route.exists)
    }

    /// When a function first connected to a target, in milliseconds since 1970.
    pub(super) fn first(&self, function: &str, of: impl Fn(&Target) -> bool) -> Option<i64> {
        let there = |route: &Route| route.targets.iter().any(&of);
        let seen = self.routes.get(function)?.iter().find(|seen| {
            let second = seen.second.as_ref();
            // A version without a share of the invocations is never called.
            second.is_none_or(|second| second.weight < 1.0) && there(&seen.route)
                || second.is_some_and(|second| second.weight > 0.0 && there(&second.route))
        })?;
        Some(seen.since.map_or(self.beginning(), Moment::unix_signed))
    }

    /// The versions between which a weighted alias of a function has divided invocations, in order.
    pub(crate) fn versions(&self, function: &str) -> Vec<&str> {
        let weighted = self.routes.get(function).into_iter().flatten();
        let pairs = weighted.filter_map(|seen| Some([&seen.route, &seen.second.as_ref()?.route]));
        let mut versions: Vec<&str> = pairs.flatten().map(|route| route.version.as_str()).collect();
        versions.sort_unstable();
        versions.dedup();
        versions
    }
}

/// How the version of a function that is called stands now, and the second one where its alias has weights.
pub(super) fn routes(world: &World, name: &str) -> (Route, Option<Second>) {
    let Some(function) = world.lambda.functions.get(name) else { return (Route::default(), None) };
    let first = function.aliases.iter().next();
    let called = first.and_then(|(alias, _)| function.version(Some(alias))).unwrap_or(&function.latest);
    let provisioned = function.provisioned.values().sum();
    // Lambda takes one additional version.
    let second = first.and_then(|(_, alias)| alias.weights.iter().next()).and_then(|(version, weight)| {
        Some(Second { weight: *weight, route: route(world, function, function.version(Some(version))?, 0) })
    });
    (route(world, function, called, provisioned), second)
}

fn route(world: &World, function: &Function, version: &Configuration, provisioned: u32) -> Route {
    let mut targets = Vec::new();
    for value in version.environment.iter().flat_map(|variables| variables.values()) {
        targets.extend(target(world, &value.to_ascii_lowercase()));
    }
    targets.sort();
    targets.dedup();
    let arn = &function.latest.arn;
    let sources: Vec<_> = world
        .lambda
        .mappings
        .iter()
        .filter(|mapping| mapping.enabled && mapping.function.strip_prefix(arn.as_str()).is_some_and(is_qualifier))
        .map(|mapping| mapping.maximum_concurrency)
        .collect();
    let maximum = sources.iter().copied().sum::<Option<u32>>().filter(|_| !sources.is_empty());
    Route {
        exists: true,
        version: version.version.clone(),
        targets,
        reserved: function.reserved,
        provisioned,
        timeout: version.timeout,
        maximum,
    }
}

fn is_qualifier(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(':')
}

/// What a variable's value names, if anything.
fn target(world: &World, value: &str) -> Option<Target> {
    // A host may stand alone or within a URL, and no host of RDS is the end of another one.
    let names = |host: &str| !host.is_empty() && value.contains(host);
    for (id, cluster) in &world.rds.clusters {
        if names(&cluster.endpoint) {
            return Some(Target::Writer(id.clone()));
        }
        if names(&cluster.reader_endpoint) || cluster.custom_endpoints.iter().any(|custom| names(&custom.endpoint)) {
            return Some(Target::Readers(id.clone()));
        }
    }
    let proxy = world.rds.proxies.iter().find(|(_, proxy)| names(&proxy.endpoint));
    let endpoint = world.rds.endpoints.iter().find(|(_, endpoint)| names(&endpoint.endpoint));
    let instance = world.rds.instances.iter().find(|(_, instance)| names(&instance.endpoint));
    match (proxy, endpoint, instance) {
        (Some((name, _)), ..) => {
            Some(Target::Proxy { proxy: name.clone(), endpoint: "default".to_owned(), readers: false })
        }
        (_, Some((name, endpoint)), _) => Some(Target::Proxy {
            proxy: endpoint.proxy.clone(),
            endpoint: name.clone(),
            readers: endpoint.role == "READ_ONLY",
        }),
        (.., Some((id, _))) => Some(Target::Instance(id.clone())),
        _ => None,
    }
}
