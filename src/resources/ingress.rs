//! Steps 9 and 12: the two paths, proxy to database and functions to proxy.
//!
//! The database is reached on its own port; the proxy listens on its engine family's port, whatever
//! the database's is (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-network-prereqs.html>).
//! A rule that is there already, ours or not, is enough. Where a function's group lets nothing out, it gets the
//! one rule that it needs.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::catalogue::StepId;
use crate::cloud::ec2::{Direction, Group, Permission, Rule};
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal};
use crate::engine::refused;
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Run, Step, StepError};
use crate::names::rule_description;
use crate::ownership;
use crate::plan::{PlannedStep, Terms};
use crate::resources::{Found, Line, Removal, Work, settling};

/// One path that must be open: any of `from` to any of `to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    /// The groups it comes from, of which one suffices; `None` while the proxy has none yet.
    pub from: Option<Vec<String>>,
    /// The groups it goes to.
    pub to: Option<Vec<String>>,
    /// Whether the way out of `from` is ours to open where it is closed.
    pub open_egress: bool,
}

/// The rules of one of the two steps.
pub struct Ingress<'a> {
    /// Step 9 or 12.
    pub step: StepId,
    /// Ownership.
    pub owner: &'a Owner,
    /// The VPC.
    pub vpc: &'a str,
    /// The paths.
    pub paths: Vec<Path>,
    /// The port that is connected to.
    pub port: u16,
    /// Who is let in, for people.
    pub who: String,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// How long EC2 may take to show a rule.
    pub limit: Limit,
}

/// A rule that is missing: direction, the group that gets it, and the group on the other side.
type Missing = (Direction, String, String);

impl Ingress<'_> {
    fn missing(&self, groups: &[Group]) -> Vec<Missing> {
        let find = |id: &String| groups.iter().find(|group| group.id == *id);
        let mut missing = Vec::new();
        for path in &self.paths {
            let (Some(from), Some(to)) = (&path.from, &path.to) else {
                // Known once the proxy's group exists.
                missing.push((Direction::Ingress, String::new(), String::new()));
                continue;
            };
            let (Some(first_from), Some(first_to)) = (from.first(), to.first()) else { continue };
            let admitted =
                to.iter().filter_map(find).any(|group| from.iter().any(|peer| group.admits(peer, self.port)));
            if !admitted {
                missing.push((Direction::Ingress, first_to.clone(), first_from.clone()));
            }
            let let_out =
                from.iter().filter_map(find).any(|group| to.iter().any(|peer| group.lets_out_to(peer, self.port)));
            if path.open_egress && !let_out {
                missing.push((Direction::Egress, first_from.clone(), first_to.clone()));
            }
        }
        missing.sort();
        missing.dedup();
        missing
    }
}

impl Step<Aws> for Ingress<'_> {
    type State = Vec<Group>;

    fn id(&self) -> StepId {
        self.step
    }

    fn subject(&self) -> String {
        format!("port {} from {}", self.port, self.who)
    }

    fn doing(&self, _change: &Diff) -> String {
        format!("opening port {} ({})", self.port, self.who)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Vec<Group>>> {
        Ok(Observed::Present(cloud.ec2.groups_of_vpc(self.vpc).await?))
    }

    fn compare(&self, seen: &Observed<Vec<Group>>) -> Diff {
        if let Some(why) = &self.not_needed {
            return Diff::NotNeeded(why.clone());
        }
        match seen.present() {
            Some(groups) if self.missing(groups).is_empty() => Diff::None,
            _ => Diff::Create,
        }
    }

    async fn apply(&self, cloud: &Cloud, _change: &Diff, seen: Observed<Vec<Group>>) -> Answer<Observed<Vec<Group>>> {
        let mut groups = seen.present().cloned().unwrap_or_default();
        let mut calls: BTreeMap<(Direction, String), Vec<(String, String)>> = BTreeMap::new();
        for (direction, group, peer) in self.missing(&groups) {
            let why = rule_description(&self.owner.stack);
            calls.entry((direction, group)).or_default().push((peer, why));
        }
        for ((direction, group), peers) in calls {
            match cloud.ec2.authorize(direction, &group, &peers, self.port, &self.owner.tags()).await {
                // AWS refuses all rules of a call when one exists already: one by one, what exists is fine.
                Err(refusal) if refusal.kind == Kind::Exists => {
                    for peer in &peers {
                        let one = std::slice::from_ref(peer);
                        match cloud.ec2.authorize(direction, &group, one, self.port, &self.owner.tags()).await {
                            Err(refusal) if refusal.kind != Kind::Exists => return Err(refusal),
                            _ => {}
                        }
                    }
                }
                answer => answer?,
            }
            let opened = Permission {
                protocol: "tcp".to_owned(),
                from: Some(i32::from(self.port)),
                to: Some(i32::from(self.port)),
                groups: peers.into_iter().map(|(peer, _)| peer).collect(),
                ranges: Vec::new(),
                prefix_lists: Vec::new(),
            };
            if let Some(group) = groups.iter_mut().find(|found| found.id == group) {
                match direction {
                    Direction::Ingress => group.ingress.push(opened),
                    Direction::Egress => group.egress.push(opened),
                }
            }
        }
        Ok(Observed::Present(groups))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.limit, PollInterval::Dense)
    }
}

impl PlannedStep for Ingress<'_> {
    fn terms(&self, seen: &Observed<Vec<Group>>) -> Terms {
        if self.not_needed.is_some() {
            return Terms::default();
        }
        let rule = |(direction, group, peer): Missing| match direction {
            Direction::Ingress => format!("let {peer} into {group} on port {}", self.port),
            Direction::Egress => format!("let {group} out to {peer} on port {}", self.port),
        };
        Terms::of(self.missing(seen.present().map(Vec::as_slice).unwrap_or_default()).into_iter().map(rule))
    }
}

/// The rules on their way out, those of the database's groups and of the proxy's.
#[derive(Debug, Clone)]
pub struct RulesRemoval {
    /// The rules.
    pub rules: Vec<Rule>,
    /// The stack's own security groups: ID and name.
    pub own: BTreeMap<String, String>,
}

impl RulesRemoval {
    /// Judges a rule that carries the stack's tag; `proxy_groups` are the groups that the proxy is or was in.
    #[must_use]
    pub fn judge(owner: &Owner, rule: Rule, proxy_groups: &[String]) -> Found<Rule> {
        let of = |rule: &Rule| format!("the rule {} of the security group {}", rule.id, rule.group);
        Found::judged(Some(rule), |rule| ownership::rule(owner, rule, proxy_groups), of)
    }

    async fn revoke(&self, run: &Run<'_>) -> Result<(), StepError> {
        let mut calls: BTreeMap<(Direction, &str), Vec<String>> = BTreeMap::new();
        for rule in &self.rules {
            calls.entry((rule.direction, rule.group.as_str())).or_default().push(rule.id.clone());
        }
        for ((direction, group), rules) in calls {
            run.sleep(Duration::ZERO).await?;
            run.cloud.ec2.revoke(direction, group, rules).await.map_err(refused("deleting the rules"))?;
        }
        Ok(())
    }
}

impl Removal for RulesRemoval {
    fn step(&self) -> Option<StepId> {
        Some(StepId::DatabaseIngress)
    }

    fn subject(&self) -> String {
        format!("{} rules", self.rules.len())
    }

    fn lines(&self) -> Vec<Line> {
        let line = |rule: &Rule| {
            let way = if rule.direction == Direction::Ingress { "ingress" } else { "egress" };
            let port = rule.port.unwrap_or_default();
            let group = match self.own.get(&rule.group) {
                Some(name) => name.as_str(),
                None if rule.direction == Direction::Ingress => "the database's group",
                None => "a function's group",
            };
            let detail = format!("port {port} of {group} ({})", rule.group);
            Line::of('-', format!("{way} rule {}", rule.id), detail)
        };
        self.rules.iter().map(line).collect()
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.revoke(run))
    }
}
