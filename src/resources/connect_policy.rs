//! Steps 4 and 6: the policies that let functions log in with IAM tokens, one for each set of database users.
//!
//! The document names the proxy by its id out of the ARN (`prx-…`, step 5), never by its name
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html>).
//! Versions of a managed policy never change, so a tag that holds the version's digest identifies its document
//! without reading it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::catalogue::StepId;
use crate::cloud::iam::Policy;
use crate::cloud::{Answer, Cloud, Owner, Refusal, Tags, tags};
use crate::discover::given::lacks;
use crate::engine::{Aws, Diff, Limit, Observed, Poll, PollInterval, RetryPolicy, Row, Run, Step, StepError, crowd};
use crate::names::{Names, digest, last_of_path};
use crate::plan::{PlannedStep, Terms};
use crate::resources::{Found, Line, NO_FUNCTION, Removal, Work, not_ours, settling};

/// The managed policies.
pub struct ConnectPolicies<'a> {
    /// Each of them, the first one first: its tags name the further ones.
    pub all: Vec<ConnectPolicy<'a>>,
    /// The first one, where there are further ones beside it.
    pub marked: Option<&'a str>,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long IAM may take.
    pub limit: Limit,
}

/// One managed policy.
pub struct ConnectPolicy<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// Its ARN.
    pub arn: String,
    /// Its database users.
    pub users: Vec<String>,
    /// Whether it is an administrator's: checked, never changed.
    pub given: bool,
    /// Its document, once the proxy's id is known.
    pub document: Option<Value>,
    /// Where no function is left: the users that flags ask for all the same. What the policy allows already then
    /// stays, since the functions at the proxy are not known.
    pub unused: Option<Vec<String>>,
    /// Whether it is the first one, and there are further ones beside it.
    pub further: bool,
}

/// The policies that are there, by ARN.
pub type Held = BTreeMap<String, InForce>;

/// The policy and the digest of the document of the default version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    /// The policy.
    pub policy: Policy,
    /// The digest.
    pub digest: String,
    /// The document, where it was read.
    pub document: Option<Value>,
}

/// What the tag [`tags::FURTHER`] says.
const FURTHER: &str = "yes";

/// Whether a policy's tags name further ones.
#[must_use]
pub fn tells_of_further(policy: &Policy) -> bool {
    policy.tags.contains_key(tags::FURTHER)
}

/// The name in a policy's ARN.
#[must_use]
pub fn name_of(arn: &str) -> &str {
    last_of_path(arn)
}

/// Looks at a policy of ours: what its document is, as far as a tag says it, and the document where it is asked for.
///
/// # Errors
/// When AWS refuses.
pub async fn look(cloud: &Cloud, arn: &str, with_document: bool) -> Answer<Option<InForce>> {
    let Some(policy) = cloud.iam.policy(arn).await? else { return Ok(None) };
    let marked = policy.tags.get(tags::DOCUMENT).and_then(|mark| mark.strip_prefix(&format!("{}:", policy.version)));
    let (digest, document) = match marked {
        Some(digest) if !with_document => (digest.to_owned(), None),
        _ => {
            let document = cloud.iam.policy_document(arn, &policy.version).await?;
            (digest(&document.to_string()), Some(document))
        }
    };
    Ok(Some(InForce { policy, digest, document }))
}

fn mark(version: &str, document: &str) -> String {
    format!("{version}:{document}")
}

impl ConnectPolicy<'_> {
    /// What an administrator's policy lacks.
    fn check(&self, seen: &Observed<InForce>) -> Diff {
        let Some(found) = seen.present() else {
            return Diff::Conflict(vec![format!("there is no policy {}", self.arn)]);
        };
        let Some(wanted) = &self.document else {
            return Diff::NotNeeded("an administrator's; checked once the proxy's id is known".to_owned());
        };
        let resources = wanted["Statement"][0]["Resource"].as_array().into_iter().flatten();
        let resources: Vec<String> = resources.filter_map(Value::as_str).map(str::to_owned).collect();
        let mut lacking = lacks(found.document.as_ref().unwrap_or(&Value::Null), "rds-db:connect", &resources);
        if lacking.is_empty() {
            return Diff::None;
        }
        lacking.push(format!("have this statement added to {}: {}", self.arn, wanted["Statement"][0]));
        Diff::Conflict(lacking)
    }

    /// What is missing where no function is left.
    fn kept(&self, seen: &Observed<InForce>, flagged: &[String]) -> Diff {
        match seen.present() {
            None if flagged.is_empty() => Diff::NotNeeded(NO_FUNCTION.to_owned()),
            None => Diff::Create,
            Some(_) if flagged.is_empty() => Diff::NotNeeded(format!("{NO_FUNCTION}; it stays as it is")),
            Some(found) if !self.owner.owns(&found.policy.tags) => Diff::Conflict(not_ours("a policy", self.name())),
            Some(found) if self.lacking(found).is_empty() => Diff::None,
            Some(_) => Diff::Update(vec!["policy document".to_owned()]),
        }
    }

    /// The resources that the document of the default version does not allow yet.
    fn lacking(&self, found: &InForce) -> Vec<Value> {
        let document = found.document.as_ref().unwrap_or(&Value::Null);
        let wanted = self.document.iter().filter_map(|wanted| wanted["Statement"][0]["Resource"].as_array());
        let lacks = |arn: &&Value| {
            let arn = arn.as_str().map(str::to_owned).into_iter().collect::<Vec<_>>();
            !lacks(document, "rds-db:connect", &arn).is_empty()
        };
        wanted.flatten().filter(lacks).cloned().collect()
    }

    /// The document of the default version, and what flags ask for beside it.
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

    /// Its name, without the path.
    #[must_use]
    pub fn name(&self) -> &str {
        name_of(&self.arn)
    }

    /// What writing it does, for a plan that is saved.
    pub(crate) fn written(&self) -> String {
        let keeps = if self.unused.is_some() { ", and what it allows already" } else { "" };
        format!("let {} allow logging in as {}{keeps}", self.name(), self.users.join(", "))
    }

    fn tags(&self, version: &str, digest: &str) -> Tags {
        let mut all = self.owner.tags();
        all.insert(tags::DOCUMENT.to_owned(), mark(version, digest));
        if self.further {
            all.insert(tags::FURTHER.to_owned(), FURTHER.to_owned());
        }
        all
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Option<InForce>> {
        // The tags of a policy that is not ours say nothing; and what is added to a document must be read before.
        let extends = self.unused.as_ref().is_some_and(|flagged| !flagged.is_empty());
        look(cloud, &self.arn, self.given || extends).await
    }

    /// What is missing.
    #[must_use]
    pub fn compare(&self, seen: &Observed<InForce>) -> Diff {
        if self.given {
            return self.check(seen);
        }
        if let Some(flagged) = &self.unused {
            return self.kept(seen, flagged);
        }
        let wanted = self.document.as_ref().map(|document| digest(&document.to_string()));
        match seen.present() {
            None => Diff::Create,
            Some(found) if !self.owner.owns(&found.policy.tags) => Diff::Conflict(not_ours("a policy", self.name())),
            Some(found) if wanted.as_ref() != Some(&found.digest) => Diff::Update(vec!["policy document".to_owned()]),
            Some(_) => Diff::None,
        }
    }

    /// Writes what is missing.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn write(&self, cloud: &Cloud, seen: &Observed<InForce>) -> Answer<InForce> {
        let extended = || self.unused.as_ref().and(seen.present()).and_then(|found| self.extended(found));
        let document = extended().or_else(|| self.document.clone()).unwrap_or(Value::Null);
        let (digest, arn) = (digest(&document.to_string()), self.arn.as_str());
        if let Some(found) = seen.present() {
            // Five versions are the limit: the oldest idle ones make room.
            let idle = cloud.iam.idle_policy_versions(arn).await?;
            for version in idle.iter().take(idle.len().saturating_sub(3)) {
                cloud.iam.delete_policy_version(arn, version).await?;
            }
            let version = cloud.iam.add_policy_version(arn, &document).await?;
            let tags = self.tags(&version, &digest);
            cloud.iam.tag_policy(arn, &tags).await?;
            let policy = Policy { version, tags, ..found.policy.clone() };
            return Ok(InForce { policy, digest, document: Some(document) });
        }
        let tags = self.tags("v1", &digest);
        let policy = cloud.iam.create_policy(self.name(), &self.names.path, &document, &tags).await?;
        Ok(InForce { policy, digest, document: Some(document) })
    }
}

impl ConnectPolicies<'_> {
    /// What is there of one, by its ARN.
    fn of(seen: &Observed<Held>, arn: &str) -> Observed<InForce> {
        Observed::from(seen.present().and_then(|held| held.get(arn)).cloned())
    }

    /// Whether the first one is there and does not name the further ones yet.
    fn to_mark(&self, seen: &Observed<Held>) -> Option<&str> {
        let arn = self.marked?;
        Self::of(seen, arn).present().is_some_and(|found| !tells_of_further(&found.policy)).then_some(arn)
    }
}

impl Step<Aws> for ConnectPolicies<'_> {
    type State = Held;

    fn id(&self) -> StepId {
        StepId::ConnectPolicy
    }

    fn subject(&self) -> String {
        let names: Vec<&str> = self.all.iter().map(ConnectPolicy::name).collect();
        names.join(", ")
    }

    fn doing(&self, change: &Diff) -> String {
        let verb = match change {
            Diff::Create => "creating",
            Diff::Conflict(_) => "checking",
            _ => "updating",
        };
        let noun = if self.all.len() > 1 { "policies" } else { "policy" };
        format!("{verb} the connect {noun} ({})", self.subject())
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Held>> {
        let mut held = Held::new();
        for (wanted, found) in self.all.iter().zip(crowd(self.all.iter().map(|one| one.observe(cloud)).collect()).await)
        {
            held.extend(found?.map(|found| (wanted.arn.clone(), found)));
        }
        if let Some(arn) = self.marked.filter(|arn| self.all.iter().all(|one| one.arn != *arn)) {
            held.extend(look(cloud, arn, false).await?.map(|found| (arn.to_owned(), found)));
        }
        Ok(Observed::Present(held))
    }

    fn compare(&self, seen: &Observed<Held>) -> Diff {
        if let Some(why) = &self.not_needed {
            return Diff::NotNeeded(why.clone());
        }
        if let [only] = self.all.as_slice()
            && self.marked.is_none()
        {
            return only.compare(&Self::of(seen, &only.arn));
        }
        let (mut conflicts, mut fields, mut created) = (Vec::new(), Vec::new(), 0);
        if let Some(arn) = self.to_mark(seen) {
            fields.push(format!("{}: tag that names further policies", name_of(arn)));
        }
        for one in &self.all {
            match one.compare(&Self::of(seen, &one.arn)) {
                Diff::Create => {
                    created += 1;
                    fields.push(format!("{}: create", one.name()));
                }
                Diff::Update(what) => fields.push(format!("{}: {}", one.name(), what.join(", "))),
                Diff::Conflict(reasons) => conflicts.extend(reasons),
                Diff::None | Diff::NotNeeded(_) | Diff::Await(_) => {}
            }
        }
        match (conflicts.is_empty(), fields.len()) {
            (false, _) => Diff::Conflict(conflicts),
            (true, 0) => Diff::None,
            (true, _) if created == self.all.len() => Diff::Create,
            (true, _) => Diff::Update(fields),
        }
    }

    async fn apply(&self, cloud: &Cloud, _change: &Diff, seen: Observed<Held>) -> Answer<Observed<Held>> {
        let mut held = seen.present().cloned().unwrap_or_default();
        // Before a further one is created: a teardown after a run that was killed in between looks for them all.
        if let Some(arn) = self.to_mark(&seen) {
            let mark = Tags::from([(tags::FURTHER.to_owned(), FURTHER.to_owned())]);
            cloud.iam.tag_policy(arn, &mark).await?;
            if let Some(found) = held.get_mut(arn) {
                found.policy.tags.extend(mark);
            }
        }
        for one in &self.all {
            let before = Self::of(&seen, &one.arn);
            if matches!(one.compare(&before), Diff::Create | Diff::Update(_)) {
                held.insert(one.arn.clone(), one.write(cloud, &before).await?);
            }
        }
        Ok(Observed::Present(held))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.limit, PollInterval::Dense)
    }
}

impl PlannedStep for ConnectPolicies<'_> {
    fn details(&self, _seen: &Observed<Held>) -> Vec<String> {
        if self.all.len() < 2 {
            return Vec::new();
        }
        self.all.iter().map(|one| format!("{}: as {}", one.name(), one.users.join(", "))).collect()
    }

    fn terms(&self, seen: &Observed<Held>) -> Terms {
        if self.not_needed.is_some() {
            return Terms::default();
        }
        let mark = self.to_mark(seen).map(|arn| format!("tag {}: further policies stand beside it", name_of(arn)));
        let one = |one: &ConnectPolicy<'_>| match one.compare(&Self::of(seen, &one.arn)) {
            // Created with its document, in one call: a document to be written later is another's doing.
            Diff::Create => Some(format!("create {}, and {}", one.name(), one.written())),
            Diff::Update(_) => Some(one.written()),
            Diff::None | Diff::NotNeeded(_) | Diff::Await(_) | Diff::Conflict(_) => None,
        };
        Terms::of(mark.into_iter().chain(self.all.iter().filter_map(one)))
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
    /// Finds the stack's own policies under its path, the one that names the others last, and the roles that carry
    /// them: the one of the stack's own name, and further ones where it names some, or is not there.
    /// `needs_none` says that its proxy does not need any.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find(
        cloud: &Cloud,
        owner: &Owner,
        names: &Names,
        arn: &str,
        needs_none: bool,
    ) -> Answer<Vec<Found<Self>>> {
        let first = Self::look(cloud, arn).await?;
        let look_further = match &first {
            Some(found) => tells_of_further(&found.policy),
            None => !needs_none,
        };
        let mut found = Vec::new();
        if look_further {
            let further = cloud.iam.policies_under(&names.path).await?;
            let looks = further.iter().filter(|further| *further != arn).map(|arn| Self::look(cloud, arn)).collect();
            for policy in crowd(looks).await {
                // Another teardown at the same time may be faster.
                found.extend(policy?);
            }
        }
        found.extend(first);
        let owns = |found: &Self| owner.owns(&found.policy.tags);
        let what = |found: &Self| format!("the policy {}", found.name());
        Ok(found.into_iter().map(|found| Found::judged(Some(found), owns, what)).collect())
    }

    async fn look(cloud: &Cloud, arn: &str) -> Answer<Option<Self>> {
        let (policy, carriers) = tokio::join!(cloud.iam.policy(arn), cloud.iam.carriers(arn));
        let (policy, roles) = (policy?, carriers?.roles);
        Ok(policy.map(|policy| Self { policy, roles }))
    }

    fn name(&self) -> &str {
        name_of(&self.policy.arn)
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), StepError> {
        let (iam, arn) = (&run.cloud.iam, &self.policy.arn);
        let doing = format!("deleting the connect policy ({})", self.name());
        let poll =
            Poll::begin(run, Row::Step(StepId::ConnectPolicy), &doing, run.timeouts.propagation, PollInterval::Dense);
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

    fn terms(&self) -> Vec<(String, Terms)> {
        let detach = self.roles.iter().map(|role| format!("detach from {role}"));
        vec![(format!("policy {}", self.name()), Terms::of(detach.chain(["delete".to_owned()])))]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.delete(run))
    }
}
