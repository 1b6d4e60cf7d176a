//! The functions' direct path to the database, and how it is closed once they are all at the proxy.
//!
//! Three looks: one for the plan that a person agrees to, one right before anything changes, and one after it. What is
//! no longer as in the first stays; where a function is no longer at the proxy in the last, what this run closed is
//! opened again.

mod facts;
mod judge;

use std::collections::BTreeMap;

use self::facts::Facts;
use crate::catalogue::StepId;
use crate::cloud::Cloud;
use crate::cloud::ec2::{Direction, Rule};
use crate::discover::Problem;
use crate::discover::hosts::HostKind;
use crate::engine::{Observed, Poll, PollInterval, Row as PollRow, Run, StepError, Timeouts};
use crate::handover;
use crate::ownership;
use crate::plan::{Entry, Verdict};
use crate::resources::direct_rules::{self, Closed, TAGS_LIMIT, close, open};
use crate::spec::Spec;
use crate::survey::Survey;

/// What becomes of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is removed, and remembered.
    Close,
    /// It was removed before, and is remembered.
    Closed,
    /// It stays: why.
    Stays(String),
    /// It stays, since it could not be read who uses it: why.
    Unknown(String),
}

/// One inbound rule of the database's groups.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its ID, where it is there.
    pub id: Option<String>,
    /// The database's group that has it.
    pub group: String,
    /// What it lets in: a group, a range, a prefix list.
    pub source: String,
    /// The ports, as people write them.
    pub ports: String,
    /// The functions at the proxy that have that group.
    pub functions: Vec<String>,
    /// What becomes of it.
    pub fate: Fate,
    rule: Option<Rule>,
}

/// What a run would close, and what it would leave.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The proxy, and the stack.
    pub stack: String,
    /// The database.
    pub database: String,
    /// Row by row: what is closed first.
    pub rows: Vec<Row>,
    /// The names of the security groups, by ID.
    pub names: BTreeMap<String, String>,
    own: String,
    handed_over: bool,
}

impl Plan {
    /// The rules that are removed.
    #[must_use]
    pub fn closing(&self) -> Vec<&Row> {
        self.rows.iter().filter(|row| row.fate == Fate::Close).collect()
    }

    /// Whether the stack was handed over.
    #[must_use]
    pub fn handed_over(&self) -> bool {
        self.handed_over
    }
}

/// What is being done, in errors.
const DOING: &str = "closing the direct path";

/// Why there is no plan.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Obstacle {
    /// The account could not be read, or something in it is unfit.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The stack is not there yet, or it is none whose direct path this tool closes.
    #[error("{DOING} ({stack}): {why}")]
    NotReady {
        /// The stack.
        stack: String,
        /// Why.
        why: String,
        /// What would help, in a sentence.
        hint: &'static str,
    },
}

impl Obstacle {
    fn passes(&self) -> Option<&'static str> {
        match self {
            Self::Problem(problem) => problem.passes(),
            Self::NotReady { .. } => None,
        }
    }

    /// What ends a run.
    fn during_a_run(self) -> StepError {
        match self {
            Self::Problem(Problem::Refused { doing, refusal }) => StepError::Refused { doing, refusal },
            Self::Problem(Problem::Unfit { headline, .. }) => {
                let (doing, why) = headline.split_once(": ").unwrap_or((DOING, &headline));
                StepError::Conflict { doing: doing.to_owned(), reasons: vec![why.to_owned()] }
            }
            Self::NotReady { stack, why, .. } => {
                StepError::Conflict { doing: format!("{DOING} ({stack})"), reasons: vec![why] }
            }
        }
    }
}

/// Looks at the account; changes nothing.
///
/// # Errors
/// When AWS refuses, or something is not at the proxy that `up` would point there.
pub async fn look(cloud: &Cloud, spec: &Spec, timeouts: Timeouts) -> Result<Plan, Obstacle> {
    let survey = Box::pin(Survey::read(cloud, spec, timeouts)).await?;
    at_the_proxy(&survey)?;
    let stack = &survey.names.stack;
    let own = survey.group().present().cloned();
    let Some(own) = own.filter(|group| ownership::group(&survey.owner, &survey.names, group)) else {
        return Err(Obstacle::NotReady {
            stack: stack.clone(),
            why: "the proxy is in no security group of this tool's, which is to remember the rules".to_owned(),
            hint: "Nothing was changed. A proxy that someone else created keeps the direct path as its owner has it.",
        });
    };
    let facts = Box::pin(Facts::read(cloud, &survey)).await?;
    let (memory, _) = direct_rules::remembered(&own.tags);
    let mut room = TAGS_LIMIT.saturating_sub(own.tags.len());
    let mut rows: Vec<Row> = Vec::new();
    for rule in facts.rules.iter().filter(|rule| rule.direction == Direction::Ingress) {
        let mut fate = judge::fate(rule, &facts, &survey.owner);
        if fate == Fate::Close && !memory.iter().any(|closed| closed.is(rule)) {
            match room.checked_sub(1) {
                Some(left) => room = left,
                None => fate = Fate::Stays(format!("{} has no room for another tag to remember it", own.name)),
            }
        }
        rows.push(row(rule, &facts, fate));
    }
    let gone = |closed: &&Closed| !facts.rules.iter().any(|rule| closed.is(rule));
    let ours = |closed: &&Closed| survey.database.security_groups.contains(&closed.group);
    rows.extend(memory.iter().filter(gone).filter(ours).map(|closed| Row {
        id: None,
        group: closed.group.clone(),
        source: closed.source.clone(),
        ports: closed.port.to_string(),
        functions: facts.with_group(&closed.source),
        fate: Fate::Closed,
        rule: None,
    }));
    rows.sort_by_key(|row| matches!(row.fate, Fate::Stays(_) | Fate::Unknown(_)));
    Ok(Plan {
        stack: stack.clone(),
        database: survey.database.id.clone(),
        rows,
        names: survey.seen.groups.iter().map(|group| (group.id.clone(), group.name.clone())).collect(),
        own: own.id,
        handed_over: survey.handed_over(),
    })
}

fn row(rule: &Rule, facts: &Facts, fate: Fate) -> Row {
    let source = rule.peer.clone().or_else(|| rule.range.clone()).or_else(|| rule.prefix_list.clone());
    let ports = match (rule.port, rule.last_port) {
        _ if rule.protocol == "-1" => "all".to_owned(),
        (Some(first), Some(last)) if first == last => first.to_string(),
        (Some(first), Some(last)) => format!("{first}-{last}"),
        _ => "all".to_owned(),
    };
    Row {
        id: Some(rule.id.clone()),
        group: rule.group.clone(),
        source: source.unwrap_or_else(|| "unknown".to_owned()),
        ports,
        functions: rule.peer.as_deref().map(|peer| facts.with_group(peer)).unwrap_or_default(),
        fate,
        rule: Some(rule.clone()),
    }
}

/// Refuses where the target is not healthy, or a function is not at the proxy that `up` would point there.
fn at_the_proxy(survey: &Survey) -> Result<(), Obstacle> {
    let refuse =
        |why: String| Err(Obstacle::NotReady { stack: survey.names.stack.clone(), why, hint: "Nothing was changed." });
    match &survey.seen.proxy {
        Observed::Absent => return refuse("there is no proxy".to_owned()),
        Observed::Unknown(why) => return refuse(format!("the proxy could not be read: {why}")),
        Observed::Present(_) => {}
    }
    // A step that could not be looked at shows as one that has not come yet.
    if let Observed::Unknown(why) = &survey.seen.registered {
        return refuse(format!("the target could not be read: {why}"));
    }
    let entries = survey.entries();
    let of = |step| entries.iter().find(|entry: &&Entry| entry.step == step).map(|entry| &entry.verdict);
    match of(StepId::TargetHealth) {
        Some(Verdict::InPlace) => {}
        Some(Verdict::Await(state)) => return refuse(format!("the target is not AVAILABLE: {state}")),
        _ => return refuse("the target is not AVAILABLE".to_owned()),
    }
    match of(StepId::Repoint) {
        Some(Verdict::InPlace) if survey.dead.is_empty() => Ok(()),
        Some(Verdict::InPlace) => refuse(survey.dead[0].to_string()),
        Some(Verdict::NotNeeded(why)) => refuse(format!("no function is at the proxy: {why}")),
        Some(Verdict::Update(fields)) => refuse(format!("still connected to the database: {}", fields.join("; "))),
        Some(Verdict::Await(state)) => refuse(format!("the functions are on their way: {state}")),
        Some(Verdict::Conflict(why)) => refuse(why.join("; ")),
        Some(Verdict::Unknown(why)) => refuse(format!("where the functions connect is unknown: {why}")),
        Some(Verdict::Create | Verdict::Remove) | None => refuse("the functions are not at the proxy".to_owned()),
    }
}

/// Closes what the plan shows, as far as it is still so; the plan as it is afterwards.
///
/// # Errors
/// When AWS refuses, a wait times out, or the run is stopped; running it again resumes. Where a function is no longer
/// at the proxy, what was closed is opened again.
pub async fn carry_out(run: &Run<'_>, spec: &Spec, shown: &Plan) -> Result<Plan, StepError> {
    handover::hold(shown.handed_over, DOING, &shown.stack)?;
    // A person may have read the plan for long.
    let now = look_again(run, spec).await?;
    let agreed = |row: &&Row| shown.closing().iter().any(|before| before.id == row.id);
    let unread = |row: &Row| match &row.fate {
        Fate::Unknown(why) if shown.closing().iter().any(|before| before.id == row.id) => Some(why.clone()),
        _ => None,
    };
    if let Some(why) = now.rows.iter().find_map(unread) {
        return Err(StepError::Conflict { doing: format!("{DOING} ({})", now.stack), reasons: vec![why] });
    }
    let rules: Vec<Rule> = now.closing().into_iter().filter(agreed).filter_map(|row| row.rule.clone()).collect();
    if rules.is_empty() {
        return Ok(now);
    }
    close(run, &now.own, &rules).await?;
    match look_again(run, spec).await {
        // A restore at the same time, or someone's hand.
        Err(StepError::Conflict { doing, mut reasons }) => {
            let closed: Vec<Closed> = rules.iter().filter_map(Closed::of).collect();
            open(run, &now.own, &closed).await?;
            reasons.push("what this run had closed is open again".to_owned());
            Err(StepError::Conflict { doing, reasons })
        }
        after => after,
    }
}

/// Looks during a run: a read that fails in passing must not end it.
async fn look_again(run: &Run<'_>, spec: &Spec) -> Result<Plan, StepError> {
    let doing = format!("looking at the direct path ({})", spec.stack);
    let poll = Poll::begin(run, PollRow::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
    let read = async || Box::pin(look(run.cloud, spec, run.timeouts)).await;
    poll.look_whatever(run, read, Obstacle::passes).await?.map_err(Obstacle::during_a_run)
}

/// How the functions stand to the database, by what a survey has read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// A rule of the database's groups lets a function in.
    Open,
    /// None does.
    Closed,
    /// A range or a prefix list may, or there is nobody to judge it by.
    Unknown,
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Unknown => "unknown",
        }
    }
}

/// Whether the functions' direct path is open, and how many rules are remembered; it takes no call of its own.
#[must_use]
pub fn state(survey: &Survey) -> (State, usize) {
    let groups = &survey.seen.groups;
    let own = survey.group().present().cloned();
    let own = own.filter(|group| ownership::group(&survey.owner, &survey.names, group));
    let (memory, _) = own.map(|group| direct_rules::remembered(&group.tags)).unwrap_or_default();
    let of_database: Vec<_> = survey.database.security_groups.iter().collect();
    let found: Vec<_> = groups.iter().filter(|group| of_database.contains(&&group.id)).collect();
    let at_proxy = survey.functions.iter().filter(|found| !found.holding(HostKind::is_ours).is_empty());
    let sources: Vec<&String> = at_proxy.flat_map(|found| &found.function.security_groups).collect();
    if sources.is_empty() || found.len() != of_database.len() {
        return (State::Unknown, memory.len());
    }
    let covering = || found.iter().flat_map(|group| &group.ingress).filter(|rule| rule.covers(survey.database.port));
    let admitted = covering().any(|rule| rule.open_to_all() || rule.groups.iter().any(|peer| sources.contains(&peer)));
    let perhaps = covering().any(|rule| !rule.ranges.is_empty() || !rule.prefix_lists.is_empty());
    let state = match (admitted, perhaps) {
        (true, _) => State::Open,
        (false, true) => State::Unknown,
        (false, false) => State::Closed,
    };
    (state, memory.len())
}
