//! Temporary functions: created from a zip in memory, called, and deleted.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    EnvironmentResponse, FunctionCode, FunctionConfiguration, LoggingConfig, PackageType, Runtime, State as SdkState,
    VpcConfig,
};
use aws_smithy_types::base64;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use sha2::{Digest, Sha256};

use super::{LATEST, Lambda};
use crate::Tags;
use crate::error::{Answer, Kind, Refusal, refuse};

/// What it runs on.
const RUNTIME: &str = "python3.13";

/// A function to be made, in Python.
#[derive(Debug, Clone)]
pub struct NewFunction<'a> {
    /// The name.
    pub name: &'a str,
    /// Words for people.
    pub description: &'a str,
    /// `module.function`.
    pub handler: &'a str,
    /// The zip.
    pub code: &'a [u8],
    /// The execution role's ARN.
    pub role: &'a str,
    /// The subnets.
    pub subnets: &'a [String],
    /// The security groups.
    pub security_groups: &'a [String],
    /// Whether it may use IPv6 in dual-stack subnets.
    pub ipv6: bool,
    /// The log group; Lambda's own choice where unset.
    pub log_group: Option<&'a str>,
    /// Seconds.
    pub timeout: i32,
    /// The tags.
    pub tags: &'a Tags,
}

/// Whether a function can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It can.
    Active,
    /// Not yet, in AWS's word.
    Passing(String),
    /// It never will: why.
    Failed(String),
}

/// A version as AWS shows it, compared with the function that was to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Its number.
    pub number: String,
    /// Whether it can be called.
    pub state: State,
    /// What is not as it was sent. A version never changes, so such a one is someone else's.
    pub differs: Vec<&'static str>,
}

/// What a call of a function gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Invoked {
    /// The version that answered.
    pub version: String,
    /// The answer, JSON.
    pub payload: String,
    /// Whether the function failed rather than answered.
    pub failed: bool,
}

impl fmt::Debug for Invoked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invoked").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Lambda {
    /// Creates a function and publishes it by the same call; it takes a while until the version can be called.
    ///
    /// # Errors
    /// [`Kind::NotYet`] when the name is taken, or when AWS refuses otherwise.
    pub async fn create(&self, wanted: &NewFunction<'_>) -> Answer<Published> {
        const CALL: &str = "lambda:CreateFunction";
        let network = VpcConfig::builder()
            .set_subnet_ids(Some(wanted.subnets.to_vec()))
            .set_security_group_ids(Some(wanted.security_groups.to_vec()))
            .ipv6_allowed_for_dual_stack(wanted.ipv6);
        let logging = wanted.log_group.map(|group| LoggingConfig::builder().log_group(group).build());
        let call = self
            .client
            .create_function()
            .function_name(wanted.name)
            .description(wanted.description)
            .runtime(Runtime::from(RUNTIME))
            .publish(true)
            .handler(wanted.handler)
            .code(FunctionCode::builder().zip_file(Blob::new(wanted.code)).build())
            .role(wanted.role)
            .vpc_config(network.build())
            .set_logging_config(logging)
            .memory_size(128)
            .timeout(wanted.timeout)
            .set_tags(Some(wanted.tags.clone().into_iter().collect()));
        let answer = call.send().await.map_err(|error| refuse(CALL, &error))?;
        let number = answer.version.filter(|number| number != LATEST);
        let number = number.ok_or_else(|| Refusal::incomplete(CALL, "the version that was published"))?;
        // What it consists of is read before each call of it.
        Ok(Published { number, state: state(answer.state.as_ref(), answer.state_reason), differs: Vec::new() })
    }

    /// Reads one version of a function, and what of it is not as wanted.
    ///
    /// # Errors
    /// When AWS refuses, other than by saying that there is none.
    pub async fn published(&self, wanted: &NewFunction<'_>, number: &str) -> Answer<Option<Published>> {
        const CALL: &str = "lambda:GetFunction";
        let found = match self.client.get_function().function_name(wanted.name).qualifier(number).send().await {
            Ok(answer) => answer.configuration.ok_or_else(|| Refusal::incomplete(CALL, "the configuration"))?,
            Err(error) => {
                let refusal = refuse(CALL, &error);
                return if refusal.kind == Kind::NotFound { Ok(None) } else { Err(refusal) };
            }
        };
        let differs = differences(wanted, number, &found);
        Ok(Some(Published {
            number: number.to_owned(),
            state: state(found.state.as_ref(), found.state_reason),
            differs,
        }))
    }

    /// Calls one version of a function once and waits for its answer.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while it or its network interfaces are being made, [`Kind::NotFound`] when it is gone, or when
    /// AWS refuses otherwise.
    pub async fn invoke(&self, name: &str, version: &str, payload: &[u8], timeouts: Duration) -> Answer<Invoked> {
        const CALL: &str = "lambda:InvokeFunction";
        // One attempt of the usual length would end before the function does; and it is asked once: a caller that wants
        // to know again asks again.
        let own = self.client.config().timeout_config();
        let attempt = own.and_then(TimeoutConfig::operation_attempt_timeout).unwrap_or(timeouts).max(timeouts);
        let long = own.map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        let long = long.read_timeout(attempt).operation_attempt_timeout(attempt).operation_timeout(attempt).build();
        let config = Builder::new().timeout_config(long).retry_config(RetryConfig::disabled());
        let call = self.client.invoke().function_name(name).qualifier(version).payload(Blob::new(payload));
        let answer = call.customize().config_override(config).send().await.map_err(|error| refuse(CALL, &error))?;
        let payload = answer.payload.ok_or_else(|| Refusal::incomplete(CALL, "the function's answer"))?;
        let payload = String::from_utf8_lossy(payload.as_ref()).into_owned();
        let version = answer.executed_version.ok_or_else(|| Refusal::incomplete(CALL, "the version that answered"))?;
        Ok(Invoked { version, payload, failed: answer.function_error.is_some() })
    }

    /// Deletes a function with all its versions; one that is gone already is fine.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while it is being made, or when AWS refuses otherwise.
    pub async fn delete(&self, name: &str) -> Answer<()> {
        let call = self.client.delete_function().function_name(name).send().await;
        match call.map(drop).map_err(|error| refuse("lambda:DeleteFunction", &error)) {
            Err(refusal) if refusal.kind == Kind::NotFound => Ok(()),
            answer => answer,
        }
    }
}

/// What of a version is not as it was sent, or cannot be seen. Code that is not ours would come in by any of these: the
/// package itself, its entry point, layers, variables that the runtime obeys (`PYTHONPATH`), or a file system.
fn differences(wanted: &NewFunction<'_>, number: &str, found: &FunctionConfiguration) -> Vec<&'static str> {
    let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
    let network = found.vpc_config.as_ref();
    let subnets = network.map(|network| set(network.subnet_ids())).unwrap_or_default();
    let groups = network.map(|network| set(network.security_group_ids())).unwrap_or_default();
    let ipv6 = network.and_then(|network| network.ipv6_allowed_for_dual_stack).unwrap_or(false);
    let variables = found.environment.as_ref();
    let empty = |map: &EnvironmentResponse| {
        map.error.is_none() && map.variables.as_ref().is_none_or(std::collections::HashMap::is_empty)
    };
    let log_group = found.logging_config.as_ref().and_then(|logging| logging.log_group.as_deref());
    let code = base64::encode(Sha256::digest(wanted.code));
    let zip = found.package_type.as_ref().is_none_or(|kind| *kind == PackageType::Zip);
    let all = [
        ("name", found.function_name.as_deref() == Some(wanted.name)),
        ("version", found.version.as_deref() == Some(number) && number != LATEST),
        ("code", zip && found.code_sha256.as_deref() == Some(code.as_str())),
        ("runtime", found.runtime.as_ref().is_some_and(|runtime| runtime.as_str() == RUNTIME)),
        ("handler", found.handler.as_deref() == Some(wanted.handler)),
        ("role", found.role.as_deref() == Some(wanted.role)),
        ("subnets", subnets == set(wanted.subnets)),
        ("security groups", groups == set(wanted.security_groups)),
        ("IPv6", ipv6 == wanted.ipv6),
        ("layers", found.layers().is_empty()),
        ("environment variables", variables.is_none_or(empty)),
        ("file systems", found.file_system_configs().is_empty()),
        ("log group", wanted.log_group.is_none_or(|group| log_group == Some(group))),
    ];
    all.into_iter().filter(|(_, same)| !same).map(|(name, _)| name).collect()
}

/// Lists do not show the state.
pub(super) fn state(state: Option<&SdkState>, reason: Option<String>) -> State {
    match state {
        None | Some(SdkState::Active | SdkState::Inactive) => State::Active,
        Some(SdkState::Failed) => State::Failed(reason.unwrap_or_else(|| "AWS gave no reason".to_owned())),
        Some(other) => State::Passing(other.as_str().to_owned()),
    }
}
