//! AWS STS: who we are.

use aws_config::SdkConfig;
use aws_sdk_sts::Client;
use aws_sdk_sts::config::Builder;

use super::calls::Calls;
use super::error::{Answer, Refusal, refuse};

/// The STS client.
#[derive(Debug, Clone)]
pub struct Sts {
    client: Client,
}

/// The caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The account's twelve digits.
    pub account: String,
    /// The caller's ARN.
    pub arn: String,
    /// `aws`, `aws-cn`, `aws-us-gov`: from the ARN.
    pub partition: String,
}

impl Sts {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// Asks who the caller is.
    ///
    /// # Errors
    /// When there are no usable credentials, or AWS refuses.
    pub async fn identity(&self) -> Answer<Identity> {
        const CALL: &str = "sts:GetCallerIdentity";
        let answer = self.client.get_caller_identity().send().await.map_err(|error| refuse(CALL, &error))?;
        let account = answer.account.ok_or_else(|| Refusal::incomplete(CALL, "the account"))?;
        let arn = answer.arn.ok_or_else(|| Refusal::incomplete(CALL, "the caller's ARN"))?;
        let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
        Ok(Identity { account, arn, partition })
    }
}
