//! From flags and environment to clients that are ready to call AWS.

use std::time::Duration;

use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::{EnvironmentVariableCredentialsProvider, EnvironmentVariableRegionProvider};
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::web_identity_token::WebIdentityTokenCredentialsProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_async::time::SystemTimeSource;
use aws_smithy_http_client::tls::{self, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::calls::Calls;
use super::pace::paced;
use crate::clock::Clock;

/// Connecting, at most.
const CONNECT: Duration = Duration::from_millis(3_100);
/// One attempt, at most: a dead connection must not hang a step (the SDK has no such limit by default).
const ATTEMPT: Duration = Duration::from_secs(15);
/// One call with its retries, at most.
const OPERATION: Duration = Duration::from_mins(1);
/// Attempts at one call: the SDK retries throttling, 5xx and broken connections.
const ATTEMPTS: u32 = 5;

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
}

/// Builds the SDK's configuration for a real account.
///
/// The credential chain is put together by hand: the SDK's default one asks the instance metadata
/// service of a machine that has none for seconds, once a client.
///
/// # Errors
/// When there is no region, or a CA bundle cannot be read.
pub(super) async fn real(access: &Access) -> Result<SdkConfig, ConnectError> {
    let http = https()?;
    let region = region(access).await.ok_or(ConnectError::NoRegion)?;
    let provider = ProviderConfig::without_region().with_region(Some(region.clone())).with_http_client(http.clone());
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(region)
        .http_client(paced(http, &Clock::real()))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(timeouts(1.0))
        .credentials_provider(chain(access, &provider).await);
    if let Some(profile) = &access.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &access.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    Ok(loader.load().await)
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
        .time_source(SystemTimeSource::new())
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
        Sleep::new(tokio::time::sleep(self.0.real_span(duration)))
    }
}

async fn region(access: &Access) -> Option<Region> {
    if let Some(region) = &access.region {
        return Some(Region::new(region.clone()));
    }
    if let Some(region) = EnvironmentVariableRegionProvider::new().region().await {
        return Some(region);
    }
    let mut provider = ProfileFileRegionProvider::builder();
    if let Some(profile) = &access.profile {
        provider = provider.profile_name(profile);
    }
    provider.build().region().await
}

async fn chain(access: &Access, config: &ProviderConfig) -> CredentialsProviderChain {
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
    if !on_ec2() {
        return chain;
    }
    let imds = aws_config::imds::Client::builder()
        .configure(config)
        .max_attempts(1)
        .connect_timeout(Duration::from_millis(300))
        .read_timeout(Duration::from_millis(300))
        .build();
    chain.or_else("Ec2InstanceMetadata", ImdsCredentialsProvider::builder().configure(config).imds_client(imds).build())
}

/// Whether this machine says that it is an EC2 instance: nothing else has a metadata service to ask.
fn on_ec2() -> bool {
    let disabled = std::env::var("AWS_EC2_METADATA_DISABLED").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    let vendor = std::fs::read_to_string("/sys/class/dmi/id/sys_vendor").unwrap_or_default();
    let hypervisor = std::fs::read_to_string("/sys/hypervisor/uuid").unwrap_or_default();
    !disabled && (vendor.trim() == "Amazon EC2" || hypervisor.to_ascii_lowercase().starts_with("ec2"))
}

fn https() -> Result<SharedHttpClient, ConnectError> {
    let mut trust = TrustStore::default();
    if let Ok(path) = std::env::var("AWS_CA_BUNDLE") {
        let pem = std::fs::read(&path).map_err(|source| ConnectError::CaBundle { path, source })?;
        trust = trust.with_pem_certificate(pem);
    }
    let context =
        TlsContext::builder().with_trust_store(trust).build().map_err(|error| ConnectError::Tls(error.to_string()))?;
    Ok(aws_smithy_http_client::Builder::new()
        .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
        .tls_context(context)
        .build_https())
}
