//! Which secrets the proxy logs in with.

use std::collections::{BTreeMap, BTreeSet};

use super::auth::Login;
use super::created::{self, Planned};
use super::database::Database;
use super::functions::FunctionUse;
use super::keys;
use super::named::{Named, Proof, referred};
use super::problem::{Problem, did_you_mean};
use crate::catalogue::checks::CheckId;
use crate::cloud::rds::{MasterSecret, Proxy};
use crate::cloud::secrets::{Secret, Shape};
use crate::cloud::tags::DATABASE;
use crate::cloud::{Cloud, Tags};
use crate::spec::{CreateSecret, Spec};

/// The secrets of the proxy, and why these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Secrets {
    /// The secrets, in a stable order. One of ours that is scheduled for deletion is to be restored.
    pub found: Vec<Secret>,
    /// The ARNs of those among them that the proxy has for someone else: nobody whom we know logs in with them, so how
    /// their clients log in is not ours to say.
    pub of_others: BTreeSet<String>,
    /// Those to be made.
    pub planned: Vec<Planned>,
    /// The ARN of the customer key that they are encrypted with.
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
        Self {
            found,
            of_others: BTreeSet::new(),
            planned: Vec::new(),
            kms_key: None,
            why: why.into(),
            warnings: Vec::new(),
        }
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
    let mut search = Search {
        cloud,
        spec,
        database,
        named: referred(functions),
        master: database.master_secret.as_ref().map(|managed| managed_secret(database, managed)),
        shapes: BTreeMap::new(),
    };
    let mut chosen = match &spec.create_secret {
        Some(wanted) => search.beside_new(wanted, login, proxy).await?,
        None if spec.secrets.is_empty() => {
            let mut found = search.in_use(proxy).await?;
            let whys = search.complete(&login.users, &mut found).await?;
            Secrets::of(found, whys.join("; "))
        }
        None => Secrets::of(search.read(&spec.secrets).await?, "named with --secret"),
    };
    keys::by_arn(cloud, &mut chosen.found).await?;
    chosen.warnings = chosen.found.iter().filter_map(alternating).collect();
    chosen.found.sort_by(|a, b| a.arn.cmp(&b.arn));
    chosen.found.dedup_by(|a, b| a.arn == b.arn);
    if spec.inspect_secret {
        for secret in chosen.found.iter_mut().filter(|secret| !secret.deleted) {
            let (user, host) = inspect(secret, search.shape(secret).await?)?;
            secret.user = Some(user);
            if host {
                chosen.warnings.push(format!(
                    "The secret {} holds a host. Step 13 does not point a function at the proxy that reads its host from there. Do not change the host in the secret: its rotation connects to that host, and must not go through the proxy. Give the function the proxy's host in a variable, a parameter, or a second secret for clients.",
                    secret.name
                ));
            }
        }
    }
    let planned = |user: &&String| !chosen.planned.iter().any(|planned| planned.user == **user);
    let users: Vec<String> = login.users.iter().filter(planned).cloned().collect();
    cover(&users, &chosen.found, login)?;
    chosen.warnings.extend(search.left_out(&chosen.found));
    chosen.of_others = search.of_others(&chosen.found, &login.users, proxy);
    chosen.warnings.extend(master_alone(database, &chosen));
    Ok(chosen)
}

/// What the least of rights asks for, where the only secret is the master user's.
pub(crate) fn master_alone(database: &Database, chosen: &Secrets) -> Option<String> {
    let master = database.master_user.as_ref()?;
    let managed = database.master_secret.as_ref().map(|managed| &managed.arn);
    let is_master = |secret: &Secret| Some(&secret.arn) == managed || secret.user.as_ref() == Some(master);
    let users = chosen.planned.iter().map(|planned| &planned.user);
    let alone = chosen.found.iter().all(is_master) && users.into_iter().all(|user| user == master);
    (alone && !chosen.names().is_empty()).then(|| {
        format!(
            "The only secret is the master user's ({master}), so the functions may do everything in the database. A user of their own with fewer rights is safer: create it in the database, let the functions log in as it, and add --create-secret --db-user NAME."
        )
    })
}

/// A search for the secrets of a proxy.
struct Search<'a> {
    cloud: &'a Cloud,
    spec: &'a Spec,
    database: &'a Database,
    /// Secrets that the functions' variables name.
    named: Vec<Named>,
    /// The master user's secret, where RDS manages it.
    master: Option<Secret>,
    /// What was read of secrets' values already: each is read once.
    shapes: BTreeMap<String, Shape>,
}

impl Search<'_> {
    /// Those of `--create-secret`, those that the proxy uses already, and what the functions' other users need.
    async fn beside_new(
        &mut self,
        wanted: &CreateSecret,
        login: &Login,
        proxy: Option<&Proxy>,
    ) -> Result<Secrets, Problem> {
        let (mut found, planned) = created::look(self.cloud, self.spec, wanted).await?;
        let kms_key = match &wanted.kms_key {
            Some(key) => Some(keys::resolve(self.cloud, key).await?),
            None => None,
        };
        found.extend(self.in_use(proxy).await?);
        let others: Vec<String> = login.users.iter().filter(|user| !wanted.users.contains(user)).cloned().collect();
        let mut whys = vec!["created with --create-secret"];
        if missing_user(&others, &found).is_some() {
            whys.extend(self.complete(&others, &mut found).await?);
        }
        Ok(Secrets { found, of_others: BTreeSet::new(), planned, kms_key, why: whys.join("; "), warnings: Vec::new() })
    }

    /// Adds what users and functions need beyond what was found, and says why each was chosen.
    async fn complete(&mut self, users: &[String], found: &mut Vec<Secret>) -> Result<Vec<&'static str>, Problem> {
        let covered = |found: &[Secret]| !found.is_empty() && missing_user(users, found).is_none();
        let lacking =
            |named: &[Named], found: &[Secret]| named.iter().any(|named| named.alone && !named.is_among(found));
        let mut whys = if found.is_empty() { Vec::new() } else { vec!["the proxy uses it already"] };
        if covered(found) && !lacking(&self.named, found) {
            return Ok(whys);
        }
        let wants_master = if users.is_empty() {
            found.is_empty() && !self.named.iter().any(|named| named.alone)
        } else {
            users.iter().any(|user| Some(user) == self.database.master_user.as_ref())
        };
        if let Some(master) = self.master.clone().filter(|_| wants_master || self.named.is_empty()) {
            found.push(master);
            whys.push("the master user's secret, managed by RDS");
        }
        let mut unproven = None;
        if !covered(found) || lacking(&self.named, found) {
            for named in self.named.clone() {
                if named.is_among(found) {
                    continue;
                }
                for secret in self.read(std::slice::from_ref(&named.id)).await? {
                    match self.proof(&secret).await? {
                        Some(proof) => {
                            found.push(secret);
                            whys.push(proof.why());
                        }
                        None => unproven = unproven.or_else(|| Some(named.unproven(self.database, self.spec))),
                    }
                }
            }
        }
        match unproven {
            Some(problem) if !covered(found) || lacking(&self.named, found) => return Err(problem),
            _ => {}
        }
        if found.is_empty() && self.spec.create_secret.is_none() {
            return Err(ask(self.cloud, self.spec, self.database).await);
        }
        whys.dedup();
        Ok(whys)
    }

    /// What shows that a secret, which a variable names, is this database's.
    async fn proof(&mut self, secret: &Secret) -> Result<Option<Proof>, Problem> {
        if self.master.as_ref().is_some_and(|master| master.arn == secret.arn) {
            return Ok(Some(Proof::Managed));
        }
        let tag = |key: &str| secret.tags.get(key);
        if created::ours(secret, &self.spec.stack) || tag(DATABASE) == Some(&self.database.id) {
            return Ok(Some(Proof::Tag));
        }
        if !self.spec.inspect_secret {
            return Ok(None);
        }
        let shape = self.shape(secret).await?;
        let known = |host: &String| self.database.hosts.iter().any(|known| known.name.eq_ignore_ascii_case(host));
        let of_host = shape.host.as_ref().is_some_and(known);
        let of_name = shape.database.as_ref().is_some_and(|id| id.eq_ignore_ascii_case(&self.database.id));
        Ok((of_host || (shape.host.is_none() && of_name)).then_some(Proof::Value))
    }

    /// The shape of a secret's value, read once.
    async fn shape(&mut self, secret: &Secret) -> Result<Shape, Problem> {
        if let Some(shape) = self.shapes.get(&secret.arn) {
            return Ok(shape.clone());
        }
        let doing = format!("inspecting the secret ({})", secret.name);
        let shape = self.cloud.secrets.inspect(&secret.arn).await.map_err(Problem::refused(doing))?;
        self.shapes.insert(secret.arn.clone(), shape.clone());
        Ok(shape)
    }

    /// The secrets that functions without a user of their own name, and that the proxy does not get.
    fn left_out(&self, found: &[Secret]) -> Vec<String> {
        let left = self.named.iter().filter(|named| named.alone && !named.is_among(found));
        left.map(Named::left_out).collect()
    }

    /// Which of the secrets an existing proxy has for someone else.
    fn of_others(&self, found: &[Secret], users: &[String], proxy: Option<&Proxy>) -> BTreeSet<String> {
        let in_proxy =
            |secret: &&Secret| proxy.is_some_and(|proxy| proxy.auth.iter().any(|auth| auth.secret == secret.arn));
        let asked = |secret: &Secret| {
            self.spec.secrets.iter().any(|id| *id == secret.arn || *id == secret.name)
                || self.named.iter().any(|named| named.is_among(std::slice::from_ref(secret)))
                || created::ours(secret, &self.spec.stack)
        };
        let known = |user: &String| found.iter().any(|secret| secret.user.as_ref() == Some(user));
        let all_known = users.iter().all(known);
        let others = |secret: &&Secret| match &secret.user {
            Some(user) => !users.contains(user),
            None => all_known,
        };
        // Where nobody says as whom functions log in, any secret may be theirs.
        let found = found.iter().filter(|_| !users.is_empty()).filter(in_proxy).filter(|secret| !asked(secret));
        found.filter(others).map(|secret| secret.arn.clone()).collect()
    }

    /// The secrets that an existing proxy logs in with, without those that someone deleted.
    async fn in_use(&self, proxy: Option<&Proxy>) -> Result<Vec<Secret>, Problem> {
        let mut found = Vec::new();
        for auth in proxy.map(|proxy| proxy.auth.as_slice()).unwrap_or_default() {
            let arn = &auth.secret;
            match &self.master {
                Some(master) if master.arn == *arn => found.push(master.clone()),
                _ => {
                    let doing = format!("looking at the secret ({arn})");
                    found.extend(self.cloud.secrets.describe(arn).await.map_err(Problem::refused(doing))?);
                }
            }
        }
        // One of ours can be taken back as long as it is only scheduled for deletion.
        found.retain(|secret| !secret.deleted || created::ours(secret, &self.spec.stack));
        Ok(found)
    }

    /// Looks at secrets by name or ARN.
    async fn read(&self, ids: &[String]) -> Result<Vec<Secret>, Problem> {
        let mut found = read(self.cloud, ids).await?;
        for secret in &mut found {
            if let Some(master) = self.master.as_ref().filter(|master| master.arn == secret.arn) {
                secret.user.clone_from(&master.user);
            }
        }
        Ok(found)
    }
}

/// RDS reports all that is needed of the secret that it manages itself.
fn managed_secret(database: &Database, managed: &MasterSecret) -> Secret {
    Secret {
        name: name_in(&managed.arn).to_owned(),
        arn: managed.arn.clone(),
        kms_key: managed.kms_key.clone(),
        deleted: false,
        owning_service: Some("rds".to_owned()),
        user: database.master_user.clone(),
        tags: Tags::new(),
        description: None,
        rotated_by: None,
    }
}

/// The first user that none of the secrets can be for.
///
/// The proxy finds a client's credentials by the user name within the secrets, one secret a user
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-secrets-arns.html>).
pub(crate) fn missing_user<'a>(users: &'a [String], secrets: &[Secret]) -> Option<&'a String> {
    let unknown = secrets.iter().filter(|secret| secret.user.is_none()).count();
    users.iter().filter(|user| !secrets.iter().any(|secret| secret.user.as_ref() == Some(user))).nth(unknown)
}

/// Stops where a user has no secret: everyone who logs in as that user would be cut off.
fn cover(users: &[String], secrets: &[Secret], login: &Login) -> Result<(), Problem> {
    let Some(user) = missing_user(users, secrets) else { return Ok(()) };
    let of = |secret: &Secret| match &secret.user {
        Some(user) => format!("{} ({user})", secret.name),
        None => secret.name.clone(),
    };
    let have: Vec<String> = secrets.iter().map(of).collect();
    let have = if have.is_empty() { "none of these".to_owned() } else { have.join(", ") };
    let mut hints = vec![
        format!("The proxy has {have}; it needs one secret for each database user."),
        "Name one for each: --secret NAME, once a user; or have it made: --create-secret --db-user NAME.".to_owned(),
    ];
    let functions = login.logins.functions(user);
    if !functions.is_empty() {
        let flags: Vec<String> = functions.iter().map(|name| format!("--exclude-function {name}")).collect();
        hints.push(format!("Or leave out who logs in as {user}: {}.", flags.join(" ")));
    }
    let clause = login.logins.clause(user);
    let headline = format!("choosing the secrets: {clause}, but no secret is for {user}");
    Err(Problem::unfit(headline, hints).known(CheckId::SecretOfUser))
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
fn inspect(secret: &Secret, shape: Shape) -> Result<(String, bool), Problem> {
    let doing = format!("inspecting the secret ({})", secret.name);
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
