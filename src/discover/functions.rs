//! Which functions use the database, and through which variables.

use super::hosts::{HostKind, KnownHost, Mention, mentions};
use super::problem::{Problem, did_you_mean};
use crate::cloud::lambda::Function;
use crate::cloud::{Answer, Cloud};

/// A function that uses the database, and why we think so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionUse {
    /// The function.
    pub function: Function,
    /// The variables that hold a host of the database or the proxy, in order of name.
    pub variables: Vec<Holding>,
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
}

impl FunctionUse {
    /// Looks for known hosts in a function's variables.
    #[must_use]
    pub fn of(function: Function, known: &[KnownHost], named: bool) -> Self {
        let variables = function
            .variables
            .0
            .iter()
            .map(|(name, value)| Holding { name: name.clone(), mentions: mentions(value, known) })
            .filter(|holding| !holding.mentions.is_empty())
            .collect();
        Self { function, variables, named }
    }

    /// The role's name, out of its ARN.
    #[must_use]
    pub fn role_name(&self) -> &str {
        self.function.role.rsplit('/').next().unwrap_or_default()
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

    /// Why it was chosen, for the plan.
    #[must_use]
    pub fn why(&self) -> String {
        let database = self.holding(|kind| kind != HostKind::Proxy);
        let proxy = self.holding(|kind| kind == HostKind::Proxy);
        match (database.is_empty(), proxy.is_empty(), self.named) {
            (false, _, _) => format!("{} holds the database's endpoint", database.join(", ")),
            (true, false, _) => format!("{} holds the proxy's endpoint", proxy.join(", ")),
            (true, true, true) => "named with --function; no variable holds the database's endpoint".to_owned(),
            (true, true, false) => "no variable holds the database's endpoint".to_owned(),
        }
    }
}

/// Reads the functions: those named, or all of the region.
///
/// # Errors
/// When AWS refuses.
pub async fn read(cloud: &Cloud, named: &[String]) -> Answer<Vec<(String, Option<Function>)>> {
    if named.is_empty() {
        let all = cloud.lambda.list().await?;
        return Ok(all.into_iter().map(|function| (function.name.clone(), Some(function))).collect());
    }
    let mut read = Vec::new();
    for name in named {
        read.push((name.clone(), cloud.lambda.get(name).await?));
    }
    Ok(read)
}

/// Keeps the functions that use the database, and checks that they can use a proxy in its VPC.
///
/// # Errors
/// When a function does not exist, is not in the database's VPC, or hides its variables.
pub async fn choose(
    cloud: &Cloud,
    read: Vec<(String, Option<Function>)>,
    named: &[String],
    known: &[KnownHost],
    vpc: &str,
) -> Result<Vec<FunctionUse>, Problem> {
    let mut chosen = Vec::new();
    for (name, function) in read {
        let Some(function) = function else {
            let names: Vec<String> =
                cloud.lambda.list().await.unwrap_or_default().into_iter().map(|found| found.name).collect();
            return Err(Problem::unfit(
                format!("finding the function ({name}): there is none of this name in {}", cloud.region),
                [did_you_mean("functions", &name, &names)],
            ));
        };
        let found = FunctionUse::of(function, known, !named.is_empty());
        if found.named || !found.variables.is_empty() {
            check(&found, vpc)?;
            chosen.push(found);
        }
    }
    chosen.sort_by(|a, b| a.function.name.cmp(&b.function.name));
    chosen.dedup_by(|a, b| a.function.name == b.function.name);
    Ok(chosen)
}

fn check(found: &FunctionUse, vpc: &str) -> Result<(), Problem> {
    let name = &found.function.name;
    if let Some(why) = &found.function.hidden {
        return Err(Problem::unfit(
            format!("reading the function's variables ({name}): AWS does not show them: {why}"),
            [
                "Writing without reading would wipe them, so nothing is changed. Allow kms:Decrypt on the function's key to these credentials.".to_owned(),
                "Or leave it out by naming the others with --function.".to_owned(),
            ],
        ));
    }
    match &found.function.vpc {
        Some(own) if own == vpc => Ok(()),
        Some(own) => Err(Problem::unfit(
            format!("checking the function ({name}): it is in {own}, the database in {vpc}"),
            [format!(
                "A proxy is reached from its own VPC. Attach the function to {vpc}, or leave it out by naming the others with --function."
            )],
        )),
        None => Err(Problem::unfit(
            format!("checking the function ({name}): it is in no VPC, and a proxy is never public"),
            [format!(
                "Attach the function to private subnets of {vpc}, or leave it out by naming the others with --function."
            )],
        )),
    }
}
