//! What AWS refused, in one shape for all services.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::cause::Cause;
use super::connect::{Endpoint, opening};

/// What a refusal means to us, whatever the service calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The thing asked for does not exist.
    NotFound,
    /// A thing of that name exists already.
    Exists,
    /// The caller lacks a permission.
    Denied,
    /// Too many requests, still after the SDK's own retries.
    Throttled,
    /// The thing is in a passing state; the same call will do later.
    NotYet,
    /// The thing changed since it was read.
    Stale,
    /// Something else still uses the thing.
    InUse,
    /// The credentials have expired.
    Expired,
    /// There are no credentials, or AWS does not know them.
    Credentials,
    /// AWS did not answer: network, name resolution, time-out.
    Unreachable,
    /// AWS failed on its side.
    Service,
    /// A quota is used up.
    Quota,
    /// The request itself is wrong, or anything else.
    Invalid,
}

/// A call that AWS refused.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", self.sentence())]
pub struct Refusal {
    /// The IAM action of the call, `rds:CreateDBProxy`.
    pub operation: &'static str,
    /// What it means to us.
    pub kind: Kind,
    /// The service's error code.
    pub code: Option<String>,
    /// The service's sentence.
    pub message: String,
    /// AWS's id of the request.
    pub request_id: Option<Box<str>>,
    /// The cause, where it is one of those that something helps against.
    pub cause: Option<Box<Cause>>,
}

/// The result of a call.
pub type Answer<T> = Result<T, Refusal>;

impl Refusal {
    /// An answer that lacks a part without which it means nothing.
    #[must_use]
    pub fn incomplete(operation: &'static str, missing: &str) -> Self {
        Self {
            operation,
            kind: Kind::Service,
            code: None,
            message: format!("the answer lacks {missing}"),
            request_id: None,
            cause: None,
        }
    }

    fn sentence(&self) -> String {
        match &self.code {
            Some(code) => format!("{} answered {code}: {}", self.operation, self.message),
            None => format!("{}: {}", self.operation, self.message),
        }
    }

    /// Whether AWS failed in passing: the same call may well succeed a moment later.
    #[must_use]
    pub fn passes(&self) -> bool {
        matches!(self.kind, Kind::Service | Kind::Throttled | Kind::Unreachable)
    }

    /// Whether the code is one of these.
    #[must_use]
    pub fn is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }
}

/// Turns an SDK error into a refusal.
pub(super) fn refuse<E, R>(operation: &'static str, error: &SdkError<E, R>) -> Refusal
where
    E: ProvideErrorMetadata + StdError + 'static,
    R: std::fmt::Debug + 'static,
{
    let meta = match error {
        SdkError::ServiceError(service) => Some(service.err().meta()),
        _ => None,
    };
    let code = meta.and_then(|meta| meta.code()).map(str::to_owned);
    let response = error.raw_response().and_then(|raw| (raw as &dyn std::any::Any).downcast_ref::<HttpResponse>());
    let said = meta.and_then(|meta| meta.message()).map(|message| message.trim().to_owned());
    let cause = find::<Cause, _>(error).cloned().or_else(|| match (error, code.as_deref()) {
        (SdkError::TimeoutError(_), _) => Some(Cause::Slow { why: innermost(error) }),
        (SdkError::ServiceError(_), Some(code)) => clock(code, said.as_deref().unwrap_or_default(), response),
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), None) => response.and_then(not_aws),
        _ => None,
    });
    let kind = match (error, code.as_deref(), &cause) {
        (_, _, Some(cause)) => kind_of_cause(cause),
        (_, Some(code), None) => kind_of(code),
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), None, None) => Kind::Service,
        _ if find::<CredentialsError, _>(error).is_some() => Kind::Credentials,
        _ => Kind::Unreachable,
    };
    let message = match (&cause, said) {
        (Some(cause), _) => cause.to_string(),
        (None, Some(said)) => said,
        (None, None) if kind == Kind::Service => "AWS failed without saying why".to_owned(),
        (None, None) => innermost(error),
    };
    let request_id = meta.and_then(|meta| meta.extra("aws_request_id")).map(Box::from);
    // A cause says all that the code says.
    let code = code.filter(|_| cause.is_none());
    Refusal { operation, kind, code, message, request_id, cause: cause.map(Box::new) }
}

fn kind_of_cause(cause: &Cause) -> Kind {
    match cause {
        Cause::ProxyLogin { .. }
        | Cause::Proxy { .. }
        | Cause::Refused { .. }
        | Cause::Name { .. }
        | Cause::Certificate { .. }
        | Cause::Slow { .. } => Kind::Unreachable,
        // A gateway's page about an error of the server passes; any other page does not.
        Cause::NotAws { status: 500.., .. } => Kind::Service,
        Cause::NotAws { .. }
        | Cause::Plain { .. }
        | Cause::TooLarge { .. }
        | Cause::RepeatedPage
        | Cause::TooManyPages { .. } => Kind::Invalid,
        Cause::Clock { .. } => Kind::Expired,
        _ => Kind::Credentials,
    }
}

/// An answer without an error code: a gateway, a captive portal, or another server.
fn not_aws(answer: &HttpResponse) -> Option<Cause> {
    let status = answer.status().as_u16();
    let body = answer.body().bytes().unwrap_or_default();
    let start = body.iter().find(|byte| !byte.is_ascii_whitespace());
    let html = String::from_utf8_lossy(body.get(..body.len().min(256)).unwrap_or_default()).to_ascii_lowercase();
    let html = html.contains("<html") || html.contains("<!doctype");
    // XML or JSON that breaks off is AWS's own, cut short on the way.
    let aws = matches!(start, Some(b'<' | b'{' | b'[')) && !html;
    if (aws || body.is_empty()) && !(300..500).contains(&status) {
        return None;
    }
    let endpoint =
        answer.extension::<Endpoint>().map_or_else(|| "the endpoint".to_owned(), |endpoint| endpoint.0.clone());
    Some(Cause::NotAws { endpoint, status, words: opening(answer) })
}

/// A request that AWS finds too old, or of the future
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html>).
fn clock(code: &str, said: &str, answer: Option<&HttpResponse>) -> Option<Cause> {
    let late = matches!(code, "RequestExpired" | "RequestTimeTooSkewed" | "RequestInTheFuture")
        || ["Signature expired", "Signature not yet current", "Date in Credential scope does not match"]
            .iter()
            .any(|part| said.contains(part));
    if !late {
        return None;
    }
    let date = answer.and_then(|answer| answer.headers().get("date"));
    let server = date.and_then(|date| DateTime::from_str(date, Format::HttpDate).ok()).map(|date| date.secs());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok();
    let now = now.and_then(|now| i64::try_from(now.as_secs()).ok());
    Some(Cause::Clock { code: code.to_owned(), ahead: server.zip(now).map(|(server, now)| now - server) })
}

fn kind_of(code: &str) -> Kind {
    match code {
        "DBProxyNotFoundFault"
        | "DBProxyTargetGroupNotFoundFault"
        | "DBProxyTargetNotFoundFault"
        | "DBProxyEndpointNotFoundFault"
        | "DBInstanceNotFound"
        | "DBInstanceNotFoundFault"
        | "DBClusterNotFoundFault"
        | "NoSuchEntity"
        | "NoSuchEntityException"
        | "InvalidGroup.NotFound"
        | "InvalidGroupId.Malformed"
        | "InvalidPermission.NotFound"
        | "InvalidSecurityGroupRuleId.NotFound"
        | "InvalidSubnetID.NotFound"
        | "ResourceNotFoundException"
        | "ResourceNotFound"
        | "DashboardNotFoundError"
        | "NotFoundException" => Kind::NotFound,
        "DBProxyAlreadyExistsFault"
        | "DBProxyAlreadyExists"
        | "DBProxyEndpointAlreadyExistsFault"
        | "DBProxyTargetAlreadyRegisteredFault"
        | "EntityAlreadyExists"
        | "EntityAlreadyExistsException"
        | "InvalidGroup.Duplicate"
        | "InvalidPermission.Duplicate"
        | "ResourceExistsException"
        | "ResourceAlreadyExistsException" => Kind::Exists,
        "AccessDenied" | "AccessDeniedException" | "UnauthorizedOperation" | "AuthorizationError" => Kind::Denied,
        "Throttling" | "ThrottlingException" | "RequestLimitExceeded" | "TooManyRequestsException" => Kind::Throttled,
        "InvalidDBInstanceState"
        | "InvalidDBInstanceStateFault"
        | "InvalidDBClusterStateFault"
        | "InvalidDBProxyStateFault"
        | "InvalidDBProxyEndpointStateFault"
        | "ResourceConflictException"
        | "ResourceNotReadyException"
        | "ENINotReadyException"
        | "EC2ThrottledException"
        | "ConcurrentModification"
        | "ConflictException"
        | "OperationAbortedException" => Kind::NotYet,
        "PreconditionFailedException" => Kind::Stale,
        "DependencyViolation" | "DeleteConflict" | "InvalidGroup.InUse" => Kind::InUse,
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Kind::Expired,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "IncompleteSignature" => Kind::Credentials,
        "InternalFailure"
        | "InternalError"
        | "ServiceException"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "ServiceFailure"
        | "InternalServiceError" => Kind::Service,
        "DBProxyQuotaExceededFault"
        | "DBProxyEndpointQuotaExceededFault"
        | "LimitExceeded"
        | "LimitExceededException"
        | "LimitExceededFault"
        | "RulesPerSecurityGroupLimitExceeded"
        | "SecurityGroupLimitExceeded"
        | "ENILimitReachedException"
        | "SubnetIPAddressLimitReachedException"
        | "CodeStorageExceededException"
        | "InsufficientAvailableIPsInSubnetFault" => Kind::Quota,
        _ => Kind::Invalid,
    }
}

pub(super) fn find<T: StdError + 'static, E: StdError + 'static>(error: &E) -> Option<&T> {
    let mut current: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        current = error.source();
    }
    None
}

fn innermost<E: StdError>(error: &E) -> String {
    let mut text = error.to_string();
    let mut current = error.source();
    while let Some(error) = current {
        text = error.to_string();
        current = error.source();
    }
    text
}
