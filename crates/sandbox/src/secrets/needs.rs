//! The permissions that Secrets Manager's calls need.

use std::collections::BTreeMap;

use super::find;
use crate::account::{Call, Need, World};
use crate::{input, kms};

/// The permissions that the call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let mut context = BTreeMap::new();
    let tags = input::tags(&call.input, "Tags");
    let mut keys: Vec<String> = tags.keys().cloned().collect();
    keys.extend(input::texts(&call.input, "TagKeys"));
    for (key, value) in tags {
        context.insert(format!("aws:RequestTag/{key}"), vec![value]);
    }
    let tagged = !keys.is_empty();
    if tagged {
        context.insert("aws:TagKeys".to_owned(), keys);
    }
    let named = input::text(&call.input, "SecretId").or_else(|| input::text(&call.input, "Name"));
    let secret = named.and_then(|named| find(world, named));
    let resource = match (secret, named) {
        (Some(secret), _) => secret.arn.clone(),
        (None, Some(named)) if named.starts_with("arn:") => named.to_owned(),
        (None, Some(named)) => world.arn("secretsmanager", &format!("secret:{named}")),
        (None, None) => "*".to_owned(),
    };
    for (key, value) in secret.map(|secret| &secret.tags).into_iter().flatten() {
        context.insert(format!("aws:ResourceTag/{key}"), vec![value.clone()]);
        context.insert(format!("secretsmanager:ResourceTag/{key}"), vec![value.clone()]);
    }
    let tagging = context.clone();
    if action == "CreateSecret" {
        context.insert("secretsmanager:Name".to_owned(), named.map(str::to_owned).into_iter().collect());
    }
    let mut needs = vec![Need { action: format!("secretsmanager:{action}"), resource: resource.clone(), context }];
    if action == "CreateSecret" && tagged {
        needs.push(Need { action: "secretsmanager:TagResource".to_owned(), resource, context: tagging });
    }
    let key = input::text(&call.input, "KmsKeyId").or_else(|| secret.and_then(|secret| secret.kms_key.as_deref()));
    if let Some(key) = key.and_then(|key| kms::find(world, key)).filter(|key| !key.aws_managed) {
        let actions: &[&str] = match action {
            "GetSecretValue" => &["kms:Decrypt"],
            "CreateSecret" | "PutSecretValue" | "UpdateSecret" => &["kms:GenerateDataKey", "kms:Decrypt"],
            _ => &[],
        };
        needs.extend(actions.iter().map(|action| kms::need_via(world, action, &key.arn, "secretsmanager")));
    }
    needs
}
