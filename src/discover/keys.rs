//! Customer keys of the secrets: what their names mean, and whether they serve the proxy's role.

use serde_json::{Value, json};

use super::matching::{acts, list, texts};
use super::problem::Problem;
use crate::catalogue::checks::CheckId;
use crate::cloud::secrets::Secret;
use crate::cloud::{Answer, Cloud};
use crate::templates;

/// The key's ARN, whatever it was named by.
///
/// # Errors
/// When there is none, or it cannot be used.
pub async fn resolve(cloud: &Cloud, name: &str) -> Result<String, Problem> {
    let doing = format!("looking at the KMS key ({name})");
    match cloud.kms.key(name).await.map_err(Problem::refused(doing.clone()))? {
        Some(key) if key.enabled => Ok(key.arn),
        Some(_) => Err(Problem::unfit(
            format!("{doing}: it is disabled, so nothing can be read with it"),
            [format!("Enable it with: aws kms enable-key --key-id {name}")],
        )
        .known(CheckId::KeyDisabled)),
        None => Err(Problem::unfit(
            format!("{doing}: there is none of this name in {}", cloud.region),
            ["List them with: aws kms list-aliases"],
        )),
    }
}

/// Turns the key of each secret into its ARN: a policy names keys by ARN, never by alias
/// (<https://docs.aws.amazon.com/kms/latest/developerguide/cmks-in-iam-policies.html>).
pub(super) async fn by_arn(cloud: &Cloud, secrets: &mut [Secret]) -> Result<(), Problem> {
    for secret in secrets {
        let alias = secret.kms_key.as_ref().filter(|key| key.contains("alias/"));
        if let Some(alias) = alias.cloned() {
            secret.kms_key = Some(resolve(cloud, &alias).await?);
        }
    }
    Ok(())
}

/// The customers' keys of the secrets, by ARN; a service's own keys serve everyone who may read the secret.
#[must_use]
pub fn customers(secrets: &[Secret]) -> Vec<String> {
    let customers = secrets.iter().filter(|secret| secret.owning_service.is_none());
    let mut keys: Vec<String> = customers.filter_map(|secret| secret.kms_key.clone()).collect();
    keys.sort();
    keys.dedup();
    keys
}

/// What a person should know of the customer keys that do not let the role in: the exact statement to add.
///
/// A key policy that cannot be read is no reason to warn.
pub async fn closed(cloud: &Cloud, secrets: &[Secret], account: &str, role: &str) -> Vec<String> {
    let mut warnings = Vec::new();
    for key in customers(secrets) {
        let policy: Answer<Option<Value>> = cloud.kms.policy(&key).await;
        if let Ok(Some(policy)) = policy
            && !admits(&policy, account, role)
        {
            warnings.push(format!(
                "The policy of the key {key} does not let the proxy's role decrypt, so the target would end in AUTH_FAILURE. Add this statement to it: {}",
                statement(&cloud.region, role)
            ));
        }
    }
    warnings
}

/// The statement that lets a role decrypt through Secrets Manager.
fn statement(region: &str, role: &str) -> Value {
    let partition = role.split(':').nth(1).unwrap_or_default();
    json!({
        "Sid": "RdsProxyReadsSecret",
        "Effect": "Allow",
        "Principal": { "AWS": role },
        "Action": "kms:Decrypt",
        "Resource": "*",
        "Condition": { "StringEquals": { "kms:ViaService": templates::via_secrets_manager(region, partition) } }
    })
}

/// Whether a statement of a key policy allows decryption to the role, or to the account and so to its policies.
fn admits(policy: &Value, account: &str, role: &str) -> bool {
    let lower = |value: &Value| -> Vec<String> { texts(value).map(str::to_ascii_lowercase).collect() };
    let role = role.to_ascii_lowercase();
    let root = format!("::{account}:root");
    list(&policy["Statement"]).iter().any(|statement| {
        let principal = match &statement["Principal"] {
            Value::Object(kinds) => kinds.get("AWS").map(lower).unwrap_or_default(),
            all => lower(all),
        };
        let named = principal.iter().any(|who| who == "*" || who == account || *who == role || who.ends_with(&root));
        statement["Effect"] == "Allow" && named && acts(statement, "kms:decrypt")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statement_that_is_advised_opens_the_key() {
        let role = "arn:aws:iam::123456789012:role/rdsproxy-setup/eu-west-1/main-proxy/main-proxy-eu-west-1";
        let own = json!({ "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:root" },
            "Action": "kms:*", "Resource": "*" }] });
        assert!(admits(&own, "123456789012", role));
        let other = json!({ "Statement": { "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::123456789012:role/admin" },
            "Action": ["kms:*"], "Resource": "*" } });
        assert!(!admits(&other, "123456789012", role));
        let fixed = json!({ "Statement": [other["Statement"], statement("eu-west-1", role)] });
        assert!(admits(&fixed, "123456789012", role));
    }
}
