//! What RDS Proxy writes to its log, from the load of the functions.
//!
//! The wording is that of lines which users of RDS Proxy have published: npgsql#3731, postgrex#514, prisma-engines#1692
//! (pinned sessions and their reasons), MySQL.jl#201 (clients that come, and log-ins that are refused), aws-cdk#28847
//! (a secret that may not be read). Pinned sessions are warnings and always there; the others come with debug logging
//! alone. How many lines RDS Proxy writes for how much load is not published: here it is one for each new session, at
//! least one in ten minutes while any is pinned, and at most twenty a minute of each kind.

use super::OF_PROXIES;
use super::events::{Event, moment};
use crate::account::{World, iso};
use crate::health;
use crate::load::{MINUTE, ProxyMetric, ProxyScope, Traffic};
use crate::rds::{Proxy, targets};

/// Lines of one kind in a minute.
const MOST: u32 = 20;

/// The lines of a group between two moments, in any order, for a caller whose calendar is so far ahead.
pub(super) fn of(world: &World, group: &str, since: i64, until: i64, ahead: i64) -> Vec<Event> {
    let written = world.logs.written.get(group).into_iter().flatten();
    let mut all: Vec<Event> = written
        .map(|(at, line)| Event { at: moment(*at), stream: "written".to_owned(), line: line.clone() })
        .filter(|event| (since..=until).contains(&event.at))
        .collect();
    let proxy = group.strip_prefix(OF_PROXIES).and_then(|name| world.rds.proxies.get_key_value(name));
    if let Some((name, proxy)) = proxy {
        let mut followed = follow(world, name, proxy, since, until, ahead);
        all.append(&mut followed);
    }
    all
}

/// The lines that follow from the load.
fn follow(world: &World, name: &str, proxy: &Proxy, since: i64, until: i64, ahead: i64) -> Vec<Event> {
    let mut all = Vec::new();
    let from = since.max(until - 24 * 60 * MINUTE).div_euclid(MINUTE) * MINUTE;
    let minutes = usize::try_from((until - from).div_euclid(MINUTE)).unwrap_or(0);
    let traffic = Traffic::new(world, from, minutes);
    let mut begins = from;
    for minute in 0..minutes {
        let of = |metric| traffic.of_proxy(name, &ProxyScope::Proxy, metric, minute).map_or(0.0, |sample| sample.sum);
        let opened = of(ProxyMetric::ClientConnectionsSetupSucceeded);
        let connections = of(ProxyMetric::ClientConnections);
        let pinned = of(ProxyMetric::DatabaseConnectionsCurrentlySessionPinned);
        let refused = of(ProxyMetric::ClientConnectionsSetupFailedAuth);
        let share = if connections > 0.0 { (pinned / connections).min(1.0) } else { 0.0 };
        let mut write = |level: &str, place: u32, client: u64, text: &str| {
            let at = begins + i64::from(place) * (MINUTE / i64::from(MOST + 1));
            if !(since..=until).contains(&at) {
                return;
            }
            let at_text = iso(at + ahead);
            let line = format!("{at_text} [{level}] [proxyEndpoint=default] [clientConnection={client}] {text}");
            all.push(Event { at, stream: format!("{name}/node-1"), line });
        };
        let number = |place: u32, kind: u64| {
            let minute = u64::try_from(begins.div_euclid(MINUTE)).unwrap_or_default();
            minute.wrapping_mul(7919).wrapping_add(u64::from(place) * 104_729 + kind * 1_299_709) % 4_000_000_000
        };
        let least = if pinned > 0.0 && begins.div_euclid(MINUTE) % 10 == 0 { 1.0 } else { 0.0 };
        for place in 0..capped((opened * share).max(least)) {
            let database = number(place, 2);
            let reason = pin_reason(proxy);
            let text = format!(
                "The client session was pinned to the database connection [dbConnection={database}] for the remainder of the \
                 session. The proxy can't reuse this connection until the session ends. Reason: {reason}"
            );
            write("WARN", place, number(place, 1), &text);
        }
        if proxy.debug_logging {
            for place in 0..capped(opened + refused) {
                let text = format!("A new client connected from 10.0.1.{}:{}.", 10 + place, 40_000 + place);
                write("INFO", place, number(place, 1), &text);
            }
            for place in 0..capped(refused) {
                write("INFO", place, number(place, 1), &refusal(world, name, proxy));
            }
            if let Some(secret) = unread_secret(world, proxy) {
                let role = &proxy.role_arn;
                let text = format!(
                    "Credentials couldn't be retrieved. The IAM role \"{role}\" is not authorized to read the AWS Secrets \
                     Manager secret with the ARN \"{secret}\""
                );
                write("ERROR", 0, number(0, 3), &text);
            }
        }
        begins += MINUTE;
    }
    all
}

/// Why a session is pinned, as the log says it.
fn pin_reason(proxy: &Proxy) -> &'static str {
    if proxy.engine_family == "POSTGRESQL" {
        "SQL changed session settings that the proxy doesn't track. Consider moving session configuration to the proxy's \
         initialization query. Digest: \"set search_path = $1; set names $2;\"."
    } else {
        "SQL changed session settings that the proxy doesn't track. Consider moving session configuration to the proxy's \
         initialization query. Digest: \"set session sql_mode = ?\"."
    }
}

/// A log-in that is refused, with the user that the first refused function names.
fn refusal(world: &World, name: &str, proxy: &Proxy) -> String {
    let host = proxy.endpoint.as_str();
    let refused = world
        .loads
        .functions
        .iter()
        .filter(|(_, changes)| changes.last().is_some_and(|change| change.load.refused > 0.0));
    let users = refused.filter_map(|(function, _)| {
        let variables = world.lambda.functions.get(function)?.latest.environment.as_ref()?;
        let here = variables.values().any(|value| (!host.is_empty() && value.contains(host)) || value.contains(name));
        here.then(|| variables.get("DB_USER").cloned()).flatten()
    });
    let user = users.min().unwrap_or_else(|| "app".to_owned());
    let iam = proxy.auth.iter().any(|auth| auth.iam_auth == "REQUIRED") || proxy.default_auth_scheme == "IAM_AUTH";
    if iam {
        return format!(
            "Proxy authentication with IAM authentication failed for user \"{user}\" with TLS on. Reason: Invalid credentials. If you \
             provide an IAM token, make sure to either use the correct password or enable IAM authentication."
        );
    }
    let how = if proxy.engine_family == "POSTGRESQL" { "PostgreSQL" } else { "MySQL" };
    format!(
        "Proxy authentication with {how} native password authentication failed for user \"{user}\" with TLS on. Reason: Invalid \
         credentials. If you provide an IAM token, make sure to either use the correct password or enable IAM authentication."
    )
}

/// The secret that the proxy's role may not read, if that is what keeps the target from health.
fn unread_secret(world: &World, proxy: &Proxy) -> Option<String> {
    let target = proxy.target_group.target.as_ref()?;
    let refused = targets::instances(world, target)
        .iter()
        .any(|(id, ..)| health::of(world, proxy, target, id, world.now).reason == Some("AUTH_FAILURE"));
    if refused { proxy.auth.first().map(|auth| auth.secret_arn.clone()) } else { None }
}

fn capped(number: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between none and twenty")]
    let whole = number.ceil().clamp(0.0, f64::from(MOST)) as u32;
    whole
}
