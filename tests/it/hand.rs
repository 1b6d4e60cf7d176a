//! What people and other tools change by hand: fields of ours, and things of theirs beside ours.

use std::collections::BTreeMap;

use sandbox::World;
use sandbox::parts::{Auth, Function, Peer, Proxy, Role, Rule, Version};

/// One change of an account by hand; it tells whether there was anything to change.
pub(crate) type Edit = fn(&mut World, &Side) -> bool;

/// Whose things an edit is about.
pub(crate) struct Side {
    /// The database.
    pub(crate) database: &'static str,
    /// A function that uses it.
    pub(crate) function: &'static str,
    /// The variable that holds its host.
    pub(crate) variable: &'static str,
    /// The name of the database's group.
    pub(crate) group: &'static str,
}

pub(crate) const SIDES: [Side; 2] = [
    Side { database: "my-instance", function: "DBAppFunction", variable: "DB_HOST", group: "my-instance-db" },
    Side { database: "my-cluster", function: "ReportsFunction", variable: "DATABASE_URL", group: "my-cluster-db" },
];

impl Side {
    pub(crate) fn stack(&self) -> String {
        format!("{}-proxy", self.database)
    }

    fn role(&self) -> String {
        format!("{}-eu-central-1", self.stack())
    }

    fn proxy<'a>(&self, world: &'a mut World) -> Option<&'a mut Proxy> {
        world.rds.proxies.get_mut(&self.stack())
    }

    fn our_role<'a>(&self, world: &'a mut World) -> Option<&'a mut Role> {
        world.iam.roles.get_mut(&self.role())
    }

    fn function<'a>(&self, world: &'a mut World) -> Option<&'a mut Function> {
        world.lambda.functions.get_mut(self.function)
    }
}

fn group_id(world: &World, name: &str) -> Option<String> {
    world.ec2.groups.iter().find(|(_, group)| group.name == name).map(|(id, _)| id.clone())
}

/// Changes a function's configuration as a deployment does: with another revision.
pub(crate) fn deploy(function: &mut Function, change: impl FnOnce(&mut BTreeMap<String, String>)) {
    change(function.latest.environment.get_or_insert_default());
    function.latest.revision = format!("by-hand-{}", function.latest.revision);
}

fn without_our_rules(world: &mut World, side: &Side, name: &str) -> bool {
    let Some(id) = group_id(world, name) else { return false };
    let Some(group) = world.ec2.groups.get_mut(&id) else { return false };
    let before = group.rules.len();
    let stack = side.stack();
    group.rules.retain(|_, rule| rule.tags.get("rdsproxy-setup:stack") != Some(&stack));
    group.rules.len() < before
}

fn policy_edit(world: &mut World, side: &Side, change: impl FnOnce(&mut sandbox::parts::Policy)) -> bool {
    let name = format!("{}-connect", side.role());
    world.iam.policies.values_mut().find(|policy| policy.name == name).map(change).is_some()
}

/// Every single field of ours, changed by hand.
pub(crate) const OURS: &[(&str, Edit)] = &[
    ("the rule in the database's group removed", |world, side| without_our_rules(world, side, side.group)),
    ("the rules in the proxy's group removed", |world, side| without_our_rules(world, side, &side.stack())),
    ("the secret's policy narrowed", |world, side| {
        let edit = |role: &mut Role| {
            role.inline.insert("read-secrets".into(), r#"{"Version":"2012-10-17","Statement":[]}"#.into())
        };
        side.our_role(world).map(edit).is_some()
    }),
    ("the secret's policy removed", |world, side| {
        side.our_role(world).is_some_and(|role| role.inline.remove("read-secrets").is_some())
    }),
    ("the role's trust edited", |world, side| {
        side.our_role(world).map(|role| role.trust = role.trust.replace("rds.", "ec2.")).is_some()
    }),
    ("the connect policy's document edited", |world, side| {
        policy_edit(world, side, |policy| {
            let number = policy.next;
            let document = r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned();
            policy.versions.push(Version { number, document, created: policy.created });
            (policy.default, policy.next) = (number, number + 1);
        })
    }),
    ("the connect policy's mark removed", |world, side| {
        policy_edit(world, side, |policy| drop(policy.tags.remove("rdsproxy-setup:document")))
    }),
    ("the connect policy detached", |world, side| {
        let Some(role) = side.function(world).map(|found| found.latest.role.clone()) else { return false };
        let role = world.iam.roles.values_mut().find(|found| found.arn == role);
        let ours = format!("{}-connect", side.role());
        let before = role.as_ref().map_or(0, |role| role.attached.len());
        role.is_some_and(|role| {
            role.attached.retain(|arn| !arn.ends_with(&ours));
            role.attached.len() < before
        })
    }),
    ("the proxy's role changed", |world, side| {
        let other = world.iam.roles.get("ThumbnailFunctionRole").map(|role| role.arn.clone()).unwrap_or_default();
        side.proxy(world).map(|proxy| proxy.role_arn = other).is_some()
    }),
    ("the proxy's client authentication changed", |world, side| {
        let flip =
            |auth: &mut Auth| auth.iam_auth = if auth.iam_auth == "REQUIRED" { "DISABLED" } else { "REQUIRED" }.into();
        side.proxy(world).map(|proxy| proxy.auth.iter_mut().for_each(flip)).is_some()
    }),
    ("the target deregistered", |world, side| {
        side.proxy(world).is_some_and(|proxy| proxy.target_group.target.take().is_some())
    }),
    ("the variable put back", |world, side| {
        let host = match world.rds.instances.get(side.database) {
            Some(instance) => instance.endpoint.clone(),
            None => world.rds.clusters[side.database].endpoint.clone(),
        };
        let Some(proxy) = side.proxy(world).map(|proxy| proxy.endpoint.clone()) else { return false };
        let Some(function) = side.function(world) else { return false };
        let mut found = false;
        deploy(function, |all| {
            let Some(value) = all.get_mut(side.variable) else { return };
            found = value.contains(&proxy);
            *value = value.replace(&proxy, &host);
        });
        found
    }),
    ("the proxy deleted", |world, side| {
        let Some(proxy) = world.rds.proxies.remove(&side.stack()) else { return false };
        let mut owners = vec![format!("db-proxy:{}", proxy.id)];
        // Its further endpoints go with it.
        world.rds.endpoints.retain(|_, endpoint| {
            let stays = endpoint.proxy != side.stack();
            owners.extend((!stays).then(|| format!("db-proxy-endpoint:{}", endpoint.id)));
            stays
        });
        world.ec2.interfaces.retain(|_, interface| !owners.contains(&interface.owner));
        true
    }),
    ("the connect policy deleted", |world, side| {
        let ours = format!("{}-connect", side.role());
        for role in world.iam.roles.values_mut() {
            role.attached.retain(|arn| !arn.ends_with(&ours));
        }
        let before = world.iam.policies.len();
        world.iam.policies.retain(|_, policy| policy.name != ours);
        world.iam.policies.len() < before
    }),
    ("the proxy's role deleted", |world, side| world.iam.roles.remove(&side.role()).is_some()),
];

fn rule(port: i64, cidr: &str) -> Rule {
    Rule {
        egress: false,
        protocol: "tcp".to_owned(),
        from_port: port,
        to_port: port,
        peer: Peer::Cidr(cidr.to_owned()),
        description: Some("by hand".to_owned()),
        tags: BTreeMap::from([("team".to_owned(), "network".to_owned())]),
    }
}

fn tag(tags: &mut BTreeMap<String, String>) {
    tags.insert("cost-centre".to_owned(), "4711".to_owned());
}

/// Things of others, on what is not ours.
pub(crate) const THEIRS: &[(&str, Edit)] = &[
    ("a variable added", |world, side| {
        side.function(world).map(|found| deploy(found, |all| drop(all.insert("FEATURE".into(), "on".into())))).is_some()
    }),
    ("a variable edited", |world, side| {
        side.function(world)
            .map(|found| deploy(found, |all| drop(all.insert("LOG_LEVEL".into(), "debug".into()))))
            .is_some()
    }),
    ("a variable named like our marks added", |world, side| {
        side.function(world)
            .map(|found| deploy(found, |all| drop(all.insert("next".into(), "events".into()))))
            .is_some()
    }),
    ("a tag on the function", |world, side| side.function(world).map(|found| tag(&mut found.tags)).is_some()),
    ("a rule in the database's group", |world, side| {
        let Some(id) = group_id(world, side.group) else { return false };
        world
            .ec2
            .groups
            .get_mut(&id)
            .map(|group| group.rules.insert("sgr-0f0f0f0f0f0f0f0f0".into(), rule(22, "10.0.0.0/8")))
            .is_some()
    }),
    ("a tag on the database's group", |world, side| {
        let Some(id) = group_id(world, side.group) else { return false };
        world.ec2.groups.get_mut(&id).map(|group| tag(&mut group.tags)).is_some()
    }),
    ("a policy on the function's role", |world, side| {
        let Some(arn) = side.function(world).map(|found| found.latest.role.clone()) else { return false };
        let role = world.iam.roles.values_mut().find(|role| role.arn == arn);
        role.map(|role| role.inline.insert("theirs".into(), r#"{"Version":"2012-10-17","Statement":[]}"#.into()))
            .is_some()
    }),
    ("a group beside ours", |world, side| {
        let Some(id) = group_id(world, side.group) else { return false };
        let mut group = world.ec2.groups[&id].clone();
        (group.name, group.rules) = ("theirs".to_owned(), BTreeMap::new());
        world.ec2.groups.insert("sg-0e0e0e0e0e0e0e0e0".to_owned(), group);
        true
    }),
];

/// Things of others, on what is ours: they stay as long as the thing itself.
pub(crate) const ON_OURS: &[(&str, Edit)] = &[
    ("a tag on the proxy", |world, side| side.proxy(world).map(|proxy| tag(&mut proxy.tags)).is_some()),
    ("a tag on the proxy's role", |world, side| side.our_role(world).map(|role| tag(&mut role.tags)).is_some()),
    ("a tag on the connect policy", |world, side| policy_edit(world, side, |policy| tag(&mut policy.tags))),
    ("a rule in the proxy's group", |world, side| {
        let Some(id) = group_id(world, &side.stack()) else { return false };
        world
            .ec2
            .groups
            .get_mut(&id)
            .map(|group| group.rules.insert("sgr-0d0d0d0d0d0d0d0d0".into(), rule(3306, "10.0.7.0/24")))
            .is_some()
    }),
    ("a tag on the proxy's group", |world, side| {
        let Some(id) = group_id(world, &side.stack()) else { return false };
        world.ec2.groups.get_mut(&id).map(|group| tag(&mut group.tags)).is_some()
    }),
    ("a group beside ours on the proxy", |world, side| {
        let Some(id) = group_id(world, "app-functions") else { return false };
        side.proxy(world).map(|proxy| proxy.groups.push(id)).is_some()
    }),
    ("the pool set", |world, side| {
        side.proxy(world).map(|proxy| proxy.target_group.max_connections_percent = 42).is_some()
    }),
];
