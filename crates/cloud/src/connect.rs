//! From flags and environment to clients that are ready to call AWS.

mod credentials;
mod http;
mod path;
mod proxy;
mod role;
mod settings;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::identity::IdentityCache;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, FrameworkMetadata, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::TimeSource;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use clock::Clock;

use super::calls::Calls;
use super::cause::Cause;
use super::pace::paced;

pub(crate) use http::{Endpoint, opening};

/// Connecting, at most.
const CONNECT: Duration = Duration::from_millis(3_100);
/// One attempt, at most: a dead connection must not hang a step (the SDK has no such limit by default).
const ATTEMPT: Duration = Duration::from_secs(15);
/// One call with its retries, at most.
const OPERATION: Duration = Duration::from_mins(1);
/// Attempts at one call in the simulated account.
const ATTEMPTS: u32 = 5;
/// Credentials, at most: a credential process may log somebody in.
const CREDENTIALS: Duration = Duration::from_mins(2);

/// Where and as whom to call.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// `--region`.
    pub region: Option<String>,
    /// `--profile`.
    pub profile: Option<String>,
    /// `--endpoint-url`, checked before.
    pub endpoint_url: Option<String>,
    /// Who hears of every call.
    pub calls: Calls,
    /// Who is asked for the code of an MFA device.
    pub ask: Ask,
}

type Answers = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Asks a person, where there is one.
#[derive(Clone, Default)]
pub struct Ask(Option<Arc<Answers>>);

impl Ask {
    /// Puts questions to `answers`; `None` means that nobody answered.
    pub fn through(answers: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(answers)))
    }

    /// Apart from what else is under way: an answer may take long, or never come.
    async fn put(&self, question: String) -> Option<String> {
        let answers = Arc::clone(self.0.as_ref()?);
        tokio::task::spawn_blocking(move || answers(&question)).await.ok().flatten()
    }
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ask").field(&self.0.is_some()).finish()
    }
}

/// Why there is no connection to AWS.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No region anywhere.
    #[error("no AWS region is set")]
    NoRegion,
    /// `AWS_CA_BUNDLE` cannot be read.
    #[error("reading the certificates (AWS_CA_BUNDLE={path}): {source}")]
    CaBundle {
        /// The path in the variable.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The TLS settings were refused.
    #[error("preparing TLS: {0}")]
    Tls(String),
    /// A region that cannot be part of a host name.
    #[error("{place} {region:?} is not usable: no region looks like that")]
    Region {
        /// Where it was set.
        place: String,
        /// What it is.
        region: String,
    },
    /// An endpoint that breaks the rule.
    #[error("{place} {url:?} is not usable: {why}")]
    Endpoint {
        /// Where it was set.
        place: String,
        /// What it is.
        url: String,
        /// Which part of the rule.
        why: &'static str,
    },
    /// A proxy that cannot be used.
    #[error("{variable} ({shown}) is not usable: {why}")]
    Proxy {
        /// The variable.
        variable: &'static str,
        /// Its address without user and password.
        shown: String,
        /// Why.
        why: &'static str,
    },
    /// Any other setting that cannot be read.
    #[error("{place} {value:?} is not usable")]
    Setting {
        /// Where it was set.
        place: String,
        /// What it is.
        value: String,
        /// What it should be.
        form: &'static str,
    },
    /// The profile, or the files that it should be in.
    #[error("reading the AWS configuration: {0}")]
    Profile(Cause),
}

/// Builds the SDK's configuration for a real account.
///
/// The credential chain is put together by hand: the SDK's default one asks the instance metadata
/// service of a machine that has none for seconds, once a client.
///
/// # Errors
/// When there is no region, a setting is not usable, or a CA bundle cannot be read.
pub(super) async fn real(access: &Access) -> Result<SdkConfig, ConnectError> {
    let profiles = settings::Profiles::load(access).await;
    match &profiles.set {
        Err(cause) => return Err(ConnectError::Profile(cause.clone())),
        Ok(set) if profiles.chosen && set.get_profile(&profiles.selected).is_none() => {
            let (profile, files) = (profiles.selected.clone(), settings::Profiles::files());
            return Err(ConnectError::Profile(Cause::NoProfile { profile, files }));
        }
        Ok(_) => {}
    }
    let region = settings::region(access, &profiles)?;
    let endpoints = settings::endpoints(access, &profiles)?;
    let bundle = settings::env("AWS_CA_BUNDLE").or_else(|| profiles.get("ca_bundle").map(str::to_owned));
    let http = http::client(bundle.as_deref(), endpoints)?;
    let retries = settings::retries(&profiles)?;
    let provider = ProviderConfig::without_region()
        .with_region(Some(region.clone()))
        .with_http_client(http.clone())
        .with_timeout_config(timeouts(1.0));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(paced(http, &Clock::real()))
        .retry_config(retries)
        .timeout_config(timeouts(1.0))
        .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS).build())
        .no_credentials();
    // CloudTrail shows who it was. The app id is left to AWS_SDK_UA_APP_ID.
    if let Ok(name) = FrameworkMetadata::new("rdsproxy-setup", Some(env!("CARGO_PKG_VERSION"))) {
        loader = loader.framework_metadata(name);
    }
    if let Some(profile) = &access.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &access.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    let config = loader.load().await;
    // As in the AWS CLI, --endpoint-url is not where roles are assumed.
    let mut plain = config.to_builder();
    if access.endpoint_url.is_some() {
        plain.set_endpoint_url(None);
    }
    let provider = credentials::Provider::new(access, profiles, provider, plain.build());
    provider.warm().await;
    Ok(config.into_builder().credentials_provider(SharedCredentialsProvider::new(provider)).build())
}

/// Builds the SDK's configuration for an account behind `http`, with time as `clock` runs it.
pub(super) fn mounted(http: SharedHttpClient, region: &str, access_key: &str, clock: &Clock) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(region.to_owned()))
        .http_client(paced(http, clock))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts(clock.speed()))
        .sleep_impl(SharedAsyncSleep::new(ClockSleep(clock.clone())))
        .time_source(ClockTime { origin: SystemTime::now(), begun: clock.elapsed(), clock: clock.clone() })
        .identity_cache(aws_config::identity::IdentityCache::lazy().build())
        .credentials_provider(SharedCredentialsProvider::new(Credentials::new(
            access_key,
            "sandbox-secret-key",
            None,
            None,
            "sandbox",
        )))
        .build()
}

/// The limits of one call on a clock of this speed: always so many seconds of the wall's, since what they guard
/// against is a machine or a network that hangs.
fn timeouts(speed: f64) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT.mul_f64(speed))
        .read_timeout(ATTEMPT.mul_f64(speed))
        .operation_attempt_timeout(ATTEMPT.mul_f64(speed))
        .operation_timeout(OPERATION.mul_f64(speed))
        .build()
}

/// The SDK's own waits (retries, time-outs) on the run's clock.
#[derive(Debug)]
struct ClockSleep(Clock);

impl AsyncSleep for ClockSleep {
    fn sleep(&self, duration: Duration) -> Sleep {
        Sleep::new(self.0.sleeping(duration))
    }
}

/// The date of requests, on the run's clock: what happened a minute ago by that clock is a minute old in what AWS says.
#[derive(Debug)]
struct ClockTime {
    origin: SystemTime,
    begun: Duration,
    clock: Clock,
}

impl TimeSource for ClockTime {
    fn now(&self) -> SystemTime {
        self.origin + self.clock.elapsed().saturating_sub(self.begun)
    }
}
