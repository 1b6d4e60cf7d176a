//! Where a profile's credentials come from, followed through the files to the end.

use aws_config::profile::{Profile, ProfileSet};

use super::settings::Profiles;
use crate::cause::Cause;

/// A role to assume on the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) profile: String,
    pub(super) arn: String,
    pub(super) mfa: Option<String>,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) seconds: Option<i32>,
}

/// What the last profile on the way has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// A pair of keys, and maybe a token.
    Keys(String, String, Option<String>),
    /// IAM Identity Center.
    Sso,
    /// `credential_process`.
    Process,
    /// `login_session`, of `aws login`.
    Login,
    /// A token file and a role.
    WebIdentity,
    /// `credential_source`.
    Named(String),
    /// Nothing that gives credentials.
    Nothing,
}

/// The way from the profile in use to its credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path {
    /// Roles, the one that is wanted first.
    pub(super) roles: Vec<Role>,
    /// The profile at the end.
    pub(super) end: String,
    /// What it has.
    pub(super) source: Source,
}

impl Path {
    /// Follows `source_profile` from a profile, in the order in which the SDK looks.
    pub(super) fn follow(set: &ProfileSet, selected: &str) -> Result<Self, Cause> {
        let (mut name, mut roles, mut way) = (selected, Vec::new(), Vec::<&str>::new());
        loop {
            let Some(profile) = set.get_profile(name) else {
                let files = Profiles::files();
                return Err(match way.last() {
                    Some(&from) => Cause::NoSourceProfile { profile: from.into(), source_profile: name.into(), files },
                    None => Cause::NoProfile { profile: name.into(), files },
                });
            };
            if way.contains(&name) {
                way.push(name);
                return Err(Cause::SourceLoop { path: way.join(" → "), files: Profiles::files() });
            }
            way.push(name);
            let source = source(set, profile)?;
            let keys = way.len() > 1 && profile.get("aws_access_key_id").is_some();
            let role = profile.get("role_arn").filter(|_| !keys && profile.get("web_identity_token_file").is_none());
            let Some(arn) = role else {
                return Ok(Self { roles, end: name.to_owned(), source });
            };
            let own = |key: &str| profile.get(key).filter(|value| !value.is_empty()).map(str::to_owned);
            roles.push(Role {
                profile: name.to_owned(),
                arn: arn.to_owned(),
                mfa: own("mfa_serial"),
                external_id: own("external_id"),
                session_name: own("role_session_name"),
                seconds: own("duration_seconds").and_then(|text| text.parse().ok()),
            });
            let wrong = |number| Cause::RoleSource { profile: name.to_owned(), files: Profiles::files(), number };
            match (profile.get("source_profile"), profile.get("credential_source")) {
                (Some(_), Some(_)) => return Err(wrong("both")),
                (None, None) => return Err(wrong("neither")),
                (Some(next), None) if next != name => name = next,
                _ => return Ok(Self { roles, end: name.to_owned(), source }),
            }
        }
    }
}

fn source(set: &ProfileSet, profile: &Profile) -> Result<Source, Cause> {
    let has = |key: &str| profile.get(key).is_some_and(|value| !value.is_empty());
    if let Some(named) = profile.get("credential_source") {
        return Ok(Source::Named(named.to_owned()));
    }
    if has("web_identity_token_file") {
        return Ok(Source::WebIdentity);
    }
    if let Some(session) = profile.get("sso_session").filter(|session| set.sso_session(session).is_none()) {
        return Err(Cause::NoSsoSession {
            profile: profile.name().to_owned(),
            session: session.to_owned(),
            files: Profiles::files(),
        });
    }
    if ["sso_session", "sso_start_url", "sso_account_id", "sso_role_name"].iter().any(|key| has(key)) {
        return Ok(Source::Sso);
    }
    if has("login_session") {
        return Ok(Source::Login);
    }
    if has("credential_process") {
        return Ok(Source::Process);
    }
    let half = |present, missing| {
        let place = format!("the profile {} in {}", profile.name(), Profiles::files());
        Err(Cause::HalfKey { place, present, missing })
    };
    match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
        (Some(key), Some(secret)) => {
            let token = profile.get("aws_session_token").map(str::to_owned);
            Ok(Source::Keys(key.to_owned(), secret.to_owned(), token))
        }
        (Some(_), None) => half("aws_access_key_id", "aws_secret_access_key"),
        (None, Some(_)) => half("aws_secret_access_key", "aws_access_key_id"),
        (None, None) => Ok(Source::Nothing),
    }
}
