//! AWS KMS: which key a name means, and whom it serves.

use aws_config::SdkConfig;
use aws_sdk_kms::Client;
use aws_sdk_kms::config::Builder;
use aws_sdk_kms::types::KeyManagerType;
use serde_json::Value;

use super::calls::Calls;
use super::error::{Answer, Kind, Refusal, refuse};

/// The KMS client.
#[derive(Debug, Clone)]
pub struct Kms {
    client: Client,
}

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Its ARN.
    pub arn: String,
    /// Whether it belongs to an AWS service and not to the customer.
    pub aws_managed: bool,
    /// Whether it can be used.
    pub enabled: bool,
}

impl Kms {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Reads a key, by id, ARN, alias or alias ARN.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn key(&self, name: &str) -> Answer<Option<Key>> {
        const CALL: &str = "kms:DescribeKey";
        let answer = match self.client.describe_key().key_id(name).send().await.map_err(|error| refuse(CALL, &error)) {
            Err(refusal) if refusal.kind == Kind::NotFound => return Ok(None),
            answer => answer?,
        };
        let found = answer.key_metadata.ok_or_else(|| Refusal::incomplete(CALL, "the key"))?;
        Ok(Some(Key {
            arn: found.arn.ok_or_else(|| Refusal::incomplete(CALL, "the ARN"))?,
            aws_managed: found.key_manager == Some(KeyManagerType::Aws),
            enabled: found.enabled,
        }))
    }

    /// Reads a key's policy, by the key's ARN; `None` where it is no JSON.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn policy(&self, arn: &str) -> Answer<Option<Value>> {
        let call = self.client.get_key_policy().key_id(arn).policy_name("default").send().await;
        let answer = call.map_err(|error| refuse("kms:GetKeyPolicy", &error))?;
        Ok(answer.policy.and_then(|text| serde_json::from_str(&text).ok()))
    }
}
