//! What AWS refused, in one shape for all services.

use std::error::Error as StdError;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

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
    pub request_id: Option<String>,
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
    let kind = match (error, code.as_deref()) {
        (_, Some(code)) => kind_of(code),
        (SdkError::ServiceError(_) | SdkError::ResponseError(_), None) => Kind::Service,
        _ if find::<CredentialsError, _>(error).is_some() => Kind::Credentials,
        _ => Kind::Unreachable,
    };
    let message = match meta.and_then(|meta| meta.message()) {
        Some(message) => message.trim().to_owned(),
        None => match kind {
            Kind::Service => "AWS failed without saying why".to_owned(),
            _ => innermost(error),
        },
    };
    let request_id = meta.and_then(|meta| meta.extra("aws_request_id")).map(str::to_owned);
    Refusal { operation, kind, code, message, request_id }
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
        | "ConcurrentModification" => Kind::NotYet,
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
        | "RulesPerSecurityGroupLimitExceeded"
        | "SecurityGroupLimitExceeded"
        | "ENILimitReachedException"
        | "SubnetIPAddressLimitReachedException"
        | "CodeStorageExceededException"
        | "InsufficientAvailableIPsInSubnetFault" => Kind::Quota,
        _ => Kind::Invalid,
    }
}

fn find<T: StdError + 'static, E: StdError + 'static>(error: &E) -> Option<&T> {
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
