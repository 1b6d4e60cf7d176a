//! The account: its services' states, and the one function that answers a request.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    ec2, fault::Fault, iam, kms, lambda, limits::Limits, load, logs, monitoring, profile::Profile, rds, secrets,
};

/// What marks a moment in the world's JSON.
const MOMENT_PREFIX: &str = "~moment:";

/// Where the world's clock starts on the calendar: 2026-01-01T00:00:00Z.
const EPOCH_SECONDS: u64 = 1_767_225_600;

/// A point of the world's own time, in milliseconds since it began.
///
/// It is written as a marked text, so that [`World::dump`] can leave out every clock by its type
/// and not by a list of names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Moment(pub u64);

impl Moment {
    /// Whether a text is how a moment is written.
    pub(super) fn is_written_as(text: &str) -> bool {
        text.strip_prefix(MOMENT_PREFIX).is_some_and(|digits| digits.parse::<u64>().is_ok())
    }

    /// Whole seconds since 1970.
    #[must_use]
    pub fn unix_seconds(self) -> u64 {
        EPOCH_SECONDS + self.0 / 1000
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn unix_milliseconds(self) -> u64 {
        EPOCH_SECONDS * 1000 + self.0
    }

    /// Milliseconds since 1970, as a number from which one can subtract.
    pub(super) fn unix_signed(self) -> i64 {
        i64::try_from(self.unix_milliseconds()).unwrap_or(i64::MAX)
    }

    /// `2026-01-01T00:00:00.000Z`.
    #[must_use]
    pub fn iso(self) -> String {
        iso(self.unix_signed())
    }
}

/// Milliseconds since 1970 as `2026-01-01T00:00:00.000Z`.
pub(super) fn iso(milliseconds: i64) -> String {
    let milliseconds = u64::try_from(milliseconds).unwrap_or(0);
    let seconds = milliseconds / 1000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", milliseconds % 1000)
}

/// The number of days from 1970 to a date, the inverse of [`civil`].
pub(super) fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970 (the proleptic Gregorian calendar in eras of 400 years).
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let era = shifted / 146_097;
    let of_era = shifted % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
}

impl From<Moment> for String {
    fn from(moment: Moment) -> Self {
        format!("{MOMENT_PREFIX}{}", moment.0)
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.strip_prefix(MOMENT_PREFIX)
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| format!("not a moment: {text}"))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// One HTTP request as it came off the wire.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query, undecoded.
    pub target: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl Request {
    /// When the caller's clock says that the request was signed (`X-Amz-Date`), in milliseconds since 1970.
    pub(super) fn sent(&self) -> Option<i64> {
        let date = self.headers.get("x-amz-date")?;
        let number = |from: usize, to: usize| date.get(from..to).and_then(|digits| digits.parse::<i64>().ok());
        let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
        let seconds = days(year, month, day) * 86_400 + number(9, 11)? * 3600 + number(11, 13)? * 60 + number(13, 15)?;
        Some(seconds * 1000)
    }
}

/// One HTTP response.
#[derive(Debug, Clone)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

/// What the caller gets to see of an answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// The answer arrives.
    Answer(Response),
    /// The connection breaks before a byte of the answer.
    Dropped,
    /// The connection stays open and nothing ever comes.
    Silence,
}

/// An answer, and how long AWS takes to give it.
#[derive(Debug, Clone)]
pub struct Handled {
    /// What the caller sees.
    pub reply: Reply,
    /// How long after the request (the effect, if any, happens at the request).
    pub latency: Duration,
}

/// The services that the sandbox speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Service {
    /// Amazon EC2 (security groups, subnets, interfaces).
    Ec2,
    /// AWS IAM.
    Iam,
    /// AWS KMS.
    Kms,
    /// AWS Lambda.
    Lambda,
    /// Amazon CloudWatch Logs.
    Logs,
    /// Amazon CloudWatch.
    Monitoring,
    /// The Price List.
    Pricing,
    /// Amazon RDS.
    Rds,
    /// AWS Secrets Manager.
    SecretsManager,
    /// Service Quotas.
    ServiceQuotas,
    /// AWS STS.
    Sts,
}

/// Who calls.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Principal {
    /// The caller's ARN as `GetCallerIdentity` answers it.
    pub arn: String,
    /// The policy documents that hold for it; `None` for a principal that may do everything.
    pub policies: Option<Vec<Value>>,
}

/// One decoded call: every protocol ends in this shape.
#[derive(Debug, Clone)]
pub struct Call {
    /// The service addressed.
    pub service: Service,
    /// The operation, `CreateDBProxy`.
    pub action: String,
    /// The input as JSON, members named as in the service's model (Query lists are arrays; scalars of
    /// the Query protocols stay strings).
    pub input: Value,
    /// Who calls.
    pub principal: Principal,
    /// When.
    pub now: Moment,
    /// How many milliseconds the caller's calendar is ahead of the account's.
    pub ahead: i64,
}

/// One permission that a call needs.
#[derive(Debug, Clone)]
pub struct Need {
    /// `rds:CreateDBProxy`.
    pub action: String,
    /// The resource's ARN, or `*` where the action has no resource level.
    pub resource: String,
    /// Condition keys and their values in this request (`aws:RequestTag/…`, `aws:ResourceTag/…`,
    /// `iam:PassedToService`).
    pub context: BTreeMap<String, Vec<String>>,
}

/// An error as AWS answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsError {
    /// The HTTP status.
    pub status: u16,
    /// The code on the wire, `DBProxyNotFoundFault`.
    pub code: String,
    /// The sentence for people.
    pub message: String,
}

/// What most actions come to.
pub(super) type Outcome = Result<Value, AwsError>;

impl AwsError {
    /// An error with the status that most services give to a client's mistake.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self { status, code: code.to_owned(), message: message.into() }
    }
}

/// One line of the request log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Logged {
    /// When it came.
    pub at: Moment,
    /// The service.
    pub service: Service,
    /// The operation.
    pub action: String,
    /// Whether the operation is one that changes the account.
    pub mutating: bool,
    /// The error code it was answered with, if any.
    pub error: Option<String>,
}

/// A whole AWS account in one region.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct World {
    /// Twelve digits.
    pub account: String,
    /// `eu-central-1`.
    pub region: String,
    /// `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// How long things take.
    pub profile: Profile,
    /// Faults still to come.
    pub faults: Vec<Fault>,
    /// How many requests a second are taken, if that is limited.
    #[serde(default)]
    pub limits: Option<Limits>,
    /// Callers by access key id; a key that is not listed is the account's administrator,
    /// unless `known_keys_only`.
    pub principals: BTreeMap<String, Principal>,
    /// Whether an unknown access key is refused (`InvalidClientTokenId`).
    pub known_keys_only: bool,
    /// The organization that the account is a member of, if it is one.
    #[serde(default)]
    pub organization: Option<iam::Organization>,
    /// How the policy simulator answers.
    #[serde(default)]
    pub simulator: iam::Simulator,
    /// Every request so far. Not part of [`World::dump`].
    pub log: Vec<Logged>,
    /// How many of them are kept.
    #[serde(skip, default = "super::world::log_length")]
    pub log_length: usize,
    /// IAM's quota of roles, which AWS raises from 1,000 to 5,000 on request
    /// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html>).
    #[serde(skip, default = "super::world::role_quota")]
    pub role_quota: usize,
    /// The number of requests so far.
    pub counter: u64,
    /// How often each natural key was created, so that a re-creation gets another id. Not part of [`World::dump`].
    #[serde(default)]
    pub generations: BTreeMap<String, u64>,
    /// The latest moment that the world has seen.
    pub now: Moment,
    /// RDS.
    pub rds: rds::Rds,
    /// IAM.
    pub iam: iam::Iam,
    /// EC2.
    pub ec2: ec2::Ec2,
    /// Lambda.
    pub lambda: lambda::Lambda,
    /// Secrets Manager.
    pub secrets: secrets::Secrets,
    /// KMS.
    pub kms: kms::Kms,
    /// CloudWatch Logs.
    #[serde(default)]
    pub logs: logs::Logs,
    /// Quotas that differ from AWS's defaults, by code.
    #[serde(default)]
    pub quotas: BTreeMap<String, f64>,
    /// What a vCPU and an ACU behind a proxy cost an hour, by Region.
    #[serde(default = "super::pricing::published")]
    pub prices: BTreeMap<String, (f64, f64)>,
    /// What an instance of MySQL in one zone costs an hour, by Region and class.
    #[serde(default = "super::pricing::published_instances")]
    pub instance_prices: BTreeMap<String, BTreeMap<String, f64>>,
    /// What a request to a function, a gigabyte-second, and one on Graviton cost, by Region.
    #[serde(default = "super::pricing::published_functions")]
    pub function_prices: BTreeMap<String, [f64; 3]>,
    /// CloudWatch.
    #[serde(default)]
    pub monitoring: monitoring::Monitoring,
    /// What functions do, from which metrics follow. Not part of [`World::dump`].
    #[serde(default)]
    pub loads: load::Loads,
}
