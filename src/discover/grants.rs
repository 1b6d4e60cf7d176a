//! As whom each function may log in with IAM tokens: what the connect policy names.
//!
//! A `*` in a user's place allows every user of the database, the administrator among them
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.IAMPolicy.html>). So one is written
//! where `--db-user '*'` asks for it, and nowhere else: where nobody can be named, a person must.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::auth::{Login, user_of};
use super::database::Database;
use super::functions::FunctionUse;
use super::problem::Problem;
use super::secrets::Secrets;
use crate::names::{last_of_path, secret_of};
use crate::spec::{ANY_USER, Spec, usable_user};

/// The database users that are granted: by flags, and by what each function uses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    /// Those of the flags, for all of them; `*` alone where any user was asked for.
    flagged: BTreeSet<String>,
    /// Those of each function's role, by the role's ARN.
    roles: BTreeMap<String, BTreeSet<String>>,
}

impl Grants {
    /// What the functions use, the flags ask for, or the only secret is for.
    ///
    /// # Errors
    /// When functions log in with tokens and nothing names a user of theirs; or when the proxy itself does, and nothing
    /// names a user of anyone's.
    pub fn of(
        spec: &Spec,
        login: &Login,
        functions: &[FunctionUse],
        secrets: &Secrets,
        database: &Database,
        in_force: &[String],
    ) -> Result<Self, Problem> {
        if !login.iam {
            return Ok(Self::default());
        }
        if spec.any_user {
            let any = BTreeSet::from([ANY_USER.to_owned()]);
            let roles = functions.iter().map(|found| (found.function.role.clone(), any.clone())).collect();
            return Ok(Self { flagged: any, roles });
        }
        let flagged: BTreeSet<String> = spec.db_users.iter().cloned().collect();
        // Flags that no variable repeats say nothing about whose users they are.
        let anyones: BTreeSet<&String> = flagged.iter().filter(|user| !login.logins.in_variables(user)).collect();
        let (mut roles, mut open) = (BTreeMap::<String, BTreeSet<String>>::new(), Vec::new());
        for found in functions {
            let users = roles.entry(found.function.role.clone()).or_default();
            match (user_of(found), of_only_secret(spec, secrets, database)) {
                (Some(user), _) => {
                    users.insert(user);
                    users.extend(anyones.iter().map(|&user| user.clone()));
                }
                (None, _) if !flagged.is_empty() => users.extend(flagged.iter().cloned()),
                (None, Some(user)) => {
                    users.insert(user);
                }
                (None, None) => open.push(found.function.name.as_str()),
            }
        }
        if !open.is_empty() {
            return Err(unnamed(&open, spec, secrets));
        }
        if login.end_to_end && functions.is_empty() && flagged.is_empty() && in_force.is_empty() {
            return Err(Problem::unfit(
                "choosing the database users of the proxy's role: no function uses the database, and nothing else names a user",
                ["Name whom the proxy logs in as at the database: --db-user NAME, once for each."],
            ));
        }
        Ok(Self { flagged, roles })
    }

    /// The users of a function's role, in order.
    #[must_use]
    pub fn of_role(&self, role: &str) -> Vec<String> {
        self.roles.get(role).into_iter().flatten().cloned().collect()
    }

    /// The sets of users, in order, each with the names of the roles that are to have it.
    #[must_use]
    pub fn sets(&self) -> Vec<(Vec<String>, BTreeSet<String>)> {
        let mut sets = BTreeMap::<Vec<String>, BTreeSet<String>>::new();
        for (role, users) in &self.roles {
            let name = last_of_path(role).to_owned();
            sets.entry(users.iter().cloned().collect()).or_default().insert(name);
        }
        sets.into_iter().collect()
    }

    /// All users that are granted, in order; `*` alone where any user was asked for.
    #[must_use]
    pub fn users(&self) -> Vec<String> {
        let all: BTreeSet<&String> = self.flagged.iter().chain(self.roles.values().flatten()).collect();
        all.into_iter().cloned().collect()
    }

    /// Whether any user was asked for.
    #[must_use]
    pub fn any(&self) -> bool {
        self.flagged.contains(ANY_USER)
    }

    /// What a person should know of them.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.any().then(|| {
            "--db-user '*' lets the role of every function log in as every database user that the proxy can log in as, the master user among them where the proxy has its secret; users that come later too.".to_owned()
        })
    }
}

/// The user of the only secret that the proxy has, as far as more than a tag says so: anyone who may tag the secret
/// writes tags (`secretsmanager:TagResource`).
fn of_only_secret(spec: &Spec, secrets: &Secrets, database: &Database) -> Option<String> {
    let [only] = secrets.found.as_slice() else { return None };
    let user = only.user.as_ref().filter(|_| secrets.planned.is_empty())?;
    let managed = database.master_secret.as_ref().is_some_and(|managed| managed.arn == only.arn);
    let ours = only.name == secret_of(&spec.stack, user);
    (usable_user(user).is_ok() && (managed || ours || spec.inspect_secret)).then(|| user.clone())
}

/// Nothing says as whom these functions log in.
fn unnamed(open: &[&str], spec: &Spec, secrets: &Secrets) -> Problem {
    const SHOWN: usize = 5;
    let (verb, it) = if open.len() == 1 { ("logs", "it") } else { ("log", "they") };
    let names = match open.get(..SHOWN) {
        Some(first) if open.len() > SHOWN => format!("{} and {} more", first.join(", "), open.len() - SHOWN),
        _ => open.join(", "),
    };
    let mut hints = vec![format!(
        "A right to connect names the user, and no variable names the user that {it} {verb} in as: --db-user NAME, once for each user."
    )];
    if let ([only], false) = (secrets.found.as_slice(), spec.inspect_secret) {
        hints.push(format!("Or let the user be read once in the secret {}: --inspect-secret.", only.name));
    }
    let flags: Vec<String> = open.iter().take(SHOWN).map(|name| format!("--exclude-function {name}")).collect();
    hints.push(format!("Or leave out: {}.", flags.join(" ")));
    Problem::unfit(
        format!("choosing the database users of the connect policy: nothing shows as whom {names} {verb} in"),
        hints,
    )
}

/// The users that a policy document names on a resource id, `*` among them where it names any.
#[must_use]
pub fn users_in(document: &Value, resource_id: &str) -> Vec<String> {
    let part = format!(":dbuser:{resource_id}/");
    let resources = document["Statement"][0]["Resource"].as_array().into_iter().flatten();
    let user = |resource: &Value| resource.as_str()?.split_once(&part).map(|(_, user)| user.to_owned());
    let users: BTreeSet<String> = resources.filter_map(user).collect();
    users.into_iter().collect()
}

/// The users of a document that holds the right to connect and nothing else, whatever proxies it names.
#[must_use]
pub fn users_of(document: &Value) -> Option<Vec<String>> {
    let [statement] = document["Statement"].as_array()?.as_slice() else { return None };
    let plain = statement["Effect"] == "Allow"
        && statement["Action"] == "rds-db:connect"
        && ["Condition", "NotResource", "NotAction"].iter().all(|key| statement.get(key).is_none());
    let user = |resource: &Value| {
        let (_, name) = resource.as_str()?.split_once(":dbuser:")?;
        name.split_once('/').map(|(_, user)| user.to_owned())
    };
    let users: Option<BTreeSet<String>> = statement["Resource"].as_array()?.iter().map(user).collect();
    users.filter(|_| plain).map(|users| users.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{users_in, users_of};

    #[test]
    fn users_are_read_from_a_document_of_ours() {
        let arn = |id: &str, user: &str| format!("arn:aws:rds-db:eu-west-1:1:dbuser:{id}/{user}");
        let document = json!({"Statement": [{"Resource": [arn("prx-1", "b"), arn("prx-1", "a"), arn("prx-2", "c")]}]});
        assert_eq!(users_in(&document, "prx-1"), ["a", "b"]);
        assert_eq!(users_in(&json!({"Statement": [{"Resource": [arn("prx-1", "*")]}]}), "prx-1"), ["*"]);
        assert!(users_in(&json!(null), "prx-1").is_empty());
        let plain = |more: serde_json::Value| {
            let mut statement = json!({"Effect": "Allow", "Action": "rds-db:connect", "Resource": [arn("prx-2", "a")]});
            statement.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            users_of(&json!({"Statement": [statement]}))
        };
        assert_eq!(plain(json!({})), Some(vec!["a".to_owned()]));
        for more in
            [json!({"Effect": "Deny"}), json!({"Condition": {}}), json!({"Resource": ["*"]}), json!({"Action": "*"})]
        {
            assert_eq!(plain(more), None);
        }
    }
}
