//! Step 1: the role that the proxy assumes.
//!
//! RDS Proxy reads the database's credentials from Secrets Manager with this role. Its trust
//! policy carries no conditions: RDS Proxy supports no global condition keys
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html>).

use crate::catalogue::StepId;
use crate::cloud::iam::Role;
use crate::cloud::{Answer, Cloud, Owner, Refusal};
use crate::engine::{Again, Change, Limit, Pace, Seen, Step};
use crate::names::Names;
use crate::steps::{not_ours, settling};
use crate::templates;

/// The proxy's role.
pub struct ProxyRole<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long IAM may take.
    pub limit: Limit,
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
            Some(role) if !self.owner.owns(&role.tags) => Change::Conflict(not_ours("a role", &role.name)),
            Some(role) if role.trust != templates::proxy_trust() => Change::Update(vec!["trust policy".to_owned()]),
            Some(_) => Change::None,
        }
    }

    async fn apply(&self, cloud: &Cloud, change: &Change, seen: Seen<Role>) -> Answer<Seen<Role>> {
        let trust = templates::proxy_trust();
        if let (Change::Update(_), Seen::Present(role)) = (change, seen) {
            cloud.iam.set_trust(&role.name, &trust).await?;
            Ok(Seen::Present(Role { trust, ..role }))
        } else {
            let tags = self.owner.tags();
            Ok(Seen::Present(cloud.iam.create_role(&self.names.role, &self.names.path, &trust, &tags).await?))
        }
    }

    fn again(&self, refusal: &Refusal) -> Option<Again> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, Pace) {
        (self.limit, Pace::Dense)
    }
}
