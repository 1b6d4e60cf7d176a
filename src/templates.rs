//! The policy documents, filled as JSON values and never by pasting strings.

use serde_json::{Value, json};

const TRUST: &str = include_str!("../templates/proxy-trust.json");
const SECRETS: &str = include_str!("../templates/read-secrets.json");
const CONNECT: &str = include_str!("../templates/connect.json");

fn parse(text: &str) -> Value {
    // The files are part of the program, as the tests below hold.
    serde_json::from_str(text).unwrap_or(Value::Null)
}

/// Who may assume the proxy's role: RDS, without conditions.
#[must_use]
pub fn proxy_trust() -> Value {
    parse(TRUST)
}

/// Secrets Manager, as the condition `kms:ViaService` names it.
#[must_use]
pub fn via_secrets_manager(region: &str, partition: &str) -> String {
    via("secretsmanager", region, partition)
}

/// Lambda, as the condition `kms:ViaService` names it.
#[must_use]
pub fn via_lambda(region: &str, partition: &str) -> String {
    via("lambda", region, partition)
}

fn via(service: &str, region: &str, partition: &str) -> String {
    let suffix = if partition == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("{service}.{region}.{suffix}")
}

/// What `rds-db:connect` is about: a user behind a proxy (`prx-…`), or in a database (`db-…`, `cluster-…`).
#[must_use]
pub fn db_user(partition: &str, region: &str, account: &str, resource_id: &str, user: &str) -> String {
    format!("arn:{partition}:rds-db:{region}:{account}:dbuser:{resource_id}/{user}")
}

/// The same for these users.
#[must_use]
pub fn db_users(partition: &str, region: &str, account: &str, resource_id: &str, users: &[String]) -> Vec<String> {
    users.iter().map(|user| db_user(partition, region, account, resource_id, user)).collect()
}

/// The right to read these secrets, and to decrypt them with these keys through Secrets Manager.
#[must_use]
pub fn read_secrets(secrets: &[String], keys: &[String], region: &str, partition: &str) -> Value {
    let mut document = parse(SECRETS);
    document["Statement"][0]["Resource"] = json!(secrets);
    if keys.is_empty() {
        if let Some(statements) = document["Statement"].as_array_mut() {
            statements.truncate(1);
        }
        return document;
    }
    document["Statement"][1]["Resource"] = json!(keys);
    document["Statement"][1]["Condition"]["StringEquals"]["kms:ViaService"] =
        json!(via_secrets_manager(region, partition));
    document
}

/// The right to log in through a proxy as these users.
#[must_use]
pub fn connect(partition: &str, region: &str, account: &str, proxy_id: &str, users: &[String]) -> Value {
    let mut document = parse(CONNECT);
    document["Statement"][0]["Resource"] = json!(db_users(partition, region, account, proxy_id, users));
    document
}

/// The right of the proxy to log in at the database with IAM as these users.
///
/// The resource is the database's own id, not the proxy's
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html>).
#[must_use]
pub fn connect_database(partition: &str, region: &str, account: &str, resource_id: &str, users: &[String]) -> Value {
    let mut document = connect(partition, region, account, resource_id, users);
    document["Statement"][0]["Sid"] = json!("ConnectToDatabase");
    document
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_templates_are_whole() {
        assert_eq!(proxy_trust()["Statement"][0]["Principal"]["Service"], "rds.amazonaws.com");
        assert!(proxy_trust()["Statement"][0].get("Condition").is_none());
        let document = read_secrets(&["s".to_owned()], &["k".to_owned()], "cn-north-1", "aws-cn");
        let via = &document["Statement"][1]["Condition"]["StringEquals"]["kms:ViaService"];
        assert_eq!(via, "secretsmanager.cn-north-1.amazonaws.com.cn");
        assert_eq!(read_secrets(&["s".to_owned()], &[], "eu-west-1", "aws")["Statement"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn the_connect_policy_names_the_proxy_id_and_the_users() {
        let document = connect("aws", "eu-west-1", "1", "prx-0a", &["app".to_owned()]);
        assert_eq!(document["Statement"][0]["Resource"][0], "arn:aws:rds-db:eu-west-1:1:dbuser:prx-0a/app");
        assert_eq!(document["Statement"][0]["Action"], "rds-db:connect");
    }
}
