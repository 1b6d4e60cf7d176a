//! Which functions use the database, and through which variables.

use crate::names::last_of_path;
use std::collections::BTreeMap;
use std::fmt;

use super::direct;
use super::hidden::{self, Hidden};
use super::hosts::{self, HostKind, KnownHost, Mention, decoded, mentions};
use super::owner::OtherTool;
use super::problem::{Problem, did_you_mean};
use crate::catalogue::checks::CheckId;
use crate::cloud::lambda::{Function, Listed, Update, Version};
use crate::cloud::secrets::Secret;
use crate::cloud::{Answer, Cloud};
use crate::engine::crowd;
use crate::spec::Variables;

/// A function that uses the database, and why we think so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUse {
    /// The function.
    pub function: Function,
    /// The variables that hold a host of the database or the proxy, in order of name.
    pub variables: Vec<Holding>,
    /// Those that hold one and stay as they are.
    pub staying: Vec<Holding>,
    /// Whether the user named it.
    pub named: bool,
}

/// A variable that holds known hosts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The variable.
    pub name: String,
    /// Where in its value, and what they lead to.
    pub mentions: Vec<Mention>,
    /// What its value says where it is percent-encoded.
    decoded: Option<Decoded>,
}

/// The text of a percent-encoded value, which is never shown.
#[derive(Clone, PartialEq, Eq)]
struct Decoded {
    text: String,
    mentions: Vec<Mention>,
}

impl fmt::Debug for Decoded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded").field("mentions", &self.mentions).finish_non_exhaustive()
    }
}

impl Holding {
    fn of(name: &str, value: &str, known: &[KnownHost]) -> Self {
        let mentions = mentions(value, known);
        let decoded = mentions.first().and_then(|first| decoded(value, first));
        let decoded = decoded.map(|text| Decoded { mentions: hosts::mentions(&text, known), text });
        Self { name: name.to_owned(), mentions, decoded }
    }
}

impl FunctionUse {
    /// Looks for known hosts in a function's variables.
    #[must_use]
    pub fn of(function: Function, known: &[KnownHost], named: bool) -> Self {
        let variables = function
            .variables
            .0
            .iter()
            .map(|(name, value)| Holding::of(name, value, known))
            .filter(|holding| !holding.mentions.is_empty())
            .collect();
        Self { function, variables, staying: Vec::new(), named }
    }

    /// As if no variable stayed.
    fn unset(mut self) -> Self {
        self.variables.append(&mut self.staying);
        self
    }

    /// What a variable says, decoded where it is percent-encoded, and where its first host stands in that.
    pub(super) fn text<'a>(&'a self, holding: &'a Holding) -> Option<(&'a str, &'a Mention)> {
        match &holding.decoded {
            Some(decoded) => Some((&decoded.text, decoded.mentions.first()?)),
            None => Some((self.function.variables.0.get(&holding.name)?, holding.mentions.first()?)),
        }
    }

    /// The other tool that owns it, where its tags were read and name it.
    #[must_use]
    pub fn owner(&self) -> Option<OtherTool> {
        self.function.tags.as_ref().and_then(OtherTool::of)
    }

    /// The role's name, out of its ARN.
    #[must_use]
    pub fn role_name(&self) -> &str {
        last_of_path(&self.function.role)
    }

    /// The variables that hold a host of one of these kinds.
    #[must_use]
    pub fn holding(&self, wanted: impl Fn(HostKind) -> bool) -> Vec<&str> {
        self.variables
            .iter()
            .filter(|holding| holding.mentions.iter().any(|mention| wanted(mention.kind)))
            .map(|holding| holding.name.as_str())
            .collect()
    }

    /// What to say of a function that was named and holds no host of the database or the proxy.
    #[must_use]
    pub fn nothing_to_move(&self) -> String {
        format!(
            "No variable of {} holds a host of the database, so step 13 changes nothing in it: it gets access to the proxy \
             alone. If it reads the host elsewhere (a secret, a parameter, its code), change it there to the proxy's endpoint.",
            self.function.name
        )
    }

    /// Why it was chosen, for the plan.
    #[must_use]
    pub fn why(&self) -> String {
        let database = self.holding(|kind| !kind.is_ours() && !kind.is_dead());
        let proxy = self.holding(HostKind::is_ours);
        let dead = self.holding(HostKind::is_dead);
        if !dead.is_empty() {
            return format!("{} holds the endpoint of a proxy that does not exist", dead.join(", "));
        }
        match (database.is_empty(), proxy.is_empty(), self.named) {
            (false, _, _) => format!("{} holds the database's endpoint", database.join(", ")),
            (true, false, _) => format!("{} holds the proxy's endpoint", proxy.join(", ")),
            (true, true, true) => "named with --function; no variable holds the database's endpoint".to_owned(),
            (true, true, false) => "no variable holds the database's endpoint".to_owned(),
        }
    }
}

/// The functions by name, `None` for those that do not exist.
pub type ByName = Vec<(String, Option<Function>)>;

/// The functions, and what each has published where that came along.
pub type Read = (ByName, Option<BTreeMap<String, Vec<Version>>>);

/// Reads the functions: those named, or all of the region.
///
/// # Errors
/// When AWS refuses.
pub async fn read(cloud: &Cloud, named: &[String]) -> Answer<Read> {
    if named.is_empty() {
        let Listed { functions, versions } = cloud.lambda.list_with_versions().await?;
        return Ok((functions.into_iter().map(|found| (found.name.clone(), Some(found))).collect(), versions));
    }
    let reads = named.iter().map(async |name| Ok((name.clone(), cloud.lambda.get(name).await?))).collect();
    Ok((crowd(reads).await.into_iter().collect::<Answer<_>>()?, None))
}

/// Whom the user named, and whom to leave out.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// `--function`.
    pub named: &'a [String],
    /// `--exclude-function`, or an earlier run's.
    pub excluded: &'a [String],
    /// What an earlier run was limited to; empty: nothing.
    pub limited_to: &'a [String],
    /// The exclusions of this run's own flags: these functions must exist.
    pub excluded_now: &'a [String],
    /// The variables that stay, and those that do not.
    pub variables: &'a Variables,
    /// What this run's own flags say of variables: they must exist.
    pub variables_now: &'a Variables,
}

/// The functions that use the database.
#[derive(Debug, Clone, Default)]
pub struct Chosen {
    /// They.
    pub functions: Vec<FunctionUse>,
    /// What a person should know about others, one sentence each.
    pub warnings: Vec<String>,
    /// The other functions of the database's VPC.
    pub others: Vec<Function>,
    /// Variables that hold a host of the database in a form that is not changed.
    pub hidden: Vec<Hidden>,
}

impl Chosen {
    /// What to say of functions that hold no host of the database, and name one of these secrets or a parameter of
    /// Systems Manager for one: they may read the host there.
    #[must_use]
    pub fn indirect(others: &[Function], secrets: &[Secret]) -> Vec<String> {
        let mut warnings = Vec::new();
        for function in others {
            let names = |secret: &&Secret| {
                function.variables.0.values().any(|value| *value == secret.arn || *value == secret.name)
            };
            if let Some(secret) = secrets.iter().find(names) {
                warnings.push(format!(
                    "{} names the secret {}, but no variable of it holds a host of the database. If it reads the host there, \
                     step 13 cannot point it at the proxy. Do not change the host in the secret: its rotation connects to \
                     that host, and must not go through the proxy. Give the function the proxy's host in a variable, a \
                     parameter, or a second secret for clients, and name it with --function, so that it may connect.",
                    function.name, secret.name
                ));
            } else if let Some((variable, parameter)) =
                function.variables.0.iter().find(|(name, value)| is_parameter(name, value))
            {
                warnings.push(format!(
                    "{} names the parameter {parameter} in {variable}, and no variable of it holds a host of the database. \
                     Parameters are not followed: if this one holds the host, change it there to the proxy's endpoint once the \
                     target is available, and name the function with --function, so that it may connect.",
                    function.name
                ));
            }
        }
        warnings
    }
}

/// Whether a variable names a parameter of Systems Manager that may hold a database's host.
pub(super) fn is_parameter(name: &str, value: &str) -> bool {
    const DATABASE: [&str; 7] = ["DB", "DATABASE", "RDS", "MYSQL", "POSTGRES", "PG", "AURORA"];
    const HOST: [&str; 6] = ["HOST", "ENDPOINT", "URL", "DSN", "SERVER", "CONNECTION"];
    let about = |words: &[&str]| {
        let text = format!("{name}/{value}").to_ascii_uppercase();
        words.iter().any(|word| text.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| part == *word))
    };
    let named = value.starts_with("arn:") && value.contains(":ssm:") && value.contains(":parameter/");
    let pathlike = value.starts_with('/') && value[1..].contains('/') && !value.contains([' ', ':', '.']);
    (named || pathlike) && about(&DATABASE) && about(&HOST)
}

/// Keeps the functions that use the database, and checks that they can use a proxy in its VPC.
///
/// # Errors
/// When a function does not exist, is not in the database's VPC, or hides its variables.
pub async fn choose(
    cloud: &Cloud,
    read: Vec<(String, Option<Function>)>,
    wanted: Wanted<'_>,
    known: &[KnownHost],
    vpc: &str,
) -> Result<Chosen, Problem> {
    let mut chosen = Vec::new();
    let (mut warnings, mut others, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    let (mut hidden, mut only_staying) = (Vec::new(), Vec::new());
    let all: Vec<String> = read.iter().map(|(name, _)| name.clone()).collect();
    if let Some(unknown) = wanted.excluded_now.iter().find(|name| wanted.named.is_empty() && !all.contains(name)) {
        return Err(Problem::unfit(
            format!("leaving out the function ({unknown}): there is none of this name in {}", cloud.region),
            [did_you_mean("functions", unknown, &all)],
        ));
    }
    for (name, function) in read {
        let Some(function) = function else {
            let names: Vec<String> =
                cloud.lambda.list().await.unwrap_or_default().into_iter().map(|found| found.name).collect();
            return Err(Problem::unfit(
                format!("finding the function ({name}): there is none of this name in {}", cloud.region),
                [did_you_mean("functions", &name, &names)],
            ));
        };
        let outside = !wanted.limited_to.is_empty() && !wanted.limited_to.contains(&name);
        if outside || wanted.excluded.contains(&name) {
            let by_flag = wanted.excluded_now.contains(&name);
            if !by_flag && !FunctionUse::of(function, known, false).keeping(wanted.variables).variables.is_empty() {
                left_out.push(name);
            }
            continue;
        }
        hidden.extend(hidden::of(&function, known));
        let found = FunctionUse::of(function, known, !wanted.named.is_empty()).keeping(wanted.variables);
        if found.named || !found.variables.is_empty() {
            check(&found, vpc)?;
            chosen.push(found);
        } else if found.function.hidden.is_some() && found.function.vpc.as_deref() == Some(vpc) {
            warnings.push(format!(
                "AWS does not show the variables of {name} (it is encrypted with a key that these credentials may not use), \
                 so whether it uses the database is not known; it stays as it is."
            ));
        } else if !found.staying.is_empty() {
            warnings.extend(found.told_to_stay(wanted.variables));
            only_staying.push(found);
        } else if found.function.vpc.as_deref() == Some(vpc) {
            others.push(found.function);
        }
    }
    let using: Vec<&Function> = chosen.iter().chain(&only_staying).map(|found| &found.function).collect();
    direct::exist(wanted.variables_now, &using)?;
    // Unless this run's flags or the names say so, too.
    let remembered =
        |found: &&FunctionUse| !(*found).clone().unset().keeping(wanted.variables_now).variables.is_empty();
    left_out.extend(only_staying.iter().filter(remembered).map(|found| found.function.name.clone()));
    if chosen.is_empty() && !left_out.is_empty() {
        // Without any function the connect policy would name no user, and so let in all of them: no tag may bring that
        // about.
        return Err(Problem::unfit(
            format!(
                "choosing the functions: what the proxy remembers leaves none, although {} use the database",
                left_out.join(", ")
            ),
            ["Select functions again with up: --function NAME, or --all-functions."],
        ));
    }
    warnings.extend(remembered_choice(&mut left_out));
    chosen.sort_by(|a, b| a.function.name.cmp(&b.function.name));
    chosen.dedup_by(|a, b| a.function.name == b.function.name);
    Ok(Chosen { functions: chosen, warnings, others, hidden })
}

/// What to say of functions that use the database, and that only an earlier run's flags leave out.
fn remembered_choice(left_out: &mut [String]) -> Option<String> {
    const SHOWN: usize = 5;
    left_out.sort();
    let more = left_out.len().saturating_sub(SHOWN);
    let shown: Vec<&str> = left_out.iter().take(SHOWN).map(String::as_str).collect();
    let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
    (!shown.is_empty()).then(|| {
        format!(
            "{}{rest}: left out, as an earlier --function or --exclude-function said, which the proxy remembers; \
             --all-functions chooses among all again.",
            shown.join(", ")
        )
    })
}

/// Reads what lists do not show of functions: tags, and where their last update stands.
///
/// # Errors
/// When AWS refuses.
pub async fn details(
    cloud: &Cloud,
    found: Vec<FunctionUse>,
    known: &[KnownHost],
    wanted: &Variables,
) -> Answer<Vec<FunctionUse>> {
    let reads = found.into_iter().map(async |found| {
        if found.function.update != Update::Unknown {
            return Ok(Some(found));
        }
        let function = cloud.lambda.get(&found.function.name).await?;
        // One that was deleted since it was listed needs no proxy.
        Ok(function.map(|function| FunctionUse::of(function, known, found.named).keeping(wanted)))
    });
    let read: Answer<Vec<Option<FunctionUse>>> = crowd(reads.collect()).await.into_iter().collect();
    Ok(read?.into_iter().flatten().collect())
}

fn check(found: &FunctionUse, vpc: &str) -> Result<(), Problem> {
    let name = &found.function.name;
    if let Some(why) = &found.function.hidden {
        return Err(Problem::unfit(
            format!("reading the function's variables ({name}): AWS does not show them: {why}"),
            [
                "Writing without reading would wipe them, so nothing is changed. Allow kms:Decrypt on the function's key to these credentials (permissions --with encrypted-variables).".to_owned(),
                format!("Or leave it out: --exclude-function {name}."),
            ],
        ).known(CheckId::HiddenVariables));
    }
    match &found.function.vpc {
        Some(own) if own == vpc => Ok(()),
        Some(own) => Err(Problem::unfit(
            format!("checking the function ({name}): it is in {own}, the database in {vpc}"),
            [format!(
                "A proxy is reached from its own VPC. Attach the function to {vpc}, or leave it out: --exclude-function {name}."
            )],
        ).known(CheckId::OtherVpc)),
        None => Err(Problem::unfit(
            format!("checking the function ({name}): it is in no VPC, and a proxy is never public"),
            [format!(
                "Attach the function to private subnets of {vpc}, or leave it out: --exclude-function {name}."
            )],
        ).known(CheckId::NoVpc)),
    }
}

#[cfg(test)]
pub(super) mod example {
    //! A function that uses a database, for the tests of those who judge it by its variables.

    use super::FunctionUse;
    use crate::cloud::lambda::{Function, State, Update, Variables};
    use crate::discover::hosts::{HostKind, KnownHost};

    /// The database's host.
    pub(in crate::discover) const HOST: &str = "main.abc.eu-west-1.rds.amazonaws.com";

    /// With these variables; `{}` stands for the host.
    pub(in crate::discover) fn using(name: &str, variables: &[(&str, &str)]) -> FunctionUse {
        let known = [KnownHost { name: HOST.to_owned(), kind: HostKind::Writer }];
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), value.replace("{}", HOST))).collect();
        let function = Function {
            name: name.to_owned(),
            arn: String::new(),
            role: String::new(),
            vpc: None,
            subnets: Vec::new(),
            security_groups: Vec::new(),
            ipv6: false,
            per_environment: None,
            timeout: None,
            memory_mib: None,
            arm: false,
            log_group: None,
            state: State::Active,
            variables: Variables(variables),
            hidden: None,
            revision: None,
            update: Update::Unknown,
            kms_key: None,
            tags: None,
            unread_tags: None,
        };
        FunctionUse::of(function, &known, false)
    }
}
