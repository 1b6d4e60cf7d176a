//! Law 10: what someone with exactly one right writes makes no run touch what is not ours.
//!
//! Each test lets a person with one IAM right write what they please, through the account's own checks, and then runs
//! the program with an operator's rights. At most, the run stops and names what it found.

use std::collections::BTreeMap;

use sandbox::{Account, Principal, Reply, Request, World};
use serde_json::{Value, json};

use crate::adoption;
use crate::harness::{Bed, Fate, NEVER, wish};
use crate::shape::difference;

pub(crate) const KEY: &str = "AKIAATTACKER";

/// Someone who may do one thing, on everything.
pub(crate) struct Attacker<'a> {
    bed: &'a Bed,
    right: &'a str,
}

/// A request that the attacker signed.
pub(crate) fn request(service: &str, method: &str, target: &str, headers: &[(&str, &str)], body: String) -> Request {
    let credential =
        format!("AWS4-HMAC-SHA256 Credential={KEY}/20260101/eu-central-1/{service}/aws4_request, Signature=0");
    let mut all = BTreeMap::from([("authorization".to_owned(), credential)]);
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    Request { method: method.to_owned(), target: target.to_owned(), headers: all, body: body.into_bytes() }
}

/// A call of Lambda by the attacker in the middle of a run, and whether the account let it through.
pub(crate) fn call_lambda(world: &mut World, method: &str, path: &str, body: &Value) -> bool {
    let request = request("lambda", method, &format!("/2015-03-31/functions{path}"), &[], body.to_string());
    match world.handle(world.now, &request).reply {
        Reply::Answer(answer) => answer.status < 300,
        _ => false,
    }
}

impl<'a> Attacker<'a> {
    pub(crate) fn with(bed: &'a Bed, right: &'a str) -> Self {
        let allow =
            json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": right, "Resource": "*"}]});
        let arn = "arn:aws:iam::123456789012:user/attacker".to_owned();
        let principal = Principal { arn, policies: Some(vec![allow]) };
        bed.gate.account.with(|world| world.principals.insert(KEY.to_owned(), principal));
        Self { bed, right }
    }

    /// Calls the account as the attacker; it must be one that the right allows.
    fn send(&self, method: &str, target: &str, headers: &[(&str, &str)], body: String) -> String {
        let service = self.right.split(':').next().unwrap_or_default();
        let request = request(service, method, target, headers, body);
        let handled = self.bed.gate.account.answer(&request).unwrap();
        let Reply::Answer(answer) = handled.reply else { panic!("no answer to {}", self.right) };
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        assert!(answer.status < 300, "{}: {} {text}", self.right, answer.status);
        text
    }

    /// A call of a Query service.
    pub(crate) fn query(&self, parameters: &[(&str, &str)]) -> String {
        let action = self.right.split(':').nth(1).unwrap_or_default();
        let encode =
            |text: &str| percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string();
        let pairs =
            parameters.iter().map(|(name, value)| format!("&{}={}", encode(name).replace("%2E", "."), encode(value)));
        let form = [("content-type", "application/x-www-form-urlencoded")];
        self.send("POST", "/", &form, format!("Action={action}{}", pairs.collect::<String>()))
    }

    /// Tags resources of EC2 as ours.
    fn tag_ec2(&self, ids: &[&str], tags: &[(&str, &str)]) {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for (at, id) in ids.iter().enumerate() {
            parameters.push((format!("ResourceId.{}", at + 1), (*id).to_owned()));
        }
        for (at, (key, value)) in tags.iter().enumerate() {
            parameters.push((format!("Tag.{}.Key", at + 1), (*key).to_owned()));
            parameters.push((format!("Tag.{}.Value", at + 1), (*value).to_owned()));
        }
        let borrowed: Vec<(&str, &str)> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.query(&borrowed);
    }
}

const OURS: [(&str, &str); 2] =
    [("rdsproxy-setup:stack", "my-instance-proxy"), ("rdsproxy-setup:database", "my-instance")];

/// The account without what the attacker may write: the tags of everything.
async fn without_tags(bed: &Bed) -> Value {
    let mut dump = bed.dump().await;
    strip(&mut dump);
    dump
}

fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.remove("tags");
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn group_id(bed: &Bed, name: &str) -> String {
    bed.gate
        .account
        .with(|world| world.ec2.groups.iter().find(|(_, group)| group.name == name).map(|(id, _)| id.clone()).unwrap())
}

/// Every group and every rule of the account carries our tags: only what we made goes.
#[tokio::test(start_paused = true)]
async fn tags_on_groups_and_rules_remove_nothing_that_is_not_ours() {
    for up_before in [false, true] {
        let bed = Bed::new(NEVER, false);
        let before = without_tags(&bed).await;
        let theirs: Vec<String> = bed.gate.account.with(|world| {
            let groups = world.ec2.groups.iter();
            groups.flat_map(|(id, group)| group.rules.keys().cloned().chain([id.clone()])).collect()
        });
        if up_before {
            assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        }
        let attacker = Attacker::with(&bed, "ec2:CreateTags");
        for id in &theirs {
            attacker.tag_ec2(&[id], &OURS);
        }
        let fate = bed.down(&wish("my-instance")).await;
        assert!(matches!(fate, Fate::Done(())), "{fate:?}");
        let lines = difference(&without_tags(&bed).await, &before);
        assert!(lines.is_empty(), "{up_before}: {}", lines.join("\n"));
    }
}

/// A group of the name that ours would have, tagged as ours, is neither used nor deleted.
#[tokio::test(start_paused = true)]
async fn a_tagged_group_of_our_name_is_not_taken_for_ours() {
    let bed = Bed::new(NEVER, false);
    let app = group_id(&bed, "app-functions");
    bed.gate.account.with(|world| world.ec2.groups.get_mut(&app).unwrap().name = "my-instance-proxy".to_owned());
    let before = without_tags(&bed).await;
    Attacker::with(&bed, "ec2:CreateTags").tag_ec2(&[&app], &OURS);
    let fate = bed.up(&wish("my-instance")).await;
    let Fate::Stopped(why) = fate else { panic!("{fate:?}") };
    assert!(why.contains("security group named my-instance-proxy"), "{why}");
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    let lines = difference(&without_tags(&bed).await, &before);
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// A role of the name that ours would have, at another path, is neither given rights nor deleted.
#[tokio::test(start_paused = true)]
async fn a_tagged_role_of_our_name_is_not_taken_for_ours() {
    let name = "my-instance-proxy-eu-central-1";
    let bed = Bed::new(NEVER, false);
    bed.gate.account.with(|world| {
        let mut role = world.iam.roles["DBAppFunctionRole"].clone();
        role.arn = format!("arn:aws:iam::123456789012:role/{name}");
        role.name = name.to_owned();
        role.id = "AROATHEIRS".to_owned();
        world.iam.roles.insert(name.to_owned(), role);
    });
    let before = without_tags(&bed).await;
    let attacker = Attacker::with(&bed, "iam:TagRole");
    attacker.query(&[
        ("RoleName", name),
        ("Tags.member.1.Key", "rdsproxy-setup:stack"),
        ("Tags.member.1.Value", "my-instance-proxy"),
    ]);
    let fate = bed.up(&wish("my-instance")).await;
    let Fate::Stopped(why) = fate else { panic!("{fate:?}") };
    assert!(why.contains(&format!("role named {name}")), "{why}");
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    let lines = difference(&without_tags(&bed).await, &before);
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// A proxy that someone else made, of the name that ours would have, tagged as ours: nothing of it changes.
#[tokio::test(start_paused = true)]
async fn a_tagged_proxy_of_our_name_is_not_taken_for_ours() {
    let bed = Bed::of(adoption::made_by_hand().await, NEVER, false);
    let before = without_tags(&bed).await;
    let id = bed.gate.account.with(|world| world.rds.proxies["by-hand"].id.clone());
    Attacker::with(&bed, "rds:AddTagsToResource").query(&[
        ("ResourceName", &format!("arn:aws:rds:eu-central-1:123456789012:db-proxy:{id}")),
        ("Tags.Tag.1.Key", "rdsproxy-setup:stack"),
        ("Tags.Tag.1.Value", "by-hand"),
    ]);
    let fate = bed.up(&adoption::adopting(false)).await;
    let Fate::Stopped(why) = fate else { panic!("{fate:?}") };
    assert!(why.contains("proxy named by-hand"), "{why}");
    // What `up` made before it met the proxy goes again.
    assert!(matches!(bed.down(&adoption::adopting(false)).await, Fate::Done(())));
    let lines = difference(&without_tags(&bed).await, &before);
    assert!(lines.is_empty(), "{}", lines.join("\n"));
}

/// A tag on the database does not turn its IAM authentication off.
#[tokio::test(start_paused = true)]
async fn a_tag_on_the_database_turns_nothing_off() {
    for up_before in [false, true] {
        let bed = Bed::new(NEVER, false);
        bed.gate.account.with(|world| world.rds.instances.get_mut("my-instance").unwrap().iam_auth = true);
        let before = without_tags(&bed).await;
        if up_before {
            assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        }
        let attacker = Attacker::with(&bed, "rds:AddTagsToResource");
        let arn = "arn:aws:rds:eu-central-1:123456789012:db:my-instance";
        attacker.query(&[
            ("ResourceName", arn),
            ("Tags.Tag.1.Key", "rdsproxy-setup:iam-auth"),
            ("Tags.Tag.1.Value", "my-instance-proxy"),
        ]);
        let fate = bed.down(&wish("my-instance")).await;
        assert!(matches!(fate, Fate::Done(())), "{fate:?}");
        let lines = difference(&without_tags(&bed).await, &before);
        assert!(lines.is_empty(), "{up_before}: {}", lines.join("\n"));
    }
}

/// A tag that names functions chooses none, and one that is broken stops the run.
#[tokio::test(start_paused = true)]
async fn a_tag_that_names_functions_only_ever_narrows() {
    let bed = Bed::new(NEVER, false);
    let start = bed.dump().await;
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    let before = without_tags(&bed).await;
    let id = bed.gate.account.with(|world| world.rds.proxies["my-instance-proxy"].id.clone());
    let names: Vec<String> = bed.gate.account.with(|world| world.lambda.functions.keys().cloned().collect());
    let everyone = names.join(" ");
    for key in ["rdsproxy-setup:functions", "rdsproxy-setup:exclude-functions"] {
        for value in [everyone.as_str(), "DBAppFunction", "unknown", "*", "a/b", "DBAppFunction +", "."] {
            // The account itself lets nobody write what a tag may not hold.
            let allowed = value.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
            if allowed {
                Attacker::with(&bed, "rds:AddTagsToResource").query(&[
                    ("ResourceName", &format!("arn:aws:rds:eu-central-1:123456789012:db-proxy:{id}")),
                    ("Tags.Tag.1.Key", key),
                    ("Tags.Tag.1.Value", value),
                ]);
            }
            let fate = bed.up(&wish("my-instance")).await;
            // "*" cannot be written, so the value before it is still there.
            let broken = value == "a/b" || value.ends_with('+');
            let nobody =
                if key.ends_with("exclude-functions") { value == everyone } else { matches!(value, "unknown" | "*") };
            match fate {
                Fate::Stopped(why) if nobody => assert!(why.contains("leaves none"), "{value}: {why}"),
                Fate::Stopped(why) => assert!(broken && why.contains(key), "{value}: {why}"),
                fate => assert!(!broken && !nobody && matches!(fate, Fate::Done(_)), "{value}: {fate:?}"),
            }
            let lines = difference(&without_tags(&bed).await, &before);
            assert!(lines.is_empty(), "{key}={value}: {}", lines.join("\n"));
        }
    }
    assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
    assert_eq!(bed.dump().await, start);
}

/// Tags a proxy through its own ARN.
fn tag_proxy(bed: &Bed, name: &str, tags: &[(&str, &str)]) {
    let id = bed.gate.account.with(|world| world.rds.proxies[name].id.clone());
    let arn = format!("arn:aws:rds:eu-central-1:123456789012:db-proxy:{id}");
    for (key, value) in tags {
        let attacker = Attacker::with(bed, "rds:AddTagsToResource");
        attacker.query(&[("ResourceName", &arn), ("Tags.Tag.1.Key", key), ("Tags.Tag.1.Value", value)]);
    }
}

/// A tag that says that our own proxy was adopted neither keeps it nor its target from a teardown.
#[tokio::test(start_paused = true)]
async fn our_own_proxy_is_not_handed_back_because_a_tag_says_that_it_was_adopted() {
    for memory in ["with-target", "without-target", "x"] {
        let bed = Bed::new(NEVER, false);
        let start = bed.dump().await;
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        let before = without_tags(&bed).await;
        tag_proxy(&bed, "my-instance-proxy", &[("rdsproxy-setup:adopted", memory)]);
        // It stays as it is, with its own role and group.
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        let lines = difference(&without_tags(&bed).await, &before);
        assert!(lines.is_empty(), "{memory}: {}", lines.join("\n"));
        assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())));
        assert_eq!(bed.dump().await, start, "{memory}");
    }
}

/// Tags that say that a stack of this name adopted someone else's proxy delete nothing: the most that they do is to
/// take them away again.
#[tokio::test(start_paused = true)]
async fn a_proxy_of_others_is_not_deleted_because_tags_say_that_it_was_adopted() {
    let bed = Bed::of(adoption::made_by_hand().await, NEVER, false);
    let before = bed.dump().await;
    let tags = [
        ("rdsproxy-setup:stack", "by-hand"),
        ("rdsproxy-setup:database", "my-instance"),
        ("rdsproxy-setup:adopted", "with-target"),
    ];
    tag_proxy(&bed, "by-hand", &tags);
    assert!(matches!(bed.down(&adoption::adopting(false)).await, Fate::Done(())));
    assert_eq!(bed.dump().await, before);
}

/// Every inbound rule of the account.
fn inbound(bed: &Bed) -> Vec<String> {
    bed.gate.account.with(|world| {
        let rules = world.ec2.groups.iter().flat_map(|(id, group)| group.rules.values().map(move |rule| (id, rule)));
        let words = |id: &String, rule: &sandbox::parts::Rule| {
            format!("{id} {} {}-{} {:?}", rule.protocol, rule.from_port, rule.to_port, rule.peer)
        };
        let mut all: Vec<String> = rules.filter(|(_, rule)| !rule.egress).map(|(id, rule)| words(id, rule)).collect();
        all.sort();
        all
    })
}

/// Tags that look like what `close-direct` remembers open nothing to a group, on a port or in a database of the
/// writer's choice.
#[tokio::test(start_paused = true)]
async fn tags_that_look_like_closed_rules_open_no_door() {
    for (closed, down) in [(false, false), (false, true), (true, false), (true, true)] {
        let bed = Bed::new(NEVER, false);
        let start = inbound(&bed);
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
        let before = inbound(&bed);
        if closed {
            assert!(matches!(bed.close(&wish("my-instance")).await, Fate::Done(_)));
            assert_ne!(inbound(&bed), before);
        }
        let own = group_id(&bed, "my-instance-proxy");
        let id = |name: &str| group_id(&bed, name);
        let (database, app) = (id("my-instance-db"), id("app-functions"));
        let attacker = Attacker::with(&bed, "ec2:CreateTags");
        for (group, source, port) in [
            // A group of no function of this database: that of the reports, that of another database, the default one,
            // our own.
            (&database, &id("reporting-functions"), "3306"),
            (&database, &id("my-cluster-db"), "3306"),
            (&database, &id("default"), "3306"),
            (&database, &own, "3306"),
            (&database, &database, "3306"),
            (&database, &"sg-00000000000000000".to_owned(), "3306"),
            // Into other groups, on other ports.
            (&id("my-cluster-db"), &app, "5432"),
            (&id("my-cluster-db"), &app, "3306"),
            (&id("legacy-oracle-db"), &app, "1521"),
            (&own, &app, "3306"),
            (&app, &app, "3306"),
            (&database, &app, "22"),
            (&database, &app, "5432"),
            // And what is no rule at all.
            (&database, &"0.0.0.0/0".to_owned(), "3306"),
            (&database, &app, "0"),
            (&database, &app, "3306:1"),
        ] {
            attacker.tag_ec2(&[&own], &[(&format!("rdsproxy-setup:closed:{group}:{source}:{port}"), "x")]);
        }
        let spec = wish("my-instance");
        let fate = if down { bed.down(&spec).await } else { bed.restore(&spec).await };
        assert!(matches!(fate, Fate::Done(())), "{fate:?}");
        assert_eq!(inbound(&bed), if down { start } else { before }, "{closed} {down}");
        if !down {
            // What is not believed is left in place, and named.
            let left = bed.gate.account.with(|world| {
                world.ec2.groups[&own].tags.keys().filter(|key| key.starts_with("rdsproxy-setup:closed:")).count()
            });
            assert_eq!(left, 16);
        }
    }
}
