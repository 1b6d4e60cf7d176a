//! Variables that step 13 leaves alone: those that a flag names, and those whose names ask for a direct connection.
//!
//! What migrates a schema needs session state that a pooling proxy does not keep, and so a connection of its own.
//! Common tools name the variable that holds it: Prisma's `DIRECT_URL` and `DIRECT_DATABASE_URL`, and
//! `SHADOW_DATABASE_URL` (<https://www.prisma.io/docs/postgres/database/connecting-to-your-database>,
//! <https://www.prisma.io/docs/orm/prisma-migrate/understanding-prisma-migrate/shadow-database>), Vercel's
//! `POSTGRES_URL_NON_POOLING` and Neon's `DATABASE_URL_UNPOOLED` and `PGHOST_UNPOOLED`
//! (<https://neon.com/docs/guides/vercel-managed-integration>).

use super::functions::FunctionUse;
use super::problem::{Problem, did_you_mean};
use super::selection;
use crate::cloud::lambda::Function;
use crate::cloud::{Tags, tags};
use crate::spec::{self, Spec, VariableName, Variables};

/// Why a variable stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// A flag says so, or an earlier run's.
    Asked,
    /// Its name asks for a direct connection.
    Name,
}

/// Whether a variable stays as it is, and why: what names one function goes before what names all.
#[must_use]
pub fn stays(wanted: &Variables, function: &str, variable: &str) -> Option<Why> {
    let names = |list: &[VariableName], of: Option<&str>| {
        list.iter().any(|name| name.variable == variable && name.function.as_deref() == of)
    };
    for of in [Some(function), None] {
        if names(&wanted.included, of) {
            return None;
        }
        if names(&wanted.excluded, of) {
            return Some(Why::Asked);
        }
    }
    asks_for_a_direct_connection(variable).then_some(Why::Name)
}

/// Whether a variable's name says that the connection must not be pooled.
#[must_use]
pub fn asks_for_a_direct_connection(variable: &str) -> bool {
    let name = format!("_{}", variable.to_ascii_uppercase());
    let ends =
        ["_DIRECT_URL", "_DIRECT_DATABASE_URL", "_SHADOW_DATABASE_URL", "_UNPOOLED", "_NON_POOLING", "_NON_POOLED"];
    ends.iter().any(|end| name.ends_with(end))
        || name.split('_').any(|word| word == "MIGRATION" || word == "MIGRATIONS")
}

impl FunctionUse {
    /// Sets apart the variables that stay.
    #[must_use]
    pub fn keeping(mut self, wanted: &Variables) -> Self {
        let function = self.function.name.as_str();
        let (stay, go) = self.variables.into_iter().partition(|held| stays(wanted, function, &held.name).is_some());
        (self.staying, self.variables) = (stay, go);
        self
    }

    /// What to say of the variables that stay, one sentence each.
    #[must_use]
    pub fn told_to_stay(&self, wanted: &Variables) -> Vec<String> {
        let function = &self.function.name;
        let one = |held: &super::functions::Holding| {
            let name = &held.name;
            let why = match stays(wanted, function, name)? {
                Why::Asked => "as --exclude-variable says".to_owned(),
                Why::Name => {
                    format!("since its name asks for a direct connection (to move it: --include-variable {name})")
                }
            };
            let at_proxy = held.mentions.iter().any(|mention| mention.kind.is_ours());
            let more =
                if at_proxy { "; it holds the proxy's endpoint: if that is wrong, change it yourself" } else { "" };
            Some(format!("{function}: {name} stays as it is, {why}{more}"))
        };
        self.staying.iter().filter_map(one).collect()
    }
}

/// Checks that this run's flags name what there is.
///
/// # Errors
/// When none of the functions that use the database has such a variable.
pub fn exist(asked: &Variables, functions: &[&Function]) -> Result<(), Problem> {
    let all = asked.excluded.iter().map(|name| ("--exclude-variable", name));
    for (flag, name) in all.chain(asked.included.iter().map(|name| ("--include-variable", name))) {
        let doing = format!("looking for the variable ({flag} {name})");
        let of: Vec<&&Function> = match &name.function {
            Some(wanted) => {
                let of: Vec<&&Function> = functions.iter().filter(|function| function.name == *wanted).collect();
                if of.is_empty() {
                    let names: Vec<String> = functions.iter().map(|function| function.name.clone()).collect();
                    return Err(Problem::unfit(
                        format!("{doing}: no function {wanted} uses the database"),
                        [did_you_mean("functions", wanted, &names)],
                    ));
                }
                of
            }
            None => functions.iter().collect(),
        };
        if !of.iter().any(|function| function.variables.0.contains_key(&name.variable)) {
            let mut names: Vec<String> = of.iter().flat_map(|function| function.variables.0.keys().cloned()).collect();
            names.sort();
            names.dedup();
            let what = if name.function.is_some() {
                "it has no such variable"
            } else {
                "no function that uses the database has it"
            };
            return Err(Problem::unfit(
                format!("{doing}: {what}"),
                [did_you_mean("variables", &name.variable, &names)],
            ));
        }
    }
    Ok(())
}

/// The tags that remember which variables were named; `None` where they do not fit.
#[must_use]
pub fn tags(wanted: &Variables) -> Option<Tags> {
    let texts = |names: &[VariableName]| -> Vec<String> { names.iter().map(ToString::to_string).collect() };
    let mut tags = selection::write(tags::EXCLUDED_VARIABLES, &texts(&wanted.excluded))?;
    tags.extend(selection::write(tags::INCLUDED_VARIABLES, &texts(&wanted.included))?);
    Some(tags)
}

/// What to say where they do not fit.
#[must_use]
pub fn unremembered(wanted: &Variables) -> Option<String> {
    tags(wanted).is_none().then(|| {
        let flags = flags(wanted).join(" ");
        format!("the variables do not fit the proxy's tags and are not remembered: repeat them with every up: {flags}")
    })
}

/// The flags that name the same again.
#[must_use]
pub fn flags(wanted: &Variables) -> Vec<String> {
    let excluded = wanted.excluded.iter().map(|name| format!("--exclude-variable {name}"));
    excluded.chain(wanted.included.iter().map(|name| format!("--include-variable {name}"))).collect()
}

/// Adds what earlier runs named, as far as today's flags do not say the contrary: a variable that must not move does so
/// only when a person says it.
///
/// # Errors
/// When a tag names what is no variable.
pub fn recall(spec: &mut Spec, tags: &Tags, proxy: &str) -> Result<(), Problem> {
    let read = |begin, flag| {
        let fits = |text: &str| spec::variable(flag, text).is_ok();
        let names = selection::read(tags, begin, proxy, &selection::Words { fits: &fits, what: "variable's name" })?;
        Ok::<Vec<VariableName>, Problem>(names.iter().filter_map(|text| spec::variable(flag, text).ok()).collect())
    };
    let excluded = read(tags::EXCLUDED_VARIABLES, "--exclude-variable")?;
    let included = read(tags::INCLUDED_VARIABLES, "--include-variable")?;
    let add = |now: &mut Vec<VariableName>, earlier: Vec<VariableName>, contrary: &[VariableName]| {
        let undone = |name: &VariableName| {
            contrary.iter().any(|no| no == name || (no.function.is_none() && no.variable == name.variable))
        };
        now.extend(earlier.into_iter().filter(|name| !undone(name)));
        now.sort();
        now.dedup();
    };
    let asked = spec.variables.clone();
    add(&mut spec.variables.excluded, excluded, &asked.included);
    add(&mut spec.variables.included, included, &asked.excluded);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(excluded: &[&str], included: &[&str]) -> Variables {
        let texts = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        spec::variables(&texts(excluded), &texts(included)).unwrap()
    }

    #[test]
    fn names_that_ask_for_a_direct_connection() {
        for name in [
            "DIRECT_URL",
            "DIRECT_DATABASE_URL",
            "ORDERS_DIRECT_URL",
            "MIGRATION_DATABASE_URL",
            "MIGRATIONS_HOST",
            "DB_MIGRATION_URL",
            "DATABASE_URL_UNPOOLED",
            "PGHOST_UNPOOLED",
            "POSTGRES_URL_NON_POOLING",
            "SHADOW_DATABASE_URL",
            "direct_url",
        ] {
            assert!(asks_for_a_direct_connection(name), "{name}");
        }
        for name in [
            "DB_HOST",
            "DATABASE_URL",
            "POSTGRES_PRISMA_URL",
            "REDIRECT_URL",
            "INDIRECT_URL",
            "IMMIGRATION_DB",
            "DIRECT_URL_2",
            "UNPOOLED_NOT",
            "",
        ] {
            assert!(!asks_for_a_direct_connection(name), "{name}");
        }
    }

    #[test]
    fn what_names_one_function_goes_first() {
        let wanted = named(&["DB_HOST", "a:URL"], &["DIRECT_URL", "a:DB_HOST"]);
        for (function, variable, stay) in [
            ("a", "DB_HOST", None),
            ("b", "DB_HOST", Some(Why::Asked)),
            ("a", "URL", Some(Why::Asked)),
            ("b", "URL", None),
            ("a", "DIRECT_URL", None),
            ("a", "SHADOW_DATABASE_URL", Some(Why::Name)),
            ("a", "OTHER", None),
        ] {
            assert_eq!(stays(&wanted, function, variable), stay, "{function}:{variable}");
        }
    }

    #[test]
    fn names_are_remembered_until_the_other_flag_names_them() {
        let memory = tags(&named(&["DB_HOST", "a:URL"], &["DIRECT_URL"])).unwrap();
        let with = |excluded: &[&str], included: &[&str]| {
            let database = spec::DatabaseRef::parse("main").unwrap();
            let mut spec = Spec::of(database.clone(), spec::stack(None, &database).unwrap());
            spec.variables = named(excluded, included);
            recall(&mut spec, &memory, "main-proxy").unwrap();
            spec.variables
        };
        assert_eq!(with(&[], &[]), named(&["DB_HOST", "a:URL"], &["DIRECT_URL"]));
        assert_eq!(with(&["X_URL"], &[]), named(&["DB_HOST", "X_URL", "a:URL"], &["DIRECT_URL"]));
        assert_eq!(with(&[], &["DB_HOST", "URL"]), named(&[], &["DB_HOST", "DIRECT_URL", "URL"]));
        assert_eq!(with(&["DIRECT_URL"], &[]), named(&["DB_HOST", "DIRECT_URL", "a:URL"], &[]));
        // For one function alone: what was remembered of all others stays.
        assert_eq!(with(&[], &["b:DB_HOST"]), named(&["DB_HOST", "a:URL"], &["DIRECT_URL", "b:DB_HOST"]));
    }
}
