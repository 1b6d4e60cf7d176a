//! What shows that functions without a sign in their variables log in with IAM tokens.
//!
//! Most functions without a visible password fetch it elsewhere, so silence proves nothing: a proxy that takes tokens
//! alone would cut them off. Where IAM authentication of the database is off, none of them connects with a token today
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.Enabling.html>), unless it goes
//! through a proxy already.

use std::collections::BTreeMap;

use super::auth::{silent, user_in};
use super::database::Database;
use super::functions::FunctionUse;
use super::hosts::HostKind;
use crate::cloud::iam::{Judgement, Known};
use crate::cloud::rds::Proxy;
use crate::cloud::sts::Identity;
use crate::cloud::{Cloud, Kind, Refusal};
use crate::engine::crowd;
use crate::templates;

/// What was looked at besides the variables.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// Whether IAM authentication of the database is on.
    pub(super) database: bool,
    /// How the proxy takes the functions that point at it already: with tokens alone, or with passwords alone.
    pub(super) proxy: Option<bool>,
    /// Whether a role may connect to the database with tokens, or why that was not looked at.
    pub(super) roles: BTreeMap<String, Result<bool, String>>,
}

/// Whether a proxy takes tokens alone, or passwords alone; neither where its entries differ.
pub(crate) fn takes(proxy: &Proxy) -> Option<bool> {
    let tokens = proxy.auth.first().map_or(proxy.iam_to_database, |first| first.iam);
    let one_way = proxy.auth.iter().all(|auth| auth.iam == tokens);
    (one_way && (proxy.iam_to_database || !proxy.auth.is_empty())).then_some(tokens)
}

/// What shows how one function logs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// With tokens: why.
    Token(String),
    /// With a password: why.
    Password(String),
    /// Nothing does: what was looked at.
    Nothing(String),
}

impl Evidence {
    /// Looks at what may speak for tokens where the settings leave it open: no call where the database's own settings
    /// do, else one a role.
    pub async fn read(
        cloud: &Cloud,
        database: &Database,
        functions: &[FunctionUse],
        proxy: Option<&Proxy>,
        who: &Identity,
    ) -> Self {
        let mut evidence =
            Self { database: database.iam_authentication, proxy: proxy.and_then(takes), roles: BTreeMap::new() };
        let unknown = |found: &&FunctionUse| silent(found) && !evidence.at_proxy(found);
        if evidence.database {
            return evidence;
        }
        let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for found in functions.iter().filter(unknown) {
            let user = user_in(found).map(|(user, _)| user).or(database.master_user.as_deref());
            users.entry(found.function.role.as_str()).or_default().push(user.unwrap_or("*"));
        }
        let asked = users.into_iter().map(async |(role, mut users)| {
            users.sort_unstable();
            users.dedup();
            let id = &database.resource_id;
            let of = |user| templates::db_user(&who.partition, &cloud.region, &who.account, id, user);
            let resources: Vec<String> = users.into_iter().map(of).collect();
            let known = Known { region: &cloud.region, account: &who.account, further: None };
            let judged = cloud.iam.simulate(role, "rds-db:connect", &resources, known).await;
            let allowed = judged.map(|judged| judged.iter().any(Judgement::allowed));
            let why = |refusal: Refusal| match refusal.kind {
                Kind::Denied => format!("{} is not allowed to these credentials", refusal.operation),
                _ => refusal.to_string(),
            };
            (role.to_owned(), allowed.map_err(why))
        });
        let roles: Vec<_> = crowd(asked.collect()).await;
        evidence.roles = roles.into_iter().collect();
        evidence
    }

    /// Whether a function points at the proxy already, and the proxy takes one way alone.
    fn at_proxy(&self, found: &FunctionUse) -> bool {
        self.proxy.is_some() && !found.holding(HostKind::is_ours).is_empty()
    }

    /// What shows how a function logs in whose variables say nothing.
    pub(super) fn of(&self, found: &FunctionUse) -> Shown {
        const SILENT: &str = "no password, no secret and no switch in the variables";
        if self.database {
            return Shown::Token(format!("{SILENT}, and IAM authentication of the database is on"));
        }
        if self.at_proxy(found) {
            return match self.proxy {
                Some(true) => Shown::Token("at the proxy already, which takes IAM tokens alone".to_owned()),
                _ => Shown::Password("at the proxy already, which takes passwords alone".to_owned()),
            };
        }
        let role = match self.roles.get(&found.function.role) {
            Some(Ok(true)) => {
                return Shown::Token(format!("{SILENT}, and the role may connect to the database with IAM tokens"));
            }
            Some(Ok(false)) => "its role may not connect to the database with IAM tokens".to_owned(),
            Some(Err(why)) => format!("whether its role may connect with IAM tokens is not known, since {why}"),
            None => "its role was not looked at".to_owned(),
        };
        Shown::Nothing(format!("{SILENT}; {role}; IAM authentication of the database is off"))
    }
}
