//! Step 8: the proxy's role may read the secrets.
//!
//! The published procedure attaches `SecretsManagerReadWrite`; this inline policy allows
//! `GetSecretValue` on the exact secrets, and decryption through Secrets Manager where a KMS key is
//! named. It is written before the proxy exists, since a proxy that cannot read its secret ends in
//! AUTH_FAILURE (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html>).

use serde_json::Value;

use crate::catalogue::StepId;
use crate::cloud::{Answer, Cloud, Refusal};
use crate::engine::{Again, Change, Limit, Pace, Seen, Step};
use crate::names::{Names, SECRET_POLICY};
use crate::steps::settling;

/// The inline policy of the proxy's role.
pub struct SecretAccess<'a> {
    /// Names.
    pub names: &'a Names,
    /// The document.
    pub document: Value,
    /// The secrets' names, for people.
    pub secrets: Vec<String>,
    /// Why these secrets.
    pub why: String,
    /// How long IAM may take.
    pub limit: Limit,
}

impl Step for SecretAccess<'_> {
    type State = Value;

    fn id(&self) -> StepId {
        StepId::SecretAccess
    }

    fn subject(&self) -> String {
        self.secrets.join(", ")
    }

    fn doing(&self, _change: &Change) -> String {
        format!("letting the proxy's role read the secret ({})", self.subject())
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Seen<Value>> {
        Ok(cloud.iam.role_policy(&self.names.role, SECRET_POLICY).await?.into())
    }

    fn compare(&self, seen: &Seen<Value>) -> Change {
        match seen.present() {
            None => Change::Create,
            Some(found) if *found != self.document => Change::Update(vec!["policy document".to_owned()]),
            Some(_) => Change::None,
        }
    }

    async fn apply(&self, cloud: &Cloud, _change: &Change, _seen: Seen<Value>) -> Answer<Seen<Value>> {
        cloud.iam.put_role_policy(&self.names.role, SECRET_POLICY, &self.document).await?;
        Ok(Seen::Present(self.document.clone()))
    }

    fn again(&self, refusal: &Refusal) -> Option<Again> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, Pace) {
        (self.limit, Pace::Dense)
    }

    fn details(&self, _seen: &Seen<Value>) -> Vec<String> {
        vec![format!("why: {}", self.why)]
    }
}
