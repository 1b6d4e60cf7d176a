//! The permissions that Secrets Manager's calls need.

use super::find;
use crate::account::{Call, Need, World};
use crate::{conditions, input, kms};

/// The permissions that the call needs.
pub(crate) fn needs(world: &World, call: &Call) -> Vec<Need> {
    let action = call.action.as_str();
    let mut context = conditions::of_request(&input::tags(&call.input, "Tags"), input::texts(&call.input, "TagKeys"));
    let tagged = !context.is_empty();
    let named = input::text(&call.input, "SecretId").or_else(|| input::text(&call.input, "Name"));
    let secret = named.and_then(|named| find(world, named));
    let resource = match (secret, named) {
        (Some(secret), _) => secret.arn.clone(),
        (None, Some(named)) if named.starts_with("arn:") => named.to_owned(),
        (None, Some(named)) => world.arn("secretsmanager", &format!("secret:{named}")),
        (None, None) => "*".to_owned(),
    };
    let own = secret.map(|secret| &secret.tags).into_iter().flatten();
    context.extend(conditions::of_tags(own, &["aws:ResourceTag", "secretsmanager:ResourceTag"]));
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
