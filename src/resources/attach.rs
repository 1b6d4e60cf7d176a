//! Step 7: each function's role carries the connect policy of the users that its functions use, and no other.
//!
//! A function signs its token with its execution role, so the role carries the right
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-connecting.html>). Functions that share a role
//! share the attachment. What a role is to have is attached before what it had is taken off, so that none is without
//! its right for a moment; and as IAM is eventually consistent
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>), some
//! seconds lie between the two.

use std::collections::BTreeMap;

use crate::catalogue::StepId;
use crate::cloud::iam::Carriers;
use crate::cloud::{Answer, Cloud, Kind, Refusal};
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Wait, crowd};
use crate::plan::{PlannedStep, Terms};
use crate::resources::connect_policy::{ConnectPolicy, Held, InForce, look, name_of};
use crate::resources::settling;

/// How many rests lie between attaching and detaching: twelve seconds at [`PollInterval::Dense`], by when IAM has
/// usually spread a change.
const RESTS: u8 = 8;

/// The attachments.
pub struct Attach<'a> {
    /// The policy of each role, by the role's name.
    pub wanted: BTreeMap<String, String>,
    /// The ARNs of our policies that are nobody's any more: taken off the roles that have another one now, and deleted
    /// where no role carries them.
    pub former: Vec<String>,
    /// The policy that gets other users, once the roles of others do not carry it any more.
    pub late: Option<ConnectPolicy<'a>>,
    /// Whether the policy is an administrator's, who attaches it too.
    pub given: bool,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long IAM may take.
    pub limit: Limit,
}

/// Who carries which policy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachments {
    /// By the policy's ARN; one that is gone is not among them.
    pub carriers: BTreeMap<String, Carriers>,
    /// The policy that gets other users.
    pub late: Option<InForce>,
    /// Once everything is attached: how many rests are left until the rest is detached.
    pub rests: Option<u8>,
}

impl Attachments {
    /// Whether a role carries a policy.
    fn has(&self, role: &String, arn: &str) -> bool {
        self.carriers.get(arn).is_some_and(|carriers| carriers.roles.contains(role))
    }
}

/// What was seen of the connect policies and of who carries them.
#[derive(Debug, Clone)]
pub(crate) struct Rights {
    pub(crate) policies: Observed<Held>,
    pub(crate) attached: Observed<Attachments>,
}

impl Rights {
    /// Nothing is there.
    pub(crate) fn none() -> Self {
        Self { policies: Observed::Present(Held::new()), attached: Observed::Present(Attachments::default()) }
    }

    /// One of the policies.
    pub(crate) fn held(&self, arn: &str) -> Option<&InForce> {
        self.policies.present().and_then(|held| held.get(arn))
    }

    /// The roles that carry a policy.
    pub(crate) fn roles(&self, arn: &str) -> &[String] {
        let carriers = self.attached.present().and_then(|attached| attached.carriers.get(arn));
        carriers.map(|carriers| carriers.roles.as_slice()).unwrap_or_default()
    }
}

/// What is to be done, in the order in which no role is without its right.
#[derive(Debug, Default)]
struct Work<'a> {
    /// Policies to attach to roles.
    attach: Vec<(&'a str, &'a str)>,
    /// Policies to detach from roles.
    detach: Vec<(String, String)>,
    /// Whether a policy gets other users.
    rewrite: bool,
    /// Policies that nobody carries then.
    delete: Vec<&'a str>,
}

impl Attach<'_> {
    fn work(&self, seen: &Observed<Attachments>) -> Work<'_> {
        let none = Attachments::default();
        let now = seen.present().unwrap_or(&none);
        let missing = self.wanted.iter().filter(|(role, arn)| !now.has(role, arn));
        let attach = missing.map(|(role, arn)| (role.as_str(), arn.as_str())).collect();
        let mut detach = Vec::new();
        for (arn, carriers) in &now.carriers {
            let other = |role: &&String| self.wanted.get(*role).is_some_and(|own| own != arn);
            detach.extend(carriers.roles.iter().filter(other).map(|role| (role.clone(), arn.clone())));
        }
        let rewrite = self.late.as_ref().is_some_and(|late| {
            matches!(late.compare(&Observed::from(now.late.clone())), Diff::Create | Diff::Update(_))
        });
        let left = |arn: &&String| {
            let carriers = now.carriers.get(*arn)?;
            let stays = carriers.roles.iter().any(|role| !self.wanted.contains_key(role));
            Some(!stays && carriers.others == 0)
        };
        let delete = self.former.iter().filter(|arn| left(arn) == Some(true)).map(String::as_str).collect();
        Work { attach, detach, rewrite, delete }
    }

    /// Every policy that is looked at, once.
    fn policies(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.wanted.values().chain(&self.former).map(String::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    async fn attach_all(cloud: &Cloud, pairs: &[(&str, &str)], now: &mut Attachments) -> Answer<()> {
        let calls = pairs.iter().map(|(role, arn)| cloud.iam.attach(role, arn)).collect();
        crowd(calls).await.into_iter().collect::<Answer<()>>()?;
        for (role, arn) in pairs {
            now.carriers.entry((*arn).to_owned()).or_default().roles.push((*role).to_owned());
        }
        Ok(())
    }
}

/// Deletes a policy that nobody carries any more; one that someone attached meanwhile stays.
async fn delete(cloud: &Cloud, arn: &str) -> Answer<bool> {
    for version in cloud.iam.idle_policy_versions(arn).await? {
        cloud.iam.delete_policy_version(arn, &version).await?;
    }
    match cloud.iam.delete_policy(arn).await {
        Err(refusal) if refusal.kind == Kind::InUse => Ok(false),
        answer => answer.map(|()| true),
    }
}

impl Step<Aws> for Attach<'_> {
    type State = Attachments;

    fn id(&self) -> StepId {
        StepId::AttachPolicy
    }

    fn subject(&self) -> String {
        if self.wanted.is_empty() {
            return "no role".to_owned();
        }
        self.wanted.keys().cloned().collect::<Vec<_>>().join(", ")
    }

    fn doing(&self, _change: &Diff) -> String {
        format!("attaching the connect policy ({})", self.subject())
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Attachments>> {
        let policies = self.policies();
        let looks = policies.iter().map(|arn| cloud.iam.carriers(arn)).collect();
        let mut seen = Attachments::default();
        for (arn, carriers) in policies.iter().zip(crowd(looks).await) {
            seen.carriers.insert((*arn).to_owned(), carriers?);
        }
        for arn in &self.former {
            // One that is gone needs no deletion.
            if seen.carriers.get(arn) == Some(&Carriers::default()) && cloud.iam.policy(arn).await?.is_none() {
                seen.carriers.remove(arn);
            }
        }
        if let Some(late) = &self.late {
            seen.late = look(cloud, &late.arn, false).await?;
        }
        Ok(Observed::Present(seen))
    }

    async fn look_again(&self, cloud: &Cloud, seen: &Observed<Attachments>) -> Answer<Observed<Attachments>> {
        let rests = seen.present().and_then(|now| now.rests).map(|left| left.saturating_sub(1));
        let now = match seen {
            // Nothing is asked while only time passes.
            Observed::Present(now) if rests.is_some_and(|left| left > 0) => Observed::Present(now.clone()),
            _ => self.observe(cloud).await?,
        };
        Ok(match now {
            Observed::Present(now) => Observed::Present(Attachments { rests, ..now }),
            other => other,
        })
    }

    fn compare(&self, seen: &Observed<Attachments>) -> Diff {
        if let Some(why) = &self.not_needed {
            return Diff::NotNeeded(why.clone());
        }
        let work = self.work(seen);
        if !work.detach.is_empty() && seen.present().and_then(|now| now.rests).is_some_and(|left| left > 0) {
            let state = "attached; IAM spreads it before the former policy is taken off".to_owned();
            return Diff::Await(Wait { state, usable: false, grace: None });
        }
        if self.given {
            let attach = |(role, arn): &(&str, &str)| {
                format!(
                    "the policy is not attached to {role}; attach it: aws iam attach-role-policy --role-name {role} --policy-arn {arn}"
                )
            };
            return match work.attach.as_slice() {
                [] => Diff::None,
                missing => Diff::Conflict(missing.iter().map(attach).collect()),
            };
        }
        let mut fields: Vec<String> =
            work.detach.iter().map(|(role, arn)| format!("{} off {role}", name_of(arn))).collect();
        fields.extend(
            self.late
                .iter()
                .filter(|_| work.rewrite)
                .map(|late| format!("{}: policy document, as {} alone", late.name(), late.users.join(", "))),
        );
        fields.extend(work.delete.iter().map(|arn| format!("delete {}", name_of(arn))));
        match (work.attach.is_empty(), fields.is_empty()) {
            (true, true) => Diff::None,
            (false, true) => Diff::Create,
            (_, false) => {
                let on = work.attach.iter().map(|(role, arn)| format!("{} on {role}", name_of(arn)));
                Diff::Update(on.chain(fields).collect())
            }
        }
    }

    async fn apply(&self, cloud: &Cloud, _change: &Diff, seen: Observed<Attachments>) -> Answer<Observed<Attachments>> {
        let mut now = seen.present().cloned().unwrap_or_default();
        let work = self.work(&seen);
        // What gets other users later is attached later, so that nobody new has the users that it had.
        let late = self.late.as_ref().filter(|_| work.rewrite);
        let (last, first): (Vec<_>, Vec<_>) =
            work.attach.iter().copied().partition(|(_, arn)| late.is_some_and(|late| late.arn == *arn));
        Self::attach_all(cloud, &first, &mut now).await?;
        if !work.detach.is_empty() && now.rests.is_none() {
            now.rests = Some(RESTS);
            return Ok(Observed::Present(now));
        }
        let calls = work.detach.iter().map(|(role, arn)| cloud.iam.detach(role, arn)).collect();
        crowd(calls).await.into_iter().collect::<Answer<()>>()?;
        for (role, arn) in &work.detach {
            if let Some(carriers) = now.carriers.get_mut(arn) {
                carriers.roles.retain(|carrier| carrier != role);
            }
        }
        if let Some(late) = late {
            now.late = Some(late.write(cloud, &Observed::from(now.late.clone())).await?);
        }
        Self::attach_all(cloud, &last, &mut now).await?;
        for arn in work.delete {
            if delete(cloud, arn).await? {
                now.carriers.remove(arn);
            } else if let Some(carriers) = now.carriers.get_mut(arn) {
                carriers.others += 1;
            }
        }
        Ok(Observed::Present(now))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.limit, PollInterval::Dense)
    }
}

impl PlannedStep for Attach<'_> {
    fn terms(&self, seen: &Observed<Attachments>) -> Terms {
        if self.not_needed.is_some() || self.given {
            return Terms::default();
        }
        let work = self.work(seen);
        let mut actions: Vec<String> =
            work.attach.iter().map(|(role, arn)| format!("attach {} to {role}", name_of(arn))).collect();
        actions.extend(work.detach.iter().map(|(role, arn)| format!("detach {} from {role}", name_of(arn))));
        actions.extend(self.late.iter().filter(|_| work.rewrite).map(ConnectPolicy::written));
        actions.extend(work.delete.iter().map(|arn| format!("delete {}", name_of(arn))));
        Terms::of(actions)
    }
}
