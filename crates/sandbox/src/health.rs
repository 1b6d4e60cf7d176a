//! Whether a proxy can serve an instance: computed from the account as it is.

use super::account::{Moment, Need, World};
use super::policy::{self, Decision};
use super::rds::{Instance, Proxy, Status, Target, Trouble, targets};
use super::{ec2, iam, secrets};

/// A target's health as `DescribeDBProxyTargets` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Health {
    /// `REGISTERING`, `UNAVAILABLE`, `AVAILABLE`.
    pub(super) state: &'static str,
    /// AWS leaves it out for its "internal error".
    pub(super) reason: Option<&'static str>,
    /// A sentence.
    pub(super) description: Option<&'static str>,
}

const AVAILABLE: Health = Health { state: "AVAILABLE", reason: None, description: None };
const REGISTERING: Health = Health { state: "REGISTERING", reason: None, description: None };
const PENDING: Health = Health {
    state: "UNAVAILABLE",
    reason: Some("PENDING_PROXY_CAPACITY"),
    description: Some("DBProxy Target is waiting for proxy to scale to desired capacity"),
};
const AUTH_FAILURE: Health = Health {
    state: "UNAVAILABLE",
    reason: Some("AUTH_FAILURE"),
    description: Some("Proxy does not have any registered credentials"),
};
const UNREACHABLE: Health =
    Health { state: "UNAVAILABLE", reason: Some("UNREACHABLE"), description: Some("DBProxy Target is unreachable") };
const CONNECTION_FAILED: Health = Health {
    state: "UNAVAILABLE",
    reason: Some("CONNECTION_FAILED"),
    description: Some("DBProxy Target connection failed"),
};
const PROMOTED: Health =
    Health { state: "UNAVAILABLE", reason: Some("PROMOTED"), description: Some("DBProxy Target was promoted") };
/// What a gap between security groups looks like: no reason, and a sentence that says nothing.
const INTERNAL: Health = Health {
    state: "UNAVAILABLE",
    reason: None,
    description: Some("DBProxy Target unavailable due to an internal error"),
};

/// The health of one instance of a proxy's target.
pub(super) fn of(world: &World, proxy: &Proxy, target: &Target, instance: &str, now: Moment) -> Health {
    let on_its_way = matches!(proxy.status, Status::Creating(..));
    if on_its_way || now < target.registered + world.profile.target_registering {
        return REGISTERING;
    }
    let capacity = proxy.ready.max(target.registered) + world.profile.target_capacity;
    if now < capacity {
        return PENDING;
    }
    if let Some(trouble) = trouble(world, proxy, target, instance, now) {
        return shown(trouble);
    }
    match target.troubled.get(instance) {
        // The proxy looks again now and then: a fix shows after a while.
        Some((last, _)) if *last < capacity && now < *last + world.profile.target_recovery => PENDING,
        Some((last, trouble)) if now < *last + world.profile.target_recovery => shown(*trouble),
        _ => AVAILABLE,
    }
}

/// Remembers for every target whether something keeps it from serving at this moment.
pub(super) fn observe(world: &mut World, now: Moment) {
    let mut troubled = Vec::new();
    for (name, proxy) in &world.rds.proxies {
        let Some(target) = &proxy.target_group.target else { continue };
        for (id, _, _) in targets::instances(world, target) {
            if let Some(trouble) = trouble(world, proxy, target, id, now) {
                troubled.push((name.clone(), id.to_owned(), trouble));
            }
        }
    }
    for (name, id, trouble) in troubled {
        if let Some(target) = world.rds.proxies.get_mut(&name).and_then(|proxy| proxy.target_group.target.as_mut()) {
            target.troubled.insert(id, (now, trouble));
        }
    }
}

fn shown(trouble: Trouble) -> Health {
    match trouble {
        Trouble::Capacity => PENDING,
        Trouble::Credentials => AUTH_FAILURE,
        Trouble::Unreachable => UNREACHABLE,
        Trouble::Blocked => INTERNAL,
        Trouble::Refused => CONNECTION_FAILED,
        Trouble::Promoted => PROMOTED,
    }
}

/// What keeps an instance from being served, if anything.
fn trouble(world: &World, proxy: &Proxy, target: &Target, id: &str, now: Moment) -> Option<Trouble> {
    let instance = world.rds.instances.get(id)?;
    let cluster = target.cluster.then(|| world.rds.clusters.get(&target.id)).flatten();
    // A floor under one ACU is not enough for the proxy to reach its capacity.
    if cluster.and_then(|cluster| cluster.serverless).is_some_and(|(floor, _)| floor < 10) {
        return Some(Trouble::Capacity);
    }
    if !signs_in(world, proxy, target, id, now) {
        return Some(Trouble::Credentials);
    }
    if !serves(&instance.status) || cluster.is_some_and(|cluster| !serves(&cluster.status)) {
        return Some(Trouble::Unreachable);
    }
    if !ec2::reaches(world, &proxy.groups, &instance.groups, instance.port) {
        return Some(Trouble::Blocked);
    }
    let routed = ec2::acls_pass(world, &proxy.subnets, &subnets(world, instance), instance.port);
    if routed { instance.is_unhealthy } else { Some(Trouble::Unreachable) }
}

/// The subnets that an instance can be in: its group's in its zone.
fn subnets(world: &World, instance: &Instance) -> Vec<String> {
    let all = world.rds.subnet_groups.get(&instance.subnet_group).map_or(&[][..], |group| group.subnets.as_slice());
    let here = |id: &&String| world.ec2.subnets.get(*id).is_some_and(|subnet| subnet.zone == instance.zone);
    let own: Vec<String> = all.iter().filter(here).cloned().collect();
    if own.is_empty() { all.to_vec() } else { own }
}

fn serves(status: &str) -> bool {
    matches!(
        status,
        "available"
            | "modifying"
            | "backing-up"
            | "upgrading"
            | "maintenance"
            | "storage-optimization"
            | "configuring-enhanced-monitoring"
            | "configuring-log-exports"
            | "configuring-iam-database-auth"
    )
}

/// Whether the proxy has the credentials of at least one user.
fn signs_in(world: &World, proxy: &Proxy, target: &Target, id: &str, now: Moment) -> bool {
    if !iam::role(world, &proxy.role_arn).is_some_and(|role| role.assumable_by(world, "rds.amazonaws.com", now)) {
        return false;
    }
    let allowed = |action: &str, resource: &str| {
        let need = Need {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: std::collections::BTreeMap::new(),
        };
        iam::decide(world, &proxy.role_arn, &need, now) == Decision::Allowed
    };
    if proxy.default_auth_scheme == "IAM_AUTH" {
        let resource_id = if target.cluster {
            world.rds.clusters.get(&target.id).filter(|cluster| cluster.iam_auth).map(|cluster| &cluster.resource_id)
        } else {
            world.rds.instances.get(id).filter(|instance| instance.iam_auth).map(|instance| &instance.resource_id)
        };
        if let Some(resource_id) = resource_id {
            let any = iam_users(&iam::documents(world, &proxy.role_arn, now), resource_id);
            if any
                .iter()
                .any(|user| allowed("rds-db:connect", &world.arn("rds-db", &format!("dbuser:{resource_id}/{user}"))))
            {
                return true;
            }
        }
    }
    proxy.auth.iter().any(|auth| {
        // A secret is usable when it is JSON that names a user and a password, whatever else it holds.
        let usable = secrets::find(world, &auth.secret_arn).is_some_and(|secret| secret.user().is_some());
        usable && secrets::may_read(world, &auth.secret_arn, &proxy.role_arn, now)
    })
}

/// The database users that a role's policies name for a database; a star stands for any one of them.
fn iam_users(documents: &[serde_json::Value], resource_id: &str) -> Vec<String> {
    documents
        .iter()
        .flat_map(policy::statements)
        .filter_map(|statement| statement.get("Resource"))
        .flat_map(|resource| match resource {
            serde_json::Value::Array(items) => items.clone(),
            one => vec![one.clone()],
        })
        .filter_map(|resource| resource.as_str().map(str::to_owned))
        .filter(|arn| arn == "*" || arn.contains(resource_id) || arn.ends_with(":dbuser:*"))
        .map(|arn| arn.rsplit_once('/').map_or("any", |(_, user)| user).replace('*', "any"))
        .collect()
}
