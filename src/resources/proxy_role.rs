//! Step 1: the role that the proxy assumes.
//!
//! RDS Proxy reads the database's credentials from Secrets Manager with this role. Its trust
//! policy carries no conditions: RDS Proxy supports no global condition keys
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html>).

use crate::catalogue::StepId;
use crate::cloud::iam::Role;
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal};
use crate::engine::{Aws, Diff, Limit, Observed, Poll, PollInterval, RetryPolicy, Row, Run, Step, StepError};
use crate::names::{DATABASE_POLICY, Names, SECRET_POLICY};
use crate::ownership;
use crate::plan::{PlannedStep, Terms};
use crate::resources::{Found, Line, Removal, Work, not_ours, settling};
use crate::templates;

/// The proxy's role.
pub struct ProxyRole<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// The ARN of the permissions boundary that it must carry; one that someone else set stays where none is asked
    /// for.
    pub boundary: Option<&'a str>,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long IAM may take.
    pub limit: Limit,
}

impl ProxyRole<'_> {
    fn differs(&self, role: &Role) -> Vec<String> {
        let mut fields = Vec::new();
        if role.trust != templates::proxy_trust() {
            fields.push("trust policy".to_owned());
        }
        if let Some(boundary) = self.boundary.filter(|wanted| role.boundary.as_deref() != Some(*wanted)) {
            fields.push(format!("permissions boundary: {boundary}"));
        }
        fields
    }
}

impl Step<Aws> for ProxyRole<'_> {
    type State = Role;

    fn id(&self) -> StepId {
        StepId::ProxyRole
    }

    fn subject(&self) -> String {
        self.names.role.clone()
    }

    fn doing(&self, change: &Diff) -> String {
        let verb = if *change == Diff::Create { "creating" } else { "updating" };
        format!("{verb} the proxy's role ({})", self.names.role)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Role>> {
        Ok(cloud.iam.role(&self.names.role).await?.into())
    }

    fn compare(&self, seen: &Observed<Role>) -> Diff {
        if let Some(why) = &self.not_needed {
            return Diff::NotNeeded(why.clone());
        }
        match seen.present() {
            None => Diff::Create,
            Some(role) if !ownership::role(self.owner, self.names, role) => {
                Diff::Conflict(not_ours("a role", &role.name))
            }
            Some(role) => match self.differs(role) {
                fields if fields.is_empty() => Diff::None,
                fields => Diff::Update(fields),
            },
        }
    }

    async fn apply(&self, cloud: &Cloud, change: &Diff, seen: Observed<Role>) -> Answer<Observed<Role>> {
        let trust = templates::proxy_trust();
        if let (Diff::Update(_), Observed::Present(role)) = (change, seen) {
            if role.trust != trust {
                cloud.iam.set_trust(&role.name, &trust).await?;
            }
            let wanted = self.boundary.filter(|wanted| role.boundary.as_deref() != Some(*wanted));
            if let Some(boundary) = wanted {
                cloud.iam.set_boundary(&role.name, boundary).await?;
            }
            let boundary = wanted.map(str::to_owned).or(role.boundary);
            Ok(Observed::Present(Role { trust, boundary, ..role }))
        } else {
            let tags = self.owner.tags();
            let (names, boundary) = (self.names, self.boundary);
            Ok(Observed::Present(cloud.iam.create_role(&names.role, &names.path, &trust, &tags, boundary).await?))
        }
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        // A boundary that is not there does not come by waiting: IAM names it in the refusal.
        let about_boundary = self.boundary.is_some_and(|arn| refusal.message.contains(arn));
        settling(refusal, self.limit).filter(|_| refusal.kind != Kind::NotFound || !about_boundary)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.limit, PollInterval::Dense)
    }
}

impl PlannedStep for ProxyRole<'_> {
    fn details(&self, _seen: &Observed<Role>) -> Vec<String> {
        let boundary = self.boundary.filter(|_| self.not_needed.is_none());
        boundary.map(|arn| format!("permissions boundary {arn}")).into_iter().collect()
    }
}

/// The role on its way out.
#[derive(Debug, Clone)]
pub struct RoleRemoval {
    /// The role.
    pub role: Role,
    /// Its inline policies.
    pub policies: Vec<String>,
}

impl RoleRemoval {
    /// Finds the stack's own role.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find(cloud: &Cloud, owner: &Owner, names: &Names) -> Answer<Found<Self>> {
        let (role, policies) = tokio::join!(cloud.iam.role(&names.role), cloud.iam.role_policies(&names.role));
        let of = |role: &Role| format!("the role {}", role.name);
        Ok(match Found::judged(role?, |role| ownership::role(owner, names, role), of) {
            Found::Absent => Found::Absent,
            Found::Foreign(what) => Found::Foreign(what),
            Found::Ours(role) => Found::Ours(Self { role, policies: policies? }),
        })
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), StepError> {
        let (iam, name) = (&run.cloud.iam, self.role.name.as_str());
        let doing = format!("deleting the proxy's role ({name})");
        let own = [SECRET_POLICY, DATABASE_POLICY];
        if let Some(foreign) = self.policies.iter().find(|policy| !own.contains(&policy.as_str())) {
            let reasons = vec![format!("someone added the policy {foreign} to it")];
            return Err(StepError::Conflict { doing, reasons });
        }
        let poll =
            Poll::begin(run, Row::Step(StepId::ProxyRole), &doing, run.timeouts.propagation, PollInterval::Dense);
        for policy in &self.policies {
            poll.insist(run, async || iam.delete_role_policy(name, policy).await).await?;
        }
        poll.insist_on(run, async || iam.delete_role(name).await, async || self.user(run).await).await
    }

    /// What keeps the role from being deleted: its policies that went a moment ago, which IAM forgets in its own time,
    /// or one that an `up` at the same time has written since.
    async fn user(&self, run: &Run<'_>) -> String {
        match run.cloud.iam.role_policies(&self.role.name).await {
            Ok(policies) if !policies.is_empty() => {
                let names = policies.join(", ");
                format!("in use: it has the policy {names}, which was written while this teardown was at work")
            }
            _ => "in use".to_owned(),
        }
    }
}

impl Removal for RoleRemoval {
    fn step(&self) -> Option<StepId> {
        Some(StepId::ProxyRole)
    }

    fn subject(&self) -> String {
        self.role.name.clone()
    }

    fn lines(&self) -> Vec<Line> {
        vec![Line::of('-', format!("role {}", self.role.name), "with its right to read the secret")]
    }

    fn terms(&self) -> Vec<(String, Terms)> {
        let policies = self.policies.iter().map(|policy| format!("delete its policy {policy}"));
        vec![(format!("role {}", self.role.name), Terms::of(policies.chain(["delete".to_owned()])))]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.delete(run))
    }
}
