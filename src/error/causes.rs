//! What helps against the causes that have a name.

use super::Failure;
use crate::cloud::url;
use crate::cloud::{Cause, ConnectError};
use crate::exit::Exit;
use crate::shell::quoted;

/// Where credentials may come from.
pub(super) const NO_CREDENTIALS: &str = "Give them in one of three ways: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (--profile NAME), or a role of the machine. Or try without an account: --sandbox.";

const PROXY: &str =
    "Requests go through the proxy of HTTPS_PROXY (or ALL_PROXY); hosts in NO_PROXY are reached directly.";

/// How the program ends, and what would help.
pub(super) fn advice(cause: &Cause) -> (Exit, Vec<String>) {
    let exit = match cause {
        Cause::Refused { .. }
        | Cause::Name { .. }
        | Cause::Slow { .. }
        | Cause::Proxy { .. }
        | Cause::NotAws { .. }
        | Cause::TooLarge { .. }
        | Cause::RepeatedPage
        | Cause::TooManyPages { .. } => Exit::Failed,
        Cause::Plain { .. } => Exit::Usage,
        _ => Exit::Decide,
    };
    (exit, hints(cause))
}

fn hints(cause: &Cause) -> Vec<String> {
    match cause {
        Cause::NoProfile { .. } => {
            vec!["To see the profiles that there are: aws configure list-profiles. Another file: AWS_CONFIG_FILE.".to_owned()]
        }
        Cause::NoSourceProfile { .. } | Cause::SourceLoop { .. } => vec![
            "Correct source_profile in that file; to see the profiles that there are: aws configure list-profiles."
                .to_owned(),
        ],
        Cause::RoleSource { profile, .. } => vec![format!(
            "Set exactly one, for example: aws configure set source_profile NAME --profile {}",
            quoted(profile)
        )],
        Cause::Sso { profile, .. } => vec![format!("Log in: aws sso login --profile {}", quoted(profile))],
        Cause::NoSsoSession { profile, .. } => {
            vec![format!("Add the section, or create it again: aws configure sso --profile {}", quoted(profile))]
        }
        Cause::Mfa { profile, .. } => vec![
            format!(
                "Have the AWS CLI ask for the code: eval \"$(aws configure export-credentials --profile {} --format env)\"",
                quoted(profile)
            ),
            "Then run this again in the same shell, without --profile and with AWS_PROFILE unset.".to_owned(),
        ],
        Cause::AssumeRole { profile, code, .. } => {
            let mut hints =
                vec![format!("Check with: aws sts get-caller-identity --profile {}", quoted(profile))];
            if *code {
                hints.push("A code works once: wait for the device's next one.".to_owned());
            } else {
                hints.push("The role's trust policy must allow these credentials, and they need sts:AssumeRole.".to_owned());
            }
            hints
        }
        Cause::Process { profile, .. } => vec![
            format!("To see the command: aws configure get credential_process --profile {}", quoted(profile)),
            "It must print JSON with Version, AccessKeyId and SecretAccessKey: https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html".to_owned(),
        ],
        Cause::HalfKey { missing, .. } => vec![format!("Set {missing} too, or remove the other one.")],
        Cause::ConfigFile { .. } => vec![
            "Correct the file, or point AWS_CONFIG_FILE and AWS_SHARED_CREDENTIALS_FILE at others.".to_owned(),
        ],
        Cause::Login { profile, .. } => vec![
            format!("Log in again: aws login --profile {}", quoted(profile)),
            "Such sessions are read through the AWS CLI (version 2.32 or later), which must be on the PATH.".to_owned(),
        ],
        Cause::Provider { .. } => vec!["To see where the AWS CLI finds credentials: aws configure list".to_owned()],
        Cause::Nothing => vec![NO_CREDENTIALS.to_owned()],
        Cause::ProxyLogin { .. } => {
            vec!["Give them in the URL, percent-encoded: HTTPS_PROXY=http://USER:PASSWORD@HOST:PORT".to_owned()]
        }
        Cause::Proxy { .. } => vec![PROXY.to_owned()],
        Cause::Refused { .. } => {
            vec!["Check that something listens there, the endpoint's host and port, and --region.".to_owned()]
        }
        Cause::Name { .. } => {
            vec!["Check --region and the endpoint's spelling. Behind a company proxy, set HTTPS_PROXY.".to_owned()]
        }
        Cause::Certificate { .. } => vec![
            "Where a company proxy or an emulator has a certificate authority of its own: point AWS_CA_BUNDLE (or ca_bundle in the profile) at its PEM file.".to_owned(),
        ],
        Cause::Plain { .. } => vec![url::FORM.to_owned()],
        Cause::TooLarge { .. } | Cause::RepeatedPage | Cause::TooManyPages { .. } | Cause::NotAws { .. } => vec![
            "Check what answers there: the endpoint (--endpoint-url, AWS_ENDPOINT_URL), an HTTP proxy, or a captive portal."
                .to_owned(),
        ],
        Cause::Slow { .. } => vec!["Check the network and an HTTP proxy; then run it again.".to_owned()],
        Cause::Clock { .. } => vec![
            "Set this machine's clock (for example: timedatectl set-ntp true); a signature holds for five minutes."
                .to_owned(),
        ],
    }
}

impl From<ConnectError> for Failure {
    fn from(error: ConnectError) -> Self {
        let (exit, hint) = match &error {
            ConnectError::NoRegion => {
                (Exit::Decide, "Set one: --region REGION, or AWS_REGION, or region in the profile.".to_owned())
            }
            ConnectError::CaBundle { .. } => {
                (Exit::Decide, "Point AWS_CA_BUNDLE at a readable PEM file, or unset it.".to_owned())
            }
            ConnectError::Tls(_) => (Exit::Decide, "Check the certificates in AWS_CA_BUNDLE.".to_owned()),
            ConnectError::Region { .. } => (Exit::Usage, "Give a region's code, such as eu-central-1.".to_owned()),
            ConnectError::Endpoint { .. } => (Exit::Usage, url::FORM.to_owned()),
            ConnectError::Proxy { .. } => {
                (Exit::Usage, "It looks like this: http://USER:PASSWORD@HOST:PORT, percent-encoded.".to_owned())
            }
            ConnectError::Setting { form, .. } => (Exit::Usage, (*form).to_owned()),
            ConnectError::Profile(cause) => {
                let (exit, hints) = advice(cause);
                return Self::new(exit, error.to_string(), hints);
            }
        };
        Self::new(exit, error.to_string(), [hint])
    }
}
