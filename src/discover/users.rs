//! Who logs in as whom: the database users of the functions' variables, and those of the flags.
//!
//! Variables are written by the person who deploys a function, and a user's name becomes part of a policy's resource,
//! where `*`, `?` and `${…}` mean more than themselves
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>). So they are held to
//! the same rule as the flags, and never granted where they break it.

use std::collections::{BTreeMap, BTreeSet};

use super::auth::user_in;
use super::functions::FunctionUse;
use super::problem::Problem;
use crate::spec;

/// The database users, each with what names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Users(BTreeMap<String, BTreeSet<Source>>);

/// What names a database user.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// A function's variable.
    Variable {
        /// The function.
        function: String,
        /// The variable.
        variable: String,
    },
    /// `--db-user`, now or in an earlier run.
    Flag,
}

impl Users {
    /// The users of the functions' variables and of the flags.
    ///
    /// # Errors
    /// When a variable names a user that no flag may name.
    pub(super) fn of(functions: &[FunctionUse], named: &[String]) -> Result<Self, Problem> {
        let mut users = Self::default();
        for user in named {
            users.0.entry(user.clone()).or_default().insert(Source::Flag);
        }
        for found in functions {
            let Some((user, variable)) = user_in(found) else { continue };
            let function = &found.function.name;
            if let Err(problem) = spec::usable_user(user) {
                return Err(Problem::unfit(
                    format!(
                        "reading the function's database user ({function}): {variable} holds {user:?}, which is not usable: {problem}"
                    ),
                    [
                        "A user's name becomes part of the policy that lets functions connect, so such a name is never granted.".to_owned(),
                        format!("Correct the variable, or leave the function out: --exclude-function {function}."),
                    ],
                ));
            }
            let source = Source::Variable { function: function.clone(), variable: variable.to_owned() };
            users.0.entry(user.to_owned()).or_default().insert(source);
        }
        Ok(users)
    }

    /// Their names, in order.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// The functions whose variables name a user.
    #[must_use]
    pub fn functions(&self, user: &str) -> Vec<&str> {
        fn function(source: &Source) -> Option<&str> {
            match source {
                Source::Variable { function, .. } => Some(function),
                Source::Flag => None,
            }
        }
        self.0.get(user).into_iter().flatten().filter_map(function).collect()
    }

    /// Whether a function's variable names a user.
    #[must_use]
    pub fn in_variables(&self, user: &str) -> bool {
        !self.functions(user).is_empty()
    }

    /// Who logs in as a user, as a clause.
    #[must_use]
    pub fn clause(&self, user: &str) -> String {
        let told: Vec<String> = self.0.get(user).into_iter().flatten().filter_map(Source::function).collect();
        match told.as_slice() {
            [] => format!("--db-user names {user}"),
            [one] => format!("{one} logs in as {user}"),
            [first @ .., last] => format!("{} and {last} log in as {user}", first.join(", ")),
        }
    }
}

impl Source {
    /// The function with its variable.
    fn function(&self) -> Option<String> {
        match self {
            Self::Variable { function, variable } => Some(format!("{function} ({variable})")),
            Self::Flag => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::functions::example::using;

    #[test]
    fn a_user_of_a_variable_is_held_to_the_rule_of_flags() {
        for bad in [
            "*",
            "app*",
            "a?p",
            "${aws:username}",
            "a/b",
            "a,b",
            "a b",
            "a\tb",
            "a\u{202e}b",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{ad}b",
        ] {
            let found = using("f", &[("DB_HOST", "{}"), ("DB_USER", bad)]);
            let refused = Users::of(&[found], &[]).unwrap_err().to_string();
            assert!(refused.contains("(f): DB_USER"), "{bad:?}: {refused}");
            assert!(!refused.chars().any(|c| c.is_control() || c == '\u{202e}'), "{refused:?}");
        }
        for good in ["app", "o'neil", "a&b", "odd$", "first.last@example.com", "billing-1_x"] {
            let found = using("f", &[("DB_HOST", "{}"), ("DB_USER", good)]);
            assert_eq!(Users::of(&[found], &[]).unwrap().names(), [good]);
        }
    }

    #[test]
    fn flags_add_to_the_variables() {
        let found = using("f", &[("DB_HOST", "{}"), ("DB_USER", "app")]);
        let users = Users::of(&[found], &["reports".to_owned()]).unwrap();
        assert_eq!(users.names(), ["app", "reports"]);
        assert_eq!(users.clause("app"), "f (DB_USER) logs in as app");
        assert_eq!(users.clause("reports"), "--db-user names reports");
    }
}
