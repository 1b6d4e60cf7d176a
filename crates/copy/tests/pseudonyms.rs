//! An account under pseudonyms answers as the account does, in other names.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::collections::BTreeMap;

use common::{Line, accounts, heard, read_all};
use copy::{Variables, pseudonymized};
use recording::wire;
use sandbox::{Asked, World};
use serde_json::Value;

/// Members that hold AWS's words: they say how the account stands.
const WORDS: [&str; 24] = [
    "Action",
    "AuthScheme",
    "Code",
    "DBInstanceClass",
    "Effect",
    "Engine",
    "EngineFamily",
    "EngineVersion",
    "EvalDecision",
    "IAMAuth",
    "IpProtocol",
    "KeyManager",
    "KeyState",
    "LastUpdateStatus",
    "NetworkType",
    "OwningService",
    "PackageType",
    "Reason",
    "Role",
    "Runtime",
    "State",
    "Status",
    "TargetRole",
    "Type",
];

/// How often each operation was answered how, and each word stood in the answers.
fn answers(world: &World) -> BTreeMap<String, usize> {
    let mut line = Line::to(world.clone());
    read_all(&mut line);
    assert!(line.traffic.len() > 60, "{}", line.traffic.len());
    let mut all = BTreeMap::new();
    for call in &line.traffic {
        let asked = Asked::of(&call.request).unwrap();
        let error = call.error_type.clone().unwrap_or_default();
        *all.entry(format!("{} {} {error}", asked.action, call.status)).or_default() += 1;
        let (_, answer) = wire::response(asked.service.scope(), &call.answered_as, &call.answered);
        words(&answer, &asked.action, &mut all);
    }
    all
}

fn words(value: &Value, at: &str, all: &mut BTreeMap<String, usize>) {
    match value {
        Value::Object(members) => {
            for (name, held) in members {
                // An ARN of a role is a name.
                match held {
                    Value::String(text) if WORDS.contains(&name.as_str()) && !text.starts_with("arn:") => {
                        *all.entry(format!("{at} {name} {text}")).or_default() += 1;
                    }
                    Value::Bool(_) | Value::Number(_) if !name.ends_with("Date") => {
                        *all.entry(format!("{at} {name} {held}")).or_default() += 1;
                    }
                    _ => words(held, at, all),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| words(item, at, all)),
        _ => {}
    }
}

fn alike(world: &World) {
    let new = pseudonymized(world);
    assert_eq!(new.log.len(), world.log.len());
    let (before, after) = (answers(world), answers(&new));
    let differ: Vec<_> = before.iter().filter(|(what, count)| after.get(*what) != Some(count)).collect();
    assert!(differ.is_empty(), "{differ:#?}");
    assert_eq!(before, after);
}

#[test]
fn an_account_answers_alike_under_pseudonyms() {
    alike(&World::newcomer());
    alike(&accounts::busy());
}

#[test]
fn so_does_a_copy_and_its_rehearser_is_known() {
    let mut line = Line::to(accounts::busy());
    read_all(&mut line);
    let all = |_: &str, variables: &Variables| variables.clone();
    let copied = heard(&line.traffic).finish(&all).world;
    alike(&copied);
    let new = pseudonymized(&copied);
    assert_eq!(copied.principals.keys().collect::<Vec<_>>(), new.principals.keys().collect::<Vec<_>>());
    assert!(new.principals.contains_key(copy::REHEARSER));
    assert!(!serde_json::to_string(&new).unwrap().contains(&copied.account));
}
