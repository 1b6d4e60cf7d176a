//! The chain of credentials, and why it gave none.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{self, ProvideCredentials, future};
use aws_smithy_types::error::metadata::ErrorMetadata;

use super::path::{Path, Source};
use super::settings::{Profiles, env, on};
use super::{Access, Ask, role};
use crate::cause::{Cause, first_words};
use crate::error::find;

/// Credentials are renewed when they would end within this time.
const MARGIN: Duration = Duration::from_mins(1);

/// Credentials as the AWS CLI finds them.
pub(super) struct Provider {
    /// `--profile` alone is asked, whatever the environment holds.
    named: bool,
    profiles: Profiles,
    config: ProviderConfig,
    /// For our own calls of STS.
    sdk: SdkConfig,
    ask: Ask,
    chain: CredentialsProviderChain,
    kept: Mutex<Option<provider::Result>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("profile", &self.profiles.selected).finish_non_exhaustive()
    }
}

impl ProvideCredentials for Provider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            if let Some(kept) = self.kept() {
                return kept;
            }
            let found = self.look().await;
            if let Ok(credentials) = &found {
                self.keep(Ok(credentials.clone()));
            }
            found
        })
    }
}

impl Provider {
    pub(super) fn new(access: &Access, profiles: Profiles, config: ProviderConfig, sdk: SdkConfig) -> Self {
        let chain = chain(access, &profiles, &config);
        let named = access.profile.is_some();
        Self { named, profiles, config, sdk, ask: access.ask.clone(), chain, kept: Mutex::default() }
    }

    /// Looks once before the first call: a question to a person, a credential process or a log-in may take longer than
    /// a call is given.
    pub(super) async fn warm(&self) {
        let found = self.look().await;
        self.keep(found);
    }

    fn keep(&self, found: provider::Result) {
        *self.kept.lock().unwrap_or_else(PoisonError::into_inner) = Some(found);
    }

    fn kept(&self) -> Option<provider::Result> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &*kept {
            Some(Ok(held)) => {
                let lasts = held.expiry().is_none_or(|end| end > SystemTime::now() + MARGIN);
                if lasts { Some(Ok(held.clone())) } else { None }
            }
            // An error is reported once; the next call looks again.
            Some(Err(_)) => kept.take(),
            None => None,
        }
    }

    async fn look(&self) -> provider::Result {
        let path = self.path()?;
        if let Some(path) = &path {
            let own = path.source == Source::Login || path.roles.iter().any(|role| role.mfa.is_some());
            if own {
                return role::resolve(path, &self.config, &self.sdk, &self.ask)
                    .await
                    .map_err(CredentialsError::provider_error);
            }
        }
        let found = self.chain.provide_credentials().await;
        found.map_err(|error| CredentialsError::provider_error(self.explained(path.as_ref(), &error)))
    }

    /// The way through the files, where they are what counts.
    fn path(&self) -> Result<Option<Path>, CredentialsError> {
        if !self.named {
            match (env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY")) {
                (Some(_), Some(_)) => return Ok(None),
                (Some(_), None) => {
                    let (present, missing) = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY");
                    let half = Cause::HalfKey { place: "the environment".to_owned(), present, missing };
                    return Err(CredentialsError::provider_error(half));
                }
                _ => {}
            }
        }
        let set = self.profiles.set.as_ref().map_err(|cause| CredentialsError::provider_error(cause.clone()))?;
        if !self.profiles.chosen && set.get_profile(&self.profiles.selected).is_none() {
            return Ok(None);
        }
        Path::follow(set, &self.profiles.selected).map(Some).map_err(CredentialsError::provider_error)
    }

    fn explained(&self, path: Option<&Path>, error: &CredentialsError) -> Cause {
        if let Some(cause) = find::<Cause, _>(error) {
            return cause.clone();
        }
        let why = said(error);
        let Some(path) = path.filter(|path| path.source != Source::Nothing) else {
            return match error {
                CredentialsError::CredentialsNotLoaded(_) if self.profiles.chosen => Cause::Provider {
                    place: format!("the profile {} in {}", self.profiles.selected, Profiles::files()),
                    why: "it holds none, and names no way to get some".to_owned(),
                },
                CredentialsError::CredentialsNotLoaded(_) => Cause::Nothing,
                _ => Cause::Provider { place: "the environment or this machine's role".to_owned(), why },
            };
        };
        let profile = path.end.clone();
        let metadata = find::<ErrorMetadata, _>(error);
        let code = metadata.and_then(ErrorMetadata::code);
        match &path.source {
            Source::Sso if why.contains("expired") => Cause::Sso { profile, why: "it has expired".to_owned() },
            // The SDK does not say why; the file is written by a log-in.
            Source::Sso if why.contains("cached SSO token") || why.contains("No such file") => {
                Cause::Sso { profile, why: "nobody is logged in".to_owned() }
            }
            Source::Sso if code == Some("UnauthorizedException") => Cause::Sso { profile, why },
            Source::Process => Cause::Process { profile, why: process(&why) },
            _ => match path.roles.first() {
                Some(role) if code.is_some() => {
                    Cause::AssumeRole { profile: role.profile.clone(), role: role.arn.clone(), why, code: false }
                }
                _ => Cause::Provider { place: format!("the profile {profile} in {}", Profiles::files()), why },
            },
        }
    }
}

/// What an error says, to its end.
pub(super) fn said(error: &CredentialsError) -> String {
    if let Some(metadata) = find::<ErrorMetadata, _>(error)
        && let Some(code) = metadata.code()
    {
        return first_words(&format!("{code}: {}", metadata.message().unwrap_or("no message")), 400);
    }
    let mut words: Vec<String> = Vec::new();
    let mut current: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = current {
        let text = error.to_string();
        if words.last().is_none_or(|last| !last.contains(&text)) {
            words.push(text);
        }
        current = error.source();
    }
    // The outermost words only say that a provider failed.
    let skip = usize::from(words.len() > 1);
    first_words(&words.get(skip..).unwrap_or_default().join(": "), 400)
}

/// What became of a credential process, from the SDK's sentence.
fn process(said: &str) -> String {
    if let Some((_, rest)) = said.split_once("exited with code ") {
        let (status, stderr) = rest.split_once(". Stderr: ").unwrap_or((rest, ""));
        if status.contains("127") || stderr.contains("not found") {
            return format!("was not found: {}", first_words(stderr, 200));
        }
        return format!("failed ({status}): {}", first_words(stderr, 200));
    }
    match said.split_once("could not parse response: ") {
        Some((_, why)) => format!("printed something other than credentials: {}", first_words(why, 200)),
        None => format!("gave none: {}", first_words(said, 200)),
    }
}

fn chain(access: &Access, profiles: &Profiles, config: &ProviderConfig) -> CredentialsProviderChain {
    let mut profile = ProfileFileCredentialsProvider::builder().configure(config);
    if let Some(name) = &access.profile {
        profile = profile.profile_name(name);
        // A profile that was asked for by name is the answer, whatever else the environment holds.
        return CredentialsProviderChain::first_try("Profile", profile.build());
    }
    let chain = CredentialsProviderChain::first_try("Environment", EnvironmentVariableCredentialsProvider::new())
        .or_else("Profile", profile.build())
        .or_else("WebIdentityToken", WebIdentityTokenCredentialsProvider::builder().configure(config).build())
        .or_else("EcsContainer", EcsCredentialsProvider::builder().configure(config).build());
    match imds(profiles, config) {
        Some(imds) => chain.or_else("Ec2InstanceMetadata", imds),
        None => chain,
    }
}

/// The instance metadata service, where the settings name one or this machine is an EC2 instance.
pub(super) fn imds(profiles: &Profiles, config: &ProviderConfig) -> Option<ImdsCredentialsProvider> {
    if on(env("AWS_EC2_METADATA_DISABLED").as_deref()) {
        return None;
    }
    let named = env("AWS_EC2_METADATA_SERVICE_ENDPOINT").is_some()
        || profiles.get("ec2_metadata_service_endpoint").is_some()
        || env("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE").is_some();
    if !named && !on_ec2() {
        return None;
    }
    // One second and one attempt are the AWS CLI's own; a service that nobody named answers sooner, or is not there.
    let limit = Duration::from_millis(if named { 1_000 } else { 300 });
    let imds = aws_config::imds::Client::builder()
        .configure(config)
        .max_attempts(1)
        .connect_timeout(limit)
        .read_timeout(limit)
        .build();
    Some(ImdsCredentialsProvider::builder().configure(config).imds_client(imds).build())
}

/// Whether this machine says that it is an EC2 instance: nothing else has a metadata service to ask.
fn on_ec2() -> bool {
    let vendor = std::fs::read_to_string("/sys/class/dmi/id/sys_vendor").unwrap_or_default();
    let hypervisor = std::fs::read_to_string("/sys/hypervisor/uuid").unwrap_or_default();
    vendor.trim() == "Amazon EC2" || hypervisor.to_ascii_lowercase().starts_with("ec2")
}

/// Static keys.
pub(super) fn fixed(key: &str, secret: &str, token: Option<&str>) -> Credentials {
    Credentials::new(key, secret, token.map(str::to_owned), None, "Profile")
}
