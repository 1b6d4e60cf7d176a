//! Step 3, for functions that read from replicas: the proxy's read-only endpoint.
//!
//! The default endpoint leads to the writer alone. An Aurora or Multi-AZ cluster with readers can have a further one
//! that leads to them (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-endpoints.html>).

use std::time::Duration;

use crate::catalogue::StepId;
use crate::cloud::rds::{Endpoint, NewEndpoint};
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal, Tags};
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Timeouts, Wait};
use crate::plan::{PlannedStep, Terms};
use crate::resources::{not_ours, settling};

/// The read-only endpoint.
pub struct ReaderEndpoint<'a> {
    /// Its name.
    pub name: &'a str,
    /// The proxy's name.
    pub proxy: &'a str,
    /// Ownership.
    pub owner: &'a Owner,
    /// The proxy's subnets.
    pub subnets: &'a [String],
    /// The proxy's security groups.
    pub security_groups: &'a [String],
    /// The limits.
    pub timeouts: Timeouts,
}

/// An endpoint with its tags, which AWS returns separately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Its tags.
    pub tags: Tags,
}

/// Looks for an endpoint of a proxy.
///
/// # Errors
/// When AWS refuses.
pub async fn observe(
    cloud: &Cloud,
    proxy: &str,
    name: &str,
    known: Option<&OwnedEndpoint>,
) -> Answer<Observed<OwnedEndpoint>> {
    let Some(endpoint) = cloud.rds.endpoints(proxy).await?.into_iter().find(|found| found.name == name) else {
        return Ok(Observed::Absent);
    };
    let tags = match known {
        Some(known) if known.endpoint.arn == endpoint.arn => known.tags.clone(),
        _ => cloud.rds.tags(&endpoint.arn).await?,
    };
    Ok(Observed::Present(OwnedEndpoint { endpoint, tags }))
}

impl Step<Aws> for ReaderEndpoint<'_> {
    type State = OwnedEndpoint;

    fn id(&self) -> StepId {
        StepId::Proxy
    }

    fn subject(&self) -> String {
        format!("read-only endpoint {}", self.name)
    }

    fn doing(&self, change: &Diff) -> String {
        let verb = if *change == Diff::Create { "creating" } else { "waiting for" };
        format!("{verb} the read-only endpoint ({})", self.name)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<OwnedEndpoint>> {
        observe(cloud, self.proxy, self.name, None).await
    }

    async fn look_again(&self, cloud: &Cloud, seen: &Observed<OwnedEndpoint>) -> Answer<Observed<OwnedEndpoint>> {
        match observe(cloud, self.proxy, self.name, seen.present()).await? {
            // Reads lag behind creation: what AWS just answered is not forgotten at one "not found".
            Observed::Absent if seen.present().is_some_and(|found| found.endpoint.status == "creating") => {
                Ok(seen.clone())
            }
            now => Ok(now),
        }
    }

    fn compare(&self, seen: &Observed<OwnedEndpoint>) -> Diff {
        let Some(found) = seen.present() else { return Diff::Create };
        if !self.owner.owns(&found.tags) {
            return Diff::Conflict(not_ours("a proxy endpoint", self.name));
        }
        if !found.endpoint.read_only {
            return Diff::Conflict(vec![format!("the endpoint {} is not read-only and cannot be changed", self.name)]);
        }
        let wait = |grace| Diff::Await(Wait { state: found.endpoint.status.clone(), usable: false, grace });
        match found.endpoint.status.as_str() {
            "available" if found.endpoint.host.is_some() => Diff::None,
            "available" => {
                let state = "available, without a host name yet".to_owned();
                Diff::Await(Wait { state, usable: false, grace: None })
            }
            "incompatible-network" | "insufficient-resource-limits" => wait(Some(Duration::ZERO)),
            _ => wait(None),
        }
    }

    async fn apply(
        &self,
        cloud: &Cloud,
        _change: &Diff,
        _seen: Observed<OwnedEndpoint>,
    ) -> Answer<Observed<OwnedEndpoint>> {
        let tags = self.owner.tags();
        let wanted = NewEndpoint {
            proxy: self.proxy.to_owned(),
            name: self.name.to_owned(),
            subnets: self.subnets.to_vec(),
            security_groups: self.security_groups.to_vec(),
            tags: tags.clone(),
        };
        Ok(Observed::Present(OwnedEndpoint { endpoint: cloud.rds.create_reader(&wanted).await?, tags }))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        if refusal.kind == Kind::NotYet {
            return Some(RetryPolicy { limit: self.timeouts.proxy, pace: PollInterval::Minutes, look: false });
        }
        settling(refusal, self.timeouts.propagation)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.timeouts.proxy, PollInterval::Steady)
    }

    fn result(&self, seen: &Observed<OwnedEndpoint>) -> String {
        let host = seen.present().and_then(|found| found.endpoint.host.clone());
        host.unwrap_or_else(|| self.subject())
    }
}

impl PlannedStep for ReaderEndpoint<'_> {
    fn terms(&self, seen: &Observed<OwnedEndpoint>) -> Terms {
        let found = seen.present();
        // One that someone deletes is created again once it is gone.
        let missing = found.is_none_or(|found| found.endpoint.status == "deleting");
        let create = missing.then(|| format!("create the read-only endpoint {} of {}", self.name, self.proxy));
        Terms::of(create).on("read-only endpoint", found.and_then(|found| found.endpoint.host.clone()))
    }
}
