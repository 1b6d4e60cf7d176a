//! Rules that let functions reach the database directly: `close-direct` removes them, a way back opens them again.
//!
//! What was removed is remembered in tags of the proxy's own group, one for each rule, before the rule goes; and the
//! tag goes once the rule is seen again. So a run that was killed at any point leaves the rule, the memory, or both.
//! Anyone with `ec2:CreateTags` on that group can write such a tag: a rule comes back only from a group of a function
//! that uses this database, into a group of this database, on its port ([`Doors`]).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::catalogue::StepId;
use crate::cloud::ec2::{Direction, Group, Rule};
use crate::cloud::{Answer, Kind, Tags, tags};
use crate::engine::event::Ending;
use crate::engine::refused;
use crate::engine::{Poll, PollInterval, Row, Run, StepError};
use crate::resources::repoint::Restoring;
use crate::resources::{Line, Removal, Work};

/// How many tags EC2 takes on a resource
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>).
pub const TAGS_LIMIT: usize = 50;

/// A rule that is remembered: TCP on one port, from one group into another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closed {
    /// The group that had it.
    pub group: String,
    /// The group that it let in.
    pub source: String,
    /// The port.
    pub port: u16,
    /// What it was described by.
    pub description: Option<String>,
}

impl Closed {
    /// What is remembered of a rule, if it is one that can be: TCP on one port, from one group.
    #[must_use]
    pub fn of(rule: &Rule) -> Option<Self> {
        let one_port = rule.protocol == "tcp" && rule.port == rule.last_port;
        Some(Self {
            group: rule.group.clone(),
            source: rule.peer.clone()?,
            port: rule.port.filter(|_| one_port).and_then(|port| u16::try_from(port).ok())?,
            // An empty one is none for EC2.
            description: rule.description.clone().filter(|text| !text.is_empty()),
        })
    }

    /// The tag's key: EC2 takes 127 characters, and this has 70 at most.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}{}:{}:{}", tags::CLOSED, self.group, self.source, self.port)
    }

    /// The tag's value: a description has 255 characters at most, and a value may have 256.
    fn value(&self) -> String {
        self.description.clone().unwrap_or_default()
    }

    fn read(key: &str, value: &str) -> Option<Self> {
        let id = |text: &str| {
            let rest = text.strip_prefix("sg-")?;
            let fits = !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric());
            fits.then(|| text.to_owned())
        };
        let mut parts = key.strip_prefix(tags::CLOSED)?.split(':');
        let (group, source, port) = (parts.next()?, parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && port.bytes().all(|byte| byte.is_ascii_digit());
        Some(Self {
            group: id(group)?,
            source: id(source)?,
            port: port.parse().ok().filter(|port| whole && *port > 0)?,
            description: (!value.is_empty()).then(|| value.to_owned()),
        })
    }

    /// Whether it is this rule, whatever it is described by.
    #[must_use]
    pub fn is(&self, rule: &Rule) -> bool {
        let this = Self::of(rule).filter(|_| rule.direction == Direction::Ingress);
        this.is_some_and(|this| this.key() == self.key())
    }

    /// The rule in a few words.
    #[must_use]
    pub fn words(&self) -> String {
        format!("port {} from {}", self.port, self.source)
    }
}

/// What the tags of the proxy's group remember, and the keys of tags that look like it and are none.
#[must_use]
pub fn remembered(tags: &Tags) -> (Vec<Closed>, Vec<String>) {
    let (mut closed, mut broken) = (Vec::new(), Vec::new());
    for (key, value) in tags.iter().filter(|(key, _)| key.starts_with(tags::CLOSED)) {
        match Closed::read(key, value) {
            Some(rule) => closed.push(rule),
            None => broken.push(key.clone()),
        }
    }
    (closed, broken)
}

/// What a memory is held to before a rule is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Doors {
    /// The database's groups; none where the database is gone.
    pub groups: Vec<String>,
    /// Its port.
    pub port: Option<u16>,
    /// The groups of the functions that use it, directly or through the proxy.
    pub sources: BTreeSet<String>,
}

impl Doors {
    /// Why a remembered rule is not written, if it is not.
    fn doubt(&self, rule: &Closed) -> Option<String> {
        if !self.groups.contains(&rule.group) {
            return Some(format!("{} is no security group of the database", rule.group));
        }
        if self.port != Some(rule.port) {
            return Some(format!("{} is not the database's port", rule.port));
        }
        let known = self.sources.contains(&rule.source);
        (!known).then(|| format!("no function that uses the database has the security group {}", rule.source))
    }
}

/// The rules that one of the stack's groups remembers, on their way back.
#[derive(Debug, Clone)]
pub struct RulesBack {
    /// The group's ID.
    pub own: String,
    /// The rules that come back.
    pub back: Vec<Closed>,
    /// What is remembered and not written: what it says, and why.
    pub left: Vec<(String, String)>,
}

impl RulesBack {
    /// What a group of the stack remembers, held to the database and its functions; `None` where that is nothing.
    #[must_use]
    pub fn of(own: &Group, doors: &Doors) -> Option<Self> {
        let (closed, broken) = remembered(&own.tags);
        let mut found = Self { own: own.id.clone(), back: Vec::new(), left: Vec::new() };
        for rule in closed {
            match doors.doubt(&rule) {
                None => found.back.push(rule),
                Some(why) => found.left.push((format!("{} on {}", rule.words(), rule.group), why)),
            }
        }
        found.left.extend(broken.into_iter().map(|key| (key, "it names no rule".to_owned())));
        (!found.back.is_empty() || !found.left.is_empty()).then_some(found)
    }

    /// The same for the rules that some of the functions need; the rest stays remembered.
    #[must_use]
    pub fn only(mut self, functions: &[Restoring]) -> Self {
        let needed = |rule: &Closed| functions.iter().any(|one| one.function.security_groups.contains(&rule.source));
        self.back.retain(needed);
        self
    }
}

impl Removal for RulesBack {
    fn step(&self) -> Option<StepId> {
        None
    }

    fn subject(&self) -> String {
        self.own.clone()
    }

    fn lines(&self) -> Vec<Line> {
        let back = |rule: &Closed| {
            let detail = format!("restore {}, which close-direct removed", rule.words());
            Line::of('~', format!("ingress rule of {}", rule.group), detail)
        };
        let left = |(what, why): &(String, String)| {
            Line::of('!', format!("tag of {}", self.own), format!("not restored: {what}: {why}"))
        };
        self.back.iter().map(back).chain(self.left.iter().map(left)).collect()
    }

    fn ending(&self) -> Ending {
        Ending::PutBack
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(open(run, &self.own, &self.back))
    }
}

/// Writes rules that are remembered, waits until they are seen, and forgets them.
///
/// # Errors
/// When AWS refuses, a wait times out, or the run is stopped; running it again resumes.
pub async fn open(run: &Run<'_>, own: &str, rules: &[Closed]) -> Result<(), StepError> {
    if rules.is_empty() {
        return Ok(());
    }
    let doing = format!("opening the direct path again ({own})");
    let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
    for Closed { group, source, port, description } in rules {
        loop {
            run.sleep(Duration::ZERO).await?;
            match run.cloud.ec2.let_in(group, source, *port, description.as_deref()).await {
                // EC2 may not know a group everywhere at once.
                Err(refusal) if matches!(refusal.kind, Kind::NotFound | Kind::NotYet) || refusal.passes() => {
                    poll.rest(run, "not accepted yet").await?;
                }
                // Someone was faster, or a run that was killed did it.
                Err(refusal) if refusal.kind != Kind::Exists => return Err(refused(&doing)(refusal)),
                _ => break,
            }
        }
    }
    let groups: BTreeSet<&String> = rules.iter().map(|rule| &rule.group).collect();
    for group in groups {
        loop {
            let now = poll.look(run, async || run.cloud.ec2.rules_of(group).await).await?;
            let missing = |rule: &&Closed| rule.group == *group && !now.iter().any(|seen| rule.is(seen));
            if !rules.iter().any(|rule| missing(&rule)) {
                break;
            }
            poll.rest(run, "not visible yet").await?;
        }
    }
    let keys: Vec<String> = rules.iter().map(Closed::key).collect();
    poll.insist(run, async || gone_is_fine(run.cloud.ec2.untag(own, &keys).await)).await?;
    for rule in rules {
        run.note(None, format!("{} is open again: {}.", rule.group, rule.words()));
    }
    Ok(())
}

/// A group that a teardown at the same time has deleted remembers nothing.
fn gone_is_fine(answer: Answer<()>) -> Answer<()> {
    match answer {
        Err(refusal) if refusal.kind == Kind::NotFound || refusal.is(&["InvalidID"]) => Ok(()),
        answer => answer,
    }
}

/// Remembers rules on the stack's own group, removes them, and waits until they are no longer seen.
///
/// # Errors
/// As [`open`].
pub async fn close(run: &Run<'_>, own: &str, rules: &[Rule]) -> Result<(), StepError> {
    let doing = format!("closing the direct path ({own})");
    let poll = Poll::begin(run, Row::Hidden, &doing, run.timeouts.propagation, PollInterval::Dense);
    let memory: Tags = rules.iter().filter_map(Closed::of).map(|rule| (rule.key(), rule.value())).collect();
    if memory.is_empty() {
        return Ok(());
    }
    poll.insist(run, async || run.cloud.ec2.tag(own, &memory).await).await?;
    let mut calls: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    // One that cannot be remembered stays.
    for rule in rules.iter().filter(|rule| Closed::of(rule).is_some()) {
        calls.entry(rule.group.as_str()).or_default().push(rule.id.clone());
    }
    for (group, ids) in &calls {
        run.sleep(Duration::ZERO).await?;
        let revoke = async || run.cloud.ec2.revoke(Direction::Ingress, group, ids.clone()).await;
        poll.insist(run, revoke).await?;
    }
    for (group, ids) in &calls {
        loop {
            let now = poll.look(run, async || run.cloud.ec2.rules_of(group).await).await?;
            if !now.iter().any(|seen| ids.contains(&seen.id)) {
                break;
            }
            poll.rest(run, "still visible").await?;
        }
    }
    for rule in rules.iter().filter_map(Closed::of) {
        run.note(None, format!("{} is closed: {}.", rule.group, rule.words()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn closed() -> Closed {
        Closed {
            group: "sg-0123456789abcdef0".to_owned(),
            source: "sg-0fedcba9876543210".to_owned(),
            port: 65_535,
            description: Some("functions, directly".to_owned()),
        }
    }

    #[test]
    fn a_memory_says_the_rule_and_fits_a_tag() {
        for description in [None, closed().description, Some("x".repeat(255))] {
            let rule = Closed { description, ..closed() };
            assert!(rule.key().len() <= 127 && rule.value().len() <= 256, "{}", rule.key());
            let tags = Tags::from([(rule.key(), rule.value())]);
            assert_eq!(remembered(&tags), (vec![rule], Vec::new()));
        }
    }

    #[test]
    fn what_is_not_of_its_form_is_no_memory() {
        for rest in [
            "",
            "sg-1",
            "sg-1:sg-2",
            "sg-1:sg-2:",
            "sg-1:sg-2:0",
            "sg-1:sg-2:65536",
            "sg-1:sg-2:+1",
            "sg-1:sg-2:1:",
            "sg-1:sg-2:1:1",
            "sg-:sg-2:1",
            "1:2:3",
            "sg-1:10.0.0.0/8:1",
            "sg-1: sg-2:1",
        ] {
            let key = format!("{}{rest}", tags::CLOSED);
            let tags = Tags::from([(key.clone(), String::new())]);
            assert_eq!(remembered(&tags), (Vec::new(), vec![key]), "{rest}");
        }
        assert_eq!(remembered(&Tags::from([("Name".to_owned(), String::new())])), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_memory_is_believed_only_of_this_database_and_its_functions() {
        let rule = closed();
        let doors =
            Doors { groups: vec![rule.group.clone()], port: Some(rule.port), sources: [rule.source.clone()].into() };
        assert_eq!(doors.doubt(&rule), None);
        for other in [
            Closed { group: rule.source.clone(), ..rule.clone() },
            Closed { source: rule.group.clone(), ..rule.clone() },
            Closed { port: 22, ..rule.clone() },
        ] {
            assert!(doors.doubt(&other).is_some(), "{other:?}");
        }
        assert!(Doors::default().doubt(&rule).is_some());
    }
}
