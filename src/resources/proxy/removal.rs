//! The proxy on its way out: deleted where it is ours, handed back where it was adopted.

use super::WITHOUT_TARGET;
use crate::catalogue::StepId;
use crate::cloud::rds::{Endpoint, TaggedProxy, TargetKind};
use crate::cloud::{Answer, Cloud, Kind, Owner, tags};
use crate::discover::hosts::{HostKind, KnownHost};
use crate::discover::selection;
use crate::engine::{Poll, PollInterval, Row, Run, StepError};
use crate::names::Names;
use crate::ownership;
use crate::plan::Terms;
use crate::resources::{Found, Line, Removal, Work};

/// The proxy with its read-only endpoint.
#[derive(Debug, Clone)]
pub struct ProxyRemoval {
    /// The proxy.
    pub found: TaggedProxy,
    /// Its endpoints that are ours.
    pub readers: Vec<Endpoint>,
    /// The hosts by which functions know it.
    pub hosts: Vec<KnownHost>,
    /// Who uses endpoints of it that are not ours.
    pub other_users: Vec<String>,
}

impl ProxyRemoval {
    /// Judges a proxy that has the stack's name; `own_groups` are the ids of the stack's group.
    #[must_use]
    pub fn judge(
        owner: &Owner,
        names: &Names,
        there: Option<TaggedProxy>,
        own_groups: &[String],
    ) -> Found<TaggedProxy> {
        let owns = |found: &TaggedProxy| {
            ownership::adopted(owner, names, found, own_groups) || ownership::proxy(owner, names, found, own_groups)
        };
        let mut judged = Found::judged(there, owns, |found| format!("the proxy {}", found.proxy.name));
        if let Found::Ours(found) = &mut judged
            && !ownership::adopted(owner, names, found, own_groups)
        {
            // Anyone who may write tags could keep our own proxy from its deletion.
            found.tags.remove(tags::ADOPTED);
        }
        judged
    }

    /// Finds the endpoints of a proxy that is ours.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn with_endpoints(cloud: &Cloud, owner: &Owner, found: TaggedProxy) -> Answer<Self> {
        let name = found.proxy.name.clone();
        let own = found.proxy.endpoint.clone().map(|name| KnownHost { name, kind: HostKind::Proxy });
        let mut all = Self { found, readers: Vec::new(), hosts: own.into_iter().collect(), other_users: Vec::new() };
        for further in cloud.rds.endpoints(&name).await? {
            let tags = match cloud.rds.tags(&further.arn).await {
                // Another teardown at the same time was faster.
                Err(refusal) if refusal.kind == Kind::NotFound => continue,
                answer => answer?,
            };
            if owner.owns(&tags) {
                all.hosts.extend(further.host.clone().map(|name| KnownHost { name, kind: HostKind::ReaderProxy }));
                all.readers.push(further);
            } else {
                all.other_users.push(format!("everyone who uses its endpoint {}", further.name));
            }
        }
        Ok(all)
    }

    /// Whether someone else made it.
    #[must_use]
    pub fn adopted(&self) -> bool {
        self.found.tags.contains_key(tags::ADOPTED)
    }

    /// Whether its tag says that it had no target before.
    fn without_target(&self) -> bool {
        self.found.tags.get(tags::ADOPTED).is_some_and(|memory| memory == WITHOUT_TARGET)
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), StepError> {
        let (rds, name) = (&run.cloud.rds, self.found.proxy.name.as_str());
        let doing = format!("deleting the proxy ({name})");
        let poll = Poll::begin(run, Row::Step(StepId::Proxy), &doing, run.timeouts.deletion, PollInterval::Minutes);
        self.delete_readers(run, &poll).await?;
        poll.insist(run, async || rds.delete_proxy(name).await).await?;
        while let Some(proxy) = poll.look(run, async || rds.proxy(name).await).await? {
            // A refusal that only mentions a deletion is no proof of one: the status is.
            if proxy.status != "deleting" {
                poll.insist(run, async || rds.delete_proxy(name).await).await?;
            }
            poll.rest(run, &proxy.status).await?;
        }
        Ok(())
    }

    async fn delete_readers(&self, run: &Run<'_>, poll: &Poll<'_>) -> Result<(), StepError> {
        for reader in self.readers.iter().filter(|reader| reader.status != "deleting") {
            poll.insist(run, async || run.cloud.rds.delete_endpoint(&reader.name).await).await?;
        }
        Ok(())
    }

    /// Leaves an adopted proxy as it was found: without the target that it did not have, and without our tags.
    async fn hand_back(&self, run: &Run<'_>) -> Result<(), StepError> {
        let (rds, found) = (&run.cloud.rds, &self.found);
        let name = found.proxy.name.as_str();
        let doing = format!("handing the proxy back ({name})");
        let poll = Poll::begin(run, Row::Step(StepId::Proxy), &doing, run.timeouts.proxy, PollInterval::Minutes);
        self.delete_readers(run, &poll).await?;
        if self.without_target() {
            for row in poll.look_once_settled(run, async || rds.targets(name).await).await? {
                // The rows of a cluster's members go with the cluster's.
                let (cluster, database) = (row.kind == TargetKind::Cluster, found.tags.get(tags::DATABASE));
                if database.is_some_and(|database| database.eq_ignore_ascii_case(&row.id)) {
                    poll.insist(run, async || rds.deregister(name, &row.id, cluster).await).await?;
                }
            }
        }
        let ours =
            [tags::STACK, tags::DATABASE, tags::ADOPTED, tags::WRITER, tags::READER, tags::CANARY].map(str::to_owned);
        let chosen = found.tags.keys().filter(|key| selection::is_memory(key)).cloned();
        let ours: Vec<String> = ours.into_iter().chain(chosen).collect();
        poll.insist(run, async || rds.remove_tags(&found.proxy.arn, &ours).await).await
    }
}

impl Removal for ProxyRemoval {
    fn step(&self) -> Option<StepId> {
        Some(StepId::Proxy)
    }

    fn subject(&self) -> String {
        self.found.proxy.name.clone()
    }

    fn lines(&self) -> Vec<Line> {
        let reader = |reader: &Endpoint| Line::of('-', format!("read-only endpoint {}", reader.name), &reader.status);
        let what = format!("proxy {}", self.found.proxy.name);
        let proxy = if self.adopted() {
            Line::of('~', what, "handed back to who made it; it stays")
        } else {
            Line::of('-', what, &self.found.proxy.status)
        };
        let target = self.without_target().then(|| {
            let of = format!("it had none before, as its tag {} says", tags::ADOPTED);
            Line::of('-', format!("target of the proxy {}", self.found.proxy.name), of)
        });
        self.readers.iter().map(reader).chain([proxy]).chain(target).collect()
    }

    fn terms(&self) -> Vec<(String, Terms)> {
        let delete = || Terms::of(["delete".to_owned()]);
        let reader = |reader: &Endpoint| (format!("read-only endpoint {}", reader.name), delete());
        let mut terms: Vec<(String, Terms)> = self.readers.iter().map(reader).collect();
        let found = &self.found;
        let proxy = if self.adopted() { Terms::of(["hand back to who made it".to_owned()]) } else { delete() };
        terms.push((format!("proxy {}", found.proxy.name), proxy.on("ARN", Some(found.proxy.arn.clone()))));
        if self.without_target() {
            let served = found.tags.get(tags::DATABASE).cloned().unwrap_or_default();
            terms.push((
                format!("target of the proxy {}", found.proxy.name),
                Terms::of([format!("deregister {served}")]),
            ));
        }
        terms
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        if self.adopted() { Box::pin(self.hand_back(run)) } else { Box::pin(self.delete(run)) }
    }
}
