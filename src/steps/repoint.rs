//! Step 13: the functions' variables point at the proxy.
//!
//! `UpdateFunctionConfiguration` replaces the whole environment, so it is read, merged and written with the
//! revision that was read. The former host is remembered as a tag on the function first
//! (<https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html>).

use crate::catalogue::StepId;
use crate::cloud::lambda::{Update, Variables};
use crate::cloud::{Answer, Cloud, Kind, Refusal, Tags, tags};
use crate::discover::FunctionUse;
use crate::discover::functions::Holding;
use crate::discover::hosts::{HostKind, KnownHost, Mention, replace};
use crate::engine::{Again, Change, Limit, Pace, Patience, Seen, Step, Wait, crowd};

/// Bytes that all variables of a function may take; AWS measures them as JSON
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const ENVIRONMENT_LIMIT: usize = 4_096;
/// Tags of one function, and their lengths
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-tags.html>).
const TAGS_LIMIT: usize = 50;
const TAG_KEY_LIMIT: usize = 128;
const TAG_VALUE_LIMIT: usize = 256;

/// The variables of all functions.
pub struct Repoint<'a> {
    /// The hosts that we know, the proxy's among them once it exists.
    pub known: &'a [KnownHost],
    /// The proxy's endpoint, or, before it exists, one of the same length.
    pub endpoint: &'a str,
    /// The proxy's read-only endpoint in the same way, where there is one or will be.
    pub reader: Option<&'a str>,
    /// The proxy's port.
    pub proxy_port: u16,
    /// The database's port.
    pub database_port: u16,
    /// The functions, as they were found.
    pub functions: &'a [FunctionUse],
    /// The limits.
    pub patience: Patience,
}

/// What happens to one function.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    /// The variables that change, by name.
    pub names: Vec<String>,
    /// All variables afterwards.
    pub variables: Variables,
    /// What is remembered.
    pub former: Tags,
}

impl Repoint<'_> {
    /// Where what leads to `kind` is to lead instead.
    #[must_use]
    pub fn instead_of(&self, kind: HostKind) -> Option<&str> {
        match kind {
            HostKind::Writer => Some(self.endpoint),
            HostKind::Reader => self.reader,
            HostKind::Member | HostKind::Custom | HostKind::Proxy | HostKind::ReaderProxy => None,
        }
    }

    /// What must change in one function.
    #[must_use]
    pub fn edit(&self, found: &FunctionUse) -> Edit {
        let mut edit = Edit { variables: found.function.variables.clone(), ..Edit::default() };
        let port = (self.proxy_port != self.database_port).then_some(self.proxy_port);
        let mut port_apart = port.is_some();
        for holding in &found.variables {
            let ours: Vec<_> =
                holding.mentions.iter().filter_map(|mention| Some((mention, self.instead_of(mention.kind)?))).collect();
            let Some(value) = found.function.variables.0.get(&holding.name).filter(|_| !ours.is_empty()) else {
                continue;
            };
            port_apart &= ours.iter().all(|(mention, _)| mention.port.is_none());
            let (new, former) = replace(value, &ours, port);
            let former = self.all_former(found, holding, value, former);
            edit.change(&holding.name, new, former.join(" "));
        }
        if port_apart && !edit.names.is_empty() {
            let own = self.database_port.to_string();
            for (name, value) in &found.function.variables.0 {
                if name.to_ascii_uppercase().contains("PORT") && *value == own {
                    edit.change(name, self.proxy_port.to_string(), own.clone());
                }
            }
        }
        edit
    }

    /// What stood at every place of a value that will hold our proxy, in order: at some of them it may stand already.
    fn all_former(&self, found: &FunctionUse, holding: &Holding, value: &str, replaced: Vec<String>) -> Vec<String> {
        let key = format!("{}{}", tags::FORMER, holding.name);
        let remembered = found.function.tags.as_ref().and_then(|tags| tags.get(&key)).cloned().unwrap_or_default();
        let mut remembered = remembered.split(' ').filter(|former| !former.is_empty());
        let mut replaced = replaced.into_iter();
        let former = |mention: &Mention| {
            if self.instead_of(mention.kind).is_some() {
                return replaced.next();
            }
            // What nobody remembers was there before us, and stays.
            let here = || value[mention.host.clone()].to_owned();
            mention.kind.is_ours().then(|| remembered.next().map_or_else(here, str::to_owned))
        };
        holding.mentions.iter().filter_map(former).collect()
    }

    fn pending(&self, seen: &Seen<Vec<FunctionUse>>) -> Vec<String> {
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
        Ok(function.map(|function| FunctionUse::of(function, self.known, found.named)))
    }

    async fn change(&self, cloud: &Cloud, mut found: FunctionUse) -> Answer<FunctionUse> {
        let edit = self.edit(&found);
        let former = if edit.names.is_empty() { self.forgotten(&found) } else { edit.former };
        if former.is_empty() {
            return Ok(found);
        }
        cloud.lambda.tag(&found.function.arn, &former).await?;
        if let Some(tags) = &mut found.function.tags {
            tags.extend(former);
        }
        if edit.names.is_empty() {
            return Ok(found);
        }
        let function = cloud.lambda.set_variables(&found.function, &edit.variables).await?;
        Ok(FunctionUse::of(function, self.known, found.named))
    }
}

impl Edit {
    /// What keeps AWS from taking this edit, one sentence each.
    fn obstacles(&self, found: &FunctionUse) -> Vec<String> {
        let function = &found.function.name;
        let mut obstacles = Vec::new();
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
        if all.len() > TAGS_LIMIT {
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

    fn change(&mut self, name: &str, value: String, former: String) {
        self.names.push(name.to_owned());
        self.variables.0.insert(name.to_owned(), value);
        self.former.insert(format!("{}{name}", tags::FORMER), former);
    }
}

impl Step for Repoint<'_> {
    type State = Vec<FunctionUse>;

    fn id(&self) -> StepId {
        StepId::Repoint
    }

    fn subject(&self) -> String {
        let names: Vec<&str> = self.functions.iter().map(|found| found.function.name.as_str()).collect();
        if names.is_empty() { "no function".to_owned() } else { names.join(", ") }
    }

    fn doing(&self, change: &Change) -> String {
        match change {
            Change::Await(_) => format!("waiting for the functions' update ({})", self.subject()),
            _ => format!("pointing the functions at the proxy ({})", self.subject()),
        }
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Seen<Vec<FunctionUse>>> {
        self.look_again(cloud, &Seen::Present(self.functions.to_vec())).await
    }

    async fn look_again(&self, cloud: &Cloud, seen: &Seen<Vec<FunctionUse>>) -> Answer<Seen<Vec<FunctionUse>>> {
        let looks = seen.present().into_iter().flatten().map(|found| self.look(cloud, found)).collect();
        let now: Vec<Option<FunctionUse>> = crowd(looks).await.into_iter().collect::<Answer<_>>()?;
        Ok(Seen::Present(now.into_iter().flatten().collect()))
    }

    fn compare(&self, seen: &Seen<Vec<FunctionUse>>) -> Change {
        if self.functions.is_empty() {
            return Change::NotNeeded("no function uses the database".to_owned());
        }
        let functions = seen.present().map(Vec::as_slice).unwrap_or_default();
        for found in functions {
            if let Some(why) = &found.function.hidden {
                return Change::Conflict(vec![format!(
                    "AWS does not show the variables of {}: {why}",
                    found.function.name
                )]);
            }
        }
        let obstacles: Vec<String> = functions.iter().flat_map(|found| self.edit(found).obstacles(found)).collect();
        if !obstacles.is_empty() {
            return Change::Conflict(obstacles);
        }
        let pending = self.pending(seen);
        if !pending.is_empty() {
            return Change::Update(pending);
        }
        if let Some(found) = functions.iter().find(|found| !self.forgotten(found).is_empty()) {
            return Change::Update(vec![format!("{}: what it remembers", found.function.name)]);
        }
        let open =
            functions.iter().find(|found| found.function.update != Update::Successful && !found.variables.is_empty());
        match open.map(|found| (&found.function.update, &found.function.name)) {
            None => Change::None,
            Some((Update::Failed(why), name)) => Change::Conflict(vec![format!(
                "the update of {name} failed, so its former configuration is live: {why}"
            )]),
            Some((_, name)) => Change::Await(Wait { state: format!("{name} in progress"), usable: false, grace: None }),
        }
    }

    async fn apply(
        &self,
        cloud: &Cloud,
        _change: &Change,
        seen: Seen<Vec<FunctionUse>>,
    ) -> Answer<Seen<Vec<FunctionUse>>> {
        let found = seen.present().into_iter().flatten();
        let change = found.map(|found| self.change(cloud, found.clone())).collect();
        Ok(Seen::Present(crowd(change).await.into_iter().collect::<Answer<_>>()?))
    }

    fn again(&self, refusal: &Refusal) -> Option<Again> {
        matches!(refusal.kind, Kind::Stale | Kind::NotYet).then_some(Again {
            limit: self.patience.function,
            pace: Pace::Seconds,
            look: true,
        })
    }

    fn wait(&self) -> (Limit, Pace) {
        (self.patience.function, Pace::Seconds)
    }

    fn details(&self, _seen: &Seen<Vec<FunctionUse>>) -> Vec<String> {
        let mut details = Vec::new();
        for found in self.functions {
            details.push(format!("why: {}: {}", found.function.name, found.why()));
            let edit = self.edit(found);
            if let Some(tool) = found.owner().filter(|_| !edit.names.is_empty()) {
                details.push(tool.advice(&found.function.name, &edit.names));
            }
            let stay = found.holding(|kind| !kind.is_ours() && self.instead_of(kind).is_none());
            if !stay.is_empty() {
                details.push(format!(
                    "{}: {} stays, since it leads to readers or single members",
                    found.function.name,
                    stay.join(", ")
                ));
            }
        }
        details
    }
}
