//! Which secrets the proxy logs in with.

use std::collections::BTreeSet;

use super::database::Database;
use super::functions::FunctionUse;
use super::problem::{Problem, did_you_mean};
use crate::cloud::Cloud;
use crate::cloud::rds::Proxy;
use crate::cloud::secrets::Secret;
use crate::spec::Spec;

/// The secrets of the proxy, and why these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The secrets, in a stable order.
    pub found: Vec<Secret>,
    /// Why these.
    pub why: String,
}

impl Secrets {
    /// Their ARNs.
    #[must_use]
    pub fn arns(&self) -> Vec<String> {
        self.found.iter().map(|secret| secret.arn.clone()).collect()
    }
}

/// Chooses the secrets: those named, those that an existing proxy of ours uses, the one that RDS manages, or those that the functions refer to.
///
/// # Errors
/// When there is none, or one cannot be used.
pub async fn choose(
    cloud: &Cloud,
    spec: &Spec,
    database: &Database,
    functions: &[FunctionUse],
    proxy: Option<&Proxy>,
) -> Result<Secrets, Problem> {
    let mut chosen = if !spec.secrets.is_empty() {
        let found = read(cloud, &spec.secrets).await?;
        Secrets { found, why: "named with --secret".to_owned() }
    } else if let Some(managed) = &database.master_secret {
        // RDS tells all that is needed of the secret that it manages itself.
        let secret = Secret {
            name: name_in(&managed.arn).to_owned(),
            arn: managed.arn.clone(),
            kms_key: managed.kms_key.clone(),
            deleted: false,
            owning_service: Some("rds".to_owned()),
        };
        Secrets { found: vec![secret], why: "the master user's secret, managed by RDS".to_owned() }
    } else if let Some(proxy) = proxy.filter(|proxy| !proxy.auth.is_empty()) {
        let arns: Vec<String> = proxy.auth.iter().map(|auth| auth.secret.clone()).collect();
        Secrets { found: read(cloud, &arns).await?, why: "the proxy uses it already".to_owned() }
    } else {
        let named = referred(functions);
        if named.is_empty() {
            return Err(ask(cloud, spec, database).await);
        }
        Secrets { found: read(cloud, &named).await?, why: "a function's variable refers to it".to_owned() }
    };
    chosen.found.sort_by(|a, b| a.arn.cmp(&b.arn));
    chosen.found.dedup_by(|a, b| a.arn == b.arn);
    if spec.inspect_secret {
        for secret in &chosen.found {
            inspect(cloud, secret).await?;
        }
    }
    Ok(chosen)
}

/// The name in a secret's ARN, without the hyphen and six characters that Secrets Manager adds to it.
fn name_in(arn: &str) -> &str {
    let last = arn.rsplit(':').next().unwrap_or_default();
    match last.rsplit_once('-') {
        Some((name, added)) if added.len() == 6 => name,
        _ => last,
    }
}

async fn read(cloud: &Cloud, ids: &[String]) -> Result<Vec<Secret>, Problem> {
    let mut found = Vec::new();
    for id in ids {
        let doing = format!("looking at the secret ({id})");
        let Some(secret) = cloud.secrets.describe(id).await.map_err(Problem::refused(doing))? else {
            let name = id.rsplit(':').next().unwrap_or(id);
            let word = name.split(['/', '-', '_']).next().unwrap_or(name);
            let near = cloud.secrets.mentioning(word).await.unwrap_or_default();
            return Err(Problem::unfit(
                format!("looking at the secret ({id}): there is none of this name in {}", cloud.region),
                [if near.is_empty() {
                    "List them with: aws secretsmanager list-secrets".to_owned()
                } else {
                    did_you_mean("secrets", name, &near)
                }],
            ));
        };
        if secret.deleted {
            return Err(Problem::unfit(
                format!("looking at the secret ({}): it is scheduled for deletion", secret.name),
                [format!("Restore it with: aws secretsmanager restore-secret --secret-id {}", secret.name)],
            ));
        }
        found.push(secret);
    }
    Ok(found)
}

async fn inspect(cloud: &Cloud, secret: &Secret) -> Result<(), Problem> {
    let doing = format!("inspecting the secret ({})", secret.name);
    let shape = cloud.secrets.inspect(&secret.arn).await.map_err(Problem::refused(doing.clone()))?;
    let Some(keys) = shape.keys else {
        return Err(Problem::unfit(
            format!("{doing}: its value is no JSON object"),
            ["RDS Proxy reads {\"username\": …, \"password\": …}, in lower case."],
        ));
    };
    let missing: Vec<&str> =
        ["username", "password"].into_iter().filter(|key| !keys.iter().any(|k| k == key)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(Problem::unfit(
        format!("{doing}: it has no {}", missing.join(" and no ")),
        [format!(
            "RDS Proxy reads the keys username and password, in lower case; this secret has {}.",
            keys.join(", ")
        )],
    ))
}

/// Secrets that the functions' variables name: ARNs anywhere, names in variables that say so.
fn referred(functions: &[FunctionUse]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (name, value) in functions.iter().flat_map(|found| &found.function.variables.0) {
        let is_arn = value.starts_with("arn:") && value.contains(":secretsmanager:");
        let upper = name.to_ascii_uppercase();
        let says_so = upper.contains("SECRET")
            && ["NAME", "ID", "ARN"].iter().any(|part| upper.ends_with(part))
            && ["DB", "DATABASE", "RDS", "MYSQL", "POSTGRES", "PG"].iter().any(|part| upper.contains(part));
        if is_arn || (says_so && !value.is_empty()) {
            found.insert(value.clone());
        }
    }
    found.into_iter().collect()
}

async fn ask(cloud: &Cloud, spec: &Spec, database: &Database) -> Problem {
    let id = &spec.database.id;
    let near = cloud.secrets.mentioning(id).await.unwrap_or_default();
    let mut hints = vec![
        "Name the secret of each database user that the functions log in as: --secret NAME, once a user.".to_owned(),
    ];
    if !near.is_empty() {
        hints.push(format!("Secrets here that mention {id}: {}.", near.join(", ")));
    }
    hints.push(
        "Its value is JSON with the keys username and password; nothing else is read, and never by this program."
            .to_owned(),
    );
    Problem::unfit(
        format!(
            "choosing the secret for {} ({id}): RDS manages none for it, and no function refers to one",
            database.label
        ),
        hints,
    )
}
