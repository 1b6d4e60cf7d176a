//! Step 7: the connect policy on the functions' roles.
//!
//! A function signs its token with its execution role, so the role carries the right
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html>). Functions that share a role
//! share the attachment.

use crate::catalogue::StepId;
use crate::cloud::{Answer, Cloud, Refusal};
use crate::engine::{Again, Change, Limit, Pace, Seen, Step, crowd};
use crate::resources::settling;

/// The policy's attachments.
pub struct Attach<'a> {
    /// The policy's ARN.
    pub policy: &'a str,
    /// Whether the policy is an administrator's, who attaches it too.
    pub given: bool,
    /// The roles' names, each once.
    pub roles: Vec<String>,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long IAM may take.
    pub limit: Limit,
}

impl Attach<'_> {
    fn missing(&self, seen: &Seen<Vec<String>>) -> Vec<String> {
        let attached = seen.present().map(Vec::as_slice).unwrap_or_default();
        self.roles.iter().filter(|role| !attached.contains(role)).cloned().collect()
    }
}

impl Step for Attach<'_> {
    type State = Vec<String>;

    fn id(&self) -> StepId {
        StepId::AttachPolicy
    }

    fn subject(&self) -> String {
        if self.roles.is_empty() { "no role".to_owned() } else { self.roles.join(", ") }
    }

    fn doing(&self, _change: &Change) -> String {
        format!("attaching the connect policy ({})", self.subject())
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Seen<Vec<String>>> {
        Ok(Seen::Present(cloud.iam.attached_roles(self.policy).await?))
    }

    fn compare(&self, seen: &Seen<Vec<String>>) -> Change {
        if let Some(why) = &self.not_needed {
            return Change::NotNeeded(why.clone());
        }
        let missing = self.missing(seen);
        if missing.is_empty() {
            return Change::None;
        }
        if self.given {
            let attach = |role: &String| {
                format!(
                    "the policy is not attached to {role}; attach it: aws iam attach-role-policy --role-name {role} --policy-arn {}",
                    self.policy
                )
            };
            return Change::Conflict(missing.iter().map(attach).collect());
        }
        Change::Create
    }

    async fn apply(&self, cloud: &Cloud, _change: &Change, seen: Seen<Vec<String>>) -> Answer<Seen<Vec<String>>> {
        let missing = self.missing(&seen);
        let attach = missing.iter().map(|role| cloud.iam.attach(role, self.policy)).collect();
        crowd(attach).await.into_iter().collect::<Answer<()>>()?;
        Ok(Seen::Present(self.roles.clone()))
    }

    fn again(&self, refusal: &Refusal) -> Option<Again> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, Pace) {
        (self.limit, Pace::Dense)
    }
}
