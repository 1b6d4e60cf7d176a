//! Laws of Secrets Manager: what sent twice means, what deletion means, and who may read.

use serde_json::{Value, json};

use super::*;
use crate::account::{Call, Moment, Principal, Service, World};
use crate::{iam, kms};

const TOKEN: &str = "00000000-0000-0000-0000-000000000001";

fn run(world: &mut World, now: u64, action: &str, input: Value) -> Result<Value, String> {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let call =
        Call { service: Service::SecretsManager, action: action.into(), input, principal, now: Moment(now), ahead: 0 };
    handle(world, &call).map_err(|error| error.code)
}

#[test]
fn a_creation_sent_again_is_the_same_one() {
    let mut world = World::empty();
    let create = json!({"Name": "s", "SecretString": "{}", "ClientRequestToken": TOKEN});
    let first = run(&mut world, 0, "CreateSecret", create.clone());
    assert!(first.is_ok());
    assert_eq!(run(&mut world, 0, "CreateSecret", create), first);
    let other = json!({"Name": "s", "SecretString": "{1}", "ClientRequestToken": TOKEN});
    assert_eq!(run(&mut world, 0, "CreateSecret", other), Err("ResourceExistsException".into()));
}

#[test]
fn labels_move_from_version_to_version() {
    let mut world = World::empty();
    assert!(run(&mut world, 0, "CreateSecret", json!({"Name": "s", "SecretString": "1"})).is_ok());
    for value in ["2", "3"] {
        assert!(run(&mut world, 0, "PutSecretValue", json!({"SecretId": "s", "SecretString": value})).is_ok());
    }
    let read = |world: &mut World, stage: &str| {
        run(world, 0, "GetSecretValue", json!({"SecretId": "s", "VersionStage": stage}))
            .map(|answer| answer["SecretString"].clone())
    };
    assert_eq!(read(&mut world, "AWSCURRENT"), Ok(json!("3")));
    assert_eq!(read(&mut world, "AWSPREVIOUS"), Ok(json!("2")));
    let described = run(&mut world, 0, "DescribeSecret", json!({"SecretId": "s"})).unwrap_or_default();
    assert_eq!(described["VersionIdsToStages"].as_object().map(serde_json::Map::len), Some(2));
}

#[test]
fn a_deleted_secret_can_be_described_and_restored_but_not_read_until_its_window_is_over() {
    let mut world = World::empty();
    assert!(run(&mut world, 0, "CreateSecret", json!({"Name": "s", "SecretString": "1"})).is_ok());
    assert!(run(&mut world, 0, "DeleteSecret", json!({"SecretId": "s", "RecoveryWindowInDays": 6})).is_err());
    assert!(run(&mut world, 0, "DeleteSecret", json!({"SecretId": "s", "RecoveryWindowInDays": 7})).is_ok());
    assert_eq!(run(&mut world, 1, "GetSecretValue", json!({"SecretId": "s"})), Err("InvalidRequestException".into()));
    assert_eq!(run(&mut world, 1, "CreateSecret", json!({"Name": "s"})), Err("InvalidRequestException".into()));
    assert!(
        run(&mut world, 1, "DescribeSecret", json!({"SecretId": "s"}))
            .is_ok_and(|shown| shown["DeletedDate"].is_number())
    );
    assert!(run(&mut world, 1, "RestoreSecret", json!({"SecretId": "s"})).is_ok());
    assert!(run(&mut world, 2, "DeleteSecret", json!({"SecretId": "s", "RecoveryWindowInDays": 7})).is_ok());
    let over = 7 * 86_400_000 + 2;
    assert_eq!(
        run(&mut world, over, "DescribeSecret", json!({"SecretId": "s"})),
        Err("ResourceNotFoundException".into())
    );
    assert!(run(&mut world, over, "CreateSecret", json!({"Name": "s", "SecretString": "1"})).is_ok());
    assert!(
        run(&mut world, over, "DeleteSecret", json!({"SecretId": "s", "ForceDeleteWithoutRecovery": true})).is_ok()
    );
    assert!(find(&world, "s").is_none());
}

#[test]
fn a_secret_is_found_by_name_and_by_arn_with_or_without_its_tail() {
    let mut world = World::empty();
    let secret = Secret::settled(&mut world, "app/db", r#"{"username":"u","password":"p"}"#);
    assert_eq!(secret.user().as_deref(), Some("u"));
    let arn = secret.arn.clone();
    world.secrets.secrets.insert("app/db".into(), secret);
    let partial = arn.rsplit_once('-').map(|(partial, _)| partial).unwrap_or_default();
    for id in ["app/db", &arn, partial] {
        assert!(find(&world, id).is_some(), "{id}");
    }
    assert!(find(&world, &format!("{arn}x")).is_none());
}

#[test]
fn the_proxy_reads_with_policy_trust_and_key_together() {
    let mut world = World::empty();
    let trust = json!({"Statement": [{"Effect": "Allow", "Principal": {"Service": "rds.amazonaws.com"}, "Action": "sts:AssumeRole"}]}).to_string();
    let mut secret = Secret::settled(&mut world, "s", "{}");
    let arn = secret.arn.clone();
    let allow = |action: &str, resource: &str| {
        json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource}]}).to_string()
    };
    let role = iam::Role::settled(&world.account, &world.partition, "/", "r", &trust);
    let role_arn = role.arn.clone();
    world.secrets.secrets.insert("s".into(), secret.clone());
    world.iam.roles.insert("r".into(), role.clone());
    assert!(!may_read(&world, &arn, &role_arn, Moment(0)), "no policy");
    let role = role.with_inline("read", &allow("secretsmanager:GetSecretValue", &arn));
    world.iam.roles.insert("r".into(), role.clone());
    assert!(may_read(&world, &arn, &role_arn, Moment(0)));
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let create = Call {
        service: Service::Kms,
        action: "CreateKey".into(),
        input: json!({}),
        principal,
        now: Moment(0),
        ahead: 0,
    };
    let key = kms::handle(&mut world, &create).unwrap_or_default();
    secret.kms_key = key["KeyMetadata"]["KeyId"].as_str().map(str::to_owned);
    world.secrets.secrets.insert("s".into(), secret.clone());
    assert!(!may_read(&world, &arn, &role_arn, Moment(0)), "the key is closed");
    world.iam.roles.insert("r".into(), role.with_inline("key", &allow("kms:Decrypt", "*")));
    assert!(may_read(&world, &arn, &role_arn, Moment(0)));
    secret.deletion = Some(Deletion { asked: Moment(0), due: Moment(1) });
    world.secrets.secrets.insert("s".into(), secret);
    assert!(!may_read(&world, &arn, &role_arn, Moment(0)), "on its way out");
}

#[test]
fn passwords_have_every_wanted_kind_and_nothing_excluded() {
    let mut world = World::empty();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let asked = json!({"PasswordLength": 8, "ExcludePunctuation": true, "ExcludeCharacters": "0O"});
        let answer = run(&mut world, 0, "GetRandomPassword", asked).unwrap_or_default();
        let password = answer["RandomPassword"].as_str().unwrap_or_default().to_owned();
        assert_eq!(password.len(), 8);
        assert!(password.chars().all(|character| character.is_ascii_alphanumeric() && !"0O".contains(character)));
        assert!(password.chars().any(|character| character.is_ascii_digit()));
        seen.insert(password);
    }
    assert_eq!(seen.len(), 50);
}
