//! Writes of someone with exactly one right, drawn by chance, and sent through the account's own checks.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::Index;
use sandbox::{Principal, Reply, World};
use serde_json::{Value, json};

use crate::forgeries::{pointed_keys, pointed_values, tag_keys, values};
use crate::hand::Side;
use crate::hijacks::zip;
use crate::hostile::{KEY, request};

/// What the attacker may do. Each is one right, with what AWS demands besides for the very same call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    TagFunctions,
    OneFunction,
    CreateFunctions,
    PublishVersions,
    TagRoles,
    TagPolicies,
    TagNetwork,
    TagDatabases,
    TagSecrets,
    CreateSecrets,
    CreateAliases,
}

/// The functions of which a developer may have one.
pub(crate) const FUNCTIONS: [&str; 5] =
    ["DBAppFunction", "InvoiceFunction", "OrdersFunction", "ReportsFunction", "WebhookFunction"];

impl Right {
    fn actions(self) -> &'static [&'static str] {
        match self {
            Self::TagFunctions => &["lambda:TagResource"],
            Self::OneFunction => &["lambda:UpdateFunctionConfiguration", "ec2:Describe*"],
            Self::CreateFunctions => &["lambda:CreateFunction", "lambda:TagResource", "iam:PassRole", "ec2:Describe*"],
            Self::PublishVersions => &["lambda:PublishVersion"],
            Self::TagRoles => &["iam:TagRole"],
            Self::TagPolicies => &["iam:TagPolicy"],
            Self::TagNetwork => &["ec2:CreateTags"],
            Self::TagDatabases => &["rds:AddTagsToResource"],
            Self::TagSecrets => &["secretsmanager:TagResource"],
            Self::CreateSecrets => &["secretsmanager:CreateSecret", "secretsmanager:TagResource"],
            Self::CreateAliases => &["kms:CreateAlias"],
        }
    }

    /// Lets the attacker do this and nothing else; of functions, the one of the developer alone.
    pub(crate) fn grant(self, world: &mut World, function: &str) {
        let allow =
            |actions: &[&str], resource: &str| json!({"Effect": "Allow", "Action": actions, "Resource": resource});
        let statements = match (self, self.actions()) {
            (Self::OneFunction, [write, read]) => {
                let arn = &world.lambda.functions[function].latest.arn;
                vec![allow(&[write], arn), allow(&[read], "*")]
            }
            (_, actions) => vec![allow(actions, "*")],
        };
        let policy = json!({"Version": "2012-10-17", "Statement": statements});
        let arn = "arn:aws:iam::123456789012:user/attacker".to_owned();
        world.principals.insert(KEY.to_owned(), Principal { arn, policies: Some(vec![policy]) });
    }
}

/// One write, whatever the right: what it is on, and what it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Write {
    thing: Index,
    key: Index,
    value: Index,
    form: Index,
}

pub(crate) fn write() -> impl Strategy<Value = Write> {
    any::<[Index; 4]>().prop_map(|[thing, key, value, form]| Write { thing, key, value, form })
}

/// What carries tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Thing {
    Function(String),
    Role(String),
    Policy(String),
    Group(String),
    Rule(String, String),
    Instance(String),
    Cluster(String),
    Proxy(String),
    Endpoint(String),
    Secret(String),
}

impl Thing {
    fn all(world: &World, right: Right) -> Vec<Self> {
        let mut all = Vec::new();
        match right {
            Right::TagFunctions => all.extend(world.lambda.functions.keys().cloned().map(Self::Function)),
            Right::TagRoles => all.extend(world.iam.roles.keys().cloned().map(Self::Role)),
            Right::TagPolicies => {
                // Nobody tags AWS's own.
                let customers = world.iam.policies.keys().filter(|arn| !arn.contains(":aws:policy/"));
                all.extend(customers.cloned().map(Self::Policy));
            }
            Right::TagNetwork => {
                for (id, group) in &world.ec2.groups {
                    all.push(Self::Group(id.clone()));
                    all.extend(group.rules.keys().map(|rule| Self::Rule(id.clone(), rule.clone())));
                }
            }
            Right::TagDatabases => {
                // Most of what is remembered stands on the proxy.
                for _ in 0..3 {
                    all.extend(world.rds.proxies.keys().cloned().map(Self::Proxy));
                }
                all.extend(world.rds.endpoints.keys().cloned().map(Self::Endpoint));
                all.extend(world.rds.instances.keys().cloned().map(Self::Instance));
                all.extend(world.rds.clusters.keys().cloned().map(Self::Cluster));
            }
            Right::TagSecrets => all.extend(world.secrets.secrets.keys().cloned().map(Self::Secret)),
            _ => {}
        }
        all
    }

    pub(crate) fn tags<'a>(&self, world: &'a mut World) -> Option<&'a mut BTreeMap<String, String>> {
        let (rds, groups) = (&mut world.rds, &mut world.ec2.groups);
        match self {
            Self::Function(name) => world.lambda.functions.get_mut(name).map(|found| &mut found.tags),
            Self::Role(name) => world.iam.roles.get_mut(name).map(|found| &mut found.tags),
            Self::Policy(arn) => world.iam.policies.get_mut(arn).map(|found| &mut found.tags),
            Self::Group(id) => groups.get_mut(id).map(|found| &mut found.tags),
            Self::Rule(id, rule) => groups.get_mut(id)?.rules.get_mut(rule).map(|found| &mut found.tags),
            Self::Instance(id) => rds.instances.get_mut(id).map(|found| &mut found.tags),
            Self::Cluster(id) => rds.clusters.get_mut(id).map(|found| &mut found.tags),
            Self::Proxy(name) => rds.proxies.get_mut(name).map(|found| &mut found.tags),
            Self::Endpoint(name) => rds.endpoints.get_mut(name).map(|found| &mut found.tags),
            Self::Secret(name) => world.secrets.secrets.get_mut(name).map(|found| &mut found.tags),
        }
    }

    fn tag(&self, world: &mut World, key: &str, value: &str) -> bool {
        let of_rds = |kind: &str, id: &str| format!("arn:aws:rds:eu-central-1:123456789012:{kind}:{id}");
        let rds = |arn: &str| {
            vec![
                ("ResourceName".to_owned(), arn.to_owned()),
                tag("Tags.Tag.1.Key", key),
                tag("Tags.Tag.1.Value", value),
            ]
        };
        let iam = |name: &str, of: &str| {
            vec![(name.to_owned(), of.to_owned()), tag("Tags.member.1.Key", key), tag("Tags.member.1.Value", value)]
        };
        match self {
            Self::Function(name) => {
                let arn = world.lambda.functions[name].latest.arn.replace(':', "%3A");
                let body = json!({"Tags": {key: value}}).to_string();
                send(world, "lambda", "POST", &format!("/2017-03-31/tags/{arn}"), &[], body)
            }
            Self::Role(name) => query(world, "iam", "TagRole", &iam("RoleName", name)),
            Self::Policy(arn) => query(world, "iam", "TagPolicy", &iam("PolicyArn", arn)),
            Self::Group(id) | Self::Rule(_, id) => {
                let ec2 = [tag("ResourceId.1", id), tag("Tag.1.Key", key), tag("Tag.1.Value", value)];
                query(world, "ec2", "CreateTags", &ec2)
            }
            Self::Instance(id) => query(world, "rds", "AddTagsToResource", &rds(&of_rds("db", id))),
            Self::Cluster(id) => query(world, "rds", "AddTagsToResource", &rds(&of_rds("cluster", id))),
            Self::Proxy(name) => {
                let id = world.rds.proxies[name].id.clone();
                query(world, "rds", "AddTagsToResource", &rds(&of_rds("db-proxy", &id)))
            }
            Self::Endpoint(name) => {
                let id = world.rds.endpoints[name].id.clone();
                query(world, "rds", "AddTagsToResource", &rds(&of_rds("db-proxy-endpoint", &id)))
            }
            Self::Secret(name) => {
                let body = json!({"SecretId": name, "Tags": [{"Key": key, "Value": value}]});
                json_call(world, "secretsmanager", "TagResource", &body)
            }
        }
    }
}

fn tag(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// How a write is taken back when the attacker is gone.
#[derive(Debug, Clone)]
pub(crate) enum Undo {
    Tag(Thing, String, Option<String>),
    Function(String),
    Created(String),
    Secret(String),
    Alias(String),
}

impl Undo {
    pub(crate) fn take_back(self, world: &mut World, start: &World) {
        match self {
            Self::Tag(thing, key, before) => {
                let Some(tags) = thing.tags(world) else { return };
                match before {
                    Some(value) => drop(tags.insert(key, value)),
                    None => drop(tags.remove(&key)),
                }
            }
            Self::Function(name) => {
                let (Some(now), Some(then)) =
                    (world.lambda.functions.get_mut(&name), start.lambda.functions.get(&name))
                else {
                    return;
                };
                now.latest.environment.clone_from(&then.latest.environment);
                now.latest.vpc.clone_from(&then.latest.vpc);
                let owner = format!("lambda:{name}");
                for interface in world.ec2.interfaces.values_mut().filter(|interface| interface.owner == owner) {
                    interface.groups = then.latest.vpc.iter().flat_map(|vpc| vpc.groups.clone()).collect();
                }
                now.latest.description.clone_from(&then.latest.description);
                now.latest.revision = format!("taken-back-{}", now.latest.revision);
            }
            Self::Created(name) => {
                world.lambda.functions.remove(&name);
                world.ec2.interfaces.retain(|_, interface| interface.owner != format!("lambda:{name}"));
            }
            Self::Secret(name) => drop(world.secrets.secrets.remove(&name)),
            Self::Alias(name) => drop(world.kms.aliases.remove(&name)),
        }
    }
}

impl Write {
    /// Sends it; tells how it is taken back where the account let it pass.
    pub(crate) fn send(self, world: &mut World, right: Right, side: &Side, function: &str) -> Option<Undo> {
        let values = values(world, side);
        let value = values[self.value.index(values.len())].as_str();
        let pick = |of: &[&str]| of[self.key.index(of.len())].to_owned();
        match right {
            Right::OneFunction => {
                let written = self.configure(world, function, value, &values);
                written.then(|| Undo::Function(function.to_owned()))
            }
            Right::CreateFunctions => {
                let stack = side.stack();
                let name =
                    pick(&["Attacker", "rdsproxy-setup-probe-my-instance-proxy-0123456789abcdef", "DBAppFunction2"]);
                let vpc = &world.lambda.functions["WebhookFunction"].latest.vpc.clone()?;
                let body = json!({
                    "FunctionName": name, "Runtime": "python3.13", "Handler": "handler.handler", "Code": {"ZipFile": zip()},
                    "Role": world.lambda.functions["WebhookFunction"].latest.role, "Publish": true,
                    "Description": format!("rdsproxy-setup {stack}"),
                    "VpcConfig": {"SubnetIds": vpc.subnets, "SecurityGroupIds": vpc.groups},
                    "Environment": {"Variables": {"DB_HOST": value, "DB_USER": values[self.form.index(values.len())]}},
                    "Tags": {"rdsproxy-setup:stack": stack, "rdsproxy-setup:probe": "DBAppFunction"},
                });
                let done = send(world, "lambda", "POST", "/2015-03-31/functions", &[], body.to_string());
                done.then_some(Undo::Created(name))
            }
            Right::PublishVersions => {
                let name = FUNCTIONS[self.thing.index(FUNCTIONS.len())];
                let mark = format!("rdsproxy-setup {}", side.stack());
                let description =
                    pick(&[&mark, &format!("{mark}: live was 1"), &format!("{mark}: live was {value}"), value]);
                let body = json!({"Description": description}).to_string();
                send(world, "lambda", "POST", &format!("/2015-03-31/functions/{name}/versions"), &[], body);
                None
            }
            Right::CreateSecrets => {
                let stack = side.stack();
                let name = pick(&[
                    &format!("rdsproxy-setup/{stack}/app"),
                    &format!("rdsproxy-setup/{stack}/admin"),
                    "my-instance/app",
                ]);
                let text = json!({"username": value, "password": "the attacker's", "host": value}).to_string();
                let tags = json!([
                    {"Key": "rdsproxy-setup:stack", "Value": stack}, {"Key": "rdsproxy-setup:database", "Value": side.database},
                    {"Key": "rdsproxy-setup:user", "Value": "app"},
                ]);
                let body = json!({"Name": name, "SecretString": text, "Tags": tags});
                json_call(world, "secretsmanager", "CreateSecret", &body).then_some(Undo::Secret(name))
            }
            Right::CreateAliases => {
                let keys: Vec<String> = world.kms.keys.keys().cloned().collect();
                let name = pick(&["alias/shop", "alias/rdsproxy-setup", &format!("alias/{}", side.stack())]);
                let key = &keys[self.thing.index(keys.len())];
                let body = json!({"AliasName": name, "TargetKeyId": key});
                json_call(world, "kms", "CreateAlias", &body).then_some(Undo::Alias(name))
            }
            _ => {
                let things = Thing::all(world, right);
                if things.is_empty() {
                    return None;
                }
                let thing = things[self.thing.index(things.len())].clone();
                let (keys, values) = match self.form.index(4) {
                    0 => (tag_keys(), values),
                    _ => (pointed_keys(right), pointed_values(world, side)),
                };
                let key = keys[self.key.index(keys.len())].as_str();
                let value = values[self.value.index(values.len())].as_str();
                let before = thing.tags(world)?.get(key).cloned();
                let written = thing.tag(world, key, value);
                written.then(|| Undo::Tag(thing, key.to_owned(), before))
            }
        }
    }

    /// Variables, words for people, or the network of the one function.
    fn configure(self, world: &mut World, function: &str, value: &str, values: &[String]) -> bool {
        const NAMES: [&str; 9] = [
            "DB_HOST",
            "DB_USER",
            "DATABASE_URL",
            "DB_READER_HOST",
            "DB_PORT",
            "DB_PASSWORD",
            "DB_SECRET_ARN",
            "DIRECT_URL",
            "TARGET_URL",
        ];
        const FORMS: [&str; 5] = ["{}", "{}:3306", "mysql://admin:x@{}:3306/shop", "{},db.evil.example.com", "{}%2Fx"];
        let name = NAMES[self.key.index(NAMES.len())];
        let form = FORMS[self.form.index(FORMS.len())];
        let mut variables = world.lambda.functions[function].latest.environment.clone().unwrap_or_default();
        let body = match self.thing.index(8) {
            0..=4 => {
                variables.insert(name.to_owned(), form.replace("{}", value));
                json!({"Environment": {"Variables": variables}})
            }
            5 => {
                variables.remove(name);
                json!({"Environment": {"Variables": variables}})
            }
            6 => json!({"Description": value}),
            _ => {
                let groups: Vec<String> = world.ec2.groups.keys().cloned().collect();
                let Some(vpc) = world.lambda.functions[function].latest.vpc.clone() else { return false };
                let group = &groups[self.value.index(values.len()) % groups.len()];
                json!({"VpcConfig": {"SubnetIds": vpc.subnets, "SecurityGroupIds": [group]}})
            }
        };
        let target = format!("/2015-03-31/functions/{function}/configuration");
        send(world, "lambda", "PUT", &target, &[], body.to_string())
    }
}

fn send(world: &mut World, service: &str, method: &str, target: &str, headers: &[(&str, &str)], body: String) -> bool {
    let request = request(service, method, target, headers, body);
    match world.handle(world.now, &request).reply {
        Reply::Answer(answer) => answer.status < 300,
        _ => false,
    }
}

fn query(world: &mut World, service: &str, action: &str, parameters: &[(String, String)]) -> bool {
    let encode =
        |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
    let pairs = parameters.iter().map(|(name, value)| format!("&{name}={}", encode(value)));
    let body = format!("Action={action}{}", pairs.collect::<String>());
    send(world, service, "POST", "/", &[("content-type", "application/x-www-form-urlencoded")], body)
}

fn json_call(world: &mut World, service: &str, action: &str, body: &Value) -> bool {
    let target = format!("{service}.{action}");
    send(world, service, "POST", "/", &[("x-amz-target", &target)], body.to_string())
}
