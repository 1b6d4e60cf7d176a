//! What the SDK does not do: roles that want a code of an MFA device, and sessions of `aws login`.

use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_sdk_sts::Client;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use serde_json::Value;

use super::Ask;
use super::credentials::{fixed, said};
use super::path::{Path, Role, Source};
use super::settings::Profiles;
use crate::cause::{Cause, first_words};
use crate::error::find;

/// How long the AWS CLI may take; it asks nobody, and at most renews a token.
const CLI: Duration = Duration::from_secs(30);

/// Gets the credentials at the end of a path, and assumes its roles with them.
pub(super) async fn resolve(
    path: &Path,
    config: &ProviderConfig,
    sdk: &SdkConfig,
    ask: &Ask,
) -> Result<Credentials, Cause> {
    let mut credentials = source(path, config).await?;
    for role in path.roles.iter().rev() {
        credentials = assume(role, credentials, sdk, ask).await?;
    }
    Ok(credentials)
}

async fn source(path: &Path, config: &ProviderConfig) -> Result<Credentials, Cause> {
    let found = match &path.source {
        Source::Keys(key, secret, token) => return Ok(fixed(key, secret, token.as_deref())),
        Source::Login => return login(&path.end).await,
        Source::Named(name) => match name.as_str() {
            "Environment" => EnvironmentVariableCredentialsProvider::new().provide_credentials().await,
            "EcsContainer" => EcsCredentialsProvider::builder().configure(config).build().provide_credentials().await,
            "Ec2InstanceMetadata" => {
                ImdsCredentialsProvider::builder().configure(config).build().provide_credentials().await
            }
            _ => {
                let why = format!("credential_source = {name} is not known");
                return Err(Cause::Provider { place: format!("the profile {}", path.end), why });
            }
        },
        Source::Sso | Source::Process | Source::WebIdentity | Source::Nothing => {
            let provider = ProfileFileCredentialsProvider::builder().configure(config).profile_name(&path.end).build();
            provider.provide_credentials().await
        }
    };
    found.map_err(|error| match find::<Cause, _>(&error) {
        Some(cause) => cause.clone(),
        None => {
            Cause::Provider { place: format!("the profile {} in {}", path.end, Profiles::files()), why: said(&error) }
        }
    })
}

async fn assume(role: &Role, from: Credentials, sdk: &SdkConfig, ask: &Ask) -> Result<Credentials, Cause> {
    let code = match &role.mfa {
        None => None,
        Some(serial) => {
            let question = format!("Code of the MFA device {serial} (profile {}):", role.profile);
            let code = ask.put(question).await.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
            let missing = || Cause::Mfa { profile: role.profile.clone(), serial: serial.clone() };
            Some((serial.clone(), code.ok_or_else(missing)?))
        }
    };
    let failed = |why: String| Cause::AssumeRole {
        profile: role.profile.clone(),
        role: role.arn.clone(),
        why,
        code: role.mfa.is_some(),
    };
    let config = sdk.to_builder().credentials_provider(SharedCredentialsProvider::new(from)).build();
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let session = role.session_name.clone().unwrap_or_else(|| format!("rdsproxy-setup-{seconds}"));
    let (serial, code) = code.unzip();
    let call = Client::new(&config).assume_role().role_arn(&role.arn).role_session_name(session);
    let call = call.set_serial_number(serial).set_token_code(code).set_external_id(role.external_id.clone());
    let answer = call.set_duration_seconds(role.seconds).send().await.map_err(|error| {
        if let Some(cause) = find::<Cause, _>(&error) {
            return cause.clone();
        }
        let service = error.as_service_error().map(ProvideErrorMetadata::meta);
        failed(match service.and_then(|meta| Some((meta.code()?, meta.message().unwrap_or("no message")))) {
            Some((code, message)) => first_words(&format!("{code}: {message}"), 400),
            None => first_words(&DisplayErrorContext(&error).to_string(), 400),
        })
    })?;
    let given = answer.credentials.ok_or_else(|| failed("the answer lacks the credentials".to_owned()))?;
    let ends =
        SystemTime::try_from(given.expiration).map_err(|_| failed("the answer's expiration is no date".to_owned()))?;
    let token = Some(given.session_token);
    Ok(Credentials::new(given.access_key_id, given.secret_access_key, token, Some(ends), "AssumeRole"))
}

/// Has the AWS CLI hand over the session that its `aws login` began, renewed where needed
/// (<https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html>).
async fn login(profile: &str) -> Result<Credentials, Cause> {
    let failed = |why: String| Cause::Login { profile: profile.to_owned(), why: first_words(&why, 300) };
    let mut command = tokio::process::Command::new("aws");
    command.args(["configure", "export-credentials", "--format", "process", "--profile", profile]);
    command.stdin(Stdio::null()).kill_on_drop(true);
    let run = tokio::time::timeout(CLI, command.output()).await;
    let run = run.map_err(|_| failed(format!("the AWS CLI gave no answer within {} s", CLI.as_secs())))?;
    let output = run.map_err(|error| failed(format!("the AWS CLI (aws) cannot be started: {error}")))?;
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let given: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("the AWS CLI printed something other than credentials".to_owned()))?;
    let text = |key: &str| given.get(key).and_then(Value::as_str);
    let (Some(key), Some(secret)) = (text("AccessKeyId"), text("SecretAccessKey")) else {
        return Err(failed("the AWS CLI printed something other than credentials".to_owned()));
    };
    let ends = text("Expiration").and_then(|date| DateTime::from_str(date, Format::DateTimeWithOffset).ok());
    let ends = ends.and_then(|date| SystemTime::try_from(date).ok());
    Ok(Credentials::new(key, secret, text("SessionToken").map(str::to_owned), ends, "Login"))
}
