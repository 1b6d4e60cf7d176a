//! Which secrets the proxy logs in with.

use std::collections::BTreeSet;

use super::auth::{Login, refers_to_secret};
use super::created::{self, Planned};
use super::database::Database;
use super::functions::FunctionUse;
use super::keys;
use super::problem::{Problem, did_you_mean};
use crate::catalogue::checks::CheckId;
use crate::cloud::rds::{MasterSecret, Proxy};
use crate::cloud::secrets::Secret;
use crate::cloud::{Cloud, Tags};
use crate::spec::Spec;

/// The secrets of the proxy, and why these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The secrets, in a stable order. One of ours that is scheduled for deletion is to be restored.
    pub found: Vec<Secret>,
    /// Those to be made.
    pub planned: Vec<Planned>,
    /// The ARN of the customer key that they are made with.
    pub kms_key: Option<String>,
    /// Why these.
    pub why: String,
    /// What a person should know of them.
    pub warnings: Vec<String>,
}

impl Secrets {
    /// Their ARNs; in place of one that is to be made, its name.
    #[must_use]
    pub fn arns(&self) -> Vec<String> {
        let planned = self.planned.iter().map(|planned| planned.name.clone());
        self.found.iter().map(|secret| secret.arn.clone()).chain(planned).collect()
    }

    /// Their names.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let planned = self.planned.iter().map(|planned| planned.name.as_str());
        self.found.iter().map(|secret| secret.name.as_str()).chain(planned).collect()
    }

    fn of(found: Vec<Secret>, why: impl Into<String>) -> Self {
        Self { found, planned: Vec::new(), kms_key: None, why: why.into(), warnings: Vec::new() }
    }
}

/// Chooses the secrets: those named, those that an existing proxy uses, the one that RDS manages, or those that the
/// functions refer to.
///
/// # Errors
/// When there is none, or one cannot be used.
pub async fn choose(
    cloud: &Cloud,
    spec: &Spec,
    database: &Database,
    functions: &[FunctionUse],
    login: &Login,
    proxy: Option<&Proxy>,
) -> Result<Secrets, Problem> {
    if login.end_to_end {
        return Ok(Secrets::of(Vec::new(), "none: the proxy logs in with IAM"));
    }
    let mut chosen = match &spec.create_secret {
        Some(wanted) => {
            let (mut found, planned) = created::look(cloud, spec, wanted).await?;
            found.extend(in_use(cloud, spec, database, proxy).await?);
            let kms_key = match &wanted.kms_key {
                Some(key) => Some(keys::resolve(cloud, key).await?),
                None => None,
            };
            Secrets { found, planned, kms_key, why: "made with --create-secret".to_owned(), warnings: Vec::new() }
        }
        None if spec.secrets.is_empty() => find(cloud, spec, database, functions, login, proxy).await?,
        None => Secrets::of(read(cloud, &spec.secrets).await?, "named with --secret"),
    };
    keys::by_arn(cloud, &mut chosen.found).await?;
    chosen.warnings = chosen.found.iter().filter_map(alternating).collect();
    chosen.found.sort_by(|a, b| a.arn.cmp(&b.arn));
    chosen.found.dedup_by(|a, b| a.arn == b.arn);
    if spec.inspect_secret {
        for secret in chosen.found.iter_mut().filter(|secret| !secret.deleted) {
            let (user, host) = inspect(cloud, secret).await?;
            secret.user = Some(user);
            if host {
                chosen.warnings.push(format!(
                    "The secret {} holds a host. A function that reads its host from there is not pointed at the proxy by step 13: change that function, or the secret.",
                    secret.name
                ));
            }
        }
    }
    let planned = |user: &&String| !chosen.planned.iter().any(|planned| planned.user == **user);
    let users: Vec<String> = login.users.iter().filter(planned).cloned().collect();
    cover(&users, &chosen.found)?;
    Ok(chosen)
}

async fn find(
    cloud: &Cloud,
    spec: &Spec,
    database: &Database,
    functions: &[FunctionUse],
    login: &Login,
    proxy: Option<&Proxy>,
) -> Result<Secrets, Problem> {
    let master = database.master_secret.as_ref().map(|managed| managed_secret(database, managed));
    let mut found = in_use(cloud, spec, database, proxy).await?;
    let why = "the proxy uses it already";
    let covered = |found: &[Secret]| missing_user(&login.users, found).is_none();
    if !found.is_empty() && covered(&found) {
        return Ok(Secrets::of(found, why));
    }
    let mut whys: Vec<&str> = if found.is_empty() { Vec::new() } else { vec![why] };
    let wants_master =
        login.users.is_empty() || login.users.iter().any(|user| Some(user) == database.master_user.as_ref());
    let named = referred(functions);
    if let Some(master) = master.filter(|_| wants_master || named.is_empty()) {
        found.push(master);
        whys.push("the master user's secret, managed by RDS");
    }
    if (found.is_empty() || !covered(&found)) && !named.is_empty() {
        found.extend(read(cloud, &named).await?);
        whys.push("a function's variable refers to it");
    }
    if found.is_empty() {
        return Err(ask(cloud, spec, database).await);
    }
    Ok(Secrets::of(found, whys.join("; ")))
}

/// The secrets that an existing proxy logs in with, without those that someone deleted.
async fn in_use(
    cloud: &Cloud,
    spec: &Spec,
    database: &Database,
    proxy: Option<&Proxy>,
) -> Result<Vec<Secret>, Problem> {
    let master = database.master_secret.as_ref().map(|managed| managed_secret(database, managed));
    let mut found = Vec::new();
    for auth in proxy.map(|proxy| proxy.auth.as_slice()).unwrap_or_default() {
        let arn = &auth.secret;
        match &master {
            Some(master) if master.arn == *arn => found.push(master.clone()),
            _ => {
                let doing = format!("looking at the secret ({arn})");
                found.extend(cloud.secrets.describe(arn).await.map_err(Problem::refused(doing))?);
            }
        }
    }
    // One of ours can be taken back as long as it is only scheduled for deletion.
    found.retain(|secret| !secret.deleted || created::ours(secret, &spec.stack));
    Ok(found)
}

/// RDS tells all that is needed of the secret that it manages itself.
fn managed_secret(database: &Database, managed: &MasterSecret) -> Secret {
    Secret {
        name: name_in(&managed.arn).to_owned(),
        arn: managed.arn.clone(),
        kms_key: managed.kms_key.clone(),
        deleted: false,
        owning_service: Some("rds".to_owned()),
        user: database.master_user.clone(),
        tags: Tags::new(),
        rotated_by: None,
    }
}

/// The first user that none of the secrets can be for.
///
/// The proxy finds a client's credentials by the user name within the secrets, one secret a user
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-secrets-arns.html>).
fn missing_user<'a>(users: &'a [String], secrets: &[Secret]) -> Option<&'a String> {
    let unknown = secrets.iter().filter(|secret| secret.user.is_none()).count();
    users.iter().filter(|user| !secrets.iter().any(|secret| secret.user.as_ref() == Some(user))).nth(unknown)
}

fn cover(users: &[String], secrets: &[Secret]) -> Result<(), Problem> {
    let Some(user) = missing_user(users, secrets) else { return Ok(()) };
    let of = |secret: &Secret| match &secret.user {
        Some(user) => format!("{} ({user})", secret.name),
        None => secret.name.clone(),
    };
    let have: Vec<String> = secrets.iter().map(of).collect();
    Err(Problem::unfit(
        format!("choosing the secrets: the functions log in as {}, but no secret is for {user}", users.join(" and ")),
        [
            format!("The proxy has {}; it needs one secret for each database user.", have.join(", ")),
            "Name one for each: --secret NAME, once a user; or have it made: --create-secret --db-user NAME. --db-user says as whom the functions log in, where their variables mislead."
                .to_owned(),
        ],
    ).known(CheckId::SecretOfUser))
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
            )
            .known(CheckId::SecretDeleted));
        }
        found.push(secret);
    }
    Ok(found)
}

/// Rotation by alternating users renames the user within the secret, and the proxy finds credentials by that name
/// (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotation-strategy.html>).
pub(crate) fn alternating(secret: &Secret) -> Option<String> {
    let function = secret.rotated_by.as_ref()?.rsplit(':').next()?;
    function.to_ascii_lowercase().contains("multiuser").then(|| {
        format!(
            "The secret {} is rotated by {function}, which seems to alternate between two users: after every other rotation the proxy knows only the other one. Rotate a single user instead.",
            secret.name
        )
    })
}

/// Checks the shape of a secret's value, and answers the user that it is for and whether it holds a host.
async fn inspect(cloud: &Cloud, secret: &Secret) -> Result<(String, bool), Problem> {
    let doing = format!("inspecting the secret ({})", secret.name);
    let shape = cloud.secrets.inspect(&secret.arn).await.map_err(Problem::refused(doing.clone()))?;
    let Some(keys) = shape.keys else {
        return Err(Problem::unfit(
            format!("{doing}: its value is no JSON object"),
            ["RDS Proxy reads {\"username\": …, \"password\": …}, in lower case."],
        )
        .known(CheckId::SecretShape));
    };
    let missing: Vec<&str> =
        ["username", "password"].into_iter().filter(|key| !keys.iter().any(|k| k == key)).collect();
    if let Some(user) = shape.username.filter(|_| missing.is_empty()) {
        return Ok((user, keys.iter().any(|key| key == "host")));
    }
    if missing.is_empty() {
        return Err(Problem::unfit(
            format!("{doing}: its username is no text"),
            ["RDS Proxy reads {\"username\": …, \"password\": …}, both as texts."],
        )
        .known(CheckId::SecretShape));
    }
    Err(Problem::unfit(
        format!("{doing}: it has no {}", missing.join(" and no ")),
        [format!(
            "RDS Proxy reads the keys username and password, in lower case; this secret has {}.",
            keys.join(", ")
        )],
    )
    .known(CheckId::SecretShape))
}

/// Secrets that the functions' variables name: ARNs anywhere, names in variables that say so.
fn referred(functions: &[FunctionUse]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for (name, value) in functions.iter().flat_map(|found| &found.function.variables.0) {
        if refers_to_secret(name, value) {
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
    hints.push("Or have one made for a user that the database has: --create-secret --db-user NAME.".to_owned());
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
    .known(CheckId::SecretMissing)
}
