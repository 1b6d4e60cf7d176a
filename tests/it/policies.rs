//! The policies that `permissions` prints: their size, their files and their use under the simulated account.

use std::collections::BTreeMap;

use rdsproxy_setup::permissions::{LIMIT, size};
use serde_json::{Value, json};

use crate::desk::Desk;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::{denials, restrict};

const ACCOUNT: &str = "123456789012";
/// The longest identifier of a database.
const LONGEST: &str = "a123456789b123456789c123456789d123456789e123456789f123456789xyz";
const COMMANDS: [&str; 6] = ["up", "status", "teardown", "doctor", "verify", "all"];

/// What the program prints.
pub(crate) fn printed(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let all = [&["--region", "eu-central-1", "--output", "json", "permissions"], arguments].concat();
    let printed: Value = serde_json::from_str(&desk.output(&all)).unwrap();
    assert_eq!(printed["schema"], 1);
    printed["documents"].as_array().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn every_document_fits_a_managed_policy() {
    let (desk, bed) = (Desk::new(), Bed::new(NEVER, false));
    let mut number = 0;
    for command in COMMANDS {
        let all = "enable-iam-auth,inspect-secret,create-secret,generate-password,adopt,probe";
        for database in [None, Some("my-instance"), Some(LONGEST)] {
            for account in [None, Some(ACCOUNT)] {
                let mut arguments = vec!["--for", command, "--with", all];
                arguments.extend(database.iter().flat_map(|database| ["--db", database]));
                arguments.extend(account.iter().flat_map(|account| ["--account", account]));
                for document in printed(&desk, &arguments) {
                    assert!(size(&document) < LIMIT, "{arguments:?}: {}", size(&document));
                    number += 1;
                    let made =
                        bed.cloud.iam.create_policy(&format!("p{number}"), "/", &document, &BTreeMap::new()).await;
                    assert!(made.is_ok(), "{arguments:?}: {made:?}");
                }
            }
        }
    }
}

#[test]
fn files_hold_the_documents_and_are_never_overwritten() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let policies = folder.path().join("policies");
    let place = policies.to_str().unwrap();
    let run = |command: &str| {
        let named = ["--for", command, "--db", "my-instance", "--account", ACCOUNT, "--output-dir", place];
        desk.run(&[&["--region", "eu-central-1", "permissions"], named.as_slice()].concat())
    };
    let written = run("all");
    assert_eq!(written.code, Some(0), "{written}");
    let documents = printed(&desk, &["--for", "all", "--db", "my-instance", "--account", ACCOUNT]);
    assert!(documents.len() > 1);
    for (line, document) in written.stdout.lines().zip(&documents) {
        let held: Value = serde_json::from_str(&std::fs::read_to_string(line).unwrap()).unwrap();
        assert_eq!(&held, document);
    }
    assert_eq!(written.stdout.lines().count(), documents.len());

    let again = run("all");
    assert_eq!((again.code, &again.stdout), (Some(0), &written.stdout), "{again}");

    let second = policies.join("rdsproxy-setup-all-my-instance-proxy-2.json");
    std::fs::write(&second, "theirs").unwrap();
    let refused = run("all");
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(refused.stderr.contains("all-my-instance-proxy-2.json): the file holds something else"), "{refused}");
    assert_eq!(std::fs::read_to_string(&second).unwrap(), "theirs");

    // A file too many would be attached along with the others.
    std::fs::write(policies.join("rdsproxy-setup-status-my-instance-proxy-2.json"), "{}").unwrap();
    let refused = run("status");
    assert_eq!(refused.code, Some(4), "{refused}");
    assert!(!policies.join("rdsproxy-setup-status-my-instance-proxy-1.json").exists());
}

fn done<T: std::fmt::Debug>(fate: &Fate<T>) {
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

/// What the account has, as the program prints it with `--discover`.
fn discovered(desk: &Desk, arguments: &[&str]) -> (Value, Vec<Value>) {
    let all = [&["--sandbox", "--output", "json", "permissions", "--discover"], arguments].concat();
    let printed: Value = serde_json::from_str(&desk.output(&all)).unwrap();
    (printed["discovered"].clone(), printed["documents"].as_array().unwrap().clone())
}

/// Law 9 for what was read from the account: each run works under exactly that, and nothing else is within reach.
#[tokio::test(start_paused = true)]
async fn law_9_what_was_discovered_is_enough_and_names_nothing_else() {
    for (id, functions, secret) in [
        ("my-instance", ["DBAppFunction", "InvoiceFunction"], "secret:rds!db-"),
        ("my-cluster", ["OrdersFunction", "ReportsFunction"], "secret:my-cluster/app-"),
    ] {
        let desk = Desk::new();
        let before = desk.dump();
        let (found, up) = discovered(&desk, &["--db", id, "--for", "up"]);
        assert_eq!(desk.dump(), before);
        assert_eq!((&found["functions"], &found["account"]), (&json!(functions), &json!(ACCOUNT)), "{found}");
        let (secrets, groups) = (found["secrets"].as_array().unwrap(), found["security_groups"].as_array().unwrap());
        assert!(secrets.len() == 1 && secrets[0].as_str().unwrap().contains(secret), "{found}");
        assert_eq!((groups.is_empty(), found["keys"].as_array().unwrap().len()), (false, 0), "{found}");
        let (_, status) = discovered(&desk, &["--db", id, "--for", "status"]);
        let (_, teardown) = discovered(&desk, &["--db", id, "--for", "teardown"]);
        let (_, verify) = discovered(&desk, &["--db", id, "--for", "verify"]);
        let bed = Bed::of(newcomer(), NEVER, false);
        restrict(&bed, &up);
        done(&bed.up(&wish(id)).await);
        let since = bed.logged();
        done(&bed.up(&wish(id)).await);
        assert_eq!(bed.mutations(since), [""; 0], "{id}");
        restrict(&bed, &status);
        assert!(bed.survey(&wish(id)).await.is_ok());
        restrict(&bed, &verify);
        done(&crate::probes::verify(&bed, &wish(id)).await);
        restrict(&bed, &teardown);
        done(&bed.down(&wish(id)).await);
        assert_eq!(denials(&bed), [""; 0], "{id}");
        // Writes reach what was found, what carries this stack's tag, and what is created.
        for statement in up.iter().chain(&teardown).flat_map(|document| document["Statement"].as_array().unwrap()) {
            let text = statement.to_string();
            let tagged = text.contains("aws:ResourceTag/") || text.contains("ec2:CreateAction");
            let wide = ["security-group/*", "vpc/*", "function:*\"", "role/*", "secret:*", "key/*"];
            let creates = statement["Action"] == json!(["ec2:CreateSecurityGroup"]) && !text.contains("vpc/*");
            let any = wide.iter().any(|wide| text.contains(wide));
            assert!(!any || tagged || creates, "{id}: {statement}");
        }
    }
}

/// What the role of a pipeline was told to name is what `up` finds: functions that come later are out of reach.
#[tokio::test(start_paused = true)]
async fn a_function_that_came_later_is_out_of_reach() {
    let desk = Desk::new();
    let (found, up) =
        discovered(&desk, &["--db", "my-instance", "--for", "up", "--exclude-function", "InvoiceFunction"]);
    assert_eq!(found["functions"], json!(["DBAppFunction"]));
    let bed = Bed::of(newcomer(), NEVER, false);
    restrict(&bed, &up);
    let fate = bed.up(&wish("my-instance")).await;
    assert!(matches!(&fate, Fate::Stopped(why) if why.contains("is not authorized to perform")), "{fate:?}");
    let written = bed.actions(0).into_iter().any(|action| action == "UpdateFunctionConfiguration");
    assert!(!written, "a function was changed");
}

#[test]
fn without_db_nothing_is_discovered_and_nothing_is_read() {
    let desk = Desk::new();
    let shown = desk.run(&["permissions", "--discover"]);
    assert!(shown.code == Some(64) && shown.stderr.contains("--db"), "{shown}");
    let calls = desk.store().world().unwrap().log.len();
    assert_eq!(desk.run(&["permissions", "--db", "my-instance"]).code, Some(0));
    assert_eq!(desk.store().world().unwrap().log.len(), calls);
}

/// A read that is denied never makes a policy wider or narrower: it is an error, and what it takes is what `status`
/// takes.
#[test]
fn what_cannot_be_read_is_an_error_with_a_hint_and_status_rights_are_enough() {
    let desk = Desk::new();
    let status = printed(&desk, &["--for", "status", "--db", "my-instance", "--account", ACCOUNT]);
    let may = |policies: Vec<Value>| {
        desk.change(|world| {
            let arn = "arn:aws:iam::123456789012:user/deployer".to_owned();
            let principal = sandbox::Principal { arn, policies: Some(policies) };
            world.principals.insert("AKIASANDBOXADMIN0000".to_owned(), principal);
        });
    };
    may(status.clone());
    let (_, all) = discovered(&desk, &["--db", "my-instance"]);
    let deny = |action: &str| json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]});
    for action in [
        "rds:DescribeDBProxies",
        "rds:DescribeDBInstances",
        "lambda:ListFunctions",
        "lambda:GetFunction",
        "ec2:DescribeSecurityGroups",
    ] {
        may([status.clone(), vec![deny(action)]].concat());
        let shown = desk.run(&["permissions", "--discover", "--db", "my-instance"]);
        assert!(shown.code == Some(4) && shown.stdout.is_empty(), "{action}: {shown}");
        assert!(shown.stderr.contains("error: ") && shown.stderr.contains("hint: "), "{action}: {shown}");
    }
    // A secret of which RDS says all is not read, so that nothing is missing without it.
    may([status.clone(), vec![deny("secretsmanager:DescribeSecret")]].concat());
    assert_eq!(discovered(&desk, &["--db", "my-instance"]).1, all);
    may(status);
    desk.change(|world| world.lambda.functions.get_mut("WebhookFunction").unwrap().unreadable_environment = true);
    let shown = desk.run(&["permissions", "--discover", "--db", "my-instance"]);
    assert!(shown.code == Some(4) && shown.stdout.is_empty(), "{shown}");
    assert!(shown.stderr.contains("the variables of WebhookFunction"), "{shown}");
    assert_eq!(discovered(&desk, &["--db", "my-instance", "--exclude-function", "WebhookFunction"]).1, all);
    // Where nothing uses the database, nothing named would be anything.
    desk.change(|world| world.lambda.functions.retain(|name, _| name == "ThumbnailFunction"));
    let shown = desk.run(&["permissions", "--discover", "--db", "my-instance"]);
    assert!(shown.code == Some(4) && shown.stderr.contains("no function uses the database"), "{shown}");
}
