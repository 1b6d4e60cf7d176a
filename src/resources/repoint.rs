//! Step 13: the functions' variables point at the proxy.
//!
//! `UpdateFunctionConfiguration` replaces the whole environment, so it is read, merged and written with the
//! revision that was read
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>). The way back is derived
//! ([`crate::discover::home`]); only where it would not lead to the very same values, or where the proxy is not ours
//! and may have had users before, tags on the function remember what stood there.

mod back;
mod restoring;

use crate::catalogue::StepId;
use crate::cloud::lambda::{Function, Update, Variables};
use crate::cloud::{Answer, Cloud, Kind, Refusal, Tags, tags};
use crate::discover::functions::Holding;
use crate::discover::home::{Home, There, Way};
use crate::discover::hosts::{Host, HostKind, KnownHost, Mention};
use crate::discover::redirects::redirects;
use crate::discover::{FunctionUse, direct};
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Timeouts, Wait, crowd};
use crate::plan::{PlannedStep, Redirect, Terms};
use crate::resources::updating;
use crate::spec::Variables as Wanted;

pub use restoring::{Restoring, Rules};

/// Bytes that all variables of a function may take; AWS measures them as JSON
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const ENVIRONMENT_LIMIT: usize = 4_096;
/// Tags of one function, and their lengths
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html>).
const TAGS_LIMIT: usize = 50;
const TAG_KEY_LIMIT: usize = 128;
const TAG_VALUE_LIMIT: usize = 256;

/// How many functions are written together. Two batches later their updates are live.
const BATCH: usize = 50;

/// The variables of all functions.
pub struct Repoint<'a> {
    /// The hosts that we know, the proxy's among them once it exists.
    pub known: &'a [KnownHost],
    /// The database as functions know it.
    pub home: Option<Home>,
    /// The proxy's endpoint, or, before it exists, one of the same length.
    pub endpoint: Option<Host>,
    /// The proxy's read-only endpoint in the same way, where there is one or will be.
    pub reader: Option<Host>,
    /// Whether the proxy is one that someone else made: which functions were moved there is remembered on them.
    pub adopted: bool,
    /// The functions, as they were found.
    pub functions: &'a [FunctionUse],
    /// The variables that stay, and those that do not.
    pub variables: &'a Wanted,
    /// The limits.
    pub timeouts: Timeouts,
}

/// What happens to one function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The variables that change, by name.
    pub names: Vec<String>,
    /// All variables afterwards.
    pub variables: Variables,
    /// What is remembered on the function, since it cannot be derived.
    pub former: Tags,
    /// What keeps the variables from being changed, one sentence each.
    unclear: Vec<String>,
}

impl Repoint<'_> {
    fn way(&self) -> Option<Way<'_>> {
        let home = self.home.as_ref()?;
        Some(Way { home, endpoint: self.endpoint.as_ref(), reader: self.reader.as_ref() })
    }

    /// The same for some of the functions.
    #[must_use]
    pub fn only<'b>(&'b self, functions: &'b [FunctionUse]) -> Repoint<'b> {
        Repoint {
            functions,
            known: self.known,
            home: self.home.clone(),
            endpoint: self.endpoint.clone(),
            reader: self.reader.clone(),
            adopted: self.adopted,
            variables: self.variables,
            timeouts: self.timeouts,
        }
    }

    /// Whether what leads to `kind` is to lead to the proxy instead.
    #[must_use]
    pub fn moves(&self, kind: HostKind) -> bool {
        self.way().is_some_and(|way| way.instead_of(kind).is_some())
    }

    /// What must change in a function's variables.
    #[must_use]
    pub fn there(&self, function: &str, variables: &Variables) -> There {
        let stays = |variable: &str| direct::stays(self.variables, function, variable).is_some();
        self.way().map(|way| way.there(variables, self.known, &stays)).unwrap_or_default()
    }

    /// A function as it is now.
    pub(crate) fn read(&self, now: Function, found: &FunctionUse) -> FunctionUse {
        FunctionUse::of(now, self.known, found.named).keeping(self.variables)
    }

    /// What must change in one function.
    #[must_use]
    pub fn edit(&self, found: &FunctionUse) -> Edit {
        let there = self.there(&found.function.name, &found.function.variables);
        let unclear = there.unclear_ports.join(", ");
        let mut edit = Edit {
            names: there.changed.names.iter().cloned().collect(),
            variables: there.changed.variables,
            ..Edit::default()
        };
        if !unclear.is_empty() {
            edit.unclear.push(format!(
                "which of {unclear} in {} is the port of the database is not clear; name it after the host's variable \
                 (DB_PORT for DB_HOST), or leave the function out: --exclude-function {}",
                found.function.name, found.function.name
            ));
        }
        if self.adopted || !there.derivable {
            for (name, former) in there.former {
                let holding = found.variables.iter().find(|holding| holding.name == name);
                let former = holding.map_or(former.clone(), |holding| self.all_former(found, holding, former));
                edit.former.insert(format!("{}{name}", tags::FORMER), former.join(" "));
            }
        }
        edit
    }

    /// What stood at every place of a value that will hold our proxy, in order: at some of them it may stand already.
    fn all_former(&self, found: &FunctionUse, holding: &Holding, replaced: Vec<String>) -> Vec<String> {
        let variables = &found.function.variables;
        let Some(value) = variables.0.get(&holding.name) else { return replaced };
        let key = format!("{}{}", tags::FORMER, holding.name);
        let remembered = found.function.tags.as_ref().and_then(|tags| tags.get(&key)).cloned().unwrap_or_default();
        let mut remembered = remembered.split(' ').filter(|former| !former.is_empty());
        let mut replaced = replaced.into_iter();
        let former = |mention: &Mention| {
            if self.way().is_some_and(|way| way.moves(&holding.name, value, mention, variables)) {
                return replaced.next();
            }
            // What nobody remembers was there before us, and stays.
            let here = || value[mention.host.clone()].to_owned();
            mention.kind.is_ours().then(|| remembered.next().map_or_else(here, str::to_owned))
        };
        holding.mentions.iter().filter_map(former).collect()
    }

    fn pending(&self, seen: &Observed<Vec<FunctionUse>>) -> Vec<String> {
        let functions = seen.present().map(Vec::as_slice).unwrap_or_default();
        functions
            .iter()
            .filter_map(|found| {
                let edit = self.edit(found);
                (!edit.names.is_empty()).then(|| format!("{}: {}", found.function.name, edit.names.join(", ")))
            })
            .collect()
    }

    /// What this run remembered on a function, and a teardown at the same time took away again.
    fn forgotten(&self, found: &FunctionUse) -> Tags {
        let Some(tags) = &found.function.tags else { return Tags::new() };
        let before = self.functions.iter().find(|before| before.function.name == found.function.name);
        let mut former = before.map(|before| self.edit(before).former).unwrap_or_default();
        former.retain(|key, _| !tags.contains_key(key));
        former
    }

    async fn look(&self, cloud: &Cloud, found: &FunctionUse) -> Answer<Option<FunctionUse>> {
        if found.function.update == Update::Successful && self.edit(found).names.is_empty() {
            return Ok(Some(found.clone()));
        }
        let function = cloud.lambda.get(&found.function.name).await?;
        Ok(function.map(|function| self.read(function, found)))
    }

    async fn change(&self, cloud: &Cloud, mut found: FunctionUse) -> Answer<FunctionUse> {
        let edit = self.edit(&found);
        let mut former = if edit.names.is_empty() { self.forgotten(&found) } else { edit.former };
        if let Some(tags) = &found.function.tags {
            former.retain(|key, value| tags.get(key) != Some(value));
        }
        if !former.is_empty() {
            cloud.lambda.tag(&found.function.arn, &former).await?;
            if let Some(tags) = &mut found.function.tags {
                tags.extend(former);
            }
            if !edit.names.is_empty() {
                // A tag may move the revision, which the write is conditional on.
                let Some(function) = cloud.lambda.get(&found.function.name).await? else { return Ok(found) };
                found = self.read(function, &found);
                if self.edit(&found).variables != edit.variables {
                    return Ok(found);
                }
            }
        }
        if edit.names.is_empty() {
            return Ok(found);
        }
        match cloud.lambda.set_variables(&found.function, &edit.variables).await {
            // Someone was faster, or the revision moved by itself: the next round begins from what is there now.
            Err(refusal) if refusal.kind == Kind::Stale => {
                let now = cloud.lambda.get(&found.function.name).await?;
                let now = now.filter(|now| now.revision != found.function.revision).ok_or(refusal)?;
                Ok(self.read(now, &found))
            }
            answer => Ok(self.read(answer?, &found)),
        }
    }
}

impl Edit {
    /// What keeps AWS from taking this edit, one sentence each.
    fn obstacles(&self, found: &FunctionUse) -> Vec<String> {
        let function = &found.function.name;
        let mut obstacles = self.unclear.clone();
        let size = |variables: &Variables| serde_json::json!(variables.0).to_string().len();
        let (now, then) = (size(&found.function.variables), size(&self.variables));
        if then > ENVIRONMENT_LIMIT && then > now {
            obstacles.push(format!(
                "the variables of {function} would take {then} bytes as JSON ({now} now), and Lambda allows {ENVIRONMENT_LIMIT}"
            ));
        }
        let mut all: Vec<&String> = found.function.tags.iter().flatten().map(|(key, _)| key).collect();
        all.extend(self.former.keys());
        all.sort();
        all.dedup();
        if !self.former.is_empty() && all.len() > TAGS_LIMIT {
            obstacles.push(format!(
                "{function} would have {} tags with those that remember its former hosts, and AWS allows {TAGS_LIMIT}",
                all.len()
            ));
        }
        for (key, value) in &self.former {
            let name = key.strip_prefix(tags::FORMER).unwrap_or(key);
            if key.len() > TAG_KEY_LIMIT || value.len() > TAG_VALUE_LIMIT {
                obstacles.push(format!(
                    "the former host of {name} in {function} does not fit a tag ({} of {TAG_KEY_LIMIT} characters for the \
                     name, {} of {TAG_VALUE_LIMIT} for the host)",
                    key.len(),
                    value.len()
                ));
            }
        }
        obstacles
    }
}

impl Step<Aws> for Repoint<'_> {
    type State = Vec<FunctionUse>;

    fn id(&self) -> StepId {
        StepId::Repoint
    }

    fn subject(&self) -> String {
        let names: Vec<&str> = self.functions.iter().map(|found| found.function.name.as_str()).collect();
        if names.is_empty() { "no function".to_owned() } else { names.join(", ") }
    }

    fn doing(&self, change: &Diff) -> String {
        match change {
            Diff::Await(_) => format!("waiting for the functions' update ({})", self.subject()),
            _ => format!("pointing the functions at the proxy ({})", self.subject()),
        }
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Vec<FunctionUse>>> {
        self.look_again(cloud, &Observed::Present(self.functions.to_vec())).await
    }

    async fn look_again(&self, cloud: &Cloud, seen: &Observed<Vec<FunctionUse>>) -> Answer<Observed<Vec<FunctionUse>>> {
        let looks = seen.present().into_iter().flatten().map(|found| self.look(cloud, found)).collect();
        let now: Vec<Option<FunctionUse>> = crowd(looks).await.into_iter().collect::<Answer<_>>()?;
        Ok(Observed::Present(now.into_iter().flatten().collect()))
    }

    fn compare(&self, seen: &Observed<Vec<FunctionUse>>) -> Diff {
        if self.functions.is_empty() {
            return Diff::NotNeeded("no function uses the database".to_owned());
        }
        if self.way().is_none_or(|way| way.endpoint.is_none()) {
            let why = "there is no usable host name of the database and of the proxy to write into variables";
            return Diff::Conflict(vec![why.to_owned()]);
        }
        let functions = seen.present().map(Vec::as_slice).unwrap_or_default();
        if functions.iter().all(|found| found.variables.is_empty() && found.function.hidden.is_none()) {
            return Diff::NotNeeded(format!("no variable of {} holds a host of the database", self.subject()));
        }
        for found in functions {
            if let Some(why) = &found.function.hidden {
                return Diff::Conflict(vec![format!(
                    "AWS does not show the variables of {}: {why}",
                    found.function.name
                )]);
            }
        }
        let obstacles: Vec<String> = functions.iter().flat_map(|found| self.edit(found).obstacles(found)).collect();
        if !obstacles.is_empty() {
            return Diff::Conflict(obstacles);
        }
        let pending = self.pending(seen);
        if !pending.is_empty() {
            return Diff::Update(pending);
        }
        if let Some(found) = functions.iter().find(|found| !self.forgotten(found).is_empty()) {
            return Diff::Update(vec![format!("{}: what it remembers", found.function.name)]);
        }
        let open =
            functions.iter().find(|found| found.function.update != Update::Successful && !found.variables.is_empty());
        match open.map(|found| (&found.function.update, &found.function.name)) {
            None => Diff::None,
            Some((Update::Failed(why), name)) => {
                Diff::Conflict(vec![format!("the update of {name} failed, so its former configuration is live: {why}")])
            }
            Some((_, name)) => Diff::Await(Wait { state: format!("{name} in progress"), usable: false, grace: None }),
        }
    }

    async fn apply(
        &self,
        cloud: &Cloud,
        _change: &Diff,
        seen: Observed<Vec<FunctionUse>>,
    ) -> Answer<Observed<Vec<FunctionUse>>> {
        // While one batch is written, the one before the last is looked at: its updates are live by then, and those
        // reads have an allowance of their own.
        let mut after: Vec<FunctionUse> = Vec::new();
        let (mut looked_at, mut written) = (0, 0);
        for batch in seen.present().map(Vec::as_slice).unwrap_or_default().chunks(BATCH) {
            let fresh = after.split_off(written);
            let looks = after.split_off(looked_at).into_iter().map(async |found| self.look(cloud, &found).await);
            let looks = looks.collect();
            let changes = batch.iter().map(|found| self.change(cloud, found.clone())).collect();
            let (changed, looked) = tokio::join!(crowd(changes), crowd(looks));
            after.extend(looked.into_iter().collect::<Answer<Vec<Option<FunctionUse>>>>()?.into_iter().flatten());
            looked_at = after.len();
            after.extend(fresh);
            written = after.len();
            after.extend(changed.into_iter().collect::<Answer<Vec<FunctionUse>>>()?);
        }
        Ok(Observed::Present(after))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        updating(refusal, self.timeouts.function)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.timeouts.function, PollInterval::Seconds)
    }
}

impl PlannedStep for Repoint<'_> {
    fn details(&self, _seen: &Observed<Vec<FunctionUse>>) -> Vec<String> {
        let mut details = Vec::new();
        for found in self.functions {
            let name = &found.function.name;
            let edit = self.edit(found);
            // What moves is shown with both hosts, which says why.
            if edit.names.is_empty() || !found.holding(HostKind::is_dead).is_empty() {
                details.push(format!("why: {name}: {}", found.why()));
            }
            if let Some(tool) = found.owner().filter(|_| !edit.names.is_empty()) {
                details.push(tool.advice(name, &edit.names));
            }
            if let Some(why) = found.function.unread_tags.as_ref().filter(|_| !edit.names.is_empty()) {
                details
                    .push(format!("{name}: whether another tool owns it is not known: its tags are not shown ({why})"));
            }
            if !edit.former.is_empty() {
                let names: Vec<&str> = edit.former.keys().filter_map(|key| key.strip_prefix(tags::FORMER)).collect();
                details.push(format!("{name}: tags remember what {} held", names.join(", ")));
            }
            for (variable, port) in self.there(name, &found.function.variables).other_port {
                details.push(format!("{name}: {variable} stays, since no proxy serves its port {port}"));
            }
            details.extend(found.told_to_stay(self.variables));
            let stay = found.holding(|kind| !kind.is_ours() && !kind.is_dead() && !self.moves(kind));
            if !stay.is_empty() {
                details.push(format!("{name}: {} stays, since it leads to readers or single members", stay.join(", ")));
            }
        }
        details
    }

    fn redirects(&self, seen: &Observed<Vec<FunctionUse>>) -> Vec<Redirect> {
        let ours = [(&self.endpoint, HostKind::Proxy), (&self.reader, HostKind::ReaderProxy)];
        let ours = ours.into_iter().filter_map(|(host, kind)| Some((host.as_ref()?.as_str().to_owned(), kind)));
        let ours = ours.map(|(name, kind)| KnownHost { name, kind });
        let known: Vec<KnownHost> = self.known.iter().cloned().chain(ours).collect();
        let of = |found: &FunctionUse| {
            let (edit, function) = (self.edit(found), &found.function);
            redirects(&function.name, &edit.names, (&function.variables, &edit.variables), &known)
        };
        seen.present().into_iter().flatten().flat_map(of).collect()
    }

    fn terms(&self, seen: &Observed<Vec<FunctionUse>>) -> Terms {
        let redirects = self.redirects(seen);
        let mut terms = Terms::default();
        for found in seen.present().into_iter().flatten() {
            let name = &found.function.name;
            let edit = self.edit(found);
            for variable in &edit.names {
                let of = redirects.iter().find(|one| one.function == *name && one.variable == *variable);
                let how = of.map(|Redirect { from, to, .. }| format!(" from {from} to {to}")).unwrap_or_default();
                terms.actions.insert(format!("change {name}: {variable}{how}"));
            }
            let forgotten = if edit.names.is_empty() { self.forgotten(found) } else { Tags::new() };
            for (key, hosts) in edit.former.iter().chain(&forgotten) {
                terms.actions.insert(format!("tag {name}: {key}={hosts}"));
            }
            terms.basis.insert(format!("function {name}"), Some(found.function.arn.clone()));
        }
        terms
    }
}
