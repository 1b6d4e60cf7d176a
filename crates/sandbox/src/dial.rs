//! What a client in a function's seat meets when it connects to a proxy: computed from the account as it is.
//!
//! The answer has the shape that the handler in `templates/probe` gives: one stage after another, up to the first that
//! fails.

use serde_json::{Value, json};

use super::account::{Moment, Need, World};
use super::lambda::Configuration;
use super::policy::Decision;
use super::rds::{Auth, Instance, Proxy, targets};
use super::{ec2, health, iam, secrets};

/// How long a stage waits for an answer that does not come, in milliseconds.
const PATIENCE: f64 = 5_000.0;

/// A stage that failed: the fault's code, how long it took, and what was seen.
struct Fault(&'static str, f64, String);

/// A stage that went well: how long it took, and what was seen.
type Stage = Result<(f64, String), Fault>;

/// The endpoint that a host name leads to.
struct Door<'world> {
    proxy: &'world Proxy,
    groups: &'world [String],
    subnets: &'world [String],
}

fn door<'world>(world: &'world World, host: &str) -> Option<Door<'world>> {
    let serves = |word: &str| matches!(word, "available" | "modifying");
    let own = world.rds.proxies.values().find(|proxy| proxy.endpoint.eq_ignore_ascii_case(host));
    if let Some(proxy) = own.filter(|proxy| serves(proxy.status.word())) {
        return Some(Door { proxy, groups: &proxy.groups, subnets: &proxy.subnets });
    }
    let further = world.rds.endpoints.values().find(|found| found.endpoint.eq_ignore_ascii_case(host));
    let further = further.filter(|found| serves(found.status.word()))?;
    let proxy = world.rds.proxies.get(&further.proxy)?;
    Some(Door { proxy, groups: &further.groups, subnets: &further.subnets })
}

fn text<'event>(event: &'event Value, member: &str) -> Option<&'event str> {
    event.get(member).and_then(Value::as_str)
}

/// Connects as the handler does, from the seat of a function.
pub(super) fn from_seat(world: &World, seat: &Configuration, event: &Value, now: Moment) -> Value {
    let host = text(event, "host").unwrap_or_default();
    let port = event.get("port").and_then(Value::as_u64).and_then(|port| u16::try_from(port).ok()).unwrap_or_default();
    let mut stages: Vec<Value> = Vec::new();
    let mut take = |stage: &str, outcome: Stage| {
        let (ok, ms, evidence, fault) = match outcome {
            Ok((ms, evidence)) => (true, ms, evidence, None),
            Err(Fault(code, ms, evidence)) => (false, ms, evidence, Some(code)),
        };
        let mut row = json!({ "stage": stage, "ok": ok, "ms": ms, "evidence": evidence });
        if let Some(code) = fault {
            row["fault"] = json!(code);
        }
        stages.push(row);
        ok
    };
    let found = door(world, host);
    let known = take(
        "dns",
        match &found {
            Some(_) => Ok((3.0, format!("{host} has an address"))),
            None => Err(Fault("name_not_found", 12.0, format!("{host} has no address"))),
        },
    );
    let ok = known
        && found.is_some_and(|door| {
            take("tcp", reached(world, seat, &door, port))
                && take("tls", Ok((9.0, "TLSv1.3, certificate and host name verified".to_owned())))
                && (text(event, "login") == Some("greeting")
                    || take("login", login(world, seat, door.proxy, event, now))
                        && take("query", query(world, door.proxy, now)))
        });
    json!({ "schema": 1, "ok": ok, "stages": stages })
}

fn reached(world: &World, seat: &Configuration, door: &Door<'_>, port: u16) -> Stage {
    let own = if door.proxy.engine_family == "POSTGRESQL" { 5432 } else { 3306 };
    let open = seat.vpc.as_ref().is_some_and(|vpc| {
        ec2::reaches(world, &vpc.groups, door.groups, port) && ec2::acls_pass(world, &vpc.subnets, door.subnets, port)
    });
    if open && port == own {
        return Ok((1.0, format!("port {port} answers")));
    }
    Err(Fault("timed_out", PATIENCE, format!("port {port} does not answer within 5.0 s")))
}

impl World {
    /// Whether a function's code gets a TCP connection to a host: a proxy's, an instance's or a cluster's.
    #[must_use]
    pub fn dials(&self, function: &str, host: &str, port: u16) -> bool {
        let Some(seat) = self.lambda.functions.get(function).map(|found| &found.latest) else { return false };
        if let Some(door) = door(self, host) {
            return reached(self, seat, &door, port).is_ok();
        }
        let is = |own: &str| own.eq_ignore_ascii_case(host);
        let cluster = self.rds.clusters.iter().find(|(_, found)| is(&found.endpoint) || is(&found.reader_endpoint));
        let of = |instance: &&Instance| match &cluster {
            Some((id, _)) => instance.cluster.as_ref() == Some(*id),
            None => is(&instance.endpoint),
        };
        let vpc = seat.vpc.as_ref();
        self.rds.instances.values().filter(of).any(|instance| {
            vpc.is_some_and(|vpc| {
                let subnets = self.rds.subnet_groups.get(&instance.subnet_group).map(|group| group.subnets.as_slice());
                instance.port == port
                    && ec2::reaches(self, &vpc.groups, &instance.groups, port)
                    && ec2::acls_pass(self, &vpc.subnets, subnets.unwrap_or_default(), port)
            })
        })
    }
}

/// Whether the proxy can take this secret's user in, and what else it says of it.
fn registered<'proxy>(world: &World, proxy: &'proxy Proxy, user: &str, now: Moment) -> Option<&'proxy Auth> {
    proxy.auth.iter().find(|auth| {
        let of = secrets::find(world, &auth.secret_arn).and_then(secrets::Secret::user);
        of.as_deref() == Some(user) && secrets::may_read(world, &auth.secret_arn, &proxy.role_arn, now)
    })
}

fn login(world: &World, seat: &Configuration, proxy: &Proxy, event: &Value, now: Moment) -> Stage {
    let user = text(event, "user").unwrap_or_default();
    let end_to_end = proxy.default_auth_scheme == "IAM_AUTH";
    let auth = registered(world, proxy, user, now);
    let postgres = proxy.engine_family == "POSTGRESQL";
    let denied = |fault, said: String| Err(Fault(fault, 30.0, said));
    if auth.is_none() && !end_to_end {
        // MySQL's protocol has one refusal for everything.
        return if postgres {
            let said = format!(
                "This RDS proxy has no credentials for the role {user}. Check the credentials for this role and try again."
            );
            denied("no_credentials_for_user", said)
        } else {
            denied("login_denied", format!("1045 (28000): Access denied for user '{user}'"))
        };
    }
    let taken = if text(event, "login") == Some("iam") {
        let need = Need {
            action: "rds-db:connect".to_owned(),
            resource: world.arn("rds-db", &format!("dbuser:{}/{user}", proxy.id)),
            context: std::collections::BTreeMap::new(),
        };
        let allowed = iam::decide(world, &seat.role, &need, now) == Decision::Allowed;
        allowed && (end_to_end || auth.is_some_and(|auth| auth.iam_auth != "DISABLED"))
    } else {
        let own = auth.and_then(|auth| secrets::find(world, &auth.secret_arn)).and_then(secrets::Secret::password);
        let given = text(event, "password");
        given.is_some()
            && own.as_deref() == given
            && auth.is_some_and(|auth| auth.iam_auth != "REQUIRED" && understands(world, proxy, auth))
    };
    match (taken, postgres) {
        (true, _) => Ok((24.0, format!("logged in as {user}"))),
        (false, true) => denied("login_denied", format!("28P01: The login of {user} failed")),
        (false, false) => denied("login_denied", format!("1045 (28000): Access denied for user '{user}'")),
    }
}

/// A proxy of the MySQL family asks for `caching_sha2_password` unless configured otherwise
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_UserAuthConfig.html>), and MariaDB does not know it
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.html>, limitations for MariaDB).
fn understands(world: &World, proxy: &Proxy, auth: &Auth) -> bool {
    let target = proxy.target_group.target.as_ref();
    let maria = target.is_some_and(|target| {
        targets::instances(world, target).iter().any(|(_, instance, _)| instance.engine == "mariadb")
    });
    !maria || auth.client_password.as_deref() == Some("MYSQL_NATIVE_PASSWORD")
}

fn query(world: &World, proxy: &Proxy, now: Moment) -> Stage {
    let target = proxy.target_group.target.as_ref();
    let serves = target.is_some_and(|target| {
        let mut instances = targets::instances(world, target).into_iter();
        instances.any(|(id, _, _)| health::of(world, proxy, target, id, now).state == "AVAILABLE")
    });
    if serves {
        return Ok((4.0, "SELECT 1 answered 1".to_owned()));
    }
    Err(Fault("borrow_timed_out", PATIENCE, "Timed-out waiting to acquire database connection".to_owned()))
}
