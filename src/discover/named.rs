//! Secrets that functions' variables name, and what shows that they are this database's.
//!
//! Anyone who may write a function's variables may name any secret there, so a name alone does not make the proxy read
//! it.

use super::auth::{refers_to_secret, user_in};
use super::database::Database;
use super::functions::FunctionUse;
use super::problem::Problem;
use crate::catalogue::checks::CheckId;
use crate::cloud::secrets::Secret;
use crate::cloud::tags;
use crate::spec::Spec;

/// A secret that a function's variable names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// Its name or ARN.
    pub(super) id: String,
    function: String,
    variable: String,
    /// Whether nothing else says as whom the function logs in.
    pub(super) alone: bool,
}

/// What shows that a secret is this database's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// RDS manages it for the database's master user.
    Managed,
    /// Its tags say so.
    Tag,
    /// Its value names the database.
    Value,
}

impl Proof {
    /// Why the secret was chosen, for the plan.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Managed => "the master user's secret, managed by RDS",
            Self::Tag => "a function's variable names it, and its tag says that it is for this database",
            Self::Value => "a function's variable names it, and its value names this database",
        }
    }
}

/// Secrets that the functions' variables name: ARNs anywhere, names in variables that say so. Each once.
pub(super) fn referred(functions: &[FunctionUse]) -> Vec<Named> {
    let mut found: Vec<Named> = Vec::new();
    for using in functions {
        let alone = user_in(using).is_none();
        for (name, value) in using.function.variables.0.iter().filter(|(name, value)| refers_to_secret(name, value)) {
            match found.iter_mut().find(|have| have.id == *value) {
                Some(have) => have.alone |= alone,
                None => found.push(Named {
                    id: value.clone(),
                    function: using.function.name.clone(),
                    variable: name.clone(),
                    alone,
                }),
            }
        }
    }
    found.sort_by(|a, b| a.id.cmp(&b.id));
    found
}

impl Named {
    /// Whether it is one of these.
    pub(super) fn is_among(&self, found: &[Secret]) -> bool {
        found.iter().any(|secret| secret.arn == self.id || secret.name == self.id)
    }

    /// Why it is not used.
    pub(super) fn unproven(&self, database: &Database, spec: &Spec) -> Problem {
        let (id, of) = (&self.id, &database.id);
        let clause = format!("{} names the secret {id} in {}", self.function, self.variable);
        let mut hints = vec![
            "Anyone who may write a function's variables can name any secret there, so a name alone does not let the proxy read it.".to_owned(),
            format!("If it is the right one, name it yourself: --secret {id}."),
        ];
        let why = if spec.inspect_secret {
            "neither its tags nor its value show that it is for"
        } else {
            hints.push("Or let its value be read once: --inspect-secret accepts it where host or dbInstanceIdentifier in it name this database.".to_owned());
            "nothing shows that it is for"
        };
        hints.push(format!(
            "Or tag it: aws secretsmanager tag-resource --secret-id {id} --tags Key={},Value={of}",
            tags::DATABASE
        ));
        Problem::unfit(format!("choosing the secrets: {clause}, and {why} {of}"), hints).known(CheckId::SecretUnproven)
    }

    /// That the proxy does not get it.
    pub(super) fn left_out(&self) -> String {
        format!(
            "{} names the secret {} in {}, and the proxy does not get it: whom it is for cannot log in at the proxy.",
            self.function, self.id, self.variable
        )
    }
}
