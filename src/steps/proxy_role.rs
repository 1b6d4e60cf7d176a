//! Step 1: the role that the proxy assumes.
//!
//! RDS Proxy reads the database's credentials from Secrets Manager with this role. Its trust
//! policy carries no conditions: RDS Proxy supports no global condition keys
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html>).

use crate::catalogue::StepId;
use crate::cloud::iam::Role;
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal};
use crate::engine::{Again, Change, Limit, Pace, Seen, Step};
use crate::names::Names;
use crate::ownership;
use crate::steps::{not_ours, settling};
use crate::templates;

/// The proxy's role.
pub struct ProxyRole<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// The ARN of the permissions boundary that it must carry; one that someone else set stays where none is asked for.
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

impl Step for ProxyRole<'_> {
    type State = Role;

    fn id(&self) -> StepId {
        StepId::ProxyRole
    }

    fn subject(&self) -> String {
        self.names.role.clone()
    }

    fn doing(&self, change: &Change) -> String {
        let verb = if *change == Change::Create { "creating" } else { "updating" };
        format!("{verb} the proxy's role ({})", self.names.role)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Seen<Role>> {
        Ok(cloud.iam.role(&self.names.role).await?.into())
    }

    fn compare(&self, seen: &Seen<Role>) -> Change {
        if let Some(why) = &self.not_needed {
            return Change::NotNeeded(why.clone());
        }
        match seen.present() {
            None => Change::Create,
            Some(role) if !ownership::role(self.owner, self.names, role) => {
                Change::Conflict(not_ours("a role", &role.name))
            }
            Some(role) => match self.differs(role) {
                fields if fields.is_empty() => Change::None,
                fields => Change::Update(fields),
            },
        }
    }

    async fn apply(&self, cloud: &Cloud, change: &Change, seen: Seen<Role>) -> Answer<Seen<Role>> {
        let trust = templates::proxy_trust();
        if let (Change::Update(_), Seen::Present(role)) = (change, seen) {
            if role.trust != trust {
                cloud.iam.set_trust(&role.name, &trust).await?;
            }
            let wanted = self.boundary.filter(|wanted| role.boundary.as_deref() != Some(*wanted));
            if let Some(boundary) = wanted {
                cloud.iam.set_boundary(&role.name, boundary).await?;
            }
            let boundary = wanted.map(str::to_owned).or(role.boundary);
            Ok(Seen::Present(Role { trust, boundary, ..role }))
        } else {
            let tags = self.owner.tags();
            let (names, boundary) = (self.names, self.boundary);
            Ok(Seen::Present(cloud.iam.create_role(&names.role, &names.path, &trust, &tags, boundary).await?))
        }
    }

    fn again(&self, refusal: &Refusal) -> Option<Again> {
        // A boundary that is not there does not come by waiting: IAM names it in the refusal.
        let about_boundary = self.boundary.is_some_and(|arn| refusal.message.contains(arn));
        settling(refusal, self.limit).filter(|_| refusal.kind != Kind::NotFound || !about_boundary)
    }

    fn details(&self, _seen: &Seen<Role>) -> Vec<String> {
        let boundary = self.boundary.filter(|_| self.not_needed.is_none());
        boundary.map(|arn| format!("permissions boundary {arn}")).into_iter().collect()
    }

    fn wait(&self) -> (Limit, Pace) {
        (self.limit, Pace::Dense)
    }
}
