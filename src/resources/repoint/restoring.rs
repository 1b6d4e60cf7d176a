//! One function on its way back to the database.

use std::sync::Arc;

use super::back::put_back;
use crate::catalogue::StepId;
use crate::cloud::lambda::{Function, Variables, Version};
use crate::cloud::tags;
use crate::discover::OtherTool;
use crate::discover::home::Home;
use crate::discover::hosts::{KnownHost, mentions, restore};
use crate::discover::redirects::redirects;
use crate::engine::Run;
use crate::engine::event::Ending;
use crate::plan::{Redirect, Terms};
use crate::resources::release::Aliases;
use crate::resources::{Line, Removal, Work};

/// What decides how functions go back.
#[derive(Debug, Clone)]
pub struct Rules {
    /// The database as it is now, or as the proxy's tags have it; `None` where it is unknown.
    pub home: Option<Home>,
    /// The hosts of the proxy's endpoints.
    pub ours: Vec<KnownHost>,
    /// Every host of the database and the proxy.
    pub known: Vec<KnownHost>,
    /// Whether the proxy stays: then only what a function remembers goes back.
    pub adopted: bool,
}

/// One function on its way back.
#[derive(Debug, Clone)]
pub struct Restoring {
    /// The function as it is.
    pub function: Function,
    /// The variables that go back.
    pub back: Vec<String>,
    /// Variables that hold the proxy and cannot go back, since the database's host is unknown.
    pub stuck: Vec<String>,
    /// Aliases and versions.
    pub aliases: Aliases,
    /// Why it is not this tool that pointed it at the proxy, where that shows.
    pub by_others: Option<String>,
    /// What decides how it goes back.
    pub rules: Arc<Rules>,
    pub(super) edited: Variables,
    pub(super) memory: Vec<String>,
}

impl Rules {
    /// How a function's variables go back, as it is now.
    #[must_use]
    pub fn of(self: &Arc<Self>, function: Function) -> Restoring {
        let memory = self.memory(&function);
        let mut found = Restoring {
            edited: function.variables.clone(),
            back: Vec::new(),
            stuck: Vec::new(),
            aliases: Aliases::default(),
            by_others: None,
            rules: Arc::clone(self),
            memory: memory.iter().map(|(name, _)| format!("{}{name}", tags::FORMER)).collect(),
            function,
        };
        let held = found.function.variables.clone();
        let derived = self.home.as_ref().map(|home| (home.back(&held, &self.ours), home));
        for (name, value) in &held.0 {
            let holds = !mentions(value, &self.ours).is_empty();
            let believed = memory.iter().find(|(known, former)| known == name && self.believes(former));
            let old = believed.and_then(|(_, former)| self.remembered(value, former));
            let derived = derived.as_ref().and_then(|(changed, _)| {
                // Where a function remembers anything, its ports are among it.
                let port = !holds && !memory.is_empty();
                (changed.names.contains(name) && !port && !self.adopted).then(|| changed.variables.0.get(name))?
            });
            match old.or_else(|| derived.cloned()) {
                Some(new) => {
                    found.edited.0.insert(name.clone(), new);
                    found.back.push(name.clone());
                }
                None if holds && !self.adopted => found.stuck.push(name.clone()),
                None => {}
            }
        }
        found
    }

    /// Whether variables hold the proxy.
    #[must_use]
    pub fn at_proxy(&self, variables: &Variables) -> bool {
        variables.0.values().any(|value| !mentions(value, &self.ours).is_empty())
    }

    /// Whether an earlier version is what one at the proxy is but for our hosts.
    #[must_use]
    pub fn same(&self, earlier: &Version, now: &Version) -> bool {
        !self.at_proxy(&earlier.variables) && self.same_but_for_hosts(earlier, now)
    }

    /// Whether two versions are the same once both lead to the database.
    #[must_use]
    pub fn same_but_for_hosts(&self, one: &Version, other: &Version) -> bool {
        let back = |version: &Version| match &self.home {
            Some(home) => home.back(&version.variables, &self.ours).variables.0,
            None => version.variables.0.clone(),
        };
        let (here, there) = (back(one), back(other));
        // Host names have no case.
        let same = |(a, b): ((&String, &String), (&String, &String))| a.0 == b.0 && a.1.eq_ignore_ascii_case(b.1);
        let variables = here.len() == there.len() && here.iter().zip(&there).all(same);
        one.code == other.code && one.rest == other.rest && !one.hidden && !other.hidden && variables
    }

    /// A variable's value with what a memory says, if it holds our proxy as often as that names hosts.
    fn remembered(&self, value: &str, former: &str) -> Option<String> {
        let home = self.home.as_ref()?;
        if former.chars().all(|c| c.is_ascii_digit()) {
            return (value == home.proxy_port.to_string() && value != former).then(|| former.to_owned());
        }
        let hosts: Vec<&str> = former.split(' ').collect();
        let old = restore(value, &self.ours, &hosts)?;
        // Places that held the proxy before us go home too, unless it stays.
        let ours = |value: &str| !mentions(value, &self.ours).is_empty();
        let back = if ours(&old) && !self.adopted { restore_rest(home, &self.ours, &old) } else { old };
        (back != value).then_some(back)
    }

    fn believes(&self, former: &str) -> bool {
        self.home.as_ref().is_some_and(|home| home.believes(former, &self.ours))
    }

    /// What the function remembers of this stack: another stack's proxy may serve it too, for another database.
    fn memory(&self, function: &Function) -> Vec<(String, String)> {
        let tags = function.tags.iter().flatten();
        let memory: Vec<(String, String)> = tags
            .filter_map(|(key, former)| Some((key.strip_prefix(tags::FORMER)?.to_owned(), former.clone())))
            .collect();
        let is_ours = |(name, former): &(String, String)| {
            let value = function.variables.0.get(name);
            value.is_some_and(|value| !mentions(value, &self.ours).is_empty())
                || !mentions(former, &self.known).is_empty()
        };
        let any = memory.iter().any(is_ours);
        // A port says nothing by itself: it goes with its function's host.
        let port = |former: &str| former.chars().all(|c| c.is_ascii_digit());
        memory.into_iter().filter(|found| is_ours(found) || (any && port(&found.1))).collect()
    }
}

fn restore_rest(home: &Home, ours: &[KnownHost], value: &str) -> String {
    let one = Variables([(String::new(), value.to_owned())].into());
    home.back(&one, ours).variables.0.into_values().next().unwrap_or_else(|| value.to_owned())
}

impl Restoring {
    /// Whether there is nothing to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.back.is_empty() && self.memory.is_empty() && self.aliases.is_empty()
    }

    /// Whether all that is to do is to forget what the function remembers.
    pub(super) fn forgets(&self) -> bool {
        self.back.is_empty()
            && self.aliases.words().is_empty()
            && (!self.memory.is_empty() || !self.aliases.memory.is_empty())
    }

    /// What points the function at the proxy again if nobody changes it.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let tool = self.function.tags.as_ref().and_then(OtherTool::of)?;
        (!self.back.is_empty()).then(|| tool.advice(&self.function.name, &self.back))
    }

    /// Whether a version of `$LATEST` is published on the way.
    fn publishes(&self) -> bool {
        self.aliases.back.iter().any(|(_, to)| to.is_none())
    }

    /// The variables that go back, from where to where.
    fn redirects(&self) -> Vec<Redirect> {
        redirects(&self.function.name, &self.back, (&self.function.variables, &self.edited), &self.rules.known)
    }
}

impl Removal for Restoring {
    fn step(&self) -> Option<StepId> {
        Some(StepId::Repoint)
    }

    fn subject(&self) -> String {
        self.function.name.clone()
    }

    fn lines(&self) -> Vec<Line> {
        let what = format!("function {}", self.function.name);
        let aliases = self.aliases.words();
        let mut lines = Vec::new();
        if !self.back.is_empty() {
            let line = Line::of('~', &what, format!("restore {}", self.back.join(", ")));
            lines.push(Line { redirects: self.redirects(), ..line });
            let by_others = self.by_others.as_ref().map(|why| format!("not pointed there by this tool: {why}"));
            lines.extend(by_others.into_iter().chain(self.advice()).map(|text| Line::of('!', &what, text)));
        } else if self.forgets() {
            lines.push(Line::of('~', &what, "forget the former host; no variable holds the proxy"));
        }
        lines.extend(aliases.into_iter().map(|word| Line::of('~', &what, word)));
        let stays = |stuck: &String| Line::of('!', &what, format!("stays at the proxy: {stuck}"));
        lines.extend(self.aliases.stuck.iter().map(stays));
        lines
    }

    fn terms(&self) -> Vec<(String, Terms)> {
        let redirects = self.redirects();
        let back = self.back.iter().map(|variable| {
            let of = redirects.iter().find(|one| one.variable == *variable);
            let how = of.map(|Redirect { from, to, .. }| format!(" from {from} to {to}")).unwrap_or_default();
            format!("restore {variable}{how}")
        });
        let memory = self.memory.iter().chain(&self.aliases.memory).map(|tag| format!("delete the tag {tag}"));
        let stuck = self.stuck.iter().chain(&self.aliases.stuck).map(|stuck| format!("leave at the proxy: {stuck}"));
        let code = |word: String| if self.publishes() { format!("{word}; code {}", self.aliases.code) } else { word };
        let actions = back.chain(self.aliases.words().into_iter().map(code)).chain(memory).chain(stuck);
        let arn = Some(self.function.arn.clone());
        vec![(format!("function {}", self.function.name), Terms::of(actions).on("ARN", arn))]
    }

    fn ending(&self) -> Ending {
        Ending::PutBack
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(put_back(run, self))
    }
}
