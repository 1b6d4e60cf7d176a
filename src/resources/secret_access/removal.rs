//! What gave the proxy its way into the database, on its way out: a secret that we made, IAM authentication that we
//! turned on.

use crate::catalogue::StepId;
use crate::cloud::iam::Role;
use crate::cloud::rds::TaggedProxy;
use crate::cloud::{Cloud, Owner, tags};
use crate::discover::{Database, Problem};
use crate::engine::{Poll, PollInterval, Row, Run, StepError};
use crate::names::secret_prefix;
use crate::plan::Terms;
use crate::resources::{Found, Line, Removal, Work};

/// For how many days a secret that goes can be taken back: AWS's own default, and its most.
const RECOVERY_DAYS: i64 = 30;

/// A secret that the stack made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRemoval {
    arn: String,
    name: String,
}

impl SecretRemoval {
    /// Finds the stack's own secrets among those listed by prefix, and among those that the proxy reads.
    ///
    /// # Errors
    /// When AWS refuses.
    pub async fn find(
        cloud: &Cloud,
        owner: &Owner,
        listed: Vec<(String, String, tags::Tags)>,
        proxy: Option<&TaggedProxy>,
    ) -> Result<Vec<Self>, Problem> {
        let ours = listed.into_iter().filter(|(_, _, tags)| owner.owns(tags));
        let mut found: Vec<Self> = ours.map(|(arn, name, _)| Self { arn, name }).collect();
        let prefix = format!(":secret:{}", secret_prefix(&owner.stack));
        // Lists of secrets lag minutes behind
        // (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_ListSecrets.html>).
        for auth in proxy.iter().flat_map(|found| &found.proxy.auth) {
            if !auth.secret.contains(&prefix) || found.iter().any(|known| known.arn == auth.secret) {
                continue;
            }
            let doing = format!("looking at the secret ({})", auth.secret);
            let secret = cloud.secrets.describe(&auth.secret).await.map_err(Problem::refused(doing))?;
            let secret = secret.filter(|secret| !secret.deleted && owner.owns(&secret.tags));
            found.extend(secret.map(|secret| Self { arn: secret.arn, name: secret.name }));
        }
        Ok(found)
    }

    /// The secret's ARN.
    pub(crate) fn arn(&self) -> &str {
        &self.arn
    }

    async fn delete(&self, run: &Run<'_>) -> Result<(), StepError> {
        let doing = format!("deleting the secret ({})", self.name);
        let poll =
            Poll::begin(run, Row::Step(StepId::SecretAccess), &doing, run.timeouts.propagation, PollInterval::Dense);
        poll.insist(run, async || run.cloud.secrets.delete(&self.arn, RECOVERY_DAYS).await).await
    }
}

impl Removal for SecretRemoval {
    fn step(&self) -> Option<StepId> {
        Some(StepId::SecretAccess)
    }

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn lines(&self) -> Vec<Line> {
        let how = format!("gone after {RECOVERY_DAYS} days, restorable until then");
        vec![Line::of('-', format!("secret {}", self.name), how)]
    }

    fn terms(&self) -> Vec<(String, Terms)> {
        let delete = format!("delete; restorable for {RECOVERY_DAYS} days");
        vec![(format!("secret {}", self.name), Terms::of([delete]).on("ARN", Some(self.arn.clone())))]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.delete(run))
    }
}

/// IAM authentication of the database, which the stack turned on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IamAuthRemoval {
    database: String,
    arn: String,
    cluster: bool,
    on: bool,
}

impl IamAuthRemoval {
    /// What the database's tag says of this stack.
    #[must_use]
    pub fn of(database: &Database, stack: &str) -> Option<Self> {
        (database.tags.get(tags::IAM_AUTH).map(String::as_str) == Some(stack)).then(|| Self {
            database: database.id.clone(),
            arn: database.arn.clone(),
            cluster: database.cluster,
            on: database.iam_authentication,
        })
    }

    /// Holds it to what the stack's own role remembers.
    #[must_use]
    pub fn judge(found: Option<Self>, role: Option<&Role>) -> Found<Self> {
        let confirmed = |found: &Self| role.is_some_and(|role| role.tags.get(tags::IAM_AUTH) == Some(&found.database));
        Found::judged(found, confirmed, |found| {
            format!("IAM authentication of {} (only a tag says that this stack turned it on)", found.database)
        })
    }

    async fn turn_off(&self, run: &Run<'_>) -> Result<(), StepError> {
        let (rds, database) = (&run.cloud.rds, self.database.as_str());
        let doing = format!("turning IAM authentication off ({database})");
        let poll =
            Poll::begin(run, Row::Step(StepId::SecretAccess), &doing, run.timeouts.database, PollInterval::Minutes);
        if self.on {
            poll.insist(run, async || rds.set_iam_authentication(database, self.cluster, false).await).await?;
        }
        poll.insist(run, async || rds.remove_tags(&self.arn, &[tags::IAM_AUTH.to_owned()]).await).await
    }
}

impl Removal for IamAuthRemoval {
    fn step(&self) -> Option<StepId> {
        Some(StepId::SecretAccess)
    }

    fn subject(&self) -> String {
        self.database.clone()
    }

    fn lines(&self) -> Vec<Line> {
        let how = if self.on { "turn off again, as it was" } else { "forget that this stack had it on" };
        vec![Line::of('~', format!("IAM authentication of {}", self.database), how)]
    }

    fn terms(&self) -> Vec<(String, Terms)> {
        let off = self.on.then(|| "turn off".to_owned());
        let forget = "forget that this stack turned it on".to_owned();
        vec![(format!("IAM authentication of {}", self.database), Terms::of(off.into_iter().chain([forget])))]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(self.turn_off(run))
    }
}
