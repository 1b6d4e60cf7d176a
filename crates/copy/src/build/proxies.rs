//! Proxies, their pools, targets and further endpoints.

use std::collections::BTreeMap;

use sandbox::Moment;
use sandbox::parts::{Auth, Endpoint, Proxy, Status, Target, TargetGroup};
use serde_json::Value;

use super::Build;
use super::databases::{settled, tags};
use crate::facts::{Kind, Thing};
use crate::read::{after_last, flag, inner, list, number, part, string, text, texts};

/// How many seconds a client may be idle, unless set otherwise.
const IDLE: i64 = 1800;

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (name, thing) in facts.all(Kind::Proxy) {
        if text(thing, "Status") == Some("deleting") {
            build.gap(format!("the proxy {name}"), "was being deleted; in the copy it is gone already");
            continue;
        }
        let proxy = proxy(build, name, thing);
        build.world.rds.proxies.insert(name.to_owned(), proxy);
    }
    for (name, thing) in facts.all(Kind::ProxyEndpoint) {
        let proxy = string(thing, "DBProxyName").to_ascii_lowercase();
        if text(thing, "Status") == Some("deleting") || !build.world.rds.proxies.contains_key(&proxy) {
            build.gap(
                format!("the endpoint {name} of the proxy {proxy}"),
                "is left out: it or its proxy was being deleted",
            );
            continue;
        }
        let word = settled(build, &format!("the endpoint {name}"), &string(thing, "Status"));
        let endpoint = Endpoint {
            id: after_last(&string(thing, "DBProxyEndpointArn"), ':').to_owned(),
            proxy,
            role: text(thing, "TargetRole").unwrap_or("READ_WRITE").to_owned(),
            vpc_id: string(thing, "VpcId"),
            subnets: texts(thing, "VpcSubnetIds"),
            groups: texts(thing, "VpcSecurityGroupIds"),
            endpoint: string(thing, "Endpoint"),
            network_type: text(thing, "EndpointNetworkType").unwrap_or("IPV4").to_owned(),
            status: Status::Settled(word),
            created: Moment::default(),
            tags: tags(build, thing, "DBProxyEndpointArn"),
        };
        build.world.rds.endpoints.insert(name.to_owned(), endpoint);
    }
}

fn proxy(build: &mut Build<'_>, name: &str, thing: &Thing) -> Proxy {
    let family = string(thing, "EngineFamily");
    let id = after_last(&string(thing, "DBProxyArn"), ':').to_owned();
    Proxy {
        auth: list(thing, "Auth").iter().map(|auth| signs_in(build, auth, &family)).collect(),
        target_group: target_group(build, name, &id, &family),
        id,
        engine_family: family,
        default_auth_scheme: text(thing, "DefaultAuthScheme").unwrap_or("NONE").to_owned(),
        role_arn: string(thing, "RoleArn"),
        vpc_id: string(thing, "VpcId"),
        subnets: texts(thing, "VpcSubnetIds"),
        groups: texts(thing, "VpcSecurityGroupIds"),
        require_tls: flag(thing, "RequireTLS") == Some(true),
        idle_client_timeout: number(thing, "IdleClientTimeout").unwrap_or(IDLE),
        debug_logging: flag(thing, "DebugLogging") == Some(true),
        endpoint_network_type: text(thing, "EndpointNetworkType").unwrap_or("IPV4").to_owned(),
        target_network_type: text(thing, "TargetConnectionNetworkType").unwrap_or("IPV4").to_owned(),
        endpoint: string(thing, "Endpoint"),
        status: Status::Settled(settled(build, &format!("the proxy {name}"), &string(thing, "Status"))),
        created: Moment::default(),
        ready: Moment::default(),
        updated: Moment::default(),
        tags: tags(build, thing, "DBProxyArn"),
    }
}

fn signs_in(build: &Build<'_>, auth: &Value, family: &str) -> Auth {
    // What AWS takes where nothing is said (botocore's RDS model, `ClientPasswordAuthType`) stays unsaid.
    let usual = match family {
        "MYSQL" => "MYSQL_CACHING_SHA2_PASSWORD",
        "POSTGRESQL" => "POSTGRES_SCRAM_SHA_256",
        _ => "SQL_SERVER_AUTHENTICATION",
    };
    Auth {
        description: part(auth, "Description").map(|text| build.masks.description(text)),
        scheme: part(auth, "AuthScheme").unwrap_or("SECRETS").to_owned(),
        secret_arn: part(auth, "SecretArn").map(str::to_owned).unwrap_or_default(),
        iam_auth: part(auth, "IAMAuth").unwrap_or("DISABLED").to_owned(),
        client_password: part(auth, "ClientPasswordAuthType").filter(|kind| *kind != usual).map(str::to_owned),
    }
}

fn target_group(build: &mut Build<'_>, proxy: &str, id: &str, family: &str) -> TargetGroup {
    let facts = build.facts;
    let thing = facts.one(Kind::TargetGroup, proxy);
    let pool = thing.and_then(|thing| inner(thing, "ConnectionPoolConfig"));
    if pool.is_none() {
        build.gap(format!("the pool settings of the proxy {proxy}"), "were not read; the copy has AWS's defaults");
    }
    let (most, idle) = if family == "SQLSERVER" { (10, 5) } else { (100, 50) };
    let setting = |name: &str, default: i64| pool.and_then(|pool| number(pool, name)).unwrap_or(default);
    let arn = thing.and_then(|thing| text(thing, "TargetGroupArn")).map(|arn| after_last(arn, ':').to_owned());
    let init_query = pool.and_then(|pool| build.described(pool, "InitQuery"));
    TargetGroup {
        id: arn.unwrap_or_else(|| id.replacen("prx-", "prx-tg-", 1)),
        max_connections_percent: setting("MaxConnectionsPercent", most),
        max_idle_connections_percent: setting("MaxIdleConnectionsPercent", idle),
        borrow_timeout: setting("ConnectionBorrowTimeout", 120),
        pinning_filters: pool.map(|pool| texts(pool, "SessionPinningFilters")).unwrap_or_default(),
        init_query,
        updated: Moment::default(),
        target: target(build, proxy),
    }
}

/// The registered database, as the rows of the targets say it.
fn target(build: &mut Build<'_>, proxy: &str) -> Option<Target> {
    let facts = build.facts;
    let rows: Vec<&Thing> =
        facts.of(Kind::Target, proxy).filter(|(what, _)| !what.is_empty()).map(|(_, row)| row).collect();
    if facts.of(Kind::Target, proxy).next().is_none() {
        build.gap(format!("the targets of the proxy {proxy}"), "were not read; the copy has none");
    }
    let sick = rows.iter().filter_map(|row| Some((string(row, "RdsResourceId"), inner(row, "TargetHealth")?)));
    let sick: Vec<String> = sick
        .filter(|(_, health)| text(health, "State").is_some_and(|state| state != "AVAILABLE"))
        .map(|(id, _)| id)
        .collect();
    for id in sick {
        build.gap(
            format!("the health of {id} behind the proxy {proxy}"),
            "follows from what the copy has, and may differ from what AWS reported",
        );
    }
    let tracked = |row: &&Thing| text(row, "Type") == Some("TRACKED_CLUSTER");
    let cluster = rows.iter().copied().find(tracked).and_then(|row| text(row, "RdsResourceId"));
    let cluster = cluster.or_else(|| rows.iter().find_map(|row| text(row, "TrackedClusterId")));
    let (cluster, id) = match cluster {
        Some(id) => (true, id),
        None => (false, rows.iter().find_map(|row| text(row, "RdsResourceId"))?),
    };
    Some(Target { cluster, id: id.to_ascii_lowercase(), registered: Moment::default(), troubled: BTreeMap::new() })
}

/// Whether every instance behind a proxy was available, which proves that its role can read its secrets.
pub(super) fn is_healthy(build: &Build<'_>, proxy: &str) -> bool {
    let rows = build.facts.of(Kind::Target, proxy).filter_map(|(_, row)| inner(row, "TargetHealth"));
    let states: Vec<Option<&str>> = rows.map(|health| text(health, "State")).collect();
    !states.is_empty() && states.iter().all(|state| *state == Some("AVAILABLE"))
}
