//! Functions whose variables are encrypted with a customer key.

use clap::ValueEnum as _;
use rdsproxy_setup::discover::Problem;
use rdsproxy_setup::error::Failure;
use rdsproxy_setup::exit::Exit;
use rdsproxy_setup::permissions::{Feature, Verb, policies};
use rdsproxy_setup::teardown;
use sandbox::World;
use sandbox::parts::KeyGrants;
use serde_json::{Value, json};

use crate::access::customer_key;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::{restrict, scope};

const WAYS: [KeyGrants; 3] = [KeyGrants::Denied, KeyGrants::Invalid, KeyGrants::Unneeded];

/// Encrypts a function's variables with a customer key.
pub(crate) fn encrypted(world: &mut World, grants: KeyGrants) -> String {
    let key = customer_key(world, None);
    world.lambda.functions.get_mut("DBAppFunction").unwrap().latest.kms_key = Some(key.clone());
    world.lambda.key_grants = grants;
    key
}

/// Everything that `up` and `teardown` need, and a look at the caller's own rights, but for some actions.
fn without(actions: &[&str]) -> Vec<Value> {
    let mut documents = policies(&[Verb::Up, Verb::Status, Verb::Teardown], Feature::value_variants(), &scope());
    // Printed for roles alone, and the caller here is a user.
    let own = "arn:aws:iam::123456789012:user/deployer";
    documents
        .push(json!({"Statement": [{"Effect": "Allow", "Action": "iam:SimulatePrincipalPolicy", "Resource": own}]}));
    if !actions.is_empty() {
        documents.push(json!({"Statement": [{"Effect": "Deny", "Action": actions, "Resource": "*"}]}));
    }
    documents
}

fn bed(grants: KeyGrants, documents: &[Value]) -> (Bed, String) {
    let mut world = newcomer();
    let key = encrypted(&mut world, grants);
    let bed = Bed::of(world, NEVER, false);
    restrict(&bed, documents);
    (bed, key)
}

fn about(warnings: &[String], key: &str) -> Vec<String> {
    warnings.iter().filter(|warning| warning.contains(key)).cloned().collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_printed_is_enough_under_each_way() {
    for grants in WAYS {
        let (bed, key) = bed(grants, &without(&[]));
        let before = bed.dump().await;
        let survey = bed.survey(&wish("my-instance")).await.unwrap();
        assert_eq!(about(&survey.warnings, &key), [""; 0], "{grants:?}");
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)), "{grants:?}");
        assert!(matches!(bed.down(&wish("my-instance")).await, Fate::Done(())), "{grants:?}");
        let variables = "/lambda/functions/DBAppFunction/latest/environment";
        assert_eq!(bed.dump().await.pointer(variables), before.pointer(variables), "{grants:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_the_grant_is_warned_of_before_step_13() {
    let (bed, key) = bed(KeyGrants::Denied, &without(&["kms:CreateGrant"]));
    let warnings = about(&bed.survey(&wish("my-instance")).await.unwrap().warnings, &key);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("DBAppFunction") && warnings[0].contains("does not allow kms:CreateGrant"),
        "{warnings:?}"
    );

    // Where the simulator may not be asked, nothing is known.
    restrict(&bed, &without(&["iam:SimulatePrincipalPolicy"]));
    let warnings = about(&bed.survey(&wish("my-instance")).await.unwrap().warnings, &key);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("iam:SimulatePrincipalPolicy is not allowed"), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn a_session_is_judged_by_its_role() {
    let (bed, key) = bed(KeyGrants::Denied, &without(&[]));
    bed.gate.account.with(|world| {
        let arn = "arn:aws:sts::123456789012:assumed-role/DBAppFunctionRole/pipeline".to_owned();
        world.principals.get_mut("AKIATEST").unwrap().arn = arn;
    });
    let warnings = about(&bed.survey(&wish("my-instance")).await.unwrap().warnings, &key);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("does not allow kms:CreateGrant and kms:Encrypt"), "{warnings:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_the_action_and_the_key() {
    for grants in [KeyGrants::Denied, KeyGrants::Invalid] {
        let (bed, key) = bed(grants, &without(&["kms:CreateGrant"]));
        let function = bed.cloud.lambda.get("DBAppFunction").await.unwrap().unwrap();
        let refusal = bed.cloud.lambda.set_variables(&function, &function.variables).await.unwrap_err();
        let failure = Failure::from(Problem::refused("changing it")(refusal));
        assert_eq!(failure.exit, Exit::Decide, "{grants:?}");
        let hint = format!("Allow kms:CreateGrant on {key} to these credentials");
        assert!(failure.hints[0].starts_with(&hint), "{grants:?}: {failure:?}");

        let before = bed.dump().await;
        assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Stopped(_)), "{grants:?}");
        let variables = "/lambda/functions/DBAppFunction/latest/environment";
        assert_eq!(bed.dump().await.pointer(variables), before.pointer(variables), "{grants:?}");
    }
}

/// An `up` that could read the variables pointed the function at the proxy; a teardown that cannot must not delete the
/// proxy as if nobody used it. `Environment` has an `Error` in place of the variables then
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_EnvironmentResponse.html>).
#[tokio::test(start_paused = true)]
async fn a_teardown_that_may_not_read_the_variables_says_whose() {
    let (bed, _) = bed(KeyGrants::Unneeded, &without(&[]));
    let spec = wish("my-instance");
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    let other_users =
        async || Box::pin(teardown::survey(&bed.cloud, &spec.stack, Some(&spec.database))).await.unwrap().other_users;
    assert_eq!(other_users().await, [""; 0]);
    restrict(&bed, &without(&["kms:Decrypt"]));
    let users = other_users().await;
    assert_eq!(users, ["perhaps DBAppFunction, whose variables AWS does not show without kms:Decrypt on its key"]);
    // A function that cannot reach the proxy does not stand in the way.
    bed.gate.account.with(|world| {
        world.lambda.functions.get_mut("DBAppFunction").unwrap().latest.vpc = None;
    });
    assert_eq!(other_users().await, [""; 0]);
}
