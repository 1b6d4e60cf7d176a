//! What flags, environment and configuration files say about how to connect.

use std::collections::HashSet;

use aws_config::Region;
use aws_config::profile::{self, ProfileSet};
use aws_config::retry::{RetryConfig, RetryMode};
use aws_runtime::env_config::EnvConfigValue;

use super::{Access, ConnectError};
use crate::cause::Cause;
use crate::url;

/// Attempts at one call, where nothing else is set: the SDK retries throttling, 5xx and broken connections.
const ATTEMPTS: u32 = 5;
/// The services that are called, by the names that settings know them by
/// (<https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>).
const SERVICES: [&str; 13] = [
    "cloudwatch",
    "cloudwatch_logs",
    "ec2",
    "iam",
    "kms",
    "lambda",
    "pricing",
    "rds",
    "secrets_manager",
    "service_quotas",
    "sso",
    "sso_oidc",
    "sts",
];

/// A variable of the environment; an empty one counts as unset, as in the AWS CLI.
pub(super) fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.trim().is_empty())
}

/// A switch of the environment or the profile.
pub(super) fn on(value: Option<&str>) -> bool {
    value.is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
}

/// The configuration files, and which profile of them counts.
#[derive(Debug, Clone)]
pub(super) struct Profiles {
    /// What the files hold, or why they cannot be read.
    pub(super) set: Result<ProfileSet, Cause>,
    /// The profile in use.
    pub(super) selected: String,
    /// Whether somebody chose it: `--profile`, or `AWS_PROFILE`.
    pub(super) chosen: bool,
}

impl Profiles {
    #[expect(clippy::default_trait_access, reason = "the types belong to a crate that is no dependency of ours")]
    pub(super) async fn load(access: &Access) -> Self {
        let named = access.profile.clone().or_else(|| env("AWS_PROFILE"));
        let chosen = named.is_some();
        let selected = named.unwrap_or_else(|| "default".to_owned());
        if let Some(cause) = unreadable() {
            return Self { set: Err(cause), selected, chosen };
        }
        let name = Some(selected.clone().into());
        let loaded = profile::load(&Default::default(), &Default::default(), &Default::default(), name).await;
        let set = loaded.map_err(|error| {
            let mut why = error.to_string();
            let mut source = std::error::Error::source(&error);
            while let Some(error) = source {
                if !why.contains(&error.to_string()) {
                    why = format!("{why}: {error}");
                }
                source = error.source();
            }
            Cause::ConfigFile { why }
        });
        Self { set, selected, chosen }
    }

    /// A setting of the profile in use.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.set.as_ref().ok()?.get(key).filter(|value| !value.trim().is_empty())
    }

    /// The files, for messages.
    pub(super) fn files() -> String {
        let file = |variable: &str, usual: &str| env(variable).unwrap_or_else(|| usual.to_owned());
        format!(
            "{} or {}",
            file("AWS_CONFIG_FILE", "~/.aws/config"),
            file("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
        )
    }
}

/// A configuration file that is there and cannot be read: the SDK takes it for an empty one.
fn unreadable() -> Option<Cause> {
    let home = std::env::home_dir();
    [("AWS_CONFIG_FILE", ".aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials")].iter().find_map(
        |(variable, usual)| {
            let path = match (env(variable), &home) {
                (Some(path), Some(home)) => {
                    path.strip_prefix("~/").map_or_else(|| path.clone().into(), |rest| home.join(rest))
                }
                (Some(path), None) => path.into(),
                (None, home) => home.as_ref()?.join(usual),
            };
            match std::fs::read_to_string(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    Some(Cause::ConfigFile { why: format!("{}: {error}", path.display()) })
                }
                _ => None,
            }
        },
    )
}

/// The region: flag, environment, profile.
pub(super) fn region(access: &Access, profiles: &Profiles) -> Result<Region, ConnectError> {
    let environment = || ["AWS_REGION", "AWS_DEFAULT_REGION"].iter().find_map(|&name| Some((name, env(name)?)));
    let (place, region) = match &access.region {
        Some(region) => ("--region".to_owned(), region.clone()),
        None => match environment() {
            Some((name, region)) => (name.to_owned(), region),
            None => match profile_region(profiles) {
                Some((profile, region)) => (format!("region of the profile {profile}"), region),
                None => return Err(ConnectError::NoRegion),
            },
        },
    };
    // As botocore has it (botocore.utils.validate_region_name): a label of a host name, and not digits alone.
    let label = (1..=63).contains(&region.len())
        && region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !region.starts_with('-')
        && !region.ends_with('-')
        && !region.bytes().all(|byte| byte.is_ascii_digit());
    if label { Ok(Region::new(region)) } else { Err(ConnectError::Region { place, region }) }
}

/// The profile's region, or that of the profile it takes its credentials from.
fn profile_region(profiles: &Profiles) -> Option<(String, String)> {
    let set = profiles.set.as_ref().ok()?;
    let mut name = profiles.selected.as_str();
    let mut seen = HashSet::new();
    while seen.insert(name) {
        let profile = set.get_profile(name)?;
        if let Some(region) = profile.get("region").filter(|region| !region.is_empty()) {
            return Some((name.to_owned(), region.to_owned()));
        }
        name = profile.get("source_profile")?;
    }
    None
}

/// How often a call is attempted: `AWS_MAX_ATTEMPTS` and `AWS_RETRY_MODE`, or the profile's, or our own.
pub(super) fn retries(profiles: &Profiles) -> Result<RetryConfig, ConnectError> {
    let setting = |variable: &str, key: &str| {
        let from_env = env(variable).map(|value| (variable.to_owned(), value));
        from_env.or_else(|| {
            let value = profiles.get(key)?.to_owned();
            Some((format!("{key} of the profile {}", profiles.selected), value))
        })
    };
    let bad = |place: String, value: String, form: &'static str| Err(ConnectError::Setting { place, value, form });
    let mode = match setting("AWS_RETRY_MODE", "retry_mode") {
        None => RetryMode::Standard,
        Some((place, value)) => match value.trim().to_ascii_lowercase().as_str() {
            "adaptive" => RetryMode::Adaptive,
            // The SDK has no `legacy`; `standard` retries a superset of it.
            "standard" | "legacy" => RetryMode::Standard,
            _ => return bad(place, value, "It is standard, adaptive or legacy."),
        },
    };
    let attempts = match setting("AWS_MAX_ATTEMPTS", "max_attempts") {
        None => ATTEMPTS,
        Some((place, value)) => match value.trim().parse::<u32>() {
            Ok(attempts) if attempts > 0 => attempts,
            _ => return bad(place, value, "It is a number from 1."),
        },
    };
    Ok(RetryConfig::standard().with_retry_mode(mode).with_max_attempts(attempts))
}

/// The endpoints that are set anywhere, each held to one rule; what is not usable names where it was set.
pub(super) fn endpoints(access: &Access, profiles: &Profiles) -> Result<HashSet<String>, ConnectError> {
    let mut found = HashSet::new();
    let mut take = |place: &str, url: &str| {
        if let Some(why) = url::problem(url) {
            return Err(ConnectError::Endpoint { place: place.to_owned(), url: url.to_owned(), why });
        }
        found.insert(super::http::origin(url.trim_end_matches('/')));
        Ok(())
    };
    if let Some(url) = &access.endpoint_url {
        // It goes before all others; those of STS and SSO still count for credentials, and are held to the rule on use.
        take("--endpoint-url", url)?;
        return Ok(found);
    }
    let ignored = env("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    if on(ignored.as_deref().or_else(|| profiles.get("ignore_configured_endpoint_urls"))) {
        return Ok(found);
    }
    // As the SDK has it, any of these in the environment goes before those of the files.
    let everywhere = std::env::var("AWS_ENDPOINT_URL").ok();
    for service in SERVICES {
        let variable = format!("AWS_ENDPOINT_URL_{}", service.to_ascii_uppercase());
        if let Ok(url) = std::env::var(&variable) {
            take(&variable, &url)?;
        } else if let Some(url) = &everywhere {
            take("AWS_ENDPOINT_URL", url)?;
        } else if let Some((place, url)) = profile_endpoint(profiles, service) {
            take(&place, &url)?;
        }
    }
    Ok(found)
}

#[expect(clippy::default_trait_access, reason = "the types belong to a crate that is no dependency of ours")]
fn profile_endpoint(profiles: &Profiles, service: &str) -> Option<(String, String)> {
    let set = profiles.set.as_ref().ok()?;
    let (setting, nothing) = (EnvConfigValue::new().profile("endpoint_url").service_id(service), Default::default());
    let url = setting.load(&nothing, Some(set))?.0.into_owned();
    let place = match (profiles.get("endpoint_url"), profiles.get("services")) {
        (Some(plain), _) if plain == url => format!("endpoint_url of the profile {}", profiles.selected),
        (_, section) => format!("{service} in [services {}]", section.unwrap_or_default()),
    };
    Some((place, url))
}
