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
use crate::discover::given::lacks;
use crate::engine::{Again, Change, Limit, Pace, Poll, Row, Run, Seen, Step, Stop};
use crate::names::{Names, digest};
use crate::resources::{Found, Line, NO_FUNCTION, Removal, Work, not_ours, settling};

/// The managed policy.
pub struct ConnectPolicy<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// Its ARN.
    pub arn: &'a str,
    /// Whether it is an administrator's: checked, never changed.
    pub given: bool,
    /// Its document, once the proxy's id is known.
    pub document: Option<Value>,
    /// Where no function is left: the users that flags ask for all the same. What the policy allows already then stays,
    /// since whoever is at the proxy is not known.
    pub unused: Option<Vec<String>>,
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
    /// The document, where it was read.
    pub document: Option<Value>,
}

fn mark(version: &str, document: &str) -> String {
    format!("{version}:{document}")
}

impl ConnectPolicy<'_> {
    /// What an administrator's policy lacks.
    fn check(&self, seen: &Seen<InForce>) -> Change {
        let Some(found) = seen.present() else {
            return Change::Conflict(vec![format!("there is no policy {}", self.arn)]);
        };
        let Some(wanted) = &self.document else {
            return Change::NotNeeded("an administrator's; checked once the proxy's id is known".to_owned());
        };
        let resources = wanted["Statement"][0]["Resource"].as_array().into_iter().flatten();
        let resources: Vec<String> = resources.filter_map(Value::as_str).map(str::to_owned).collect();
        let mut lacking = lacks(found.document.as_ref().unwrap_or(&Value::Null), "rds-db:connect", &resources);
        if lacking.is_empty() {
            return Change::None;
        }
        lacking.push(format!("have this statement added to {}: {}", self.arn, wanted["Statement"][0]));
        Change::Conflict(lacking)
    }

    /// What is missing where no function is left.
    fn kept(&self, seen: &Seen<InForce>, flagged: &[String]) -> Change {
        match seen.present() {
            None if flagged.is_empty() => Change::NotNeeded(NO_FUNCTION.to_owned()),
            None => Change::Create,
            Some(_) if flagged.is_empty() => Change::NotNeeded(format!("{NO_FUNCTION}; it stays as it is")),
            Some(found) if !self.owner.owns(&found.policy.tags) => {
                Change::Conflict(not_ours("a policy", &self.names.policy))
            }
            Some(found) if self.lacking(found).is_empty() => Change::None,
            Some(_) => Change::Update(vec!["policy document".to_owned()]),
        }
    }

    /// The resources that the document in force does not allow yet.
    fn lacking(&self, found: &InForce) -> Vec<Value> {
        let document = found.document.as_ref().unwrap_or(&Value::Null);
        let wanted = self.document.iter().flat_map(|wanted| wanted["Statement"][0]["Resource"].as_array());
        let lacks = |arn: &&Value| {
            let arn = arn.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>();
            !lacks(document, "rds-db:connect", &arn).is_empty()
        };
        wanted.flatten().filter(lacks).cloned().collect()
    }

    /// The document in force, and what flags ask for beside it.
    fn extended(&self, found: &InForce) -> Option<Value> {
        let mut further = self.document.as_ref()?["Statement"][0].clone();
        further["Resource"] = Value::Array(self.lacking(found));
        if let Some(statement) = further.as_object_mut() {
            // Ids of statements are unique in a document.
            statement.remove("Sid");
        }
        let mut document = found.document.clone()?;
        document["Statement"].as_array_mut()?.push(further);
        Some(document)
    }

    fn name(&self) -> &str {
        if self.given { self.arn.rsplit('/').next().unwrap_or_default() } else { &self.names.policy }
    }

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
        self.name().to_owned()
    }

    fn doing(&self, change: &Change) -> String {
        let verb = match change {
            Change::Create => "creating",
            Change::Conflict(_) => "checking",
            _ => "updating",
        };
        format!("{verb} the connect policy ({})", self.name())
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Seen<InForce>> {
        let Some(policy) = cloud.iam.policy(self.arn).await? else { return Ok(Seen::Absent) };
        if self.given {
            // The tags of a policy that is not ours say nothing.
            let document = cloud.iam.policy_document(self.arn, &policy.version).await?;
            let digest = digest(&document.to_string());
            return Ok(Seen::Present(InForce { policy, digest, document: Some(document) }));
        }
        let marked =
            policy.tags.get(tags::DOCUMENT).and_then(|mark| mark.strip_prefix(&format!("{}:", policy.version)));
        let digest = match marked {
            Some(digest) => digest.to_owned(),
            None => digest(&cloud.iam.policy_document(self.arn, &policy.version).await?.to_string()),
        };
        let document = match &self.unused {
            Some(flagged) if !flagged.is_empty() => Some(cloud.iam.policy_document(self.arn, &policy.version).await?),
            _ => None,
        };
        Ok(Seen::Present(InForce { policy, digest, document }))
    }

    fn compare(&self, seen: &Seen<InForce>) -> Change {
        if let Some(why) = &self.not_needed {
            return Change::NotNeeded(why.clone());
        }
        if self.given {
            return self.check(seen);
        }
        if let Some(flagged) = &self.unused {
            return self.kept(seen, flagged);
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
        let extended = || self.unused.as_ref().and(seen.present()).and_then(|found| self.extended(found));
        let document = extended().or_else(|| self.document.clone()).unwrap_or(Value::Null);
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
            return Ok(Seen::Present(InForce { policy, digest, document: Some(document) }));
        }
        let tags = self.tags("v1", &digest);
        let policy = cloud.iam.create_policy(&self.names.policy, &self.names.path, &document, &tags).await?;
        Ok(Seen::Present(InForce { policy, digest, document: Some(document) }))
    }

    fn again(&self, refusal: &Refusal) -> Option<Again> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, Pace) {
        (self.limit, Pace::Dense)
    }
}

/// The connect policy on its way out.
#[derive(Debug, Clone)]
pub struct PolicyRemoval {
    /// The policy.
    pub policy: Policy,
    /// The roles that carry it.
    pub roles: Vec<String>,
}

impl PolicyRemoval {
    /// Finds the stack's own policy, and the roles that carry the one of its name.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find(cloud: &Cloud, owner: &Owner, names: &Names, arn: &str) -> Answer<(Found<Self>, Vec<String>)> {
        let (policy, roles) = tokio::join!(cloud.iam.policy(arn), cloud.iam.attached_roles(arn));
        let (policy, roles) = (policy?, roles?);
        let there = policy.map(|policy| Self { policy, roles: roles.clone() });
        let owns = |found: &Self| owner.owns(&found.policy.tags);
        Ok((Found::judged(there, owns, |_| format!("the policy {}", names.policy)), roles))
    }

    fn name(&self) -> &str {
        self.policy.arn.rsplit('/').next().unwrap_or_default()
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), Stop> {
        let (iam, arn) = (&run.cloud.iam, &self.policy.arn);
        let doing = format!("deleting the connect policy ({})", self.name());
        let poll = Poll::begin(run, Row::Step(StepId::ConnectPolicy), &doing, run.patience.propagation, Pace::Dense);
        for role in &self.roles {
            poll.insist(run, async || iam.detach(role, arn).await).await?;
        }
        for version in poll.look(run, async || iam.idle_policy_versions(arn).await).await? {
            poll.insist(run, async || iam.delete_policy_version(arn, &version).await).await?;
        }
        poll.insist(run, async || iam.delete_policy(arn).await).await
    }
}

impl Removal for PolicyRemoval {
    fn step(&self) -> Option<StepId> {
        Some(StepId::ConnectPolicy)
    }

    fn subject(&self) -> String {
        self.name().to_owned()
    }

    fn lines(&self) -> Vec<Line> {
        let of = if self.roles.is_empty() {
            "attached to no role".to_owned()
        } else {
            format!("attached to {}", self.roles.join(", "))
        };
        vec![Line::of('-', format!("policy {}", self.name()), of)]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.delete(run))
    }
}
