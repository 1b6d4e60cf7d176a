//! Laws of KMS: who may decrypt, by whose policy.

use serde_json::{Value, json};

use super::{Key, find, may_decrypt};
use crate::account::{Moment, World};
use crate::iam;

fn customer_key(world: &mut World, policy: Option<Value>) -> String {
    let policy = policy.unwrap_or_else(|| Key::default_policy(world));
    let key = Key::put(world, "mine", "", false, policy);
    world.kms.aliases.insert("alias/mine".into(), key.id);
    key.arn
}

fn world_with_role(inline: &Value) -> (World, String) {
    let mut world = World::empty();
    let role =
        iam::Role::settled(&world.account, &world.partition, "/", "proxy", "{}").with_inline("p", &inline.to_string());
    let arn = role.arn.clone();
    world.iam.roles.insert("proxy".into(), role);
    (world, arn)
}

#[test]
fn a_key_that_leaves_it_to_iam_needs_a_policy_of_the_role() {
    let allow = json!({"Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*",
        "Condition": {"StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"}}}]});
    let (mut world, role) = world_with_role(&allow);
    let key = customer_key(&mut world, None);
    assert!(may_decrypt(&world, &key, &role, "secretsmanager", Moment(0)));
    assert!(!may_decrypt(&world, &key, &role, "lambda", Moment(0)));
    assert!(find(&world, "alias/mine").is_some_and(|found| found.arn == key));

    let (mut world, role) = world_with_role(&json!({"Statement": []}));
    let key = customer_key(&mut world, None);
    assert!(!may_decrypt(&world, &key, &role, "secretsmanager", Moment(0)));
}

#[test]
fn a_key_that_names_the_role_or_the_service_asks_no_policy_of_it() {
    let (mut world, role) = world_with_role(&json!({"Statement": []}));
    let policy =
        json!({"Statement": {"Effect": "Allow", "Principal": {"AWS": role}, "Action": "kms:Decrypt", "Resource": "*"}});
    let key = customer_key(&mut world, Some(policy));
    assert!(may_decrypt(&world, &key, &role, "secretsmanager", Moment(0)));
    let own = Key::aws_managed(&mut world, "secretsmanager");
    assert!(may_decrypt(&world, &own, &role, "secretsmanager", Moment(0)));
    assert!(!may_decrypt(&world, &own, &role, "lambda", Moment(0)));
}
