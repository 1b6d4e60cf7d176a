//! Short-lived functions: made of a zip in memory, called, and deleted.

use std::fmt;
use std::time::Duration;

use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{FunctionCode, LoggingConfig, Runtime, State as SdkState, VpcConfig};
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;

use super::Lambda;
use crate::cloud::Tags;
use crate::cloud::error::{Answer, Kind, Refusal, refuse};

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

/// What a call of a function gave.
#[derive(Clone, PartialEq, Eq)]
pub struct Invoked {
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
    /// Creates a function; it takes a while until it can be called.
    ///
    /// # Errors
    /// [`Kind::NotYet`] when the name is taken, or when AWS refuses otherwise.
    pub async fn create(&self, wanted: &NewFunction<'_>) -> Answer<()> {
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
            .runtime(Runtime::from("python3.13"))
            .handler(wanted.handler)
            .code(FunctionCode::builder().zip_file(Blob::new(wanted.code)).build())
            .role(wanted.role)
            .vpc_config(network.build())
            .set_logging_config(logging)
            .memory_size(128)
            .timeout(wanted.timeout)
            .set_tags(Some(wanted.tags.clone().into_iter().collect()));
        call.send().await.map(drop).map_err(|error| refuse("lambda:CreateFunction", &error))
    }

    /// Calls a function once and waits for its answer.
    ///
    /// # Errors
    /// [`Kind::NotYet`] while it or its network interfaces are being made, [`Kind::NotFound`] when it is gone, or when AWS
    /// refuses otherwise.
    pub async fn invoke(&self, name: &str, payload: &[u8], patience: Duration) -> Answer<Invoked> {
        const CALL: &str = "lambda:InvokeFunction";
        // One attempt of the usual length would end before the function does; and it is asked once: whoever wants to
        // know again asks again.
        let own = self.client.config().timeout_config();
        let attempt = own.and_then(TimeoutConfig::operation_attempt_timeout).unwrap_or(patience).max(patience);
        let long = own.map_or_else(TimeoutConfig::builder, TimeoutConfig::to_builder);
        let long = long.read_timeout(attempt).operation_attempt_timeout(attempt).operation_timeout(attempt).build();
        let config = Builder::new().timeout_config(long).retry_config(RetryConfig::disabled());
        let call = self.client.invoke().function_name(name).payload(Blob::new(payload));
        let answer = call.customize().config_override(config).send().await.map_err(|error| refuse(CALL, &error))?;
        let payload = answer.payload.ok_or_else(|| Refusal::incomplete(CALL, "the function's answer"))?;
        let payload = String::from_utf8_lossy(payload.as_ref()).into_owned();
        Ok(Invoked { payload, failed: answer.function_error.is_some() })
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

/// Lists do not tell the state.
pub(super) fn state(state: Option<&SdkState>, reason: Option<String>) -> State {
    match state {
        None | Some(SdkState::Active | SdkState::Inactive) => State::Active,
        Some(SdkState::Failed) => State::Failed(reason.unwrap_or_else(|| "AWS gave no reason".to_owned())),
        Some(other) => State::Passing(other.as_str().to_owned()),
    }
}
