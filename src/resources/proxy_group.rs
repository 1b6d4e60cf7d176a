//! Step 2: the proxy's own security group.
//!
//! Always a group of its own: one shared with the database is the commonest cause of a target that
//! stays unavailable (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-network-prereqs.html>).

use crate::catalogue::StepId;
use crate::cloud::ec2::{Group, Permission};
use crate::cloud::{Answer, Cloud, Owner, Refusal};
use crate::engine::{Aws, Diff, Limit, Observed, Poll, PollInterval, RetryPolicy, Row, Run, Step, StepError};
use crate::names::Names;
use crate::ownership;
use crate::plan::{PlannedStep, Terms};
use crate::resources::{Found, Line, Removal, Work, not_ours, settling};

/// The proxy's security group.
pub struct ProxyGroup<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// The database's VPC.
    pub vpc: &'a str,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long EC2 may take to show it.
    pub limit: Limit,
}

impl ProxyGroup<'_> {
    /// Picks the group out of its VPC's.
    #[must_use]
    pub fn among(&self, groups: &[Group]) -> Observed<Group> {
        groups.iter().find(|group| group.name == self.names.group).cloned().into()
    }

    /// The group as AWS creates it.
    pub(crate) fn new_group(&self, id: String) -> Group {
        let everything = Permission {
            protocol: "-1".to_owned(),
            from: None,
            to: None,
            groups: Vec::new(),
            ranges: vec!["0.0.0.0/0".to_owned()],
            prefix_lists: Vec::new(),
        };
        Group {
            id,
            name: self.names.group.clone(),
            description: self.names.group_description(),
            vpc: self.vpc.to_owned(),
            tags: self.owner.tags(),
            ingress: Vec::new(),
            egress: vec![everything],
        }
    }
}

impl Step<Aws> for ProxyGroup<'_> {
    type State = Group;

    fn id(&self) -> StepId {
        StepId::ProxyGroup
    }

    fn subject(&self) -> String {
        self.names.group.clone()
    }

    fn doing(&self, _change: &Diff) -> String {
        format!("creating the proxy's security group ({})", self.names.group)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Group>> {
        Ok(self.among(&cloud.ec2.groups_of_vpc(self.vpc).await?))
    }

    fn compare(&self, seen: &Observed<Group>) -> Diff {
        if let Some(why) = &self.not_needed {
            return Diff::NotNeeded(why.clone());
        }
        match seen.present() {
            None => Diff::Create,
            Some(group) if !ownership::group(self.owner, self.names, group) => {
                Diff::Conflict(not_ours("a security group", &group.name))
            }
            Some(_) => Diff::None,
        }
    }

    async fn apply(&self, cloud: &Cloud, _change: &Diff, _seen: Observed<Group>) -> Answer<Observed<Group>> {
        let description = self.names.group_description();
        let id = cloud.ec2.create_group(&self.names.group, &description, self.vpc, &self.owner.tags()).await?;
        Ok(Observed::Present(self.new_group(id)))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.limit, PollInterval::Dense)
    }

    fn result(&self, seen: &Observed<Group>) -> String {
        seen.present().map_or_else(|| self.subject(), |group| format!("{} ({})", group.name, group.id))
    }
}

impl PlannedStep for ProxyGroup<'_> {
    fn terms(&self, seen: &Observed<Group>) -> Terms {
        let create =
            (self.compare(seen) == Diff::Create).then(|| format!("create {} in {}", self.names.group, self.vpc));
        Terms::of(create).on("ID", seen.present().map(|group| group.id.clone()))
    }
}

/// The group on its way out.
#[derive(Debug, Clone)]
pub struct GroupRemoval {
    /// The group.
    pub group: Group,
    /// The name of the proxy that was not there, or not ours, when the teardown began.
    pub without_proxy: Option<String>,
}

impl GroupRemoval {
    /// Judges a group that carries the stack's tag.
    #[must_use]
    pub fn judge(owner: &Owner, names: &Names, group: Group) -> Found<Group> {
        let of = |group: &Group| format!("the security group {} ({})", group.name, group.id);
        Found::judged(Some(group), |group| ownership::group(owner, names, group), of)
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), StepError> {
        let doing = format!("deleting the proxy's security group ({})", self.group.name);
        let poll =
            Poll::begin(run, Row::Step(StepId::ProxyGroup), &doing, run.timeouts.deletion, PollInterval::Minutes);
        let delete = async || run.cloud.ec2.delete_group(&self.group.id).await;
        poll.insist_on(run, delete, async || self.user(run).await).await
    }

    /// What keeps the group from being deleted: the interfaces of the proxy that just went, which AWS removes in its
    /// own time, or a proxy that an `up` at the same time has created since.
    async fn user(&self, run: &Run<'_>) -> String {
        if let Some(name) = &self.without_proxy {
            let proxy = run.cloud.rds.proxy(name).await.ok().flatten();
            if proxy.is_some_and(|proxy| proxy.security_groups.contains(&self.group.id)) {
                return format!(
                    "in use by the proxy {name}, which was not there, or not ours, when this teardown began"
                );
            }
        }
        "in use by network interfaces or by rules of other groups".to_owned()
    }
}

impl Removal for GroupRemoval {
    fn step(&self) -> Option<StepId> {
        Some(StepId::ProxyGroup)
    }

    fn subject(&self) -> String {
        self.group.name.clone()
    }

    fn lines(&self) -> Vec<Line> {
        vec![Line::of('-', format!("security group {}", self.group.name), &self.group.id)]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.delete(run))
    }
}
