//! Steps 4 and 6: the policy that lets functions log in with IAM tokens.
//!
//! The document names the proxy by its id out of the ARN (`prx-…`, step 5), never by its name
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html>).
//! Versions of a managed policy never change, so a tag that holds the version's digest tells its document
//! without reading it.

use serde_json::Value;

use crate::catalogue::StepId;
use crate::cloud::iam::Policy;
use crate::cloud::{Answer, Cloud, Owner, Refusal, Tags, tags};
use crate::engine::{Again, Change, Limit, Pace, Seen, Step};
use crate::names::{Names, digest};
use crate::steps::{not_ours, settling};

/// The managed policy.
pub struct ConnectPolicy<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// Its ARN.
    pub arn: &'a str,
    /// Its document, once the proxy's id is known.
    pub document: Option<Value>,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long IAM may take.
    pub limit: Limit,
}

/// The policy and the digest of the document in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The policy.
    pub policy: Policy,
    /// The digest.
    pub digest: String,
}

fn mark(version: &str, document: &str) -> String {
    format!("{version}:{document}")
}

impl ConnectPolicy<'_> {
    fn tags(&self, version: &str, digest: &str) -> Tags {
        let mut all = self.owner.tags();
        all.insert(tags::DOCUMENT.to_owned(), mark(version, digest));
        all
    }
}

impl Step for ConnectPolicy<'_> {
    type State = InForce;

    fn id(&self) -> StepId {
        StepId::ConnectPolicy
    }

    fn subject(&self) -> String {
        self.names.policy.clone()
    }

    fn doing(&self, change: &Change) -> String {
        let verb = if *change == Change::Create { "creating" } else { "updating" };
        format!("{verb} the connect policy ({})", self.names.policy)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Seen<InForce>> {
        let Some(policy) = cloud.iam.policy(self.arn).await? else { return Ok(Seen::Absent) };
        let marked =
            policy.tags.get(tags::DOCUMENT).and_then(|mark| mark.strip_prefix(&format!("{}:", policy.version)));
        let digest = match marked {
            Some(digest) => digest.to_owned(),
            None => digest(&cloud.iam.policy_document(self.arn, &policy.version).await?.to_string()),
        };
        Ok(Seen::Present(InForce { policy, digest }))
    }

    fn compare(&self, seen: &Seen<InForce>) -> Change {
        if let Some(why) = &self.not_needed {
            return Change::NotNeeded(why.clone());
        }
        let wanted = self.document.as_ref().map(|document| digest(&document.to_string()));
        match seen.present() {
            None => Change::Create,
            Some(found) if !self.owner.owns(&found.policy.tags) => {
                Change::Conflict(not_ours("a policy", &self.names.policy))
            }
            Some(found) if wanted.as_ref() != Some(&found.digest) => Change::Update(vec!["policy document".to_owned()]),
            Some(_) => Change::None,
        }
    }

    async fn apply(&self, cloud: &Cloud, change: &Change, seen: Seen<InForce>) -> Answer<Seen<InForce>> {
        let document = self.document.clone().unwrap_or(Value::Null);
        let digest = digest(&document.to_string());
        if let (Change::Update(_), Seen::Present(found)) = (change, seen) {
            // Five versions are the limit: the oldest idle ones make room.
            let idle = cloud.iam.idle_policy_versions(self.arn).await?;
            for version in idle.iter().take(idle.len().saturating_sub(3)) {
                cloud.iam.delete_policy_version(self.arn, version).await?;
            }
            let version = cloud.iam.add_policy_version(self.arn, &document).await?;
            let tags = self.tags(&version, &digest);
            cloud.iam.tag_policy(self.arn, &tags).await?;
            let policy = Policy { version, tags, ..found.policy };
            return Ok(Seen::Present(InForce { policy, digest }));
        }
        let tags = self.tags("v1", &digest);
        let policy = cloud.iam.create_policy(&self.names.policy, &self.names.path, &document, &tags).await?;
        Ok(Seen::Present(InForce { policy, digest }))
    }

    fn again(&self, refusal: &Refusal) -> Option<Again> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, Pace) {
        (self.limit, Pace::Dense)
    }
}
