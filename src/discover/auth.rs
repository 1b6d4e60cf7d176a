//! How functions log in: with IAM tokens or with a password.

use std::collections::BTreeSet;

use super::functions::FunctionUse;
use super::problem::Problem;
use crate::spec::ClientAuth;

/// How functions log in at the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// With IAM tokens; else with a password.
    pub iam: bool,
    /// Why this way, for the plan.
    pub why: String,
    /// The database users that the functions log in as, where their variables tell.
    pub users: Vec<String>,
}

/// Chooses what keeps the functions working with no change of code.
///
/// # Errors
/// When the functions need both ways: one proxy does not serve a mix.
pub fn choose(wanted: ClientAuth, functions: &[FunctionUse], users: &[String]) -> Result<Login, Problem> {
    let users: Vec<String> = if users.is_empty() {
        functions.iter().filter_map(user_of).collect::<BTreeSet<_>>().into_iter().collect()
    } else {
        users.to_vec()
    };
    let login = |iam, why: String| Ok(Login { iam, why, users });
    match wanted {
        ClientAuth::Iam => return login(true, "asked for with --client-auth iam".to_owned()),
        ClientAuth::Password => return login(false, "asked for with --client-auth password".to_owned()),
        ClientAuth::Auto => {}
    }
    let (with, without): (Vec<_>, Vec<_>) =
        functions.iter().map(|found| (found, password_in(found))).partition(|(_, variable)| variable.is_some());
    match (with.first(), without.first()) {
        (None, None) => login(true, "no function was found, so the documented default".to_owned()),
        (None, Some(_)) => login(true, "no function carries a password, so they use IAM tokens".to_owned()),
        (Some((found, variable)), None) => {
            let variable = variable.clone().unwrap_or_default();
            login(false, format!("{} carries a password in {variable}", found.function.name))
        }
        (Some((one, variable)), Some((other, _))) => Err(Problem::unfit(
            format!(
                "choosing the client authentication: {} carries a password in {}, but {} does not",
                one.function.name,
                variable.clone().unwrap_or_default(),
                other.function.name
            ),
            [
                "One proxy login cannot serve both. Choose --client-auth iam or --client-auth password for all.",
                "Or make two proxies: name the functions of each with --function, and give the second a --name.",
            ],
        )),
    }
}

/// The variable that carries a password, if one does.
fn password_in(found: &FunctionUse) -> Option<String> {
    let variables = &found.function.variables.0;
    let by_name = variables.iter().find(|(name, value)| {
        let name = name.to_ascii_uppercase();
        !value.is_empty() && ["PASSWORD", "PASSWD", "_PASS", "_PWD", "PGPASS"].iter().any(|part| name.contains(part))
    });
    let in_url = || {
        found.variables.iter().find_map(|holding| {
            let value = variables.get(&holding.name)?;
            let first = holding.mentions.first()?.host.start;
            let before = value.get(..first)?;
            let user = before.rsplit_once("://").and_then(|(_, rest)| rest.strip_suffix('@'))?;
            user.contains(':').then(|| holding.name.clone())
        })
    };
    by_name.map(|(name, _)| name.clone()).or_else(in_url)
}

/// The database user that a function's variables name.
fn user_of(found: &FunctionUse) -> Option<String> {
    let variables = &found.function.variables.0;
    let names = ["DB_USER", "DB_USERNAME", "DATABASE_USER", "MYSQL_USER", "PGUSER", "POSTGRES_USER", "RDS_USERNAME"];
    let by_name = names.iter().find_map(|name| variables.get(*name)).filter(|value| !value.is_empty()).cloned();
    by_name.or_else(|| {
        found.variables.iter().find_map(|holding| {
            let value = variables.get(&holding.name)?;
            let before = value.get(..holding.mentions.first()?.host.start)?;
            let login = before.rsplit_once("://").and_then(|(_, rest)| rest.strip_suffix('@'))?;
            let user = login.split(':').next().unwrap_or_default();
            (!user.is_empty() && !user.contains('%')).then(|| user.to_owned())
        })
    })
}
