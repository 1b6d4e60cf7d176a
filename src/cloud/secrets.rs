//! AWS Secrets Manager: metadata of secrets, and values only where the user allowed it.

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::Builder;

use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};

/// The Secrets Manager client.
#[derive(Debug, Clone)]
pub struct Secrets {
    client: Client,
}

/// A secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secret {
    /// The full ARN, with its six random characters.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The customer KMS key, if not Secrets Manager's own.
    pub kms_key: Option<String>,
    /// Whether deletion is scheduled.
    pub deleted: bool,
    /// The service that manages it (`rds`), if any.
    pub owning_service: Option<String>,
}

/// What the shape of a secret's value says, without the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// The names of the JSON object's keys; `None` when it is not a JSON object.
    pub keys: Option<Vec<String>>,
    /// The `username`, if there is one.
    pub username: Option<String>,
}

impl Secrets {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Looks at a secret's metadata, by ARN or name.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn describe(&self, id: &str) -> Answer<Option<Secret>> {
        const CALL: &str = "secretsmanager:DescribeSecret";
        let answer = match self.client.describe_secret().secret_id(id).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let refusal = refuse(CALL, &error);
                return if refusal.kind == Kind::NotFound { Ok(None) } else { Err(refusal) };
            }
        };
        let arn = answer.arn.ok_or_else(|| Refusal::incomplete(CALL, "the ARN"))?;
        Ok(Some(Secret {
            name: answer.name.unwrap_or_else(|| id.to_owned()),
            arn,
            kms_key: answer.kms_key_id.filter(|key| !key.ends_with("alias/aws/secretsmanager")),
            deleted: answer.deleted_date.is_some(),
            owning_service: answer.owning_service,
        }))
    }

    /// Lists the names of the region's secrets whose name or description holds `text`.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn mentioning(&self, text: &str) -> Answer<Vec<String>> {
        const CALL: &str = "secretsmanager:ListSecrets";
        let filter = aws_sdk_secretsmanager::types::Filter::builder()
            .key(aws_sdk_secretsmanager::types::FilterNameStringType::All)
            .values(text)
            .build();
        let answer = self.client.list_secrets().filters(filter).send().await.map_err(|error| refuse(CALL, &error))?;
        Ok(answer.secret_list.unwrap_or_default().into_iter().filter_map(|secret| secret.name).collect())
    }

    /// Reads a secret once and keeps only the shape of its value.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn inspect(&self, arn: &str) -> Answer<Shape> {
        const CALL: &str = "secretsmanager:GetSecretValue";
        let answer =
            self.client.get_secret_value().secret_id(arn).send().await.map_err(|error| refuse(CALL, &error))?;
        let text = answer.secret_string.unwrap_or_default();
        let Ok(serde_json::Value::Object(value)) = serde_json::from_str(&text) else {
            return Ok(Shape { keys: None, username: None });
        };
        let username = value.get("username").and_then(|name| name.as_str()).map(str::to_owned);
        Ok(Shape { keys: Some(value.keys().cloned().collect()), username })
    }
}
