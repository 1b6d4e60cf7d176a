//! What Lambda remembers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::check;
use crate::account::{AwsError, Call, Moment, World};
use crate::input;

/// The version that can be edited.
pub(crate) const LATEST: &str = "$LATEST";

/// Lambda's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Lambda {
    /// Functions by name.
    pub functions: BTreeMap<String, Function>,
    /// Event source mappings.
    pub mappings: Vec<Mapping>,
    /// The account's quota of concurrent executions (Service Quotas, `L-B99A9384`).
    #[serde(default = "concurrency", rename = "~concurrency")]
    pub concurrency: u32,
    /// The last number given to a revision.
    #[serde(rename = "~revisions")]
    pub revisions: u64,
    /// Whether callers that may do everything else may not list tags, as where an organization denies it.
    #[serde(default)]
    pub tags_hidden: bool,
    /// Whether a change of tags changes the function's revision: AWS documents neither.
    #[serde(default)]
    pub tags_move_revisions: bool,
    /// What an update of a function under a customer key asks of the caller.
    #[serde(default)]
    pub key_grants: KeyGrants,
    /// The number that was published last under the name of each deleted function. Numbers are never used again, "even
    /// for a function that has been deleted and recreated"
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/versioning-intro.html>).
    #[serde(default, rename = "~retired", skip_serializing_if = "BTreeMap::is_empty")]
    pub retired: BTreeMap<String, u64>,
    /// Whether numbers begin again in spite of that.
    #[serde(default, rename = "~numbers_begin_again", skip_serializing_if = "std::ops::Not::not")]
    pub numbers_begin_again: bool,
    /// What code answers, by the digest of a package or the ARN of a layer: this account runs none, a test says it.
    #[serde(default, rename = "~programs", skip_serializing_if = "BTreeMap::is_empty")]
    pub programs: BTreeMap<String, Value>,
    /// The events that such code was called with.
    #[serde(default, rename = "~heard", skip_serializing_if = "Vec::is_empty")]
    pub heard: Vec<Value>,
}

/// What AWS gives an account that has been there for a while
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub(super) fn concurrency() -> u32 {
    1000
}

impl Default for Lambda {
    fn default() -> Self {
        Self {
            functions: BTreeMap::new(),
            mappings: Vec::new(),
            concurrency: concurrency(),
            revisions: 0,
            tags_hidden: false,
            tags_move_revisions: false,
            key_grants: KeyGrants::default(),
            retired: BTreeMap::new(),
            numbers_begin_again: false,
            programs: BTreeMap::new(),
            heard: Vec::new(),
        }
    }
}

/// Whether `UpdateFunctionConfiguration` of a function under a customer key needs `kms:CreateGrant` of the caller, and
/// how a denial reads.
///
/// The guide asks for `kms:CreateGrant` and `kms:Encrypt` where a key is configured
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>); a tool that only updates such
/// functions needed it too (<https://github.com/alexcasalboni/aws-lambda-power-tuning/issues/214>). The errors that botocore's
/// model gives the operation include no denial by KMS, and failures of its grants are known as
/// `InvalidParameterValueException` (<https://github.com/hashicorp/terraform-provider-aws/blob/main/internal/service/lambda/function.go>).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyGrants {
    /// Needed; a denial is an `AccessDeniedException` in IAM's words.
    #[default]
    Denied,
    /// Needed; a denial is an `InvalidParameterValueException` that quotes KMS.
    Invalid,
    /// Not needed.
    Unneeded,
}

/// A function with everything that hangs on it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Function {
    /// `$LATEST`, the only version that can be edited.
    pub latest: Configuration,
    /// Published versions by number, frozen.
    pub versions: BTreeMap<u64, Configuration>,
    /// The number that was published last; numbers are never used again.
    #[serde(rename = "~published")]
    pub published: u64,
    /// Aliases by name.
    pub aliases: BTreeMap<String, Alias>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// Provisioned concurrency by alias or version.
    pub provisioned: BTreeMap<String, u32>,
    /// The resource policy, if any.
    pub policy: Option<Value>,
    /// Reserved concurrency, if any.
    pub reserved: Option<u32>,
    /// Whether reads cannot decrypt the variables and answer `Environment.Error` instead.
    pub unreadable_environment: bool,
    /// The reason code with which the next update fails once it was accepted.
    pub next_update_fails: Option<String>,
}

/// The configuration of one version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The function's name.
    pub name: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// ARN without qualifier.
    pub arn: String,
    /// `python3.13`; none for an image.
    pub runtime: Option<String>,
    /// The execution role's ARN.
    pub role: String,
    /// `app.handler`; none for an image.
    pub handler: Option<String>,
    /// Words for people.
    pub description: String,
    /// Seconds.
    pub timeout: u32,
    /// MiB.
    pub memory: u32,
    /// When it was last changed.
    pub modified: Moment,
    /// Bytes of the code package.
    pub code_size: u64,
    /// The code package's hash, base64.
    pub code_sha256: String,
    /// The VPC attachment, if any.
    pub vpc: Option<Vpc>,
    /// Environment variables; none where the function has no environment.
    pub environment: Option<BTreeMap<String, String>>,
    /// The customer key that encrypts the variables.
    pub kms_key: Option<String>,
    /// `Zip` or `Image`.
    pub package_type: String,
    /// `x86_64` or `arm64`.
    pub architecture: String,
    /// ARNs of layer versions.
    pub layers: Vec<String>,
    /// `Active` or `PassThrough`.
    pub tracing: String,
    /// MiB of `/tmp`.
    pub storage: u32,
    /// Whether published versions start from a snapshot.
    pub snap_start: bool,
    /// The dead-letter queue's ARN.
    pub dead_letter: Option<String>,
    /// File systems, as in the API.
    pub file_systems: Vec<Value>,
    /// Image settings, as in the API.
    pub image: Option<Value>,
    /// Log settings where they differ from the default, as in the API.
    pub logging: Option<Value>,
    /// Whether the code is being made ready.
    pub state: State,
    /// Whether the last change of the configuration is live.
    pub update: Update,
    /// Changes at every write, and once more when an update is done.
    #[serde(rename = "~revision")]
    pub revision: String,
}

impl Function {
    /// A small Python function without VPC and variables that has been there for ever.
    pub(crate) fn settled(world: &mut World, name: &str, role_arn: &str) -> Self {
        let latest = Configuration {
            name: name.to_owned(),
            version: LATEST.to_owned(),
            arn: world.arn("lambda", &format!("function:{name}")),
            runtime: Some("python3.13".to_owned()),
            role: role_arn.to_owned(),
            handler: Some("app.handler".to_owned()),
            timeout: 30,
            memory: 256,
            code_size: 2048,
            code_sha256: check::code_hash(name.as_bytes()),
            package_type: "Zip".to_owned(),
            architecture: "x86_64".to_owned(),
            tracing: "PassThrough".to_owned(),
            storage: 512,
            revision: next_revision(&mut world.lambda.revisions),
            ..Configuration::default()
        };
        Self { latest, ..Self::default() }
    }

    /// Freezes `$LATEST` as the next version, which has been there for ever too, and answers its number.
    pub(crate) fn with_version(mut self) -> Self {
        self.published += 1;
        let version = Configuration { version: self.published.to_string(), ..self.latest.clone() };
        self.versions.insert(self.published, version);
        self
    }

    /// The configuration of `$LATEST`, a version or what an alias points at, whatever its weights are.
    pub(crate) fn version(&self, qualifier: Option<&str>) -> Option<&Configuration> {
        match qualifier {
            None | Some(LATEST) => Some(&self.latest),
            Some(qualifier) => match self.aliases.get(qualifier) {
                Some(alias) if alias.version == LATEST => Some(&self.latest),
                Some(alias) => self.versions.get(&alias.version.parse().ok()?),
                None => self.versions.get(&qualifier.parse().ok()?),
            },
        }
    }

    /// Whether a change of it is still on its way.
    pub(super) fn busy(&self) -> bool {
        matches!(self.latest.state, State::Pending(_)) || matches!(self.latest.update, Update::InProgress { .. })
    }
}

/// A function's VPC attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vpc {
    /// The VPC of the subnets.
    pub id: String,
    /// Subnets.
    pub subnets: Vec<String>,
    /// Security groups.
    pub groups: Vec<String>,
    /// Whether IPv6 is allowed in dual-stack subnets.
    #[serde(default)]
    pub ipv6: bool,
}

/// Whether a version can be called.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Calls are answered.
    #[default]
    Active,
    /// It is being made ready until then.
    Pending(Moment),
}

/// How the last update stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Update {
    /// Live.
    #[default]
    Successful,
    /// On its way until then.
    InProgress {
        /// When it ends.
        until: Moment,
        /// The reason code with which it ends, if it is to fail.
        failing: Option<String>,
    },
    /// It failed with that reason code: calls still meet what was live before it, reads show what was asked for.
    Failed(String),
}

/// An alias.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Alias {
    /// Its name.
    pub name: String,
    /// The version that it points at, a number or `$LATEST`.
    pub version: String,
    /// Words for people.
    pub description: String,
    /// Shares of calls that go to other versions.
    pub weights: BTreeMap<String, f64>,
    /// When the weights end that AWS has set by itself, because the version that the alias points at has no
    /// provisioned concurrency yet. None where there are none, or a caller has set them.
    #[serde(default)]
    pub until: Option<Moment>,
    /// Changes at every write.
    #[serde(rename = "~revision")]
    pub revision: String,
}

/// An event source mapping.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Mapping {
    /// A UUID.
    pub id: String,
    /// The queue, stream or topic.
    pub source: String,
    /// The function's ARN, with a qualifier where it names a version or alias.
    pub function: String,
    /// Whether it polls.
    pub enabled: bool,
    /// Items a call.
    pub batch: u32,
    /// When it was last changed.
    pub modified: Moment,
    /// For a queue: the most invocations at one time, 2 to 1,000 (`ScalingConfig`).
    #[serde(default)]
    pub maximum_concurrency: Option<u32>,
    /// For a stream: batches of one shard at one time, 1 to 10.
    #[serde(default)]
    pub parallelization: Option<u32>,
    /// For a stream: where reading began, `LATEST` or `TRIM_HORIZON`.
    #[serde(default)]
    pub starting_position: Option<String>,
}

/// A function's name and qualifier, out of a name, a partial ARN or a whole one.
pub(super) fn identify<'call>(world: &World, call: &'call Call) -> Result<(&'call str, Option<&'call str>), AwsError> {
    let Some(given) = input::text(&call.input, "FunctionName") else {
        return Err(check::invalid("FunctionName is required."));
    };
    let (name, inner) = split(world, given).ok_or_else(|| absent(world, given, None))?;
    let qualifier = input::text(&call.input, "Qualifier").or(inner);
    if name.is_empty() || name.len() > 64 || !name.chars().all(check::is_name_character) {
        return Err(check::constraint(
            given,
            "functionName",
            "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\\d{1}:)?(\\d{12}:)?(function:)?([a-zA-Z0-9-_]+)(:(\\$LATEST|[a-zA-Z0-9-_]+))?",
        ));
    }
    Ok((name, qualifier))
}

/// Name and qualifier; `None` for an ARN of another account, region or service.
pub(super) fn split<'text>(world: &World, given: &'text str) -> Option<(&'text str, Option<&'text str>)> {
    let whole = world.arn("lambda", "function:");
    let partial = format!("{}:function:", world.account);
    let local = match given.strip_prefix(&whole).or_else(|| given.strip_prefix(&partial)) {
        Some(local) => local,
        None if given.starts_with("arn:") || given.contains(":function:") => return None,
        None => given.strip_prefix("function:").unwrap_or(given),
    };
    Some(match local.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (local, None),
    })
}

/// The function that the call names, with its qualifier.
pub(super) fn named<'world, 'call>(
    world: &'world World,
    call: &'call Call,
) -> Result<(&'world Function, Option<&'call str>), AwsError> {
    let (name, qualifier) = identify(world, call)?;
    let function = world.lambda.functions.get(name).ok_or_else(|| absent(world, name, qualifier))?;
    Ok((function, qualifier))
}

pub(super) fn named_mut<'world>(world: &'world mut World, call: &Call) -> Result<&'world mut Function, AwsError> {
    let (name, qualifier) = identify(world, call)?;
    let missing = absent(world, name, qualifier);
    world.lambda.functions.get_mut(name).ok_or(missing)
}

pub(super) fn absent(world: &World, name: &str, qualifier: Option<&str>) -> AwsError {
    let arn = if name.starts_with("arn:") { name.to_owned() } else { world.arn("lambda", &format!("function:{name}")) };
    let whole = qualifier.map_or_else(|| arn.clone(), |qualifier| format!("{arn}:{qualifier}"));
    AwsError::new(404, "ResourceNotFoundException", format!("Function not found: {whole}"))
}

/// The next revision id, in the form of a UUID.
pub(super) fn next_revision(counter: &mut u64) -> String {
    *counter += 1;
    uuid(*counter)
}

/// Digits that look like a UUID and follow from a number.
pub(super) fn uuid(number: u64) -> String {
    let mix = |mut value: u64| {
        value = (value ^ (value >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        value = (value ^ (value >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        value ^ (value >> 31)
    };
    let (high, low) =
        (mix(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)), mix(number.wrapping_add(0x9E37_79B9_7F4A_7C15)));
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        0x8000 | (low >> 48) & 0x3fff,
        low & 0xffff_ffff_ffff
    )
}

/// When weights that AWS has set by itself end, up to now and in order.
pub(crate) fn transitions(world: &World, now: Moment) -> Vec<Moment> {
    let aliases = world.lambda.functions.values().flat_map(|function| function.aliases.values());
    let mut ends: Vec<Moment> = aliases.filter_map(|alias| alias.until).filter(|until| *until <= now).collect();
    ends.sort_unstable();
    ends
}

/// Lets time pass: what was on its way by now has arrived.
pub(crate) fn tick(world: &mut World, now: Moment) {
    let lambda = &mut world.lambda;
    for function in lambda.functions.values_mut() {
        for alias in function.aliases.values_mut() {
            if alias.until.is_some_and(|until| until <= now) {
                alias.until = None;
                alias.weights.clear();
                alias.revision = next_revision(&mut lambda.revisions);
            }
        }
        for version in function.versions.values_mut() {
            if matches!(version.state, State::Pending(until) if until <= now) {
                version.state = State::Active;
            }
        }
        let latest = &mut function.latest;
        if matches!(latest.state, State::Pending(until) if until <= now) {
            latest.state = State::Active;
            latest.revision = next_revision(&mut lambda.revisions);
        }
        if let Update::InProgress { until, failing } = &latest.update
            && *until <= now
        {
            latest.update = failing.clone().map_or(Update::Successful, Update::Failed);
            // The end of an update is a write of its own.
            latest.revision = next_revision(&mut lambda.revisions);
        }
    }
}
