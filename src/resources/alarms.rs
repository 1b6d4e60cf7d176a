//! The alarms and the dashboard of a proxy: none of the thirteen steps, and asked for by `alarms`.
//!
//! An alarm is the stack's own by its name, which cannot be changed, and by the ownership tag, which the call that
//! creates it writes. A dashboard has tags in newer models of CloudWatch, which the Service Authorization Reference
//! does not know; so it is the stack's own by its name and by the first widget of its body
//! (`docs/decisions/0083-alarms-and-a-dashboard.md`).

use std::collections::BTreeMap;
use std::time::Duration;

use observe::alarms::{
    Alarm, KINDS, Kind, Of, Unit, Wanted, Watched, billed, differences, prefix, threshold_of, writer_role,
};
use observe::dashboard;

use crate::catalogue::StepId;
use crate::cloud::alarms::Found as OnAws;
use crate::cloud::{Answer, Cloud, Kind as Refused, Owner, Refusal};
use crate::engine::{Poll, PollInterval, Row, Run, StepError, crowd};
use crate::names::digest;
use crate::plan::Terms;
use crate::resources::{Line, Removal, Work};

/// What is there of a stack's alarms and dashboard.
#[derive(Debug, Clone, Default)]
pub struct Existing {
    /// The stack's own alarms.
    pub alarms: Vec<OnAws>,
    /// Names of alarms under the stack's names that are not its own.
    pub foreign: Vec<String>,
    /// The dashboard.
    pub dashboard: Board,
}

/// What stands under the name of a stack's dashboard.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Board {
    /// Nothing.
    #[default]
    Absent,
    /// The stack's own: its body.
    Ours(String),
    /// One of someone else's.
    Foreign,
}

impl Existing {
    /// Looks for a stack's alarms and dashboard.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn read(cloud: &Cloud, owner: &Owner) -> Answer<Self> {
        let stack = &owner.stack;
        let name = dashboard::name(stack, &cloud.region);
        let prefix = prefix(stack);
        let (all, body) = tokio::join!(cloud.alarms.beginning_with(&prefix), cloud.alarms.dashboard(&name));
        let tags = all?.into_iter().map(async |found| {
            let tags = cloud.alarms.tags(&found.arn).await?;
            Ok((found, tags))
        });
        let mut seen = Self {
            dashboard: match body? {
                None => Board::Absent,
                Some(body) if dashboard::is_ours(&body, stack, &cloud.region) => Board::Ours(body),
                Some(_) => Board::Foreign,
            },
            ..Self::default()
        };
        for answer in crowd(tags.collect()).await {
            match answer? {
                (found, Some(tags)) if owner.owns(&tags) => seen.alarms.push(found),
                // It went between the two calls.
                (_, None) => {}
                (found, Some(_)) => seen.foreign.push(found.alarm.name),
            }
        }
        seen.alarms.sort_by(|one, other| one.alarm.name.cmp(&other.alarm.name));
        Ok(seen)
    }

    /// Whether nothing of it is the stack's own.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.alarms.is_empty() && !matches!(self.dashboard, Board::Ours(_))
    }

    /// How the alarms spell the writer's role.
    #[must_use]
    pub fn writer_role(&self) -> Option<String> {
        let parts = self.alarms.iter().flat_map(|found| &found.alarm.parts);
        let dimensions = parts.filter_map(|part| match &part.of {
            Of::Metric { dimensions, .. } => Some(dimensions),
            Of::Expression { .. } => None,
        });
        let roles = dimensions.flatten().filter(|(name, _)| name == "TargetRole").map(|(_, value)| value.as_str());
        writer_role(roles).map(str::to_owned)
    }

    fn of(&self, name: &str) -> Option<&OnAws> {
        self.alarms.iter().find(|found| found.alarm.name == name)
    }

    /// What the stack's alarms notify, where those that notify anyone agree.
    fn topics(&self) -> Option<Vec<String>> {
        let mut given = self.alarms.iter().map(|found| &found.alarm.topics).filter(|topics| !topics.is_empty());
        let first = given.next()?;
        given.all(|topics| topics == first).then(|| first.clone())
    }
}

/// What flags ask for; the rest stays as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Thresholds, in the units of the table.
    pub thresholds: BTreeMap<Kind, f64>,
    /// Whom to notify; an empty list is nobody.
    pub topics: Option<Vec<String>>,
    /// Whether a dashboard is asked for; one that is there is kept in any case.
    pub dashboard: bool,
}

/// What becomes of an alarm or of the dashboard.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// It is created.
    Create,
    /// It is changed: how.
    Change(Vec<String>),
    /// It is as it should be.
    Keep,
    /// It cannot be created yet: why.
    Later(String),
    /// There is no use for it: why.
    NotNeeded(String),
    /// Something of someone else's has its name.
    Conflict,
}

/// One row of the plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Intention {
    /// The alarm; `None` is the dashboard.
    pub kind: Option<Kind>,
    /// Its name on AWS.
    pub name: String,
    /// What becomes of it.
    pub action: Action,
    /// The alarm as it is to be.
    pub alarm: Option<Alarm>,
    /// Its state, where it is there.
    pub state: Option<String>,
    /// Whether someone silenced it.
    pub silenced: bool,
    /// The threshold, in words.
    pub threshold: Option<String>,
}

/// The alarms and the dashboard of a proxy, as they are and as they are to be.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Row by row, in the order of the table.
    pub rows: Vec<Intention>,
    /// The dashboard's body.
    body: String,
}

impl Plan {
    /// Compares what is there with what is to be.
    #[must_use]
    pub fn of(
        seen: &Existing,
        watched: &Watched,
        region: &str,
        settings: &Settings,
        arn: impl Fn(&str) -> String,
    ) -> Self {
        let mut rows: Vec<Intention> = KINDS.iter().map(|info| intention(seen, watched, settings, info.kind)).collect();
        let shown: Vec<String> = rows.iter().filter(|row| row.alarm.is_some()).map(|row| arn(&row.name)).collect();
        let body = dashboard::body(&watched.proxy, region, watched.writer_role.as_deref(), &shown);
        let action = match &seen.dashboard {
            Board::Absent if settings.dashboard => Some(Action::Create),
            Board::Ours(found) if dashboard::same(found, &body) => Some(Action::Keep),
            Board::Ours(_) => Some(Action::Change(vec!["body".to_owned()])),
            Board::Foreign if settings.dashboard => Some(Action::Conflict),
            Board::Absent | Board::Foreign => None,
        };
        rows.extend(action.map(|action| Intention {
            kind: None,
            name: dashboard::name(&watched.proxy, region),
            action,
            alarm: None,
            state: None,
            silenced: false,
            threshold: None,
        }));
        Self { rows, body }
    }

    /// What it comes to, row by row, for a plan that is saved.
    #[must_use]
    pub fn terms(&self) -> Vec<(String, Terms)> {
        let row = |row: &Intention| {
            let verb = match row.action {
                Action::Create => "create",
                Action::Change(_) => "change",
                Action::Keep | Action::Later(_) | Action::NotNeeded(_) | Action::Conflict => return None,
            };
            let (what, how) = match &row.alarm {
                Some(alarm) => {
                    let threshold = row.threshold.as_deref().unwrap_or("of its band");
                    let topics = if alarm.topics.is_empty() { "nobody".to_owned() } else { alarm.topics.join(", ") };
                    // The rest comes from the table of this version, from the proxy and from what someone set by hand.
                    let rest = digest(&format!("{alarm:?}"));
                    (
                        format!("alarm {}", row.name),
                        format!("threshold {threshold}, notifies {topics}, all of it {rest}"),
                    )
                }
                None => (format!("dashboard {}", row.name), format!("body {}", digest(&self.body))),
            };
            Some((what, Terms::of([format!("{verb}: {how}")])))
        };
        self.rows.iter().filter_map(row).collect()
    }

    /// Whether anything is to be created or changed.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.rows.iter().any(|row| matches!(row.action, Action::Create | Action::Change(_)))
    }

    /// Names of others' things in the way.
    #[must_use]
    pub fn conflicts(&self) -> Vec<&str> {
        let of = |row: &&Intention| row.action == Action::Conflict;
        self.rows.iter().filter(of).map(|row| row.name.as_str()).collect()
    }

    /// How many metrics CloudWatch bills for the alarms.
    #[must_use]
    pub fn billed(&self) -> usize {
        self.rows.iter().filter_map(|row| row.alarm.as_ref()).map(billed).sum()
    }
}

/// What becomes of one alarm.
fn intention(seen: &Existing, watched: &Watched, settings: &Settings, kind: Kind) -> Intention {
    let name = format!("{}{}", prefix(&watched.proxy), kind.info().key);
    let there = seen.of(&name);
    let before = there.map(|found| &found.alarm);
    // Without a flag, what someone set stays: the threshold, and who is notified.
    let threshold =
        settings.thresholds.get(&kind).copied().or_else(|| before.and_then(|alarm| threshold_of(kind, alarm)));
    let topics = settings.topics.clone().or_else(|| seen.topics());
    let topics = topics.or_else(|| before.map(|alarm| alarm.topics.clone())).unwrap_or_default();
    let wanted = watched.alarm(kind, threshold, &topics);
    let (action, alarm) = match (wanted, before) {
        _ if seen.foreign.contains(&name) => (Action::Conflict, None),
        (Wanted::Yes(wanted), None) => (Action::Create, Some(wanted)),
        (Wanted::Yes(wanted), Some(found)) => {
            let mut clauses = differences(kind, found, &wanted);
            if there.is_some_and(|found| found.uneven) {
                clauses.push("notifies the same when it goes off and when it is over".to_owned());
            }
            (if clauses.is_empty() { Action::Keep } else { Action::Change(clauses) }, Some(wanted))
        }
        // One that is there stays, whatever is not known today.
        (Wanted::Later(_) | Wanted::No(_), Some(found)) => (Action::Keep, Some(found.clone())),
        (Wanted::Later(why), None) => (Action::Later(why.to_owned()), None),
        (Wanted::No(why), None) => (Action::NotNeeded(why.to_owned()), None),
    };
    let shown = |alarm: &Alarm| {
        let unit: Unit = kind.info().unit;
        threshold_of(kind, alarm).map(|number| unit.shown(number))
    };
    Intention {
        kind: Some(kind),
        name,
        action,
        threshold: alarm.as_ref().and_then(shown),
        alarm,
        state: there.map(|found| found.state.clone()),
        silenced: there.is_some_and(|found| !found.enabled),
    }
}

/// Creates and changes what a plan says, one after another; running it again resumes.
///
/// # Errors
/// When AWS refuses, or the run is stopped.
pub async fn carry_out(run: &Run<'_>, owner: &Owner, seen: &Existing, plan: &Plan) -> Result<(), StepError> {
    let tags = owner.tags();
    for row in &plan.rows {
        let verb = match row.action {
            Action::Create => "creating",
            Action::Change(_) => "changing",
            _ => continue,
        };
        let what = if row.kind.is_some() { "alarm" } else { "dashboard" };
        let doing = format!("{verb} the {what} ({})", row.name);
        let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
        match &row.alarm {
            Some(alarm) => {
                poll.insist(run, async || run.cloud.alarms.put(alarm, seen.of(&row.name), &tags).await).await?;
            }
            None => poll.insist(run, async || run.cloud.alarms.put_dashboard(&row.name, &plan.body).await).await?,
        }
    }
    Ok(())
}

/// What a teardown finds of the alarms and the dashboard.
#[derive(Debug, Clone)]
pub enum AlarmsFound {
    /// What is there of the stack's own, perhaps nothing.
    Known(AlarmsRemoval),
    /// AWS does not show whether there are any: what it refused.
    Unknown(Box<Refusal>),
}

impl AlarmsFound {
    /// What is deleted.
    #[must_use]
    pub fn removal(&self) -> Option<&AlarmsRemoval> {
        match self {
            Self::Known(removal) if !removal.seen.is_empty() => Some(removal),
            Self::Known(_) | Self::Unknown(_) => None,
        }
    }
}

/// The alarms and the dashboard on their way out.
#[derive(Debug, Clone)]
pub struct AlarmsRemoval {
    /// What goes.
    pub seen: Existing,
    /// Whose they are.
    owner: Owner,
    /// The dashboard's name.
    dashboard: String,
}

impl AlarmsRemoval {
    /// Looks for a stack's alarms and dashboard. A right that is missing keeps a teardown from beginning, and `restore`
    /// from nothing.
    ///
    /// # Errors
    /// When AWS refuses for another reason.
    pub async fn find(cloud: &Cloud, owner: &Owner) -> Answer<AlarmsFound> {
        match Existing::read(cloud, owner).await {
            Ok(seen) => Ok(AlarmsFound::Known(Self::of(cloud, owner, seen))),
            Err(refusal) if refusal.kind == Refused::Denied => Ok(AlarmsFound::Unknown(Box::new(refusal))),
            Err(refusal) => Err(refusal),
        }
    }

    /// What was read, on its way out.
    #[must_use]
    pub fn of(cloud: &Cloud, owner: &Owner, seen: Existing) -> Self {
        Self { seen, owner: owner.clone(), dashboard: dashboard::name(&owner.stack, &cloud.region) }
    }

    /// What has a name of the stack's and is not its own, for people.
    #[must_use]
    pub fn foreign(&self) -> Vec<String> {
        let board = (self.seen.dashboard == Board::Foreign).then(|| format!("the dashboard {}", self.dashboard));
        self.seen.foreign.iter().map(|name| format!("the alarm {name}")).chain(board).collect()
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), StepError> {
        let doing = format!("deleting the alarms ({})", self.owner.stack);
        let mut poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
        let mut left: Vec<String> = self.seen.alarms.iter().map(|found| found.alarm.name.clone()).collect();
        while !left.is_empty() {
            let asked = run.clock.elapsed();
            match run.cloud.alarms.delete(&left).await {
                Ok(()) => break,
                // All or none: someone else deleted one of them meanwhile, or an answer was lost on its way.
                Err(refusal) if refusal.kind == Refused::NotFound || refusal.passes() => {
                    poll.rest_after(run, "looking again", asked).await?;
                }
                Err(refusal) => return Err(StepError::Refused { doing: doing.clone(), refusal }),
            }
            let seen = poll.look(run, async || Existing::read(run.cloud, &self.owner).await).await?;
            left = seen.alarms.into_iter().map(|found| found.alarm.name).collect();
        }
        if matches!(self.seen.dashboard, Board::Ours(_)) {
            let doing = format!("deleting the dashboard ({})", self.dashboard);
            poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
            poll.insist(run, async || run.cloud.alarms.delete_dashboard(&self.dashboard).await).await?;
        }
        Ok(())
    }
}

impl Removal for AlarmsRemoval {
    fn step(&self) -> Option<StepId> {
        None
    }

    fn subject(&self) -> String {
        self.owner.stack.clone()
    }

    fn lines(&self) -> Vec<Line> {
        let alarm =
            |found: &OnAws| Line::of('-', format!("alarm {}", found.alarm.name), format!("now {}", found.state));
        let mut lines: Vec<Line> = self.seen.alarms.iter().map(alarm).collect();
        if matches!(self.seen.dashboard, Board::Ours(_)) {
            lines.push(Line::of('-', format!("dashboard {}", self.dashboard), "of the whole account"));
        }
        lines
    }

    fn terms(&self) -> Vec<(String, Terms)> {
        // Without its state, which changes by itself.
        self.lines().into_iter().map(|line| (line.what, Terms::of(["delete".to_owned()]))).collect()
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.delete(run))
    }
}

/// How long metrics of a new proxy take to appear in a list, at most
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html>).
pub const LISTED_WITHIN: Duration = Duration::from_mins(15);
