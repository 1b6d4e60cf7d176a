//! What a run may change: things that it made itself, and little else. Held after every call, over the whole account.

use std::collections::{BTreeMap, BTreeSet};

use rdsproxy_setup::spec::Spec;
use sandbox::parts::{Peer, Role};
use sandbox::{Request, World};
use serde_json::Value;

/// A place in the dump of an account.
type Place = Vec<String>;

/// What is known of an account under attack, and what was wrong so far.
#[derive(Debug)]
pub(crate) struct Watch {
    stack: String,
    database: String,
    now: Value,
    /// What runs created.
    ours: BTreeSet<Place>,
    /// What the attacker created.
    forged: BTreeSet<Place>,
    /// The rights that roles had in the beginning: inline policies, and what is attached.
    roles: BTreeMap<String, (BTreeMap<String, String>, BTreeSet<String>)>,
    /// The roles and groups of functions that ever held a host of the database or of its proxy: those are its clients.
    client_roles: BTreeSet<String>,
    groups: BTreeSet<String>,
    /// The ids that the proxy has had.
    proxies: BTreeSet<String>,
    users: BTreeSet<String>,
    secrets: BTreeSet<String>,
    pub(crate) wrong: Vec<String>,
}

impl Watch {
    /// An account before the first run, and what the operator's flags and the database say.
    pub(crate) fn new(world: &World, spec: &Spec) -> Self {
        let id = spec.database.id.as_str();
        let instance = world.rds.instances.get(id);
        let master = instance.and_then(|instance| instance.master_secret.clone());
        let own = master.into_iter().chain(["my-cluster/app".to_owned()].into_iter().filter(|_| instance.is_none()));
        let created = spec.create_secret.iter().flat_map(|wanted| &wanted.users);
        let created = created.map(|user| format!("rdsproxy-setup/{}/{user}", spec.stack));
        let groups = match instance {
            Some(instance) => &instance.groups,
            None => &world.rds.clusters[id].groups,
        };
        let user = if instance.is_some() { "admin" } else { "app" };
        let rights = |role: &Role| (role.inline.clone(), role.attached.iter().cloned().collect());
        let mut watch = Self {
            stack: spec.stack.clone(),
            database: id.to_owned(),
            now: world.dump(),
            ours: BTreeSet::new(),
            forged: BTreeSet::new(),
            roles: world.iam.roles.iter().map(|(name, role)| (name.clone(), rights(role))).collect(),
            client_roles: BTreeSet::new(),
            groups: groups.iter().cloned().collect(),
            proxies: BTreeSet::new(),
            users: BTreeSet::from([user.to_owned()]),
            secrets: own.chain(created).collect(),
            wrong: Vec::new(),
        };
        watch.learn(world);
        watch
    }

    /// Takes what the attacker did as it is.
    pub(crate) fn attacked(&mut self, world: &World) {
        let now = world.dump();
        for (place, was, _) in differences(&self.now, &now) {
            if was.is_none() && thing(&place) {
                self.forged.insert(place);
            }
        }
        self.now = now;
        self.learn(world);
    }

    /// Looks at what a call of a run did.
    pub(crate) fn after(&mut self, request: &Request, world: &World) {
        if let Some(name) =
            request.target.strip_prefix("/2015-03-31/functions/").and_then(|rest| rest.split_once("/invocations"))
        {
            let of_ours =
                self.ours.contains(&place(&["lambda", "functions", name.0.split("%3A").last().unwrap_or_default()]));
            if !of_ours {
                self.wrong.push(format!("a run calls {}", name.0));
            }
        }
        if !world.log.last().is_some_and(|call| call.mutating) {
            return;
        }
        let action = world.log.last().map(|call| call.action.clone()).unwrap_or_default();
        self.learn(world);
        let now = world.dump();
        for (place, was, is) in differences(&self.now, &now) {
            if was.is_none() && thing(&place) {
                self.forged.remove(&place);
                self.ours.insert(place);
            } else if !self.may_change(&place, was.as_ref(), is.as_ref()) {
                self.wrong.push(format!("{action}: /{}: {was:?} -> {is:?}", place.join("/")));
            }
        }
        self.now = now;
        let widened = self.widened(world);
        self.wrong.extend(widened.into_iter().map(|what| format!("{action}: {what}")));
    }

    /// What runs made and is still there, but for secrets in their last days.
    pub(crate) fn left(&self, world: &World) -> Vec<String> {
        let dump = world.dump();
        let there = |place: &&Place| {
            let mut at = &dump;
            for name in *place {
                let Some(next) = at.get(name) else { return false };
                at = next;
            }
            at["deletion"].is_null() && place[1] != "interfaces"
        };
        self.ours.iter().filter(there).map(|place| place.join("/")).collect()
    }

    fn of_ours(&self, place: &[String]) -> bool {
        (1..=place.len()).any(|length| self.ours.contains(&place[..length]) || self.forged.contains(&place[..length]))
    }

    fn may_change(&self, at: &[String], was: Option<&Value>, is: Option<&Value>) -> bool {
        if self.of_ours(at) {
            return true;
        }
        let parts: Vec<&str> = at.iter().map(String::as_str).collect();
        match parts.as_slice() {
            ["iam", "roles", _, "attached"] => {
                let list = |value: Option<&Value>| -> BTreeSet<String> {
                    let items = value.and_then(Value::as_array).into_iter().flatten();
                    items.filter_map(Value::as_str).map(str::to_owned).collect()
                };
                let (was, is) = (list(was), list(is));
                was.symmetric_difference(&is).all(|arn| self.ours.contains(&place(&["iam", "policies", arn])))
            }
            // AWS's own doing; and what law 10's look at every written value holds.
            ["ec2", "interfaces", ..]
            | ["rds", "events"]
            | ["lambda", "functions", _, "latest", "environment" | "update", ..] => true,
            ["lambda", "functions", name, "aliases", _, "version"] => {
                let of_ours = |value: Option<&Value>| {
                    let number = value.and_then(Value::as_str).unwrap_or_default();
                    self.of_ours(&place(&["lambda", "functions", name, "versions", number]))
                };
                of_ours(was) || of_ours(is)
            }
            ["lambda", "functions", _, "tags", key] => key.starts_with("rdsproxy-setup:"),
            ["rds", "instances" | "clusters" | "proxies", _, "tags", key] => {
                is.is_none() && key.starts_with("rdsproxy-setup:")
            }
            _ => false,
        }
    }

    fn learn(&mut self, world: &World) {
        let proxy = world.rds.proxies.get(&self.stack);
        let mut hosts: Vec<String> = Vec::new();
        hosts.extend(world.rds.instances.get(&self.database).map(|instance| instance.endpoint.clone()));
        if let Some(cluster) = world.rds.clusters.get(&self.database) {
            hosts.extend([cluster.endpoint.clone(), cluster.reader_endpoint.clone()]);
            hosts.extend(cluster.custom_endpoints.iter().map(|custom| custom.endpoint.clone()));
        }
        hosts.extend(proxy.map(|proxy| proxy.endpoint.clone()).filter(|host| !host.is_empty()));
        hosts.push(format!("{}.proxy-", self.stack));
        self.proxies.extend(proxy.map(|proxy| proxy.id.clone()));
        for function in world.lambda.functions.values() {
            let held = |value: &String| hosts.iter().any(|host| value.to_ascii_lowercase().contains(host));
            if function.latest.environment.iter().flatten().any(|(_, value)| held(value)) {
                self.client_roles.insert(function.latest.role.clone());
                self.groups.extend(function.latest.vpc.iter().flat_map(|vpc| vpc.groups.clone()));
            }
        }
    }

    /// What has more rights than it may.
    fn widened(&self, world: &World) -> Vec<String> {
        let mut wrong = Vec::new();
        let own_policy = |arn: &str| self.ours.contains(&place(&["iam", "policies", arn]));
        for (name, role) in &world.iam.roles {
            if self.ours.contains(&place(&["iam", "roles", name])) {
                if role.trust.contains("AWS") || !role.trust.contains("rds.amazonaws.com") || !role.attached.is_empty()
                {
                    wrong.push(format!("the proxy's role trusts {} and has {:?}", role.trust, role.attached));
                }
                wrong.extend(role.inline.values().flat_map(|text| self.beyond(world, text)));
                continue;
            }
            let Some((inline, attached)) = self.roles.get(name) else { continue };
            let more = role.attached.iter().filter(|arn| !attached.contains(*arn));
            let (granted, foreign): (Vec<&String>, Vec<&String>) = more.partition(|arn| own_policy(arn));
            if *inline != role.inline || !foreign.is_empty() {
                wrong.push(format!("{name} has {:?} and {foreign:?}", role.inline));
            }
            if !granted.is_empty() && !self.client_roles.contains(&role.arn) {
                wrong.push(format!("{name} has {granted:?}, and no function with it uses the database"));
            }
        }
        for (arn, policy) in world.iam.policies.iter().filter(|(arn, _)| own_policy(arn)) {
            for version in policy.versions.iter().filter(|version| version.number == policy.default) {
                wrong.extend(self.beyond(world, &version.document).into_iter().map(|what| format!("{arn}: {what}")));
            }
        }
        for (id, group) in &world.ec2.groups {
            let of_group = |id: &String| self.ours.contains(&place(&["ec2", "groups", id]));
            for (rule_id, rule) in &group.rules {
                if !self.ours.contains(&place(&["ec2", "groups", id, "rules", rule_id])) && !of_group(id) {
                    continue;
                }
                let Peer::Group(peer) = &rule.peer else {
                    // AWS gives a new group a rule that lets everything out.
                    if !rule.egress || !of_group(id) {
                        wrong.push(format!("{rule_id} of {}: {rule:?}", group.name));
                    }
                    continue;
                };
                let known = |id: &String| of_group(id) || self.groups.contains(id);
                let one_port = rule.protocol == "tcp" && rule.from_port == rule.to_port && rule.from_port > 0;
                if !one_port || !(of_group(id) || of_group(peer)) || !known(id) || !known(peer) {
                    wrong.push(format!("{rule_id} of {}: {rule:?}", group.name));
                }
            }
        }
        let proxy = world.rds.proxies.get(&self.stack);
        if let Some(proxy) = proxy.filter(|_| self.ours.contains(&place(&["rds", "proxies", &self.stack]))) {
            let other = proxy.auth.iter().filter(|auth| !self.is_secret(world, &auth.secret_arn));
            wrong.extend(other.map(|auth| format!("the proxy logs in with {}", auth.secret_arn)));
            if proxy.target_group.target.as_ref().is_some_and(|target| target.id != self.database) {
                wrong.push(format!("the proxy's target is {:?}", proxy.target_group.target));
            }
            if !proxy.role_arn.contains(":role/rdsproxy-setup/") {
                wrong.push(format!("the proxy's role is {}", proxy.role_arn));
            }
        }
        wrong
    }

    /// Whether an ARN is one of the secrets that the operator or the database name.
    fn is_secret(&self, world: &World, arn: &str) -> bool {
        let named =
            |name: &String| name == arn || world.secrets.secrets.get(name).is_some_and(|found| found.arn == arn);
        // One that ran out of its last days was of the same name.
        self.secrets.iter().any(named) || self.secrets.iter().any(|name| arn.contains(&format!(":secret:{name}-")))
    }

    /// What a document of ours allows beyond reading the secrets and logging in at the proxy as a known user.
    fn beyond(&self, world: &World, text: &str) -> Vec<String> {
        let document: Value = serde_json::from_str(text).unwrap();
        let mut wrong = Vec::new();
        let list = |value: &Value| match value {
            Value::Array(items) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            one => one.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>(),
        };
        for statement in document["Statement"].as_array().into_iter().flatten() {
            for (action, resource) in list(&statement["Action"])
                .iter()
                .flat_map(|action| list(&statement["Resource"]).into_iter().map(move |one| (action.clone(), one)))
            {
                let fits = match action.as_str() {
                    "secretsmanager:GetSecretValue" => self.is_secret(world, &resource),
                    "kms:Decrypt" => {
                        statement["Condition"].to_string().contains("kms:ViaService") && resource.contains(":key/")
                    }
                    "rds-db:connect" => resource.split_once(":dbuser:").is_some_and(|(_, rest)| {
                        rest.split_once('/')
                            .is_some_and(|(id, user)| self.proxies.contains(id) && self.users.contains(user))
                    }),
                    _ => false,
                };
                if !fits {
                    wrong.push(format!("{action} on {resource} is allowed"));
                }
            }
        }
        wrong
    }
}

fn place(parts: &[&str]) -> Place {
    parts.iter().map(|&part| part.to_owned()).collect()
}

/// Whether a place is a thing with a life of its own, and not a part of one.
fn thing(at: &[String]) -> bool {
    let parts: Vec<&str> = at.iter().map(String::as_str).collect();
    matches!(
        parts.as_slice(),
        ["rds", "proxies" | "endpoints", _]
            | ["iam", "roles" | "policies", _]
            | ["ec2", "groups" | "interfaces", _]
            | ["ec2", "groups", _, "rules", _]
            | ["lambda", "functions", _]
            | ["lambda", "functions", _, "versions", _]
            | ["secrets", "secrets", _]
    )
}

/// Where two dumps differ, each place with what was there and what is.
fn differences(was: &Value, is: &Value) -> Vec<(Place, Option<Value>, Option<Value>)> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), was, is, &mut found);
    found
}

fn compare(at: &mut Place, was: &Value, is: &Value, found: &mut Vec<(Place, Option<Value>, Option<Value>)>) {
    let (Value::Object(before), Value::Object(after)) = (was, is) else {
        if was != is {
            found.push((at.clone(), Some(was.clone()), Some(is.clone())));
        }
        return;
    };
    for name in before.keys().chain(after.keys().filter(|name| !before.contains_key(*name))) {
        at.push(name.clone());
        match (before.get(name), after.get(name)) {
            (Some(was), Some(is)) => compare(at, was, is, found),
            (was, is) => found.push((at.clone(), was.cloned(), is.cloned())),
        }
        at.pop();
    }
}
