//! Any stack: strings of any characters, any number of everything.

use std::collections::BTreeMap;

use export::stack::{
    Auth, Database, Endpoint, Function, Group, Holds, LogGroup, Peer, Policy, Pool, Proxy, Role, Rule, Secret, Stack,
    Tags, Variable,
};
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Text that does its best to break out of a string, a template, a comment or a line.
pub(crate) fn text() -> BoxedStrategy<String> {
    let piece = prop::sample::select(vec![
        "a", "B-1", "/", "\"", "\\", "${", "%{", "$", "%", "{", "}", "\n", "\r", "\t", "\u{1}", "\u{7f}", "\u{85}",
        "#", "//", "/*", "=", " = ", "é", "日", "\u{2028}", "'", "<<EOT", "EOT", "|", "`", ":",
    ]);
    vec(piece, 0..6).prop_map(|pieces| pieces.concat()).boxed()
}

fn name() -> BoxedStrategy<String> {
    prop_oneof!["[a-z][a-z0-9-]{0,8}", text()].boxed()
}

fn tags() -> impl Strategy<Value = Tags> {
    btree_map(text(), text(), 0..3)
}

fn arn(service: &'static str) -> impl Strategy<Value = String> {
    name().prop_map(move |name| format!("arn:aws:{service}:eu-central-1:123456789012:{name}"))
}

fn document() -> impl Strategy<Value = Value> {
    (vec(text(), 0..3), name()).prop_map(|(all, user)| {
        let connect = format!("arn:aws:rds-db:eu-central-1:123456789012:dbuser:prx-1/{user}");
        json!({"Statement": [{"Resource": all, "Effect": "Allow"}, {"Resource": connect, "Sid": true}]})
    })
}

fn proxy() -> impl Strategy<Value = Proxy> {
    let auth =
        (arn("secretsmanager"), option::of(text()), option::of(text())).prop_map(|(secret, description, how)| Auth {
            secret,
            iam: "REQUIRED".into(),
            description,
            client_password: how,
        });
    (
        vec(name(), 0..3),
        vec(name(), 0..3),
        vec(auth, 0..3),
        any::<[bool; 3]>(),
        option::of(any::<i32>()),
        tags(),
        name(),
    )
        .prop_map(|(subnets, groups, auth, yes, idle, tags, vpc)| Proxy {
            arn: "arn:aws:rds:eu-central-1:123456789012:db-proxy:prx-1".into(),
            family: "MYSQL".into(),
            vpc,
            subnets,
            groups,
            auth,
            iam_to_database: yes[0],
            role: "arn:aws:iam::123456789012:role/x/y".into(),
            require_tls: yes[1],
            idle_client_timeout: idle,
            debug_logging: yes[2],
            network_type: "DUAL".into(),
            port: 3306,
            tags,
        })
}

fn role() -> impl Strategy<Value = Role> {
    (name(), btree_map(name(), document(), 0..3), tags(), option::of(text())).prop_map(
        |(name, inline, tags, description)| Role {
            arn: format!("arn:aws:iam::123456789012:role/a/{name}"),
            name,
            description,
            trust: json!({"Statement": []}),
            boundary: None,
            inline,
            tags,
        },
    )
}

fn rule() -> impl Strategy<Value = Rule> {
    let peer = prop_oneof![name().prop_map(Peer::Group), text().prop_map(Peer::Ipv4), text().prop_map(Peer::Ipv6)];
    (name(), name(), any::<bool>(), peer, option::of((any::<i32>(), any::<i32>())), option::of(text()), tags())
        .prop_map(|(id, group, egress, peer, ports, description, tags)| Rule {
            id,
            group,
            egress,
            protocol: "tcp".into(),
            peer,
            ports,
            description,
            tags,
        })
}

fn function() -> impl Strategy<Value = Function> {
    let holds = prop::sample::select(vec![Holds::Host, Holds::Port, Holds::More]);
    let variable = (name(), holds, any::<bool>()).prop_map(|(name, holds, reader)| Variable { name, holds, reader });
    (name(), vec(variable, 0..3)).prop_map(|(name, variables)| Function { name, variables })
}

/// Any stack.
pub(crate) fn stack() -> impl Strategy<Value = Stack> {
    let policy =
        (name(), document(), btree_set(name(), 0..3), tags()).prop_map(|(name, document, roles, tags)| Policy {
            arn: format!("arn:aws:iam::123456789012:policy/a/{name}"),
            description: None,
            document,
            roles: roles.into_iter().collect(),
            tags,
        });
    let group = (name(), text(), tags()).prop_map(|(id, description, tags)| Group {
        name: id.clone(),
        id,
        description,
        vpc: "vpc-1".into(),
        tags,
    });
    let secret = (arn("secretsmanager"), name(), option::of(text()), tags())
        .prop_map(|(arn, name, description, tags)| Secret { arn, name, description, kms_key: None, tags });
    let reader = (name(), tags()).prop_map(|(name, tags)| Endpoint { name, subnets: vec![], groups: vec![], tags });
    let log_group = (name(), tags()).prop_map(|(name, tags)| LogGroup { name, retention: None, tags });
    let pool =
        (option::of(any::<i32>()), option::of(text()), vec(text(), 0..2)).prop_map(|(percent, init_query, filters)| {
            Pool {
                max_connections_percent: percent,
                max_idle_connections_percent: None,
                connection_borrow_timeout: None,
                init_query,
                session_pinning_filters: filters,
            }
        });
    let one = (name(), name(), any::<bool>(), proxy(), pool, option::of(reader), option::of(role()));
    let many = (vec(policy, 0..3), vec(group, 0..3), vec(rule(), 0..4), vec(secret, 0..3), option::of(log_group));
    (one, many, vec(function(), 0..3), vec(text(), 0..2)).prop_map(|(one, many, functions, left_out)| {
        let (name, id, cluster, proxy, pool, reader, role) = one;
        let (policies, groups, rules, secrets, log_group) = many;
        Stack {
            name,
            tool: "rdsproxy-setup 0".into(),
            region: "eu-central-1".into(),
            account: "123456789012".into(),
            partition: "aws".into(),
            mark: ("handed:over".into(), "yes".into()),
            database: Database { id, cluster },
            proxy,
            pool,
            reader,
            role,
            policies: unique(policies, |policy| policy.arn.clone()),
            groups: unique(groups, |group| group.id.clone()),
            rules: unique(rules, |rule| rule.id.clone()),
            secrets: unique(secrets, |secret| secret.arn.clone()),
            log_group,
            functions,
            left_out,
        }
    })
}

/// AWS has one thing of an ID.
fn unique<T>(all: Vec<T>, id: impl Fn(&T) -> String) -> Vec<T> {
    all.into_iter().map(|one| (id(&one), one)).collect::<BTreeMap<_, _>>().into_values().collect()
}
