//! The proxy as a client meets it: where it listens, how one logs in there, and as whom.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::cloud::rds::{EngineFamily, Proxy};
use crate::cloud::{Answer, Cloud};
use crate::discover::Problem;
use crate::engine::Timeouts;
use crate::spec::{ClientAuth, DatabaseRef, Spec};
use crate::survey::Survey;
use crate::templates;

/// Where clients connect, and how they log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrance {
    /// The proxy.
    pub proxy: Proxy,
    /// What it speaks.
    pub family: EngineFamily,
    /// The host: of its default endpoint, or of the read-only one.
    pub host: String,
    /// The port, which follows from the family and not from the database's own.
    pub port: u16,
}

impl Entrance {
    /// Finds the proxy and the endpoint that was asked for.
    ///
    /// # Errors
    /// When there is none, or it is not ready.
    pub async fn find(cloud: &Cloud, database: &DatabaseRef, stack: &str, reader: bool) -> Result<Self, Problem> {
        let doing = format!("looking for the proxy ({stack})");
        if let Some(place) = database.place.as_ref().filter(|place| place.region != cloud.region) {
            return Err(Problem::unfit(
                format!(
                    "{doing}: the database's ARN is of {}, but the region in use is {}",
                    place.region, cloud.region
                ),
                [format!("Run it there: --region {}.", place.region)],
            ));
        }
        let found = cloud.rds.proxy(stack).await.map_err(Problem::refused(doing.clone()))?;
        let Some(proxy) = found else {
            return Err(Problem::unfit(
                format!("{doing}: there is none of this name in {}", cloud.region),
                ["Put one in front of the database first, with up; or give its name, with --name."],
            ));
        };
        let missing = |what: &str| {
            let wait = "Wait until it is available; status shows how it stands.";
            Problem::unfit(format!("{doing}: it has no {what} yet (its status is {})", proxy.status), [wait])
        };
        let family = proxy.family.ok_or_else(|| {
            let why = "its engine family is none that this program knows";
            Problem::unfit(format!("{doing}: {why}"), ["A newer version of this program may know it."])
        })?;
        let host = if reader {
            let doing = format!("looking for the read-only endpoint ({stack})");
            let all = cloud.rds.endpoints(stack).await.map_err(Problem::refused(doing.clone()))?;
            let Some(found) = all.into_iter().find(|endpoint| endpoint.read_only) else {
                let hint = "up --reader-endpoint always creates one, where the database has a reader.";
                return Err(Problem::unfit(format!("{doing}: the proxy has none"), [hint]));
            };
            found.host.ok_or_else(|| missing("read-only endpoint"))?
        } else {
            proxy.endpoint.clone().ok_or_else(|| missing("endpoint"))?
        };
        Ok(Self { port: family.proxy_port(), family, host, proxy })
    }

    /// Whether it takes IAM tokens from clients.
    #[must_use]
    pub fn takes_tokens(&self) -> bool {
        self.proxy.iam_to_database || self.proxy.auth.iter().any(|auth| auth.iam)
    }

    /// What a caller must be allowed to do to log in as a user, as action and resource.
    #[must_use]
    pub fn right(&self, user: &str) -> String {
        // arn:PARTITION:rds:REGION:ACCOUNT:db-proxy:prx-…
        let parts: Vec<&str> = self.proxy.arn.splitn(7, ':').collect();
        let part = |at: usize| parts.get(at).copied().unwrap_or("*");
        let (partition, region, account, id) = (part(1), part(3), part(4), part(6));
        format!("rds-db:connect on {}", templates::db_user(partition, region, account, id, user))
    }

    /// The account as it is, with the way of logging in that the proxy has, whatever the functions carry.
    ///
    /// # Errors
    /// When the account cannot be read.
    pub async fn survey(&self, cloud: &Cloud, spec: Spec) -> Result<Survey, Problem> {
        let client_auth = if self.takes_tokens() { ClientAuth::Iam } else { ClientAuth::Password };
        let spec = Spec { client_auth, ..spec };
        Box::pin(Survey::read(cloud, &spec, Timeouts::default())).await
    }
}

/// The one database user that the account shows.
///
/// # Errors
/// When it shows none, or several: then the user must choose.
pub async fn user(cloud: &Cloud, survey: &Survey) -> Result<String, Problem> {
    let doing = format!("choosing the database user ({})", survey.names.stack);
    let secrets = survey.secrets.found.iter().filter_map(|secret| secret.user.clone()).collect();
    let mut sources: Vec<(&str, BTreeSet<String>)> =
        vec![("the functions log in as", survey.login.users.iter().cloned().collect())];
    if survey.login.users.is_empty() {
        let allowed = users_of_policies(cloud, survey).await.map_err(Problem::refused(doing.clone()))?;
        sources.push(("the connect policy allows", allowed));
    }
    sources.push(("the proxy has secrets of", secrets));
    sources.push(("the master user is", survey.database.master_user.iter().cloned().collect()));
    let told = sources.into_iter().find(|(_, users)| !users.is_empty());
    let (source, users) = told.unwrap_or(("nothing here names one", BTreeSet::new()));
    let mut users = users.into_iter();
    match (users.next(), users.next()) {
        (Some(only), None) => Ok(only),
        (Some(first), Some(second)) => {
            let all: Vec<String> = [first, second].into_iter().chain(users).collect();
            let hint = format!("Name one of them: --db-user {}.", all.first().map_or("USER", String::as_str));
            Err(Problem::unfit(format!("{doing}: {source} {}", all.join(" and ")), [hint]))
        }
        _ => Err(Problem::unfit(format!("{doing}: {source}"), ["Name one: --db-user USER."])),
    }
}

/// The users that the connect policies name; one for any user names none.
async fn users_of_policies(cloud: &Cloud, survey: &Survey) -> Answer<BTreeSet<String>> {
    let mut users = BTreeSet::new();
    for found in survey.seen.rights.policies.present().into_iter().flatten().map(|(_, found)| found) {
        let document = cloud.iam.policy_document(&found.policy.arn, &found.policy.version).await?;
        let resources = document["Statement"][0]["Resource"].as_array().cloned().unwrap_or_default();
        let user = |resource: &Value| resource.as_str()?.rsplit_once('/').map(|(_, user)| user.to_owned());
        users.extend(resources.iter().filter_map(user).filter(|user| !user.contains('*')));
    }
    Ok(users)
}
