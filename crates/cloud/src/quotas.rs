//! Service Quotas: how much of something an account may have.

use aws_config::SdkConfig;
use aws_sdk_servicequotas::Client;
use aws_sdk_servicequotas::config::Builder;

use super::calls::Calls;
use super::error::{Answer, Refusal, refuse};

/// The Service Quotas client.
#[derive(Debug, Clone)]
pub struct Quotas {
    client: Client,
}

impl Quotas {
    pub(super) fn new(config: &SdkConfig, calls: &Calls) -> Self {
        let config = Builder::from(config).interceptor(calls.clone()).build();
        Self { client: Client::from_conf(config) }
    }

    /// How many proxies the account may have in this Region
    /// (<https://docs.aws.amazon.com/general/latest/gr/rds-service.html#limits_relational_database_service>).
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn proxies(&self) -> Answer<f64> {
        self.value("rds", "L-D94C7EA3").await
    }

    async fn value(&self, service: &str, code: &str) -> Answer<f64> {
        const CALL: &str = "servicequotas:GetServiceQuota";
        let answer = self.client.get_service_quota().service_code(service).quota_code(code).send().await;
        let answer = answer.map_err(|error| refuse(CALL, &error))?;
        let value = answer.quota.and_then(|quota| quota.value);
        value.ok_or_else(|| Refusal::incomplete(CALL, "the value"))
    }
}
