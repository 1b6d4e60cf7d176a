//! Step 8: the proxy may log in at the database.
//!
//! The published procedure attaches `SecretsManagerReadWrite`; this inline policy allows
//! `GetSecretValue` on the exact secrets, and decryption through Secrets Manager where a KMS key is
//! named. It is written before the proxy exists, since a proxy that cannot read its secret ends in
//! AUTH_FAILURE (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-setup.html>).
//!
//! With end-to-end IAM there is no secret: the role may connect as the database's users, and the database must have
//! IAM authentication on (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-iam-migration.html>).

mod removal;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use crate::catalogue::StepId;
use crate::cloud::Password;
use crate::cloud::secrets::{NewSecret, Secret};
use crate::cloud::sts::Identity;
use crate::cloud::{Answer, Cloud, Kind, Owner, Refusal, Tags, tags};
use crate::discover::Database;
use crate::discover::created::Planned;
use crate::discover::secrets::Secrets;
use crate::engine::{Aws, Diff, Limit, Observed, PollInterval, RetryPolicy, Step, Timeouts};
use crate::names::{Names, digest, secret_token};
use crate::plan::{PlannedStep, Terms};
use crate::resources::{not_ours, settling};
use crate::templates;

pub use removal::{IamAuthRemoval, SecretRemoval};

/// For how long a denial right after the role's creation may be no more than a tag that does not count yet.
const TAG_LAG: Duration = Duration::from_secs(20);

/// What the proxy logs in with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The inline policy of the proxy's role.
    pub document: Option<Value>,
    /// The secrets.
    pub secrets: Vec<Secret>,
    /// Whether IAM authentication of the database is on.
    pub iam: bool,
}

/// IAM authentication of the database, where the proxy logs in with it.
pub struct EndToEnd<'a> {
    /// The database.
    pub database: &'a Database,
    /// Whether it may be turned on.
    pub enable: bool,
    /// The right to connect.
    pub document: Value,
}

impl BySecret<'_> {
    /// Those of `found` that this run creates or restores, and that are missing still.
    fn pending(&self, found: &[Secret]) -> Vec<String> {
        let absent = self.secrets.planned.iter().filter(|planned| !found.iter().any(|have| have.name == planned.name));
        let deleted = found.iter().filter(|secret| secret.deleted);
        absent.map(|planned| planned.name.clone()).chain(deleted.map(|secret| secret.name.clone())).collect()
    }

    /// What the person must do in the database: nothing here connects to it.
    fn advice(&self, planned: &Planned) -> String {
        let user = &planned.user;
        if !self.generate {
            return format!(
                "the database user {user} must exist with the password that you gave; nothing here connects to the database"
            );
        }
        format!(
            "its password is generated: give it to the database user {user} yourself, who must exist; read it with: aws secretsmanager get-secret-value --secret-id {}",
            planned.name
        )
    }

    pub(crate) fn document(&self, found: &[Secret]) -> Value {
        let mut arns: Vec<String> = found.iter().map(|secret| secret.arn.clone()).collect();
        arns.sort();
        let keys = found.iter().filter_map(|secret| secret.kms_key.as_ref()).map(|key| self.arn_of(key));
        let keys: Vec<String> = keys.collect::<BTreeSet<_>>().into_iter().collect();
        templates::read_secrets(&arns, &keys, self.region, &self.identity.partition)
    }

    fn arn_of(&self, key: &str) -> String {
        let who = self.identity;
        match key.strip_prefix("arn:") {
            Some(_) => key.to_owned(),
            None => format!("arn:{}:kms:{}:{}:key/{key}", who.partition, self.region, who.account),
        }
    }

    /// Those of the secrets to be made that are not there.
    fn missing(&self, found: &[Secret]) -> impl Iterator<Item = &Planned> {
        self.secrets.planned.iter().filter(|planned| !found.iter().any(|have| have.name == planned.name))
    }

    /// What the document will allow, with names for secrets whose ARN is not known yet.
    fn allows(&self, found: &[Secret]) -> String {
        let names = found.iter().map(|secret| &secret.name).chain(self.missing(found).map(|planned| &planned.name));
        let names: BTreeSet<&str> = names.map(String::as_str).collect();
        let own = self.missing(found).filter_map(|_| self.secrets.kms_key.as_ref());
        let keys = found.iter().filter_map(|secret| secret.kms_key.as_ref()).chain(own);
        let keys: BTreeSet<String> = keys.map(|key| format!(", decrypted with {}", self.arn_of(key))).collect();
        names.into_iter().collect::<Vec<_>>().join(", ") + &keys.into_iter().collect::<String>()
    }

    /// What is left to do.
    fn terms(&self, found: &Access, given: bool, role: &str) -> Terms {
        let how = if self.generate { "a generated password" } else { "the password that is given" };
        let missing = self.missing(&found.secrets);
        let create =
            missing.map(|planned| format!("create the secret {} for {} with {how}", planned.name, planned.user));
        let deleted = found.secrets.iter().filter(|secret| secret.deleted);
        let restore = deleted.map(|secret| format!("restore the secret {}", secret.name));
        let mut terms = Terms::of(create.chain(restore));
        let stale = !terms.actions.is_empty() || found.document.as_ref() != Some(&self.document(&found.secrets));
        if stale && !given {
            terms.actions.insert(format!("let {role} read {}", self.allows(&found.secrets)));
        }
        let there = found.secrets.iter().map(|secret| (&secret.name, Some(secret.arn.clone())));
        let to_come = self.missing(&found.secrets).map(|planned| (&planned.name, None));
        terms.basis.extend(there.chain(to_come).map(|(name, arn)| (format!("secret {name}"), arn)));
        terms
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Vec<Secret>> {
        let mut found = self.secrets.found.clone();
        for planned in &self.secrets.planned {
            let secret = cloud.secrets.describe(&planned.name).await?;
            found.extend(secret.map(|secret| Secret { kms_key: self.secrets.kms_key.clone(), ..secret }));
        }
        Ok(found)
    }

    /// Restores what is scheduled for deletion, and creates what is missing.
    async fn complete(&self, cloud: &Cloud, owner: &Owner, mut found: Vec<Secret>) -> Answer<Vec<Secret>> {
        for secret in found.iter_mut().filter(|secret| secret.deleted) {
            cloud.secrets.restore(&secret.arn).await?;
            secret.deleted = false;
        }
        for planned in &self.secrets.planned {
            if found.iter().any(|have| have.name == planned.name) {
                continue;
            }
            let generated = match self.passwords.get(&planned.user) {
                Some(_) => None,
                None => Some(cloud.secrets.random_password().await?),
            };
            let Some(password) = self.passwords.get(&planned.user).or(generated.as_ref()) else { continue };
            let mut tags = owner.tags();
            // Tags take fewer characters than databases do; without the tag, the user is merely not known later.
            if planned.user.chars().all(|c| c.is_alphanumeric() || "_.:/=+-@".contains(c)) {
                tags.insert(tags::USER.to_owned(), planned.user.clone());
            }
            let wanted = NewSecret {
                name: &planned.name,
                description: "A database user's login for RDS Proxy, created by rdsproxy-setup",
                kms_key: self.secrets.kms_key.as_deref(),
                token: &secret_token(&planned.name),
                tags: &tags,
                user: &planned.user,
                password,
            };
            found.push(cloud.secrets.create(&wanted).await?);
        }
        Ok(found)
    }
}

/// Secrets that the proxy logs in with.
pub struct BySecret<'a> {
    /// The secrets: those that are there, and those to be made.
    pub secrets: &'a Secrets,
    /// The new secrets' passwords, by user; AWS generates those that are not given.
    pub passwords: &'a BTreeMap<String, Password>,
    /// Whether AWS generates the passwords.
    pub generate: bool,
    /// The region.
    pub region: &'a str,
    /// Whose account it is.
    pub identity: &'a Identity,
}

/// How the proxy logs in at the database.
pub enum Way<'a> {
    /// With secrets.
    Secrets(BySecret<'a>),
    /// With IAM: the role's right to connect.
    Iam(EndToEnd<'a>),
}

/// The inline policy of the proxy's role, and what it needs.
pub struct SecretAccess<'a> {
    /// Names.
    pub names: &'a Names,
    /// Ownership.
    pub owner: &'a Owner,
    /// The inline policy's name.
    pub policy: &'a str,
    /// What it gives access to, for people.
    pub subject: String,
    /// How the proxy logs in.
    pub way: Way<'a>,
    /// Why there may be nothing to do.
    pub not_needed: Option<String>,
    /// Whether this run creates the role: rights on condition of its tag may lag for some seconds then.
    pub fresh: bool,
    /// Whether the role is an administrator's, whose policies are never written.
    pub given: bool,
    /// Lines for the plan.
    pub notes: Vec<String>,
    /// The limits.
    pub timeouts: Timeouts,
}

impl EndToEnd<'_> {
    /// Whether this stack turned IAM authentication on, or had begun to.
    fn ours(&self, owner: &Owner) -> bool {
        self.database.tags.get(tags::IAM_AUTH) == Some(&owner.stack)
    }

    async fn is_on(&self, cloud: &Cloud) -> Answer<bool> {
        let id = &self.database.id;
        Ok(if self.database.cluster {
            cloud.rds.cluster(id).await?.is_some_and(|found| found.iam_authentication)
        } else {
            cloud.rds.instance(id).await?.is_some_and(|found| found.iam_authentication)
        })
    }

    async fn turn_on(&self, cloud: &Cloud, owner: &Owner, role: &str) -> Answer<()> {
        // Remembered before it is changed, in two places: a later teardown must know that it was off, and must not
        // believe one tag alone.
        let mut memory = owner.tags();
        memory.insert(tags::IAM_AUTH.to_owned(), self.database.id.clone());
        cloud.iam.tag_role(role, &memory).await?;
        if !self.ours(owner) {
            let memory = Tags::from([(tags::IAM_AUTH.to_owned(), owner.stack.clone())]);
            cloud.rds.add_tags(&self.database.arn, &memory).await?;
        }
        cloud.rds.set_iam_authentication(&self.database.id, self.database.cluster, true).await
    }
}

impl SecretAccess<'_> {
    fn missing(&self, found: &Access) -> Vec<String> {
        let mut missing = Vec::new();
        let document = match &self.way {
            Way::Iam(end_to_end) => {
                if !found.iam {
                    missing.push(format!("IAM authentication of {}: on", end_to_end.database.id));
                }
                end_to_end.document.clone()
            }
            Way::Secrets(by_secret) => {
                missing.extend(by_secret.pending(&found.secrets).into_iter().map(|name| format!("secret {name}")));
                by_secret.document(&found.secrets)
            }
        };
        // The ARN of a secret is known once it is created, and so is the document.
        if !self.given && (!missing.is_empty() || found.document.as_ref() != Some(&document)) {
            missing.push("policy document".to_owned());
        }
        missing
    }

    /// What is in conflict.
    fn conflicts(&self, found: &Access) -> Vec<String> {
        match &self.way {
            Way::Iam(end) if !found.iam && !end.enable && !end.ours(self.owner) => {
                vec![format!("IAM authentication of {} is off; --enable-iam-auth turns it on", end.database.id)]
            }
            Way::Iam(_) => Vec::new(),
            Way::Secrets(by_secret) => {
                let planned = |secret: &&Secret| by_secret.secrets.planned.iter().any(|p| p.name == secret.name);
                let foreign = found.secrets.iter().filter(planned).filter(|secret| !self.owner.owns(&secret.tags));
                foreign.flat_map(|secret| not_ours("a secret", &secret.name)).collect()
            }
        }
    }
}

impl Step<Aws> for SecretAccess<'_> {
    type State = Access;

    fn id(&self) -> StepId {
        StepId::SecretAccess
    }

    fn subject(&self) -> String {
        self.subject.clone()
    }

    fn doing(&self, _change: &Diff) -> String {
        match &self.way {
            Way::Iam(_) => format!("letting the proxy's role log in at the database ({})", self.subject),
            Way::Secrets(_) => format!("letting the proxy's role read the secret ({})", self.subject),
        }
    }

    async fn observe(&self, cloud: &Cloud) -> Answer<Observed<Access>> {
        let document = if self.given { None } else { cloud.iam.role_policy(&self.names.role, self.policy).await? };
        Ok(Observed::Present(match &self.way {
            Way::Iam(end_to_end) => Access { document, secrets: Vec::new(), iam: end_to_end.is_on(cloud).await? },
            Way::Secrets(by_secret) => Access { document, secrets: by_secret.observe(cloud).await?, iam: false },
        }))
    }

    fn compare(&self, seen: &Observed<Access>) -> Diff {
        if let Some(why) = &self.not_needed {
            return Diff::NotNeeded(why.clone());
        }
        let Some(found) = seen.present() else { return Diff::Create };
        let conflicts = self.conflicts(found);
        if !conflicts.is_empty() {
            return Diff::Conflict(conflicts);
        }
        let missing = self.missing(found);
        match (missing.is_empty(), &found.document) {
            (true, _) => Diff::None,
            (false, None) => Diff::Create,
            (false, Some(_)) => Diff::Update(missing),
        }
    }

    async fn apply(&self, cloud: &Cloud, _change: &Diff, seen: Observed<Access>) -> Answer<Observed<Access>> {
        let found = match seen {
            Observed::Present(found) => found,
            _ => Access { document: None, secrets: Vec::new(), iam: false },
        };
        let (document, secrets) = match &self.way {
            Way::Iam(end_to_end) => {
                if !found.iam {
                    end_to_end.turn_on(cloud, self.owner, &self.names.role).await?;
                }
                (end_to_end.document.clone(), Vec::new())
            }
            Way::Secrets(by_secret) => {
                let secrets = by_secret.complete(cloud, self.owner, found.secrets).await?;
                (by_secret.document(&secrets), secrets)
            }
        };
        if !self.given && found.document.as_ref() != Some(&document) {
            cloud.iam.put_role_policy(&self.names.role, self.policy, &document).await?;
        }
        Ok(Observed::Present(Access { document: Some(document), secrets, iam: true }))
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        if refusal.kind == Kind::NotYet && refusal.operation.starts_with("rds:") {
            return Some(RetryPolicy { limit: self.timeouts.database, pace: PollInterval::Minutes, look: true });
        }
        if self.fresh && refusal.kind == Kind::Denied && refusal.operation == "iam:PutRolePolicy" {
            let span = self.timeouts.propagation.span.min(TAG_LAG);
            let limit = Limit { span, ..self.timeouts.propagation };
            return Some(RetryPolicy { limit, pace: PollInterval::Dense, look: false });
        }
        // What was created before the refusal is seen again.
        settling(refusal, self.timeouts.propagation)
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (self.timeouts.propagation, PollInterval::Dense)
    }
}

impl PlannedStep for SecretAccess<'_> {
    fn details(&self, seen: &Observed<Access>) -> Vec<String> {
        if self.not_needed.is_some() {
            return Vec::new();
        }
        let mut details = self.notes.clone();
        match (&self.way, seen.present()) {
            (Way::Iam(end), Some(found)) if !found.iam => details.push(format!(
                "turns IAM authentication of {} on at once; teardown turns it off again",
                end.database.id
            )),
            (Way::Secrets(by_secret), Some(found)) => {
                let made = by_secret.secrets.planned.iter();
                for planned in made.filter(|planned| !found.secrets.iter().any(|have| have.name == planned.name)) {
                    details.push(format!("creates the secret {}", planned.name));
                    details.push(by_secret.advice(planned));
                }
                for secret in found.secrets.iter().filter(|secret| secret.deleted) {
                    details.push(format!("takes the secret {} back, with the password it had", secret.name));
                }
            }
            _ => {}
        }
        details
    }

    fn terms(&self, seen: &Observed<Access>) -> Terms {
        let none = Access { document: None, secrets: Vec::new(), iam: false };
        let found = seen.present().unwrap_or(&none);
        if self.not_needed.is_some() || !self.conflicts(found).is_empty() {
            return Terms::default();
        }
        match &self.way {
            Way::Secrets(by_secret) => by_secret.terms(found, self.given, &self.names.role),
            Way::Iam(end) => {
                let id = &end.database.id;
                let on = (!found.iam).then(|| format!("turn IAM authentication of {id} on"));
                let stale = !self.given && found.document.as_ref() != Some(&end.document);
                let document = digest(&end.document.to_string());
                let right = stale.then(|| format!("let {}: {}, document {document}", self.names.role, self.subject));
                Terms::of(on.into_iter().chain(right))
            }
        }
    }
}
