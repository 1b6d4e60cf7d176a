//! `token` and `connect`: what a person on a bastion gets to see, and that no password or token is where it must not
//! be.

use std::collections::BTreeMap;

use sandbox::Principal;
use serde_json::{Value, json};

use crate::desk::{Desk, Shown};

/// Tokens and times as they are the same in every run.
fn steady(mut shown: Shown) -> Shown {
    let part = |part: &str| match part.split_once('=') {
        Some(("X-Amz-Date" | "X-Amz-Signature", _)) => format!("{}=…", part.split('=').next().unwrap()),
        Some(("X-Amz-Credential", key)) => format!("X-Amz-Credential={}%2F…", key.split("%2F").next().unwrap()),
        _ => part.to_owned(),
    };
    let line = |line: &str| {
        if line.trim_start().starts_with("\"expires\": ") {
            return "  \"expires\": …,\n".to_owned();
        }
        let end = if line.ends_with("\",") { "\"," } else { "" };
        let parts: Vec<String> = line.trim_end_matches("\",").split('&').map(part).collect();
        format!("{}{end}\n", parts.join("&"))
    };
    shown.stdout = shown.stdout.lines().map(line).collect();
    shown
}

fn desk() -> Desk {
    let desk = Desk::new();
    for database in ["my-instance", "my-cluster"] {
        let shown = desk.run(&["up", "--db", database, "--yes", "--quiet", "--timeout", "12h"]);
        assert_eq!(shown.code, Some(0), "{shown}");
    }
    desk
}

#[test]
fn tokens_and_lines_as_a_person_sees_them() {
    let desk = desk();
    let before = desk.dump();
    let mut all = String::new();
    for arguments in [
        &["token", "--db", "my-instance"][..],
        &["token", "--db", "my-instance", "--output", "json"],
        &["token", "--db", "my-instance", "--db-user", "a&b"],
        &["token", "--db", "my-cluster"],
        &["token", "--db", "my-cluster", "--output", "json"],
        &["token", "--db", "my-instance", "--reader"],
        &["token", "--db", "my-instance", "--name", "another"],
        &["token", "--db", "my-instance", "--db-user", "two words"],
        &["token", "--db", "arn:aws:rds:eu-west-1:123456789012:db:my-instance"],
        &["connect", "--db", "my-instance", "--database", "shop"],
        &["connect", "--db", "my-instance", "--client", "mariadb", "--db-user", "o'neil", "--ca", "/etc/my ca.pem"],
        &["connect", "--db", "my-instance", "--client", "psql"],
        &["connect", "--db", "my-cluster", "--database", "my reports", "--reader"],
        &["connect", "--db", "my-cluster", "--ca", "system", "--output", "json"],
        &["connect", "--db", "nothing-here"],
        &["connect"],
    ] {
        all.push_str(&format!("{}\n", steady(desk.run(arguments))));
    }
    insta::assert_snapshot!("tokens_and_lines", all);
    assert_eq!(desk.dump(), before, "something changed");
    assert!(!all.contains("not-a-real-password"), "a password was shown");
}

#[test]
fn several_users_are_a_question_and_the_policy_answers_where_no_function_does() {
    let desk = desk();
    desk.change(|world| {
        let invoice = world.lambda.functions.get_mut("InvoiceFunction").unwrap();
        invoice.latest.environment.as_mut().unwrap().insert("DB_USER".to_owned(), "billing".to_owned());
        let mut second = world.secrets.secrets["my-cluster/app"].clone();
        second.name = String::from("billing");
        second.arn = second.arn.replace("my-cluster/app", "billing");
        second.tags.insert("rdsproxy-setup:user".to_owned(), "billing".to_owned());
        let mut auth = world.rds.proxies["my-instance-proxy"].auth[0].clone();
        auth.secret_arn.clone_from(&second.arn);
        world.secrets.secrets.insert("billing".to_owned(), second);
        world.rds.proxies.get_mut("my-instance-proxy").unwrap().auth.push(auth);
    });
    let asked = desk.run(&["token", "--db", "my-instance"]);
    assert_eq!(asked.code, Some(4), "{asked}");
    assert!(asked.stderr.contains("admin and billing") && asked.stderr.contains("--db-user admin"), "{asked}");
    desk.change(|world| {
        for name in ["DBAppFunction", "InvoiceFunction"] {
            world.lambda.functions.get_mut(name).unwrap().latest.environment = None;
        }
    });
    let told = desk.run(&["token", "--db", "my-instance"]);
    assert!(told.stdout.contains("DBUser=admin"), "{told}");
}

#[test]
fn with_the_user_named_a_token_takes_one_read() {
    let desk = desk();
    desk.change(|world| {
        let allow = json!({"Statement": [{"Effect": "Allow", "Action": "rds:DescribeDBProxies", "Resource": "*"}]});
        let arn = "arn:aws:iam::123456789012:user/bastion".to_owned();
        let bastion = Principal { arn, policies: Some(vec![allow]) };
        world.principals = BTreeMap::from([("AKIASANDBOXADMIN0000".to_owned(), bastion)]);
    });
    let shown = desk.run(&["token", "--db", "my-instance", "--db-user", "app", "--output", "json"]);
    assert_eq!(shown.code, Some(0), "{shown}");
    let document: Value = serde_json::from_str(&shown.stdout).unwrap();
    let host = document["host"].as_str().unwrap();
    assert!(document["token"].as_str().unwrap().starts_with(&format!("{host}:3306/?Action=connect&DBUser=app&")));
    let denied = desk.run(&["token", "--db", "my-instance"]);
    assert_eq!(denied.code, Some(4), "{denied}");
}
