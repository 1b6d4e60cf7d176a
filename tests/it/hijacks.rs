//! Law 10 for probes: whoever changes, replaces or prepares one gets no password, and proves nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use rdsproxy_setup::probe::Proof;
use rdsproxy_setup::spec::Spec;
use sandbox::World;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::hostile::{Attacker, call_lambda};
use crate::probes::{PREFIX, killed_with, probes_in, proxied, verify};

const CODE: &[u8] = b"the attacker's code";
const LAYER: &str = "arn:aws:lambda:eu-central-1:999999999999:layer:theirs:1";

/// Code that says that all went well, whatever it is asked.
pub(crate) fn prepare(world: &mut World) {
    let forged =
        json!({"schema": 1, "ok": true, "stages": [{"stage": "query", "ok": true, "ms": 1.0, "evidence": "forged"}]});
    let digest = BASE64_STANDARD.encode(Sha256::digest(CODE));
    world.lambda.programs.insert(digest, forged.clone());
    world.lambda.programs.insert(LAYER.to_owned(), forged);
}

pub(crate) fn zip() -> Value {
    json!(BASE64_STANDARD.encode(CODE))
}

fn targets(world: &World) -> Vec<String> {
    world.lambda.functions.keys().filter(|name| name.starts_with(PREFIX)).cloned().collect()
}

/// Writes to every probe that there is, and tells how often the account let it.
type Attack = fn(&mut World) -> usize;

const ATTACKS: [(&str, Attack); 3] = [
    ("lambda:UpdateFunctionCode", |world| {
        let names = targets(world);
        let code = json!({"ZipFile": zip()});
        names.iter().filter(|name| call_lambda(world, "PUT", &format!("/{name}/code"), &code)).count()
    }),
    ("lambda:UpdateFunctionConfiguration", |world| {
        let names = targets(world);
        let layer = json!({"Layers": [LAYER]});
        names.iter().filter(|name| call_lambda(world, "PUT", &format!("/{name}/configuration"), &layer)).count()
    }),
    // More than one right: even a function that is replaced gets nothing.
    ("*", |world| {
        let mut done = 0;
        for name in targets(world) {
            let before = world.lambda.functions[&name].clone();
            if !call_lambda(world, "DELETE", &format!("/{name}"), &json!({})) {
                continue;
            }
            let body = json!({
                "FunctionName": name, "Runtime": "python3.13", "Handler": "handler.handler", "Role": before.latest.role,
                "Code": {"ZipFile": zip()}, "Publish": true, "Tags": before.tags,
            });
            done += usize::from(call_lambda(world, "POST", "", &body));
        }
        done
    }),
];

/// That nothing was said to the attacker's code, and that it is believed nowhere.
fn unharmed(bed: &Bed, fate: &Fate<Vec<Proof>>, case: &str) {
    let heard = bed.gate.account.with(|world| world.lambda.heard.clone());
    assert!(heard.is_empty(), "{case}: the attacker's code was called with {heard:?}");
    assert!(!format!("{fate:?}").contains("forged"), "{case}: {fate:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_killed_run_left_is_deleted_and_never_called() {
    for (right, attack) in &ATTACKS[..2] {
        let spec = Spec { probe_login: true, ..wish("my-cluster") };
        let start = proxied(newcomer(), &spec).await;
        let (bed, names) = killed_with(&start, &spec, 1).await;
        tokio::time::sleep(std::time::Duration::from_mins(10)).await;
        Attacker::with(&bed, right);
        let done = bed.gate.account.with(|world| {
            prepare(world);
            attack(world)
        });
        assert_eq!(done, names.len(), "{right}");
        let fate = verify(&bed, &spec).await;
        unharmed(&bed, &fate, right);
        assert!(matches!(&fate, Fate::Done(proofs) if proofs.iter().all(|proof| proof.ok)), "{fate:?}");
        assert_eq!(bed.gate.account.with(|world| probes_in(world)), 0, "{right}");
    }
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_change_between_any_two_calls_gets_no_password_and_forges_nothing() {
    let spec = Spec { probe_login: true, ..wish("my-cluster") };
    let start = proxied(newcomer(), &spec).await;
    let clean = Bed::of(start.clone(), NEVER, false);
    assert!(matches!(verify(&clean, &spec).await, Fate::Done(_)));
    let calls = clean.actions(0);
    let first = calls.iter().position(|action| action == "CreateFunction").unwrap();
    // Numbers of versions are never used again, says AWS; where they were, the comparison before each call helps.
    let cases = ATTACKS.map(|(right, attack)| (right, attack, false)).into_iter().chain([("*", ATTACKS[2].1, true)]);
    for (right, attack, again) in cases {
        let done = Arc::new(AtomicUsize::new(0));
        for (call, action) in calls.iter().enumerate().take(clean.calls()).skip(first) {
            let bed = Bed::of(start.clone(), NEVER, false);
            Attacker::with(&bed, right);
            let count = Arc::clone(&done);
            bed.meanwhile(call, move |world| {
                prepare(world);
                world.lambda.numbers_begin_again = again;
                count.fetch_add(attack(world), Ordering::SeqCst);
            });
            let fate = verify(&bed, &spec).await;
            if again && action == "Invoke" {
                // Between the comparison and the call: nothing helps but AWS's promise.
                continue;
            }
            unharmed(&bed, &fate, &format!("{right} before call {call}, numbers again: {again}"));
            let proven = matches!(&fate, Fate::Done(proofs) if proofs.iter().all(|proof| proof.ok));
            assert!(proven || right == "*" && matches!(fate, Fate::Stopped(_)), "{right}, {call}: {fate:?}");
        }
        assert!(done.load(Ordering::SeqCst) > 2, "{right}: nothing was changed");
    }
}
