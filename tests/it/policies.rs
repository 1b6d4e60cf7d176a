//! The policies that `permissions` prints: their size, their files and their use under the simulated account.

use std::collections::BTreeMap;

use rdsproxy_setup::permissions::{LIMIT, size};
use serde_json::Value;

use crate::desk::Desk;
use crate::harness::{Bed, NEVER};

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
