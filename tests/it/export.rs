//! `export`: what is read equals the account, the files say what is read, and nothing is changed or given away.

use std::collections::{BTreeMap, BTreeSet};

use ::export::stack::{Holds, Peer, Stack as Written};
use ::export::{File, cloudformation, terraform};
use rdsproxy_setup::cloud::rds::Pool;
use rdsproxy_setup::discover::Problem;
use rdsproxy_setup::spec::{CreateSecret, ReaderEndpoint, Spec};
use rdsproxy_setup::{export, teardown};
use sandbox::World;
use sandbox::parts::Peer as Other;
use serde_json::Value;

use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const STACK: &str = "rdsproxy-setup:stack";

/// Reads the stack as the command does.
pub(crate) async fn look(bed: &Bed, spec: &Spec) -> Option<Written> {
    read(bed, spec).await.ok()
}

async fn read(bed: &Bed, spec: &Spec) -> Result<Written, Problem> {
    let stack = Box::pin(teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database))).await?;
    Box::pin(export::read(&bed.cloud, &stack)).await
}

async fn up(spec: &Spec) -> Bed {
    let bed = Bed::of(newcomer(), NEVER, false);
    let fate = bed.up(spec).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    bed
}

/// A cluster with everything that a stack may have.
fn whole() -> Spec {
    let users = vec!["app".to_owned()];
    let pool = Pool {
        max_connections_percent: Some(60),
        max_idle_connections_percent: Some(20),
        connection_borrow_timeout: Some(30),
        init_query: Some("SET a = '${b}'".to_owned()),
        session_pinning_filters: None,
    };
    Spec {
        db_users: users.clone(),
        create_secret: Some(CreateSecret { users, kms_key: None, generate: true }),
        reader_endpoint: ReaderEndpoint::Always,
        log_retention: Some(30),
        pool,
        ..wish("my-cluster")
    }
}

/// Holds what was read to the account itself, which another crate keeps.
fn equals(written: &Written, world: &World) {
    let name = &written.name;
    let proxy = &world.rds.proxies[name];
    assert_eq!(written.proxy.id(), proxy.id);
    assert_eq!(written.proxy.family, proxy.engine_family);
    assert_eq!((&written.proxy.subnets, &written.proxy.groups), (&proxy.subnets, &proxy.groups));
    assert_eq!(written.proxy.role, proxy.role_arn);
    assert_eq!((written.proxy.require_tls, written.proxy.debug_logging), (proxy.require_tls, proxy.debug_logging));
    assert_eq!(written.proxy.idle_client_timeout.map(i64::from), Some(proxy.idle_client_timeout));
    assert_eq!(written.proxy.tags, proxy.tags);
    let auth = |all: Vec<(&String, &String)>| all.into_iter().map(|(a, b)| (a.clone(), b.clone())).collect::<Vec<_>>();
    assert_eq!(
        auth(written.proxy.auth.iter().map(|one| (&one.secret, &one.iam)).collect()),
        auth(proxy.auth.iter().map(|one| (&one.secret_arn, &one.iam_auth)).collect())
    );
    let group = &proxy.target_group;
    assert_eq!(written.pool.max_connections_percent.map(i64::from), Some(group.max_connections_percent));
    assert_eq!(written.pool.max_idle_connections_percent.map(i64::from), Some(group.max_idle_connections_percent));
    assert_eq!(written.pool.connection_borrow_timeout.map(i64::from), Some(group.borrow_timeout));
    assert_eq!(written.pool.init_query, group.init_query.clone().filter(|sql| !sql.is_empty()));
    let target = group.target.as_ref().unwrap();
    assert_eq!((&written.database.id, written.database.cluster), (&target.id, target.cluster));

    let role = written.role.as_ref().unwrap();
    let there = &world.iam.roles[&role.name];
    let parsed = |text: &String| serde_json::from_str::<Value>(text).unwrap();
    assert_eq!((&role.tags, &role.description), (&there.tags, &there.description));
    assert_eq!(role.trust, parsed(&there.trust));
    assert_eq!(
        role.inline,
        there.inline.iter().map(|(name, text)| (name.clone(), parsed(text))).collect::<BTreeMap<_, _>>()
    );

    // Each thing that carries the stack's tag, and no other.
    let ours = |tags: &BTreeMap<String, String>| tags.get(STACK) == Some(name);
    let tagged = world.ec2.groups.values().flat_map(|group| &group.rules).filter(|(_, rule)| ours(&rule.tags));
    let mut rules: BTreeSet<&String> = tagged.map(|(id, _)| id).collect();
    for (id, rule) in written.groups.iter().flat_map(|group| &world.ec2.groups[&group.id].rules) {
        if rule.egress && matches!(&rule.peer, Other::Cidr(block) if block == "0.0.0.0/0") {
            rules.insert(id);
        }
    }
    assert_eq!(written.rules.iter().map(|rule| &rule.id).collect::<BTreeSet<_>>(), rules);
    for rule in &written.rules {
        let there = &world.ec2.groups[&rule.group].rules[&rule.id];
        assert_eq!(
            (&rule.protocol, &rule.description, rule.egress),
            (&there.protocol, &there.description, there.egress)
        );
        let ports = rule.ports.map_or((-1, -1), |(first, last)| (i64::from(first), i64::from(last)));
        assert_eq!(ports, (there.from_port, there.to_port), "{rule:?}");
    }
    let ids = |all: Vec<&String>| all.into_iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(
        ids(written.groups.iter().map(|group| &group.id).collect()),
        ids(world.ec2.groups.iter().filter(|(_, group)| ours(&group.tags)).map(|(id, _)| id).collect())
    );
    assert_eq!(
        ids(written.secrets.iter().map(|secret| &secret.arn).collect()),
        ids(world.secrets.secrets.values().filter(|secret| ours(&secret.tags)).map(|secret| &secret.arn).collect())
    );
    assert_eq!(
        ids(written.policies.iter().map(|policy| &policy.arn).collect()),
        ids(world.iam.policies.iter().filter(|(_, policy)| ours(&policy.tags)).map(|(arn, _)| arn).collect())
    );
    for policy in &written.policies {
        let carriers =
            world.iam.roles.iter().filter(|(_, role)| role.attached.contains(&policy.arn)).map(|(name, _)| name);
        assert_eq!(ids(policy.roles.iter().collect()), ids(carriers.collect()));
    }
}

fn files(written: &Written) -> Vec<File> {
    terraform(written).unwrap().into_iter().chain(cloudformation(written).unwrap()).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_read_is_what_the_account_holds() {
    for spec in [wish("my-instance"), wish("my-cluster"), whole()] {
        let bed = up(&spec).await;
        let (before, since) = (bed.dump().await, bed.logged());
        let written = read(&bed, &spec).await.unwrap();
        assert_eq!(bed.mutations(since), [""; 0]);
        assert_eq!(bed.dump().await, before);
        bed.gate.account.with(|world| equals(&written, world));
    }
    let bed = up(&whole()).await;
    let written = read(&bed, &whole()).await.unwrap();
    assert!(written.reader.is_some() && written.log_group.as_ref().unwrap().retention == Some(30));
    assert_eq!(written.secrets.len(), 1);
    assert!(written.rules.iter().any(|rule| rule.egress && rule.peer == Peer::Ipv4("0.0.0.0/0".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn no_file_holds_a_secret_or_the_value_of_a_variable() {
    for spec in [wish("my-instance"), whole()] {
        let bed = up(&spec).await;
        let written = read(&bed, &spec).await.unwrap();
        let texts: Vec<String> = files(&written).into_iter().map(|file| file.text).collect();
        let secrets: Vec<String> = bed.gate.account.with(|world| {
            let versions = world.secrets.secrets.values().flat_map(|secret| &secret.versions);
            let values = versions.map(|version| serde_json::to_value(version).unwrap());
            let mut all = Vec::new();
            values.for_each(|value| passwords(&value, &mut all));
            let variables = world.lambda.functions.values().flat_map(|found| found.latest.environment.iter().flatten());
            // What leads anywhere, or is long enough to be a password.
            all.extend(variables.map(|(_, value)| value.clone()).filter(|value| value.len() > 11));
            all
        });
        assert!(secrets.len() > 3, "{secrets:?}");
        for secret in &secrets {
            assert!(texts.iter().all(|text| !text.contains(secret)), "{secret}");
        }
    }
}

/// The passwords that a secret's version holds.
fn passwords(value: &Value, all: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Ok(Value::Object(members)) = serde_json::from_str::<Value>(text) {
                all.extend(members.get("password").and_then(Value::as_str).map(str::to_owned));
            }
        }
        Value::Array(items) => items.iter().for_each(|item| passwords(item, all)),
        Value::Object(members) => members.values().for_each(|item| passwords(item, all)),
        _ => {}
    }
}

#[tokio::test(start_paused = true)]
async fn each_variable_is_told_apart_by_what_it_holds() {
    let bed = up(&wish("my-cluster")).await;
    let written = read(&bed, &wish("my-cluster")).await.unwrap();
    let all: BTreeMap<String, Holds> = (written.functions.iter())
        .flat_map(|function| {
            function.variables.iter().map(|one| (format!("{}.{}", function.name, one.name), one.holds))
        })
        .collect();
    bed.gate.account.with(|world| {
        let proxy = &world.rds.proxies["my-cluster-proxy"];
        for (place, holds) in &all {
            let (function, name) = place.split_once('.').unwrap();
            let value = &world.lambda.functions[function].latest.environment.as_ref().unwrap()[name];
            let whole = value == &proxy.endpoint || value.starts_with("my-cluster-proxy-ro.") && !value.contains('/');
            assert_eq!(*holds == Holds::Host, whole && !value.contains(':'), "{place}");
        }
    });
    assert!(
        all.values().any(|holds| *holds == Holds::Host) && all.values().any(|holds| *holds == Holds::More),
        "{all:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_was_left_by_a_killed_run_is_not_exported() {
    let bed = Bed::of(newcomer(), 20, true);
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Killed));
    bed.disarm();
    let problem = read(&bed, &wish("my-instance")).await.unwrap_err().to_string();
    assert!(problem.starts_with("exporting the stack (my-instance-proxy): "), "{problem}");
}

/// The built program.
#[test]
fn files_are_written_once_and_never_over_others() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("out");
    let at = at.to_str().unwrap();
    let none = desk.run(&["export", "--db", "my-instance", "--to", "terraform", "--dir", at]);
    assert_eq!(none.code, Some(4), "{none}");
    assert!(none.stderr.contains("it has no proxy"), "{none}");
    desk.output(&["--sandbox", "up", "--db", "my-instance", "--yes", "--quiet", "--timeout", "12h"]);
    let before = desk.dump();
    let first = desk.run(&["export", "--db", "my-instance", "--to", "terraform", "--dir", at]);
    assert_eq!(first.code, Some(0), "{first}");
    for word in ["proxy.tf", "imports.tf", "README.md", "terraform -chdir=", "--hand-over"] {
        assert!(first.stdout.contains(word), "{word}: {first}");
    }
    let again = desk.run(&["export", "--db", "my-instance", "--to", "terraform", "--dir", at]);
    assert!(again.code == Some(0) && again.stdout.contains("are as they were"), "{again}");
    let edited = folder.path().join("out").join("proxy.tf");
    let held = std::fs::read_to_string(&edited).unwrap();
    std::fs::write(&edited, "mine").unwrap();
    std::fs::remove_file(folder.path().join("out").join("versions.tf")).unwrap();
    let refused = desk.run(&["export", "--db", "my-instance", "--to", "terraform", "--dir", at]);
    assert!(refused.code == Some(4) && refused.stderr.contains("holds something else"), "{refused}");
    assert_eq!(std::fs::read_to_string(&edited).unwrap(), "mine");
    assert!(!folder.path().join("out").join("versions.tf").exists(), "either all of them, or none");
    let forced = desk.run(&["export", "--db", "my-instance", "--to", "terraform", "--dir", at, "--force"]);
    assert!(forced.code == Some(0) && forced.stdout.contains("2 of them new or changed"), "{forced}");
    assert_eq!(std::fs::read_to_string(&edited).unwrap(), held);
    let shown = desk.run(&["export", "--to", "cloudformation", "--dir", at, "--force", "--output", "json"]);
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    assert_eq!(
        (&document["to"], &document["handed_over"]),
        (&Value::from("cloudformation"), &Value::from(false)),
        "{shown}"
    );
    assert_eq!(document["files"].as_array().unwrap().len(), 5);
    assert_eq!(desk.dump(), before);
}
