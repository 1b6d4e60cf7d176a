//! What others wrote is parsed without a panic, and without writing anything that was not there.
//!
//! A few hundred cases a test by default; `PROPTEST_CASES=1000000 cargo test --test it fuzz` goes on for hours.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rdsproxy_setup::cloud::rds::{Proxy, ProxyAuth};
use rdsproxy_setup::discover::given;
use rdsproxy_setup::discover::home::Home;
use rdsproxy_setup::discover::hosts::{self, Host, HostKind, KnownHost};
use rdsproxy_setup::discover::remembered;
use rdsproxy_setup::spec;
use sandbox::{Request, Store, World};
use serde_json::{Value, json};

use crate::harness::{Bed, NEVER, newcomer, wish};

const DB: &str = "main.abc123.eu-west-1.rds.amazonaws.com";
const PROXY: &str = "main-proxy.proxy-abc123.eu-west-1.rds.amazonaws.com";

fn known(name: &str, kind: HostKind) -> Vec<KnownHost> {
    vec![KnownHost { name: name.to_owned(), kind }]
}

/// Pieces of connection strings around the host, and anything else.
fn value() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        3 => Just(DB.to_owned()),
        1 => Just(DB.to_uppercase()),
        3 => prop::sample::select(vec![
            ":3306", ":", "/", "@", "%3A", "%40", "%2F", "%", "mysql://", "jdbc:", "host=", "port=", "Server=", "{", "}",
            "\"", ",", ";", "=", " ", "\\u0040", "tcp(", ")", "?", "&", ".", "-", "\n", "65536", "5432",
        ]).prop_map(str::to_owned),
        2 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

/// Tags of a proxy that look like our memories, and others.
fn memories() -> impl Strategy<Value = BTreeMap<String, String>> {
    let keys = vec![
        "client-auth",
        "db-users",
        "connect-policy",
        "functions",
        "functions:2",
        "exclude-functions",
        "exclude-functions:2",
        "exclude-variables",
        "include-variables",
        "include-variables:2",
        "stack",
        "adopted",
        "writer",
        "functions:99",
    ];
    let key = prop_oneof![
        8 => prop::sample::select(keys).prop_map(|key| format!("rdsproxy-setup:{key}")),
        1 => any::<String>(),
    ];
    let word = prop_oneof![
        6 => prop::sample::select(vec![
            "app", "*", "iam", "password", "DBAppFunction", "f:DB_HOST", "DB_HOST", ".", "+", "", "a/b", "${x}", "a?",
            "arn:aws:iam::123456789012:policy/x", "arn:aws:lambda:eu-west-1:1:function:f", "\u{2028}", "\u{202e}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::btree_map(key, prop::collection::vec(word, 0..5).prop_map(|words| words.join(" ")), 0..8)
}

fn document() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(vec![
        "Allow",
        "Deny",
        "*",
        "kms:*",
        "rds-db:connect",
        "arn:aws:iam::123456789012:root",
        "2012-10-17",
        "${aws:username}",
        "?",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        word.prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 48, 5, |inner| {
        let key = prop_oneof![
            prop::sample::select(vec![
                "Statement",
                "Effect",
                "Action",
                "NotAction",
                "Resource",
                "Principal",
                "AWS",
                "Condition",
                "StringEquals",
            ])
            .prop_map(str::to_owned),
            any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

fn request() -> impl Strategy<Value = Request> {
    let service = prop::sample::select(vec!["rds", "iam", "ec2", "lambda", "secretsmanager", "sts", "kms", "s3", ""]);
    let method = prop::sample::select(vec!["POST", "GET", "PUT", "DELETE", "PATCH", ""]);
    let target = prop_oneof![
        Just("/".to_owned()),
        prop::sample::select(vec![
            "/2015-03-31/functions/",
            "/2015-03-31/functions/DBAppFunction/configuration",
            "/2017-03-31/tags/%",
            "//?",
            "/?a=%zz",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    let form = (
        prop::sample::select(vec![
            "CreateRole",
            "GetRole",
            "DescribeDBProxies",
            "CreateDBProxy",
            "DescribeSecurityGroups",
            "CreatePolicy",
            "AuthorizeSecurityGroupIngress",
            "SimulatePrincipalPolicy",
            "GetCallerIdentity",
            "RegisterDBProxyTargets",
        ]),
        prop::collection::vec(
            (
                prop_oneof![
                    prop::sample::select(vec![
                        "RoleName",
                        "Tags.member.1.Key",
                        "Filter.1.Value.0",
                        "Auth.member.99999999999",
                        "PolicyDocument",
                        "AssumeRolePolicyDocument",
                        "IpPermissions.1.FromPort",
                        "MaxRecords",
                        "DBProxyName",
                        "Marker",
                        "..",
                        "",
                    ])
                    .prop_map(str::to_owned),
                    any::<String>(),
                ],
                any::<String>(),
            ),
            0..6,
        ),
    )
        .prop_map(|(action, pairs)| {
            let pairs = pairs.into_iter().fold(String::new(), |all, (name, value)| all + "&" + &name + "=" + &value);
            format!("Action={action}{pairs}").into_bytes()
        });
    let body = prop_oneof![
        form,
        document().prop_map(|document| document.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..64),
    ];
    let operation = prop::sample::select(vec![
        "secretsmanager.GetSecretValue",
        "secretsmanager.CreateSecret",
        "TrentService.DescribeKey",
        "TrentService.PutKeyPolicy",
        "x",
    ]);
    (service, method, target, body, operation, any::<String>()).prop_map(
        |(service, method, target, body, operation, other)| {
            let credential = format!(
                "AWS4-HMAC-SHA256 Credential=AKIATEST/20260101/eu-central-1/{service}/aws4_request, Signature=0"
            );
            let headers = [
                ("authorization", credential),
                ("x-amz-target", operation.to_owned()),
                ("content-type", "application/x-www-form-urlencoded".to_owned()),
                ("x-other", other),
            ];
            let headers: BTreeMap<_, _> = headers.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            Request { method: method.to_owned(), target, headers, body }
        },
    )
}

proptest! {
    #[test]
    fn values_of_variables(value in value()) {
        let writer = known(DB, HostKind::Writer);
        let found = hosts::mentions(&value, &writer);
        let proxy = Host::parse(PROXY).unwrap();
        let pairs: Vec<_> = found.iter().map(|mention| (mention, &proxy)).collect();
        let (new, former) = hosts::replace(&value, &pairs, (3306, 3306));
        if found.is_empty() {
            prop_assert_eq!(new, value);
        } else {
            let former: Vec<&str> = former.iter().map(String::as_str).collect();
            prop_assert_eq!(hosts::restore(&new, &known(PROXY, HostKind::Proxy), &former), Some(value));
        }
    }

    #[test]
    fn tags_of_a_proxy(tags in prop::collection::btree_map(any::<String>(), value(), 0..6), host in value()) {
        let mut tags = tags;
        tags.insert("rdsproxy-setup:writer".to_owned(), host);
        drop(Home::remembered(&tags, None, "eu-west-1"));
    }

    #[test]
    fn what_a_proxy_remembers(tags in memories(), iam in any::<bool>()) {
        let asked = wish("main");
        let proxy = Proxy {
            name: "main-proxy".to_owned(),
            auth: vec![ProxyAuth::of("arn", iam)],
            ..Proxy::default()
        };
        let Ok(recalled) = remembered::recall(&asked, &tags, &proxy) else { return Ok(()) };
        // What comes out is what a flag may say, never any user, and nothing that no tag remembers.
        prop_assert!(!recalled.any_user);
        prop_assert!(recalled.db_users.iter().all(|user| spec::usable_user(user).is_ok()), "{:?}", recalled.db_users);
        let functions = recalled.limited_to.iter().chain(&recalled.excluded_functions);
        prop_assert!(functions.clone().all(|name| spec::function(name).is_ok()), "{recalled:?}");
        let variables = recalled.variables.excluded.iter().chain(&recalled.variables.included);
        for variable in variables {
            prop_assert!(spec::variable("--exclude-variable", &variable.to_string()).is_ok(), "{variable}");
        }
        prop_assert!(recalled.connect_policy_arn.iter().all(|arn| spec::connect_policy(arn).is_ok()));
        prop_assert_eq!(&recalled.functions, &asked.functions);
        prop_assert_eq!(&recalled.secrets, &asked.secrets);
        prop_assert_eq!(recalled.role_arn, asked.role_arn);
        prop_assert_eq!(recalled.stack, asked.stack);
        prop_assert_eq!(recalled.database, asked.database);
    }

    #[test]
    fn policy_documents(document in document()) {
        let resources = ["arn:aws:rds-db:eu-west-1:123456789012:dbuser:prx-1/app".to_owned()];
        let lacking = given::lacks(&document, "rds-db:connect", &resources);
        prop_assert!(document.get("Statement").is_some() || !lacking.is_empty());
    }

    #[test]
    fn requests_to_the_simulated_account(requests in prop::collection::vec(request(), 1..4)) {
        let mut world = newcomer();
        for request in &requests {
            let now = world.now;
            drop(world.handle(now, request));
        }
        drop(world.dump());
    }

    #[test]
    fn worlds(part in prop::sample::select(vec!["rds", "iam", "lambda", "secrets", "ec2", "kms", "now"]), with in document()) {
        let mut file = serde_json::to_value(newcomer()).unwrap();
        file[part] = with;
        drop(serde_json::from_value::<World>(file));
    }

    #[test]
    fn secrets(value in document(), text in any::<String>()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        for text in [value.to_string(), json!({"username": value, "host": text}).to_string(), text] {
            let mut world = newcomer();
            world.secrets.secrets.get_mut("my-cluster/app").unwrap().versions[0].text = Some(text);
            let arn = world.secrets.secrets["my-cluster/app"].arn.clone();
            runtime.block_on(async {
                let bed = Bed::of(world, NEVER, false);
                drop(bed.cloud.secrets.inspect(&arn).await);
            });
        }
    }
}

#[test]
fn files_of_worlds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("world.json");
    proptest!(|(bytes in prop::collection::vec(any::<u8>(), 1..64))| {
        std::fs::write(&path, &bytes).unwrap();
        let read = Store::open(&path, 1.0).and_then(|store| store.world());
        prop_assert!(read.is_err(), "{bytes:?}");
    });
}
