//! Names that the product derives from others: what it derives from a pseudonym is the pseudonym of what it derived.
//!
//! Most of that holds without a rule, since the parts of a name are renamed one by one and keep their lengths. What
//! does not: names that were too long and end in a digest, digests of documents and of lists, and the group of a stack
//! that begins with `sg-`. The rules are those of `src/names.rs`, `src/resources/connect_policy.rs` and
//! `crates/observe`, which know no other crate.

use sandbox::World;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::product::MARK;
use super::text::Renamer;
use super::{policy, product};

/// Prescribes them.
pub(super) fn prescribe(names: &mut Renamer, world: &World) {
    let databases: Vec<&String> = world.rds.instances.keys().chain(world.rds.clusters.keys()).collect();
    for database in &databases {
        let (old, new) = (stack(database), stack(&names.name(database)));
        whole(names, &old, new);
    }
    let mut stacks: Vec<String> = databases.into_iter().map(|database| stack(database)).collect();
    stacks.extend(world.rds.proxies.keys().cloned());
    stacks.extend(marked(world));
    stacks.sort();
    stacks.dedup();
    for old in &stacks {
        let new = names.name(old);
        for (old, new) in of_stack(old, &world.region).into_iter().zip(of_stack(&new, &world.region)) {
            whole(names, &old, new);
        }
        alarms(names, world, old, &new);
    }
    secrets(names, world, &stacks);
    documents(names, world);
}

fn whole(names: &mut Renamer, old: &str, new: String) {
    if names.name(old) != new {
        names.whole.insert(old.to_owned(), new);
    }
}

/// The stacks that tags name.
fn marked(world: &World) -> Vec<String> {
    let key = format!("{MARK}:stack");
    let tags = (world.rds.proxies.values().map(|proxy| &proxy.tags))
        .chain(world.ec2.groups.values().map(|group| &group.tags))
        .chain(world.iam.roles.values().map(|role| &role.tags))
        .chain(world.iam.policies.values().map(|policy| &policy.tags))
        .chain(world.secrets.secrets.values().map(|secret| &secret.tags))
        .chain(world.lambda.functions.values().map(|function| &function.tags));
    tags.filter_map(|tags| tags.get(&key).cloned()).collect()
}

/// The name of a database's stack.
fn stack(database: &str) -> String {
    let name = format!("{database}-proxy");
    if name.len() <= 63 { name } else { format!("{}-proxy", fit(database, 57)) }
}

/// The names of a stack's things that are not simply its own.
fn of_stack(stack: &str, region: &str) -> [String; 8] {
    [
        fit(&format!("{stack}-{region}"), 64),
        fit(&format!("{stack}-{region}-connect"), 128),
        fit(&format!("{stack}-{region}-given"), 64),
        fit(&format!("{stack}-{region}-connect-given"), 128),
        format!("{}-ro", fit(stack, 60)),
        if stack.starts_with("sg-") { format!("proxy-{stack}") } else { stack.to_owned() },
        fit(&format!("{MARK}-probe-{stack}"), 47),
        format!("{MARK}-{stack}-{region}"),
    ]
}

/// Shortens a name to a limit, with a digest of the whole.
fn fit(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let digest = digest(name);
    let head: String = name.chars().take(limit - digest.len() - 1).collect();
    format!("{}-{digest}", head.trim_end_matches('-'))
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

fn digest(text: &str) -> String {
    sha256(text).chars().take(12).collect()
}

/// Alarms are called after their stack and what they watch.
fn alarms(names: &mut Renamer, world: &World, old: &str, new: &str) {
    let prefix = format!("{MARK}/{old}/");
    for name in world.monitoring.alarms.keys() {
        if let Some(kind) = name.strip_prefix(&prefix)
            && kind.split('-').all(|word| recording::is_known_word(word) || word.len() <= 3)
        {
            names.whole.insert(name.clone(), format!("{MARK}/{new}/{kind}"));
        }
    }
}

/// A secret's name holds a digest where its user's is no name of a secret, and its first version is called by a digest.
fn secrets(names: &mut Renamer, world: &World, stacks: &[String]) {
    for secret in world.secrets.secrets.values() {
        if let Some(user) = secret.tags.get(&format!("{MARK}:user")) {
            let new = names.name(user);
            let of = |stack: &str, user: &str| format!("{MARK}/{stack}/{}", of_user(user));
            if stacks.iter().any(|stack| of(stack, user) == secret.name) {
                names.tokens.prescribe(&digest(user), &digest(&new));
            }
        }
    }
    for secret in world.secrets.secrets.keys() {
        let new = names.name(secret);
        names.tokens.prescribe(&sha256(secret), &sha256(&new));
    }
}

fn of_user(user: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_+=.@-".contains(c) { c } else { '_' };
    let plain: String = user.chars().map(allowed).collect();
    if plain == user { plain } else { format!("{plain}-{}", digest(user)) }
}

/// A tag of a policy holds the digest of its document, and the name of a further one that of its users.
fn documents(names: &mut Renamer, world: &World) {
    for policy in world.iam.policies.values().filter(|policy| policy.path.starts_with(&format!("/{MARK}/"))) {
        for version in &policy.versions {
            let Ok(document) = serde_json::from_str::<Value>(&version.document) else { continue };
            let users = users(&document);
            let new: Vec<String> = users.iter().map(|user| names.name(user)).collect();
            names.tokens.prescribe(&digest(&users.join("\n")), &digest(&new.join("\n")));
            let new = policy::policy(names, &document);
            names.tokens.prescribe(&digest(&document.to_string()), &digest(&new.to_string()));
        }
    }
}

fn users(document: &Value) -> Vec<String> {
    let resources = document.pointer("/Statement/0/Resource").and_then(Value::as_array).into_iter().flatten();
    let user = |resource: &Value| Some(resource.as_str()?.rsplit_once('/')?.1.to_owned());
    resources.filter_map(user).collect()
}

/// Whether a dashboard is a stack's, and whose.
pub(super) fn stack_of_dashboard<'name>(name: &'name str, region: &str) -> Option<&'name str> {
    name.strip_prefix(MARK)?.strip_prefix('-')?.strip_suffix(region)?.strip_suffix('-')
}

/// The body of a dashboard.
pub(super) fn body(names: &mut Renamer, name: &str, region: &str, body: &str) -> String {
    let Some(stack) = stack_of_dashboard(name, region) else { return r#"{"widgets":[]}"#.to_owned() };
    match serde_json::from_str::<Value>(body) {
        Ok(body) => texts(names, &body, stack).to_string(),
        Err(_) => product::own_text(names, body, stack),
    }
}

fn texts(names: &mut Renamer, value: &Value, stack: &str) -> Value {
    match value {
        Value::String(text) => Value::String(product::own_text(names, text, stack)),
        Value::Array(items) => items.iter().map(|item| texts(names, item, stack)).collect(),
        Value::Object(members) => {
            let member = |(name, value): (&String, &Value)| {
                // Words of the structure of a dashboard that are in no sentence.
                let word = ["height", "markdown", "view", "width", "yAxis"].contains(&name.as_str());
                let name = if word { name.clone() } else { product::own_text(names, name, stack) };
                (name, texts(names, value, stack))
            };
            Value::Object(members.iter().map(member).collect())
        }
        other => other.clone(),
    }
}
