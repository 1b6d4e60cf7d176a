//! Step 3, where `--log-retention` asks for it: the log group that the proxy writes to, and for how long it keeps
//! events.
//!
//! RDS Proxy writes to `/aws/rds/proxy/NAME`, a group that it makes itself and that keeps everything for ever
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.troubleshooting.html>). It stays when the proxy goes.

use crate::catalogue::StepId;
use crate::cloud::logs::LogGroup;
use crate::cloud::{Answer, Cloud, Owner, Refusal};
use crate::engine::{Aws, Diff, Limit, Observed, Poll, PollInterval, RetryPolicy, Row, Run, Step, StepError};
use crate::plan::{PlannedStep, Terms};
use crate::resources::{Line, Removal, Work, settling};

/// The name of a proxy's log group.
#[must_use]
pub fn name_of(proxy: &str) -> String {
    format!("/aws/rds/proxy/{proxy}")
}

/// The proxy's log group.
pub struct Logging<'a> {
    /// Its name.
    pub name: String,
    /// Ownership.
    pub owner: &'a Owner,
    /// For how many days it is to keep events; `None` leaves it to RDS.
    pub days: Option<i32>,
    /// How long CloudWatch Logs may take to show it.
    pub limit: Limit,
}

impl Step<Aws> for Logging<'_> {
    type State = LogGroup;

    fn id(&self) -> StepId {
        StepId::Proxy
    }

    fn subject(&self) -> String {
        format!("log group {}", self.name)
    }

    fn doing(&self, change: &Diff) -> String {
        let verb = if *change == Diff::Create { "creating" } else { "changing" };
        format!("{verb} the proxy's log group ({})", self.name)
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<LogGroup>> {
        Ok(cloud.logs.group(&self.name).await?.into())
    }

    fn compare(&self, seen: &Observed<LogGroup>) -> Diff {
        let Some(days) = self.days else {
            return Diff::NotNeeded("without --log-retention, RDS makes it and keeps everything".to_owned());
        };
        let Some(found) = seen.present() else { return Diff::Create };
        let ours = self.owner.owns(&found.tags);
        match found.retention {
            Some(now) if now == days && ours => Diff::None,
            // Events that someone chose to keep, or to lose, are not ours to decide on.
            Some(now) if now != days && !ours => Diff::Conflict(vec![format!(
                "the log group {} keeps events for {now} days, which this stack did not set",
                self.name
            )]),
            now => Diff::Update(vec![format!("log group {}: {} -> {days} days", self.name, kept(now))]),
        }
    }

    async fn apply(&self, cloud: &Cloud, change: &Diff, seen: Observed<LogGroup>) -> Answer<Observed<LogGroup>> {
        let Some(days) = self.days else { return Ok(seen) };
        let tags = self.owner.tags();
        if *change == Diff::Create {
            cloud.logs.create(&self.name, &tags).await?;
        }
        let foreign = seen.present().filter(|found| !self.owner.owns(&found.tags));
        if let Some(arn) = foreign.and_then(|found| found.arn.as_deref()) {
            // The one that RDS made. Before the retention: what this stack sets, it must be able to find again.
            cloud.logs.tag(arn, &tags).await?;
        }
        cloud.logs.keep(&self.name, days).await?;
        let arn = seen.present().and_then(|found| found.arn.clone());
        Ok(Observed::Present(LogGroup { name: self.name.clone(), arn, retention: Some(days), tags }))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        settling(refusal, self.limit)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.limit, PollInterval::Dense)
    }

    fn result(&self, seen: &Observed<LogGroup>) -> String {
        let kept = kept(seen.present().and_then(|found| found.retention));
        format!("{}, events kept: {kept}", self.subject())
    }
}

impl PlannedStep for Logging<'_> {
    fn terms(&self, seen: &Observed<LogGroup>) -> Terms {
        let change = self.compare(seen);
        if !matches!(change, Diff::Create | Diff::Update(_)) {
            return Terms::default();
        }
        let create = (change == Diff::Create).then(|| format!("create the log group {}", self.name));
        let foreign = seen.present().is_some_and(|found| !self.owner.owns(&found.tags));
        let tag = foreign.then(|| format!("tag the log group {} as this stack's", self.name));
        let keep = format!("keep events of the log group {} for {} days", self.name, self.days.unwrap_or_default());
        Terms::of(create.into_iter().chain(tag).chain([keep]))
    }
}

/// How long events are kept, for people.
fn kept(retention: Option<i32>) -> String {
    retention.map_or_else(|| "for ever".to_owned(), |days| format!("{days} days"))
}

/// What a teardown finds of the log group.
#[derive(Debug, Clone)]
pub enum LogGroupFound {
    /// There is none.
    Absent,
    /// One whose retention this stack set: it is deleted.
    Ours(LogGroupRemoval),
    /// One that RDS made, or someone else, by its name: it stays.
    OfOthers(String),
    /// AWS does not show whether there is one.
    Unknown,
}

impl LogGroupFound {
    /// What is deleted.
    #[must_use]
    pub fn removal(&self) -> Option<&LogGroupRemoval> {
        match self {
            Self::Ours(removal) => Some(removal),
            Self::Absent | Self::OfOthers(_) | Self::Unknown => None,
        }
    }

    /// The same, where it is not for this stack to delete it.
    #[must_use]
    pub fn of_others(self) -> Self {
        match self {
            Self::Ours(removal) => Self::OfOthers(removal.group.name),
            found => found,
        }
    }
}

/// The log group on its way out.
#[derive(Debug, Clone)]
pub struct LogGroupRemoval {
    /// The group.
    pub group: LogGroup,
}

impl LogGroupRemoval {
    /// Looks for the log group of a proxy, and judges it.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find(cloud: &Cloud, owner: &Owner, proxy: &str) -> Answer<LogGroupFound> {
        Ok(match cloud.logs.group(&name_of(proxy)).await? {
            None => LogGroupFound::Absent,
            Some(group) if owner.owns(&group.tags) => LogGroupFound::Ours(Self { group }),
            Some(group) => LogGroupFound::OfOthers(group.name),
        })
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), StepError> {
        let doing = format!("deleting the proxy's log group ({})", self.group.name);
        let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
        poll.insist(run, async || run.cloud.logs.delete(&self.group.name).await).await
    }
}

impl Removal for LogGroupRemoval {
    fn step(&self) -> Option<StepId> {
        None
    }

    fn subject(&self) -> String {
        self.group.name.clone()
    }

    fn lines(&self) -> Vec<Line> {
        vec![Line::of(
            '-',
            format!("log group {}", self.group.name),
            format!("with its events; kept {}", kept(self.group.retention)),
        )]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.delete(run))
    }
}
