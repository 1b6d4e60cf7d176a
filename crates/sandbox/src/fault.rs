//! Faults: what goes wrong, when, and how often, as data.
//!
//! A fault waits in [`World::faults`] until its trigger comes, strikes, and is used up after `times`
//! strikes. Counting is the fault's own, from the moment it was put there, so a test that says
//! "the third call from now" need not know what happened before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::account::{AwsError, Call, Moment, Service, World};
use super::{ec2, iam, kms, lambda, logs, monitoring, rds, secrets};

/// Something that will go wrong.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Fault {
    /// When it strikes.
    pub trigger: Trigger,
    /// What happens then.
    pub trouble: Trouble,
    /// How often it still strikes.
    pub times: u32,
    /// How many requests that concern its trigger have been seen.
    #[serde(default)]
    seen: u64,
    /// For [`Trouble::Stale`]: each service's state before its last change.
    #[serde(default)]
    before: BTreeMap<Service, State>,
    /// For [`Trouble::Stale`]: what reads are answered from, and until when.
    #[serde(default)]
    shown: Option<(Moment, State)>,
}

/// When a fault strikes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Trigger {
    /// At the n-th request from now on, counted from 1, and at every one after it while `times` lasts.
    Request(u64),
    /// At the n-th call of one operation from now on, counted from 1, and at every one after it while `times` lasts.
    Call {
        /// The service.
        service: Service,
        /// The operation.
        action: String,
        /// Which call.
        nth: u64,
    },
    /// At every call of one operation.
    Every {
        /// The service.
        service: Service,
        /// The operation.
        action: String,
    },
    /// At random.
    Random {
        /// Equal seeds strike equally.
        seed: u64,
        /// The share of requests, from 0 to 1.
        rate: f64,
    },
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Trouble {
    /// The service's own throttling error; nothing happens.
    Throttle,
    /// An error, and nothing happens.
    ErrorBefore {
        /// The HTTP status.
        status: u16,
        /// The code; empty for an answer without a body.
        code: String,
        /// The sentence for people.
        message: String,
    },
    /// The effect happens, the answer is 500 with an empty body.
    ErrorAfter,
    /// The connection breaks, and nothing happens.
    DropBefore,
    /// The effect happens, and the connection breaks.
    DropAfter,
    /// The request is taken, nothing happens, and no answer ever comes.
    Silence,
    /// The caller may not do this.
    Deny,
    /// Reads of the service show its state before the last change, for so many seconds.
    Stale(u64),
    /// The caller's credentials have expired.
    Expire,
    /// The answer comes so many milliseconds late.
    Slow(u64),
}

/// One service's state, kept to be shown later.
#[derive(Debug, Clone, Serialize, Deserialize)]
enum State {
    Ec2(Box<ec2::Ec2>),
    Iam(Box<iam::Iam>),
    Kms(Box<kms::Kms>),
    Lambda(Box<lambda::Lambda>),
    Logs(Box<logs::Logs>),
    Monitoring(Box<monitoring::Monitoring>),
    Rds(Box<rds::Rds>),
    Secrets(Box<secrets::Secrets>),
}

impl Fault {
    /// A fault that strikes once.
    #[must_use]
    pub fn once(trigger: Trigger, trouble: Trouble) -> Self {
        Self::repeated(trigger, trouble, 1)
    }

    /// A fault that strikes so many times.
    #[must_use]
    pub fn repeated(trigger: Trigger, trouble: Trouble, times: u32) -> Self {
        Self { trigger, trouble, times, seen: 0, before: BTreeMap::new(), shown: None }
    }

    /// Counts the request, and whether the fault strikes at it; it saves itself for later unless `free`.
    fn strikes(&mut self, service: Service, action: &str, free: bool) -> bool {
        let concerned = match &self.trigger {
            Trigger::Request(_) | Trigger::Random { .. } => true,
            Trigger::Call { service: wanted, action: named, .. }
            | Trigger::Every { service: wanted, action: named } => *wanted == service && named == action,
        };
        if !concerned {
            return false;
        }
        self.seen += 1;
        let hit = match &self.trigger {
            Trigger::Request(nth) | Trigger::Call { nth, .. } => self.seen >= *nth,
            Trigger::Every { .. } => true,
            Trigger::Random { seed, rate } => share(*seed, self.seen) < *rate,
        };
        if hit && free && self.times > 0 {
            self.times -= 1;
            return true;
        }
        false
    }

    /// Whether it can still make itself felt.
    fn lives(&self, now: Moment) -> bool {
        self.times > 0 || self.shown.as_ref().is_some_and(|(until, _)| now < *until)
    }
}

/// What goes wrong at this request, if anything; to be asked exactly once a request, before its effect.
///
/// [`Trouble::Stale`] is never answered: it shows in [`past`].
pub(super) fn strike(
    world: &mut World,
    service: Service,
    action: &str,
    mutating: bool,
    now: Moment,
) -> Option<Trouble> {
    if world.faults.is_empty() {
        return None;
    }
    // A copy of a whole service is dear, and most faults need none.
    let stale = world.faults.iter().any(|fault| matches!(fault.trouble, Trouble::Stale(_)));
    let state = if stale { State::of(world, service) } else { None };
    let mut trouble = None;
    for fault in &mut world.faults {
        let until = match fault.trouble {
            Trouble::Stale(seconds) => Some(now + std::time::Duration::from_secs(seconds)),
            _ => None,
        };
        // One trouble a request: the first fault in line has it.
        let strikes = fault.strikes(service, action, until.is_some() || trouble.is_none());
        let Some(until) = until else {
            if strikes {
                trouble = Some(fault.trouble.clone());
            }
            continue;
        };
        let Some(state) = &state else { continue };
        if strikes {
            // Struck at a change, it hides that change; struck at a read, it hides the last one.
            let hidden = if mutating { Some(state.clone()) } else { fault.before.get(&service).cloned() };
            fault.shown = hidden.map(|hidden| (until, hidden));
        }
        if mutating {
            fault.before.insert(service, state.clone());
        }
    }
    world.faults.retain(|fault| fault.lives(now));
    trouble
}

/// The world as a stale read of the service sees it, if one is due.
pub(super) fn past(world: &World, service: Service, now: Moment) -> Option<World> {
    let shown = world.faults.iter().filter_map(|fault| fault.shown.as_ref());
    let mut due = shown.filter(|(until, state)| now < *until && state.service() == service);
    let (_, state) = due.next()?;
    let mut past = world.clone();
    state.clone().into(&mut past);
    Some(past)
}

impl State {
    fn of(world: &World, service: Service) -> Option<Self> {
        Some(match service {
            Service::Ec2 => Self::Ec2(Box::new(world.ec2.clone())),
            Service::Iam => Self::Iam(Box::new(world.iam.clone())),
            Service::Kms => Self::Kms(Box::new(world.kms.clone())),
            Service::Lambda => Self::Lambda(Box::new(world.lambda.clone())),
            Service::Logs => Self::Logs(Box::new(world.logs.clone())),
            Service::Rds => Self::Rds(Box::new(world.rds.clone())),
            Service::SecretsManager => Self::Secrets(Box::new(world.secrets.clone())),
            Service::Monitoring => Self::Monitoring(Box::new(world.monitoring.clone())),
            Service::Pricing | Service::ServiceQuotas | Service::Sts => return None,
        })
    }

    fn service(&self) -> Service {
        match self {
            Self::Ec2(_) => Service::Ec2,
            Self::Iam(_) => Service::Iam,
            Self::Kms(_) => Service::Kms,
            Self::Lambda(_) => Service::Lambda,
            Self::Logs(_) => Service::Logs,
            Self::Monitoring(_) => Service::Monitoring,
            Self::Rds(_) => Service::Rds,
            Self::Secrets(_) => Service::SecretsManager,
        }
    }

    fn into(self, world: &mut World) {
        match self {
            Self::Ec2(state) => world.ec2 = *state,
            Self::Iam(state) => world.iam = *state,
            Self::Kms(state) => world.kms = *state,
            Self::Lambda(state) => world.lambda = *state,
            Self::Logs(state) => world.logs = *state,
            Self::Monitoring(state) => world.monitoring = *state,
            Self::Rds(state) => world.rds = *state,
            Self::Secrets(state) => world.secrets = *state,
        }
    }
}

impl Trouble {
    /// The error that the service answers instead of acting, for the troubles that are one.
    pub(super) fn error(&self, call: &Call) -> Option<AwsError> {
        match self {
            Self::Throttle => Some(throttled(call.service)),
            Self::ErrorBefore { status, code, message } => Some(AwsError::new(*status, code, message.clone())),
            Self::Deny => Some(denied(call.service, &call.action, &call.principal.arn, "*", false)),
            Self::Expire => Some(expired(call.service)),
            _ => None,
        }
    }
}

/// The service's own words for "too many requests".
pub(super) fn throttled(service: Service) -> AwsError {
    match service {
        Service::Ec2 => AwsError::new(503, "RequestLimitExceeded", "Request limit exceeded."),
        Service::Lambda => AwsError::new(429, "TooManyRequestsException", "Rate exceeded"),
        Service::Iam | Service::Monitoring | Service::Rds | Service::Sts => {
            AwsError::new(400, "Throttling", "Rate exceeded")
        }
        Service::Kms => AwsError::new(
            400,
            "ThrottlingException",
            "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.",
        ),
        Service::Logs | Service::Pricing | Service::SecretsManager => {
            AwsError::new(400, "ThrottlingException", "Rate exceeded")
        }
        Service::ServiceQuotas => AwsError::new(400, "TooManyRequestsException", "Rate exceeded"),
    }
}

/// The service's own words for "these credentials are over".
pub(super) fn expired(service: Service) -> AwsError {
    let message = "The security token included in the request is expired";
    match service {
        Service::Ec2 => AwsError::new(400, "RequestExpired", "Request has expired."),
        Service::Iam | Service::Monitoring | Service::Rds | Service::Sts => AwsError::new(403, "ExpiredToken", message),
        Service::Lambda => AwsError::new(403, "ExpiredTokenException", message),
        Service::Kms | Service::Logs | Service::Pricing | Service::SecretsManager | Service::ServiceQuotas => {
            AwsError::new(400, "ExpiredTokenException", message)
        }
    }
}

/// The service's own words for "you may not".
///
/// `action` is the permission (`rds:CreateDBProxy`); a bare operation gets the service's prefix.
pub(super) fn denied(service: Service, action: &str, principal: &str, resource: &str, explicit: bool) -> AwsError {
    denied_by(service, action, principal, resource, explicit, "an identity-based policy")
}

/// A denial by a kind of policy, in AWS's words
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>).
pub(super) fn denied_by(
    service: Service,
    action: &str,
    principal: &str,
    resource: &str,
    explicit: bool,
    kind: &str,
) -> AwsError {
    let action = if action.contains(':') { action.to_owned() } else { format!("{}:{action}", prefix(service)) };
    let why = if explicit {
        format!("with an explicit deny in {kind}")
    } else {
        let kind = kind.split_once(' ').map_or(kind, |(_, kind)| kind);
        format!("because no {kind} allows the {action} action")
    };
    let message = format!("User: {principal} is not authorized to perform: {action} on resource: {resource} {why}");
    match service {
        Service::Ec2 => AwsError::new(
            403,
            "UnauthorizedOperation",
            format!("You are not authorized to perform this operation. {message}"),
        ),
        Service::Iam | Service::Monitoring | Service::Rds | Service::Sts => AwsError::new(403, "AccessDenied", message),
        Service::Lambda => AwsError::new(403, "AccessDeniedException", message),
        Service::Kms | Service::Logs | Service::Pricing | Service::SecretsManager | Service::ServiceQuotas => {
            AwsError::new(400, "AccessDeniedException", message)
        }
    }
}

/// The service's name in IAM actions.
fn prefix(service: Service) -> &'static str {
    match service {
        Service::Ec2 => "ec2",
        Service::Iam => "iam",
        Service::Kms => "kms",
        Service::Lambda => "lambda",
        Service::Logs => "logs",
        Service::Monitoring => "cloudwatch",
        Service::Pricing => "pricing",
        Service::Rds => "rds",
        Service::SecretsManager => "secretsmanager",
        Service::ServiceQuotas => "servicequotas",
        Service::Sts => "sts",
    }
}

/// A number from 0 up to 1 that depends on nothing but the two given (splitmix64).
pub(super) fn share(seed: u64, index: u64) -> f64 {
    let mut mixed = seed.wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let fraction = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nth_call_is_counted_from_the_fault_on_and_only_its_own_operation() {
        let trigger = Trigger::Call { service: Service::Rds, action: "CreateDBProxy".into(), nth: 2 };
        let mut fault = Fault::repeated(trigger, Trouble::Throttle, 2);
        assert!(!fault.strikes(Service::Rds, "DescribeDBProxies", true));
        assert!(!fault.strikes(Service::Rds, "CreateDBProxy", true));
        assert!(fault.strikes(Service::Rds, "CreateDBProxy", true));
        assert!(fault.strikes(Service::Rds, "CreateDBProxy", true));
        assert!(!fault.strikes(Service::Rds, "CreateDBProxy", true));
        assert!(!fault.lives(Moment(0)));
    }

    #[test]
    fn random_faults_repeat_with_their_seed() {
        let strikes = |seed| {
            let mut fault = Fault::repeated(Trigger::Random { seed, rate: 0.3 }, Trouble::DropAfter, 1000);
            (0..1000).filter(|_| fault.strikes(Service::Iam, "GetRole", true)).collect::<Vec<_>>()
        };
        assert_eq!(strikes(7), strikes(7));
        assert_ne!(strikes(7), strikes(8));
        assert!((200..400).contains(&strikes(7).len()), "{}", strikes(7).len());
    }

    #[test]
    fn a_stale_read_shows_the_state_before_the_change_and_only_for_a_while() {
        let mut world = World::empty();
        world.faults.push(Fault::once(
            Trigger::Every { service: Service::Iam, action: "CreateRole".into() },
            Trouble::Stale(5),
        ));
        assert_eq!(strike(&mut world, Service::Iam, "CreateRole", true, Moment(0)), None);
        world.iam.roles.insert("new".into(), iam::Role::default());
        assert!(past(&world, Service::Iam, Moment(4_999)).is_some_and(|past| !past.iam.roles.contains_key("new")));
        assert!(past(&world, Service::Iam, Moment(5_000)).is_none());
        assert!(past(&world, Service::Rds, Moment(0)).is_none());
        strike(&mut world, Service::Sts, "GetCallerIdentity", false, Moment(5_000));
        assert!(world.faults.is_empty());
    }

    #[test]
    fn a_read_struck_stale_shows_the_state_before_the_last_change() {
        let mut world = World::empty();
        let read = Trigger::Call { service: Service::Iam, action: "GetRole".into(), nth: 1 };
        world.faults.push(Fault::once(read, Trouble::Stale(5)));
        strike(&mut world, Service::Iam, "CreateRole", true, Moment(0));
        world.iam.roles.insert("new".into(), iam::Role::default());
        strike(&mut world, Service::Iam, "GetRole", false, Moment(10));
        assert!(past(&world, Service::Iam, Moment(10)).is_some_and(|past| !past.iam.roles.contains_key("new")));
    }
}
