//! From a request to an answer, and what the account is when clocks are left out.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::account::{
    AwsError, Call, Handled, Logged, Moment, Need, Outcome, Principal, Reply, Request, Service, World,
};
use super::fault::{self, Trouble};
use super::policy::{self, Decision};
use super::profile::Profile;
use super::{ec2, health, iam, kms, lambda, load, logs, monitoring, pricing, quotas, rds, secrets, sts, wire};

/// What a request asks for.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The service.
    pub service: Service,
    /// The operation.
    pub action: String,
    /// Its input, as in [`Call`].
    pub input: Value,
    /// Whether the operation is one that changes the account.
    pub mutating: bool,
}

impl Asked {
    /// Reads a signed request; none for one that the sandbox does not understand.
    #[must_use]
    pub fn of(request: &Request) -> Option<Self> {
        let decoded = wire::decode(request).ok()?;
        let mutating = mutating(decoded.service, &decoded.action);
        Some(Self { service: decoded.service, action: decoded.action, input: decoded.input, mutating })
    }
}

/// How many roles an account has at most, unless set otherwise.
pub(super) fn role_quota() -> usize {
    1_000
}

/// How many requests the log keeps, unless set otherwise.
pub(super) fn log_length() -> usize {
    2_000
}

/// What the names of members begin with that say when or how often something happened, and not what the account is.
///
/// A mark and not a list of names: tags, variables and resources may be named anything.
const NOT_DUMPED: char = '~';

/// What the names of members begin with whose values a dump hides.
const HIDDEN: char = '*';

/// A request with this header is answered with one: the permissions that it needs, as JSON.
const DEMANDS: &str = "x-sandbox-permissions";

impl World {
    /// An account in which nothing is but what AWS puts into every one.
    #[must_use]
    pub fn empty() -> Self {
        let mut world = Self {
            account: "123456789012".to_owned(),
            region: "eu-central-1".to_owned(),
            partition: "aws".to_owned(),
            profile: Profile::median(),
            faults: Vec::new(),
            limits: None,
            principals: BTreeMap::new(),
            known_keys_only: false,
            organization: None,
            simulator: iam::Simulator::default(),
            log: Vec::new(),
            log_length: log_length(),
            role_quota: role_quota(),
            counter: 0,
            generations: BTreeMap::new(),
            now: Moment::default(),
            rds: rds::Rds::default(),
            iam: iam::Iam::default(),
            ec2: ec2::Ec2::default(),
            lambda: lambda::Lambda::default(),
            secrets: secrets::Secrets::default(),
            kms: kms::Kms::default(),
            logs: logs::Logs::default(),
            loads: load::Loads::default(),
            quotas: BTreeMap::new(),
            prices: pricing::published(),
            instance_prices: pricing::published_instances(),
            function_prices: pricing::published_functions(),
            monitoring: monitoring::Monitoring::default(),
        };
        for policy in iam::aws_managed(&world.partition) {
            world.iam.policies.insert(policy.arn.clone(), policy);
        }
        world
    }

    /// Answers one request at one moment: decode, authenticate, authorize, act, encode, log.
    pub fn handle(&mut self, now: Moment, request: &Request) -> Handled {
        let now = now.max(self.now);
        self.tick(now);
        self.counter += 1;
        let request_id = format!("{:08x}-5a7d-4b0c-8e1f-{:012x}", self.counter, self.counter);
        let decoded = match wire::decode(request) {
            Ok(decoded) => decoded,
            Err((service, form, error)) => {
                return self.answer(wire::failure(service, form, &error, &request_id), Duration::ZERO);
            }
        };
        let (service, form, action) = (decoded.service, decoded.form, decoded.action);
        let mutating = mutating(service, &action);
        let taken = self.limits.as_mut().is_none_or(|limits| limits.take(service, &action, &decoded.input, now));
        let trouble =
            if taken { fault::strike(self, service, &action, mutating, now) } else { Some(Trouble::Throttle) };
        let mut demands = None;
        let outcome = self.principal(service, &decoded.access_key).and_then(|principal| {
            let ahead = request.sent().map_or(0, |sent| sent - now.unix_signed());
            let call = Call { service, action: action.clone(), input: decoded.input, principal, now, ahead };
            if request.headers.contains_key(DEMANDS) {
                demands = Some(listed(&needs(self, &call)));
            }
            if let Some(error) = trouble.as_ref().and_then(|trouble| trouble.error(&call)) {
                return Err(error);
            }
            if matches!(trouble, Some(Trouble::DropBefore | Trouble::Silence)) {
                return Ok(Value::Null);
            }
            self.act(&call, &decoded.region, mutating)
        });
        if mutating {
            health::observe(self, now);
            // A function connects elsewhere from the moment of the change on, not from that of the next request.
            load::tick(self);
        }
        self.record(now, service, &action, mutating, &outcome, trouble.as_ref());
        let late = match trouble {
            Some(Trouble::Slow(milliseconds)) => Duration::from_millis(milliseconds),
            _ => Duration::ZERO,
        };
        let mut response = match (&outcome, &trouble) {
            (_, Some(Trouble::DropBefore | Trouble::DropAfter)) => return self.withhold(Reply::Dropped),
            (_, Some(Trouble::Silence)) => return self.withhold(Reply::Silence),
            (Ok(_), Some(Trouble::ErrorAfter)) => wire::empty_failure(500, &request_id),
            (Err(error), _) if error.code.is_empty() => wire::empty_failure(error.status, &request_id),
            (Err(error), _) => wire::failure(service, form, error, &request_id),
            (Ok(output), _) => wire::success(service, form, &action, output, &request_id),
        };
        response.headers.extend(demands.map(|demands| (DEMANDS.to_owned(), demands)));
        self.answer(response, late)
    }

    /// How a proxy's target shows an instance: the state, and the reason where AWS gives one.
    #[must_use]
    pub fn target_health(&self, proxy: &str, instance: &str) -> Option<(&'static str, Option<&'static str>)> {
        let proxy = self.rds.proxies.get(proxy)?;
        let health = health::of(self, proxy, proxy.target_group.target.as_ref()?, instance, self.now);
        Some((health.state, health.reason))
    }

    /// Lets time pass: everything that was on its way by then has arrived.
    pub fn tick(&mut self, now: Moment) {
        let now = now.max(self.now);
        // Where functions connect changes when a transition ends, however late anybody looks.
        for end in lambda::transitions(self, now) {
            self.now = end.max(self.now);
            lambda::tick(self, end);
            load::tick(self);
        }
        self.now = now;
        rds::tick(self, now);
        ec2::tick(self, now);
        lambda::tick(self, now);
        secrets::tick(self, now);
        logs::tick(self, now);
        load::tick(self);
        health::observe(self, now);
    }

    /// The account for comparison: stable order; no clocks, log, counters or secret values.
    #[must_use]
    pub fn dump(&self) -> Value {
        let mut dump = json!({
            "account": self.account,
            "region": self.region,
            "partition": self.partition,
        });
        let services = [
            ("ec2", serde_json::to_value(&self.ec2)),
            ("iam", serde_json::to_value(&self.iam)),
            ("kms", serde_json::to_value(&self.kms)),
            ("lambda", serde_json::to_value(&self.lambda)),
            ("logs", serde_json::to_value(&self.logs)),
            ("monitoring", serde_json::to_value(&self.monitoring)),
            ("rds", serde_json::to_value(&self.rds)),
            ("secrets", serde_json::to_value(&self.secrets)),
        ];
        if let Value::Object(members) = &mut dump {
            for (name, state) in services {
                // A state is maps with text keys all the way down, which JSON can always hold.
                let state = state.unwrap_or_default();
                members.insert(name.to_owned(), timeless(state).unwrap_or_default());
            }
        }
        dump
    }

    /// An id that depends on nothing but what it is for: the `prefix`, then 17 hex digits.
    ///
    /// Two runs that create the same things get the same ids; what is created again gets another one.
    pub(super) fn id(&mut self, prefix: &str, natural_key: &str) -> String {
        let key = format!("{prefix}{natural_key}");
        let generation = self.generations.entry(key.clone()).or_insert(0);
        *generation += 1;
        let text = format!("{key}#{generation}");
        format!("{prefix}{}", self.hash(&text))
    }

    /// A UUID that depends on nothing but what it is for.
    pub(super) fn uuid(&mut self, natural_key: &str) -> String {
        let digits = format!("{}{}", self.id("", natural_key), self.id("", &format!("{natural_key}/2")));
        let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-8{}-{}", part(0, 8), part(8, 12), part(12, 15), part(17, 20), part(20, 32))
    }

    /// 17 hex digits of a text, the account and the region, and of nothing else.
    #[must_use]
    pub fn hash(&self, text: &str) -> String {
        let salted = format!("{}/{}/{text}", self.account, self.region);
        let digits = format!("{:016x}{:016x}", fnv(salted.as_bytes(), 0), fnv(salted.as_bytes(), 1));
        digits.chars().take(17).collect()
    }

    /// `arn:aws:rds:eu-central-1:123456789012:…`.
    pub(super) fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{rest}", self.partition, self.region, self.account)
    }

    fn principal(&self, service: Service, access_key: &str) -> Result<Principal, AwsError> {
        if let Some(principal) = self.principals.get(access_key) {
            return Ok(principal.clone());
        }
        if self.known_keys_only {
            return Err(unknown_key(service));
        }
        let arn = format!("arn:{}:iam::{}:user/administrator", self.partition, self.account);
        Ok(Principal { arn, policies: None })
    }

    /// Checks permissions and carries the call out.
    fn act(&mut self, call: &Call, region: &str, mutating: bool) -> Outcome {
        // The Price List answers for every region from a few.
        let elsewhere = !call.service.global() && call.service != Service::Pricing && region != self.region;
        self.authorize(call, region)?;
        if elsewhere {
            return self.act_elsewhere(call, region, mutating);
        }
        if !mutating && let Some(mut past) = fault::past(self, call.service, call.now) {
            return dispatch(&mut past, call);
        }
        dispatch(self, call)
    }

    /// The permissions that a request needs; none for one that the sandbox does not understand.
    #[must_use]
    pub fn needed(&self, request: &Request) -> Vec<Need> {
        let Some(Asked { service, action, input, .. }) = Asked::of(request) else { return Vec::new() };
        let arn = format!("arn:{}:iam::{}:user/administrator", self.partition, self.account);
        let principal = Principal { arn, policies: None };
        needs(self, &Call { service, action, input, principal, now: self.now, ahead: 0 })
    }

    /// Checks every permission that the call needs against the caller's policies and the organization's.
    fn authorize(&self, call: &Call, region: &str) -> Result<(), AwsError> {
        let own = call.principal.policies.as_ref();
        if own.is_none() && self.organization.is_none() {
            return Ok(());
        }
        // The endpoints of global services are in one region.
        let region = if call.service.global() { "us-east-1" } else { region };
        let arn = &call.principal.arn;
        for mut need in needs(self, call) {
            iam::known(self, &mut need.context, region, arn);
            let own = own.map_or(Decision::Allowed, |documents| policy::evaluate(documents, &need));
            let (decision, kind) = match (own, iam::organization(self, &need)) {
                (Decision::Allowed, Decision::Allowed) => continue,
                (Decision::Allowed, over) => (over, "a service control policy"),
                (own, _) => (own, "an identity-based policy"),
            };
            let explicit = decision == Decision::ExplicitDeny;
            return Err(fault::denied_by(call.service, &need.action, arn, &need.resource, explicit, kind));
        }
        Ok(())
    }

    /// The account has nothing in other regions, and the sandbox makes nothing there.
    fn act_elsewhere(&self, call: &Call, region: &str, mutating: bool) -> Outcome {
        if mutating {
            let message =
                format!("You are not subscribed to this service in {region}: the sandbox is in {}.", self.region);
            return Err(AwsError::new(403, "OptInRequired", message));
        }
        let mut other = Self { account: self.account.clone(), region: region.to_owned(), ..Self::empty() };
        dispatch(&mut other, call)
    }

    fn record(
        &mut self,
        at: Moment,
        service: Service,
        action: &str,
        mutating: bool,
        outcome: &Outcome,
        trouble: Option<&Trouble>,
    ) {
        let error = match (outcome, trouble) {
            (Err(error), _) => Some(error.code.clone()),
            (Ok(_), Some(Trouble::ErrorAfter)) => Some("InternalFailure".to_owned()),
            (Ok(_), Some(Trouble::DropBefore | Trouble::DropAfter)) => Some("(dropped)".to_owned()),
            (Ok(_), Some(Trouble::Silence)) => Some("(silence)".to_owned()),
            (Ok(_), _) => None,
        };
        if self.log.len() >= self.log_length {
            self.log.drain(..=self.log.len() - self.log_length);
        }
        self.log.push(Logged { at, service, action: action.to_owned(), mutating, error });
    }

    fn answer(&self, response: super::account::Response, late: Duration) -> Handled {
        Handled { reply: Reply::Answer(response), latency: self.profile.api_latency + late }
    }

    fn withhold(&self, reply: Reply) -> Handled {
        Handled { reply, latency: self.profile.api_latency }
    }
}

fn dispatch(world: &mut World, call: &Call) -> Outcome {
    match call.service {
        Service::Ec2 => ec2::handle(world, call),
        Service::Iam => iam::handle(world, call),
        Service::Kms => kms::handle(world, call),
        Service::Lambda => lambda::handle(world, call),
        Service::Logs => logs::handle(world, call),
        Service::Monitoring => monitoring::handle(world, call),
        Service::Pricing => pricing::handle(world, call),
        Service::Rds => rds::handle(world, call),
        Service::SecretsManager => secrets::handle(world, call),
        Service::ServiceQuotas => quotas::handle(world, call),
        Service::Sts => sts::handle(world, call),
    }
}

fn needs(world: &World, call: &Call) -> Vec<Need> {
    match call.service {
        Service::Ec2 => ec2::needs(world, call),
        Service::Iam => iam::needs(world, call),
        Service::Kms => kms::needs(world, call),
        Service::Lambda => lambda::needs(world, call),
        Service::Logs => logs::needs(world, call),
        Service::Monitoring => monitoring::needs(world, call),
        Service::Pricing => pricing::needs(world, call),
        Service::Rds => rds::needs(world, call),
        Service::SecretsManager => secrets::needs(world, call),
        Service::ServiceQuotas => quotas::needs(world, call),
        Service::Sts => sts::needs(world, call),
    }
}

/// Needs as JSON: action, resource and the names of the condition keys that the request carries.
fn listed(needs: &[Need]) -> String {
    let need = |need: &Need| {
        let keys: Vec<&String> = need.context.keys().collect();
        json!({"action": need.action, "resource": need.resource, "keys": keys})
    };
    needs.iter().map(need).collect::<Value>().to_string()
}

fn mutating(service: Service, action: &str) -> bool {
    match service {
        Service::Ec2 => ec2::mutating(action),
        Service::Iam => iam::mutating(action),
        Service::Kms => kms::mutating(action),
        Service::Lambda => lambda::mutating(action),
        Service::Logs => logs::mutating(action),
        Service::Monitoring => monitoring::mutating(action),
        Service::Pricing => pricing::mutating(action),
        Service::Rds => rds::mutating(action),
        Service::SecretsManager => secrets::mutating(action),
        Service::ServiceQuotas => quotas::mutating(action),
        Service::Sts => sts::mutating(action),
    }
}

fn unknown_key(service: Service) -> AwsError {
    match service {
        Service::Ec2 => {
            AwsError::new(401, "AuthFailure", "AWS was not able to validate the provided access credentials")
        }
        Service::Kms
        | Service::Lambda
        | Service::Logs
        | Service::Pricing
        | Service::SecretsManager
        | Service::ServiceQuotas => {
            AwsError::new(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
        }
        Service::Iam | Service::Monitoring | Service::Rds | Service::Sts => {
            AwsError::new(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
        }
    }
}

/// A state without its clocks and absent members; `None` for a clock itself.
fn timeless(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if Moment::is_written_as(&text) => None,
        Value::Array(items) => Some(items.into_iter().filter_map(timeless).collect()),
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, value) in members {
                if name.starts_with(NOT_DUMPED) {
                    continue;
                }
                if let Some(value) = timeless(value) {
                    match name.strip_prefix(HIDDEN) {
                        Some(name) => kept.insert(name.to_owned(), json!("(hidden)")),
                        None => kept.insert(name, value),
                    };
                }
            }
            Some(Value::Object(kept))
        }
        other => Some(other),
    }
}

/// FNV-1a with a seed and a final mix: stable over versions and machines, which `DefaultHasher` is not.
fn fnv(bytes: &[u8], seed: u64) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in bytes {
        hash ^= u64::from(*byte);
        hash = hash.wrapping_mul(0x0100_0000_01b3);
    }
    hash ^= hash >> 32;
    hash = hash.wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}
